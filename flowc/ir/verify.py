"""Invariants of a unit, checked after every pass: what is broken here is our mistake, never the user's."""

from __future__ import annotations

from flowc.ir.job import Job
from flowc.ir.units import parse_usd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.unit import Unit
    from flowc.record import Record
    from flowc.source import Span

# Fields that have no origin: they stem from the whole source, or a format may have a default of its own for
# them.
WITHOUT_ORIGIN = frozenset(
    (
        "name",
        "source",
        "conventions",
        "number",
        "run",
        "outcome",
        "env_policy",
        "resources.nodes",
        "layout.tasks",
        "io.stdout",
        "array.index_env",
        "retry.from_within",
    )
)

# The records inside a job: their fields are looked at one by one; all other fields as a whole.
_SECTIONS = (
    "isolation",
    "resources",
    "layout",
    "time",
    "io",
    "retry",
    "pricing",
    "placement",
    "identity",
    "notify",
)
_WHOLE = tuple(
    (name, Job.DEFAULTS[name])
    for name in Job.FIELDS
    if name not in _SECTIONS and name not in WITHOUT_ORIGIN and name in Job.DEFAULTS
)


class InternalError(Exception):
    """A bug in flowc: an invariant that our own code has broken."""


def verify(unit: Unit, *, after: str, before: Unit | None = None) -> None:
    """Raises InternalError naming the pass and the first invariant that does not hold. `before` is the unit as it was
    verified last: most passes leave its job and its origins alone, and neither is ever changed in place."""
    problem = None
    if before is None or before.job is not unit.job or before.origins is not unit.origins:
        problem = _origins(unit) or _values(unit.job)
    problem = problem or _plan(unit)
    if problem is not None:
        raise InternalError(f"after {after}: {problem}")


def _origins(unit: Unit) -> str | None:
    """Every field that differs from its default has an origin: its own, or one of what lies below it."""
    job, origins = unit.job.__dict__, unit.origins
    for section in _SECTIONS:
        record: Record = job[section]
        if record is Job.DEFAULTS[section]:
            continue
        defaults = record.DEFAULTS
        for field, value in record.__dict__.items():
            if value is defaults[field] or value == defaults[field]:
                continue
            path = f"{section}.{field}"
            if path not in origins and path not in WITHOUT_ORIGIN and not _covered(path, origins):
                return f"{path} has no origin"
    for field, default in _WHOLE:
        value = job[field]
        if value is default or value == default:
            continue
        if field not in origins and not _covered(field, origins):
            return f"{field} has no origin"
    return None


def _covered(path: str, origins: dict[str, Span]) -> bool:
    return any(each.startswith(path + ".") or path.startswith(each + ".") for each in origins)


def _values(job: Job) -> str | None:
    resources, pricing = job.resources, job.pricing
    for name in ("nodes", "nodes_max", "cpus_per_node"):
        value = resources.__dict__[name]
        if value is not None and value < 1:
            return f"resources.{name} is {value}"
    for money in (pricing.max_usd_per_instance_hour, pricing.budget_usd):
        if money is not None and not parse_usd(money):
            return f"{money!r} is no price above 0"
    if pricing.priority not in (None, "low", "med", "high"):
        return f"pricing.priority is {pricing.priority!r}"
    if job.run.kind not in ("script", "shell", "argv"):
        return f"run.kind is {job.run.kind!r}"
    if (job.run.text is None) == (job.run.kind != "argv"):
        return f"run.kind is {job.run.kind} but run.text is {'missing' if job.run.text is None else 'set'}"
    array = job.array
    if array is not None and (not array.indices or list(array.indices) != sorted(set(array.indices))):
        return "array.indices are empty or not in ascending order"
    return None


def _plan(unit: Unit) -> str | None:
    plan = unit.plan
    if plan is None:
        return None
    if plan.nodes < 1 or plan.count < 1 or plan.gpus_per_node < 0:
        return "plan: a count below its least"
    if plan.gpus_visible is not None and not 0 <= plan.gpus_visible <= plan.gpus_per_node:
        return "plan: more GPUs visible than there are"
    return None
