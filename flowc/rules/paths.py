"""Paths in a job's texts that other file systems have, and the machine has not."""

from __future__ import annotations

from flowc.body.cluster_paths import cluster_paths
from flowc.body.home_paths import home_paths
from flowc.diag.lacks import PATH
from flowc.rules.base import texts
from flowc.rules.wording import by_profile, first_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

SHOWN_PATHS = 4


def report(unit: Unit, sink: Sink) -> None:
    """One finding a text for all its paths, at the first."""
    for each in texts(unit):
        found = {**home_paths(each.job), **cluster_paths(each.job)}
        if not found:
            continue
        from flowc.diag.codes.programs import CLUSTER_PATH

        found = {path: at for path, at in found.items() if not sink.hides(CLUSTER_PATH, each.text_span(*at))}
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
