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
from flowc.remote.keeper import GONE, RUN, RUN_ON_TERMINAL
from flowc.remote.master import MOST_SAID, Master, quoted, start
from flowc.remote.ssh import RefusedKeyError, UnreachableError, as_root, options, trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import IO, Any

    from flowc.remote.session import Session
    from flowc.remote.ssh import Place

# The longest piece of a file that one call brings.
MOST_BYTES = 1_000_000
# How often the machine hears of us while something runs there.
PING_S = 10.0
# So long nothing is taken of what is given to a command, before it is ended.
STALLED_S = 300.0


class Ran(Record):
    """How a command ended there: its exit status as a shell says it, its output where nobody took it, and the end of
    what it said in its errors."""

    status: int
    output: bytes
    said: str


class Link:
    """The connection to `place`. `environ` is what ssh is started with. It is made at the first use
    and again when it was cut; `close` ends it with all that was started over it. For several threads."""

    def __init__(self, place: Place, *, environ: Mapping[str, str]) -> None:
        self.place = place
        self._environ = environ
        self._lock = threading.RLock()
        self._master: Master | None = None
        self._closing = False
        self._number = 0
        # The keys that the user has named are the right ones, as a rule: a machine cuts who shows it too many.
        self._only = {"IdentitiesOnly": "yes"} if place.identities else {}

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
        silence: float | None = None,
    ) -> Ran:
        """Run a script of sh as root there, `words` being its `$1` and on: they and the script stand in the machine's
        list of processes, so no secrets in them. `given` is its standard input: bytes, a file that is open (from where
        it stands), or pieces as they come. `take` gets its output in pieces as they come; `silence`: one that says
        nothing for so many seconds counts as cut off.

        Its input ends too where the connection is cut: what must not be half done is done by a second call, when this
        one has given status 0. A script that outlives us (Ctrl-C, kill) is ended there. Raises UnreachableError where
        the connection fails or is cut; what `given` and `take` raise."""
        with self._lock:
            master, name = self._name()
            command = as_root("bash", "--norc", "-c", RUN, "bash", name, "sh", "-c", script, "sh", *words)
            argv = [*self._words(master), "--", self.place.host, command]
        return self._carry(master, argv, name, given, take, silence)

    def session(self, words: Iterable[str], *, terminal: bool) -> Session:
        """A command as root there, to be run with the streams of whoever runs it. Raises UnreachableError."""
        from flowc.remote.session import Session

        with self._lock:
            master, name = self._name()
            script = RUN_ON_TERMINAL if terminal else RUN
            argv = self._words(master, "force" if terminal else "no")
        return Session(
            argv=(*argv, "--", self.place.host, as_root("bash", "--norc", "-c", script, "bash", name, *words)),
            tell=lambda signal: self.kill(name, signal),
            stands=self.alive,
            beat=self.poke,
        )

    def shell(self) -> list[str]:
        """The words to which a host (`place.host`) and a command are put, which is then run over this connection as the
        user of the machine, who may use `sudo -n`: what rsync's `-e` is to be. Raises UnreachableError."""
        with self._lock:
            return self._words(self._name()[0])

    def close(self) -> None:
        """End it. What was started over it is ended on the machine. Another thread that uses it hears of a cut."""
        self._closing = True
        if not self._lock.acquire(timeout=2):
            if self._master is not None:
                self._master.kill()
            self._lock.acquire()
        try:
            master, self._master, self._closing = self._master, None, False
            if master is not None:
                master.close()
        finally:
            self._lock.release()

    def _name(self) -> tuple[Master, str]:
        """The connection that stands, and a name for what is started over it. Raises UnreachableError."""
        self._ask("ping")
        assert self._master is not None
        self._number += 1
        return self._master, f"{self._master.there}/{self._number}"

    def _words(self, master: Master, terminal: str = "no") -> list[str]:
        shared = {"ControlMaster": "no", "ControlPath": quoted(master.socket) if master.socket else "none"}
        return options(self.place, RequestTTY=terminal, **shared, **self._only)

    def _carry(
        self,
        master: Master,
        argv: list[str],
        name: str,
        given: bytes | IO[bytes] | Iterable[bytes],
        take: Callable[[bytes], object] | None,
        silence: float | None,
    ) -> Ran:
        source: Any = given
        is_file = hasattr(source, "fileno")
        process = start(argv, self._environ, stdin=source if is_file else subprocess.PIPE)
        feeder = None
        feed = Feed(master)
        if not is_file:
            pieces = (source,) if isinstance(source, bytes) else source
            feeder = threading.Thread(target=feed.run, args=(process, pieces), daemon=True)
            feeder.start()
        kept: list[bytes] = []
        try:
            said = self._pump(master, process, kept.append if take is None else take, feed, silence)
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
        # Another call may have made the connection again meanwhile.
        if GONE in said or (status in (255, -9, -15) and not (self.alive() and self._master is master)):
            raise trouble(self.place, said or "the connection was cut")
        return Ran(status=status if status >= 0 else 128 - status, output=b"".join(kept), said=said)

    def _pump(
        self,
        master: Master,
        process: subprocess.Popen[bytes],
        take: Callable[[bytes], object],
        feed: Feed,
        silence: float | None,
    ) -> str:
        """Hand on what comes until all of it has; what was said in errors."""
        assert process.stdout is not None
        assert process.stderr is not None
        said = b""
        heard = pinged = time.monotonic()
        with selectors.DefaultSelector() as waits:
            waits.register(process.stdout, selectors.EVENT_READ)
            waits.register(process.stderr, selectors.EVENT_READ)
            while waits.get_map():
                ready = waits.select(1.0)
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 18)
                    if not data:
                        waits.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        said = (said + data)[-MOST_SAID:]
                    else:
                        take(data)
                if feed.trouble is not None:
                    raise feed.trouble
                now = time.monotonic()
                if now - feed.since > STALLED_S:
                    raise UnreachableError(f"{self.place.host}: what runs there takes nothing any more")
                if ready:
                    heard = master.moved = now
                elif silence is not None and now - heard > silence:
                    raise UnreachableError(f"{self.place.host} has sent nothing for {silence:g} seconds")
                if now - pinged > PING_S:
                    pinged = now
                    if not self.poke() or self._master is not master:
                        raise UnreachableError(f"{self.place.host}: the connection was cut")
        return said.decode("utf-8", "replace")

    def kill(self, name: str, signal: str) -> None:
        """Send a signal to what was started under a name, if the connection still stands."""
        with self._lock, suppress(UnreachableError):
            self._try(lambda master: master.exchange(f"kill {os.path.basename(name)} {signal}", 2.0))

    def alive(self) -> bool:
        """Whether the connection stands; the machine hears of us."""
        with self._lock, suppress(UnreachableError):
            return self._try(lambda master: master.exchange("ping"))
        return False

    def poke(self) -> bool:
        """As `alive`, without a wait. Raises UnreachableError, which says why there is none any more."""
        if not self._lock.acquire(blocking=False):
            return True  # somebody else asks
        try:
            return self._try(Master.poke)
        finally:
            self._lock.release()

    def _try(self, what: Callable[[Master], object]) -> bool:
        """Whether there is a connection with which this is done. Raises UnreachableError where there is none any
        more."""
        master = self._master
        if master is None:
            return False
        try:
            what(master)
        except BaseException:
            # Nobody knows any more to what the next line is the answer.
            self._master = None
            master.close()
            raise
        return True

    def _ask(self, line: str) -> bytes:
        """An answer; a connection that was cut since it was last used is made again."""
        answers: list[bytes] = []
        with self._lock:
            with suppress(UnreachableError):
                self._try(lambda master: answers.append(master.exchange(line)))
            if not answers:
                self._up()
                self._try(lambda master: answers.append(master.exchange(line)))
        return answers[0]

    def _up(self) -> None:
        """Make the connection. Raises UnreachableError."""
        os.makedirs(os.path.dirname(self.place.keys), mode=0o700, exist_ok=True)
        from flowc.remote.sockets import new_socket

        socket = new_socket(self._environ.get("XDG_RUNTIME_DIR"))
        while True:
            if self._closing:
                raise UnreachableError(f"{self.place.host}: the connection was closed")
            self._master = Master(self.place, environ=self._environ, socket=socket, more=self._only)
            try:
                self._try(Master.connect)
                return
            except RefusedKeyError:
                if not self._only:
                    raise
                self._only = {}


class Feed:
    """Gives a process its input, in a thread. `trouble` is what went wrong in making it; `since`: since when a piece
    has not been taken."""

    def __init__(self, master: Master) -> None:
        self.trouble: BaseException | None = None
        self.since = math.inf
        self._master = master

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
                    self._master.moved = time.monotonic()
                    self.since = math.inf
        except BaseException as error:
            self.trouble = error
        finally:
            self.since = math.inf
            with suppress(OSError):
                pipe.close()
