"""Flags of earlier tools: each row of the table is taken, with a note, and does what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from flowc.cli.arguments import UsageError, Words, parse
from flowc.cli.commands import all_commands
from flowc.cli.commands.check import COMMAND as CHECK
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.cli.old_spellings import TABLE, Old
from flowc.inputs import Inputs
from flowc.source import Source
from tests.cli.conftest import GOOD, Outcome

ROWS = [(old, name) for old in TABLE for name in old.names]


def told(*words: str) -> Inputs:
    argv = ["compile", *words]
    return gather(parse(COMPILE, argv[1:]), argv, {})


def written(old: Old, name: str) -> list[str]:
    """A flag as a user would have written it."""
    return [name, old.only or (old.choices[0] if old.choices else "7")] if old.metavar else [name]


@pytest.mark.parametrize(("old", "name"), ROWS, ids=lambda each: each if isinstance(each, str) else "")
def test_old_flag_is_taken_with_one_note(old: Old, name: str) -> None:
    inputs = told("job", *written(old, name))
    result = driver.compile(Source("job.sbatch", GOOD), inputs, emit="ir")
    notes = [each for each in result.diagnostics if each.code.id in ("FC410", "FC411", "FC412")]
    assert [each.span.text for each in notes if each.span] == [name]
    has = old.option in {option.name for option in COMPILE.options}
    expected = "FC412" if old.field else "FC410" if has else "FC411"
    assert notes[0].code.id == expected
    assert not result.failed


@pytest.mark.parametrize(("old", "name"), ROWS, ids=lambda each: each if isinstance(each, str) else "")
def test_old_flag_stays_out_of_sight_and_hides_nothing(old: Old, name: str) -> None:
    known = {each for option in (*COMPILE.options, *CHECK.options) for each in (option.name, option.short)}
    assert name not in known or old.only is not None
    assert old.field or old.why or old.option in known
    assert sum(old is not None for old in (old.option, old.field)) <= 1


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["-k", "a", "--ssh-keys=b,c"], "ssh_keys", ("a", "b", "c")),
        (["-pHIGH"], "priority", "HIGH"),
        (["--project-name", "p"], "project", "p"),
        (["--ssh-key-name", "k"], "ssh_keys", ("k",)),
        (["--task-name", "t"], "name", "t"),
        (["--gpu", "h100:8"], "instance_type", "h100:8"),
        (["--no-unique"], "fields", (("unique_name", "false"),)),
        (["--no-unique", "--force-new"], "fields", (("unique_name", "true"),)),
        (["--on-name-conflict", "suffix"], "fields", (("unique_name", "true"),)),
        (["--distributed=manual", "--k8s", "x"], "fields", (("distributed_mode", "manual"), ("k8s", "x"))),
    ],
)
def test_old_flag_means_what_it_meant(words: list[str], field: str, value: object) -> None:
    inputs = told(*words)
    assert getattr(inputs.flags, field) == value
    assert len(inputs.old_spellings) == len([word for word in words if word.startswith("-")])


def test_fields_have_their_places() -> None:
    inputs = told("job", "--k8s", "blue", "--upload-code", "--upload-timeout=90")
    assert inputs.flags.fields == (("k8s", "blue"), ("upload_code", "true"), ("upload_timeout", "90"))
    assert [inputs.span("fields", index).text for index in range(3)] == ["blue", "--upload-code", "90"]  # type: ignore[union-attr]


def test_letters_may_stand_together() -> None:
    inputs = told("-dyvwk", "laptop", "job")
    assert inputs.flags.ssh_keys == ("laptop",)
    assert [old.spelling for old in inputs.old_spellings] == ["-d", "-y", "-v", "-w", "-k"]


def test_slurm_and_json_choose_format() -> None:
    assert parse(COMPILE, ["--slurm", "job"]).text("from") == "slurm"
    assert parse(CHECK, ["--json", "job"]).text("format") == "json"
    assert parse(CHECK, ["--format", "table", "job"]).text("format") is None


@pytest.mark.parametrize(
    ("argv", "message", "help"),
    [
        (["-p", "gpu"], "`-p` does not know `gpu`", "sbatch's own options follow `--`"),
        (["--k8s"], "`--k8s` needs a value", "--k8s CLUSTER"),
        (["--no-wait=1"], "`--no-wait` takes no value, found `1`", "write `--no-wait` alone"),
        (["--on-name-conflict", "ask"], "unknown option `--on-name-conflict`", ""),
        (["--format", "json"], "unknown option `--format` of `flowc compile`", ""),
        (["--ssh-kyes", "a"], "unknown option `--ssh-kyes`", "did you mean `--ssh-key`?"),
    ],
)
def test_old_flag_used_wrongly_is_wrong_usage(argv: list[str], message: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(COMPILE, argv)
    assert caught.value.message.startswith(message)
    assert help in caught.value.help


def test_other_commands_never_had_them() -> None:
    for command in all_commands():
        if not command.foreign and not command.whole:
            with pytest.raises(UsageError):
                parse(command, ["--no-wait"])


def test_note_is_shown(flowc: Callable[..., Outcome], job: Path) -> None:
    done = flowc("compile", job.name, "-k", "laptop", "--wait")
    assert done.status == 0
    assert "note[FC410] old-spelling: `-k` is an old spelling of `--ssh-key`" in done.err
    assert "note[FC411] flag-without-effect: `--wait` does nothing here" in done.err


def test_words_of_a_plain_command_line_hold_none() -> None:
    words: Words = parse(COMPILE, ["job", "--strict"])
    assert (words.old, words.fields) == ((), {})
