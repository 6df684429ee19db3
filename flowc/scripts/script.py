"""The startup script of one job: rendered from the templates, packed into what is sent."""

from __future__ import annotations

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.body.commands import interpreter_package, names_python
from flowc.digest import sha256_hex
from flowc.record import Record
from flowc.scripts.delivery import TOGETHER, WHOLE, Apart, Body, body
from flowc.scripts.docker import NO_CONTAINERS, Containers, containers
from flowc.scripts.facts import Environment, environment
from flowc.scripts.file_names import Streams, streams
from flowc.scripts.life import SILENT, Journal, Limits, journal, limits
from flowc.scripts.modules import Modules, modules
from flowc.scripts.packing.pack import PLAINEST, pack
from flowc.scripts.ports import Ports, ports
from flowc.scripts.restarts import Restarts, restart_section, restarts
from flowc.scripts.secrets import Secrets, secrets
from flowc.scripts.slurm.environment import step_gpus
from flowc.scripts.slurm.place import HERE, Place, place
from flowc.scripts.slurm.tools import NO_TOOLS, Tools, choose
from flowc.scripts.storage import Storage, arrange, home, storage
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

    Rendered = list[tuple[str, str]]

WORKSPACE = "/workspace"
# Arrays of more tasks are not packed in the form that takes seconds for each.
FEW_TASKS = 8
# What a job can do without, from the first that is left out where there is no room to the last.
JOURNAL = "lines in the machine's journal about commands of the script that fail"
GUARD = "what keeps many connections and those without the job's key from the agents of srun"
ACCOUNT = "the one account of steps that different machines start"
LAST_WORDS = "the two seconds in which srun hands on what tasks say when their job is told to end"
STAND_INS = "what says which of Slurm's commands are not on the machine, and those that only a signal may call"
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
    together: bool
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


class Startup(Record):
    """A startup script. `plain` is for people; `sent` (ASCII) is what the provider gets, packed by
    `encoding`; `payload` is what `sent` unpacks to; `limit` is the most bytes that `sent` may have. Nothing
    is raised when it has more. `left_out`: what the job does without so that it fits, None where that is nothing.
    `guarded`: its machines know each other by a key, where somebody brings one.
    `whole` is what `sent` waits for, where that is not the job's script itself: that comes over SSH."""

    plain: str
    sent: str
    encoding: str
    payload: bytes
    limit: int
    plain_sections: tuple[tuple[str, str], ...]
    sent_sections: tuple[tuple[str, bytes], ...]
    left_out: str | None = None
    guarded: bool = False
    whole: bytes | None = None

    @property
    def fits(self) -> bool:
        return len(self.sent) <= self.limit

    @property
    def is_plain(self) -> bool:
        """Whether it fits in a form that every image can unpack."""
        return self.fits and self.encoding == PLAINEST


def build(unit: Unit, *, index: int | None) -> Startup:
    """The script of a unit; `index` is the array index that this task has, None outside arrays."""
    sections, told = _sections(unit, index), journal(unit)
    guarded = any(isinstance(each, Tools) and each.agents for each in sections)
    if unit.job.run.delivery == WHOLE:
        return _apart([*sections, told]).replace(guarded=guarded)
    patient = unit.job.array is None or len(unit.job.array.indices) <= FEW_TASKS
    stands = guarded or any(isinstance(each, Tools) and each.stand_ins for each in sections)
    found = _packed([*sections, told], patient=patient and not stands and told.journal is None)
    # What every image can unpack is worth more than what the job can do without.
    if told.journal is not None and not found.is_plain:
        found = _packed([*sections, SILENT], patient=patient and not stands).replace(left_out=JOURNAL)
    if stands and not found.is_plain:
        steps = any(isinstance(each, Tools) and each.steps for each in sections)
        without = [found.left_out, GUARD if guarded else None, LAST_WORDS if steps else None]
        if not found.fits:
            return _small(unit, index, without, guarded=guarded, steps=steps, patient=patient)
        least = _packed([*_sections(unit, index, spare=False), SILENT], patient=patient)
        if least.encoding != found.encoding and not guarded:
            return least.replace(left_out=_listed([*without, STAND_INS]))
    return found.replace(guarded=guarded)


