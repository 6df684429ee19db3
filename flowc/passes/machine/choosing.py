"""Choosing: the machine for one request, what speaks for it, and what the user should know of it.

Fewest nodes first where the user left their number open (Slurm gives as few as fit); then the cheapest in all, or,
where a GPU model was asked for with a count, the smallest machine that holds the request; of all that the policy of the
settings allows. Ties go to fewer GPUs, then
by name.
"""

from __future__ import annotations

from flowc.catalog.prices import limit_price
from flowc.diag.codes import resolve as codes
from flowc.diag.codes import storage
from flowc.diag.lacks import PARTITION
from flowc.ir.units import plural, size_text
from flowc.passes.machine.allowed import is_allowed
from flowc.passes.machine.demand import Demand
from flowc.passes.machine.fit import fits
from flowc.passes.machine.selection import Selection, by_model, check_regions, in_regions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog, Offer
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.machine.findings import Findings


class Choice:
    """The offer that was chosen for a unit, the nodes it takes, and how many nodes each other offer would take (0: does
    not fit). `merit` says why it was chosen, where that is not seen from these."""

    __slots__ = ("demand", "merit", "nodes", "offer", "selection", "taken", "unit")

    def __init__(self, unit: Unit, demand: Demand, selection: Selection, taken: dict[Offer, int], offer: Offer) -> None:
        self.unit = unit
        self.demand = demand
        self.selection = selection
        self.taken = taken
        self.offer = offer
        self.nodes = taken[offer]
        self.merit: str | None = None


def choose(unit: Unit, catalog: Catalog, findings: Findings) -> Choice | None:
    """The machine for a job with one instance type at most; None when an error is among the findings."""
    demand = Demand(unit.job)
    selection = _select(unit, demand, catalog, findings)
    if selection is None:
        return None
    if demand.job.resources.disk_bytes and all(offer.type.disk_gb is None for offer in selection.anywhere):
        # Of none of the machines that were named it is known how large their disk is: `report` says so.
        demand = Demand(unit.job.replace(resources=unit.job.resources.replace(disk_bytes=None)))
    taken = {offer: fits(offer.type, demand) for offer in selection.offers}
    fitting = [offer for offer, nodes in taken.items() if nodes]
    if not fitting:
        from flowc.passes.machine import shortfall

        shortfall.report(selection, unit, demand, findings)
        return None
    fitting = [offer for offer in fitting if is_allowed(offer, unit.policy)] or fitting
    of_model = selection.text is not None and demand.asks_gpus
    return Choice(unit, demand, selection, taken, min(fitting, key=lambda offer: _rank(offer, taken[offer], of_model)))


def _select(unit: Unit, demand: Demand, catalog: Catalog, findings: Findings) -> Selection | None:
    """The machines in question; None when a mistake was found. Of several instance types or choices `choices` makes
    units with one each first."""
    wanted = unit.job.resources.alternatives
    if wanted:
        from flowc.passes.machine.by_name import by_name

        found = by_name(wanted[0], unit, demand, catalog, findings)
    else:
        found = by_model(unit, demand, catalog, findings)
    check_regions(unit, catalog, findings)
    return None if found is None or findings.error is not None else in_regions(found, unit, catalog)


def _rank(offer: Offer, nodes: int, of_model: bool) -> tuple[int, int, int, str]:
    if of_model:
        return nodes, offer.type.gpus, offer.rank, offer.type.name
    return nodes, offer.rank, offer.type.gpus, offer.type.name


