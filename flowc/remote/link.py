"""One connection to a machine, over which all goes: short looks, streams, shells.

It is a process of ssh whose session on the machine (`keeper`) answers what is asked in lines, and keeps the list of
the commands that this connection has started there. It ends when nothing comes from here any more, be this process
ended, killed or cut off, and ends those first: ssh itself tells a machine nothing of that. All others are sessions
within this connection where ssh can share it, and further connections where it cannot.
"""

from __future__ import annotations

import math
import os
import selectors
import subprocess
import threading
import time
from contextlib import suppress

from flowc.record import Record
from flowc.remote.keeper import GONE, KEEPER, READY, RUN, RUN_ON_TERMINAL
from flowc.remote.ssh import CONNECT_S, UnreachableError, as_root, options, trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import IO, Any

    from flowc.remote.session import Session
    from flowc.remote.ssh import Place

CALL_S = 60
# The longest piece of a file that one call brings.
MOST_BYTES = 1_000_000
# How often the machine hears of us while something runs there.
PING_S = 10.0
# So long nothing is taken of what is given to a command, before it is ended.
STALLED_S = 300.0
# Of what a command says in its errors, the end is kept.
MOST_SAID = 20_000


class Ran(Record):
    """How a command ended there: its exit status as a shell says it, its output where nobody took it, and the end of
    what it said in its errors."""

    status: int
    output: bytes
    said: str


