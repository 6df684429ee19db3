"""What came of a run, by the record of the provider that it was played against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowc.submit.journal import Journal

if TYPE_CHECKING:
    from tests.faults.runs import Stage


@dataclass
class Verdict:
    """Counts of what must not be, and of what was; `why` is a sentence for each fault."""

    row: str = ""
    processes: int = 0
    calls: int = 0
    struck: int = 0
    bids: int = 0
    double: int = 0
    lost: int = 0
    orphans: int = 0
    stuck: int = 0
    silent: int = 0
    told: int = 0
    ended_again: int = 0
    why: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        return bool(self.why)


def judge(stage: Stage, *, whole: bool, last: int) -> Verdict:
    """`whole`: some process came to its end by itself; `last` is the exit status of the same command once more."""
    shape, state = stage.plan.shape, stage.server.state
    found = Verdict(row=stage.plan.row, processes=len(stage.statuses), calls=len(stage.server.log.calls))
    found.struck = sum(each.fault is not None for each in stage.server.log.calls)
    placed = Counter(each.name for each in state.bids.values())
    alive = Counter(each.name for each in state.live_bids())
    ended = [state.bids[each.fid].name for each in state.log.done("bid cancelled") if each.call is not None]
    by_us = sum(placed[name] > 1 for name in ended)
    found.bids = len(placed)
    found.ended_again = by_us
    found.double = sum(placed.values()) - len(placed) - by_us + max(0, len(placed) - shape.bids)
    found.lost = max(0, shape.bids - len(placed if shape.at_once else alive))
    if found.double:
        found.why.append(f"{shape.bids} bids wanted, placed {dict(placed)}, alive {dict(alive)}, {by_us} ended by us")
    most = _most_at_once(stage)
    if shape.at_once and most > shape.at_once:
        found.double = max(1, found.double)
        found.why.append(f"{most} bids at once, at most {shape.at_once} are wanted")
    journal = Journal(str(stage.state))
    submissions = journal.submissions()
    entries = [entry for each in submissions for entry in journal.entries(each.key)]
    known = {entry.made for entry in entries}
    journal.close()
    if found.lost or len(submissions) != 1 or submissions[0].state != shape.state:
        found.lost = max(1, found.lost)
        found.why.append(f"{found.lost} lost: {[each.state for each in submissions]}, alive {dict(alive)}")
    strangers = [each.fid for each in state.live_bids() if each.fid not in known]
    if strangers:
        found.double = max(found.double, len(strangers))
        found.why.append(f"the journal does not know {strangers}")
    volumes = [each for each in state.volumes.values() if each.deleted_at is None]
    found.orphans = sum(each.fid not in known for each in volumes)
    if found.orphans or len(volumes) != shape.volumes:
        found.why.append(f"volumes {[each.name for each in volumes]}, {found.orphans} of them unknown")
    if not whole:
        found.stuck = 1
        found.why.append("never came to its end")
    found.silent = len(stage.untold)
    found.why += stage.untold[:3]
    if last == 0 and alive:
        found.why.append("the same command again said that it submitted")
    key = stage.server.key.encode()
    places = [said for said in stage.outputs if key in said]
    places += [path.name.encode() for path in stage.folder.rglob("*") if path.is_file() and key in path.read_bytes()]
    found.told = len(places) + sum(each.key_elsewhere for each in stage.server.log.calls)
    if found.told:
        found.why.append(f"the key was told: {places[:3]}")
    traces = [said for said in stage.outputs if b"Traceback" in said or b"this is a bug" in said]
    if traces:
        found.why.append(traces[0].decode(errors="replace")[-2000:])
    if found.why:
        found.why.append(f"exit statuses {stage.statuses}")
    return found


def _most_at_once(stage: Stage) -> int:
    """The most bids that lived at one time."""
    now = most = 0
    for each in stage.server.log.effects:
        now += (each.what == "bid placed") - (each.what == "bid cancelled")
        most = max(most, now)
    return most
