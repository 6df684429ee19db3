"""The page of `flowc price`: what was asked, what was chosen and why, what it costs, what would cost less.

Exact arithmetic on micro-dollars. The sum of several jobs is that of their worst cases.
"""

from __future__ import annotations

from flowc.cli.money.age import age
from flowc.diag.excerpt import visible
from flowc.ir.groups import each_group
from flowc.ir.units import (
    SECONDS_PER_HOUR,
    ceil_cents,
    duration_text,
    parse_usd,
    plural,
    size_text,
    usd_text,
)
from flowc.secret import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowc.ir.job import Job
    from flowc.ir.parts import Way
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit

# So many machines that were not chosen are shown of each job where there are several jobs.
MOST_CANDIDATES = 3
UNKNOWN = "unknown"


def page(found: Sequence[tuple[str, Sequence[Unit]]], today: str, *, of: int) -> str:
    """`found` are the paths of sources with their planned jobs, of `of` sources in all; `today` is YYYY-MM-DD."""
    every = [(path, unit, unit.plan) for path, units in found for unit in units if unit.plan is not None]
    alone = len(every) == 1
    parts = [_job(path, unit, plan, alone=alone) for path, unit, plan in every]
    if not alone or of > len(found):
        parts.append(_sum([(unit, plan) for _, unit, plan in every], missing=of - len(found)))
    parts.append(_foot(dict.fromkeys((plan.catalog.source, plan.catalog.as_of) for _, _, plan in every), today))
    return masked("\n".join(parts))


def _job(path: str, unit: Unit, plan: JobPlan, *, alone: bool) -> str:
    asked = unit.thrift.asked if unit.thrift is not None else None
    tasks = f" for each of {plan.count} tasks" if plan.count > 1 else ""
    gpus = plural(plan.gpus_per_node, f"{(plan.gpu_model or '').upper()} GPU".strip())
    sees = f", of which the job sees {plan.gpus_visible}" if plan.gpus_visible is not None else ""
    kept = _time(unit)
    rows = [
        *_asked_for(asked or unit.job),
        ("chosen", f"{plan.nodes} x {plan.instance_type} in {plan.region}{tasks}, {gpus} each{sees}"),
        ("why", next((each.reason for each in plan.candidates if each.chosen), "")),
        ("market", _hourly(plan.market_usd_per_instance_hour, unit, plan)),
        ("limit", _hourly(plan.limit_usd_per_instance_hour, unit, plan)),
        ("time limit", kept),
        ("worst case", _worst(unit, plan)),
        ("expected", _usd(plan.expected_usd)),
    ]
    lines = [f"{visible(plan.name)} ({visible(path)})", *_columns(rows)]
    others = [each for each in plan.candidates if not each.chosen]
    shown = others if alone else others[:MOST_CANDIDATES]
    if shown:
        lines.append("  not chosen")
        lines += _columns([(each.instance_type, each.region or "-", visible(each.reason)) for each in shown], "    ")
        if len(others) > len(shown):
            lines.append(f"    and {len(others) - len(shown)} more")
    if ways := plan.cheaper:
        lines.append("  cheaper")
        lines += [f"    {line}" for way in ways for line in _cheaper(way, unit)]
    return "".join(f"{line}\n" for line in lines)


def _asked_for(job: Job) -> list[tuple[str, str]]:
    """A row, or one for each group of the job."""
    rows = ["; ".join(_asked(group)) for group, _ in each_group(job, None)]
    if not job.groups:
        return [("asked", rows[0])]
    return [("asked" if not place else "", f"component {place}: {row}") for place, row in enumerate(rows)]


def _asked(job: Job) -> list[str]:
    resources, layout, found = job.resources, job.layout, []
    if resources.choices or resources.alternatives:
        number = len(resources.choices or resources.alternatives)
        named = "one of " + plural(number, "choice") if number > 1 or resources.choices else resources.alternatives[0]
        found.append(visible(named))
    if resources.nodes is not None:
        most = f" to {resources.nodes_max}" if (resources.nodes_max or 0) > resources.nodes else ""
        found.append(f"{resources.nodes}{most} {'node' if resources.nodes == 1 and not most else 'nodes'}")
    model = f"{resources.gpu_model} " if resources.gpu_model else ""
    for count, what in (
        (resources.gpus_per_node, " on each node"),
        (layout.gpus_total, " in all"),
        (layout.gpus_per_task, " for each task"),
    ):
        if count:
            found.append(visible(f"{count} {model}{'GPU' if count == 1 else 'GPUs'}{what}"))
    if resources.gpu_memory_bytes:
        found.append(f"{size_text(resources.gpu_memory_bytes)} on each GPU")
    if layout.tasks:
        found.append(plural(layout.tasks, "task"))
    for amount, what in ((resources.cpus_per_node, "node"), (layout.cpus_per_task, "task")):
        if amount and amount > 1:
            found.append(f"{plural(amount, 'CPU')} for each {what}")
    for size, what in (
        (resources.memory_bytes_per_node, "of memory on each node"),
        (resources.memory_bytes_per_cpu, "of memory for each CPU"),
        (resources.memory_bytes_per_gpu, "of memory for each GPU"),
        (resources.disk_bytes, "of local disk"),
    ):
        if size:
            found.append(f"{size_text(size)} {what}")
    if job.array is not None:
        found.append(plural(len(job.array.indices), "array task"))
    if job.placement.regions:
        found.append(visible(f"in {' or '.join(job.placement.regions)}"))
    if job.pricing.max_usd_per_instance_hour is not None:
        found.append(f"at most ${job.pricing.max_usd_per_instance_hour} an hour for a machine")
    if job.pricing.budget_usd is not None:
        found.append(f"at most ${job.pricing.budget_usd} in all")
    return found or ["any machine"]


