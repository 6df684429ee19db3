"""Begins a submission of a request document, once, however often it is asked for."""

from __future__ import annotations

import time

from flowc.record import Record
from flowc.submit.delivery import missing_secrets
from flowc.submit.folders import found
from flowc.submit.journal import OPEN, Submission
from flowc.submit.plan import content_key, steps_of
from flowc.tasks.graph.links import linked
from flowc.tasks.refused import LivesError, RefusedTaskError
from flowc.tasks.world import refuse_missing
from flowc.trees.walk import TreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from typing import Any

    from flowc.providers.base import Resolution
    from flowc.tasks.world import World


class Order(Record):
    """What is to be submitted, and how: `keep` its bids when its jobs have ended; `again` though it lives already;
    `once`, ever, under this key. `nonce` is the submission's own word, which gave its jobs their numbers
    (`flowc.submit.plan.number_of`)."""

    UNSHOWN = ("document",)

    document: dict[str, Any]
    nonce: str
    keep: bool = False
    again: bool = False
    once: str | None = None


def found_trees(document: dict[str, Any], tell: Callable[[str], object]) -> dict[str, Any]:
    """The document with where its folders are. Raises RefusedTaskError for one that cannot be sent."""
    try:
        return found(document, tell)
    except TreeError as error:
        raise RefusedTaskError(str(error), error.help or "look at its path: it is as seen from here") from None


class Submitting:
    """Of one order. `asked` says whether a submission that lives is wanted once more; `at` hears of the key of one that
    is begun. Raises RefusedTaskError where a folder that is to be sent cannot be."""

    def __init__(
        self,
        world: World,
        order: Order,
        *,
        asked: Callable[[Submission], bool] = lambda other: False,
        at: Callable[[str], None] = lambda key: None,
    ) -> None:
        self._world = world
        self._order = order = order.replace(document=found_trees(order.document, world.tell))
        self._asked = asked
        self._at = at
        self._provider = world.chosen
        self._digest = content_key({"provider": self._provider, "document": content_key(order.document)})
        self._nonce = order.nonce
        self._key = f"{self._digest[:8]}-{self._nonce}"

    def begun(self) -> tuple[Submission, Decimal | None]:
        """The submission in the journal, a new one, or one of the same content that is meant; and what its bids cost
        in an hour at today's price, where that is known. Raises RefusedTaskError where it lives already and nobody
        wants it twice and where a job waits for what cannot be, ProviderError for what the provider would refuse, and
        as World does."""
        again = self._order.again
        if not again:
            # Before the provider is asked, which might have no room for it any more: it is there.
            there = self._world.journal.same(self._content(), once=self._order.once is not None)
            if there is not None and self._is_meant(there):
                return there, None
            again = there is not None
        document = linked(self._order.document, lambda: self._world.journal)
        found = self._world.provider(self._provider).resolve(document)
        for warning in found.warnings:
            self._world.tell(f"warning: {warning}")
        refuse_missing(missing_secrets(self._order.document, self._world.environ))
        return self._written(found, again=again), found.market_usd

    def _content(self) -> str:
        """What is not to be submitted twice."""
        key = self._order.once
        return self._digest if key is None else content_key({"idempotency_key": key})

    def _written(self, found: Resolution, *, again: bool) -> Submission:
        submission = Submission(
            key=self._key,
            content=self._content(),
            name=self._order.document["requests"][-1]["id"],
            provider=self._provider,
            nonce=self._nonce,
            created_at=time.time(),
            state=OPEN,
            keep=self._order.keep,
            document=found.document,
            resolved=found.known,
        )
        steps = steps_of(found.document, self._nonce)
        self._at(submission.key)
        journal = self._world.journal
        other = journal.begin(submission, steps, again=again, once=self._order.once is not None)
        if other is None:
            return submission
        if self._is_meant(other):
            return other
        journal.begin(submission, steps, again=True)
        return submission

    def _is_meant(self, other: Submission) -> bool:
        """Whether a submission that was begun before is what is wanted now; False: somebody wants it once more. Raises
        RefusedTaskError."""
        once = self._order.once is not None
        if once and other.key[:8] != self._digest[:8]:
            raise LivesError(
                f"another job was submitted with this key: {other.key}",
                "each job needs an --idempotency-key of its own",
            )
        if other.state == OPEN:
            self._world.tell(f"this was begun before and is not finished: goes on with {other.key}")
            return True
        if once:
            self._world.tell(f"this was submitted before: {other.key}")
            return True
        if self._asked(other):
            return False
        raise LivesError(
            f"this job was submitted before, and lives: {other.key}",
            f"`flowc status {other.key}` shows it; --force-new submits it once more",
        )
