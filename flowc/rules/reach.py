"""What is good on a cluster alone: other machines by SSH, images that are files."""

from __future__ import annotations

from flowc.body.out_of_reach import calls_by_ssh, image_in_file
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


def _report(unit: Unit, by_ssh: dict[str, int], image: tuple[int, int] | None, slurm: bool, sink: Sink) -> None:
    if not by_ssh and image is None:
        return
    from flowc.diag.codes import programs as codes

    if by_ssh:
        name, start = next(iter(by_ssh.items()))
        sink.report(
            codes.SSH_BETWEEN_NODES,
            unit.text_span(start, start + len(name)),
            help=BY_SRUN if slurm else BY_ITSELF,
            commands=", ".join(f"`{name}`" for name in by_ssh),
        )
    if image is not None:
        sink.report(codes.IMAGE_IN_FILE, unit.text_span(*image), image=(unit.job.run.text or "")[slice(*image)])
