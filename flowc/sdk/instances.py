"""Which machines have what is required: by the catalog, and by today's market where there is a key to ask with."""

from __future__ import annotations

import math
import sys
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from flowc import catalog
from flowc._compiled.gpu_models import FAMILIES
from flowc.catalog.find import Wanted, fits
from flowc.catalog.load import make_offer
from flowc.catalog.names import Mistake, Parsed, parse_instance_type
from flowc.diag.sink import Sink
from flowc.ir.units import MICROS_PER_USD, parse_usd, usd_text
from flowc.providers.mithril.money import dollars, exact
from flowc.sdk import compiling
from flowc.sdk.errors import ValidationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.catalog.model import Catalog, Offer
    from flowc.tasks.world import World

# What a machine must have at least, and how a catalog calls it.
LEAST = {"gpu_memory_gb": "gpu_memory_gb", "gpu_count": "gpus", "cpus": "cpus", "memory_gb": "memory_gb"}
TEXTS = ("gpu", "instance_type", "region")
# What they are called elsewhere.
OTHER_NAMES = {
    "gpu_type": "gpu",
    "min_gpu_count": "gpu_count",
    "min_gpu_memory_gb": "gpu_memory_gb",
    "max_price_per_hour": "max_price",
}
KNOWN = (*LEAST, *TEXTS, "max_price")


def find(
    world: World, requirements: Mapping[str, Any], *, limit: int, catalog: str | None, own: bool
) -> list[dict[str, Any]]:
    """See Flow.find_instances. Raises as World and the provider do, and ValidationError."""
    wanted = _checked(requirements)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ValidationError(f"limit is {limit!r}, expected a whole number, at least 1", field="limit")
    table = _catalog(catalog, world, own=own)
    live = world.chosen != "local" and world.settings.text("api_key") is not None
    offers = _live(world, table) if live else [*table.offers]
    region = wanted.get("region")
    if region is not None and not any(fits(each, Wanted(regions=(region,))) for each in offers):
        known = ", ".join(sorted({each.region for each in offers}))
        world.tell(f"warning: nothing is sold in {region}; there are {known}")
    demand, counts = _demand(wanted)
    found = [each for each in offers if fits(each, demand) and all(count == each.type.gpus for count in counts)]
    found.sort(key=lambda each: (each.rank, each.type.gpus, each.type.name, each.region))
    source = "provider" if live else f"catalog of {table.as_of}"
    return [_row(each, source) for each in found[:limit]]


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
            found[key] = (found[key], _type(key, found[key]))
    return found


def _type(key: str, text: str) -> Parsed:
    parsed = parse_instance_type(text)
    if isinstance(parsed, Mistake):
        near = (f"Did you mean: '{parsed.suggestion}'?",) if parsed.suggestion else ()
        raise ValidationError(f"Invalid instance type '{text}': {parsed.reason}", details=near, field=key)
    return parsed


def _catalog(path: str | None, world: World, *, own: bool) -> Catalog:
    sink = Sink()
    table = catalog.load(path, sink, own=own)
    compiling.refuse(sink.diagnostics, None)
    for each in sink.diagnostics:
        world.tell(f"{each.severity}: {each.message}")
    assert table is not None
    return table


def _demand(wanted: Mapping[str, Any]) -> tuple[Wanted, list[int]]:
    """What is looked for in a catalog, and counts of GPUs that a machine must have exactly. A bare family as instance
    type stands for its usual machine."""
    least = {name: math.ceil(wanted[key]) for key, name in LEAST.items() if key in wanted}
    most = int(wanted["max_price"] * MICROS_PER_USD) if "max_price" in wanted else None
    texts = [wanted[key][0] for key in ("gpu", "instance_type") if key in wanted]
    counts = []
    if "instance_type" in wanted:
        parsed = wanted["instance_type"][1]
        usual = FAMILIES[parsed.family]["bare_count"] if parsed.family is not None and parsed.count is None else None
        counts += [usual] if usual else []
    regions = (wanted["region"],) if "region" in wanted else ()
    return Wanted(every=tuple(texts), regions=regions, most=most, **least), counts


def _live(world: World, table: Catalog) -> list[Offer]:
    """Of types that jobs are put on: the size of others is not known."""
    client = world.client()
    names = {row["fid"]: str(row["name"]) for row in client.instance_types()}
    found = []
    for market in client.availability():
        fid = str(market["instance_type"])
        known = table.named(names[fid]) if fid in names else None
        if known is None:
            continue
        capacity = market.get("capacity")
        free = capacity if isinstance(capacity, int) and not isinstance(capacity, bool) else None
        price = dollars(market.get("last_instance_price"))
        offer = make_offer(known, str(market["region"]), fid, None, None if price is None else parse_usd(exact(price)))
        # What has no price comes last, and is below no price.
        found.append(offer.replace(available=free, rank=offer.rank if price is not None else sys.maxsize))
    return found


def _row(offer: Offer, source: str) -> dict[str, Any]:
    each = offer.type
    return {
        "instance_type": each.name,
        "region": offer.region,
        "gpu": each.family,
        "gpu_count": each.gpus,
        "gpu_memory_gb": each.gpu_memory_gb,
        "cpus": each.cpus,
        "memory_gb": each.memory_gb,
        "price_usd_per_hour": None if offer.market is None else float(usd_text(offer.market)),
        "available": offer.available,
        "source": source,
    }
