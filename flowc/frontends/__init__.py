"""The formats that flowc reads. The tuple is the registry, its order is the order of detection."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.base import Frontend


class Entry(Record):
    """A line of the registry. `module` holds `FRONTEND` and is imported only when a source needs it;
    `suffixes` and `marks` (texts that give the format away) serve detection."""

    name: str
    module: str
    suffixes: tuple[str, ...]
    marks: tuple[str, ...]

    def load(self) -> Frontend:
        module = __import__(self.module, fromlist=["FRONTEND"])
        frontend: Frontend = module.FRONTEND
        return frontend


FRONTENDS = (
    Entry(
        name="slurm",
        module="flowc.frontends.slurm",
        suffixes=(".sbatch", ".slurm", ".sh", ".bash", ".job", ".sub", ".slrm", ".batch", ".qsub"),
        marks=("#SBATCH", "#PBS", "#BSUB", "#!"),
    ),
)
