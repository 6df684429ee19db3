"""The components of a het job as one job, for steps that run over them, and each of them again by itself."""

from __future__ import annotations

from flowc.ir.job import Group, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit


def joined(units: list[Unit]) -> list[Unit]:
    """The units of one source, which are one where their text runs steps over all of them."""
    if len(units) < 2 or any(unit.joins is None for unit in units):
        return units
    head, *others = units
    job = head.job
    counts = [unit.job.resources.nodes for unit in units]
    known = [count for count in counts if count is not None]
    resources = job.resources.replace(nodes=sum(known) if len(known) == len(counts) else None, nodes_max=None)
    groups = tuple(
        Group(resources=each.job.resources, layout=each.job.layout, variables=each.job.source.variables)
        for each in units
    )
    whole = job.replace(
        name=_plain_name(job.name),
        resources=resources,
        groups=groups,
        outcome=tuple(told for unit in units for told in unit.job.outcome),
    )
    assert head.joins is not None, "groups: nothing joins them"
    return [
        head.replace(
            job=whole,
            origins={**head.origins, "groups": head.joins},
            outcome_spans=tuple(span for unit in units for span in unit.outcome_spans),
            used=(*head.used, *(use for unit in others for use in unit.used if use not in head.used)),
            parts=tuple(units),
        )
    ]


def _plain_name(name: str) -> str:
    """Without the number of the component."""
    start, mark, number = name.rpartition("-het")
    return start if mark and number.isdigit() else name


def each_group(job: Job, plan: JobPlan | None) -> list[tuple[Job, JobPlan | None]]:
    """The groups as jobs with plans of their own; the job itself where it has none."""
    if not job.groups:
        return [(job, plan)]
    found: list[tuple[Job, JobPlan | None]] = []
    for place, group in enumerate(job.groups):
        source = job.source.replace(variables=group.variables)
        own = job.replace(resources=group.resources, layout=group.layout, source=source, groups=())
        share = None
        if plan is not None:
            part = plan.groups[place]
            share = plan.replace(nodes=part.nodes, gpus_visible=part.gpus_visible, groups=())
        found.append((own, share))
    return found
