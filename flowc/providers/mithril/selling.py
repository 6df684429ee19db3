"""What the provider sells now: each type in each region, with its prices. All that is relied on is looked at."""

from __future__ import annotations

from flowc.providers.errors import MalformedReplyError
from flowc.providers.mithril.money import dollars, of_cents
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Any

    from flowc.providers.mithril.client import Client

TYPES, MARKETS, PRICES = "/v2/instance-types", "/v2/spot/availability", "/v2/pricing/current"


class Market(Record):
    """A type (its `fid` is its id there) in a region. Prices are USD of one machine for an hour; None where the
    provider names none. `available` are machines without a bid."""

    name: str
    fid: str
    region: str
    gpu_type: str
    gpus: int
    gpu_memory_gb: int
    socket: str
    cpus: int
    memory_gb: int
    disk_gb: int
    market: Decimal | None
    minimum: Decimal | None
    winning: Decimal | None
    available: int


def markets(client: Client) -> list[Market]:
    """All that has GPUs. Raises ProviderError: where one reply is not what it should be, nothing is taken of any."""
    types = {row["fid"]: row for row in client.instance_types()}
    found: dict[tuple[str, str], Market] = {}
    for row in client.availability():
        kind = types.get(row["instance_type"])
        if kind is None:
            raise MalformedReplyError(f"{MARKETS} has a type that {TYPES} has not")
        if _count(kind, "num_gpus", TYPES) == 0:
            continue
        each = _market(kind, row, client)
        if (each.name, each.region) in found:
            raise MalformedReplyError(f"{MARKETS} has {each.name} in {each.region} twice")
        found[each.name, each.region] = each
    if not found:
        raise MalformedReplyError(f"{MARKETS} has no machines with GPUs")
    return list(found.values())


def _market(kind: Mapping[str, Any], row: Mapping[str, Any], client: Client) -> Market:
    fid, region = _text(kind, "fid", TYPES), _text(row, "region", MARKETS)
    price = dollars(row.get("last_instance_price"))
    if price is None:
        raise MalformedReplyError(f"the reply of {MARKETS} has no `last_instance_price`")
    lowest = row.get("lowest_allocated_price")
    winning = None if lowest is None else dollars(lowest)
    if lowest is not None and winning is None:
        raise MalformedReplyError(f"`lowest_allocated_price` in the reply of {MARKETS} is no price")
    now = client.price(fid, region, 1)
    minimum = _cents(now, "minimum_price_cents")
    return Market(
        name=_text(kind, "name", TYPES),
        fid=fid,
        region=region,
        gpu_type=_text(kind, "gpu_type", TYPES),
        gpus=_count(kind, "num_gpus", TYPES),
        gpu_memory_gb=_count(kind, "gpu_memory_gb", TYPES),
        socket=_text(kind, "gpu_socket", TYPES, empty=True),
        cpus=_count(kind, "num_cpus", TYPES),
        memory_gb=_count(kind, "ram_gb", TYPES),
        disk_gb=_count(kind, "local_storage_gb", TYPES),
        market=price,
        minimum=minimum,
        winning=_cents(now, "lowest_allocated_bid_cents") if winning is None else winning,
        available=_count(row, "capacity", MARKETS),
    )


def _text(row: Mapping[str, Any], key: str, path: str, *, empty: bool = False) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not (value or empty):
        raise MalformedReplyError(f"the reply of {path} has no text `{key}`")
    return value


def _count(row: Mapping[str, Any], key: str, path: str) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise MalformedReplyError(f"the reply of {path} has no whole number `{key}`")
    return value


def _cents(row: Mapping[str, Any], key: str) -> Decimal | None:
    value = row.get(key)
    if value is None:
        return None
    amount = of_cents(value)
    if amount is None:
        raise MalformedReplyError(f"`{key}` in the reply of {PRICES} is no whole number of cents")
    return amount
