"""A provider in memory, whose calls go wrong by a plan; and the clock that it lives by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowc.providers.base import Made
from flowc.providers.errors import (
    AuthenticationError,
    ConflictError,
    MalformedReplyError,
    OutcomeUnknownError,
    RateLimitError,
    UnavailableError,
    ValidationError,
)


class Crash(BaseException):
    """The process is gone: nothing after this line runs."""


# What may happen to one call. `late`: no reply, and it acts some seconds later. `odd`: a reply that cannot be read.
FAULTS = ("ok", "lost-before", "lost-after", "late", "odd", "away", "busy", "denied", "crash-before", "crash-after")


class World:
    """Time, and a provider. `faults` are taken one for each call, then all is well."""

    def __init__(self, faults: tuple[str, ...] = ()) -> None:
        self.name = "fake"
        self.time = 1000.0
        self.faults = list(faults)
        self.alive: dict[str, list[Made]] = {"bid": [], "volume": []}
        self.over: list[Made] = []
        self.coming: list[tuple[float, str, Mapping[str, Any]]] = []
        self.created = 0
        self.ended: list[str] = []
        self.changed: list[tuple[str, dict[str, Any]]] = []
        self.refuses: str | None = None

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        for due in [each for each in self.coming if each[0] <= self.time]:
            self.coming.remove(due)
            self.act(due[1], due[2])

    def act(self, kind: str, body: Mapping[str, Any]) -> Made:
        if kind == "volume" and any(each.name == body["name"] for each in self.alive["volume"]):
            raise ConflictError("name already used")
        self.created += 1
        made = Made(
            identity=f"{kind}_{self.created}", name=body["name"], created_at=f"{self.time:09.1f}", body=dict(body)
        )
        self.alive[kind].append(made)
        return made

    def fault(self) -> str:
        self.time += 0.5
        return self.faults.pop(0) if self.faults else "ok"

    def create(self, kind: str, body: Mapping[str, Any], *, key: str) -> Made:
        fault = self.fault()
        if self.refuses is not None and self.refuses == body["name"]:
            raise ValidationError("no")
        if fault == "crash-before":
            raise Crash
        if fault == "away":
            raise UnavailableError("nobody there")
        if fault == "busy":
            raise RateLimitError("later")
        if fault == "denied":
            raise AuthenticationError("who is it?", status=401)
        if fault == "lost-before":
            raise OutcomeUnknownError("no reply")
        if fault == "late":
            self.coming.append((self.time + 20, kind, body))
            raise OutcomeUnknownError("no reply")
        made = self.act(kind, body)
        if fault == "crash-after":
            raise Crash
        if fault in ("lost-after", "odd"):
            raise OutcomeUnknownError("no reply")
        return made

    def find(self, kind: str, name: str, body: Mapping[str, Any]) -> list[Made]:
        self.reads()
        there = self.alive[kind] + [each for each in self.over if kind == "bid"]
        return sorted((each for each in there if each.name == name), key=lambda each: (each.created_at, each.identity))

    def change(self, kind: str, identity: str, changes: Mapping[str, Any]) -> None:
        self.reads()
        self.changed.append((identity, dict(changes)))

    def end(self, kind: str, identity: str) -> None:
        self.reads()
        self.over += [each for each in self.alive[kind] if each.identity == identity and kind == "bid"]
        self.alive[kind] = [each for each in self.alive[kind] if each.identity != identity]
        self.ended.append(identity)

    def reads(self) -> None:
        """A call that does the same thing twice."""
        fault = self.fault()
        if fault.startswith("crash"):
            raise Crash
        if fault == "odd":
            raise MalformedReplyError("no JSON")
        if fault == "denied":
            raise AuthenticationError("who is it?", status=401)
        if fault != "ok":
            raise UnavailableError("nobody there")
