"""Paths in a job's texts that other file systems have, and the machine has not."""

from __future__ import annotations

from flowc.body.cluster_paths import cluster_paths
from flowc.body.home_paths import home_paths
from flowc.diag.lacks import PATH
from flowc.patterns import at_first_use
from flowc.rules.base import texts
from flowc.rules.wording import by_profile, first_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

SHOWN_PATHS = 4
# What documentation writes for a path of the reader's own.
_unfilled = at_first_use(r"(?i)/(?:path/(?:to|of)|(?:full|absolute|some|my|your)[_/-]?path|your[_/-]?\w*)\b", "match")


def report(unit: Unit, sink: Sink) -> None:
    """One finding a text for all its paths, at the first; those that nobody has filled in are told as such."""
    for each in texts(unit):
        found = {**home_paths(each.job), **cluster_paths(each.job, each.brought)}
        if not found:
            continue
        from flowc.diag.codes.programs import CLUSTER_PATH

        found = {path: at for path, at in found.items() if not sink.hides(CLUSTER_PATH, each.text_span(*at))}
        for path in [path for path in found if _unfilled(path)]:
            from flowc.diag.codes.slurm.lint import PLACEHOLDER

            sink.report(PLACEHOLDER, each.text_span(*found.pop(path)), text=path)
        if not found:
            continue
        sink.report(
            CLUSTER_PATH,
            each.text_span(*min(found.values())),
            help=by_profile(unit.job),
            whose="the cluster's" if unit.job.conventions.commands else "other machines'",
            paths=first_of(found, SHOWN_PATHS),
            lacks=tuple((PATH, path) for path in found),
        )
