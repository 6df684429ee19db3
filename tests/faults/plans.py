"""What goes wrong in a run: drawn from a number, which draws it again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from tests.faults.shapes import SHAPES, Shape

POSTS = ("POST /v2/spot/bids", "POST /v2/volumes")
ANYTHING = ("*", "GET *", "POST *", "GET /v2/spot/bids", "GET /v2/volumes", *POSTS)
# How a process is cut at one of its moments: within this one, or as a real one by a signal.
HERE = ("exception", "ctrl-c", "power")
REAL = ("SIGKILL", "SIGINT", "SIGTERM")
# What the server does, with what belongs to it. Seconds are the client's.
STATUSES = (500, 502, 503, 504)
TROUBLES: dict[str, tuple[dict[str, Any], ...]] = {
    "dropped before": ({"kind": "drop before"}, {"kind": "drop before", "reset": True}),
    "dropped after": ({"kind": "drop after"}, {"kind": "drop after", "reset": True}),
    "429": tuple({"kind": "status", "status": 429, "retry_after": each} for each in (None, "3", "date", "soon")),
    "5xx before": tuple({"kind": "status", "status": each} for each in STATUSES),
    "5xx after": tuple({"kind": "status after", "status": each} for each in STATUSES),
    "slow": ({"kind": "slow"}, {"kind": "drip", "seconds": 0.0001}, {"kind": "too long"}),
    "late": tuple({"kind": "late", "seconds": each} for each in (31.0, 45.0, 60.0)),
    "garbage": ({"kind": "garbage"}, {"kind": "empty"}),
    "wrong types": ({"kind": "wrong types"},),
    "half a body": ({"kind": "half"}, {"kind": "too short"}),
    "closed": ({"kind": "close"},),
    "401": ({"kind": "status", "status": 401},),
}
TIMED = ("slow", "too long", "late")


@dataclass(frozen=True)
class Cut:
    """One process is ended at a moment of its own, or, where `on` is set, while the server has its `moment`-th request
    of that kind, before or after that has acted."""

    how: str
    moment: int
    on: str | None = None
    acted: bool = False


@dataclass
class Plan:
    """`row` is the line of the table that it counts for; `real`: by real processes, `together` of them at once; the
    n-th process is cut by the n-th of `cuts`, and `resume` says whether the next one is told to resume."""

    number: int
    row: str
    shape: Shape
    real: bool = False
    together: int = 1
    cuts: tuple[Cut, ...] = ()
    faults: list[dict[str, Any]] = field(default_factory=list)
    resume: bool = True

    def __str__(self) -> str:
        parts = [f"{self.number}: {self.row}, {self.shape.name}", *map(str, self.cuts), *map(str, self.faults)]
        return "; ".join([*parts, "resumed" if self.resume else "the same command again"])


def draw(count: int, moments: dict[str, int]) -> list[Plan]:
    """So many plans, always the same. `moments` tells how many there are in an undisturbed run of each shape: each of
    them is cut in each way, then what the network and the server do comes in turn, until there are enough."""
    every = [
        (row, shape, moment)
        for row in (*HERE, *REAL)
        for shape in SHAPES
        for moment in range(1, moments[shape.name] + 1)
    ]
    others = [row for row in ROWS if row not in (*HERE, *REAL)]
    every += [
        (others[turn % len(others)], SHAPES[turn // len(others) % len(SHAPES)], 0)
        for turn in range(max(count - len(every), len(others) * len(SHAPES)))
    ]
    random.Random(1).shuffle(every)
    return [_plan(number, *each, moments) for number, each in enumerate(every[:count])]


def _plan(number: int, row: str, shape: Shape, moment: int, moments: dict[str, int]) -> Plan:
    chance = random.Random(number)
    plan = Plan(number, row, shape, resume=chance.random() < 0.5)
    if row in HERE:
        plan.cuts = (Cut(row, moment), *_more(chance, HERE, moments[shape.name]))
    elif row in REAL:
        plan.real = True
        plan.cuts = (Cut(row, moment), *_more(chance, REAL[:1], moments[shape.name]))
    elif row == "killed while it asks":
        plan.real = True
        on = chance.choice((*POSTS[: 2 if shape.volumes else 1], "GET *", "POST *"))
        nth = chance.randint(1, shape.bids) if on == POSTS[0] else chance.randint(1, 3)
        plan.cuts = (Cut(chance.choice(REAL), nth, on, chance.random() < 0.7),)
    elif row == "processes at once":
        plan.real, plan.together = True, chance.choice((2, 2, 3))
        plan.faults = [_fault(chance, chance.choice(list(TROUBLES))) for _ in range(chance.choice((0, 0, 1)))]
        plan.cuts = tuple(_more(chance, REAL[:1], moments[shape.name]))
    elif row in TROUBLES:
        plan.faults = [_fault(chance, row) for _ in range(chance.choice((1, 1, 2, 3)))]
    else:
        plan.faults = [_fault(chance, chance.choice(list(TROUBLES))) for _ in range(chance.randint(1, 6))]
        plan.cuts = tuple(Cut(chance.choice(HERE), chance.randint(1, moments[shape.name])) for _ in range(3))
    return plan


def _more(chance: random.Random, kinds: tuple[str, ...], most: int) -> list[Cut]:
    """Cuts of the processes that come next: none, one or two."""
    return [Cut(chance.choice(kinds), chance.randint(1, most)) for _ in range(chance.choice((0, 0, 1, 2)))]


def _fault(chance: random.Random, row: str) -> dict[str, Any]:
    found = dict(chance.choice(TROUBLES[row]))
    found["on"] = chance.choice(POSTS * 2 + ANYTHING if row != "401" else ANYTHING)
    found["nth"] = chance.randint(1, 4)
    found["times"] = chance.choice((1, 1, 1, 2, 3, 7))
    if found["kind"] in TIMED:
        # Each costs the client its whole patience.
        found["times"] = min(found["times"], 2)
    return found


def retry_after(text: str | None, now: float) -> str | None:
    """As it is sent at `now`."""
    return formatdate(now + 4, usegmt=True) if text == "date" else text


ROWS = (*HERE, *REAL, "killed while it asks", "processes at once", *TROUBLES, "several of these")
