"""`JobPlan`: what will be launched for one job, at what price (contract §5)."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.ir.parts import Candidate, GroupPlan, Way


class CatalogInfo(Record):
    """Which catalog the plan rests on: `source` (bundled, or the path given) and the date `as_of`."""

    source: str
    as_of: str


class JobPlan(Record):
    """The outcome of the passes for one job.

    `count` is how many bids are placed (array indices, else 1); `nodes` and the prices are per bid and instance.
    `hours_bound` is the time limit in hours, None when there is none; `worst_case_usd` is then None too.
    Money and hours are decimal strings. `gpus_per_node` is what the instance has, `gpus_visible` what the job may see
    on each node (None: all of them). `cpus_per_node` is what the instance has, `memory_bytes_per_node` likewise.
    `groups` are the parts of the job's groups, whose nodes are those of the bid in this order.
    `look` gives the `candidates`: a check shows none. `compare` gives the `cheaper` ways, which documents do not show.
    """

    name: str
    instance_type: str
    fid: str | None
    region: str | None
    nodes: int
    gpus_per_node: int
    gpus_visible: int | None
    gpu_model: str | None
    cpus_per_node: int
    memory_bytes_per_node: int
    market_usd_per_instance_hour: str | None
    limit_usd_per_instance_hour: str | None
    hours_bound: str | None
    count: int
    worst_case_usd: str | None
    expected_usd: str | None
    look: Callable[[], tuple[Candidate, ...]]
    catalog: CatalogInfo
    groups: tuple[GroupPlan, ...] = ()
    compare: Callable[[], tuple[Way, ...]] = tuple

    @property
    def cheaper(self) -> tuple[Way, ...]:
        """What would cost less, and is for the user to decide."""
        return self.compare()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The machines that were looked at, the chosen one among them, each with its reason."""
        return self.look()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobPlan) and self._told() == other._told()

    def _told(self) -> dict[str, object]:
        return {**self.__dict__, "look": self.candidates, "compare": self.cheaper}
