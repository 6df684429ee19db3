"""Runs the emitted runner here, without root: the script as unpacked on the machine, with a few commands
replaced."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowc.scripts import Startup

# The runner makes folders and a link outside its own.
PRELUDE = """\
mkdir() { :; }
ln() { :; }
sleep() { command sleep 0.2; }
"""
# How often it looks at the time: as the script has it, and here.
TICK, SHORT_TICK = b"\nwt=5\n", b"\nwt=0.2\n"
# An `env` that does not run the body: it writes down what it is told.
SHOW = """\
#!/bin/sh
printf '%s\\0' "$@" >"${0%/*}/../told"
"""


def install(startup: Startup, folder: Path, *, show: bool = False) -> None:
    (folder / "run").write_bytes(startup.payload.replace(TICK, SHORT_TICK))
    (folder / "prelude").write_text(PRELUDE)
    (folder / "bin").mkdir(exist_ok=True)
    if show:
        (folder / "bin" / "env").write_text(SHOW)
        (folder / "bin" / "env").chmod(0o755)
    (folder / "status.json").write_text("")


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The runner as the unit starts it."""
    environment = {
        "PATH": f"{folder}/bin:/usr/local/bin:/usr/bin:/bin",
        "BASH_ENV": str(folder / "prelude"),
        "LANG": "C.UTF-8",
    }
    return subprocess.Popen(
        ["/bin/bash", str(folder / "run"), "job"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )


def run(folder: Path) -> tuple[int, bytes]:
    """Exit status of the runner, and what it says on stderr."""
    process = start(folder)
    _, errors = process.communicate(timeout=600)
    return process.returncode, errors


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return found


def at_its_limit(folder: Path, install: Callable[[Path, int], None], end: Callable[[Path], object]) -> Path:
    """The folder of a job that had come to make its file `hears` when its limit came.

    Seconds are counted whole, so a limit of one may come at once, and on a busy machine the shell may then not have set
    its traps: such a job is tried again with more time.

    Raises:
        AssertionError: Not within a minute.
    """
    for limit in (1, 4, 16, 64):
        tried = folder / str(limit)
        tried.mkdir()
        install(tried, limit)
        end(tried)
        if (tried / "hears").exists():
            return tried
    raise AssertionError("no job came so far before its limit")
