"""Which machines are in question for a job: by name, by GPU model, by region."""

from __future__ import annotations

from flowc.catalog.gpus import known_words, read_gpu_word
from flowc.catalog.load import make_offer
from flowc.diag.codes import resolve as codes
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
        from flowc.passes.by_name import by_name

        found = [by_name(text, unit, demand, catalog, sink) for text in wanted]
    else:
        found = [_by_model(unit, demand, catalog, sink)]
    _check_regions(unit, catalog, sink)
    if sink.error_count > errors:
        return []
    return [_in_regions(each, unit, catalog) for each in found if each is not None]


def _by_model(unit: Unit, demand: Demand, catalog: Catalog, sink: Sink) -> Selection | None:
    model = unit.job.resources.gpu_model
    if not demand.asks_gpus or model is None:
        return _by_features(unit, demand, catalog, sink)
    word = read_gpu_word(model)
    span = unit.origin("resources.gpu_model", "resources.gpus_per_node", "layout.gpus_total")
    if word is None:
        from flowc.diag.suggest import nearest

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


def _by_features(unit: Unit, demand: Demand, catalog: Catalog, sink: Sink) -> Selection | None:
    """No model given: a constraint that is the name of one stands for it; several are alternatives. A job that asks for
    no GPU takes such a machine where there is one."""
    read = [(word, read_gpu_word(word)) for word in unit.job.resources.features]
    naming = [(word, each) for word, each in read if each is not None and each.families]
    if not naming:
        return Selection(catalog.offers)
    families = tuple(dict.fromkeys(family for _, each in naming for family in each.families))
    text = "|".join(word for word, _ in naming)
    span = unit.origin("resources.features")
    memory = naming[0][1].memory_gb if len(naming) == 1 and not naming[0][1].slice else None
    found = _of_families(families, memory or 0, text, catalog)
    if found is None and not demand.asks_gpus:
        return Selection(catalog.offers)
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
