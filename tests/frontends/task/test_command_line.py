"""The command line as a job of its own."""

from __future__ import annotations

import pytest

from flowc.ir.job import Run
from tests.frontends.task.cases import of_command


def test_the_command_is_the_job() -> None:
    unit, sink = of_command("python train.py")
    assert unit.job.run == Run(kind="shell", text="python train.py")
    assert (unit.job.name, unit.job.resources.nodes) == ("flow-task", 1)
    assert unit.job.source.frontend == "command-line"
    assert sink.diagnostics == []  # which machine is for the passes to choose


@pytest.mark.parametrize(
    ("command", "word", "shown"),
    [
        ("python train.py", "train", "train"),
        ("nvidia-smi", "smi", "smi"),
        ("echo 'a'", "a", "a"),
        ("a='b' c", "b' c", "b'\\'' c"),
    ],
)
def test_text_is_found_in_the_arguments(command: str, word: str, shown: str) -> None:
    unit, _ = of_command(command)
    start = command.index(word)
    span = unit.text_span(start, start + len(word))
    assert span is not None
    assert span.text == shown


def test_flags_make_no_other_source_of_it() -> None:
    first, second = (of_command("make", sets=sets)[0] for sets in ((), (("min_cpus", "4"),)))
    assert first.job.source.sha256 == second.job.source.sha256


def test_fields_of_a_task_are_set_by_flags() -> None:
    unit, sink = of_command(
        "nvidia-smi", sets=(("env.A", "b"), ("ports", "[8080]")), fields=(("unique_name", "false"),)
    )
    assert sink.diagnostics == []
    assert unit.job.env == (("A", "b"),)
    assert [each.input for each in unit.job.outcome] == ["command", "env", "ports", "unique_name"]


def test_values_that_can_only_be_texts_need_no_quotes() -> None:
    unit, sink = of_command("make", sets=(("name", "9"), ("env.A", "1"), ("num_instances", "2")))
    assert sink.diagnostics == []
    assert (unit.job.name, unit.job.env, unit.job.resources.nodes) == ("9", (("A", "1"),), 2)
