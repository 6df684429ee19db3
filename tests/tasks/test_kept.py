"""What is kept of tasks that have ended, and its end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.tasks.conftest import Cloud, Person


def kept(person: Person) -> list[Path]:
    return sorted((person.home / ".local/state/flowc/output").rglob("*.*"))


def submitted(person: Person, text: str, name: str) -> str:
    done = person.types("submit", person.job(text, name), "--wait")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


@pytest.mark.slow
def test_output_stays_until_somebody_removes_it(cloud: Cloud) -> None:
    person = cloud.person
    first, second = (submitted(person, f"echo {name}\n", f"{name}.sbatch") for name in ("old", "new"))
    assert [path.name for path in kept(person)] in (
        [f"{first}.0.log", f"{second}.0.log"],
        [f"{second}.0.log", f"{first}.0.log"],
    )
    (old,) = [path for path in kept(person) if path.name.startswith(first)]
    long_ago = time.time() - 40 * 86400
    os.utime(old, (long_ago, long_ago))
    done = person.types("logs", "--remove", "--older", "30")
    assert (done.returncode, done.stderr) == (0, "flowc: removed: what was kept of 1 task, 4 bytes\n")
    assert [path.name for path in kept(person)] == [f"{second}.0.log"]
    assert not old.parent.exists()
    assert person.types("logs", second).stdout == "new\n"
    gone = person.types("logs", first)
    assert (gone.stdout, "nothing of its output is kept here" in gone.stderr) == ("", True)
    assert person.types("logs", "--remove", second).returncode == 0
    assert kept(person) == []
    assert "removed: what was kept of 0 tasks" in person.types("logs", "--remove", "--older", "1").stderr


def test_what_has_not_ended_keeps_what_it_has(cloud: Cloud) -> None:
    person = cloud.person
    (name,) = person.types("submit", person.job("sleep 600\n")).stdout.split()
    done = person.types("logs", "--remove", name)
    assert (done.returncode, f"{name} has not ended" in done.stderr) == (2, True)
    assert person.types("logs", "--remove").returncode == 2
    assert person.types("logs", "--older", "3", name).returncode == 2
    assert person.types("logs", "--remove", "--follow", name).returncode == 2
    person.types("cancel", name)
    again = person.types("cancel", name)
    assert (again.returncode, f"{name}: had ended before: cancelled" in again.stderr) == (0, True)
