"""Which machines are in question for a job: by name, by GPU model, by region."""

from __future__ import annotations

from flowc._compiled.gpu_models import FAMILIES
from flowc.catalog import names
from flowc.catalog.gpus import known_words, read_gpu_word
from flowc.catalog.load import make_offer
from flowc.catalog.model import InstanceType
from flowc.diag.codes import resolve as codes
from flowc.diag.suggest import nearest
from flowc.ir.units import GIB
from flowc.passes import wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog, Offer
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.demand import Demand


class Selection:
    """Machines among which one may be chosen.

    `offers` are those in the regions asked for, `anywhere` those of all regions. `text` is what the user
    wrote to name them, None when nothing narrows the choice; `named`: an instance type was given, not a GPU
    model. `bare`: that type was only a family, so that the count is flowc's reading.
    """

    __slots__ = ("anywhere", "bare", "named", "offers", "text")

    def __init__(
        self, offers: tuple[Offer, ...], text: str | None = None, *, named: bool = False, bare: bool = False
    ) -> None:
        self.anywhere = offers
        self.offers = offers
        self.text = text
        self.named = named
        self.bare = bare


def select(unit: Unit, demand: Demand, catalog: Catalog, sink: Sink) -> list[Selection]:
    """The selections in order of preference; none when a mistake was reported."""
    errors = sink.error_count
    wanted = unit.job.resources.alternatives
    if wanted:
        found = [_by_name(text, unit, demand, catalog, sink) for text in wanted]
    else:
        found = [_by_model(unit, demand, catalog, sink)]
    _check_regions(unit, catalog, sink)
    if sink.error_count > errors:
        return []
    return [_in_regions(each, unit, catalog) for each in found if each is not None]


def _by_name(text: str, unit: Unit, demand: Demand, catalog: Catalog, sink: Sink) -> Selection | None:
    exact = catalog.named(text.strip().lower())
    if exact is not None:
        return _sold(text, tuple(offer for offer in catalog.offers if offer.type is exact), unit, catalog, sink)
    parsed = names.parse_instance_type(text)
    if isinstance(parsed, names.Mistake):
        help = wording.formats_help(catalog, parsed.family, parsed.suggestion)
        span = unit.origin("resources.alternatives")
        sink.report(codes.INSTANCE_TYPE_UNREADABLE, span, help=help, text=text, reason=parsed.reason)
        return None
    if parsed.fid is not None:
        return _by_fid(parsed.fid, unit, demand, catalog, sink)
    return _by_family(text, parsed, unit, demand, catalog, sink)


