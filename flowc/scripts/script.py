"""What the startup script of one job is made of: what its templates ask for."""

from __future__ import annotations

from flowc.body.interpreter import interpreter_package, names_python
from flowc.ir.names import WORKSPACE
from flowc.record import Record
from flowc.scripts.delivery import TOGETHER, WHOLE, Apart, Body, body
from flowc.scripts.docker import NO_CONTAINERS, Containers, containers
from flowc.scripts.facts import Environment, environment
from flowc.scripts.file_names import Streams, streams
from flowc.scripts.life import Journal, Limits, limits
from flowc.scripts.modules import Modules, modules
from flowc.scripts.ports import Ports, ports
from flowc.scripts.restarts import Restarts, restart_section, restarts
from flowc.scripts.secrets import Secrets, secrets
from flowc.scripts.slurm.environment import step_gpus
from flowc.scripts.slurm.place import HERE, Place, place
from flowc.scripts.slurm.tools import NO_TOOLS, Tools, choose
from flowc.scripts.storage import Storage, arrange, home, storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

# Any of these, and what prepares the job runs in one process group with it.
PREPARED = ("setup", "image", "containers", "secrets", "files", "volumes", "mounts")


class Frame(Record):
    """What templates ask for of the script as a whole. `readable`: comments are kept. `together`: it ends on all
    machines when it fails on one. `prepared`: there is something to do before the job's own text runs; `workdir` is
    where it runs, `folders` are made before; `python`: the machine gets a `python`; `releases`: it ends its own bid."""

    title: str
    readable: bool
    slurm: bool
    nodes: int
    groups: tuple[int, ...]
    group_lists: tuple[tuple[str, int], ...]
    together: bool
    fails_together: bool
    first_ends: bool
    prepared: bool
    workdir: str
    folders: list[str]
    python: bool
    power_off: bool
    releases: bool
    uses_host_name: bool


# Each names in its fields what templates ask for; no two of them the same.
SECTIONS = (
    *(Frame, Body, Apart, Streams, Environment, Limits, Journal, Restarts),
    *(Ports, Secrets, Containers, Storage, Tools, Place, Modules),
)


def parts_of(unit: Unit, index: int | None) -> list[Record]:
    """What is asked for by the templates that this script has; but for the journal, which may be left out."""
    job, plan = unit.job, unit.plan
    slurm, folder, nodes = job.conventions.commands, _folder(job), _nodes(unit)
    own, files, ready = body(job), streams(job, folder, index), prepared(job)
    frame = Frame(
        title=ascii(job.name)[1:-1],
        readable=True,
        slurm=slurm,
        nodes=nodes,
        groups=tuple(part.nodes for part in plan.groups) if plan is not None else (),
        group_lists=_group_lists(job) if job.groups else (),
        together=nodes > 1 and (job.conventions.fails_together or job.workers_end == "first"),
        fails_together=job.conventions.fails_together,
        first_ends=nodes > 1 and job.workers_end == "first",
        prepared=ready,
        workdir=folder,
        folders=_folders(job, folder, slurm),
        python=names_python(job),
        power_off=bool(job.terminate_on_exit) and not unit.releases,
        releases=unit.releases,
        uses_host_name=slurm or job.image is None or nodes > 1 or files.name_the_host,
    )
    docker = NO_CONTAINERS
    found: list[Record] = []
    if ready:
        arranged = arrange(job, plan)
        if job.image is not None or job.containers:
            docker = containers(job, plan, arranged, folder)
        found.append(storage(job, arranged, toolkit=docker.toolkit))
    return [
        *found,
        frame,
        own,
        TOGETHER,
        files,
        environment(job, plan, index, WORKSPACE),
        limits(job),
        restart_section(job.retry),
        ports(job.ports),
        secrets(job),
        docker,
        tools_of(unit),
        place(job, index, WORKSPACE) if _brings_slurm(job) else HERE,
        modules(unit),
    ]


def _group_lists(job: Job) -> tuple[tuple[str, int], ...]:
    from flowc.scripts.slurm.groups import group_lists

    return group_lists(job)


def tools_of(
    unit: Unit,
    *,
    spare: bool = True,
    seldom: bool = False,
    guess: bool = False,
    shares: bool = False,
    pmi: bool = True,
) -> Tools:
    """`spare`: there is room for all that the small Slurm may do; `guess`: at least for commands that may not be
    called; `seldom`: for what few calls ask for that nobody sees; `shares`: for one account of the steps that the text
    starts on different machines; `pmi`: for PMI beside PMIx."""
    job = unit.job
    if not _brings_slurm(job):
        return NO_TOOLS
    return choose(
        job,
        _nodes(unit),
        prepared=prepared(job),
        step_gpus=step_gpus(job, unit.plan) is not None,
        whole=job.run.delivery == WHOLE,
        spare=spare,
        seldom=spare or seldom,
        guess=spare or guess,
        shares=spare or shares,
        pmi=pmi,
    )


def _brings_slurm(job: Job) -> bool:
    return job.conventions.commands and job.image is None


def _nodes(unit: Unit) -> int:
    return unit.plan.nodes if unit.plan else unit.job.resources.nodes or 1


def prepared(job: Job) -> bool:
    if any(job.__dict__[name] for name in PREPARED):
        return True
    if interpreter_package(job) is not None:
        return True
    return job.resources.shm_bytes is not None or job.time.attempt_limit_s is not None or restarts(job.retry)


def _folders(job: Job, folder: str, slurm: bool) -> list[str]:
    """What is made before the job starts; in a container its folder is the container's."""
    found = [WORKSPACE, folder] if slurm else [folder] if job.image is None else []
    if job.image is not None or job.containers or job.secrets or job.files:
        found.append("/run/flowc")
    return list(dict.fromkeys(found))


def _folder(job: Job) -> str:
    workdir = home(job.run.workdir or "")
    if not workdir:
        return WORKSPACE
    return workdir if workdir.startswith("/") else f"{WORKSPACE}/{workdir}"
