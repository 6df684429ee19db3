"""Several kinds of machine of which any will do: each is resolved as if it were the only one, then one is taken.

In order of preference the first that is to be had, else the cheapest for all nodes; ties go to fewer GPUs, then by
name, then to what is written first.
"""

from __future__ import annotations

from flowc.catalog.gpus import known_words
from flowc.diag.codes import resolve as codes
from flowc.ir.parts import Candidate
from flowc.ir.units import parse_usd, plural, size_text, usd_text
from flowc.passes.machine import choosing, wording
from flowc.passes.machine.findings import Findings
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog
    from flowc.diag.sink import Sink
    from flowc.ir.job import Choice as Wanted
    from flowc.ir.unit import Unit
    from flowc.passes.machine.choosing import Choice
    from flowc.source import Span


class Tried(Record):
    """One kind of machine: in the user's words, as a unit that asks for it alone, and what was found. Without a
    `choice`, `reason` says why, `short` in fewer words."""

    label: str
    unit: Unit
    span: Span | None
    choice: Choice | None
    findings: Findings
    reason: str = ""
    short: str = ""

    @property
    def unread(self) -> bool:
        """Whether it is misspelt."""
        return self.findings.of(codes.INSTANCE_TYPE_UNREADABLE)

    @property
    def unknown(self) -> str | None:
        """A GPU model that nobody knows."""
        return self.unit.job.resources.gpu_model if self.findings.of(codes.GPU_MODEL_UNKNOWN) else None


def choose(unit: Unit, catalog: Catalog, sink: Sink) -> tuple[Choice | None, tuple[Candidate, ...]]:
    """The machine for a job, and what became of the other choices. None when an error was reported."""
    ways = _ways(unit)
    if len(ways) == 1:
        findings = Findings()
        choice = choosing.choose(ways[0][1], catalog, findings)
        findings.tell(sink)
        return choice, ()
    tried = [_try(label, way, span, catalog) for label, way, span in ways]
    unread = [each for each in tried if each.unread]
    for each in unread:
        each.findings.tell(sink)
    if unread:
        return None, ()
    fitting = [each for each in tried if each.choice is not None]
    if not fitting:
        reasons = _reasons(tried)
        help = wording.choose_help(catalog)
        span = unit.origin("resources.choices", "resources.alternatives")
        sink.report(codes.CHOICES_UNAVAILABLE, span, help=help, count=len(tried), reasons=reasons)
        return None, ()
    ordered = unit.job.resources.choices_ordered or not unit.job.resources.choices
    best = fitting[0] if ordered else min(fitting, key=_price)
    _report(tried, best, ordered, sink)
    best.findings.tell(sink)
    chosen = best.choice
    assert chosen is not None, "what fits was chosen"
    chosen.merit = "the first choice that fits" if ordered else "the cheapest of the choices"
    return chosen, tuple(_candidate(each, ordered) for each in tried if each is not best)


def fitting(unit: Unit, catalog: Catalog) -> list[Choice]:
    """The machine for each kind that is to be had, in the order in which they stand."""
    return [each.choice for each in tried(unit, catalog) if each.choice is not None]


def tried(unit: Unit, catalog: Catalog) -> list[Tried]:
    """Each kind, to be had or not, in that order."""
    return [_try(label, way, span, catalog) for label, way, span in _ways(unit)]


def _try(label: str, unit: Unit, span: Span | None, catalog: Catalog) -> Tried:
    findings = Findings()
    choice, reason, short = choosing.choose(unit, catalog, findings), "", ""
    if findings.error is not None:
        reason, short = findings.error.message, findings.error.short
    cap = parse_usd(unit.job.pricing.max_usd_per_instance_hour or "")
    if choice is not None and cap is not None and cap < (choice.offer.minimum or 0):
        name, minimum = choice.offer.type.name, usd_text(choice.offer.minimum or 0)
        choice, reason = None, f"`{name}` is not sold below ${minimum} an hour"
        short = reason
    return Tried(label=label, unit=unit, span=span, choice=choice, findings=findings, reason=reason, short=short)


def _price(tried: Tried) -> tuple[int, int, str]:
    choice = tried.choice
    assert choice is not None, "only what fits has a price"
    return choice.offer.rank * choice.nodes, choice.offer.type.gpus, choice.offer.type.name


