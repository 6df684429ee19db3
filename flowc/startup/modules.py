"""Environment modules: which ones a job loads, what they are on the machine, and what the startup script brings."""

from __future__ import annotations

from flowc._compiled.slurm_commands import ON_IMAGE, PROGRAMS
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.startup.commands import called, interpreter_words, provided
from flowc.startup.life import body_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

# A call with its words; `2>` and what follows belong to it no more.
_calls = at_first_use(
    r"(?<![\w./$@-])(?:module|ml)(?![\w./=-])((?:(?:[ \t]|\\\r?\n){1,40}[^\s;&|()<>`#\\]{1,200}){0,100})", "finditer"
)
_words = at_first_use(r"[^\s\\]+", "finditer")
_rows = tuple(
    at_first_use("|".join(part.replace(".", r"\.").replace("*", ".*") for part in row["parts"]), "fullmatch")
    for row in PROGRAMS
)
_init_files = at_first_use(
    r"(?m)(?:^|[;&|(]|\bthen|\bdo)[ \t]*(?:source|\.)[ \t]+[\"']?"
    r"(/(?:etc/profile\.d/[\w.-]*(?:modules?|lmod)[\w.-]*\.(?:sh|csh)|(?:[\w.-]+/){0,9}init/(?:bash|sh|zsh|csh|tcsh|ksh|profile)))",
    "finditer",
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


def lacking(job: Job) -> list[tuple[Loaded, str | None]]:
    """The modules that the text surely loads and the image lacks, in order and each once; with Ubuntu's packages."""
    places = {place for name in ("module", "ml") for place in called(job, name)}
    if not places:
        return []
    found, seen = [], set[str]()
    for call in _read_calls(job.run.text or ""):
        for each in call.loaded() if call.start in places else ():
            if not _unknown(each.name) and each.name not in seen:
                seen.add(each.name)
                program, package = program_of(each.name)
                if program is None:
                    found.append((each, package))
    return found


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
            names = names[1:] if self.verb in LOADING or self.verb in SWAPPING or _unknown(self.verb) else []
            names = names[-1:] if self.verb in SWAPPING else names
        return [Loaded(name=name, start=start, end=start + len(name)) for name, start in names]

    def _names(self) -> list[tuple[str, int]]:
        return [word for word in self.words if word[0][0] != "-"]


def _read_calls(text: str) -> list[Call]:
    found = []
    for match in _calls(text):
        words = []
        for word in _words(match[1]):
            name = word[0].strip("\"'")
            if name:
                words.append((name, match.start(1) + word.start() + word[0].find(name)))
        if words and words[-1][0].isdigit() and text.startswith(">", match.end()):
            words.pop()
        found.append(Call(start=match.start(), is_ml=match[0][:2] == "ml", words=tuple(words)))
    return found


def _unknown(name: str) -> bool:
    return any(letter in name for letter in _UNKNOWN)


def program_of(name: str) -> tuple[str | None, str | None]:
    """The program of the image that a module's name stands for, None where it has none; and Ubuntu's packages."""
    package = None
    for part in name.lower().split("/"):
        row = _row(part)
        program = PROGRAMS[row]["program"] if row is not None else part
        if program in ON_IMAGE:
            return program, None
        if row is not None:
            package = package or PROGRAMS[row]["package"]
    return None, package


def _row(part: str) -> int | None:
    return next((number for number, match in enumerate(_rows) if match(part)), None)


def module_variables(unit: Unit) -> dict[str, Any]:
    """What the templates ask for; `module` is false where the text uses no modules."""
    job = unit.job
    names = provided(job)
    functions = "bash" in interpreter_words(job)
    if not names & {"module", "ml"} or (job.image is not None and not functions):
        return {"module": False, "ml": False, "module_functions": False, "module_programs": False}
    text = job.run.text or ""
    calls = _read_calls(text)
    loaded = [each.name for call in calls for each in call.loaded()]
    # What is not seen may use all there is.
    every = bool({"module", "ml"} & {*job.run.commands}) or any(map(_unknown, (*loaded, *(c.verb for c in calls))))
    verbs = {*SUBCOMMANDS} if every else {call.verb for call in calls}
    dashed = any(word[0] == "-" for call in calls for word, _ in call.words[not call.is_ml :])
    options = any(word[0] == "-" for call in calls for word, _ in call.words[:1] if not call.is_ml)
    used = {_row(part) for name in loaded for part in name.lower().split("/")}
    rows = [row for number, row in enumerate(PROGRAMS) if every or number in used]
    programs = {row["program"] for row in rows}
    place = body_place(unit) or ("", 0)
    files = [match[1] for match in _init_files(text)] if job.image is None else []
    return {
        "module": True,
        "ml": "ml" in names,
        "module_functions": functions,
        "module_programs": not functions,
        "module_options": every or options,
        "module_loading": " | ".join(each for each in LOADING if each in {*verbs, "load"}),
        "module_unloads": bool(verbs & {*UNLOADING, *SWAPPING}) or dashed,
        "module_asks": "is-loaded" in verbs,
        "module_lists": "list" in verbs,
        "module_purges": bool(verbs & {*EMPTYING}),
        "module_rows": [(" | ".join(row["parts"]), row["program"]) for row in rows],
        "module_cuda": "nvcc" in programs,
        "module_files": list(dict.fromkeys(files)),
        "module_subcommands": " | ".join(each for each in SUBCOMMANDS if each in verbs or each == "load"),
        "source_name": place[0],
        "source_line": place[1],
    }
