"""What a terminal shows while much output is brought."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.remote.server import Sshd
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
# Brings a file as `flowc logs` does, and tells from the beginning.
PROGRAM = """
import os
import sys
from flowc.cli import terminal
from flowc.cli.tasks import progress
from flowc.providers.mithril.following import Following
from flowc.remote.link import Link
from flowc.remote.ssh import place_of
from flowc.remote.tail import Mark, Tail
from flowc.tasks.output import Output

progress._AFTER_S = progress._EVERY_S = 0.0
address, keys, key, path = sys.argv[1:]


class Provider:
    keeps_tasks = False

    def follow(self, task, machine, _, take, *, mark=None, status=None, told=None):
        link = Link(place_of(address, keys, identities=(key,)), environ=os.environ)
        return Following(link, Tail(path, take, mark=mark or Mark()))


class Here:
    name = identity = "x"
    machines_wanted = 1
    address = address
    machines = ()


here = Here()
here.machines = (here,)
"""
SHOWN = """
def write(data):
    terminal.write_bytes(data)
    far.step()


output = Output(write, several=False)
far = progress.Progress(output.far)
output.all(Provider(), here, here)
far.clear()
"""
# What `flowc wait` does at the end of a job.
BROUGHT = """
from flowc.cli.arguments import parse
from flowc.cli.commands.wait import COMMAND
from flowc.cli.tasks.world import World
from flowc.submit.ending import Endings

endings = Endings(None, Provider(), folder="", now=None, coming=World(parse(COMMAND, [])).coming)
endings._bring(here, here, path, path + ".here", always=True)
"""


def run(program: str, sshd: Sshd, folder: Path, out: Path | None) -> bytes:
    """What the terminal shows while a file of 5 MB is brought; standard output goes to `out`, or there too."""
    (folder / "log").write_bytes(b"line\n" * 1_000_000)
    ours, its = pty.openpty()
    words = [sshd.address, str(folder / "hosts"), str(sshd.key), str(folder / "log")]
    with ExitStack() as files:
        stdout = files.enter_context(out.open("wb")) if out is not None else its
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", PROGRAM + program, *words], cwd=ROOT, stdout=stdout, stderr=its
        )
    os.close(its)
    seen = b""
    try:
        while data := os.read(ours, 65536):
            seen += data
    except OSError:
        os.close(ours)
    assert process.wait() == 0, seen
    return seen


# Of a program that shows two lines, with a pause before the second and within the first.
QUIET = """
import sys, time
from flowc.cli import terminal
from flowc.cli.tasks import progress

progress._QUIET_S = 0.2
with progress.Idle() as idle:
    write, tell = idle.around(terminal.write_bytes), idle.around(lambda text: sys.stderr.write(text))
    write(b"one, ")
    time.sleep(1)
    write(b"whole\\n")
    while not idle._shown:
        time.sleep(0.01)
    tell("told\\n")
    while not idle._shown:
        time.sleep(0.01)
"""


@pytest.mark.parametrize("where", some(["a terminal", "a file", "nowhere"], "a terminal", "nowhere"))
def test_that_nothing_comes_is_said_where_no_line_stands_half(tmp_path: Path, where: str) -> None:
    ours, its = pty.openpty()
    program = QUIET.replace("while not idle._shown", "for _ in range(50)") if where == "nowhere" else QUIET
    with (tmp_path / "out").open("wb") as out:
        error = subprocess.PIPE if where == "nowhere" else its
        words = [sys.executable, "-B", "-c", program]
        process = subprocess.Popen(words, cwd=ROOT, stdout=its if where == "a terminal" else out, stderr=error)
        os.close(its)
        seen = b""
        with suppress(OSError):  # as the end of a terminal is told
            while data := os.read(ours, 65536):
                seen += data
        os.close(ours)
        said = process.communicate()[1]
    assert process.returncode == 0, said
    if where == "nowhere":
        assert said == b"told\n"
        return
    shown = re.sub(rb"nothing new for [0-9]+ s\r\x1b\[K", b"#", seen)
    shown = re.sub(rb"#+", b"#", shown)
    # Into a file goes what is shown: no line of the terminal is half then.
    assert shown == (b"one, whole\r\n#told\r\n#" if where == "a terminal" else b"#told\r\n#")


def test_how_far_it_is_is_shown_on_a_terminal_that_shows_nothing_else(sshd: Sshd, tmp_path: Path) -> None:
    assert b" of 5 MiB" not in run(SHOWN, sshd, tmp_path, None)
    seen = run(SHOWN, sshd, tmp_path, tmp_path / "out")
    assert b" of 5 MiB" in seen
    assert (tmp_path / "out").read_bytes() == b"line\n" * 1_000_000
    assert seen.endswith(b"\r\x1b[K")


def test_how_far_it_is_with_output_that_is_only_kept(sshd: Sshd, tmp_path: Path) -> None:
    seen = run(BROUGHT, sshd, tmp_path, None)
    assert b" of 5 MiB" in seen
    assert seen.endswith(b"\r\x1b[K")
    assert (tmp_path / "log.here").read_bytes() == b"line\n" * 1_000_000
