"""The startup script of one job: rendered from the templates, packed into what is sent."""

from __future__ import annotations

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.body.interpreter import interpreter_package, names_python
from flowc.digest import sha256_hex
from flowc.ir.names import WORKSPACE
from flowc.record import Record
from flowc.scripts.delivery import TOGETHER, WHOLE, Apart, Body, body
from flowc.scripts.docker import NO_CONTAINERS, Containers, containers
from flowc.scripts.facts import Environment, environment
from flowc.scripts.file_names import Streams, streams
from flowc.scripts.life import SILENT, Journal, Limits, journal, limits
from flowc.scripts.modules import Modules, modules
from flowc.scripts.packing.pack import Packing
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

# Arrays of more tasks are not packed in the form that takes seconds for each.
FEW_TASKS = 8
# What a job can do without, from the first that is left out where there is no room to the last.
JOURNAL = "lines in the machine's journal about commands of the script that fail"
GUARD = "what keeps many connections and those without the job's key from the agents of srun"
ACCOUNT = "the one account of steps that different machines start"
LAST_WORDS = "the two seconds in which srun hands on what tasks say when their job is told to end"
SELDOM = "columns and fields that few ask Slurm's queries for"
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
    def has_tools(self) -> bool:
        """Whether it brings a small Slurm."""
        return any(name == "tools" for name, _ in self.sent_sections)


def build(unit: Unit, *, index: int | None) -> Startup:
    """The script of a unit; `index` is the array index that this task has, None outside arrays."""
    return Drafts(unit, index).startup()


class Drafts:
    """The ways to write the script of a unit, from the one that has all to the smallest; each is rendered and packed
    when it is first asked for, and once. `index` as `build` has it; `is_bare`: of a batch script, alone."""

    def __init__(self, unit: Unit, index: int | None) -> None:
        job = unit.job
        self._unit = unit
        self._parts, self._journal = _parts(unit, index), journal(unit)
        self._apart = job.run.delivery == WHOLE
        tools = next(each for each in self._parts if isinstance(each, Tools))
        self.is_bare = tools.tools is None and job.conventions.commands and job.image is None and not job.containers
        self._guarded = tools.agents
        self._steps = tools.steps
        # There is something in it that the job may do without.
        self._stands = tools.agents or bool(tools.stand_ins or job.run.commands)
        self._patient = job.array is None or len(job.array.indices) <= FEW_TASKS
        self._packings: dict[tuple[bytes, bytes], Packing] = {}  # ways that are told apart may have one text
        self._full = Draft([*self._parts, self._journal], self._packings, apart=self._apart)
        self._second: Draft | None = None
        self._smallest: list[Draft] | None = None

    @property
    def _silent(self) -> Draft:
        """Without a journal."""
        if self._journal.journal is None:
            return self._full
        if self._second is None:
            self._second = Draft([*self._parts, SILENT], self._packings, JOURNAL)
        return self._second

    @property
    def fits(self) -> bool:
        """Whether the script fits that `startup` gives. What is quick to know is looked at first, which mostly answers:
        no text of a script is made, and seldom the densest form."""
        if self._full.packing.is_plain or self._apart:
            return self._full.packing.fits(patient=False)
        silent, patient = self._silent.packing, self._patient
        if silent.fits_surely(patient=patient):
            return True
        if not self._stands:
            return silent.fits(patient=patient)
        small = self._with(self._tools(spare=False)).packing  # of the smallest
        return small.fits_surely(patient=patient) or small.fits(patient=patient) or silent.fits(patient=False)

    @property
    def has_tools(self) -> bool:
        """Whether what `startup` gives has a small Slurm, where it does not fit."""
        return (self._small()[-1] if self._stands else self._silent).has_tools

    @property
    def whole(self) -> bytes | None:
        """What the script waits for, where that is not the job's script itself."""
        return self._full.whole

    def startup(self, *, measured: bool = False) -> Startup:
        """The first that fits, else the smallest. `measured`: only how long the script is is asked for; where it does
        not fit, what is `sent` has no more than its length."""
        if self._apart:
            return self._full.startup(patient=False).replace(guarded=self._guarded)
        found = self._full
        # What every image can unpack is worth more than what the job can do without.
        if not found.packing.is_plain:
            found = self._silent
            if self._stands and not found.packing.is_plain:
                if not found.packing.fits(patient=False):
                    return self._first_small().startup(patient=self._patient, measured=measured)
                least = None if self._guarded else self._with(self._tools(spare=False), STAND_INS)
                if least is not None and least.is_plainer(found, patient=self._patient):
                    return least.startup(patient=self._patient)
        found_startup = found.startup(patient=self._patient and not self._stands, measured=measured)
        return found_startup.replace(guarded=self._guarded)

    def _first_small(self) -> Draft:
        small = self._small()
        if not small[-1].packing.fits(patient=self._patient):
            return small[-1]  # what has more in it has no better chance
        return next(each for each in small if each.packing.fits(patient=self._patient))

    def _small(self) -> list[Draft]:
        """What goes without ever more. A command that a program looks for in vain may be a part of the job that is
        missing in silence; where the text starts steps on other machines their numbers are wrong without the one
        account."""
        if self._smallest is None:
            self._smallest = []
            seen: set[str | None] = set()
            some = self._guarded or self._steps
            levels = ((True, True, True), (False, True, True), (False, False, True), (False, False, False))
            for seldom, guess, shares in levels[not some :]:
                if guess and not seldom and not self._unit.job.run.commands:
                    continue  # its calls are seen
                tools = self._tools(spare=False, seldom=seldom, guess=guess, shares=shares)
                if shares or tools.tools not in seen:
                    without = self._tools(spare=False, seldom=seldom, guess=guess)
                    lacks = (
                        SELDOM if self._unit.job.run.commands and not seldom else None,
                        ACCOUNT if self._guarded and tools.tools == without.tools else None,
                        None if guess else STAND_INS,
                    )
                    self._smallest.append(self._with(tools, *lacks))
                seen.add(tools.tools)
        return self._smallest

    def _with(self, tools: Tools, *lacks: str | None) -> Draft:
        """With this small Slurm, and without a journal."""
        parts = [tools if isinstance(each, Tools) else each for each in self._parts]
        without = (
            self._silent.left_out,
            GUARD if self._guarded else None,
            LAST_WORDS if self._steps else None,
            *lacks,
        )
        return Draft([*parts, SILENT], self._packings, "; ".join(filter(None, without)))

    def _tools(self, *, spare: bool, seldom: bool = False, guess: bool = False, shares: bool = False) -> Tools:
        return _tools(self._unit, spare=spare, seldom=seldom, guess=guess, shares=shares)


