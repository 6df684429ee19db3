"""Tasks as people name them: by the name of a bid, its id, the key of a submission, or a beginning of these; and by the
number that `flowc sbatch` gave a submission."""

from __future__ import annotations

from flowc.submit.plan import number_of
from flowc.tasks.refused import NoTaskError, RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.submit.journal import Bid, Journal


# Of the number of a submission.
MOST_DIGITS = 10


def bids_of(journal: Journal, names: Iterable[str]) -> list[Bid]:
    """The bids that these names mean, each once. Raises RefusedTaskError."""
    found = {(bid.key, bid.number): bid for name in names for bid in _named(journal, name)}
    return list(found.values())


def _named(journal: Journal, name: str) -> list[Bid]:
    if not name.strip():
        # It is how all names begin: `flowc cancel "$TASK"` where nothing has set it.
        raise RefusedTaskError("the name of a task is empty", "`flowc list` shows those there are")
    found = journal.bids(name=name) or journal.bids(made=name) or journal.bids(key=name)
    if found:
        return found
    if name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS:
        jobs = journal.jobs(job_id=int(name))
        if len({job.key for job in jobs}) == 1:
            return [bid for bid in journal.bids(key=jobs[0].key) if bid.identity in jobs[0].bids]
        # As an earlier flowc gave numbers, its jobs had others.
        found = [bid for bid in journal.bids() if number_of(bid.key) == int(name)]
        if found:
            return found
    every = journal.bids()
    keys = {bid.key for bid in every if bid.key.startswith(name)}
    if len(keys) == 1:
        return [bid for bid in every if bid.key in keys]
    found = [bid for bid in every if bid.name.startswith(name)]
    if len(found) == 1 or (found and len({bid.key for bid in found}) == 1):
        return found
    if found or keys:
        several = [bid.name for bid in found] or sorted(keys)
        from flowc.listing import some_of

        raise RefusedTaskError(f"`{name}` may be several tasks", f"name one: {some_of(several[::-1], 8)}")
    from flowc.diag.suggest import nearest

    near = nearest(name, [bid.name for bid in every])
    hint = f"did you mean `{near}`?" if near else "`flowc list` shows those there are"
    raise NoTaskError(f"there is no task `{name}`", hint)
