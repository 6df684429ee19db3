"""`Policy`: what jobs may cost and where they may run, whatever they and their flags say. Each rule has its origin."""

from __future__ import annotations

from flowc.record import Record


class Most(Record):
    """At most so much: micro-dollars, or a number of GPUs."""

    amount: int
    origin: str


class Only(Record):
    """One of these names or globs."""

    names: tuple[str, ...]
    origin: str


class Policy(Record):
    """The strictest of what all levels say; of `regions` and `types` every level's. `committed` micro-dollars are what
    this month's submissions so far may cost."""

    per_job: Most | None = None
    per_hour: Most | None = None
    per_month: Most | None = None
    gpus: Most | None = None
    regions: tuple[Only, ...] = ()
    types: tuple[Only, ...] = ()
    committed: int = 0