def _small(
    unit: Unit, index: int | None, without: list[str | None], *, guarded: bool, steps: bool, patient: bool
) -> Startup:
    """The first that fits of what goes without these and ever more, else the smallest. A command that a program looks
    for in vain may be a part of the job that is missing in silence; where the text starts steps on other machines their
    numbers are wrong without the one account."""
    seen: set[str | None] = set()
    found = None
    for guess, shares in ((True, True), (False, True), (False, False))[not (guarded or steps) :]:
        sections = _sections(unit, index, spare=False, guess=guess, shares=shares)
        (tools,) = (each.tools for each in sections if isinstance(each, Tools))
        (least,) = (each.tools for each in _sections(unit, index, spare=False, guess=guess) if isinstance(each, Tools))
        if shares or tools not in seen:
            found = _packed([*sections, SILENT], patient=patient)
            lacks = [*without, ACCOUNT if guarded and tools == least else None, None if guess else STAND_INS]
            found = found.replace(left_out=_listed(lacks))
        seen.add(tools)
        if found is not None and found.fits:
            break
    assert found is not None
    return found


def _listed(parts: list[str | None]) -> str:
    return "; ".join(filter(None, parts))


def _apart(parts: list[Record]) -> Startup:
    """A script that waits for the whole one, as a person reads it."""
    variables = _variables(parts)
    whole = "".join(text for _, text in templates.startup_plain(variables, sh)).encode("utf-8", "surrogateescape")
    variables["whole_sha256"] = sha256_hex(whole)
    small = templates.apart_small({**variables, "readable": False}, sh)
    return _startup(templates.apart_plain(variables, sh), small, patient=False).replace(whole=whole)


def _packed(parts: list[Record], *, patient: bool) -> Startup:
    variables = _variables(parts)
    small = templates.startup_small({**variables, "readable": False}, sh)
    return _startup(templates.startup_plain(variables, sh), small, patient=patient)


def _variables(parts: list[Record]) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for part in parts:
        variables.update(part.__dict__)
    return variables


def _startup(plain: Rendered, small: Rendered, *, patient: bool) -> Startup:
    sections = tuple((name, text.encode("utf-8", "surrogateescape")) for name, text in small if text)
    head = b"".join(text for name, text in sections if name != "body")
    body = dict(sections).get("body", b"")
    encoding, sent = pack(head, body, patient=patient)
    return Startup(
        plain="".join(text for _, text in plain),
        sent=sent,
        encoding=encoding,
        payload=head + body,
        limit=SCRIPT_BYTES,
        plain_sections=tuple(plain),
        sent_sections=sections,
    )


def _sections(
    unit: Unit, index: int | None, *, spare: bool = True, guess: bool = False, shares: bool = False
) -> list[Record]:
    """What is asked for by the templates that this script has; but for the journal, which may be left out. `spare`:
    there is room for all that the small Slurm may do; `guess`: at least for commands that may not be called; `shares`:
    for one account of the steps that the text starts on different machines."""
    job, plan = unit.job, unit.plan
    slurm, folder, nodes = job.conventions.commands, _folder(job), plan.nodes if plan else job.resources.nodes or 1
    whole = job.run.delivery == WHOLE
    own, files, ready = body(job), streams(job, folder, index), prepared(job)
    frame = Frame(
        title=ascii(job.name)[1:-1],
        readable=True,
        slurm=slurm,
        nodes=nodes,
        together=nodes > 1 and job.conventions.fails_together,
        prepared=ready,
        workdir=folder,
        folders=_folders(job, folder, slurm),
        python=names_python(job),
        power_off=bool(job.terminate_on_exit) and not unit.releases,
        releases=unit.releases,
        uses_host_name=slurm or job.image is None or nodes > 1 or files.name_the_host,
    )
    docker, brings_slurm = NO_CONTAINERS, slurm and job.image is None
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
        choose(
            job,
            nodes,
            prepared=ready,
            step_gpus=step_gpus(job, plan) is not None,
            whole=whole,
            spare=spare,
            guess=spare or guess,
            shares=spare or shares,
        )
        if brings_slurm
        else NO_TOOLS,
        place(job, index, WORKSPACE) if brings_slurm else HERE,
        modules(unit),
    ]


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
