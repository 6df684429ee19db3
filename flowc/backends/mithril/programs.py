"""Programs that a job's text calls and the machine does not have, or has only for one of several nodes."""

from __future__ import annotations

from flowc._compiled.slurm_commands import PROVIDED
from flowc.body import cluster_paths, commands, out_of_reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

SHOWN_PATHS = 4


def report(unit: Unit, sink: Sink) -> None:
    """Warn of what would fail, or do nothing, on a machine that costs money by then."""
    job, nodes = unit.job, unit.plan.nodes if unit.plan is not None else 1
    if job.source.frontend == "slurm" and nodes > 1 and not commands.reaches_other_nodes(job):
        from flowc.diag.codes import programs as codes

        span = unit.origin("resources.nodes", "layout.tasks", "layout.gpus_total")
        help = image_for_step(unit.job) if commands.called(job, "srun") else None
        sink.report(codes.NODES_NOT_JOINED, span, help=help, nodes=nodes)
    report_interpreter(unit, sink)
    report_calls(unit, sink)
    if job.source.frontend == "slurm" and job.image is None:
        report_out_of_reach(unit, nodes, sink)
        report_paths(unit, sink)
    if commands.called(job, "module") or commands.called(job, "ml"):
        report_modules(unit, sink)


def report_interpreter(unit: Unit, sink: Sink) -> None:
    reason = commands.missing_interpreter(unit.job)
    package = commands.interpreter_package(unit.job)
    if reason is None and package is None:
        return
    from flowc.diag.codes import programs as codes

    first = unit.text_span(0, len((unit.job.run.text or "").partition("\n")[0]))
    if reason is not None:
        sink.report(codes.INTERPRETER_MISSING, first, reason=reason)
    elif package is not None:
        sink.report(codes.INTERPRETER_INSTALLED, first, program=package[0], package=package[1])


def report_calls(unit: Unit, sink: Sink) -> None:
    """One finding for the commands that nobody brings, at the first call, and one for those that take no jobs."""
    missing, refused = commands.missing_commands(unit.job), commands.refused_commands(unit.job)
    if not missing and not refused:
        return
    from flowc.diag.codes import programs as codes

    for code, found in ((codes.COMMAND_MISSING, missing), (codes.COMMAND_REFUSED, refused)):
        if found:
            name, start = next(iter(found.items()))
            span = unit.text_span(start, start + len(name))
            packages = " ".join(dict.fromkeys(filter(None, map(commands.package_of, found))))
            help = f"`apt-get install -y {packages}` in the script brings Ubuntu's own" if packages else None
            if {*PROVIDED} & {*found}:
                help = image_for_step(unit.job) or help
            sink.report(code, span, help=help, commands=", ".join(f"`{each}`" for each in found))


def image_for_step(job: Job) -> str | None:
    """What to write so that a batch script which runs in a container of its own has Slurm's commands again."""
    if job.source.frontend != "slurm" or job.image is None:
        return None
    return (
        "a container has no Slurm: leave out `--image` and write "
        f"`srun --container-image={job.image} COMMAND`, which runs the command in the image"
    )


def report_out_of_reach(unit: Unit, nodes: int, sink: Sink) -> None:
    """Other machines by SSH, and images that are files."""
    job = unit.job
    by_ssh = out_of_reach.calls_by_ssh(job) if nodes > 1 else {}
    image = out_of_reach.image_in_file(job)
    if not by_ssh and image is None:
        return
    from flowc.diag.codes import programs as codes

    if by_ssh:
        name, start = next(iter(by_ssh.items()))
        sink.report(
            codes.SSH_BETWEEN_NODES,
            unit.text_span(start, start + len(name)),
            help="`srun --nodes=1 --ntasks=1 --nodelist=NODE COMMAND` does",
            commands=", ".join(f"`{each}`" for each in by_ssh),
        )
    if image is not None:
        sink.report(codes.IMAGE_IN_FILE, unit.text_span(*image), image=(job.run.text or "")[slice(*image)])


def report_paths(unit: Unit, sink: Sink) -> None:
    """One finding for all paths of the cluster, at the first."""
    found = cluster_paths.cluster_paths(unit.job)
    if not found:
        return
    from flowc.diag.codes import programs as codes

    shown = [f"`{path}`" for path in [*found][:SHOWN_PATHS]]
    more = [f"{len(found) - SHOWN_PATHS} more"] if len(found) > SHOWN_PATHS else []
    sink.report(codes.CLUSTER_PATH, unit.text_span(*next(iter(found.values()))), paths=", ".join([*shown, *more]))


def report_modules(unit: Unit, sink: Sink) -> None:
    """One finding for each line that loads modules which the image lacks."""
    from flowc.body.modules import lacking
    from flowc.diag.codes import programs as codes

    text = unit.job.run.text or ""
    lines: dict[int, list[tuple[str, str | None, int, int]]] = {}
    line = place = 0
    for each, package in lacking(unit.job):
        line, place = line + text.count("\n", place, each.start), each.start
        lines.setdefault(line, []).append((each.name, package, each.start, each.end))
    for found in lines.values():
        packages = " ".join(dict.fromkeys(package for _, package, _, _ in found if package))
        help = f"`apt-get install -y {packages}` in the script brings Ubuntu's own" if packages else None
        names = ", ".join(f"`{name}`" for name, *_ in found)
        span = unit.text_span(found[0][2], found[-1][3])
        sink.report(codes.MODULE_MISSING, span, help=help, modules=names)
