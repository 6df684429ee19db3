"""API keys for machines that end their bid themselves: one each time that one is brought, which ends by itself, and is
revoked when the bid has ended. The provider makes none that may do less than the user's own.

The journal knows of each before it is made; the key itself is kept nowhere.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from flowc.providers.errors import (
    REFUSED,
    AuthenticationError,
    OutcomeUnknownError,
    ProviderError,
    UnavailableError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.providers.base import Provider
    from flowc.submit.journal import Bid, Journal

# What a key lives beyond the time limit: images are pulled, and a provider that is away is asked again. Without a time
# limit it lives so long as a whole.
LATE_S, UNLIMITED_S = 86400.0, 30 * 86400.0
# It is brought anew before it ends.
LEFT_S = 3600.0


class NoKeyMadeError(Exception):
    """The provider makes no key."""


class Keys:
    """`now` gives seconds since the epoch."""

    def __init__(self, journal: Journal, provider: Provider, *, now: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._provider = provider
        self._now = now

    def alive(self, bid: Bid) -> bool:
        """Whether a key that was made for the machines of a bid can still be used. Raises ProviderError."""
        return any(
            each.made is not None
            and each.expires_at > self._now() + LEFT_S
            and self._provider.find("key", each.name, {})
            for each in self._journal.keys(bid.key, bid.number)
        )

    def make(self, bid: Bid, limit_s: float | None) -> str:
        """A new key. Raises NoKeyMadeError where the provider makes none, other ProviderErrors where it may do so
        later."""
        for each in self._journal.keys(bid.key, bid.number):
            if each.made is None:  # nobody has it
                self._revoke(each.name, None)
        life_s = UNLIMITED_S if limit_s is None else limit_s + LATE_S
        expires_at = self._now() + life_s
        import secrets

        name = f"flowc-{bid.key}-{bid.number}-{secrets.token_hex(4)}"
        self._journal.key_wanted(bid.key, bid.number, name, expires_at)
        body = {"name": name, "expires_at": datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        try:
            made = self._provider.create("key", body, key=name)
        except OutcomeUnknownError as error:
            raise UnavailableError(error.message) from None
        except REFUSED as error:
            self._journal.key_gone(name)
            raise NoKeyMadeError(str(error)) from None
        except AuthenticationError as error:
            self._journal.key_gone(name)
            if error.status != 403:
                raise
            raise NoKeyMadeError(str(error)) from None
        self._journal.key_made(name, made.identity)
        return str(made.body["secret"])

    def revoke(self, bid: Bid) -> None:
        """End those of a bid that has ended. What cannot be ended now ends by itself."""
        for each in self._journal.keys(bid.key, bid.number):
            with suppress(ProviderError):
                self._revoke(each.name, each.made)

    def _revoke(self, name: str, made: str | None) -> None:
        for identity in (made,) if made is not None else [row.identity for row in self._provider.find("key", name, {})]:
            self._provider.end("key", identity)
        self._journal.key_gone(name)
