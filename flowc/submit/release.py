"""What has the machines of a bid end it themselves (`--release machine`): a program that reaches them as secrets do,
with a key in it."""

from __future__ import annotations

from flowc.record import Record
from flowc.submit.overdue import limit_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.submit.journal import Bid


# What is to be known before. The provider makes no key that may do less.
KEY_ON_MACHINES = (
    "an API key is made for the machines of the job, and revoked with its bid: until then whoever is root there can do "
    "with it what you can"
)


class Releaser(Record):
    """`key` and `api_url` are the provider's, `wait_s` is how long machines wait after the end of the job for somebody
    to fetch its output."""

    UNSHOWN = ("key",)

    key: str
    api_url: str
    wait_s: float

    def program(self, document: Mapping[str, Any], bid: Bid, how: Mapping[str, Any], *, key: str) -> bytes:
        """The text of the program for the machines of a bid that was placed, with a `key` in it; `how` stands in its
        document under `deliver`."""
        from hashlib import sha256
        from pkgutil import get_data

        from flowc.submit.on_machine import last_line

        text = get_data("flowc.submit", "on_machine.py")
        assert text is not None, "release: no program"
        url = f"{self.api_url.rstrip('/')}/v2/spot/bids/{bid.made}"
        # Machines know each other by it, whichever keys they have.
        word = sha256(f"{url} {self.key}".encode()).hexdigest()
        values = {**how, "word": word, "wait_s": self.wait_s, "limit_s": limit_of(document, bid)}
        return text + f"\n\n{last_line(url, key, values)}".encode()
