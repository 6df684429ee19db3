"""Paths in a job's texts that other file systems have, and the machine has not; virtual environments of Python by
themselves, since a line of another kind brings them."""

from __future__ import annotations

from flowc.body.conda import conda_folders, has_own_conda
from flowc.body.modules import environments
from flowc.body.paths.cluster import cluster_paths, is_unfilled
from flowc.body.paths.home import home_paths
from flowc.body.venvs import SIGN, missing_venvs
from flowc.diag.lacks import ENVIRONMENT, PATH, VENV
from flowc.rules.base import parts, texts
from flowc.rules.wording import by_profile, first_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

SHOWN_PATHS = 4


def report(unit: Unit, sink: Sink) -> None:
    """One finding a text for all its paths, at the first; those that nobody has filled in are told as such."""
    said: set[str] = set()
    # The setup lets conda be found there, or a line for the environment would have it do so.
    folders = conda_folders(unit.job)
    for each in texts(unit):
        job = each.job
        inside: dict[str, list[str]] = {}
        if SIGN in (job.run.text or ""):
            said.update(_report_venvs(each, said, sink))
            job = job.replace(venvs=(*job.venvs, *said))
        found = {**home_paths(job), **cluster_paths(job, each.brought)}
        # By a conda that is missing with one of the paths.
        alone = not unit.job.environments and has_own_conda(job)
        entered = [*environments(each.job)] if found else []
        at_paths = [name for name in (*unit.job.environments, *entered) if "/" in name]
        if found and (folders or at_paths):
            job = job.replace(venvs=(*job.venvs, *folders, *at_paths))
            others = {**home_paths(job), **cluster_paths(job, each.brought)}
            if unit.job.environments:
                found = others
            elif alone or at_paths:
                inside = {path: entered for path in found if path not in others}
        if not found:
            continue
        from flowc.diag.codes.programs import CLUSTER_PATH

        found = {path: at for path, at in found.items() if not sink.hides(CLUSTER_PATH, each.text_span(*at))}
        for path in [path for path in found if is_unfilled(path)]:
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
            lacks=_lacks(found, inside, entered if alone or inside else []),
        )


def _lacks(paths: Iterable[str], inside: dict[str, list[str]], entered: list[str]) -> tuple[tuple[str, str], ...]:
    """What is missing: these paths, or the environments of conda that are asked for `inside` them, if these are all;
    and the environments that a text enters by a conda that it has from one of them."""
    found = [(PATH, path) for path in paths if not inside.get(path)]
    return (*found, *((ENVIRONMENT, name) for name in entered))


def _report_venvs(unit: Unit, said: set[str], sink: Sink) -> list[str]:
    """One finding for each that is missing, but for those that were told before; which they are. What nobody has filled
    in is none."""
    told: list[str] = []
    for each in parts(unit):
        for path, place in missing_venvs(each.job).items():
            if is_unfilled(path) or path in said or path in told:
                continue
            from flowc.diag.codes.programs import VENV_MISSING

            told.append(path)
            help = by_profile(unit.job)
            sink.report(VENV_MISSING, each.text_span(*place), help=help, path=path, lacks=((VENV, path),))
    return told
