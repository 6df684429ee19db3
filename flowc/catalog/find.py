"""Machines of a catalog by what is wanted of them."""

from __future__ import annotations

from flowc.patterns import is_like
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flowc.catalog.model import Catalog, Offer


class Wanted(Record):
    """What a machine must be: each number at least, regions and clouds as names or globs, `most` micro-dollars an hour
    by the price that it ranks by. `names` are texts as users spell instance types, any of them, `every` those of which
    each must fit."""

    names: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    gpu: str | None = None
    gpus: int = 0
    gpu_memory_gb: int = 0
    cpus: int = 0
    memory_gb: int = 0
    disk_gb: int = 0
    regions: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    most: int | None = None
    available: int = 0
    hidden: bool = False


def find(table: Catalog, wanted: Wanted, *, sort: str = "price") -> list[Offer]:
    """The offers that are so, in order. What no source says satisfies nothing."""
    every = (*table.offers, *table.elsewhere, *(table.hidden if wanted.hidden else ()))
    return sorted((each for each in every if fits(each, wanted)), key=_ORDERS[sort])


def fits(offer: Offer, wanted: Wanted) -> bool:
    machine = offer.type
    return (
        machine.gpus >= wanted.gpus
        and machine.gpu_memory_gb >= wanted.gpu_memory_gb
        and (machine.cpus or 0) >= wanted.cpus
        and (machine.memory_gb or 0) >= wanted.memory_gb
        and (machine.disk_gb or 0) >= wanted.disk_gb
        and (wanted.gpu is None or machine.family == wanted.gpu.lower())
        and (not wanted.regions or any(is_like(offer.region, each) for each in wanted.regions))
        and (not wanted.clouds or any(is_like(offer.cloud, each) for each in wanted.clouds))
        and (wanted.most is None or offer.rank <= wanted.most)
        and (not wanted.available or (offer.available or 0) >= wanted.available)
        and (not wanted.names or any(is_named(offer, each) for each in wanted.names))
        and all(is_named(offer, each) for each in wanted.every)
    )


def is_named(offer: Offer, text: str) -> bool:
    """Whether a text is one of a type's names or ids, a glob of its name, or spells it."""
    from flowc.catalog.names import Parsed, parse_instance_type

    machine, lowered = offer.type, text.strip().lower()
    if lowered in (machine.name, *machine.aliases) or is_like(machine.name, lowered):
        return True
    if text.strip() in (offer.fid, *machine.former_fids):
        return True
    parsed = parse_instance_type(text)
    return (
        isinstance(parsed, Parsed)
        and parsed.family == machine.family
        and parsed.count in (None, machine.gpus)
        and parsed.memory_gb in (None, machine.gpu_memory_gb)
        and parsed.form in (None, machine.form)
    )


_ORDERS: dict[str, Callable[[Offer], Any]] = {
    "price": lambda each: (each.rank, each.type.gpus, each.type.name, each.region),
    # In thousandths of a micro-dollar, so that whole numbers are enough.
    "per-gpu": lambda each: (each.rank * 1000 // max(each.type.gpus, 1), each.rank, each.type.name, each.region),
    "gpus": lambda each: (each.type.gpus, each.rank, each.type.name, each.region),
    "memory": lambda each: (each.type.gpu_memory_gb, each.rank, each.type.name, each.region),
    "name": lambda each: (each.type.name, each.region),
}
SORTS = tuple(_ORDERS)
