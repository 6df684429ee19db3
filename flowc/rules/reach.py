"""What is good on a cluster alone: other machines by SSH, images that are files, MPI that its nodes have."""

from __future__ import annotations

from flowc.body.mpi import installed_on_first, pmix_without_library, unserved_type
from flowc.body.out_of_reach import calls_by_ssh, image_in_file
from flowc.diag.lacks import IMAGE
from flowc.rules.base import parts, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

BY_SRUN = "`srun --nodes=1 --ntasks=1 --nodelist=NODE COMMAND` does"
BY_ITSELF = "each machine runs this text: let it start its own part there, by the number of its node"


def report(unit: Unit, sink: Sink) -> None:
    nodes, slurm = unit.plan.nodes if unit.plan is not None else 1, unit.job.conventions.commands
    for each in texts(unit):
        said: set[str] = set()
        for part in parts(each):
            by_ssh = calls_by_ssh(part.job) if nodes > 1 else {}
            image = image_in_file(part.job) if slurm and "image" not in said else None
            _report(part, {name: at for name, at in by_ssh.items() if name not in said}, image, slurm, sink)
            said |= {*by_ssh} | ({"image"} if image is not None else set())
            if slurm:
                _report_mpi(part, nodes, said, sink)


def _report_mpi(unit: Unit, nodes: int, said: set[str], sink: Sink) -> None:
    unserved = unserved_type(unit.job) if "type" not in said else None
    bare = pmix_without_library(unit.job) if "pmix" not in said else None
    alone = installed_on_first(unit.job) if nodes > 1 and "alone" not in said else None
    if unserved is None and bare is None and alone is None:
        return
    from flowc.diag.codes.slurm import mpi as codes

    text = unit.job.run.text or ""
    if unserved is not None:
        said.add("type")
        sink.report(codes.MPI_NOT_SERVED, unit.text_span(*unserved), type=text[slice(*unserved)])
    if bare is not None:
        said.add("pmix")
        step = "srun --ntasks-per-node=1 " * (nodes > 1)
        sink.report(
            codes.PMIX_WITHOUT_LIBRARY,
            unit.text_span(*bare),
            help=f"`{step}apt-get install -y libpmix2` brings it, as Ubuntu's own Open MPI and conda's do",
            type=text[slice(*bare)],
        )
    if alone is not None:
        said.add("alone")
        help = "`srun --ntasks-per-node=1` before the command installs it on each machine"
        sink.report(
            codes.MPI_ON_ONE_MACHINE, unit.text_span(*alone), help=help, package=text[slice(*alone)], nodes=nodes
        )


def _report(unit: Unit, by_ssh: dict[str, int], image: tuple[int, int] | None, slurm: bool, sink: Sink) -> None:
    if not by_ssh and image is None:
        return
    from flowc.diag.codes import programs as codes

    spans = {name: unit.text_span(start, start + len(name)) for name, start in by_ssh.items()}
    by_ssh = {name: at for name, at in by_ssh.items() if not sink.hides(codes.SSH_BETWEEN_NODES, spans[name])}
    if by_ssh:
        sink.report(
            codes.SSH_BETWEEN_NODES,
            spans[next(iter(by_ssh))],
            help=BY_SRUN if slurm else BY_ITSELF,
            commands=", ".join(f"`{name}`" for name in by_ssh),
        )
    if image is not None:
        name = (unit.job.run.text or "")[slice(*image)]
        sink.report(codes.IMAGE_IN_FILE, unit.text_span(*image), lacks=((IMAGE, name),), image=name)