def _by_family(
    text: str, parsed: names.Parsed, unit: Unit, demand: Demand, catalog: Catalog, sink: Sink
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
        found = _sold(text, tuple(o for o in offers if o.type.gpus == parsed.count), unit, catalog, sink, parsed)
        if found is not None and parsed.abridged:
            span = unit.origin("resources.alternatives")
            sink.report(codes.INSTANCE_TYPE_ABRIDGED, span, text=text, type=found.offers[0].type.name)
        return found
    if offers and not demand.asks_gpus:
        bare = FAMILIES[family]["bare_count"] or min(offer.type.gpus for offer in offers)
        offers = [offer for offer in offers if offer.type.gpus == bare]
    found = _sold(text, tuple(offers), unit, catalog, sink, parsed)
    if found is not None:
        found.bare = len(catalog.sold_counts(family)) > 1
    return found


def _sold(
    text: str,
    offers: tuple[Offer, ...],
    unit: Unit,
    catalog: Catalog,
    sink: Sink,
    parsed: names.Parsed | None = None,
) -> Selection | None:
    """The selection of these offers; without any, an error that says what is sold."""
    if offers:
        return Selection(offers, text, named=True)
    known = parsed or catalog.named(text.strip().lower())
    sold = wording.sold(catalog, known.family if known is not None else None)
    help = f"sold are {wording.sold_names(catalog, None)}"
    sink.report(codes.INSTANCE_TYPE_NOT_SOLD, unit.origin("resources.alternatives"), help=help, text=text, sold=sold)
    return None


def _by_fid(fid: str, unit: Unit, demand: Demand, catalog: Catalog, sink: Sink) -> Selection | None:
    """An id goes to the provider as it stands; what the catalog does not know of it, the user must say."""
    known = catalog.with_fid(fid)
    if known is not None:
        offers = tuple(o for o in (*catalog.offers, *catalog.hidden) if o.fid == fid)
        return Selection(offers, fid, named=True)
    regions = unit.job.placement.regions
    missing = [] if regions else ["`--region`"]
    if unit.job.pricing.max_usd_per_instance_hour is None:
        missing.append("`--max-price-per-hour`")
    if missing:
        span = unit.origin("resources.alternatives")
        text = " and ".join(missing)
        sink.report(codes.ID_NOT_IN_CATALOG, span, text=fid, as_of=catalog.as_of, missing=text)
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


def _by_model(unit: Unit, demand: Demand, catalog: Catalog, sink: Sink) -> Selection | None:
    model = unit.job.resources.gpu_model
    if not demand.asks_gpus:
        return Selection(catalog.offers)
    if model is None:
        return _by_features(unit, catalog, sink)
    word = read_gpu_word(model)
    span = unit.origin("resources.gpu_model", "resources.gpus_per_node", "layout.gpus_total")
    if word is None:
        suggestion = nearest(model, known_words())
        hint = f"did you mean `{suggestion}`? " if suggestion else ""
        sink.report(codes.GPU_MODEL_UNKNOWN, span, help=hint + wording.choose_help(catalog), word=model)
        return None
    if not word.families:
        return Selection(catalog.offers)
    least = 0 if word.slice else word.memory_gb or 0
    found = _of_families(word.families, least, model, catalog)
    if found is None:
        asked = (f"{least} GB " if least else "") + wording.models(word.families)
        sold = wording.sold(catalog, next((each for each in word.families if each in catalog.families), None))
        sink.report(codes.GPU_MODEL_NOT_SOLD, span, help=wording.choose_help(catalog), model=asked, sold=sold)
    elif word.slice:
        sink.report(codes.GPU_SLICE, span, word=model, family=found.offers[0].type.family.upper())
    return found


def _by_features(unit: Unit, catalog: Catalog, sink: Sink) -> Selection | None:
    """GPUs without a model: a constraint that is the name of one stands for it; several are alternatives."""
    read = [(word, read_gpu_word(word)) for word in unit.job.resources.features]
    naming = [(word, each) for word, each in read if each is not None and each.families]
    if not naming:
        return Selection(catalog.offers)
    families = tuple(dict.fromkeys(family for _, each in naming for family in each.families))
    text = "|".join(word for word, _ in naming)
    span = unit.origin("resources.features")
    memory = naming[0][1].memory_gb if len(naming) == 1 and not naming[0][1].slice else None
    found = _of_families(families, memory or 0, text, catalog)
    if found is None:
        help, sold = wording.choose_help(catalog), wording.sold(catalog, None)
        sink.report(codes.GPU_MODEL_NOT_SOLD, span, help=help, model=wording.models(families), sold=sold)
    return found


def _of_families(families: tuple[str, ...], least_gb: int, text: str, catalog: Catalog) -> Selection | None:
    """The offers with a GPU of these families and at least so much memory; None when there are none."""
    offers = tuple(o for o in catalog.offers if o.type.family in families and o.type.gpu_memory_gb >= least_gb)
    return Selection(offers, text) if offers else None


def _check_regions(unit: Unit, catalog: Catalog, sink: Sink) -> None:
    for region in unit.job.placement.regions:
        if region not in catalog.regions:
            help = f"known regions: {', '.join(sorted(catalog.regions))}"
            span = unit.origin("placement.regions")
            sink.report(codes.REGION_UNKNOWN, span, help=help, region=region, as_of=catalog.as_of)


def _in_regions(selection: Selection, unit: Unit, catalog: Catalog) -> Selection:
    """Keep the offers of the regions asked for; in a region that the catalog does not know anything may be
    sold."""
    regions = unit.job.placement.regions
    if not regions:
        return selection
    kept = [offer for offer in selection.anywhere if offer.region in regions]
    types = dict.fromkeys(offer.type for offer in selection.anywhere)
    for region in regions:
        if region not in catalog.regions and not any(offer.region == region for offer in kept):
            kept += [make_offer(each, region, None, None, None) for each in types]
    selection.offers = tuple(kept)
    return selection
