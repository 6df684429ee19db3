"""Connections on the way of which something happens."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowc.providers.errors import UnavailableError
from flowc.providers.mithril.following import Following
from flowc.remote.link import Link
from flowc.remote.ssh import UnreachableError, place_of
from flowc.remote.tail import Mark, Tail
from tests.machines.ordinary import until
from tests.remote.server import Sshd, children, command_of, kill
from tests.remote.wire import Wire


class Log:
    """A file that is followed over a wire."""

    def __init__(self, link: Link, path: Path) -> None:
        self.path = path
        self.data = b""
        self._following = Following(link, Tail(str(path), self._take, mark=Mark()))

    def _take(self, data: bytes, anew: bool) -> None:
        assert not anew
        self.data += data

    def more(self) -> None:
        """A cut that was told is tried again."""
        try:
            self._following.more()
        except UnavailableError:
            return

    def rest(self) -> None:
        """What is left."""
        self._following.rest()

    def has(self, size: int) -> None:
        """Wait until so much has come."""

        def come() -> bool:
            self.more()
            return len(self.data) >= size

        until(come, f"{size} bytes")

    def stop(self) -> None:
        """Follow it no more."""
        self._following.stop()


@pytest.fixture
def wire(sshd: Sshd) -> Iterator[Wire]:
    found = Wire((sshd.host, sshd.port))
    yield found
    found.close()


@pytest.fixture
def link(wire: Wire, sshd: Sshd, tmp_path: Path, environ: dict[str, str]) -> Iterator[Link]:
    address = f"{sshd.user}@127.0.0.1:{wire.port}"
    made = Link(place_of(address, str(tmp_path / "hosts"), identities=(str(sshd.key),)), environ=environ)
    yield made
    made.close()


@pytest.fixture
def log(link: Link, tmp_path: Path) -> Iterator[Log]:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(200_000)))
    made = Log(link, path)
    yield made
    made.stop()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if we waited for a machine for seconds only."""
    monkeypatch.setattr("flowc.remote.master.CALL_S", 2)
    monkeypatch.setattr("flowc.remote.master.CONNECT_S", 1)
    monkeypatch.setattr("flowc.remote.master.STALL_S", 15)
    monkeypatch.setattr("flowc.remote.link.PING_S", 1.0)
    monkeypatch.setattr("flowc.remote.tail.SILENCE_S", 15.0)


# The banner, the exchange of keys, the login, what is run then; the last ones are in the middle of the file.
PHASES = (0, 20, 500, 1500, 2500, 3000, 3500, 4000, 5000, 200_000, 1_000_000)
# What was followed already is found dead only when it has been silent for long: one of these is enough for every day.
WITH_LONG_WAITS = (PHASES[0], *(pytest.param(size, marks=pytest.mark.slow) for size in PHASES[1:]))


def told_of(link: Link) -> str:
    """What is said of a call that cannot be made."""
    try:
        link.run("true")
    except UnreachableError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("size", PHASES)
def test_a_cut_in_any_phase_is_told_or_made_good(wire: Wire, log: Log, link: Link, size: int) -> None:
    wire.cut_after = size
    if said := told_of(link):
        assert said.startswith("127.0.0.1: ")
        assert "closed" in said or "cut" in said or "reset" in said
    log.rest()
    assert log.data == log.path.read_bytes()


@pytest.mark.parametrize("size", WITH_LONG_WAITS)
@pytest.mark.usefixtures("short")
def test_a_way_that_goes_dead_in_any_phase_is_told_or_made_good(wire: Wire, log: Log, link: Link, size: int) -> None:
    wire.hold_after = size
    if said := told_of(link):
        assert "did not answer within" in said or "timed out" in said
    log.has(log.path.stat().st_size)
    assert log.data == log.path.read_bytes()
    assert wire.connections > 1


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_slow_way_is_none_that_is_dead(wire: Wire, log: Log, link: Link) -> None:
    """What fills it comes before any answer."""
    link.run("true")
    wire.rate = 150_000
    log.has(log.path.stat().st_size)
    assert log.data == log.path.read_bytes()
    assert wire.connections == 1
    assert wire.carried < 1.5 * len(log.data)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_slow_way_for_what_is_brought(wire: Wire, link: Link, tmp_path: Path) -> None:
    link.run("true")
    wire.rate = 300_000
    data = os.urandom(3_000_000)
    link.write(str(tmp_path / "brought"), data)
    assert (tmp_path / "brought").read_bytes() == data
    assert wire.connections == 1


@pytest.mark.parametrize(
    "whose", ["session", *(pytest.param(whose, marks=pytest.mark.slow) for whose in ("server", "master", "reader"))]
)
@pytest.mark.usefixtures("short")
def test_what_is_stopped_in_the_middle_is_gone_around(sshd: Sshd, log: Log, whose: str) -> None:
    """Whichever process it is, on either side; what has been lost of the output comes again, and nothing twice."""
    log.has(1)
    found = processes_of(whose, sshd, log.path)
    assert found
    for pid in found:
        os.kill(pid, signal.SIGSTOP)
    try:
        with log.path.open("ab") as file:
            file.write(b"after that\n")
        log.has(log.path.stat().st_size)
    finally:
        for pid in found:
            kill(pid, signal.SIGCONT)
    assert log.data == log.path.read_bytes()


def processes_of(whose: str, sshd: Sshd, path: Path) -> list[int]:
    if whose == "server":
        serving = [each for pid in sshd.connections() for each in [pid, *children(pid)]]
        return [pid for pid in serving if b"sshd" in command_of(pid)]
    if whose == "reader":
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and is_reader(command_of(int(name)), path)]
    ours = [pid for pid in children(os.getpid()) if command_of(pid).startswith(b"ssh\0")]
    return [pid for pid in ours if (b"ControlMaster=yes" in command_of(pid)) == (whose == "master")]


def is_reader(words: bytes, path: Path) -> bool:
    program, *rest = words.split(b"\0")
    return program.endswith(b"python3") and os.fsencode(path) in rest


def test_a_machine_that_cannot_be_reached_again_is_told(wire: Wire, log: Log) -> None:
    log.has(1)
    wire.close()
    said: list[str] = []

    def told() -> bool:
        try:
            log._following.more()
        except UnavailableError as error:
            said.append(str(error))
        return bool(said)

    until(told, "a word about it")
    assert "Connection refused" in said[0]


def test_several_at_once_over_a_connection_that_is_cut(wire: Wire, sshd: Sshd, link: Link, tmp_path: Path) -> None:
    """Each of them hears of it, though another has made the connection again before."""
    link.run("true")
    found: list[object] = []

    def run() -> None:
        try:
            found.append(link.run("echo; exec sleep 1000", take=lambda data: begun.release()))
        except UnreachableError as error:
            found.append(error)

    begun = threading.Semaphore(0)
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        begun.acquire()
    sshd.cut()
    link.run("true")
    for thread in threads:
        thread.join()
    assert [type(each) for each in found] == [UnreachableError] * 4
