"""What reached the server and what came of it, for tests to count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MASK = "fkey_(masked)"


@dataclass
class Call:
    """One request. `headers` come without the authorization; `key_elsewhere` says that a key stood somewhere else in
    the request. `status` is what was answered, `None` where no whole reply was sent; `fault` what was done to it.
    `body` is the JSON value, or the bytes where they are none."""

    number: int
    at: datetime
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    key_elsewhere: bool = False
    status: int | None = None
    fault: str | None = None
    request_id: str = ""
    connection: int = 0


@dataclass
class Effect:
    """Something that changed: `what` happened to the thing of this FID, by which call (`None`: by the clock)."""

    what: str
    fid: str
    at: datetime
    call: int | None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Log:
    calls: list[Call] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def sent(self, method: str, path: str) -> list[Call]:
        """The calls of a method whose path begins with `path`."""
        return [each for each in self.calls if each.method == method and each.path.startswith(path)]

    def done(self, what: str) -> list[Effect]:
        return [each for each in self.effects if each.what == what]
