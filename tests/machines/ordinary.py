"""An ordinary user for tests: whoever runs them, or `nobody` where that is root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def as_ordinary_user() -> dict[str, object]:
    """Options of `subprocess` that make its child one."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


@cache
def python() -> str:
    """A Python that the user may run; skips the test where there is none, or where namespaces are refused."""
    if shutil.which("unshare") is None:
        pytest.skip("needs the Debian package util-linux")
    for program in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [program, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
                cwd="/",
                check=False,
                **as_ordinary_user(),  # type: ignore[call-overload]
            )
        except OSError:
            continue
        if done.returncode == 0:
            break
    else:
        pytest.skip("needs the Debian package python3 (3.11 or newer) for the user nobody")
    words = ["unshare", "-Urmpf", "--mount-proc", "true"]
    if subprocess.run(words, check=False, capture_output=True, cwd="/", **as_ordinary_user()).returncode:  # type: ignore[call-overload]
        pytest.skip("user namespaces are refused here")
    return program


def folder_of_the_user() -> Iterator[str]:
    """A folder that belongs to the user, as a fixture. What a test has left running in it, as one that fails does, ends
    with it."""
    from flowc.machines.disk import remove

    path = tempfile.mkdtemp(prefix="flowc-test-")
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    yield path
    until(lambda: not end_of(path), "the end of what a test has left running")
    remove(path)


def end_of(folder: str) -> list[str]:
    """As `left_of`; all of these are killed."""
    found = left_of(folder)
    for each in found:
        with suppress(ProcessLookupError):
            os.kill(int(each.partition(" ")[0]), signal.SIGKILL)
    return found


def left_of(folder: str) -> list[str]:
    """Processes of this computer that have a mount, a working directory, a root or an open file below a folder: their
    numbers and words."""
    found = []
    for process in os.listdir("/proc"):
        if not process.isdigit() or int(process) == os.getpid():
            continue
        try:
            places = [os.readlink(f"/proc/{process}/{name}") for name in ("cwd", "root")]
            places += [os.readlink(f"/proc/{process}/fd/{fd}") for fd in os.listdir(f"/proc/{process}/fd")]
            with open(f"/proc/{process}/mountinfo") as file:
                places += [line.split()[3] for line in file]
        except OSError:
            continue
        if any(place.startswith(folder) for place in places):
            with suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as file:
                found.append(f"{process} {file.read()!r}")
    return found


def until(condition: Callable[[], object], what: str) -> None:
    """Waits for something that is to happen; a machine under load may take its time."""
    import time

    end = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < end, f"waited for: {what}"
        time.sleep(0.02)