class Draft:
    """One way to write a script. `packings`: those of other ways, by head and body; `left_out` as `Startup` has it;
    `apart`: it waits for the whole one, as a person reads it."""

    def __init__(
        self,
        parts: list[Record],
        packings: dict[tuple[bytes, bytes], Packing],
        left_out: str | None = None,
        *,
        apart: bool = False,
    ) -> None:
        self._variables: dict[str, Any] = {}
        for part in parts:
            self._variables.update(part.__dict__)
        self.left_out = left_out
        self.whole: bytes | None = None
        self._templates = templates.startup_plain, templates.startup_small
        if apart:
            self.whole = "".join(text for _, text in templates.startup_plain(self._variables, sh)).encode(
                "utf-8", "surrogateescape"
            )
            self._variables["whole_sha256"] = sha256_hex(self.whole)
            self._templates = templates.apart_plain, templates.apart_small
        self._sections: tuple[tuple[str, bytes], ...] | None = None
        self._packing: Packing | None = None
        self._packings = packings

    @property
    def sections(self) -> tuple[tuple[str, bytes], ...]:
        """As they are sent."""
        if self._sections is None:
            small = self._templates[1]({**self._variables, "readable": False}, sh)
            self._sections = tuple((name, text.encode("utf-8", "surrogateescape")) for name, text in small if text)
        return self._sections

    @property
    def has_tools(self) -> bool:
        return any(name == "tools" for name, _ in self.sections)

    @property
    def packing(self) -> Packing:
        if self._packing is None:
            head = b"".join(text for name, text in self.sections if name != "body")
            body = dict(self.sections).get("body", b"")
            self._packing = self._packings.get((head, body))
            if self._packing is None:
                self._packing = self._packings[head, body] = Packing(head, body)
        return self._packing

    def is_plainer(self, other: Draft, *, patient: bool) -> bool:
        """Whether it fits in another form than the other draft does; `patient` holds for this one alone."""
        form = self.packing.first(patient=patient)
        return form.fits and form.encoding != other.packing.first(patient=False).encoding

    def startup(self, *, patient: bool, measured: bool = False) -> Startup:
        plain = self._templates[0](self._variables, sh)
        form = self.packing.first(patient=patient)
        return Startup(
            plain="".join(text for _, text in plain),
            sent=form.outline if measured and not form.fits else form.text,
            encoding=form.encoding,
            payload=self.packing.whole,
            limit=SCRIPT_BYTES,
            plain_sections=tuple(plain),
            sent_sections=self.sections,
            left_out=self.left_out,
            whole=self.whole,
        )


def _parts(unit: Unit, index: int | None) -> list[Record]:
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
        _tools(unit),
        place(job, index, WORKSPACE) if _brings_slurm(job) else HERE,
        modules(unit),
    ]


def _group_lists(job: Job) -> tuple[tuple[str, int], ...]:
    from flowc.scripts.slurm.groups import group_lists

    return group_lists(job)


def _tools(unit: Unit, *, spare: bool = True, seldom: bool = False, guess: bool = False, shares: bool = False) -> Tools:
    """`spare`: there is room for all that the small Slurm may do; `guess`: at least for commands that may not be
    called; `seldom`: for what few calls ask for that nobody sees; `shares`: for one account of the steps that the text
    starts on different machines."""
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
