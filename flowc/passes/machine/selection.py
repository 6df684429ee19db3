"""Which machines are in question for a job: by name, by GPU model, by region."""

from __future__ import annotations

from flowc.catalog.gpus import GpuWord, is_meant, known_words, maker_of, read_gpu_word
from flowc.catalog.load import make_offer
from flowc.diag.codes import resolve as codes
from flowc.passes.machine import wording
from flowc.patterns import is_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog, Offer
    from flowc.ir.unit import Unit
    from flowc.passes.machine.demand import Demand
    from flowc.passes.machine.findings import Findings


_MOVE = "`--move` takes the cheapest one that is at least as capable"


class Selection:
    """Machines among which one may be chosen.

    `offers` are those in the regions asked for, `anywhere` those of all regions. `text` is what the user
    wrote to name them, None when nothing narrows the choice; `named`: an instance type was given, not a GPU
    model. `bare`: that type was only a family, so that the count is flowc's reading. `stands_for`: the GPU model
    in whose place they are, which is not sold.
    """

    __slots__ = ("anywhere", "bare", "named", "offers", "stands_for", "text")

    def __init__(
        self,
        offers: tuple[Offer, ...],
        text: str | None = None,
        *,
        named: bool = False,
        bare: bool = False,
        stands_for: str | None = None,
    ) -> None:
        self.anywhere = offers
        self.offers = offers
        self.text = text
        self.named = named
        self.bare = bare
        self.stands_for = stands_for


def by_model(unit: Unit, demand: Demand, catalog: Catalog, findings: Findings) -> Selection | None:
    """The machines in question for a job that names no instance type; None when a mistake was found."""
    model = unit.job.resources.gpu_model
    if model is None or not (demand.asks_gpus or demand.any_count):
        return _by_features(unit, demand, catalog, findings)
    word = read_gpu_word(model)
    span = unit.origin("resources.gpu_model", "resources.gpus_per_node", "layout.gpus_total")
    if word is None:
        help = wording.did_you_mean(model, known_words()) + wording.choose_help(catalog)
        findings.report(codes.GPU_MODEL_UNKNOWN, span, help=help, word=wording.as_written(model, span))
        return None
    least = 0 if word.slice else word.memory_gb or 0
    if not word.families:
        if word.slice:
            findings.report(codes.GPU_SLICE, span, word=model, whole="GPU")
        if not least:
            return _by_features(unit, demand, catalog, findings)
        return Selection(tuple(o for o in catalog.offers if o.type.gpu_memory_gb >= least) or catalog.offers)
    found = _of_families(word.families, least, model, catalog)
    if found is None:
        found = _stand_in(model, word, unit, catalog)
        if found is not None and word.slice:
            findings.report(codes.GPU_SLICE, span, word=model, whole="GPU")
        if found is not None:
            return found
        _report_not_sold(word, least, model, unit, catalog, findings)
    elif word.slice:
        findings.report(codes.GPU_SLICE, span, word=model, whole=f"{found.offers[0].type.family.upper()} GPU")
    elif least and all(offer.type.gpu_memory_gb > least for offer in found.offers):
        sold = sorted({offer.type.gpu_memory_gb for offer in found.offers})
        text = f"{wording.listed(map(str, sold), 'or')} GB"
        findings.report(codes.GPU_MEMORY_LARGER, span, word=model, asked=least, sold=text)
    return found


def _stand_in(model: str, word: GpuWord, unit: Unit, catalog: Catalog) -> Selection | None:
    """What is to take the place of a model that is not sold: what the profile's line says, or all that is at least as
    capable; None where nobody allows it, or nothing is."""
    line = _line_for(model, unit)
    if line is None:
        return None
    _, instead = line
    other = read_gpu_word(instead) if instead is not None else None
    named = None
    if other is not None and other.families:
        named = _of_families(other.families, other.memory_gb or 0, model, catalog)
    offers = named.offers if named is not None else _stand_ins(word, catalog) if instead is None else ()
    return Selection(offers, stands_for=model) if offers else None


def _line_for(model: str, unit: Unit) -> tuple[str, str | None] | None:
    """The profile's line that is most for a model, the first of several."""
    found = max(unit.stand_ins, key=lambda line: is_meant(model, line[0]), default=None)
    return found if found is not None and is_meant(model, found[0]) else None


def _stand_ins(word: GpuWord, catalog: Catalog) -> tuple[Offer, ...]:
    from flowc.catalog.stand_ins import stand_ins  # few jobs name what is not sold

    return stand_ins(word, catalog)


