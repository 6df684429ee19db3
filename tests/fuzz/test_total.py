"""Whatever comes in, a diagnostic or success comes out: never an exception, never an empty refusal."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import flowc
from flowc.diag.render import render
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from tests.fuzz.strategies import anything, assembled, mutated


def judge(source: Source, inputs: Inputs) -> None:
    """Compiles, and checks what holds for any result."""
    result = flowc.compile(source, inputs)
    errors = [each for each in result.diagnostics if each.severity == "error"]
    assert result.failed == bool(errors)
    assert result.failed != bool(result.artifacts)
    for each in result.diagnostics:
        spans = [each.span, *(span for span, _ in each.notes)]
        spans += [edit.span for edit in each.fix.edits] if each.fix else []
        for span in filter(None, spans):
            assert 0 <= span.start <= span.end <= len(span.source.text)
    shown = render(source.path, result.diagnostics)
    assert all(character.isprintable() or character == "\n" for character in shown)
    for artifact in result.artifacts:
        artifact.text.encode("utf-8", "surrogateescape")


@given(st.one_of(mutated(), assembled(), anything()))
@example(b"")
@example(b"#!")
@example(b"#!/bin/bash\n#SBATCH --array=0-4000000000\n")
@example(b"#!/bin/bash\n#SBATCH --nodes=1-999999999 --gpus=99999999999999999999\ntrue\n")
@example(b"#!/bin/bash\n#SBATCH --nodelist=n[0-99999999]\ntrue\n")
def test_any_bytes_compile_or_are_refused(data: bytes) -> None:
    judge(Source.from_bytes("job.sbatch", data), Inputs())


# Words as a system hands them over: bytes, those that are no UTF-8 as lone surrogates.
words = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
    st.binary(max_size=12).map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")),
)
options = st.one_of(
    words,
    st.sampled_from(["--nodes", "-N", "--time=", "--gres=gpu:", "--wrap", "--export", ":", "--array=0-9"]),
    st.builds(lambda name, value: f"--{name}={value}", st.sampled_from(["nodes", "time", "mem", "array"]), words),
)


@given(
    st.lists(options, max_size=6),
    st.dictionaries(st.sampled_from(["TIMELIMIT", "GPUS", "HINT", "EXPORT"]), words),
)
def test_any_arguments_and_environment_compile_or_are_refused(args: list[str], environ: dict[str, str]) -> None:
    told = Inputs(args=tuple(args), environ=tuple((f"SBATCH_{name}", value) for name, value in environ.items()))
    judge(Source("job.sbatch", "#!/bin/bash\n#SBATCH --gpus=1 --time=10\ntrue\n"), told)


@given(
    st.builds(
        Flags,
        name=st.none() | words,
        instance_type=st.none() | words,
        num_instances=st.none() | st.integers(1, 10**9),
        region=st.none() | words,
        max_price_per_hour=st.none() | words,
        budget=st.none() | words,
        time=st.none() | words,
        env=st.lists(st.tuples(words, words), max_size=3).map(tuple),
        project=st.none() | words,
        ssh_keys=st.lists(words, max_size=3).map(tuple),
        priority=st.none() | words,
    )
)
def test_any_flags_compile_or_are_refused(flags: Flags) -> None:
    judge(Source("job.sbatch", "#!/bin/bash\n#SBATCH --gpus=1 --time=10\ntrue\n"), Inputs(flags=flags))


@pytest.mark.parametrize("target", ["ast", "ir", "plan", "script", "cloud-init"])
@given(data=mutated())
def test_every_target_is_total(target: str, data: bytes) -> None:
    result = flowc.compile(data, emit=target)
    assert result.failed or result.artifacts[0].text.endswith("\n")
