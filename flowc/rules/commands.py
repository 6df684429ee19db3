"""Programs that a job's texts call and the machine does not have, and those that take no jobs there."""

from __future__ import annotations

from flowc._compiled.slurm_commands import BY_SRUN, MISSING, OF_SITES, PROVIDED, REFUSED
from flowc.body.commands import missing_commands, package_of, refused_commands, settled, submitted_by
from flowc.body.modules import CONTAINERS, brought_by_modules, environments
from flowc.diag.lacks import ENVIRONMENT, PROGRAM
from flowc.rules.base import parts, texts
from flowc.rules.wording import by_profile
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


_CONDA = frozenset(("conda", "mamba", "activate"))
_CONTAINERS = frozenset(CONTAINERS)


def report(unit: Unit, sink: Sink) -> None:
    """One finding a text for the commands that nobody brings, at the first call, and one for those that take no
    jobs; of a text within it, for those of which nothing was said yet."""
    for each in texts(unit):
        said: set[str] = set()
        found = parts(each)
        for part in found:
            missing, refused = missing_commands(part.job), refused_commands(part.job)
            if unit.job.modules and not _CONTAINERS.isdisjoint(missing):
                brought = _CONTAINERS & brought_by_modules(unit.job)
                missing = {name: start for name, start in missing.items() if name not in brought}
            if missing or refused:
                _report(part, missing, refused, said, sink)
            if "sbatch" not in said and (through := submitted_by(part.job)) is not None:
                said.add("sbatch")
                _report_unseen(part, *through, sink)
            if len(found) > 1:
                said |= settled(part.job)


def _report(unit: Unit, missing: dict[str, int], refused: dict[str, int], said: set[str], sink: Sink) -> None:
    from flowc.diag.codes import programs as codes

    for code, calls in ((codes.COMMAND_MISSING, missing), (codes.COMMAND_REFUSED, refused)):
        found = {name: start for name, start in calls.items() if name not in said}
        said.update(found)
        spans = {name: unit.text_span(start, start + len(name)) for name, start in found.items()}
        found = {name: start for name, start in found.items() if not sink.hides(code, spans[name])}
        if found:
            sink.report(
                code,
                spans[next(iter(found))],
                help=_help(unit, found),
                lacks=_lacks(unit, found) if code is codes.COMMAND_MISSING else (),
                commands=", ".join(f"`{name}`{' of conda' if name == 'activate' else ''}" for name in found),
            )


def _lacks(unit: Unit, found: dict[str, int]) -> tuple[tuple[str, str], ...]:
    names = [(PROGRAM, name) for name in found if name != "activate"]
    if _CONDA.isdisjoint(found):
        return tuple(names)
    inside = [(ENVIRONMENT, name) for name in environments(unit.job)]
    return (*names, *(inside or [(PROGRAM, "conda")] if "activate" in found else inside))


def _submits_itself(unit: Unit, start: int) -> bool:
    command = scan(unit.job.run.text or "").command_at(start)
    own = ("$0", "${0}", "${BASH_SOURCE[0]}", "$BASH_SOURCE", unit.job.source.path.rpartition("/")[2])
    words = [word.strip("\"'") for _, word in command.words()] if command is not None else []
    return any(word in own or word.rpartition("/")[2] == own[-1] for word in words)


def _report_unseen(unit: Unit, start: int, end: int, instead: str | None, sink: Sink) -> None:
    from flowc.diag.codes.programs import COMMAND_REFUSED

    words = " ".join((unit.job.run.text or "")[start:end].split())
    sink.report(COMMAND_REFUSED, unit.text_span(start, end), help=instead, commands=f"`sbatch` through `{words}`")


def _help(unit: Unit, found: dict[str, int]) -> str | None:
    from flowc.rules.wording import image_for_step

    packages = " ".join(dict.fromkeys(filter(None, map(package_of, found))))
    # Slurm's script runs on one of the machines.
    step = (
        "srun --ntasks-per-node=1 "
        if unit.plan is not None and unit.plan.nodes > 1 and unit.job.conventions.commands
        else ""
    )
    help = f"`{step}apt-get install -y {packages}` in the script brings Ubuntu's own" if packages else None
    if "sbatch" in found and unit.job.outcome:
        if _submits_itself(unit, found["sbatch"]):
            later = "a cron of yours submits what is to run later"
            return f"it submits itself: one job may have all the time that it needs; {later}"
        return "submit the other one yourself: `flowc submit FILE --after afterok:JOB` places it when this one is done"
    if "sbatch" in found:
        from flowc.shell.quote import sh

        # A script without options that submits others is none that should run on a rented machine.
        return 'it submits jobs itself? run it here: sbatch() { flowc sbatch "$@"; }; export -f sbatch; bash ' + sh(
            unit.job.source.path
        )
    if {*found} & {*PROVIDED, *OF_SITES} and (way_back := image_for_step(unit.job)):
        return way_back
    if {*found} <= {*BY_SRUN} and unit.job.conventions.commands:
        return "`srun` starts programs on the job's machines: `srun -n TASKS PROGRAM`"
    slurms = {*found} <= {*PROVIDED, *OF_SITES, *MISSING, *REFUSED}  # which no line brings
    return help or (None if slurms else by_profile(unit.job))
