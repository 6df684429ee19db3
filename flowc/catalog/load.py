"""Where a catalog comes from: the bundled snapshot, or a file that the user names.

Both have the form of flowc/data/catalog.yaml; `user_file` reads and checks a file that is not ours.
"""

from __future__ import annotations

from flowc.catalog.model import Catalog, InstanceType, Offer
from flowc.ir.units import parse_usd, usd_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from flowc.diag.sink import Sink

_bundled: Catalog | None = None


def load(path: str | None, sink: Sink, *, own: bool = False) -> Catalog | None:
    """The catalog of a file, or the bundled one for None. Reports what is wrong with a file and returns None; where it
    is the user's `own` copy, which nobody named, it warns and gives the bundled one."""
    if path is None:
        return bundled()
    return _own(path, sink) if own else _of_file(path, sink)


def _of_file(path: str, sink: Sink) -> Catalog | None:
    from flowc.catalog.user_file import read

    found = read(path, sink)
    if found is None:
        return None
    source, checked = found
    return make(source, checked["as_of"], checked["regions"], checked["instance_types"])


def _own(path: str, sink: Sink) -> Catalog:
    from flowc.diag.codes import price as codes
    from flowc.diag.sink import Sink as Unheard
    from flowc.source import Source, Span

    unheard = Unheard()
    found = _of_file(path, unheard)
    if found is not None:
        return found
    table = bundled()
    reason = unheard.diagnostics[0].message.replace(f"`{path}`", "it").replace("the catalog it", "it")
    place = Span(Source("catalog.json", ""), 0, 0)  # documents name no path of a home
    help = "`flowc catalog refresh` makes it anew"
    sink.report(codes.CATALOG_COPY_DAMAGED, place, help=help, reason=reason, as_of=table.as_of)
    return table


def bundled() -> Catalog:
    """The snapshot that comes with flowc, made on first use."""
    global _bundled
    if _bundled is None:
        from flowc._compiled import catalog as data

        _bundled = make("bundled", data.AS_OF, data.REGIONS, data.INSTANCE_TYPES)
    return _bundled


def make(source: str, as_of: str, regions: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Catalog:
    """A catalog of checked rows; `source` is `bundled`, `refreshed` or the path that they came from."""
    types, offers = [], []
    for row in rows:
        fields = dict(row)
        its_offers = fields.pop("offers")
        each = InstanceType(**fields)
        types.append(each)
        offers += [_offer(each, offer) for offer in its_offers]
    return Catalog(source, as_of, regions, types, offers)


def _offer(each: InstanceType, row: Mapping[str, Any]) -> Offer:
    minimum, market, winning = (
        None if row[name] is None else parse_usd(row[name]) for name in ("minimum_usd", "market_usd", "winning_usd")
    )
    return make_offer(
        each,
        row["region"],
        row["fid"],
        minimum,
        market,
        row["offered"],
        cloud=row["cloud"],
        winning=winning,
        available=row["available"],
        source=row["source"],
        as_of=row["as_of"],
    )


def make_offer(
    each: InstanceType,
    region: str,
    fid: str | None,
    minimum: int | None,
    market: int | None,
    offered: bool = True,
    **others: Any,
) -> Offer:
    """An offer, with the price that it ranks by; prices in micro-dollars per instance-hour, None where
    unknown. `others` are its other fields."""
    from flowc.catalog.prices import default_limit

    if market is not None:
        rank, rank_kind = market, "its market price"
    elif minimum:
        rank, rank_kind = minimum, "its minimum price"
    else:
        rank, rank_kind = default_limit(each.family, each.gpus), "the limit that it is bid for by default"
    return Offer(
        type=each,
        region=region,
        fid=fid,
        minimum=minimum,
        market=market,
        offered=offered,
        rank=rank,
        rank_kind=rank_kind,
        price=f"${usd_text(rank)} an hour by {rank_kind}",
        **others,
    )
