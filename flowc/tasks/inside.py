"""How the jobs of tasks are, as their machines tell it: what a provider knows of is machines alone."""

from __future__ import annotations

import os

from flowc.providers.base import RUNNING
from flowc.providers.errors import UnavailableError
from flowc.record import Record
from flowc.submit.delivery import BEHIND
from flowc.submit.ending import STATUS, read_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from flowc.providers.base import Machine, Provider, Task
    from flowc.submit.journal import Bid
    from flowc.tasks.world import World


class Inside(Record):
    """A job on its machines: `state` as `status.json` has it (None: it has not begun), `starts` how often it was
    started there, `used_s` seconds of its time limit; `waits_for` what it has not been brought yet, in words."""

    state: str | None
    starts: int | None
    used_s: int | None
    waits_for: tuple[str, ...]


def inside(world: World, provider: Provider, bids: Iterable[Bid], tasks: Iterable[Task]) -> dict[str, Inside]:
    """By the id of its task, each job whose machines run and can be asked."""
    if provider.keeps_tasks:
        return {}
    ours = {bid.made: bid for bid in bids}
    found = {}
    for task in tasks:
        bid = ours.get(task.identity)
        if bid is None or task.state != RUNNING or not task.machines:
            continue
        submission = world.journal.submission(bid.key)
        try:
            found[task.identity] = _inside(provider, bid, task, submission.document if submission is not None else {})
        except UnavailableError:
            continue
    return found


def _inside(provider: Provider, bid: Bid, task: Task, document: Mapping[str, Any]) -> Inside:
    statuses = [read_status(provider.read(task, machine, STATUS, offset=0)) for machine in task.machines]
    status = next((each for each in statuses if each is not None), None) or {}
    waits = [
        what
        for each in document.get("deliver", ())
        if bid.identity in each["to"] and not each.keys() & {"release", "key"}
        for path, what in [_promised(each)]
        if any(_lacks(provider, task, machine, path) for machine in task.machines)
    ]
    return Inside(
        state=status.get("state"), starts=status.get("starts"), used_s=status.get("used_s"), waits_for=tuple(waits)
    )


def _promised(each: Mapping[str, Any]) -> tuple[str, str]:
    """A file that is there once this has been brought, and what it is."""
    if "secrets" in each:
        names = each["secrets"]
        return each["path"], f"the secret{'s' if len(names) > 1 else ''} {', '.join(names)}"
    if "tree" in each:
        return each["marker"], f"the files of {each['path']}"
    return each["path"], f"its script {os.path.basename(each['path'])}"


def _lacks(provider: Provider, task: Task, machine: Machine, path: str) -> bool:
    return provider.read(task, machine, path, offset=BEHIND) is None
