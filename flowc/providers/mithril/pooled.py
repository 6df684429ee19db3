"""Sends requests by httpx2, the kept successor of httpx (whose last release is of 2024): for commands that make many.

Repeating and judging are not done here: see `calls`. A redirect is not followed, since it would take the key along.
"""

from __future__ import annotations

from time import monotonic

import httpx2

from flowc.providers.mithril.network import NoReplyError, NotSentError, root_of, tls_context, whole, words
from flowc.providers.mithril.transport import Reply, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.providers.mithril.network import Proxy


class PooledTransport:
    """Connections are kept and may be used by several threads. `proxy` is asked instead of the server."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._through = "" if proxy is None else f" (by the proxy {proxy.address})"
        its = None if proxy is None else httpx2.Proxy(proxy.address, headers=proxy.headers)
        self._client = httpx2.Client(follow_redirects=False, verify=tls_context(), proxy=its, trust_env=False)

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
                body = whole(reply.iter_bytes(), deadline, monotonic)
                headers = {name.lower(): value for name, value in reply.headers.items()}
                return Reply(status=reply.status_code, headers=headers, body=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
            raise NotSentError(_words(error) + self._through) from None
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


def _words(error: Exception) -> str:
    """What went wrong, for people."""
    if isinstance(error, httpx2.ProxyError):
        status = str(error).partition(" ")[0]
        return f"the proxy refuses with status {status}" if status.isdigit() else "the proxy refuses"
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    return words(root_of(error))
