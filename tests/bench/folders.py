"""What a folder costs that is on the machine already: `--code` of it beside `rsync -a`, over the same connection of ssh
to an sshd on loopback, one after the other in each round.

Measured are the time and the processor time of all that takes part, on both sides.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flowc.remote.link import Link
from flowc.remote.ssh import place_of
from flowc.trees import send as sending
from flowc.trees.walk import scan
from tests.remote.server import Sshd

FILES = 20_000
BAR = 2.0
# As sudo on a machine does: its own programs, whatever the user's shell finds.
SUDO = '#!/bin/sh\nshift\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin exec "$@"\n'
TICK = os.sysconf("SC_CLK_TCK")

Times = dict[str, list[tuple[float, float]]]


def measure(rounds: int) -> Times | None:
    """Name to time and processor time in seconds, of each round; None where there is no rsync or sshd."""
    if not (shutil.which("rsync") and shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")):
        return None
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        _make(base / "plain")
        _make(base / "tracked")
        subprocess.run(["git", "init", "-q", str(base / "tracked")], check=True)
        (base / "tracked" / ".gitignore").write_text("*.pyc\n/out/\n")
        subprocess.run(["git", "-C", str(base / "tracked"), "add", "."], check=True)
        (base / "ready").write_bytes(b"")
        server = Sshd(base / "sshd")
        (base / "sshd" / "bin" / "sudo").write_text(SUDO)
        environ = {"PATH": os.environ["PATH"], "HOME": name}
        place = place_of(server.address, str(base / "hosts"), name="bench", identities=(str(server.key),))
        link = Link(place, environ=environ)
        kept, sending.READY = sending.READY, str(base / "ready")
        try:
            return _rounds(rounds, base, link, environ)
        finally:
            sending.READY = kept
            link.close()
            server.close()


def report(times: Times | None) -> str:
    title = f"{FILES:,} files that are there, over ssh"
    if times is None:
        return f"{title}: not measured, needs the Debian packages rsync and openssh-server"
    lines = [f"{title:<42}{'ms':>8}{'CPU ms':>8}{'ratio':>8}{'of CPU':>8}   bar"]
    for name, each in times.items():
        beside = times[name.replace("--code", "rsync -a")]
        wall, processor = (statistics.median(pair[index] for pair in each) * 1000 for index in (0, 1))
        line = f"{name:<42}{wall:>8.0f}{processor:>8.0f}"
        if beside is not each:
            ratios = [
                statistics.median(own[index] / other[index] for own, other in zip(each, beside, strict=True))
                for index in (0, 1)
            ]
            line += f"{ratios[0]:>8.2f}{ratios[1]:>8.2f}   {BAR:.1f}"
        lines.append(line)
    return "\n".join(lines)


def _make(folder: Path) -> None:
    for number in range(FILES):
        below = folder / f"part_{number // 500}" / f"module_{number // 50 % 10}"
        if number % 50 == 0:
            below.mkdir(parents=True)
        (below / f"file_{number}.py").write_text(f"x = {number}\n" * 10)


def _rounds(rounds: int, base: Path, link: Link, environ: dict[str, str]) -> Times:
    shell = " ".join(link.shell())

    def code(kind: str) -> None:
        marker = base / f"{kind}.marker"
        marker.unlink(missing_ok=True)
        sent = sending.send(lambda: scan(str(base / kind)), f"{base}/{kind}.code", str(marker), link.run)
        assert sent is not None

    def rsync(kind: str) -> None:
        # The ignore files are read by both; what is git's own is left out by both.
        more = ["--filter=:- .gitignore", "--exclude=.git"] if kind == "tracked" else []
        there = f"{link.place.host}:{base}/{kind}.rsync/"
        subprocess.run(["rsync", "-a", *more, "-e", shell, f"{base}/{kind}/", there], check=True, env=environ)

    times: Times = {}
    for number in range(rounds + 1):
        for kind, words in (("plain", ""), ("tracked", ", with .gitignore")):
            for name, what in ((f"rsync -a{words}", rsync), (f"--code{words}", code)):
                taken = _timed(what, kind)
                if number:  # the first round sends them
                    times.setdefault(name, []).append(taken)
    return times


def _timed(what: Callable[[str], None], kind: str) -> tuple[float, float]:
    began, used = time.perf_counter(), _processor_seconds()
    what(kind)
    return time.perf_counter() - began, _processor_seconds() - used


def _processor_seconds() -> float:
    """Of this process and all below it, with those that have ended: both ends of the connection are."""
    below: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    words = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            below.setdefault(int(words[1]), []).append(int(name))
            used[int(name)] = sum(map(int, words[11:15]))
    todo, ticks = [os.getpid()], 0
    while todo:
        pid = todo.pop()
        ticks += used.get(pid, 0)
        todo += below.get(pid, [])
    return ticks / TICK
