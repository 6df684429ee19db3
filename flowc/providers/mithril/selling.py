"""What the provider sells now: each type in each region, with its prices. All that is relied on is looked at."""

from __future__ import annotations

from flowc.providers.errors import MalformedReplyError
from flowc.providers.mithril.money import dollars, exact, of_cents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal
    from typing import Any, TypeVar

    from flowc.providers.mithril.client import Client

    Sold = TypeVar("Sold")

TYPES, MARKETS, PRICES = "/v2/instance-types", "/v2/spot/availability", "/v2/pricing/current"


def sold(client: Client, make: Callable[..., Sold]) -> tuple[list[Sold], list[str]]:
    """All that has GPUs, each type in a region as `make` takes it: its `fid` is its id there, prices are decimal texts,
    USD of one machine for an hour, None where the provider names none; `available` are machines without a bid, `others`
    further ids of the type in that region. And what of several ids was left out, a line each. Raises ProviderError:
    where one reply is not what it should be, nothing is taken of any."""
    types = {row["fid"]: row for row in client.instance_types()}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    known: set[object] = set()
    for row in client.availability():
        kind = types.get(row["instance_type"])
        if kind is None:
            raise MalformedReplyError(f"{MARKETS} has a type that {TYPES} has not")
        if _count(kind, "num_gpus", TYPES) == 0:
            continue
        each = _market(kind, row, client)
        if row.get("fid", each["fid"]) in known:
            raise MalformedReplyError(f"{MARKETS} has {each['name']} in {each['region']} twice")
        known.add(row.get("fid", each["fid"]))
        found.setdefault((each["name"], each["region"]), []).append(each)
    if not found:
        raise MalformedReplyError(f"{MARKETS} has no machines with GPUs")
    made, told = [], []
    for several in found.values():
        best, *others = sorted(several, key=_use)
        fids = tuple(dict.fromkeys(each["fid"] for each in others if each["fid"] != best["fid"]))
        made.append(make(**{name: _told(value) for name, value in best.items()}, others=fids))
        if others:
            left = ", ".join(_shown(each) for each in others)
            told.append(f"{best['name']} has several markets in {best['region']}: {_shown(best)}; left out {left}")
    return made, told


def _use(each: Mapping[str, Any]) -> tuple[bool, Decimal, str]:
    """What is free comes first, then the cheapest."""
    return not each["available"], each["market"], each["fid"]


def _shown(each: Mapping[str, Any]) -> str:
    return f"{each['fid']} at ${_told(each['market'])}, {each['available']} free"


def _told(value: object) -> object:
    from decimal import Decimal

    return exact(value) if isinstance(value, Decimal) else value


def _market(kind: Mapping[str, Any], row: Mapping[str, Any], client: Client) -> dict[str, Any]:
    fid, region = _text(kind, "fid", TYPES), _text(row, "region", MARKETS)
    price = dollars(row.get("last_instance_price"))
    if price is None:
        raise MalformedReplyError(f"the reply of {MARKETS} has no `last_instance_price`")
    lowest = row.get("lowest_allocated_price")
    winning = None if lowest is None else dollars(lowest)
    if lowest is not None and winning is None:
        raise MalformedReplyError(f"`lowest_allocated_price` in the reply of {MARKETS} is no price")
    now = client.price(fid, region, 1)
    return {
        "name": _text(kind, "name", TYPES),
        "fid": fid,
        "region": region,
        "gpu_type": _text(kind, "gpu_type", TYPES),
        "gpus": _count(kind, "num_gpus", TYPES),
        "gpu_memory_gb": _count(kind, "gpu_memory_gb", TYPES),
        "socket": _text(kind, "gpu_socket", TYPES, empty=True),
        "cpus": _count(kind, "num_cpus", TYPES),
        "memory_gb": _count(kind, "ram_gb", TYPES),
        "disk_gb": _count(kind, "local_storage_gb", TYPES),
        "market": price,
        "minimum": _cents(now, "minimum_price_cents"),
        "winning": _cents(now, "lowest_allocated_bid_cents") if winning is None else winning,
        "available": _count(row, "capacity", MARKETS),
    }


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
