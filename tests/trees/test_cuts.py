"""Folders on their way while everything is cut: the machine at each step that it takes on its disk, a real connection
at generated places, from either end; while files come, go and change here."""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowc.remote.link import Link, Ran
from flowc.remote.ssh import UnreachableError, place_of
from flowc.trees import receiver
from flowc.trees import send as sending
from flowc.trees.send import send
from flowc.trees.walk import TreeError, scan
from tests.machines.ordinary import until
from tests.remote.server import Sshd, children, command_of, kill
from tests.some import some

# The receiver, which is killed before the n-th step on its disk.
KILLED = f"""
import builtins, io, os, runpy, sys
left = int(sys.argv.pop(1))
def cut(real):
    def wrapped(*words, **more):
        global left
        left -= 1
        if not left:
            os._exit(99)
        return real(*words, **more)
    return wrapped
for name in "mkdir unlink rmdir symlink rename chmod utime sync".split():
    setattr(os, name, cut(getattr(os, name)))
builtins.open = cut(open)
sys.argv[0] = {receiver.__file__!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def everything(folder: Path) -> dict[bytes, tuple[Any, ...]]:
    """Path to what is there: kind, mode and content."""
    found: dict[bytes, tuple[Any, ...]] = {}
    for entry in scan(str(folder)).entries:
        path, mode, size, moment, link = entry
        text = b""
        if stat.S_ISREG(mode):
            with open(os.path.join(os.fsencode(folder), path), "rb") as file:
                text = file.read()
        found[path] = (mode, size, moment, link, text)
    return found


class Here:
    """A folder of all kinds of files, which changes."""

    def __init__(self, folder: Path, seed: int, *, large: int = 5 << 20) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        folder.mkdir()
        for number in range(24):
            below = os.path.join(os.fsencode(folder), b"d%d" % (number % 5))
            os.makedirs(below, exist_ok=True)
            name = self.random.choice([b"plain", b"new\nline", b"\xff\xfe", b" sp ace ", b"-dash", b"tab\t"])
            with open(os.path.join(below, b"%s%d" % (name, number)), "wb") as file:
                file.write(self.random.randbytes(self.random.choice([0, 10, 5000, 70_000])))
        (folder / "d0" / "run").write_text("#!/bin/sh\n")
        (folder / "d0" / "run").chmod(0o755)
        os.link(folder / "d0" / "run", folder / "d1" / "linked")
        (folder / "empty" / "er").mkdir(parents=True)
        (folder / "closed").mkdir()
        (folder / "closed").chmod(0o700)
        (folder / "to").symlink_to("d0/run")
        (folder / "to nothing").symlink_to(b"d0/\xff".decode("utf-8", "surrogateescape"))
        (folder / "large").write_bytes(self.random.randbytes(large))
        with (folder / "sparse").open("wb") as file:
            file.truncate(3 << 20)

    def change(self) -> None:
        """As who works on: something comes, goes, is written again or becomes something else."""
        files = sorted(path for path in self.folder.glob("d*/*") if path.is_file() and not path.is_symlink())
        chosen = self.random.choice(files)
        what = self.random.randrange(5)
        if what == 0:
            chosen.unlink()
        elif what == 1:
            chosen.write_bytes(self.random.randbytes(3000))
        elif what == 2:
            chosen.unlink()
            chosen.symlink_to("elsewhere")
        elif what == 3:
            chosen.unlink()
            chosen.mkdir()
            (chosen / "within").write_text("x")
        else:
            chosen.chmod(self.random.choice([0o600, 0o755, 0o444]))


@pytest.mark.parametrize("seed", some(range(2), 0))
def test_a_machine_that_is_cut_at_any_step_has_all_of_it_in_the_end(tmp_path: Path, seed: int) -> None:
    here = Here(tmp_path / "here", seed, large=(4 << 20) + 1)
    place, marker, ready = tmp_path / "place", tmp_path / "marker", tmp_path / "ready"
    ready.write_bytes(b"")
    left = [0]

    def run(script: str, text: str, *words: str, given: bytes | Iterable[bytes] = b"") -> Ran:
        words = tuple(str(ready) if word == sending.READY else word for word in words)
        data = given if isinstance(given, bytes) else b"".join(given)
        ran = subprocess.run(
            [sys.executable, "-c", KILLED, str(left[0]), *words], input=data, capture_output=True, check=False
        )
        return Ran(status=ran.returncode, output=ran.stdout, said=ran.stderr.decode())

    # However far it had come, and whatever changed here since, the next one goes on.
    cuts = 0
    for _ in range(15):
        left[0] = here.random.randrange(1, 60)
        try:
            send(lambda: scan(str(here.folder)), str(place), str(marker), run)
        except TreeError:
            cuts += 1
            assert not marker.exists()
        if marker.exists():
            marker.unlink()
            shutil.rmtree(place)  # another machine
        here.change()
    assert cuts > 4
    left[0] = 0
    assert send(lambda: scan(str(here.folder)), str(place), str(marker), run) is not None
    assert everything(place) == everything(here.folder)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["here", "marker", "place", "ready"]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd")
    yield server
    server.close()


@pytest.fixture
def link(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    (tmp_path / "ready").write_bytes(b"")
    monkeypatch.setattr(sending, "READY", str(tmp_path / "ready"))
    monkeypatch.setattr("flowc.remote.link.PING_S", 0.5)
    monkeypatch.setattr("flowc.remote.master.CALL_S", 2)
    monkeypatch.setattr("flowc.remote.master.STALL_S", 2)
    monkeypatch.setattr("flowc.remote.link.STALLED_S", 2)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    found = Link(place_of(sshd.address, str(tmp_path / "hosts"), identities=(str(sshd.key),)), environ=environ)
    yield found
    found.close()


def below(pid: int) -> list[int]:
    return [each for child in children(pid) for each in (child, *below(child))]


def receivers(sshd: Sshd) -> list[int]:
    every = [each for pid in sshd.connections() for each in below(pid)]
    return [each for each in every if b"python3\0-IS\0" in command_of(each)]


def sessions() -> list[int]:
    """The processes of ssh that this one has started."""
    return [each for each in children(os.getpid()) if command_of(each).startswith(b"ssh\0")]


HOW: dict[str, Callable[[Sshd], None]] = {
    "the server": lambda sshd: sshd.cut(),
    "ssh": lambda sshd: [kill(each, signal.SIGKILL) for each in sessions()] and None,
    "the last of ssh": lambda sshd: kill(sessions()[-1], signal.SIGKILL),
    "the receiver": lambda sshd: [kill(each, signal.SIGKILL) for each in receivers(sshd)] and None,
    "the receiver stands still": lambda sshd: [kill(each, signal.SIGSTOP) for each in receivers(sshd)] and None,
    "the server stands still": lambda sshd: (
        [
            kill(each, signal.SIGSTOP)
            for pid in sshd.connections()
            for each in (pid, *children(pid))
            if b"sshd" in command_of(each)
        ]
        and None
    ),
}


@pytest.mark.parametrize("how", some(HOW, "the server", "the receiver"))
def test_a_connection_that_is_cut_anywhere(tmp_path: Path, sshd: Sshd, link: Link, how: str) -> None:
    here = Here(tmp_path / "here", 7, large=8 << 20)
    place, marker = tmp_path / "place", tmp_path / "marker"
    held: list[int] = []
    told = []
    chance = random.Random(how)
    for _ in range(4):
        # After so many of the bytes that go there: within the list, a file, or behind all. Who stands still is noticed
        # while there is more for him than the connection holds.
        large = 1 << 20 if how == "the receiver stands still" else 6 << 20
        after = chance.choice([0, 1, chance.randrange(3000), *(chance.randrange(large) for _ in range(3))])
        cut = threading.Event()

        def pieces(given: Iterable[bytes]) -> Iterator[bytes]:
            passed = 0
            for piece in [given] if isinstance(given, bytes) else given:
                for start in range(0, len(piece), 4096):
                    if passed >= after and not cut.is_set():  # noqa: B023
                        until(lambda: receivers(sshd), "who takes it")
                        held.extend(receivers(sshd) if "still" in how else [])
                        cut.set()  # noqa: B023
                        HOW[how](sshd)
                    yield piece[start : start + 4096]
                    passed += len(piece[start : start + 4096])

        def run(script: str, *words: str, given: bytes | Iterable[bytes] = b"") -> Any:
            if how == "the receiver stands still" and words[1] == "plan":
                return link.run(script, *words, given=given)
            return link.run(script, *words, given=pieces(given))

        try:
            send(lambda: scan(str(here.folder)), str(place), str(marker), run)
        except (TreeError, UnreachableError) as error:
            told.append(str(error))
            assert not marker.exists()
        else:
            marker.unlink()
            shutil.rmtree(place)  # another machine
        here.change()
        for each in held:
            kill(each, signal.SIGKILL)
    assert told
    for each in told:
        assert any(word in each for word in ("cut", "killed", "answer", "takes nothing", "closed")), each
    assert send(lambda: scan(str(here.folder)), str(place), str(marker), link.run) is not None
    assert everything(place) == everything(here.folder)
