"""One call to the API: paced, repeated where that is safe, its reply read as JSON, its mistakes put in a sentence.

What may be repeated: everything that the server has not seen or has turned away before acting (no connection, 429), and
beyond that what reads or does the same thing twice (GET, PATCH, DELETE). A POST whose outcome is not known is never
repeated here: who sent it has to look what exists.
"""

from __future__ import annotations

from flowc.providers.errors import (
    MalformedReplyError,
    OutcomeUnknownError,
    ProviderError,
    UnavailableError,
)
from flowc.providers.mithril.network import NoReplyError, NotSentError
from flowc.providers.mithril.transport import AGENT, Reply, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flowc.providers.mithril.pace import Pace
    from flowc.providers.mithril.transport import Transport

ATTEMPTS = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
# Longer than this nobody waits for a server that asks to come back later.
LONGEST_RETRY_AFTER_S = 60.0
# The whole of one attempt, however slowly it drips.
WITHIN_TIMEOUTS = 4


class Calls:
    """`key` and `base` (address without `/v2`) are the user's; `now`, `sleep` and `random` (0 to 1) are the world's.
    `tell` hears of the method and path of each call that is made."""

    def __init__(
        self,
        transport: Transport,
        *,
        key: str,
        base: str,
        timeout_s: float,
        pace: Pace,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        random: Callable[[], float],
        tell: Callable[[str, str], None] = lambda method, path: None,
    ) -> None:
        self._transport = transport
        self._key = key
        self._base = base.rstrip("/")
        self._timeout_s = timeout_s
        self._pace = pace
        self._now = now
        self._sleep = sleep
        self._random = random
        self._tell = tell

    def close(self) -> None:
        """Give back the connections."""
        self._transport.close()

    def get(self, path: str, query: Mapping[str, str | None] | None = None) -> Any:
        """What a GET of `path` (`/v2/…`) gives. Raises ProviderError; never OutcomeUnknownError."""
        reply = self._send("GET", path, query=query)
        return self._json(reply, path)

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """What a POST gives. `key` goes along as Idempotency-Key, in case that the server knows it; nothing relies on
        it. Raises OutcomeUnknownError where the server may have acted and nothing tells."""
        reply = self._send("POST", path, body=body, key=key)
        try:
            return self._json(reply, path)
        except MalformedReplyError as error:
            raise OutcomeUnknownError(error.message, request_id=error.request_id) from None

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """What a PATCH gives. Raises as `get`."""
        return self._json(self._send("PATCH", path, body=body), path)

    def delete(self, path: str) -> None:
        """Raises as `get`."""
        self._send("DELETE", path)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Reply:
        """A reply of the two hundreds. Raises ProviderError."""
        request = self._request(method, path, query, body, key)
        self._tell(method, request.url[len(self._base) :])
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            self._pace.wait()
            try:
                reply = self._transport.send(request)
            except NotSentError as error:
                failure: ProviderError = UnavailableError(
                    f"{self._base} cannot be reached: {error}", help="is the network up? `flowc doctor` looks"
                )
            except NoReplyError as error:
                if method == "POST":
                    raise OutcomeUnknownError(f"no reply to POST {path}: {error}") from None
                failure = UnavailableError(f"no reply to {method} {path}: {error}")
            else:
                if 200 <= reply.status < 300:
                    return reply
                if not self._may_repeat(method, reply.status):
                    raise self._failed(method, path, reply)
                failure = self._failed(method, path, reply)
                asked = retry_after(reply.headers.get("retry-after"), self._now())
                if asked is not None and not last:
                    if asked > LONGEST_RETRY_AFTER_S:
                        raise failure
                    self._sleep(asked + self._random())
                    continue
            if last:
                raise failure
            self._sleep(self._random() * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt))
        raise AssertionError("unreachable")

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | None] | None,
        body: Mapping[str, Any] | None,
        key: str | None,
    ) -> Request:
        from urllib.parse import urlencode

        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self._base + path + (f"?{urlencode(given)}" if given else "")
        headers = [("Authorization", f"Bearer {self._key}"), ("Accept", "application/json"), ("User-Agent", AGENT)]
        data = None
        if body is not None:
            import json

            data = json.dumps(body, ensure_ascii=False).encode()
            headers.append(("Content-Type", "application/json"))
        if key is not None:
            headers.append(("Idempotency-Key", key))
        return Request(
            method=method,
            url=url,
            headers=tuple(headers),
            body=data,
            timeout_s=self._timeout_s,
            within_s=self._timeout_s * WITHIN_TIMEOUTS,
        )

    def _may_repeat(self, method: str, status: int) -> bool:
        return status == 429 or (method != "POST" and status in (408, 500, 502, 503, 504))

    def _failed(self, method: str, path: str, reply: Reply) -> ProviderError:
        from flowc.providers.mithril.replies import of_reply

        return of_reply(method, path, reply)

    def _json(self, reply: Reply, path: str) -> Any:
        import json

        if reply.status == 204 or not reply.body:
            return None
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            from flowc.providers.mithril.replies import number_of

            raise MalformedReplyError(f"the reply of {path} is no JSON", request_id=number_of(reply)) from None


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After in either form, seconds or a date; None without a readable one. `now` is in
    seconds since the epoch."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0.0, moment.timestamp() - now) if moment.tzinfo is not None else None
