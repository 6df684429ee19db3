"""The table of diagnostics: well-formed, documented, and each example does what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from flowc.cli import sources
from flowc.cli.arguments import parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.diag.code import Code
from flowc.diag.codes import table
from flowc.diag.sink import Diagnostic, Sink
from flowc.profile import load
from flowc.profile.unused import report_unused

ROOT = Path(__file__).resolve().parents[2]
CODES = table.all_codes()
# A name must read well after "allow", so it names the problem and not the cure.
CURES = ("avoid", "prefer", "use", "do", "always", "never", "no", "missing-check")

# What is written with a capital wherever it stands.
NAMES = ("Slurm", "GPU", "GPUs", "CPU", "CPUs", "PBS")


# What the settings say where a finding is about their policy.
POLICIES = {
    "policy-exceeded": {"FLOW_POLICY_PER_JOB": "10"},
    "policy-unbounded": {"FLOW_POLICY_PER_JOB": "10"},
    "policy-machine": {"FLOW_POLICY_REGIONS": "us-central2-a"},
}


def found(code: Code, example: tuple[str, tuple[str, ...]], folder: Path) -> list[Diagnostic]:
    """What flowc says about an example, as `flowc compile PATH ARGS…` would, and `check` of comments that hide
    nothing and of lines that nobody uses."""
    text, args = example
    argv = ["compile", code.path, *args]
    words = parse(COMPILE, argv[1:])
    environ = POLICIES.get(code.name, {})
    if code.name == "catalog-copy-damaged" and example == code.examples[0]:
        (folder / "flowc").mkdir()
        (folder / "flowc" / "catalog.json").write_text("{")
        environ = {"XDG_STATE_HOME": str(folder)}
    inputs = gather(words, argv, environ)
    (folder / code.path).write_bytes(text.encode("utf-8", "surrogateescape"))
    diagnostics: list[Diagnostic] = []
    for operand in words.operands:
        source = sources.read(str(folder / operand))
        if isinstance(source, Diagnostic):
            diagnostics.append(source)
            continue
        frontend = words.text("from")
        result = driver.compile(
            source, inputs, emit=words.text("emit") or "mithril", frontend=frontend, strict=words.flag("strict")
        )
        diagnostics += result.diagnostics
        if code.name == "unused-ignore":
            diagnostics += driver.check(source, inputs).diagnostics
        if code.name == "unused-profile-line":  # said when all files of a folder have been checked
            sink = Sink()
            profile = load(inputs.profile or "", sink)
            assert profile is not None
            report_unused(profile, driver.check(source, inputs).used, 1, sink)
            diagnostics += sink.diagnostics
    return diagnostics


def by_id(code: Code) -> str:
    return f"{code.id}-{code.name}"


@pytest.mark.parametrize("code", CODES, ids=by_id)
def test_bad_example_yields_exactly_this_code(code: Code, tmp_path: Path) -> None:
    """No other warning or error, that is: a note on what else becomes of the example may stand beside it."""
    diagnostics = found(code, code.examples[0], tmp_path)
    assert {each.code.id for each in diagnostics if each.severity != "note" or each.code is code} == {code.id}


@pytest.mark.parametrize("code", CODES, ids=by_id)
def test_good_example_does_not_yield_it(code: Code, tmp_path: Path) -> None:
    diagnostics = found(code, code.examples[1], tmp_path)
    assert code.id not in {each.code.id for each in diagnostics}
    assert [each.message for each in diagnostics if each.severity == "error"] == []


def test_codes_are_well_formed() -> None:
    for code in CODES:
        assert re.fullmatch(r"FC\d{3}", code.id), code.id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code.name), code.id
        assert code.name.split("-")[0] not in CURES, code.id
        assert code.severity in ("error", "warning", "note"), code.id
        assert not code.title.endswith("."), code.id
        assert not code.title[0].isupper() or code.title.split()[0] in NAMES, code.id
        assert code.title.count("`") % 2 == 0, code.id


def test_codes_are_explained() -> None:
    for code in CODES:
        lines = code.explain.strip().splitlines()
        assert 2 <= len(lines) <= 12, code.id
        assert "" in lines, f"{code.id}: why it matters and what to do instead are two paragraphs"


def test_ids_and_names_are_unique() -> None:
    assert len({code.id for code in CODES}) == len(CODES)
    assert len({code.name for code in CODES}) == len(CODES)


def test_constants_are_called_by_their_names() -> None:
    for module in table.modules():
        for constant, value in vars(module).items():
            if isinstance(value, Code):
                assert constant == value.name.upper().replace("-", "_")


def test_every_code_is_reported_somewhere() -> None:
    text = "".join(path.read_text() for path in (ROOT / "flowc").rglob("*.py") if "codes" not in path.parts)
    unused = [code.id for code in CODES if code.name.upper().replace("-", "_") not in text]
    assert unused == []


def test_manual_is_the_committed_one(
    golden: Callable[[Path, str], None], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    from flowc.cli import main

    assert main(["explain", "--all"]) == 0
    golden(ROOT / "docs" / "diagnostics.md", capsysbinary.readouterr().out.decode())