def _or_move(help: str, model: str, word: GpuWord, unit: Unit, catalog: Catalog) -> str:
    """The help, and what takes another model, where there is one."""
    line = _line_for(model, unit)
    if line is not None and line[1] is not None:
        return f"{help}; the profile's `gpus.{line[0]}` names `{line[1]}`, which is not sold"
    if not _stand_ins(word, catalog):
        return help
    return f"{help}; {_MOVE}, as a profile's line `gpus: {{{word.families[0]}: any}}` does for all jobs"


def _report_not_sold(
    word: GpuWord,
    least_gb: int,
    model: str,
    unit: Unit,
    catalog: Catalog,
    findings: Findings,
    path: str = "resources.gpu_model",
) -> None:
    """A known model that is not for rent: another maker's, or one of NVIDIA's that is not in the catalog."""
    help = wording.choose_help(catalog)
    span = unit.origin(path, "resources.gpus_per_node", "layout.gpus_total")
    maker = maker_of(word.families[0])
    if maker is not None:
        findings.report(codes.GPU_OF_ANOTHER_MAKER, span, help=help, word=model, maker=maker)
        return
    asked = (f"{least_gb} GB " if least_gb else "") + wording.models(word.families)
    family = next((each for each in word.families if each in catalog.families), None)
    short = f"no machine with {asked} GPUs is sold" if family is None else None
    help = _or_move(help, model, word, unit, catalog)
    sold = wording.sold(catalog, family)
    findings.report(codes.GPU_MODEL_NOT_SOLD, span, help=help, short=short, model=asked, sold=sold)


def _by_features(unit: Unit, demand: Demand, catalog: Catalog, findings: Findings) -> Selection | None:
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
    if found is None:
        found = _stand_in(text, GpuWord(families=families, memory_gb=memory, slice=False), unit, catalog)
    if found is None and not demand.asks_gpus and not demand.any_count:
        return Selection(catalog.offers)
    if found is None:
        help, sold = wording.choose_help(catalog), wording.sold(catalog, None)
        model = wording.models(families)
        short = f"no machine with {model} GPUs is sold"
        help = _or_move(help, text, GpuWord(families=families, memory_gb=memory, slice=False), unit, catalog)
        findings.report(codes.GPU_MODEL_NOT_SOLD, span, help=help, short=short, model=model, sold=sold)
    return found


def _of_families(families: tuple[str, ...], least_gb: int, text: str, catalog: Catalog) -> Selection | None:
    """The offers with a GPU of these families and at least so much memory; None when there are none."""
    offers = tuple(o for o in catalog.offers if o.type.family in families and o.type.gpu_memory_gb >= least_gb)
    return Selection(offers, text) if offers else None


def check_regions(unit: Unit, catalog: Catalog, findings: Findings) -> None:
    """Find the regions that the catalog does not know."""
    placement = unit.job.placement
    help = f"known regions: {', '.join(sorted(catalog.regions))}"
    for region in placement.regions:
        if region not in catalog.regions:
            span = unit.origin("placement.regions")
            findings.report(codes.REGION_UNKNOWN, span, help=help, region=region, as_of=catalog.as_of)
    for index, pattern in enumerate(placement.exclude_regions):
        if not any(excluded(region, (pattern,)) for region in (*catalog.regions, *placement.regions)):
            span = unit.origin(f"placement.exclude_regions.{index}", "placement.exclude_regions")
            findings.report(codes.REGION_NOT_EXCLUDED, span, help=help, pattern=pattern, as_of=catalog.as_of)


def excluded(region: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the names or globs stands for the region."""
    if not patterns:
        return False
    return any(is_like(region, pattern) for pattern in patterns)


def in_regions(selection: Selection, unit: Unit, catalog: Catalog) -> Selection:
    """Keep the offers of the regions asked for; in a region that the catalog does not know anything may be
    sold."""
    regions, without = unit.job.placement.regions, unit.job.placement.exclude_regions
    if not regions and not without:
        return selection
    kept = [offer for offer in selection.anywhere if not regions or offer.region in regions]
    types = dict.fromkeys(offer.type for offer in selection.anywhere)
    for region in regions:
        if region not in catalog.regions and not any(offer.region == region for offer in kept):
            kept += [make_offer(each, region, None, None, None) for each in types]
    selection.offers = tuple(offer for offer in kept if not excluded(offer.region, without))
    return selection
