"""Properties: a task that is right lowers without errors, and whatever comes in, the same comes out twice."""

from __future__ import annotations

import json

from hypothesis import given

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.frontends.task.cases import lowered
from tests.frontends.task.generator import mutated, tasks


@given(tasks())
def test_tasks_lower_without_errors(text: str) -> None:
    (unit,), sink = lowered(text)
    assert [each.message for each in sink.diagnostics if each.severity == "error"] == []
    document = json.loads(text)
    assert {each.input.partition(".")[0].partition("[")[0] for each in unit.job.outcome} == {
        key for key, value in document.items() if value not in ({}, []) or key in DECIDED
    }


# Keys that have an outcome of their own when they are empty.
DECIDED = ("env", "data", "ports", "runtime_files", "ssh_keys", "upload_code", "terminate_on_exit")


@given(mutated())
def test_mutations_never_crash_and_give_the_same_twice(data: bytes) -> None:
    first, second = (
        driver.compile(Source.from_bytes("job.yaml", data), Inputs(), emit="ir", frontend="task-yaml") for _ in range(2)
    )
    assert first.failed == any(each.severity == "error" for each in first.diagnostics)
    assert first.artifacts == second.artifacts
    assert [each.message for each in first.diagnostics] == [each.message for each in second.diagnostics]
