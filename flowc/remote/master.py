"""The process of ssh that is the connection to a machine, whose session there (`keeper`) answers in lines."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress

from flowc.remote.keeper import KEEPER, READY
from flowc.remote.ssh import CONNECT_S, UnreachableError, as_root, options, trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, NoReturn

    from flowc.remote.ssh import Place

CALL_S = 60
# How long a machine may owe an answer while what we bring it fills the line.
STALL_S = 240
# Of what a command says in its errors, the end is kept.
MOST_SAID = 20_000


class Master:
    """Goes to `place`, with `more` options of ssh; `socket`: others share it there (None: it cannot be shared).
    `there` is a folder of the keeper. Not for several threads, but for `moved` and `kill`. Raises UnreachableError."""

    def __init__(
        self, place: Place, *, environ: Mapping[str, str], socket: str | None, more: Mapping[str, str]
    ) -> None:
        import tempfile

        self.place = place
        self.socket = socket
        # When something last came or went by what runs over it: a slow line that is full is alive.
        self.moved = 0.0
        # Answers to `poke` that have not come, and since when.
        self._owed, self._owed_since = 0, 0.0
        self._buffer = b""
        self.there = ""
        shared = {"ControlMaster": "no", "ControlPath": "none"}
        if socket is not None:
            shared = {"ControlMaster": "yes", "ControlPersist": "no", "ControlPath": quoted(socket)}
        argv = [*options(place, RequestTTY="no", **shared, **more), "--", place.host]
        # Nobody reads a pipe while it stands, and a host on the way may be told to say much.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `close` does
        try:
            self._process = start(
                [*argv, as_root("bash", "--norc", "-c", KEEPER)], environ, stdin=subprocess.PIPE, stderr=self._said
            )
        except UnreachableError:
            self._said.close()
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout

    def connect(self) -> None:
        """Wait until the keeper is there. Raises UnreachableError; it is closed then."""
        import atexit

        atexit.register(self.close)
        # What the user's shell there may say before.
        while not (line := self._line(CONNECT_S + CALL_S)).startswith(READY):
            continue
        self.there = line.removeprefix(READY).decode()

    def close(self) -> None:
        """End it. What was started over it is ended on the machine."""
        import atexit

        atexit.unregister(self.close)
        if self._said.closed:
            return
        with suppress(OSError):
            self._in.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._said.close()
        if self.socket is not None and os.path.lexists(self.socket):
            os.unlink(self.socket)

    def kill(self) -> None:
        """Whoever waits for an answer hears of the end."""
        self._process.kill()

    def exchange(self, line: str, patience: float | None = None) -> bytes:
        """The answer to a line, for which `patience` is in seconds. Raises UnreachableError; it is closed then."""
        patience = CALL_S if patience is None else patience
        self._send(line)
        while self._owed:
            self._line(patience)
            self._owed -= 1
        return self._line(patience)

    def poke(self) -> None:
        """Let the machine hear of us, and see whether it answers, without a wait for that: what whoever calls is in the
        middle of may be what keeps the answer back. Raises as `exchange`."""
        while self._owed and self._has_line():
            self._line(0)
            self._owed -= 1
        now = time.monotonic()
        if not self._owed:
            self._send("ping")
            self._owed, self._owed_since = 1, now
        elif now > max(self._owed_since, self.moved) + STALL_S:
            self._fail(STALL_S)

    def _send(self, line: str) -> None:
        try:
            os.write(self._in.fileno(), line.encode() + b"\n")
        except (OSError, ValueError):
            self.close()
            raise UnreachableError(f"{self.place.host}: the connection was cut") from None

    def _has_line(self, patience: float = 0) -> bool:
        with selectors.DefaultSelector() as waits:
            waits.register(self._out, selectors.EVENT_READ)
            return bool(waits.select(patience))

    def _line(self, patience: float) -> bytes:
        """The next line, which may come behind whatever else fills the connection."""
        begun = time.monotonic()
        parts = [self._buffer]
        while b"\n" not in parts[-1]:
            while not self._has_line(min(1.0, patience)):
                if time.monotonic() >= max(begun, self.moved) + patience:
                    self._fail(patience)
            data = os.read(self._out.fileno(), 1 << 18)
            if not data:
                said = self._last_words()
                self.close()
                raise trouble(self.place, said or "the connection was cut")
            parts.append(data)
        line, _, self._buffer = b"".join(parts).partition(b"\n")
        return line

    def _fail(self, patience: float) -> NoReturn:
        self.close()
        raise UnreachableError(f"{self.place.host} did not answer within {patience:g} seconds")

    def _last_words(self) -> str:
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - MOST_SAID))
        return self._said.read().decode("utf-8", "replace")


def quoted(path: str) -> str:
    """As a value of an option of ssh."""
    return '"' + path.replace("%", "%%") + '"'


def start(
    argv: list[str],
    environ: Mapping[str, str],
    *,
    stdin: int | IO[bytes],
    stderr: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """In a session of its own: a Ctrl-C on our terminal is ours to understand, and nothing can be asked there. Raises
    UnreachableError."""
    try:
        return subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            env={**environ, "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise UnreachableError("there is no ssh here: install openssh-client") from None
