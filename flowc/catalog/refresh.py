"""A catalog with what the provider says today: a new document, and what is different in it. Pure; nothing is written.

What the provider does not tell (older names and ids of a type, its disk where it has none of its own, whether a type is
to be chosen unasked) stays as it was. A type that is no longer sold stays known by name, without offers; one with
accelerators that are no GPUs of NVIDIA's is known by name alone too.
"""

from __future__ import annotations

from flowc._compiled.gpu_capabilities import MODELS
from flowc._compiled.gpu_models import FAMILIES
from flowc.catalog.copy import document
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flowc.catalog.model import Catalog, Offer

SOURCE = "provider's API"
MITHRIL = "mithril"


class Sold(Record):
    """A type in a region, as the provider has it. Prices are decimal texts, USD of one machine for an hour; `winning`
    is the lowest limit that has machines now, None where that is not known; `available` are machines without a bid;
    `others` further ids of the type there, which jobs may name and the catalog has no prices of."""

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
    market: str | None
    minimum: str | None
    winning: str | None
    available: int
    others: tuple[str, ...] = ()


def refreshed(old: Catalog, sold: Iterable[Sold], today: str) -> dict[str, Any]:
    """The catalog of today (YYYY-MM-DD), in the form of its file."""
    base = document(old)
    rows: dict[str, dict[str, Any]] = {}
    known = {(row["name"], offer["region"]): offer for row in base["instance_types"] for offer in row["offers"]}
    for row in base["instance_types"]:
        kept = [offer for offer in row["offers"] if offer["cloud"] != MITHRIL]
        gone = [offer["fid"] for offer in row["offers"] if offer["cloud"] == MITHRIL and offer["fid"] is not None]
        rows[row["name"]] = {**row, "former_fids": [*row["former_fids"], *gone], "offers": kept}
    regions = set(base["regions"])
    for each in sorted(sold, key=lambda each: (each.gpu_type, each.gpus, each.name, each.region)):
        row = rows.setdefault(each.name, _row(each))
        row.update(gpus=each.gpus, cpus=each.cpus, memory_gb=each.memory_gb)
        row.update(gpu_memory_gb=each.gpu_memory_gb, disk_gb=each.disk_gb or row["disk_gb"])
        before = known.get((each.name, each.region))
        regions.add(each.region)
        offered = row["family"] in MODELS if before is None else before["offered"]
        row["former_fids"] = [*row["former_fids"], *each.others]
        row["offers"].append(_offered(each, today, offered=offered))
    for row in rows.values():
        now = {offer["fid"] for offer in row["offers"]}
        row["former_fids"] = [fid for fid in dict.fromkeys(row["former_fids"]) if fid not in now]
        row["offers"].sort(key=lambda offer: (offer["cloud"], offer["region"]))
    return {"as_of": today, "regions": sorted(regions), "instance_types": list(rows.values())}


def family_of(gpu_type: str) -> str:
    """`h100` of `H100`, `NVIDIA H100`; what no family is known of is a family by its own name."""
    words = "".join(char if char.isalnum() else " " for char in gpu_type.lower()).split()
    joined = "-".join(word for word in words if word != "nvidia")
    return next((word for word in words if word in FAMILIES), joined) or "unknown"


def _row(each: Sold) -> dict[str, Any]:
    form = "".join(char for char in each.socket.lower() if char.isalpha())
    return {
        "name": each.name,
        "aliases": [],
        "former_fids": [],
        "family": family_of(each.gpu_type)[:32],
        "gpus": each.gpus,
        "gpu_memory_gb": each.gpu_memory_gb,
        "form": form or "none",
        "cpus": each.cpus,
        "memory_gb": each.memory_gb,
        "disk_gb": each.disk_gb,
        "offers": [],
    }


def _offered(each: Sold, today: str, *, offered: bool) -> dict[str, Any]:
    return {
        "cloud": MITHRIL,
        "region": each.region,
        "fid": each.fid,
        "minimum_usd": each.minimum,
        "market_usd": each.market,
        "winning_usd": each.winning,
        "available": each.available,
        "offered": offered,
        "source": SOURCE,
        "as_of": today,
    }


def changes(old: Catalog, new: Catalog) -> list[str]:
    """What is different, a line for each offer: `+` is new, `-` is gone, `~` has changed."""
    before, after = _by_place(old), _by_place(new)
    lines = []
    for place in sorted({*before, *after}):
        name = f"{place[0]} in {place[1]}"
        if place not in before:
            lines.append(f"+ {name}: {', '.join(f'{what} {value}' for what, value in _facts(after[place]).items())}")
        elif place not in after:
            lines.append(f"- {name}")
        else:
            then, now = _facts(before[place]), _facts(after[place])
            told = [f"{what} {then[what]} -> {now[what]}" for what in now if then[what] != now[what]]
            if told:
                lines.append(f"~ {name}: {', '.join(told)}")
    return lines


def _by_place(table: Catalog) -> dict[tuple[str, str], Offer]:
    return {(each.type.name, each.region): each for each in (*table.offers, *table.hidden)}


def _facts(offer: Offer) -> dict[str, str]:
    from flowc.ir.units import usd_text

    def usd(amount: int | None) -> str:
        return "unknown" if amount is None else f"${usd_text(amount)}"

    machine = offer.type
    size = f"{machine.gpus} x {machine.gpu_memory_gb} GB, {machine.cpus or '?'} CPUs, {machine.memory_gb or '?'} GiB"
    return {
        "market": usd(offer.market),
        "minimum": usd(offer.minimum),
        "lowest winning": usd(offer.winning),
        "free": "unknown" if offer.available is None else str(offer.available),
        "size": size,
        "id": offer.fid or "unknown",
    }
