"""Ends a bid from its own machine, once its job has ended on all of them.

This text is sent to the machines with a last line that calls `main`, and runs there as root: the standard library
alone, Python 3.8 or newer. The key stands in the text, a file in memory that only root may read; not in the list of
processes, nor in what is said here.

Where each machine has a state of its own, the others tell the first one when theirs has ended, again and again until
it has heard; who tells proves that he has this text.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STATUS = "/var/lib/foundry/flowc/status.json"
HOSTS = "/etc/hosts"
OVER = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL")
# Beside the UDP port by which machines tell each other of a failure.
PORT = 6818
LOOK_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
CALL_S = 30.0
# What a machine may take beyond its job's time limit until it has said that the job has ended.
LATE_S = 1800.0


class Machine:
    """`url` is the bid's address at the provider, `word` what its machines know each other by, `nodes` how many they
    are, `each`: all of them have a state of their own, else the first alone. `wait_s`: so long after the end somebody
    may still fetch the output. `limit_s`: the job's time limit, None without one."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        word: str,
        nodes: int,
        each: bool,
        wait_s: float,
        limit_s: float | None,
        hosts: str = HOSTS,
    ) -> None:
        self.url = url
        self.key = key
        self.each = each
        self.wait_s = wait_s
        self.limit_s = limit_s
        self.word = word.encode()
        self.hosts = hosts
        self.names: list[tuple[str, str]] = []
        self.nodes = nodes
        self.heard: set[bytes] = set()
        self.file = identity(sys.argv[0])

    def run(self) -> None:
        """Until the bid has ended, or it is not this machine's part to end it."""
        here = socket.gethostname().partition(".")[0]
        self.until(self.knows_all)
        first = self.nodes == 1 or self.names[0][0].partition(".")[0] == here
        if not (first or self.each):
            return
        if first and self.each and self.nodes > 1:
            threading.Thread(target=self.listen, daemon=True).start()
        self.until(lambda: state_of(STATUS) in OVER)
        if not first:
            say("the job has ended here; the first machine ends the bid")
            self.again(lambda: self.tell(here.encode()))
            return
        if self.each and self.nodes > 1:
            late = None if self.limit_s is None else time.monotonic() + self.limit_s + LATE_S
            self.until(lambda: len(self.heard) >= self.nodes - 1 or (late is not None and time.monotonic() > late))
        say(f"the job has ended; its bid is ended in {self.wait_s:.0f} seconds")
        asked = time.monotonic() + self.wait_s
        self.until(lambda: time.monotonic() >= asked)
        self.again(self.end)
        say("the bid is ended")

    def knows_all(self) -> bool:
        """Whether it knows the machines of the bid."""
        self.names = nodes_of(self.hosts) if self.nodes > 1 else []
        return self.nodes == 1 or len(self.names) >= self.nodes

    def end(self) -> str | None:
        """What is in the way of the bid's end, None where it has ended."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=CALL_S)
        try:
            connection.request("DELETE", parts.path, headers={"Authorization": f"Bearer {self.key}"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {getattr(error, 'strerror', None) or 'no reply'}"
        finally:
            connection.close()
        if 200 <= status < 300 or status in (404, 410):
            return None
        return "the provider does not take the key" if status in (401, 403) else f"the provider says {status}"

    def tell(self, who: bytes) -> str | None:
        """What is in the way of the first machine's hearing of the end here."""
        try:
            with socket.create_connection((self.names[0][1], PORT), timeout=CALL_S) as link:
                link.sendall(self.word + b" " + who + b"\n")
                return None if link.recv(2) == b"ok" else "the first machine did not understand"
        except OSError as error:
            return f"the first machine: {error.strerror or 'no reply'}"

    def listen(self) -> None:
        """Hear of the ends on the other machines, for as long as this runs."""
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                door.bind((self.names[0][1], PORT))
                break
            except OSError as error:
                say(f"port {PORT}: {error.strerror}")
                time.sleep(LOOK_S)
        door.listen()
        others = {name.partition(".")[0].encode() for name, _ in self.names[1:]}
        while True:
            link, _ = door.accept()
            with link:
                link.settimeout(LOOK_S)
                try:
                    word, _, who = link.makefile("rb").readline(1000).strip().partition(b" ")
                    if word == self.word and who in others:
                        self.heard.add(who)
                        link.sendall(b"ok")
                except OSError:
                    continue

    def until(self, done: Callable[[], bool]) -> None:
        """Look again and again."""
        while not done():
            self.sleep(LOOK_S)

    def again(self, act: Callable[[], str | None]) -> None:
        """Act until nothing is in the way any more: what would stay behind is paid for."""
        pause, before = FIRST_PAUSE_S, None
        while True:
            trouble = act()
            if trouble is None:
                return
            if trouble != before:
                say(f"the bid is not ended yet: {trouble}")
            before = trouble
            self.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(LONGEST_PAUSE_S, 2 * pause)

    def sleep(self, seconds: float) -> None:
        """Goes on as the new one where another key, or the same again, has been brought meanwhile."""
        end = time.monotonic() + seconds
        while True:
            if self.file is not None and identity(sys.argv[0]) not in (self.file, None):
                begin_anew()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, LOOK_S))


def state_of(path: str) -> str | None:
    """The job's state on this machine, None before it has begun."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found.get("state") if isinstance(found, dict) else None


def nodes_of(path: str) -> list[tuple[str, str]]:
    """Name and address of each machine of the bid; the first of them is the last line."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split("#")[0].split()
            if len(words) > 1 and set(words[0]) <= set("0123456789.") and not words[0].startswith("127"):
                found.append((words[1], words[0]))
    return found[::-1]


def identity(path: str) -> tuple[int, int] | None:
    """What tells a file from one that has taken its place."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def begin_anew() -> None:
    """Become what stands in the file now."""
    os.execv(sys.executable, [sys.executable, "-I", sys.argv[0]])


def say(text: str) -> None:
    """To the machine's journal."""
    print(f"flowc: {text}", flush=True)


def last_line(url: str, key: str, how: dict[str, object]) -> str:
    """What stands at the end of the text that is sent."""
    return f"main({url!r}, {key!r}, **{how!r})\n"


def main(url: str, key: str, **how: object) -> None:
    """See Machine."""
    machine = Machine(url, key, **how)  # type: ignore[arg-type]
    # Another text may have taken the place of this one since the interpreter has read it.
    try:
        with open(sys.argv[0], encoding="utf-8") as file:
            there = file.read()
    except OSError:
        there = ""
    if there and not there.endswith(last_line(url, key, how)):
        begin_anew()
    machine.run()
