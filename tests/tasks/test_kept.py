"""What is kept of tasks that have ended, and its end."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flowc.providers.base import RUNNING
from flowc.submit.ending import End, Endings
from tests.machines.ordinary import until
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


@pytest.mark.slow
def test_what_a_job_has_said_is_brought_before_it_is_cancelled(cloud: Cloud) -> None:
    person = cloud.person
    (living,) = person.types("submit", person.job("echo so far; sleep 600\n", "living.sbatch")).stdout.split()
    (over,) = person.types("submit", person.job("echo all; exit 3\n", "over.sbatch")).stdout.split()
    (hasty,) = person.types("submit", person.job("echo lost; sleep 600\n", "hasty.sbatch")).stdout.split()
    for name, text in ((living, "so far\n"), (over, "all\n"), (hasty, "lost\n")):
        until(lambda name=name, text=text: text in person.types("logs", name).stdout, "its output")  # type: ignore[misc]
    until(lambda: '"FAILED"' in person.types("ssh", over, "cat /var/lib/foundry/flowc/status.json").stdout, "its end")
    done = person.types("cancel", living, over)
    assert done.returncode == 0
    assert f"{living}: ended, nothing more is paid for it\n" in done.stderr
    assert f"{over}: failed, exit status 3; nothing more is paid\n" in done.stderr
    assert person.types("cancel", "--now", hasty).returncode == 0
    assert cloud.living() == []
    assert [person.types("wait", name).returncode for name in (living, over, hasty)] == [130, 3, 130]
    assert [person.types("logs", name).stdout for name in (living, over, hasty)] == ["so far\n", "all\n", ""]
    assert "cancelled" in person.types("status", living).stdout


def test_what_has_ended_is_not_said_to_be_paid(cloud: Cloud) -> None:
    person = cloud.person
    words = ("submit", person.job("true\n"), "--idempotency-key", "K")
    (name,) = person.types(*words).stdout.split()
    assert person.types("wait", name).returncode == 0
    again = person.types(*words)
    assert (again.returncode, again.stdout) == (0, f"{name}\n")
    assert again.stderr.splitlines()[-1] == "flowc: all of it has ended: nothing more is paid"


def test_a_machine_that_does_not_answer_does_not_keep_the_bill_running(tmp_path: Path) -> None:
    """Of the others it is known how their jobs are; those that ended by themselves have their own end."""
    answers = threading.Event()
    statuses = {"b0": b'{"state": "RUNNING"}', "b1": b"", "b2": b'{"state": "FAILED", "exit_code": 3}'}

    def read(task: Any, machine: Any, path: str, *, offset: int) -> bytes:
        if task.name == "b1":
            answers.wait()
        return statuses[task.name]

    nothing = SimpleNamespace(mark=None, rest=lambda: None)
    provider: Any = SimpleNamespace(keeps_tasks=False, read=read, follow=lambda *_: nothing)
    machine = SimpleNamespace(identity="m", address="a")
    pairs: Any = [
        (
            SimpleNamespace(name=name, key="k", ended=None),
            SimpleNamespace(name=name, state=RUNNING, machines=(machine,)),
        )
        for name in statuses
    ]
    journal: Any = None
    endings = Endings(journal, provider, folder=str(tmp_path), now=time.time)
    assert "b1" not in endings.last_words(pairs, within_s=0.01)
    answers.set()
    found = endings.last_words(pairs, within_s=300)
    assert found == {"b0": None, "b1": None, "b2": End(state="failed", reason=None, exit_status=3)}
