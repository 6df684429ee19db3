"""What a terminal shows while much output is brought."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remote.server import Sshd

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

    def follow(self, task, machine, _, take, *, mark, status, told):
        link = Link(place_of(address, keys, identities=(key,)), environ=os.environ)
        return Following(link, Tail(path, take, mark=mark or Mark()))


class Here:
    name = identity = "x"
    machines_wanted = 1
    address = address
    machines = ()


here = Here()
here.machines = (here,)


def write(data):
    terminal.write_bytes(data)
    far.step()


output = Output(write, several=False)
far = progress.Progress(output.far)
output.all(Provider(), here, here)
far.clear()
"""


@pytest.mark.parametrize("redirected", [True, False])
def test_how_far_it_is_is_shown_on_a_terminal_that_shows_nothing_else(
    sshd: Sshd, tmp_path: Path, redirected: bool
) -> None:
    (tmp_path / "log").write_bytes(b"line\n" * 1_000_000)
    ours, its = pty.openpty()
    with (tmp_path / "out").open("wb") as out:
        words = [sshd.address, str(tmp_path / "hosts"), str(sshd.key), str(tmp_path / "log")]
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", PROGRAM, *words], cwd=ROOT, stdout=out if redirected else its, stderr=its
        )
    os.close(its)
    seen = b""
    try:
        while data := os.read(ours, 65536):
            seen += data
    except OSError:
        os.close(ours)
    assert process.wait() == 0
    assert (b" of 5 MiB" in seen) == redirected
    if redirected:
        assert (tmp_path / "out").read_bytes() == b"line\n" * 1_000_000
        assert seen.endswith(b"\r\x1b[K")
