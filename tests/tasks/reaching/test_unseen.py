"""Commands whose standard output takes nothing, or is closed: what they did is told, and how it goes on."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flowc.tasks.output import Output
from tests.tasks.conftest import Person

LOCAL = ("--provider", "local")
HEAD = "#!/bin/bash\n#SBATCH --time=10\n"


def typed(here: Person, *words: str, into: int | str) -> tuple[int, str]:
    """The exit status and what is said, where output goes `into` a file, or a pipe that nobody reads."""
    stdout = os.open(into, os.O_WRONLY) if isinstance(into, str) else into
    done = subprocess.run(
        [*here.before, here.program, "-B", "-m", "flowc", *words],
        cwd=here.home,
        env=here.environ,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        **here.options,  # type: ignore[call-overload]
    )
    os.close(stdout)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    return done.returncode, done.stderr


def unread() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_output_that_could_not_be_shown_is_no_success(here: Person) -> None:
    status, said = typed(here, "run", "echo hello", *LOCAL, into="/dev/full")
    assert status == 125
    assert said.endswith("flowc: error: nothing can be written: no space left on device\n")
    assert "asks again" not in said
    name = re.findall(r"submitted as (\S+)\n", said)[0]
    assert here.types("wait", name).returncode == 0
    assert typed(here, "logs", name, into="/dev/full")[0] == 4
    assert typed(here, "logs", name, into=unread())[0] == 141
    assert typed(here, "logs", "-f", name, into="/dev/full")[0] == 125
    assert here.types("logs", name).stdout == "hello\n"


def test_a_job_goes_on_when_nobody_reads_it_any_more(here: Person) -> None:
    status, said = typed(here, "run", "echo hello; sleep 600", *LOCAL, into=unread())
    assert status == 141
    key = re.findall(r"the job goes on: `flowc logs -f (\S+)` shows it again, `flowc cancel (\S+)` ends it\n", said)
    assert len(key) == 1, said
    assert here.types("cancel", key[0][0]).returncode == 0


@pytest.mark.parametrize(("into", "expected"), [("/dev/full", 4), (None, 141)])
def test_a_submission_whose_names_cannot_be_shown_is_told(here: Person, into: str | None, expected: int) -> None:
    status, said = typed(here, "submit", here.job("sleep 600\n", head=HEAD), *LOCAL, into=into or unread())
    assert status == expected
    words = r"this could not be shown: (\S+) is placed\nflowc:   help: .* `flowc cancel (\S+)` ends it\n"
    told = re.findall(words, said)
    assert len(told) == 1, said
    assert here.types("cancel", told[0][1]).returncode == 0


def test_a_thread_that_cannot_show_what_comes_tells_who_waits() -> None:
    shown: list[bytes] = []

    def write(data: bytes) -> None:
        shown.append(data)
        raise OSError(28, "No space left on device")

    takes: list[Any] = []
    provider: Any = SimpleNamespace(
        keeps_tasks=False,
        follow=lambda task, machine, path, take, **_: takes.append(take) or SimpleNamespace(more=lambda: None),
    )
    machine = SimpleNamespace(identity="m", address="a")
    task: Any = SimpleNamespace(machines=(machine,), machines_wanted=1)
    bid: Any = SimpleNamespace(name="b", key="k")
    output = Output(write, several=False)
    output.more(provider, bid, task)
    for text in (b"one\n", b"two\n"):
        takes[0](text, False)
    assert shown == [b"one\n"]
    with pytest.raises(OSError, match="No space"):
        output.raise_broken()


def test_kept_output_is_read_no_further(tmp_path: Path) -> None:
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "b.0.log").write_bytes(b"x" * (3 << 20))
    shown: list[int] = []

    def write(data: bytes) -> None:
        shown.append(len(data))
        raise BrokenPipeError

    output = Output(write, several=False)
    bid: Any = SimpleNamespace(name="b", key="k")
    assert output.kept(str(tmp_path), bid)
    assert len(shown) == 1
    assert isinstance(output.broken, BrokenPipeError)