def report(choice: Choice, sink: Sink) -> None:
    """What the user should know of the choice."""
    machine, selection, unit, demand = choice.offer.type, choice.selection, choice.unit, choice.demand
    asked = demand.share(choice.nodes).gpus
    limit = limit_price(unit.job.pricing, machine.family or None, machine.gpus)
    tasks = len(unit.job.array.indices) if unit.job.array is not None else 1
    gpus_span = unit.origin("resources.gpus_per_node", "layout.gpus_total", "layout.gpus_per_task")
    if selection.stands_for is not None:
        span = unit.origin("resources.gpu_model", "resources.features", "resources.choices")
        price = choice.offer.price_of(choice.nodes, limit, tasks=tasks)
        gpus = f"{plural(machine.gpus, 'GPU')} of {machine.gpu_memory_gb} GB"
        model = selection.stands_for
        sink.report(codes.GPU_STANDS_IN, span, model=model, type=machine.name, gpus=gpus, price=price)
    asked_disk = unit.job.resources.disk_bytes
    if asked_disk and machine.disk_gb is None:
        span = unit.origin("resources.disk_bytes")
        sink.report(storage.DISK_UNKNOWN, span, need=size_text(asked_disk), type=machine.name)
    if selection.named:
        _report_name(choice, sink)
    elif demand.any_count:
        price = choice.offer.price_of(choice.nodes, limit, tasks=tasks)
        span = unit.origin("resources.gpu_memory_bytes", "resources.gpu_model")
        gpus = f"{plural(machine.gpus, 'GPU')} of {machine.gpu_memory_gb} GB"
        sink.report(codes.GPU_COUNT_OPEN, span, type=machine.name, gpus=gpus, price=price)
    elif not demand.asks_gpus:
        gpus = plural(machine.gpus, "GPU")
        stay = "stays idle" if machine.gpus == 1 else "stay idle"
        fate = f"{gpus} {stay}"
        if unit.job.resources.exclusive:
            fate = f"{gpus} may be used (`exclusive`; a step of `srun` gets those that it asks for)"
        price = choice.offer.price_of(choice.nodes, limit, tasks=tasks)
        sink.report(codes.GPU_NOT_ASKED, None, help=_meant(unit), type=machine.name, fate=fate, price=price)
    elif selection.text is None and selection.stands_for is None:
        price = choice.offer.price_of(choice.nodes, limit, tasks=tasks)
        word = unit.job.resources.gpu_model
        given = "no GPU model given" if word is None else f"`{word}` names no GPU model"
        lacks = tuple((PARTITION, name) for name in _partitions(unit))
        sink.report(codes.GPU_MODEL_OPEN, gpus_span, lacks=lacks, given=given, type=machine.name, price=price)
    confined = asked < machine.gpus and demand.asks_gpus and not unit.job.resources.exclusive
    if confined and (not selection.named or selection.bare):
        idle = machine.gpus - asked
        price = choice.offer.price_of(choice.nodes, limit, idle=idle, tasks=tasks)
        sink.report(
            codes.GPUS_STAY_IDLE,
            gpus_span,
            idle=idle,
            gpus=machine.gpus,
            type=machine.name,
            asked=asked,
            price=price,
        )


def _partitions(unit: Unit) -> list[str]:
    return [name for name in dict(unit.job.source.variables).get("SLURM_JOB_PARTITION", "").split(",") if name]


def _meant(unit: Unit) -> str | None:
    """The help where a job without GPUs uses some by its text, or asks for nodes that have them by their name."""
    from flowc.passes.machine.in_text import gpus_in_text

    found = gpus_in_text(unit.job)
    if not unit.job.conventions.commands:
        return found and f"the text has `{found[0]}`: GPUs are meant? ask for as many as it uses"
    if found is not None:
        none = "" if unit.job.resources.exclusive else ", or the job sees none"
        return f"the text has `{found[0]}`: GPUs are meant? ask for them{none}: `--gpus-per-node={found[1]}`"
    partitions = _partitions(unit)
    features = [name for name in unit.job.resources.features if "gpu" in name.lower()]
    named = features or (partitions if all("gpu" in name.lower() for name in partitions) else [])
    if not named:
        return None
    return f"`{named[0]}` is a name of nodes with GPUs? ask for them, or the job sees none: `--gpus-per-node=1`"


def _report_name(choice: Choice, sink: Sink) -> None:
    from flowc.catalog.gpus import read_gpu_word

    machine, text = choice.offer.type, choice.selection.text
    unit = choice.unit
    span = unit.origin("resources.alternatives")
    if choice.selection.bare:
        gpus = plural(machine.gpus, "GPU")
        sink.report(codes.INSTANCE_TYPE_MEANS, span, text=text, type=machine.name, gpus=gpus)
    model = unit.job.resources.gpu_model
    word = read_gpu_word(model) if model is not None else None
    if not machine.family or model is None:
        return
    if word is None or (word.families and machine.family not in word.families):
        sink.report(codes.INSTANCE_TYPE_WINS, span, text=text, model=model)
