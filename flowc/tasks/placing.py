"""Places the bids of submissions, those whose turn it is."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from flowc.submit.journal import Submission
    from flowc.tasks.world import World


def place(world: World, submission: Submission) -> bool:
    """False where some are left whose turn it is not yet. Raises as `Carrier.carry_out` and World do."""
    from flowc.submit.steps import Carrier

    provider = world.provider(submission.provider)
    return Carrier(world.journal, provider, now=time.time, sleep=time.sleep).carry_out(submission)


def give_up(world: World, key: str, names: Collection[str]) -> None:
    """See to it that bids of a submission which are not known to be there are never placed; those that are there after
    all are known then. What waited for them in vain may have its turn. Raises as `place`."""
    from flowc.submit.steps import Carrier
    from flowc.tasks.graph.walk import look_again_behind

    submission = world.journal.submission(key)
    if submission is not None:
        provider = world.provider(submission.provider)
        Carrier(world.journal, provider, now=time.time, sleep=time.sleep).give_up(submission, names)
        look_again_behind(world.journal, [bid for bid in world.journal.bids(key=key) if bid.name in names])


def place_more(world: World, key: str) -> None:
    """The same for one that was begun before, where others of its bids have ended. Nothing where there is none, or it
    is at its end."""
    from flowc.submit.journal import OPEN

    submission = world.journal.submission(key)
    if submission is not None and submission.state == OPEN:
        place(world, submission)
