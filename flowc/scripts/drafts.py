"""The ways to write the startup script of one job: rendered from the templates, packed into what is sent."""

from __future__ import annotations

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.digest import sha256_hex
from flowc.record import Record
from flowc.scripts.delivery import WHOLE, Body, without_comments
from flowc.scripts.life import SILENT, journal
from flowc.scripts.packing.pack import Packing
from flowc.scripts.script import parts_of, tools_of
from flowc.scripts.slurm.tools import Tools
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.unit import Unit

# Arrays of more tasks are not packed in the form that takes seconds for each.
FEW_TASKS = 8
# What a job can do without, from the first that is left out where there is no room to the last.
JOURNAL = "lines in the machine's journal about commands of the script that fail"
GUARD = "what keeps many connections and those without the job's key from the agents of srun"
ACCOUNT = "the one account of steps that different machines start"
LAST_WORDS = "the two seconds in which srun hands on what tasks say when their job is told to end"
SELDOM = "columns and fields that few ask Slurm's queries for"
COMMENTS = "the comments of the job's own text"
PMI = "PMI, by which MPICH and Intel MPI start: PMIx is there, and their programs end where they begin"
STAND_INS = "what says which of Slurm's commands are not on the machine, and those that only a signal may call"


class Startup(Record):
    """A startup script. `plain` is for people; `sent` (ASCII) is what the provider gets, packed by
    `encoding`; `payload` is what `sent` unpacks to; `limit` is the most bytes that `sent` may have. Nothing
    is raised when it has more. `left_out`: what the job does without so that it fits, None where that is nothing.
    `guarded`: its machines know each other by a key, where somebody brings one.
    `has_comments`, `has_pmi`: nothing is left out of the job's text, nor of the ways in which its MPI may start.
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
    has_comments: bool = True
    has_pmi: bool = True
    whole: bytes | None = None

    @property
    def fits(self) -> bool:
        return len(self.sent) <= self.limit

    @property
    def has_tools(self) -> bool:
        """Whether it brings a small Slurm."""
        return any(name == "tools" for name, _ in self.sent_sections)


def build(unit: Unit, *, index: int | None, cut: bool = True) -> Startup:
    """The script of a unit; `index` is the array index that this task has, None outside arrays. `cut`: for want of room
    it may do without the text's comments, or without a way in which its MPI may start."""
    return Drafts(unit, index).startup(cut=cut)


class Drafts:
    """The ways to write the script of a unit, from the one that has all to the smallest; each is rendered and packed
    when it is first asked for, and once. `index` as `build` has it; `is_bare`: of a batch script, alone."""

    def __init__(self, unit: Unit, index: int | None) -> None:
        job = unit.job
        self._unit = unit
        self._parts, self._journal = parts_of(unit, index), journal(unit)
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
        self._last: list[Draft] | None = None

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
    def cut(self) -> Draft | None:
        """What a script that does not fit does without more, so that it fits; None where nothing helps."""
        for each in self._cut():
            packing = each.packing
            if packing.fits_surely(patient=self._patient) or packing.fits(patient=self._patient):
                return each
        return None

    @property
    def has_tools(self) -> bool:
        """Whether what `startup` gives has a small Slurm, where it does not fit."""
        return (self._small()[-1] if self._stands else self._silent).has_tools

    @property
    def whole(self) -> bytes | None:
        """What the script waits for, where that is not the job's script itself."""
        return self._full.whole

    def startup(self, *, measured: bool = False, cut: bool = True) -> Startup:
        """The first that fits, else the smallest. `measured`: only how long the script is is asked for; where it does
        not fit, what is `sent` has no more than its length. `cut` as `build` has it."""
        found = self._startup(measured=measured)
        shorter = self.cut if cut and not found.fits else None
        return found if shorter is None else shorter.startup(patient=self._patient, measured=measured)

    def _startup(self, *, measured: bool) -> Startup:
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

    def _cut(self) -> list[Draft]:
        """The smallest without what nobody misses, then without what some may; none of a script that comes over SSH."""
        if self._last is None:
            less = None if self._apart else without_comments(self._unit.job)
            small, by_pmix = self._tools(spare=False), self._tools(spare=False, pmi=False)
            ways: list[tuple[Tools, Body | None]] = [(small, less)] if less is not None else []
            if not self._apart and by_pmix.tools != small.tools:
                ways += [(by_pmix, None), (by_pmix, less)][: 2 if less else 1]
            self._last = [self._without(tools, text, pmi=tools is small) for tools, text in ways]
        return self._last

    def _without(self, tools: Tools, text: Body | None, *, pmi: bool) -> Draft:
        """The smallest with these, `text` where the job's own is another."""
        parts = [tools if isinstance(each, Tools) else each for each in self._parts]
        parts = [text if text is not None and isinstance(each, Body) else each for each in parts]
        lacks = self._small()[-1].left_out, None if text is None else COMMENTS, None if pmi else PMI
        said = "; ".join(filter(None, lacks))
        return Draft([*parts, SILENT], self._packings, said, has_comments=text is None, has_pmi=pmi)

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

    def _tools(
        self, *, spare: bool, seldom: bool = False, guess: bool = False, shares: bool = False, pmi: bool = True
    ) -> Tools:
        return tools_of(self._unit, spare=spare, seldom=seldom, guess=guess, shares=shares, pmi=pmi)


class Draft:
    """One way to write a script. `packings`: those of other ways, by head and body; `left_out` as `Startup` has it;
    `apart`: it waits for the whole one, as a person reads it; `has_comments`, `has_pmi` as `Startup` has them."""

    def __init__(
        self,
        parts: list[Record],
        packings: dict[tuple[bytes, bytes], Packing],
        left_out: str | None = None,
        *,
        apart: bool = False,
        has_comments: bool = True,
        has_pmi: bool = True,
    ) -> None:
        self.has_comments, self.has_pmi = has_comments, has_pmi
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
            has_comments=self.has_comments,
            has_pmi=self.has_pmi,
            whole=self.whole,
        )
