"""Whose turn it is: bids of a job that may not have all at once, and of jobs that wait for the end of others."""

from __future__ import annotations

from flowc.providers.base import COMPLETED
from flowc.submit.journal import GIVEN_UP, MADE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from flowc.submit.journal import Bid

NOW, LATER, NEVER = "now", "later", "never"


class Turns:
    """`document` says which jobs there are; `bids` are those of its submission, as they are now."""

    def __init__(self, document: Mapping[str, Any], bids: Iterable[Bid]) -> None:
        self._bids = {bid.identity: bid for bid in bids}
        self._jobs = {job["name"]: job for job in document.get("jobs", ())}
        self._of = {identity: job for job in document.get("jobs", ()) for identity in job["bids"]}
        # By a job's first bid: several jobs may bear one name.
        self._room: dict[str, int] = {
            job["bids"][0]: job["max_concurrent"]
            - sum(self._bids[each].lives for each in job["bids"] if each in self._bids)
            for job in document.get("jobs", ())
            if job["max_concurrent"] is not None
        }

    def of(self, identity: str) -> str:
        """NOW, LATER or NEVER, for a bid that is not placed, by the id of its request. Each NOW takes its room."""
        job = self._of.get(identity)
        if job is None:
            return NOW
        turns = {self._after(each["kind"], each["on"]) for each in job["after"]}
        if NEVER in turns or LATER in turns:
            return NEVER if NEVER in turns else LATER
        left = self._room.get(job["bids"][0])
        if left is None:
            return NOW
        self._room[job["bids"][0]] = left - 1
        return NOW if left > 0 else LATER

    def _after(self, kind: str, on: str | None) -> str:
        """What a job's place behind another one means now. One that is not in this document is not known here."""
        before = self._jobs.get(on or "")
        if before is None:
            return NOW
        bids = [self._bids[each] for each in before["bids"] if each in self._bids]
        if kind == "after":
            return NOW if all(bid.state == MADE for bid in bids) else LATER
        failed = any(bid.ended not in (None, COMPLETED) or bid.state == GIVEN_UP for bid in bids)
        over = all(bid.ended is not None or bid.state == GIVEN_UP for bid in bids)
        if kind == "afterok" and failed:
            return NEVER
        if not over:
            return LATER
        return NEVER if kind == "afternotok" and not failed else NOW
