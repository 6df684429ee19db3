"""Where a catalog comes from: the bundled snapshot, or a file that the user names.

A user's file has the form of flowc/data/catalog.yaml, in JSON or YAML; it is untrusted and checked against
`catalog.schema` before anything is made of it.
"""

from __future__ import annotations

from flowc.catalog.model import Catalog, InstanceType, Offer
from flowc.ir.units import parse_usd, usd_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from flowc.diag.sink import Sink

# A catalog of a whole cloud is a few hundred kilobytes.
LARGEST_FILE_BYTES = 16 << 20
MOST_MISTAKES_SHOWN = 20

_KINDS = {
    "market": "its market price",
    "minimum": "its minimum price",
    "default limit": "the default limit, its market price is unknown",
}

_bundled: Catalog | None = None


def load(path: str | None, sink: Sink) -> Catalog | None:
    """The catalog of a file, or the bundled one for None. Reports what is wrong with a file and returns
    None."""
    if path is None:
        return bundled()
    content = _content(path, sink)
    return None if content is None else _checked(path, content, sink)


def bundled() -> Catalog:
    """The snapshot that comes with flowc, made on first use."""
    global _bundled
    if _bundled is None:
        from flowc._compiled import catalog as data

        _bundled = _catalog("bundled", data.AS_OF, data.REGIONS, data.INSTANCE_TYPES)
    return _bundled


def _catalog(source: str, as_of: str, regions: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Catalog:
    types, offers = [], []
    for row in rows:
        each = InstanceType(**{key: value for key, value in row.items() if key != "offers"})
        types.append(each)
        offers += [_offer(each, offer) for offer in row["offers"]]
    return Catalog(source, as_of, regions, types, offers)


def _offer(each: InstanceType, row: Mapping[str, Any]) -> Offer:
    minimum = parse_usd(row["minimum_usd"]) if row["minimum_usd"] is not None else None
    market = parse_usd(row["market_usd"]) if row["market_usd"] is not None else None
    return make_offer(each, row["region"], row["fid"], minimum, market, row["offered"])


def make_offer(
    each: InstanceType,
    region: str,
    fid: str | None,
    minimum: int | None,
    market: int | None,
    offered: bool = True,
) -> Offer:
    """An offer, with the price that it ranks by; prices in micro-dollars per instance-hour, None where
    unknown."""
    from flowc.catalog.prices import default_limit

    if market is not None:
        rank, rank_kind = market, "market"
    elif minimum:
        rank, rank_kind = minimum, "minimum"
    else:
        rank, rank_kind = default_limit(each.family, each.gpus), "default limit"
    return Offer(
        type=each,
        region=region,
        fid=fid,
        minimum=minimum,
        market=market,
        offered=offered,
        rank=rank,
        rank_kind=rank_kind,
        price=f"${usd_text(rank)} an hour by {_KINDS[rank_kind]}",
    )


def _content(path: str, sink: Sink) -> object | None:
    """What a JSON or YAML file says, None (reported) when it cannot be read."""
    from flowc.diag.codes import resolve as codes

    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        sink.report(codes.CATALOG_UNREADABLE, None, path=path, reason=reason.lower())
        return None
    if len(data) > LARGEST_FILE_BYTES:
        sink.report(codes.CATALOG_UNREADABLE, None, path=path, reason="larger than 16 MiB")
        return None
    try:
        return _parse(path, data.decode("utf-8"))
    except (ValueError, RecursionError, ImportError) as error:
        sink.report(codes.CATALOG_UNREADABLE, None, path=path, reason=" ".join(str(error).split())[:300])
        return None


def _parse(path: str, text: str) -> object:
    """Raises ValueError for text that is neither JSON nor YAML, ImportError where the reader is not
    installed."""
    import json

    if not path.endswith((".yaml", ".yml")):
        return json.loads(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _checked(path: str, content: object, sink: Sink) -> Catalog | None:
    from flowc.diag.codes import resolve as codes

    try:
        from pydantic import ValidationError

        from flowc.catalog.schema import CatalogFile
    except ImportError:
        help = "install flowc with the extra `generate`, or leave out `--catalog`"
        sink.report(codes.CATALOG_UNREADABLE, None, path=path, reason="checking it needs pydantic", help=help)
        return None
    try:
        checked = CatalogFile.model_validate(content).model_dump()
    except ValidationError as error:
        for mistake in error.errors(include_url=False)[:MOST_MISTAKES_SHOWN]:
            place = ".".join(str(part) for part in mistake["loc"]) or "the file"
            reason = mistake["msg"][:1].lower() + mistake["msg"][1:]
            sink.report(codes.CATALOG_MISTAKE, None, path=path, place=place, reason=reason)
        return None
    return _catalog(path, checked["as_of"], checked["regions"], checked["instance_types"])
