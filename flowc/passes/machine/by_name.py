"""Machines that the user names: instance types from a flag or a file, in any of their spellings."""

from __future__ import annotations

from flowc._compiled.gpu_models import FAMILIES
from flowc.catalog import names
from flowc.catalog.load import make_offer
from flowc.catalog.model import InstanceType
from flowc.diag.codes import resolve as codes
from flowc.ir.units import GIB
from flowc.passes.machine import wording
from flowc.passes.machine.selection import Selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog, Offer
    from flowc.ir.unit import Unit
    from flowc.passes.machine.demand import Demand
    from flowc.passes.machine.findings import Findings


def by_name(text: str, unit: Unit, demand: Demand, catalog: Catalog, findings: Findings) -> Selection | None:
    """The machines that an instance type stands for; None when a mistake was reported."""
    exact = catalog.named(text.strip().lower())
    if exact is not None:
        return _sold(text, tuple(offer for offer in catalog.offers if offer.type is exact), unit, catalog, findings)
    parsed = names.parse_instance_type(text)
    if isinstance(parsed, names.Mistake):
        suggestion = parsed.suggestion or wording.near(text, catalog)
        help = wording.formats_help(catalog, parsed.family, suggestion)
        span = unit.origin("resources.alternatives")
        findings.report(codes.INSTANCE_TYPE_UNREADABLE, span, help=help, text=text, reason=parsed.reason)
        return None
    if parsed.fid is not None:
        return _by_fid(parsed.fid, unit, demand, catalog, findings)
    return _by_family(text, parsed, unit, demand, catalog, findings)


def _by_family(
    text: str, parsed: names.Parsed, unit: Unit, demand: Demand, catalog: Catalog, findings: Findings
) -> Selection | None:
    family = parsed.family or ""
    offers = [
        offer
        for offer in catalog.offers
        if offer.type.family == family
        and parsed.memory_gb in (None, offer.type.gpu_memory_gb)
        and parsed.form in (None, offer.type.form)
    ]
    if parsed.count is not None:
        found = _sold(text, tuple(o for o in offers if o.type.gpus == parsed.count), unit, catalog, findings, parsed)
        if found is not None and parsed.abridged:
            span = unit.origin("resources.alternatives")
            findings.report(codes.INSTANCE_TYPE_ABRIDGED, span, text=text, type=found.offers[0].type.name)
        return found
    if offers and not demand.asks_gpus:
        bare = FAMILIES[family]["bare_count"] or min(offer.type.gpus for offer in offers)
        offers = [offer for offer in offers if offer.type.gpus == bare]
    found = _sold(text, tuple(offers), unit, catalog, findings, parsed)
    if found is not None:
        found.bare = len(catalog.sold_counts(family)) > 1
    return found


def _sold(
    text: str,
    offers: tuple[Offer, ...],
    unit: Unit,
    catalog: Catalog,
    findings: Findings,
    parsed: names.Parsed | None = None,
) -> Selection | None:
    """The selection of these offers; without any, an error that says what is sold."""
    if offers:
        return Selection(offers, text, named=True)
    known = parsed or catalog.named(text.strip().lower())
    family = known.family if known is not None else None
    short = None if family in catalog.families else f"no machine `{text}` is sold"
    help = f"sold are {wording.sold_names(catalog, None)}"
    span, sold = unit.origin("resources.alternatives"), wording.sold(catalog, family)
    findings.report(codes.INSTANCE_TYPE_NOT_SOLD, span, help=help, short=short, text=text, sold=sold)
    return None


def _by_fid(fid: str, unit: Unit, demand: Demand, catalog: Catalog, findings: Findings) -> Selection | None:
    """An id goes to the provider as it stands; what the catalog does not know of it, the user must say."""
    known = catalog.with_fid(fid)
    if known is not None:
        offers = tuple(o for o in (*catalog.offers, *catalog.hidden) if o.fid == fid)
        if fid in known.former_fids:
            offers = tuple(o.replace(fid=fid) for o in catalog.offers if o.type is known)
        return Selection(offers, fid, named=True)
    regions = unit.job.placement.regions
    missing = [] if regions else ["`--region`"]
    if unit.job.pricing.max_usd_per_instance_hour is None:
        missing.append("`--max-price-per-hour`")
    if missing:
        span = unit.origin("resources.alternatives")
        text = " and ".join(missing)
        findings.report(codes.ID_NOT_IN_CATALOG, span, text=fid, as_of=catalog.as_of, missing=text)
        return None
    share = demand.share(demand.fewest)
    machine = InstanceType(
        name=fid,
        aliases=(),
        family="",
        gpus=share.gpus,
        gpu_memory_gb=0,
        form="",
        cpus=share.cpus,
        memory_gb=-(-share.memory_bytes // GIB),
        disk_gb=-(-share.disk_bytes // 10**9),
    )
    return Selection(tuple(make_offer(machine, region, fid, None, None) for region in regions), fid, named=True)
