"""What a script means under an old release of Slurm and under a new one, where that is not the same and nobody has said
which one it was written for."""

from __future__ import annotations

from flowc._compiled.slurm_releases import DEFAULT, MEANINGS
from flowc.body.slurm_meanings import counts_tasks, places
from flowc.scripts.slurm.environment import cpus_per_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.source import Span


def report(unit: Unit, sink: Sink) -> None:
    """Say it once, where the text first does; the help names what else is of the kind."""
    job, plan = unit.job, unit.plan
    nodes = plan.nodes if plan is not None else job.resources.nodes or 1
    found: dict[str, Span | None] = {}
    layout = job.layout
    each = layout.tasks_per_node
    if each and layout.tasks not in (None, each * nodes) and counts_tasks(job.run.text or ""):
        found["most_tasks"] = unit.origins.get("layout.tasks_per_node")
    for place in places(job, nodes, cpus_per_node(job, plan)):
        found.setdefault(place.row, unit.text_span(place.start, place.end))
    if not found:
        return
    from flowc.diag.codes.slurm.releases import RELEASES_DIFFER

    row, *others = found
    since = MEANINGS[row]["since"]
    help = f"it runs as under {DEFAULT}; name the release that it was written for: `--slurm-version {DEFAULT}`, or"
    help += f" {since} or later; or `slurm_version` in .flowc.toml"
    for meaning in (MEANINGS[each] for each in others):
        help += f"; also: before {meaning['since']} {meaning['before']}, since then {meaning['after']}"
    before, after = MEANINGS[row]["before"], MEANINGS[row]["after"]
    sink.report(RELEASES_DIFFER, found[row], help=help, since=since, before=before, after=after)
