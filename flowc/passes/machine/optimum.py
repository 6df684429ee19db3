"""`--optimize cost`: of all machines that a job allows those that cost least in all, packed on fewer where it may be.

What is compared is the price of all machines as the catalog ranks them, then their limits. Nothing is taken whose
limits are higher than those of what would be chosen without it: the worst case never rises for a price of today.
"""

from __future__ import annotations

from flowc.catalog.prices import limit_price
from flowc.diag.codes import price as codes
from flowc.ir.parts import Candidate
from flowc.ir.units import MICROS_PER_CENT, plural, usd_text
from flowc.passes.machine import choices, choosing
from flowc.passes.machine.allowed import is_allowed
from flowc.passes.machine.cheaper import packings
from flowc.passes.machine.choosing import Choice
from flowc.passes.machine.findings import Findings
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.catalog.model import Catalog
    from flowc.diag.sink import Sink
    from flowc.ir.job import Job, Outcome
    from flowc.ir.unit import Unit


class Found(Record):
    """A machine that would do, for the job as it is or as it was `packed`, and what was found on the way."""

    choice: Choice
    findings: Findings | None = None
    packed: bool = False


def cheapest(unit: Unit, plain: Choice, catalog: Catalog, sink: Sink) -> tuple[Unit, Choice, Candidate] | None:
    """The unit, its choice and what became of `plain`, which would be chosen without the flag; None: nothing costs
    less. Reports what was changed, and what was not though it would cost less."""
    assert unit.thrift is not None, "asked of who wants it"
    base = Found(choice=plain)
    best = _better(_as_it_is(unit, catalog), base, unit)
    packed = _better(_packed(unit, catalog), best, unit)
    if packed is not best and unit.thrift.bound is not None:
        told = f"{_named(packed.choice)} ({_cost(packed.choice)})"
        sink.report(codes.NOT_PACKED, unit.thrift.span, cheaper=told, reason=unit.thrift.bound)
        packed = best
    best = packed
    if best is base:
        return None
    choice, changed = best.choice, unit
    choice.merit = "the cheapest of all that the job allows"
    if best.packed:
        changed = _changed(unit, choice)
        choice.merit = f"the cheapest, {plural(unit.job.resources.nodes or 1, 'node')} packed"
    if best.findings is not None:
        best.findings.tell(sink)
    sink.report(
        codes.COST_OPTIMIZED,
        unit.origin("resources.nodes") if best.packed else unit.origin(*_CHOOSING),
        now=_named(choice),
        price=_cost(choice),
        before=_named(plain),
        instead=_cost(plain),
    )
    reason = f"what `--optimize cost` took the place of: {_cost(plain)}"
    before = Candidate(instance_type=plain.offer.type.name, region=plain.offer.region, chosen=False, reason=reason)
    return changed, choice, before


_CHOOSING = ("resources.choices", "resources.alternatives", "resources.gpu_model", "resources.gpus_per_node")


def _as_it_is(unit: Unit, catalog: Catalog) -> Iterator[Found]:
    several = bool(unit.job.resources.choices) or len(unit.job.resources.alternatives) > 1
    for each in choices.tried(unit, catalog):
        if each.choice is not None:
            yield from _each(each.choice, each.findings if several else None)


def _packed(unit: Unit, catalog: Catalog) -> Iterator[Found]:
    if unit.job.resources.choices or len(unit.job.resources.alternatives) > 1:
        return
    for job in packings(unit.job):
        findings = Findings()
        choice = choosing.choose(unit.replace(job=job), catalog, findings)
        if choice is not None and findings.error is None:
            yield from _each(choice, None, packed=True)


def _each(choice: Choice, findings: Findings | None, *, packed: bool = False) -> Iterator[Found]:
    """Every machine that fits as if it were the one that was chosen."""
    for offer, nodes in choice.taken.items():
        if nodes:
            one = Choice(choice.unit, choice.demand, choice.selection, choice.taken, offer)
            yield Found(choice=one, findings=findings, packed=packed)


def _better(found: Iterator[Found], than: Found, unit: Unit) -> Found:
    """What costs least of that which may be had on no more machines and for no higher limits."""
    best, plain = than, than.choice
    for each in found:
        choice, offer = each.choice, each.choice.offer
        if choice.nodes > plain.nodes or _limits(choice) > _limits(plain) or not is_allowed(offer, unit.policy):
            continue
        if _limit(choice) >= max(offer.minimum or 0, offer.market or 0) and _price(each) < _price(best):
            best = each
    return best if _price(best)[:2] < _price(than)[:2] else than


def _price(found: Found) -> tuple[int, int, int, int, str, str]:
    choice, offer = found.choice, found.choice.offer
    return _prices(choice), _limits(choice), choice.nodes, offer.type.gpus, offer.type.name, offer.region


def _prices(choice: Choice) -> int:
    return choice.offer.rank * choice.nodes


def _limits(choice: Choice) -> int:
    return _limit(choice) * choice.nodes


def _limit(choice: Choice) -> int:
    machine = choice.offer.type
    return limit_price(choice.unit.job.pricing, machine.family or None, machine.gpus) or MICROS_PER_CENT


def _named(choice: Choice) -> str:
    return f"{choice.nodes} x {choice.offer.type.name} in {choice.offer.region}"


def _cost(choice: Choice) -> str:
    tasks = len(choice.unit.job.array.indices) if choice.unit.job.array is not None else 1
    each = f" for each of {tasks} tasks" if tasks > 1 else ""
    hourly = f"${usd_text(_prices(choice))} an hour by {choice.offer.rank_kind}{each}"
    return f"{hourly}, limit ${usd_text(_limits(choice))}"


def _changed(unit: Unit, choice: Choice) -> Unit:
    """The unit with the packed job; it keeps what was asked for."""
    thrift = unit.thrift
    assert thrift is not None, "asked of who wants it"
    job = choice.unit.job
    outcome = tuple(_outcomes(unit, f"{plural(choice.nodes, 'machine')}, as `--optimize cost` says"))
    packed: Job = job.replace(outcome=outcome)
    return unit.replace(job=packed, thrift=thrift.replace(asked=unit.job))


def _outcomes(unit: Unit, note: str) -> Iterator[Outcome]:
    nodes = unit.origin("resources.nodes")
    for told, place in zip(unit.job.outcome, unit.outcome_spans, strict=True):
        said = nodes is not None and place.source is nodes.source and place.start <= nodes.start < place.end
        yield told.replace(action="approximated", code=codes.COST_OPTIMIZED.id, note=note) if said else told
