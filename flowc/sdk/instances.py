"""Which machines have what is required: by the catalog, and by today's market where there is a key to ask with."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from flowc import catalog
from flowc.catalog.names import Mistake, parse_instance_type
from flowc.diag.sink import Sink
from flowc.ir.units import usd_text
from flowc.sdk import compiling
from flowc.sdk.errors import ValidationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from flowc.catalog.model import Catalog, InstanceType
    from flowc.tasks.world import World

# What a machine must have at least, and what of it is compared.
LEAST = {"gpu_memory_gb": "gpu_memory_gb", "gpu_count": "gpu_count", "cpus": "cpus", "memory_gb": "memory_gb"}
TEXTS = ("gpu", "instance_type", "region")
# What they are called elsewhere.
OTHER_NAMES = {
    "gpu_type": "gpu",
    "min_gpu_count": "gpu_count",
    "min_gpu_memory_gb": "gpu_memory_gb",
    "max_price_per_hour": "max_price",
}
KNOWN = (*LEAST, *TEXTS, "max_price")


def find(world: World, requirements: Mapping[str, Any], *, limit: int, catalog: str | None) -> list[dict[str, Any]]:
    """See Flow.find_instances. Raises as World and the provider do, and ValidationError."""
    wanted = _checked(requirements)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ValidationError(f"limit is {limit!r}, expected a whole number, at least 1", field="limit")
    table = _catalog(catalog)
    live = world.chosen != "local" and world.settings.text("api_key") is not None
    rows = list(_live(world, table) if live else _seed(table))
    region = wanted.get("region")
    if region is not None and all(row["region"] != region for row in rows):
        known = ", ".join(sorted({row["region"] for row in rows}))
        world.tell(f"warning: nothing is sold in {region}; there are {known}")
    found = [row for row in rows if _fits(row, wanted)]
    found.sort(key=lambda row: (_rank(row), row["gpu_count"], row["instance_type"], row["region"]))
    return [{key: value for key, value in row.items() if not key.startswith("_")} for row in found[:limit]]


def _checked(requirements: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValidationError."""
    found: dict[str, Any] = {}
    for key, value in requirements.items():
        if key not in KNOWN:
            near = OTHER_NAMES.get(key) or next(iter(get_close_matches(str(key), KNOWN, n=1)), None)
            raise ValidationError(
                f"Unknown requirement '{key}'",
                details=(f"Did you mean: '{near}'?",) if near else (),
                suggestions=(f"there are {', '.join(KNOWN)}",),
                field=str(key),
            )
        if value is None:
            continue
        if key in TEXTS:
            if not isinstance(value, str):
                raise ValidationError(f"{key} is {value!r}, expected a text", field=key)
            found[key] = value
            continue
        try:
            number = None if isinstance(value, bool) else Decimal(str(value))
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or number < 0:
            raise ValidationError(f"{key} is {value!r}, expected a number", field=key)
        found[key] = number
    for key in ("gpu", "instance_type"):
        if key in found:
            found[key] = _type(key, found[key])
    return found


def _type(key: str, text: str) -> Any:
    parsed = parse_instance_type(text)
    if isinstance(parsed, Mistake):
        near = (f"Did you mean: '{parsed.suggestion}'?",) if parsed.suggestion else ()
        raise ValidationError(f"Invalid instance type '{text}': {parsed.reason}", details=near, field=key)
    return parsed


def _catalog(path: str | None) -> Catalog:
    sink = Sink()
    table = catalog.load(path, sink)
    compiling.refuse(sink.diagnostics, None)
    assert table is not None
    return table


def _seed(table: Catalog) -> Iterator[dict[str, Any]]:
    for offer in table.offers:
        price = None if offer.market is None else Decimal(usd_text(offer.market))
        row = _row(offer.type, offer.region, price, None, f"catalog of {table.as_of}")
        # Where no price is known, what is compared is what would be bid for.
        yield {**row, "_rank": Decimal(usd_text(offer.rank))}


def _live(world: World, table: Catalog) -> Iterator[dict[str, Any]]:
    from flowc.providers.mithril.money import dollars

    client = world.client()
    names = {row["fid"]: str(row["name"]) for row in client.instance_types()}
    for market in client.availability():
        name = names.get(market["instance_type"])
        known = None if name is None else table.named(name)
        if known is None:  # not a type that jobs are put on: its size is not known
            continue
        capacity = market.get("capacity")
        free = capacity if isinstance(capacity, int) and not isinstance(capacity, bool) else None
        yield _row(known, str(market["region"]), dollars(market.get("last_instance_price")), free, "provider")


def _row(each: InstanceType, region: str, price: Decimal | None, free: int | None, source: str) -> dict[str, Any]:
    return {
        "instance_type": each.name,
        "region": region,
        "gpu": each.family,
        "gpu_count": each.gpus,
        "gpu_memory_gb": each.gpu_memory_gb,
        "cpus": each.cpus,
        "memory_gb": each.memory_gb,
        "price_usd_per_hour": None if price is None else float(price),
        "available": free,
        "source": source,
    }


def _rank(row: Mapping[str, Any]) -> Decimal:
    price = row["price_usd_per_hour"]
    rank: Decimal | None = row.get("_rank") if price is None else Decimal(str(price))
    return Decimal("Infinity") if rank is None else rank


def _fits(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """What no source says satisfies no requirement."""
    for key, name in LEAST.items():
        if key in wanted and (row[name] is None or row[name] < wanted[key]):
            return False
    if "region" in wanted and row["region"] != wanted["region"]:
        return False
    if "max_price" in wanted and _rank(row) > wanted["max_price"]:
        return False
    gpu = wanted.get("gpu")
    if gpu is not None and not (_is_model(gpu, row) and gpu.count in (None, row["gpu_count"])):
        return False
    exact = wanted.get("instance_type")
    return exact is None or _is_type(exact, row)


def _is_type(parsed: Any, row: Mapping[str, Any]) -> bool:
    from flowc._compiled.gpu_models import FAMILIES

    if not _is_model(parsed, row):
        return False
    count = parsed.count or FAMILIES[parsed.family]["bare_count"]
    return count in (None, row["gpu_count"])


def _is_model(parsed: Any, row: Mapping[str, Any]) -> bool:
    return parsed.family == row["gpu"] and parsed.memory_gb in (None, row["gpu_memory_gb"])
