"""The moments of a process at which something outside of it is about to change, or just has: each can be cut.

They are: a change of the journal before and after it is durable, a call before it is sent and after its reply is read,
and each pause. `watched` counts them, and does something at one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from flowc.providers.mithril.pooled import PooledTransport
from flowc.providers.mithril.transport import PlainTransport
from flowc.submit.store.transaction import CHANGE, Transaction


class Moments:
    """Counts from 1. At number `at`, `act` is called with the moment's words; once `over` is set, so it is at each that
    follows: a process that is gone does nothing more. Without `pauses` they are none: who waits has no end of them."""

    def __init__(
        self, at: int | None = None, act: Callable[[str], None] = lambda what: None, *, pauses: bool = True
    ) -> None:
        self.at = at
        self.pauses = pauses
        self.act = act
        self.over = False
        self.passed: list[str] = []

    def come(self, what: str) -> None:
        self.passed.append(what)
        if self.over or len(self.passed) == self.at:
            self.act(what)


@contextmanager
def watched(moments: Moments) -> Iterator[None]:
    """Whatever this process does through the journal and the provider's API comes by `moments` meanwhile."""
    leave = Transaction.__exit__

    def leaving(self: Any, kind: Any, error: Any, trace: Any) -> None:
        if self._begin != CHANGE or error is not None:
            leave(self, kind, error, trace)
            return
        try:
            moments.come("before a change of the journal")
        except BaseException as cut:
            leave(self, type(cut), cut, cut.__traceback__)
            raise
        leave(self, kind, error, trace)
        moments.come("after a change of the journal")

    def sending(send: Any) -> Any:
        def sends(self: Any, request: Any) -> Any:
            moments.come(f"before {request.method}")
            reply = send(self, request)
            moments.come(f"after {request.method}")
            return reply

        return sends

    sleep = time.sleep

    def sleeping(seconds: float) -> None:
        if moments.pauses:
            moments.come("before a pause")
        sleep(seconds)

    with (
        mock.patch.object(Transaction, "__exit__", leaving),
        mock.patch.object(PlainTransport, "send", sending(PlainTransport.send)),
        mock.patch.object(PooledTransport, "send", sending(PooledTransport.send)),
        mock.patch.object(time, "sleep", sleeping),
    ):
        yield