def _report(tried: list[Tried], best: Tried, ordered: bool, sink: Sink) -> None:
    """What was passed over: in order of preference what comes before the chosen one, else all that does not fit."""
    for each in tried:
        if each.unknown is not None:
            help = wording.did_you_mean(each.unknown, known_words()) or None
            sink.report(codes.CHOICE_UNKNOWN, each.span, help=help and help.strip(), word=each.unknown)
    looked_at = tried[: tried.index(best)] if ordered else tried
    passed = [each for each in looked_at if each.choice is None and each.unknown is None]
    if passed:
        count = f"{len(passed)} of {plural(len(tried), 'choice')}"
        sink.report(codes.CHOICES_PASSED_OVER, passed[0].span, count=count, reasons=_reasons(passed))


def _reasons(tried: list[Tried]) -> str:
    """Each with its reason in few words: what is sold instead is the same for all."""
    spoken = [each.short if f"`{each.label}`" in each.short else f"`{each.label}` ({each.short})" for each in tried]
    return "; ".join(dict.fromkeys(spoken))


def _candidate(tried: Tried, ordered: bool) -> Candidate:
    choice = tried.choice
    if choice is None:
        return Candidate(instance_type=tried.label, region=None, chosen=False, reason=tried.reason)
    offer = choice.offer
    why = "a later choice" if ordered else "a choice that fits, dearer"
    return Candidate(instance_type=offer.type.name, region=offer.region, chosen=False, reason=f"{why}: {offer.price}")


def _ways(unit: Unit) -> list[tuple[str, Unit, Span | None]]:
    """For each kind of machine its label, a unit that asks for it alone, and where it stands; the same only once."""
    found: dict[object, tuple[str, Unit, Span | None]] = {}
    for index, choice in enumerate(unit.job.resources.choices or (None,)):
        way = unit if choice is None else _with(unit, choice, index)
        names = way.job.resources.alternatives
        for number, name in enumerate(names or (None,)):
            path = f"resources.alternatives.{number}" if len(names) > 1 else f"resources.choices.{index}"
            span = unit.origin(path, "resources.choices", "resources.alternatives")
            single = _only(way, name, span)
            resources, placement = single.job.resources, single.job.placement
            found.setdefault((resources, placement), (_label(single, choice), single, span))
    return list(found.values())


def _with(unit: Unit, choice: Wanted, index: int) -> Unit:
    """The unit with what a choice sets. What the command line says wins over the file, so over its choices too."""
    job, span = unit.job, unit.origin(f"resources.choices.{index}", "resources.choices")
    given = {field: value for field, value in vars(choice).items() if value not in (None, ())}
    name, regions = given.pop("name", None), given.pop("regions", None)
    if _on_command_line(unit, "resources.alternatives"):
        name = None
        for field in ("gpu_model", "gpu_memory_bytes", "gpus_per_node"):
            given.pop(field, None)
    if name is not None:
        given["alternatives"] = (name,)
    elif "gpu_model" in given or "gpu_memory_bytes" in given:
        given["alternatives"] = ()
    paths = [f"resources.{field}" for field in given]
    placement = job.placement
    if regions is not None and not _on_command_line(unit, "placement.regions"):
        placement = placement.replace(regions=regions)
        paths.append("placement.regions")
    origins = unit.origins if span is None else {**unit.origins, **dict.fromkeys(paths, span)}
    return unit.replace(job=job.replace(resources=job.resources.replace(**given), placement=placement), origins=origins)


def _only(unit: Unit, name: str | None, span: Span | None) -> Unit:
    """The unit with one instance type, or none, and without choices."""
    names = () if name is None else (name,)
    resources = unit.job.resources.replace(choices=(), choices_ordered=False, alternatives=names)
    origins = unit.origins if name is None or span is None else {**unit.origins, "resources.alternatives": span}
    return unit.replace(job=unit.job.replace(resources=resources), origins=origins)


def _on_command_line(unit: Unit, path: str) -> bool:
    span = unit.origin(path)
    return span is not None and span.source is not unit.source


def _label(unit: Unit, choice: Wanted | None) -> str:
    """A choice in few words: `8xh100`, `h100:8`, `any GPU of 80 GiB`, `h100:8 in us-central2-a`."""
    resources, size = unit.job.resources, unit.job.resources.gpu_memory_bytes
    label = "any GPU" if size is None else f"any GPU of {size_text(size)}"
    if resources.alternatives:
        label = resources.alternatives[0]
    elif resources.gpu_model is not None:
        label = resources.gpu_model
    if resources.gpus_per_node is not None and not resources.alternatives:
        label += f":{resources.gpus_per_node}"
    return label + (f" in {wording.listed(choice.regions, 'or')}" if choice is not None and choice.regions else "")
