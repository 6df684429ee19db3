"""From a request to its answer, without a wire: who asks, which route, what is refused and in which form."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from tests.mithril.faults import Fault, other_types
from tests.mithril.parts.log import MASK, Call
from tests.mithril.parts.model import User
from tests.mithril.routes import account, bids, instances, markets, volumes
from tests.mithril.routes.base import Handler, Request
from tests.mithril.rules import Refused
from tests.mithril.state import State

ROUTES: dict[tuple[str, str], Handler] = {
    **account.ROUTES,
    **markets.ROUTES,
    **volumes.ROUTES,
    **bids.ROUTES,
    **instances.ROUTES,
}
GATEWAY = (502, 503, 504)
WORDS = {429: "Too many requests", 500: "Internal server error"}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^/]+?\\\}", "([^/]+)", re.escape(path)))


_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
_PATTERNS = [(method, path, _pattern(path)) for method, path in ROUTES]


@dataclass
class Answer:
    """`body` is JSON, or bytes that go out as they are; nothing of it where `status` is 204."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def data(self) -> bytes:
        if self.status == 204:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @classmethod
    def failure(cls, status: int, headers: dict[str, str], request_id: str) -> Answer:
        """What an overload looks like, or a gateway that speaks in the provider's place and knows no request id."""
        if status in GATEWAY:
            page = (
                f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>\r\n"
            )
            return cls(status, page.encode(), headers, "text/html")
        return cls(status, {"detail": WORDS.get(status, "Error")}, {**headers, "x-request-id": request_id})

    def spoiled(self, fault: Fault) -> Answer:
        match fault.kind:
            case "garbage":
                return replace(self, body=b'{"data": [\x00\xff, <!DOCTYPE html>')
            case "empty":
                return replace(self, body=b"")
            case "wrong types":
                return replace(self, body=other_types(self.body))
            case "edit":
                assert fault.edit is not None, "a fault of kind `edit` needs one"
                return replace(self, body=fault.edit(json.loads(json.dumps(self.body))))
        return self


class Provider:
    """Answers calls. `monotonic` is the time that the limit of requests a minute counts."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.monotonic = time.monotonic
        self._recent: list[float] = []
        self._queries: dict[int, tuple[dict[str, str], dict[str, str]]] = {}

    def receive(self, method: str, path: str, query: str, headers: dict[str, str], data: bytes) -> Call:
        """Writes the request down, without any key."""
        state = self.state
        lower = {name.lower(): value for name, value in headers.items()}
        words = {name: value for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True)}
        shown = {name: value for name, value in lower.items() if name != "authorization"}
        try:
            body = json.loads(data, parse_constant=_refuse) if data else None
        except (ValueError, RecursionError):
            body = data
        with state.lock:
            kept = [path, json.dumps(words), json.dumps(shown), data.decode("utf-8", "replace")]
            leaked = any(key in text for key in state.users for text in kept)
            call = Call(len(state.log.calls) + 1, state.clock.now, method, path, words, shown, body, leaked)
            if leaked:
                call.path = self._masked(path)
                call.query, call.headers = self._masked(words), self._masked(shown)
                call.body = self._masked(body)
            call.request_id = str(uuid.UUID(int=call.number, version=4))
            state.log.calls.append(call)
            self._queries[call.number] = (words, lower)
        return call

    def _masked(self, value: Any) -> Any:
        text = json.dumps(value) if not isinstance(value, bytes) else value.decode("utf-8", "replace")
        for key in self.state.users:
            text = text.replace(key, MASK)
        return json.loads(text) if not isinstance(value, bytes) else text.encode()

    def answer(self, call: Call) -> Answer:
        """Acts, and says what came of it."""
        with self.state.lock:
            self.state.calling = call.number
            try:
                answer = self._act(call, *self._queries.pop(call.number))
            except Refused as refused:
                answer = Answer(refused.status, {"detail": refused.detail}, dict(refused.headers))
            finally:
                self.state.calling = None
        answer.headers["x-request-id"] = call.request_id
        return answer

    def _act(self, call: Call, words: dict[str, str], headers: dict[str, str]) -> Answer:
        handler, ids = _route(call.method, call.path)
        user = self._user(headers.get("authorization", ""))
        self._rate()
        if call.body is not None and call.method in ("POST", "PATCH", "PUT"):
            media = headers.get("content-type", "").split(";")[0].strip().lower()
            if media != "application/json" or isinstance(call.body, bytes):
                raise Refused(422, [{"loc": ["body"], "msg": "JSON decode error", "type": "json_invalid"}])
        reply = handler(Request(self.state, user, ids, words, call.body, headers))
        body = _with_extra_keys(reply.body) if self.state.quirks.extra_keys else reply.body
        return Answer(reply.status, _with_offsets(body) if self.state.quirks.times == "offset" else body)

    def _user(self, authorization: str) -> User:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refused(401, "Not authenticated", {"www-authenticate": "Bearer"})
        user = self.state.users.get(key.strip())
        if user is None:
            user = next(
                (
                    each
                    for made in self.state.api_keys.values()
                    for each in self.state.users.values()
                    if made.secret == key.strip() and made.expires_at > self.state.clock.now and each.fid == made.user
                ),
                None,
            )
        if user is None:
            raise Refused(401, "Invalid API key", {"www-authenticate": "Bearer"})
        return user

    def _rate(self) -> None:
        quirks, now = self.state.quirks, self.monotonic()
        if quirks.rate_per_minute is None:
            return
        self._recent = [each for each in self._recent if each > now - 60]
        if len(self._recent) >= quirks.rate_per_minute:
            wait = max(1, round(self._recent[0] + 60 - now))
            form = {"seconds": str(wait), "date": formatdate(time.time() + wait, usegmt=True), "none": ""}
            value = form[quirks.retry_after]
            raise Refused(429, WORDS[429], {"retry-after": value} if value else {})
        self._recent.append(now)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _route(method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
    found = [(each, name, match) for each, name, pattern in _PATTERNS if (match := pattern.fullmatch(path))]
    if not found:
        raise Refused(404, "Not Found")
    for each, name, match in found:
        if each == method:
            return ROUTES[method, name], tuple(urllib.parse.unquote(text) for text in match.groups())
    raise Refused(405, "Method Not Allowed", {"allow": ", ".join(sorted({each for each, _, _ in found}))})


def _with_offsets(value: Any) -> Any:
    """Each time of the reply has a numeric offset."""
    if isinstance(value, dict):
        return {name: _with_offsets(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_offsets(each) for each in value]
    return re.sub("Z$", "+00:00", value) if isinstance(value, str) and _TIME.fullmatch(value) else value


def _with_extra_keys(value: Any) -> Any:
    """Each object of the reply has something that no document speaks of."""
    if isinstance(value, dict):
        return {**{name: _with_extra_keys(each) for name, each in value.items()}, "x_new_field": {"a": [1, None]}}
    return [_with_extra_keys(each) for each in value] if isinstance(value, list) else value
