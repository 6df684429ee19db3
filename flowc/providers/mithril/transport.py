"""Sends one HTTP request and gives the reply: the seam below which a library does the work.

Two of them: `PlainTransport` on the standard library, for commands that make a call or two and whose start is felt, and
`flowc.providers.mithril.pooled`, on httpx, for those that make many. TLS is always verified by both.
"""

from __future__ import annotations

from flowc.record import Record
from flowc.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPConnection, HTTPResponse
    from typing import Protocol

    class Transport(Protocol):
        """Sends requests. `headers` hold the key and are never shown."""

        def send(self, request: Request) -> Reply:
            """Raises NotSentError where the server cannot have acted, NoReplyError where it may have."""

        def close(self) -> None:
            """Give back the connections."""


# The largest reply that is read: a page of a hundred bids with their startup scripts has some 1.5 MB.
MOST_BYTES = 64_000_000
AGENT = f"flowc/{VERSION}"


class NotSentError(Exception):
    """The request has not reached the server: no name, no connection, no TLS."""


class NoReplyError(Exception):
    """The request was sent, at least in part, and no whole reply came: it may have acted."""


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
    """One connection a host, kept open between requests; of one thread."""

    def __init__(self) -> None:
        self._connections: dict[tuple[str, str], HTTPConnection] = {}

    def send(self, request: Request) -> Reply:
        """See Transport."""
        from http.client import HTTPException
        from time import monotonic
        from urllib.parse import urlsplit

        parts = urlsplit(request.url)
        place = (parts.scheme, parts.netloc)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        kept = place in self._connections
        deadline = monotonic() + request.within_s
        while True:
            connection = self._connection(place, request.timeout_s)
            try:
                if connection.sock is None:
                    connection.connect()
            except (OSError, HTTPException, UnicodeError) as error:
                self._drop(place)
                raise NotSentError(_words(error)) from None
            try:
                connection.request(request.method, target, body=request.body, headers=dict(request.headers))
                reply = connection.getresponse()
                body = _read(reply, deadline, monotonic)
                headers = {name.lower(): value for name, value in reply.getheaders()}
                if reply.will_close:
                    self._drop(place)
                return Reply(status=reply.status, headers=headers, body=body)
            except (OSError, HTTPException, ValueError, _CutError) as error:
                self._drop(place)
                if kept and request.method == "GET" and monotonic() < deadline:
                    # A connection that was kept may have been closed by the server while nobody looked.
                    kept = False
                    continue
                raise NoReplyError(_words(error)) from None

    def close(self) -> None:
        """See Transport."""
        for place in list(self._connections):
            self._drop(place)

    def _connection(self, place: tuple[str, str], timeout_s: float) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        if place not in self._connections:
            scheme, host = place
            if scheme == "https":
                import ssl

                context = ssl.create_default_context()
                self._connections[place] = HTTPSConnection(host, timeout=timeout_s, context=context)
            else:
                self._connections[place] = HTTPConnection(host, timeout=timeout_s)
        return self._connections[place]

    def _drop(self, place: tuple[str, str]) -> None:
        connection = self._connections.pop(place, None)
        if connection is not None:
            connection.close()


class _CutError(Exception):
    """A reply that is not whole, or not one that we read to its end."""


def _read(reply: HTTPResponse, deadline: float, now: Callable[[], float]) -> bytes:
    """The whole body, within the deadline and the bound. Raises _CutError, HTTPException or OSError for what is not."""
    if reply.length is None and not reply.chunked:
        # Such a reply ends with the connection, as one does that was cut within its headers.
        raise _CutError("the reply does not say how long it is")
    parts, size = [], 0
    while part := reply.read1(65536):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise _CutError(f"the reply has more than {MOST_BYTES:,} bytes")
        if now() > deadline:
            raise _CutError("the reply takes too long")
    if reply.length:
        raise _CutError(f"{reply.length} bytes of the reply are missing")
    reply.close()  # the connection is free for the next one
    return b"".join(parts)


def _words(error: Exception) -> str:
    """What went wrong, for people, without what a server could put into it."""
    import socket
    import ssl

    if isinstance(error, _CutError):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS as it should"
    if isinstance(error, socket.gaierror):
        return "its name is not known here"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return "the connection was closed before the whole reply came"
