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


class Releaser(Record):
    """`key` and `api_url` are the provider's, `wait_s` is how long machines wait after the end of the job for somebody
    to fetch its output."""

    UNSHOWN = ("key",)

    key: str
    api_url: str
    wait_s: float

    def program(self, document: Mapping[str, Any], bid: Bid, how: Mapping[str, Any]) -> bytes:
        """The text of the program for the machines of a bid that was placed; `how` stands in its document under
        `deliver`."""
        from pkgutil import get_data

        from flowc.submit.on_machine import last_line

        text = get_data("flowc.submit", "on_machine.py")
        assert text is not None, "release: no program"
        url = f"{self.api_url.rstrip('/')}/v2/spot/bids/{bid.made}"
        values = {**how, "wait_s": self.wait_s, "limit_s": limit_of(document, bid)}
        return text + f"\n\n{last_line(url, self.key, values)}".encode()
