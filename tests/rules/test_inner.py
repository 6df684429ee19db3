"""What is said of a text within a text stands where the user wrote it, whatever is around it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import flowc
from flowc.diag.sink import Sink
from flowc.frontends.skypilot import FRONTEND
from flowc.inputs import Flags, Inputs
from flowc.ir.unit import Unit
from flowc.rules.base import parts, texts
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=10\n"


def marked(source: Source, inputs: Inputs) -> list[tuple[str, str]]:
    """Line, column and marked text of what is said of modules and of words for Slurm."""
    return [
        (":".join(map(str, each.span.source.position(each.span.start))), each.span.text)
        for each in flowc.check(source, inputs).diagnostics
        if each.code.name in ("module-missing", "slurm-word-not-taken") and each.span is not None
    ]


SCRIPTS = {
    "srun bash -c 'true\nmodule load star'\n": [("4:13", "star")],
    'bash -c "echo \\"\\$x\\"; module load star"\n': [("3:36", "star")],
    "bash <<-END\n\t\tmodule load star\n\tEND\n": [("4:15", "star")],
    "bash <<-'END'\n\tbash -c \"squeue --bogus\"\n\tEND\n": [("4:18", "--bogus")],
    'bash <<-END\n\tbash -c "true \\\\\n\\$x; module load star"\n\tEND\n': [("5:18", "star")],
    "module load star\nbash -c 'module load star blast'\n": [("3:13", "star"), ("4:27", "blast")],
    "squeue --bogus\nbash -c 'squeue --bogus'\n": [("3:8", "--bogus")],
    "ssh host bash -c 'module load star'\n": [],
}


@pytest.mark.parametrize("body", SCRIPTS)
def test_in_scripts(body: str) -> None:
    assert marked(Source("job.sbatch", HEAD + body), Inputs(flags=Flags(budget="99"))) == SCRIPTS[body]


def test_on_the_command_line() -> None:
    args = ("--gpus-per-node=h100:8", "--time=10", "--wrap=bash -c 'module load star'")
    (found,) = flowc.check(Source("<wrap>", ""), Inputs(args=args)).diagnostics[:1]
    assert found.span is not None
    assert (found.code.name, found.span.text) == ("module-missing", "star")


@pytest.mark.parametrize(
    ("run", "place"),
    [
        ("|\n  bash <<-E\n  \tbash -c 'x; module load star'\n  E\n", "4:28"),
        (">\n  bash -c 'x;\n  module load\n  star'\n", "5:3"),
        ("\"bash -c 'module load \\\\\\n star'\"\n", "2:33"),
        ("'bash -c ''module load star'''\n", "2:29"),
    ],
)
def test_in_yaml(run: str, place: str) -> None:
    source = Source("job.yaml", "resources: {accelerators: 'H100:8'}\nrun: " + run)
    found = [each for each in marked(source, Inputs()) if each[1] == "star"]
    assert found == [(place, "star")]


def test_what_the_text_around_it_brings_is_not_missing() -> None:
    for body, missing in (
        ("bash -c 'nvcc a.cu; sattach'\n", ["sattach"]),
        ("sattach() { :; }\nexport -f sattach\nbash -c 'sattach'\n", []),
        ("sattach\nbash -c 'sattach'\n", ["sattach"]),
        ("command -v sattach && bash -c 'sattach'\n", []),
    ):
        found = flowc.check(Source("job.sbatch", HEAD + body), Inputs(flags=Flags(budget="99"))).diagnostics
        assert [each.span.text for each in found if each.code.name == "command-missing" and each.span] == missing


INNER = st.lists(
    st.sampled_from(("a", "b c", " ", "\n", "'", '"', "\\", "$x", "$(y)", "`z`", "#", ": ", "é", "-")), max_size=12
).map(lambda some: "x" + "".join(some) + "z")


# What may stand for a character beside itself: its escapes in one text and another, folds of lines.
FOLDS = {*" \n\t\\"}
ESCAPES = {sign: {*FOLDS, "n", "t"} if sign.isspace() else {*FOLDS, sign, "'"} for sign in " \n\t\\\"$`'"}


def _word(text: str, double: bool) -> str:
    if not double:
        return "'" + text.replace("'", "'\\''") + "'"
    return '"' + "".join("\\" + sign if sign in '\\"$`' else sign for sign in text) + '"'


def _document(text: str, quoted: bool) -> str:
    """A here-document of tabs and lines; where its word is not quoted, what the shell would put in is escaped."""
    text = text if quoted else "".join("\\" + sign if sign in "\\$`" else sign for sign in text)
    lines = "".join(f"\t\t{line}\n" for line in text.split("\n"))
    return f"true\nif :; then\n\tbash <<-{chr(39) * quoted}END{chr(39) * quoted}\n{lines}\tEND\nfi\n"


@given(INNER, st.booleans(), st.booleans(), st.sampled_from(("", "'", '"', "|", ">")), st.sampled_from((20, 80)))
def test_each_character_has_its_place(text: str, double: bool, quoted: bool, style: str, width: int) -> None:
    """A text for `bash -c` in a here-document in a scalar of YAML."""
    script = _document(f"srun bash -c {_word(text, double)} y", quoted)
    written = yaml.dump({"run": script}, default_style=style, width=width, allow_unicode=True)
    source, sink = Source("job.yaml", "resources: {accelerators: 'H100:8'}\n" + written), Sink()
    unit = FRONTEND.lower(FRONTEND.read(source, Inputs(), sink), Inputs(), sink)[0]
    found = [part for each in texts(unit) for part in parts(each)]
    assert [part.job.run.text for part in found[2:]] == [text]
    for part in found:
        _same(part, source)


def _same(unit: Unit, source: Source) -> None:
    """Each character stands where it is said to stand, alone or with its escapes; none before the one before it."""
    last = 0
    for index, sign in enumerate(unit.job.run.text or ""):
        span = unit.text_span(index, index + 1)
        assert span is not None
        assert span.source is source
        assert span.text == sign or set(span.text) <= ESCAPES.get(sign, set())
        assert span.start >= last
        last = span.start