def _time(unit: Unit) -> str:
    from flowc.driver import bound_s

    seconds = bound_s(unit.job)
    if seconds is None:
        return "none that holds: its own text may start it anew" if unit.job.retry.from_within else "none"
    return duration_text(seconds)


def _worst(unit: Unit, plan: JobPlan) -> str:
    if plan.worst_case_usd is None:
        return "without bound"
    machines = plan.nodes * plan.count
    on = f", {plural(machines, 'machine')}" if machines > 1 else ""
    return f"${plan.worst_case_usd}: ${plan.limit_usd_per_instance_hour} an hour x {plan.hours_bound} h{on}"


def _hourly(price: str | None, unit: Unit, plan: JobPlan) -> str:
    """The price of a machine, and that of all that run at once."""
    if price is None:
        return UNKNOWN
    machines = unit.machines_at_once()
    few = " at once" if machines < plan.nodes * plan.count else ""
    every = f", ${usd_text((parse_usd(price) or 0) * machines)} for {machines}{few}" if machines > 1 or few else ""
    return f"${price} an hour for a machine{every}"


def _cheaper(way: Way, unit: Unit) -> list[str]:
    from flowc.driver import bound_s

    seconds = bound_s(unit.job)

    def total(price: int) -> str:
        if seconds is None:
            return f"${usd_text(price * way.machines)} an hour"
        return f"${usd_text(ceil_cents(-(-price * way.machines * seconds // SECONDS_PER_HOUR)))}"

    expected = UNKNOWN if way.market is None else total(way.market)
    named = f"{way.nodes} x {way.instance_type} in {way.region}"
    lines = [f"{way.what}: {named}, worst case {total(way.limit)}, expected {expected}"]
    if way.flags:
        lines.append(f"  {' '.join(way.flags)}")
    else:
        lines.append("  `--optimize cost` takes it where the job does not count on its nodes")
    return lines


def _sum(every: list[tuple[Unit, JobPlan]], missing: int) -> str:
    """Of all jobs. What is without bound, or of unknown price, is counted by jobs."""
    worst = [parse_usd(plan.worst_case_usd) for _, plan in every if plan.worst_case_usd is not None]
    expected = [parse_usd(plan.expected_usd) for _, plan in every if plan.expected_usd is not None]
    hourly = sum(
        (parse_usd(plan.limit_usd_per_instance_hour or "") or 0) * unit.machines_at_once() for unit, plan in every
    )
    machines = sum(unit.machines_at_once() for unit, plan in every)
    rows = [
        ("machines", f"{machines:,} at once at most, for ${usd_text(hourly)} an hour"),
        ("worst case", _total(worst, len(every), "without bound")),
        ("expected", _total(expected, len(every), "of unknown price or time")),
    ]
    if missing:
        rows.append(("left out", f"{plural(missing, 'source')} with errors"))
    return "".join(f"{line}\n" for line in [f"sum of {plural(len(every), 'job')}", *_columns(rows)])


def _total(amounts: list[int | None], jobs: int, why: str) -> str:
    open_ = jobs - len(amounts)
    known = f"${usd_text(sum(amount or 0 for amount in amounts))}"
    if not open_:
        return known
    return f"{known if amounts else UNKNOWN}, and {plural(open_, 'job')} {why}"


def _foot(catalogs: Iterable[tuple[str, str]], today: str) -> str:
    lines = [f"prices  {visible(source)} catalog, {age(as_of, today)}" for source, as_of in catalogs]
    lines.append("signed  ____________________  on  __________")
    return "".join(f"{line}\n" for line in lines)


def _usd(text: str | None) -> str:
    return UNKNOWN if text is None else f"${text}"


def _columns(rows: Sequence[tuple[str, ...]], indent: str = "  ") -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        indent + "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
