"""Sends one HTTP request and gives the reply: the seam below which a library does the work.

Two of them: `PlainTransport` on the standard library, for commands that make a call or two and whose start is felt, and
`flowc.providers.mithril.pooled`, on httpx, for those that make many. TLS is always verified by both.
"""

from __future__ import annotations

from flowc.providers.mithril.network import NoReplyError, NotSentError, tls_context, whole, words
from flowc.record import Record
from flowc.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPConnection, HTTPResponse
    from typing import Any, Protocol

    from flowc.providers.mithril.network import Proxy

    class Transport(Protocol):
        """Sends requests. `headers` hold the key and are never shown."""

        def send(self, request: Request) -> Reply:
            """Raises NotSentError where the server cannot have acted, NoReplyError where it may have."""

        def close(self) -> None:
            """Give back the connections."""


AGENT = f"flowc/{VERSION}"


class Request(Record):
    """`url` is whole; `timeout_s` is for connecting and for each wait for bytes, `within_s` for all of it."""

    UNSHOWN = ("headers",)

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    timeout_s: float
    within_s: float


class Reply(Record):
    """`headers` have names in small letters. What a server says may be what it was told, key and all."""

    UNSHOWN = ("headers", "body")

    status: int
    headers: dict[str, str]
    body: bytes


class PlainTransport:
    """One connection a host, kept open between requests; of one thread. `proxy` is asked instead of the server."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._proxy = proxy
        self._through = "" if proxy is None else f" (by the proxy {proxy.address})"
        self._connections: dict[tuple[str, str], HTTPConnection] = {}

    def send(self, request: Request) -> Reply:
        """See Transport."""
        from http.client import HTTPException
        from time import monotonic
        from urllib.parse import urlsplit

        parts = urlsplit(request.url)
        place = (parts.scheme, parts.netloc)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = dict(request.headers)
        if self._proxy is not None and parts.scheme == "http":
            target, headers = request.url, {**headers, **self._proxy.headers}
        kept = place in self._connections
        deadline = monotonic() + request.within_s
        while True:
            connection = self._connection(place, request.timeout_s)
            connection.response_class = _bounded(deadline, monotonic)
            try:
                if connection.sock is None:
                    connection.connect()
            except (OSError, HTTPException, UnicodeError) as error:
                self._drop(place)
                raise NotSentError(words(error) + self._through) from None
            try:
                connection.request(request.method, target, body=request.body, headers=headers)
                reply = connection.getresponse()
                body = _body(reply, deadline, monotonic)
                its = {name.lower(): value for name, value in reply.getheaders()}
                if reply.will_close:
                    self._drop(place)
                return Reply(status=reply.status, headers=its, body=body)
            except (OSError, HTTPException, ValueError, NoReplyError) as error:
                self._drop(place)
                if kept and request.method == "GET" and monotonic() < deadline:
                    # A connection that was kept may have been closed by the server while nobody looked.
                    kept = False
                    continue
                raise error if isinstance(error, NoReplyError) else NoReplyError(words(error)) from None

    def close(self) -> None:
        """See Transport."""
        for place in list(self._connections):
            self._drop(place)

    def _connection(self, place: tuple[str, str], timeout_s: float) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        if place not in self._connections:
            scheme, host = place
            proxy = self._proxy
            at = host if proxy is None else proxy.address.removeprefix("http://")
            if scheme == "https":
                secure = HTTPSConnection(at, timeout=timeout_s, context=tls_context())
                if proxy is not None:
                    secure.set_tunnel(host, headers=proxy.headers)
                self._connections[place] = secure
            else:
                self._connections[place] = HTTPConnection(at, timeout=timeout_s)
        return self._connections[place]

    def _drop(self, place: tuple[str, str]) -> None:
        connection = self._connections.pop(place, None)
        if connection is not None:
            connection.close()


def _bounded(deadline: float, now: Callable[[], float]) -> type[HTTPResponse]:
    """Replies of which no byte is waited for beyond the deadline: one that drips within its headers would be read for
    as long as it goes on."""
    from http.client import HTTPResponse
    from io import BufferedReader, RawIOBase

    class Raw(RawIOBase):
        def __init__(self, its: RawIOBase) -> None:
            self._its = its

        def readable(self) -> bool:
            return True

        def readinto(self, room: Any) -> int | None:
            if now() > deadline:
                raise NoReplyError("the reply takes too long")
            return self._its.readinto(room)

        def close(self) -> None:
            self._its.close()
            super().close()

    class Bounded(HTTPResponse):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.fp = BufferedReader(Raw(self.fp.detach()))

    return Bounded


def _body(reply: HTTPResponse, deadline: float, now: Callable[[], float]) -> bytes:
    """The whole body. Raises NoReplyError, HTTPException or OSError for what is not whole, or not read to its end."""
    if reply.length is None and not reply.chunked:
        # Such a reply ends with the connection, as one does that was cut within its headers.
        raise NoReplyError("the reply does not say how long it is")
    body = whole(iter(lambda: reply.read1(65536), b""), deadline, now)
    if reply.length:
        raise NoReplyError(f"{reply.length} bytes of the reply are missing")
    reply.close()  # the connection is free for the next one
    return body
