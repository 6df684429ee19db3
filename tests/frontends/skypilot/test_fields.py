"""SkyPilot's fields: each is decided and has its effect, none is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from flowc import driver
from flowc._compiled.skypilot_fields import TYPES
from flowc.inputs import Inputs
from flowc.source import Source
from flowc.yamldoc.ledger import undecided
from tests.frontends.skypilot.examples import BASE, ELSEWHERE, EXAMPLES, LISTED, with_value


def ir(task: Any) -> dict[str, Any]:
    text = task if isinstance(task, str) else yaml.safe_dump(task, sort_keys=False)
    result = driver.compile(Source("job.yaml", text), Inputs(), emit="ir", frontend="skypilot")
    assert [each.message for each in result.diagnostics if each.severity == "error"] == []
    (job,) = json.loads(result.artifacts[0].text)["jobs"]
    return {key: value for key, value in job.items() if key not in ("source", "outcome")}


def outcome(task: dict[str, Any]) -> dict[str, str]:
    text = yaml.safe_dump(task, sort_keys=False)
    result = driver.compile(Source("job.yaml", text), Inputs(), emit="ir", frontend="skypilot")
    return {each["input"]: each["action"] for each in json.loads(result.artifacts[0].text)["jobs"][0]["outcome"]}


def test_every_field_is_decided() -> None:
    assert undecided(TYPES) == []


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_field_has_a_row(name: str) -> None:
    assert set(LISTED[name].split()) <= set(TYPES[name])


def test_every_row_with_an_effect_has_an_example() -> None:
    rows = {
        f"{name}.{key}"
        for name, fields in TYPES.items()
        for key, field in fields.items()
        if field.get("action") in ("lowered", "approximated")
    }
    assert rows - ELSEWHERE <= set(EXAMPLES)


@pytest.mark.parametrize("row", EXAMPLES)
def test_field_has_its_effect(row: str) -> None:
    path, value, more = EXAMPLES[row]
    assert ir(with_value(path, value, more)) != ir({**BASE, **more})


@pytest.mark.parametrize("row", EXAMPLES)
def test_field_has_an_outcome(row: str) -> None:
    path, value, more = EXAMPLES[row]
    found = outcome(with_value(path, value, more))
    assert any(each.startswith(path) or path.startswith(each) for each in found), found


def test_keys_inside_a_mapping_have_outcomes_of_their_own() -> None:
    task = {
        **BASE,
        "resources": {"accelerators": "H100:8", "autostop": {"idle_minutes": 5, "down": True, "wait_for": "jobs"}},
        "file_mounts": {
            "/a": {"source": "s3://b", "config": {"mount_cached": {"transfers": 4}}},
            "/b": "s3://b",
        },
        "volumes": {"/c": {"size": "1GB", "labels": {"a": "b"}}},
        "workdir": ".",
    }
    assert outcome(task) == {
        "name": "lowered",
        "resources.accelerators": "lowered",
        "resources.autostop.idle_minutes": "approximated",
        "resources.autostop.down": "lowered",
        "resources.autostop.wait_for": "ignored",
        "run": "lowered",
        "file_mounts./a.source": "lowered",
        "file_mounts./a.config": "approximated",
        "file_mounts./b": "lowered",
        "volumes./c.size": "lowered",
        "volumes./c.labels": "ignored",
        "workdir": "lowered",
    }


@pytest.mark.parametrize("keys", [{"down": False}, {"idle_minutes": 5}, {"idle_minutes": 5, "down": False}])
def test_an_idle_machine_that_would_be_stopped_is_given_back(keys: dict[str, Any]) -> None:
    task = {**BASE, "resources": {"autostop": {**keys, "hook": "true"}}}
    found = outcome(task)
    assert {found[f"resources.autostop.{key}"] for key in keys} == {"approximated"}
    assert found["resources.autostop.hook"] == "ignored"
