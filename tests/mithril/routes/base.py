"""What all routes share: the request as they get it, pages, and the forms of times and money."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.mithril import rules
from tests.mithril.parts.model import User
from tests.mithril.rules import Check, Fields, Refused
from tests.mithril.state import State

PAGING: dict[str, Check] = {
    "next_cursor": rules.text(),
    "limit": rules.word_whole(1, 100),
    "sort_dir": rules.one_of("asc", "desc"),
}


@dataclass
class Request:
    """`path` holds the ids of the path in order, `query` the last of each word, `raw` the JSON value of the body."""

    state: State
    user: User
    path: tuple[str, ...]
    query: dict[str, str]
    raw: Any
    headers: dict[str, str]

    def words(self, checks: dict[str, Check], *required: str) -> dict[str, Any]:
        fields = {name: (name in required, check) for name, check in checks.items()}
        return dict(rules.apply(rules.record(fields), self.query, "query"))

    def body(self, fields: Fields) -> dict[str, Any]:
        return dict(rules.apply(rules.record(fields), self.raw, "body"))

    def project(self, fid: str) -> str:
        """The project, where it exists and the user may see it."""
        if fid not in self.state.projects:
            raise Refused(404, "Project not found")
        if fid not in self.user.projects:
            raise Refused(403, "You have no access to this project")
        return fid


@dataclass
class Reply:
    status: int
    body: Any = None


Handler = Callable[[Request], Reply]


def time(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat().replace("+00:00", "Z")


def page(
    request: Request, rows: Sequence[Any], key: Callable[[Any], tuple[Any, ...]], show: Callable[[Any], Any]
) -> Any:
    """`limit` of the rows that come after the cursor. `key` orders them, and no two have one key, so rows that arrive
    meanwhile shift nothing."""
    words = request.words(PAGING)
    downwards = words.get("sort_dir", "desc") == "desc"
    ordered = sorted(rows, key=key, reverse=downwards)
    if "next_cursor" in words:
        last = _read_cursor(words["next_cursor"])
        try:
            ordered = [each for each in ordered if (key(each) < last if downwards else key(each) > last)]
        except TypeError:
            raise _bad_cursor() from None
    size = words.get("limit", request.state.quirks.page)
    more = len(ordered) > size
    shown = ordered[:size]
    return {"data": [show(each) for each in shown], "next_cursor": _cursor(key(shown[-1])) if more else None}


def _cursor(key: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _read_cursor(text: str) -> tuple[Any, ...]:
    try:
        found = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad_cursor() from None
    if not isinstance(found, list) or not found:
        raise _bad_cursor()
    return tuple(found)


def _bad_cursor() -> Refused:
    return Refused(422, [{"loc": ["query", "next_cursor"], "msg": "Invalid cursor", "type": "value_error"}])
