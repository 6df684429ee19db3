"""What a text asks of MPI that the machines of a job do not have: ways to start it, and libraries on all of them."""

from __future__ import annotations

from flowc.body.commands import launches
from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.patterns import at_first_use, at_words
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from re import Match
    from typing import Any

    from flowc.ir.job import Job

# What `srun --mpi` takes on the machine; PMIx in the versions that Slurm has plugins for.
PMIX = ("pmix", "pmix_v2", "pmix_v3", "pmix_v4", "pmix_v5", "pmix_v6")
SERVED = ("none", "openmpi", "pmi2", "list", *PMIX)
_asked = at_first_use(r"(?:--mpi(?:=|[ \t]+)|\bSLURM_MPI_TYPE=)[\"']?([A-Za-z]\w*)", "finditer")
_installed = at_first_use(
    r"(?m)^[^\n]{0,200}\b(?:apt-get|apt|pip3?|conda|mamba)\b[^\n]{0,200}\binstall\b[^\n]{0,200}"
    r"[ \t](openmpi|libopenmpi|mpich|libmpich|impi)(?![a-z])",
    "finditer",
)
# What may bring the library of PMIx: a package, or folders where nobody knows what is in them.
_brings = at_first_use(
    r"(?m)^[^\n#]*(?:\b(?:install|create|add|build)\b[^\n]{0,400}?(?:open-?mpi|pmix)|\bactivate\b|\b(?:LD_LIBRARY_)?PATH=|\bspack\b)"
    r"|/\S{0,400}?(?:open-?mpi|pmix|hpcx)\S{0,400}?/",
    "search",
)
# The ways to start MPI that srun serves itself, or a variable that may hold them.
_asks_pmi = at_first_use(r"(?:--mpi(?:=|[ \t]+)|\bSLURM_MPI_TYPE=)[\"']?(pmi2|pmix|\$)", "finditer")
# MPI that finds its ranks so where srun is told of none, as on the many clusters that have a default: by PMI, by PMIx,
# or by one of them. Names of programs, modules and folders say which it is; settings, which are often carried from one
# script to the next, where nothing else does.
_speaks_pmi = at_words(
    r"(?<![a-z])(?:(?P<set_1>(?:i_mpi|mpich)_[a-z])|(?P<set_2>ompi_[a-z]))"
    r"|(?P<is_1>mpich|mvapich|parastation|(?<![a-z])(?:psmpi|i_?mpi)(?![a-z])|intel-?mpi)"
    r"|(?P<is_2>open_?-?mpi|(?<![a-z])ompi|hpc-?x(?![a-z]))"
    r"|(?P<any>mpi4py|(?<![a-z/-])mpi(?:cc|cxx|c\+\+|f\d\d|fort|i?icc|iifort|icx|ifx)\b)",
    ("mpi", "mvapich", "parastation", "psmpi", "i_mpi", "impi", "intel", "open", "ompi", "hpc"),
)
_MOST = 50


def unserved_type(job: Job) -> tuple[int, int] | None:
    """Where the text names the first type that is not served, as offsets in `job.run.text`."""
    return _first_type(job, lambda kind: kind not in SERVED)


def pmix_without_library(job: Job) -> tuple[int, int] | None:
    """Where the text first asks for PMIx, as offsets, if nothing in the job may bring its library."""
    found = _first_type(job, lambda kind: kind in PMIX)
    if found is None or any(_brings(each[:MOST_TEXT]) for each in (job.run.text, job.setup) if each):
        return None
    return found


def _first_type(job: Job, wanted: Callable[[str], bool]) -> tuple[int, int] | None:
    if job.conventions.commands and job.image is None:
        for start, end in _found(job, ("--mpi", "SLURM_MPI_TYPE"), _asked):
            if wanted((job.run.text or "")[start:end]):
                return start, end
    return None


def installed_on_first(job: Job) -> tuple[int, int] | None:
    """Where the text installs an MPI on the machine that it runs on, and calls a launcher that needs it on others."""
    if not job.conventions.commands or not launches(job):
        return None
    for start, end in _found(job, ("install",), _installed):
        text = job.run.text or ""
        if "srun" not in text[text.rfind("\n", 0, start) + 1 : start]:
            return start, end
    return None


def _found(job: Job, signs: tuple[str, ...], pattern: Callable[..., Any]) -> Iterator[tuple[int, int]]:
    """The places of the pattern's group outside of comments."""
    text = (job.run.text or "")[:MOST_TEXT]
    if not any(sign in text for sign in signs):
        return
    shell = is_shell(job)
    for match, _ in zip(pattern(text), range(_MOST), strict=False):
        if not in_comment(text, match.start(1), shell=shell):
            yield match.span(1)


def served_ways(job: Job, text: str, *, default: bool) -> set[str]:
    """The features of srun by which the ranks of this text may look for each other; `default`: also in steps that say
    nothing of it."""
    asked, kinds = _asked_ways(job, text), _kinds_of(job, text)
    found = {"pmi"} if asked - {"pmix"} else set[str]()
    found |= {"pmix"} if asked - {"pmi2"} else set()
    if default and kinds - {2}:
        found.add("pmi_always")
    # Who asks for pmi2 may have a program of Open MPI, which would take each rank for the only one.
    if 2 in kinds or kinds == {None}:
        found |= {"pmix_always"} if default else {"pmix"} if asked else set()
    if "pmix_always" in found and not found & {"pmi", "pmi_always"}:
        found.add("no_pmi")
    return found


def _asked_ways(job: Job, text: str) -> set[str]:
    """What steps are told: `pmi2`, `pmix`, `$` for what a variable says."""
    return {match[1] for match in _said(job, text, _asks_pmi(text))}


def _kinds_of(job: Job, text: str) -> set[int | None]:
    """Which MPI the ranks may have: 1 finds them by PMI, 2 by PMIx, None by one of them. What brings a module says
    which MPI it has; where a module is of one, those that come along with compilers and libraries step back behind it
    (data/profile_lines.yaml)."""
    brought = _kinds(job, job.setup) if job.modules and job.setup else set()
    loaded = _kinds(job, " ".join(job.modules)) & {1, 2}
    return _kinds(job, text) | (brought - {1, 2} | loaded if len(loaded) == 1 else brought)


def _kinds(job: Job, text: str) -> set[int | None]:
    """The same of one text. A compiler of MPI, or Python's library, has the one that is named beside it."""
    found = {match.lastgroup for match in _said(job, text, _speaks_pmi(text.lower()))}
    for sort in ("is", "set"):
        kinds: set[int | None] = {number for number in (1, 2) if f"{sort}_{number}" in found}
        if kinds:
            return kinds
    return {None} if found else set()


def _said(job: Job, text: str, found: Iterable[Match[str]]) -> list[Match[str]]:
    """The first of these that are in no comment of the text."""
    shell = is_shell(job)
    return [
        match for match, _ in zip(found, range(_MOST), strict=False) if not in_comment(text, match.start(), shell=shell)
    ]
