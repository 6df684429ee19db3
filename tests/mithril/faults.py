"""What goes wrong between a client and the provider, on purpose: which requests, and how.

`server.faults.add(Fault("drop after", "POST /v2/spot/bids"))` spoils the first matching request from now on. Whether
the provider has acted is what a client cannot see, so each kind says it:

    kind          acted  the client sees
    drop before   no     the connection closes without a reply
    drop after    yes    the same
    status        no     the reply `status` (429, 5xx); 502, 503 and 504 come as a gateway's page
    status after  yes    the same
    late          late   nothing until `seconds` are over or `gate` is set; only then the provider acts and answers
    slow          yes    the same wait, after the provider has acted
    drip          yes    the reply, byte by byte, `seconds` apart
    garbage       yes    a right status with a body that is no JSON
    empty         yes    a right status without a body
    wrong types   yes    each value of the reply in another type
    half          yes    the first half of the reply, then the end of the connection
    too long      yes    a reply that claims `bytes` more than it has; the connection ends when `seconds` are over
    too short     yes    a reply that claims `bytes` fewer than it has: the rest stands where the next reply begins
    close         yes    the whole reply; the connection closes after it, though it said keep-alive
    edit          yes    what `edit` makes of the JSON of the reply
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "drop before",
    "drop after",
    "status",
    "status after",
    "late",
    "slow",
    "drip",
    "garbage",
    "empty",
    "wrong types",
    "half",
    "too long",
    "too short",
    "close",
    "edit",
]
# The others do nothing to a request before the provider has acted on it.
BEFORE = ("drop before", "status", "late")


@dataclass
class Fault:
    """`on` is `METHOD PATH`, a shell pattern. It strikes the `nth` matching request from 1 on, and `times` in a row.

    `reset` has a dropped connection end with RST, not FIN. `retry_after` is the header as it is sent.
    """

    kind: Kind
    on: str = "*"
    nth: int = 1
    times: int = 1
    status: int = 503
    retry_after: str | None = None
    seconds: float = 30.0
    bytes: int = 7
    reset: bool = False
    edit: Callable[[Any], Any] | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    seen: int = 0

    def strikes(self, method: str, path: str) -> bool:
        if not fnmatch.fnmatchcase(f"{method} {path}", self.on):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class Plan:
    """The faults that are to come. Where two strike one request, the one added first does."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self.faults += faults

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            struck = [each for each in self.faults if each.strikes(method, path)]
        return struck[0] if struck else None

    def clear(self) -> None:
        """Forgets them all, and lets go of requests that wait."""
        with self._lock:
            for each in self.faults:
                each.gate.set()
            self.faults.clear()


def other_types(value: Any) -> Any:
    """The same document with each value in a type that it does not have."""
    match value:
        case dict():
            return {name: other_types(each) for name, each in value.items()}
        case list():
            return {str(place): each for place, each in enumerate(value)}
        case bool() | None:
            return "maybe"
        case int() | float():
            return str(value)
        case _:
            return len(value)
