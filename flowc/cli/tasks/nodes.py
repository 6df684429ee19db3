"""Which of a task's machines a command is about."""

from __future__ import annotations

from flowc.cli.table import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.cli.arguments import Words
    from flowc.submit.journal import Bid, Journal

NODE = Option(name="--node", metavar="N", help="of its N-th machine, the first one being 0")


def node_of(words: Words, journal: Journal, bids: Iterable[Bid]) -> int | None:
    """What `--node` says, None where it is not given. Raises UsageError for what is no number, RefusedTaskError where a
    task has no such machine."""
    text = words.text("node")
    if text is None:
        return None
    from flowc.cli.arguments import UsageError
    from flowc.tasks.refused import RefusedTaskError

    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"`--node` needs a whole number from 0, found `{text}`", "such as --node 0")
    node = int(text)
    for bid in bids:
        count = machines_of(journal, bid)
        if not 0 <= node < count:
            there = "one machine, 0" if count == 1 else f"{count} machines, 0 to {count - 1}"
            raise RefusedTaskError(f"{bid.name} has {there}", "--node takes one of these")
    return node


def machines_of(journal: Journal, bid: Bid) -> int:
    """How many machines a bid is for."""
    submission = journal.submission(bid.key)
    for request in submission.document.get("requests", ()) if submission is not None else ():
        if request["id"] == bid.identity:
            return int(request["body"].get("instance_quantity", 1))
    return 1
