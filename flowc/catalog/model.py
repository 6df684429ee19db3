"""The catalog: instance types, where they are sold, and at what price.

Made once from the bundled data or a user's file (`load`), then only read. Everything that the passes ask of
it again and again (which offers compete, at which price they rank) is worked out when it is made.
"""

from __future__ import annotations

from flowc.ir.units import GIB, floor_cents, usd_text
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

GB = 10**9
# The cloud whose machines jobs are put on; those of others are only known.
MITHRIL = "mithril"


class InstanceType(Record):
    """A machine that is rented out. None: no source says; it then satisfies no request for that resource.

    `gpu_memory_gb` is the memory of one GPU. `aliases` are names that the provider used before, `former_fids` its ids.
    """

    name: str
    aliases: tuple[str, ...]
    former_fids: tuple[str, ...] = ()
    family: str
    gpus: int
    gpu_memory_gb: int
    form: str
    cpus: int | None
    memory_gb: int | None
    disk_gb: int | None

    # One object a type, one an offer: told apart by identity, since both are keys of dictionaries in
    # `resolve`.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def memory_bytes(self) -> int:
        """RAM in bytes, counted in GiB as clouds do; 0 when unknown."""
        return (self.memory_gb or 0) * GIB


class Offer(Record):
    """An instance type in one region. Money is micro-dollars per instance-hour.

    `rank` is the price that offers are compared by: the market price, else the minimum, else what flowc would
    bid by default; `rank_kind` says which in words, `price` says both (`$12.03 an hour by its market price`).
    `offered`: sold to everybody, as far as known. `winning` is the lowest limit that has machines now, `available` how
    many have no bid; None where nobody says. `source` says who told all that, `as_of` on which day; None: the whole
    catalog's.
    """

    type: InstanceType
    region: str
    fid: str | None
    minimum: int | None
    market: int | None
    offered: bool
    rank: int
    rank_kind: str
    price: str
    cloud: str = MITHRIL
    winning: int | None = None
    available: int | None = None
    source: str | None = None
    as_of: str | None = None

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def price_of(self, nodes: int, limit: int, *, idle: int = 0, tasks: int = 1) -> str:
        """What `nodes` of it may cost by a limit price (micro-dollars), and what is known of its price; with `idle`,
        the part of the limit that this many GPUs of each take comes first. `tasks`: of an array, each of which costs
        it."""
        part = floor_cents(limit * nodes * idle // self.type.gpus) if idle else 0
        spoken = f"${usd_text(part)} of " if idle else ""
        on = f" for {nodes} nodes" if nodes > 1 else ""
        each = f", for each of {tasks} tasks" if tasks > 1 else ""
        most = f"limit {spoken}${usd_text(limit * nodes)} an hour{on}{each}"
        if self.market is not None:
            return f"{most}; the market price is ${usd_text(self.market * nodes)}"
        if self.minimum is not None:
            return f"{most}; the provider's minimum is ${usd_text(self.minimum * nodes)}"
        return f"{most}; the market price is unknown"


class Catalog:
    """`source` is `bundled` or the path of a file, `as_of` the day of its prices.

    `types` are all instance types, `offers` the offered ones in the order of `rank`, fewer GPUs, name,
    region; `hidden` those that are not offered, `elsewhere` those of other clouds.
    """

    __slots__ = (
        "_by_fid",
        "_by_name",
        "_by_place",
        "as_of",
        "elsewhere",
        "families",
        "hidden",
        "offers",
        "regions",
        "source",
        "types",
    )

    def __init__(
        self,
        source: str,
        as_of: str,
        regions: Iterable[str],
        types: Iterable[InstanceType],
        offers: Iterable[Offer],
    ) -> None:
        self.source = source
        self.as_of = as_of
        self.regions = frozenset(regions)
        self.types = tuple(types)
        ranked = sorted(offers, key=lambda offer: (offer.rank, offer.type.gpus, offer.type.name, offer.region))
        every = [offer for offer in ranked if offer.cloud == MITHRIL]
        self.elsewhere = tuple(offer for offer in ranked if offer.cloud != MITHRIL)
        self.offers = tuple(offer for offer in every if offer.offered)
        self.hidden = tuple(offer for offer in every if not offer.offered)
        self.families = tuple(dict.fromkeys(offer.type.family for offer in self.offers))
        self._by_name = {name: each for each in self.types for name in (each.name, *each.aliases)}
        self._by_place = {(offer.type.name, offer.region): offer for offer in every}
        self._by_fid = {fid: each for each in self.types for fid in each.former_fids}
        self._by_fid.update({offer.fid: offer.type for offer in every if offer.fid is not None})

    def named(self, name: str) -> InstanceType | None:
        """The type with exactly this name or alias, sold or not."""
        return self._by_name.get(name)

    def with_fid(self, fid: str) -> InstanceType | None:
        """The type that has this id, or had it before."""
        return self._by_fid.get(fid)

    def offer(self, name: str, region: str | None) -> Offer | None:
        """The offer, or hidden offer, of a type in a region."""
        return self._by_place.get((name, region or ""))

    def sold_counts(self, family: str, memory_gb: int | None = None) -> tuple[int, ...]:
        """The GPU counts in which a family is offered, ascending."""
        return tuple(
            sorted(
                {
                    offer.type.gpus
                    for offer in self.offers
                    if offer.type.family == family and memory_gb in (None, offer.type.gpu_memory_gb)
                }
            )
        )
