"""Environment modules: which ones a job's text loads, and what they are on the machine."""

from __future__ import annotations

from flowc._compiled.slurm_commands import ON_IMAGE, PROGRAMS
from flowc.body.commands import called
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.comments import in_comment
from flowc.shell.words import words_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

_names = at_first_use(r"(?<![\w./$@-])(?:module|ml)(?![\w./=-])", "finditer")
_rows = tuple(
    at_first_use("|".join(part.replace(".", r"\.").replace("*", ".*") for part in row["parts"]), "fullmatch")
    for row in PROGRAMS
)
LOADING = ("load", "add", "try-load", "restore")
SWAPPING = ("swap", "switch", "sw")
UNLOADING = ("unload", "rm", "del", "remove")
EMPTYING = ("purge", "reset")
# What `ml` takes for a subcommand; anything else is a module's name.
SUBCOMMANDS = (
    *(*LOADING, *SWAPPING, *UNLOADING, *EMPTYING, "list", "is-loaded", "use", "unuse", "avail", "av", "spider", "show"),
    *("display", "save", "whatis", "keyword", "help", "is-avail", "savelist", "refresh", "update"),
)
# Letters that only the shell can tell the value of.
_UNKNOWN = "$*?[{"


class Loaded(Record):
    """A module that the text loads: its `name`, and its offsets in `job.run.text`."""

    name: str
    start: int
    end: int


def surely_loaded(job: Job) -> list[Loaded]:
    """The modules that the text surely loads, in order and each once."""
    places = {place for name in ("module", "ml") for place in called(job, name)}
    found: dict[str, Loaded] = {}
    for call in read_calls(job.run.text or "", shell=True) if places else ():
        for each in call.loaded() if call.start in places else ():
            if not unknown(each.name):
                found.setdefault(each.name, each)
    return [*found.values()]


def lacking(job: Job) -> list[tuple[Loaded, str | None]]:
    """Those that the image lacks and nothing brings; with Ubuntu's packages."""
    found = []
    for each in surely_loaded(job):
        program, package = program_of(each.name)
        if program is None and not is_brought(each.name, job.modules):
            found.append((each, package))
    return found


def is_brought(name: str, globs: tuple[str, ...]) -> bool:
    """Whether one of the globs names this module, or it without its version."""
    if not globs:
        return False
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, glob) or fnmatchcase(name, glob + "/*") for glob in globs)


class Call(Record):
    """A call of `module` or `ml` (`is_ml`), wherever one may stand: its offset, and its words with their offsets."""

    start: int
    is_ml: bool
    words: tuple[tuple[str, int], ...]

    @property
    def verb(self) -> str:
        """The subcommand; `load` for a call of `ml` with names alone."""
        names = self._names()
        if self.is_ml and (not names or names[0][0] not in SUBCOMMANDS):
            return "load" if self.words else "list"
        return names[0][0] if names else "list"

    def loaded(self) -> list[Loaded]:
        """The modules that it loads."""
        names = self._names()
        if not self.is_ml or (names and names[0][0] in SUBCOMMANDS):
            names = names[1:] if self.verb in LOADING or self.verb in SWAPPING or unknown(self.verb) else []
            names = names[-1:] if self.verb in SWAPPING else names
        return [Loaded(name=name, start=start, end=start + len(name)) for name, start in names]

    def _names(self) -> list[tuple[str, int]]:
        return [word for word in self.words if word[0][0] != "-"]


def read_calls(text: str, *, shell: bool) -> list[Call]:
    """All calls that a text may make: of a `shell`, or of another language, in whose strings they stand."""
    found = []
    for match in _names(text):
        if not in_comment(text, match.start(), shell=shell):
            words = []
            for start, word in words_behind(text, match.start()):
                name = word.strip("\"'")
                if name:
                    words.append((name, start + word.find(name)))
            found.append(Call(start=match.start(), is_ml=match[0][:2] == "ml", words=tuple(words)))
    return found


def unknown(name: str) -> bool:
    return any(letter in name for letter in _UNKNOWN)


def program_of(name: str) -> tuple[str | None, str | None]:
    """The program of the image that a module's name stands for, None where it has none; and Ubuntu's packages."""
    package = None
    for part in name.lower().split("/"):
        row = row_of(part)
        program = PROGRAMS[row]["program"] if row is not None else part
        if program in ON_IMAGE:
            return program, None
        if row is not None:
            package = package or PROGRAMS[row]["package"]
    return None, package


def row_of(part: str) -> int | None:
    return next((number for number, match in enumerate(_rows) if match(part)), None)