class Link:
    """The connection to `place`. `environ` is what ssh is started with (None: our own). It is made at the first use
    and again when it was cut; `close` ends it with all that was started over it. For several threads."""

    def __init__(self, place: Place, *, environ: Mapping[str, str] | None = None) -> None:
        self.place = place
        self._environ = environ
        self._lock = threading.RLock()
        self._master: subprocess.Popen[bytes] | None = None
        self._socket: str | None = None
        self._there = ""
        self._buffer = b""
        self._number = 0

    def read(self, path: str, *, offset: int = 0, most: int = MOST_BYTES) -> bytes | None:
        """Bytes of a file on the machine from `offset` on, at most `most`; None where there is no such file. Raises
        UnreachableError."""
        import binascii

        assert "\n" not in path, path
        answer = self._ask(f"read {offset + 1} {most} {path}")
        return None if answer == b"-" else binascii.a2b_base64(answer)

    def write(self, path: str, data: bytes) -> None:
        """Put a file there that root alone may read, as a whole or not at all; one that is there with the same bytes
        stays as it is. The data go through the connection alone, and stand in no list of processes. Raises
        UnreachableError."""
        script = (
            'umask 077; mkdir -p -- "${1%/*}" && cat >"$1.new" && test "$(wc -c <"$1.new")" -eq "$2" && '
            'if cmp -s -- "$1.new" "$1"; then rm -f -- "$1.new"; else mv -- "$1.new" "$1"; fi'
        )
        done = self.run(script, path, str(len(data)), given=data)
        if done.status:
            raise trouble(self.place, done.said or f"{path} cannot be written")

    def run(
        self,
        script: str,
        *words: str,
        given: bytes | IO[bytes] | Iterable[bytes] = b"",
        take: Callable[[bytes], object] | None = None,
    ) -> Ran:
        """Run a script of sh as root there, `words` being its `$1` and on: they and the script stand in the machine's
        list of processes, so no secrets in them. `given` is its standard input: bytes, a file that is open (from where
        it stands), or pieces as they come. `take` gets its output in pieces as they come.

        Its input ends too where the connection is cut: what must not be half done is done by a second call, when this
        one has given status 0. A script that outlives us (Ctrl-C, kill) is ended there. Raises UnreachableError where
        the connection fails or is cut; what `given` and `take` raise."""
        with self._lock:
            self._ask("ping")
            self._number += 1
            name = f"{self._there}/{self._number}"
            command = as_root("bash", "--norc", "-c", RUN, "bash", name, "sh", "-c", script, "sh", *words)
            argv = [*self._words(), "--", self.place.host, command]
        return self._carry(argv, name, given, take)

    def session(self, words: Iterable[str], *, terminal: bool) -> Session:
        """A command as root there, to be run with the streams of whoever runs it. Raises UnreachableError."""
        from flowc.remote.session import Session

        with self._lock:
            self._ask("ping")
            self._number += 1
            name = f"{self._there}/{self._number}"
            script = RUN_ON_TERMINAL if terminal else RUN
            argv = self._words("force" if terminal else "no")
        return Session(
            argv=(*argv, "--", self.place.host, as_root("bash", "-c", script, "bash", name, *words)),
            tell=lambda signal: self.kill(name, signal),
            stands=self.alive,
        )

    def shell(self) -> list[str]:
        """The words to which a host (`place.host`) and a command are put, which is then run over this connection as the
        user of the machine, who may use `sudo -n`: what rsync's `-e` is to be. Raises UnreachableError."""
        with self._lock:
            self._up()
            return self._words()

    def close(self) -> None:
        """End it. What was started over it is ended on the machine."""
        with self._lock:
            master, self._master = self._master, None
            if master is None:
                return
            assert master.stdin is not None
            assert master.stdout is not None
            with suppress(OSError):
                master.stdin.close()
            try:
                master.wait(2)
            except subprocess.TimeoutExpired:
                master.kill()
                master.wait()
            master.stdout.close()
            if master.stderr is not None:
                master.stderr.close()
            if self._socket is not None and os.path.lexists(self._socket):
                os.unlink(self._socket)

    def _words(self, terminal: str = "no") -> list[str]:
        shared = {"ControlMaster": "no", "ControlPath": _quoted(self._socket) if self._socket else "none"}
        return options(self.place, RequestTTY=terminal, **shared)

    def _carry(
        self,
        argv: list[str],
        name: str,
        given: bytes | IO[bytes] | Iterable[bytes],
        take: Callable[[bytes], object] | None,
    ) -> Ran:
        source: Any = given
        is_file = hasattr(source, "fileno")
        process = _start(argv, self._environ, stdin=source if is_file else subprocess.PIPE)
        feeder = None
        feed = Feed()
        if not is_file:
            pieces = (source,) if isinstance(source, bytes) else source
            feeder = threading.Thread(target=feed.run, args=(process, pieces), daemon=True)
            feeder.start()
        kept: list[bytes] = []
        try:
            said = self._pump(process, kept.append if take is None else take, feed)
            status = process.wait()
        except BaseException:
            # It is not to run on unseen; what stands still hears of it when it goes on.
            self.kill(name, "TERM")
            self.kill(name, "CONT")
            raise
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()
            if feeder is not None:
                feeder.join(1)
        if feed.trouble is not None:
            raise feed.trouble
        if GONE in said or (status in (255, -9, -15) and not self.alive()):
            raise trouble(self.place, said or "the connection was cut")
        return Ran(status=status if status >= 0 else 128 - status, output=b"".join(kept), said=said)

    def _pump(self, process: subprocess.Popen[bytes], take: Callable[[bytes], object], feed: Feed) -> str:
        """Hand on what comes until all of it has; what was said in errors."""
        assert process.stdout is not None
        assert process.stderr is not None
        said = b""
        pinged = time.monotonic()
        with selectors.DefaultSelector() as waits:
            waits.register(process.stdout, selectors.EVENT_READ)
            waits.register(process.stderr, selectors.EVENT_READ)
            while waits.get_map():
                for key, _ in waits.select(1.0):
                    data = os.read(key.fd, 1 << 18)
                    if not data:
                        waits.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        said = (said + data)[-MOST_SAID:]
                    else:
                        take(data)
                if feed.trouble is not None:
                    raise feed.trouble
                if time.monotonic() - feed.since > STALLED_S:
                    raise UnreachableError(f"{self.place.host}: what runs there takes nothing any more")
                if time.monotonic() - pinged > PING_S:
                    pinged = time.monotonic()
                    self.alive()
        return said.decode("utf-8", "replace")

    def kill(self, name: str, signal: str) -> None:
        """Send a signal to what was started under a name, if the connection still stands."""
        try:
            with self._lock:
                if self._master is not None:
                    self._exchange(f"kill {os.path.basename(name)} {signal}", 2.0)
        except UnreachableError:
            return

    def alive(self) -> bool:
        """Whether the connection stands; the machine hears of us."""
        try:
            with self._lock:
                if self._master is None:
                    return False
                self._exchange("ping", CALL_S)
        except UnreachableError:
            return False
        return True

    def _ask(self, line: str) -> bytes:
        """An answer; a connection that was cut since it was last used is made again."""
        with self._lock:
            if self._master is not None:
                try:
                    return self._exchange(line, CALL_S)
                except UnreachableError:
                    self.close()
            self._up()
            return self._exchange(line, CALL_S)

    def _exchange(self, line: str, patience: float) -> bytes:
        master = self._master
        assert master is not None
        assert master.stdin is not None
        try:
            os.write(master.stdin.fileno(), line.encode() + b"\n")
        except OSError:
            self.close()
            raise UnreachableError(f"{self.place.host}: the connection was cut") from None
        return self._line(patience)

    def _line(self, patience: float) -> bytes:
        """The next line from the keeper."""
        master = self._master
        assert master is not None
        assert master.stdout is not None
        end = time.monotonic() + patience
        parts = [self._buffer]
        while b"\n" not in parts[-1]:
            with selectors.DefaultSelector() as waits:
                waits.register(master.stdout, selectors.EVENT_READ)
                if not waits.select(max(0.0, end - time.monotonic())):
                    self.close()
                    raise UnreachableError(f"{self.place.host} did not answer within {patience:g} seconds")
            data = os.read(master.stdout.fileno(), 1 << 18)
            if not data:
                said = self._last_words(master)
                self.close()
                raise trouble(self.place, said or "the connection was cut")
            parts.append(data)
        line, _, self._buffer = b"".join(parts).partition(b"\n")
        return line

    def _last_words(self, master: subprocess.Popen[bytes]) -> str:
        assert master.stderr is not None
        try:
            master.wait(2)
        except subprocess.TimeoutExpired:
            master.kill()
        os.set_blocking(master.stderr.fileno(), False)
        return (master.stderr.read() or b"").decode("utf-8", "replace")[-MOST_SAID:]

    def _up(self) -> None:
        """Make the connection where there is none. Raises UnreachableError."""
        if self._master is not None and self._master.poll() is None:
            return
        self.close()
        os.makedirs(os.path.dirname(self.place.keys), mode=0o700, exist_ok=True)
        from flowc.remote.sockets import new_socket

        self._socket = new_socket((self._environ or {}).get("XDG_RUNTIME_DIR"))
        shared = {}
        if self._socket is not None:
            shared = {"ControlMaster": "yes", "ControlPersist": "no", "ControlPath": _quoted(self._socket)}
        else:
            shared = {"ControlMaster": "no", "ControlPath": "none"}
        argv = [*options(self.place, RequestTTY="no", **shared), "--", self.place.host]
        self._master = _start([*argv, as_root("bash", "--norc", "-c", KEEPER)], self._environ, stdin=subprocess.PIPE)
        self._buffer = b""
        import atexit

        atexit.register(self.close)
        # What the user's shell there may say before.
        while not (line := self._line(CONNECT_S + CALL_S)).startswith(READY):
            continue
        self._there = line.removeprefix(READY).decode()


def _quoted(path: str) -> str:
    return '"' + path.replace("%", "%%") + '"'


def _start(argv: list[str], environ: Mapping[str, str] | None, *, stdin: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """In a session of its own: a Ctrl-C on our terminal is ours to understand, and nothing can be asked there."""
    try:
        return subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environ,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise UnreachableError("there is no ssh here: install openssh-client") from None


class Feed:
    """Gives a process its input, in a thread. `trouble` is what went wrong in making it; `since`: since when a piece
    has not been taken."""

    def __init__(self) -> None:
        self.trouble: BaseException | None = None
        self.since = math.inf

    def run(self, process: subprocess.Popen[bytes], pieces: Iterable[bytes]) -> None:
        """Until all of it is written, or the process has ended: how, its status says."""
        pipe = process.stdin
        assert pipe is not None
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    self.since = time.monotonic()
                    try:
                        view = view[os.write(pipe.fileno(), view) :]
                    except OSError:
                        return
                    self.since = math.inf
        except BaseException as error:
            self.trouble = error
        finally:
            self.since = math.inf
            with suppress(OSError):
                pipe.close()
