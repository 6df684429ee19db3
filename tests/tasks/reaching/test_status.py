"""What `flowc status` says of a job, as its machines tell it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.machines.ordinary import until
from tests.tasks.conftest import Cloud, Person
from tests.tasks.reaching.test_ssh import command_lines


def of_job(person: Person, name: str, **environ: str) -> dict[str, Any]:
    (task,) = json.loads(person.types("status", "--format", "json", name, **environ).stdout)["tasks"]
    found: dict[str, Any] = task["job"] or {}
    return found


@pytest.mark.slow
def test_a_job_that_waits_for_what_only_we_can_bring(cloud: Cloud) -> None:
    person, value = cloud.person, "hf_broughttwice"
    (name,) = person.types("submit", person.job("sleep 1000\n"), "--secret", "TOKEN", TOKEN=value).stdout.split()
    until(lambda: of_job(person, name).get("state") == "RUNNING", "the job")
    first = of_job(person, name)
    assert (first["starts"], first["waits_for"]) == (1, [])
    assert "  its job runs" in person.types("status", name).stdout
    # What was in the machine's memory is gone with it.
    cloud.state.relocate(next(iter(cloud.state.bids.values())))
    until(lambda: of_job(person, name).get("waits_for"), "the other machine")
    assert of_job(person, name)["waits_for"] == ["the secret TOKEN"]
    done = person.types("status", name)
    assert f"{name}: running\n" in done.stdout
    assert "  its job waits for the secret TOKEN" in done.stdout
    assert "waits for TOKEN, which is not in this environment" in done.stderr
    assert of_job(person, name, TOKEN=value)["waits_for"] == []
    until(lambda: of_job(person, name).get("starts") == 2, "its second start")
    assert ", start 2" in person.types("status", name).stdout
    person.types("cancel", name)
    assert of_job(person, name) == {}


def test_who_waits_hears_of_the_end(cloud: Cloud) -> None:
    """By the machine, which says so at once: the next look may be a day away."""
    person = cloud.person
    (name,) = person.types(
        "submit", person.job("until [ -e /etc/enough ]; do sleep 0.1; done; exit 4\n")
    ).stdout.split()
    until(lambda: of_job(person, name).get("state") == "RUNNING", "the job")
    waiting = person.starts("wait", "--every", "100000", name)
    until(lambda: [each for each in command_lines() if b"\0/dev/null\0/var/lib/foundry/" in each], "who listens")
    for machine in list(cloud.machines.running.values()):
        machine.put("/etc/enough", "")
    out, said = waiting.communicate(timeout=600)
    assert (waiting.returncode, out) == (4, ""), said
    assert cloud.living() == []
