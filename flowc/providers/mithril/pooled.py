"""Sends requests by httpx2, the kept successor of httpx (whose last release is of 2024): for commands that make many.

Repeating and judging are not done here: see `calls`. Proxies are taken from the environment, as other tools do; a
redirect is not followed, since it would take the key along.
"""

from __future__ import annotations

from time import monotonic

import httpx2

from flowc.providers.mithril.transport import MOST_BYTES, NoReplyError, NotSentError, Reply, Request


class PooledTransport:
    """Connections are kept and may be used by several threads."""

    def __init__(self) -> None:
        self._client = httpx2.Client(follow_redirects=False, verify=True)

    def send(self, request: Request) -> Reply:
        """See Transport."""
        deadline = monotonic() + request.within_s
        try:
            with self._client.stream(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.body,
                timeout=request.timeout_s,
            ) as reply:
                body = self._body(reply, deadline)
                headers = {name.lower(): value for name, value in reply.headers.items()}
                return Reply(status=reply.status_code, headers=headers, body=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
            raise NotSentError(_words(error)) from None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
            raise NotSentError("its address is none") from None
        except httpx2.HTTPError as error:
            raise NoReplyError(_words(error)) from None

    def close(self) -> None:
        """See Transport."""
        self._client.close()

    def __del__(self) -> None:
        # Whoever lets go of a provider in the middle of a program lets go of its connections.
        if hasattr(self, "_client"):
            self._client.close()

    def _body(self, reply: httpx2.Response, deadline: float) -> bytes:
        parts, size = [], 0
        for part in reply.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise NoReplyError(f"the reply has more than {MOST_BYTES:,} bytes")
            if monotonic() > deadline:
                raise NoReplyError("the reply takes too long")
        return b"".join(parts)


def _words(error: Exception) -> str:
    """What went wrong, for people."""
    text = str(error).lower()
    if "certificate" in text:
        return "its certificate is not good"
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    if "name or service" in text or "getaddrinfo" in text or "nodename" in text or "name resolution" in text:
        return "its name is not known here"
    if "refused" in text:
        return "nobody listens there"
    if isinstance(error, httpx2.ConnectError):
        return "no connection could be made"
    return "the connection was closed before the whole reply came"
