"""Environment modules: which ones a job's text loads, and what they are on the machine; environments of conda that a
text enters."""

from __future__ import annotations

from flowc._compiled.slurm_commands import CATEGORIES, MPI_PACKAGES, MPI_PROGRAMS, ON_IMAGE, PROGRAMS
from flowc.body.commands import STARTING, calls_in
from flowc.body.interpreter import MOST_TEXT, is_shell, may_be_shell
from flowc.body.paths.cluster import is_unfilled, may_lack, with_home
from flowc.patterns import at_first_use, at_words, is_like, remembered
from flowc.record import Record
from flowc.shell.comments import in_comment
from flowc.shell.words import calls_shells, words_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.ir.job import Job

_names = at_words(r"(?<![\w./$@-])(?:module|ml)(?![\w./=-])", ("module", "ml"))
_CONDA = ("conda", "mamba", "micromamba")
CONDA_ROOT = "/opt/conda"
# The function `conda` of the job's bash, where its setup makes environments: without it `conda activate` could not
# change the shell that calls it.
CONDA_FUNCTION = (
    f'{{ case ${{1-}} in *activate) conda_do=$1; shift; . {CONDA_ROOT}/bin/$conda_do "$@" ;;'
    ' *) command conda "$@" ;; esac; }'
)
CONTAINERS = ("singularity", "apptainer")
SIGNS = ("activate", "conda", "mamba", "/envs/")
_BASE = ("base", "root")
_environment = at_first_use(r"[\w.+-]+", "fullmatch")
# A program of one, by its path.
_in_environment = at_first_use(r"(?i)[^=]*(?:conda|mamba|forge)[^/]*/envs/([\w.+-]+)/bin/[\w.+-]+[\"']?", "fullmatch")
_in_conda = at_first_use(r"(?i)[~/][\w./+-]*(?:conda|mamba|forge)[\w.+-]*/envs/([\w.+-]+)/?", "fullmatch")
_at_path = at_first_use(r"(?:~|/[\w.+-]+)(?:/[\w.+@=-]+)+/?", "fullmatch")
_question = at_first_use(r"\|\||\$\?|\bthen\b", "search")
LOADING = ("load", "add", "try-load", "restore")
SWAPPING = ("swap", "switch", "sw")
UNLOADING = ("unload", "rm", "del", "remove")
EMPTYING = ("purge", "reset")
# What `ml` takes for a subcommand; anything else is a module's name.
SUBCOMMANDS = (
    *(*LOADING, *SWAPPING, *UNLOADING, *EMPTYING, "list", "is-loaded", "use", "unuse", "avail", "av", "spider", "show"),
    *("display", "save", "whatis", "keyword", "help", "is-avail", "savelist", "refresh", "update"),
)
_version = at_first_use(r"v?\d", "match")
_python_2 = at_first_use(r"(?i)(?:.*/)?(?:intel)?python[-_/]?v?(?:2|27)(?!\d)", "match")
_python_of_conda = at_first_use(r"(?:.*/)?python(?:[\d/._-].*)?(?:conda|mamba)", "match")
_has_digit = at_first_use(r"\d", "search")
# Letters that only the shell can tell the value of.
_UNKNOWN = "$*?[{"


class Loaded(Record):
    """A module that the text loads: its `name`, and its offsets in `job.run.text`."""

    name: str
    start: int
    end: int


def surely_loaded(job: Job) -> list[Loaded]:
    """The modules that the text surely loads, in order and each once."""
    text = job.run.text
    return _surely_loaded(text) if text and ("module" in text or "ml" in text) and is_shell(job) else []


@remembered(16)  # as `_shell_calls`
def _surely_loaded(text: str) -> list[Loaded]:
    calls = calls_in(text)
    places = {place for name in ("module", "ml") for place in calls.get(name, ())}
    found: dict[str, Loaded] = {}
    for call in _shell_calls(text) if places else ():
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


def calls_without_missing(job: Job) -> list[Call]:
    """The calls of which the machine lacks nothing: they set no variables there, but for CUDA's."""
    text = (job.run.text or "")[:MOST_TEXT]
    calls = _shell_calls(text) if "module" in text or "ml" in text else []
    return [call for call in calls if call.verb not in ("restore", "source") and _lacks_nothing(call, job)]


def _lacks_nothing(call: Call, job: Job) -> bool:
    names = [call.verb, *call.names]
    return not any(map(unknown, names)) and all(
        program_of(name)[0] is not None or is_brought(name, job.modules) for name in call.names
    )


def is_brought(name: str, globs: tuple[str, ...]) -> bool:
    """Whether one of the globs names this module, or it without its version."""
    if not globs:
        return False
    return any(is_like(name, glob) or is_like(name, glob + "/*") for glob in globs)


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

    @property
    def names(self) -> list[str]:
        """The modules that it loads."""
        return [each.name for each in self.loaded()]

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


@remembered(16)  # a text is asked about several times
def _shell_calls(text: str) -> list[Call]:
    return read_calls(text, shell=True)


def unknown(name: str) -> bool:
    return any(letter in name for letter in _UNKNOWN)


@remembered(500)  # jobs of one cluster load the same ones
def program_of(name: str) -> tuple[str | None, str | None]:
    """The program of the image that a module's name stands for, None where it has none; and Ubuntu's packages.

    The first part that is no category says which module it is. Behind a name that is not known here, a part may still
    be the module (`site/python`), unless it has a version of its own or stands behind one: then it says what the
    unknown one was built with (`tensorflow/python3.6`, `gromacs/2024.4/cuda-12`). A Python of conda's
    (`python/3.9-anaconda-2021.11`) is not the image's: it has conda, and packages. Nor is Python 2."""
    if _of_conda(name) or _python_2(name):
        return None, None
    unknown = False
    for number, part in enumerate(name.lower().split("/")):
        if _version(part):
            if number:
                break
            continue
        row = row_of(part)
        program = PROGRAMS[row]["program"] if row is not None else part
        if program in ON_IMAGE and not (unknown and _has_digit(part)):
            return program, None
        if row is not None and not unknown:
            return None, _built_with(name, number, row) or PROGRAMS[row]["package"]
        unknown = unknown or part not in CATEGORIES
    return None, None


def _built_with(name: str, number: int, row: int) -> str | None:
    """The package of what a compiler in front, without a version behind it, has built: `gcc11/openmpi/4.1`."""
    behind = name.lower().split("/")[number + 1 :]
    if PROGRAMS[row]["program"] != "gcc" or not behind or _version(behind[0]):
        return None
    other = row_of(behind[0])
    package: str | None = PROGRAMS[other]["package"] if other is not None else None
    return package


@remembered(1000)
def row_of(part: str) -> int | None:
    """Its place in the table; the scripts of a folder load the same ones."""
    return next(
        (number for number, row in enumerate(PROGRAMS) if any(is_like(part, each) for each in row["parts"])), None
    )


def environments(job: Job) -> dict[str, int]:
    """Each that the text enters and neither it nor the setup makes first, with the offset of its name in
    `job.run.text`; one that is entered by its path by that. The base environment is there where conda is. Where the
    text asks whether it could enter one, it may make it then."""
    text = (job.run.text or "")[:MOST_TEXT]
    if job.image is not None or not any(sign in text for sign in SIGNS) or not may_be_shell(job):
        return {}
    entered, made = _environments_in(text)
    found = {}
    for name, start in entered.items():
        places = [place for each, place in made.items() if each in (name, "")]
        if name not in job.environments and not any(place < start or _asks(text, start, place) for place in places):
            found[name] = start
    setup = (job.setup or "")[:MOST_TEXT]
    there = _environments_in(setup)[1] if found else {}
    mounted = [each.target.rstrip("/") for each in job.mounts]
    return {
        name: start
        for name, start in found.items()
        if "" not in there and name not in there
        if "/" not in name or not (name in setup or any(f"{name}/".startswith(f"{each}/") for each in mounted))
    }


def enters(text: str) -> bool:
    """Whether a shell's text enters any, be it one that it makes."""
    return bool(_environments_in(text)[0])


@remembered(16)  # as `_shell_calls`
def _environments_in(text: str) -> tuple[dict[str, int], dict[str, int]]:
    """Those that a text enters, each with the offset of its name, and those that it makes, each with the offset of the
    command: "" is one whose name stands in a file."""
    found: dict[str, int] = {}
    made: dict[str, int] = {}
    if not any(sign in text for sign in SIGNS):
        return found, made
    from flowc.shell.scan import scan

    for command in scan(text).commands:
        if not any(text.find(sign, command.start, command.end) >= 0 for sign in SIGNS):
            continue
        _, words_of, _ = command.parts()
        words = [(start, word.strip("\"'")) for start, word in words_of]
        if words and words[0][1] in STARTING:
            behind = (number for number, (_, word) in enumerate(words) if word.rpartition("/")[2] in _CONDA)
            words = words[next(behind, 0) :]
        program = words[0][1].rpartition("/")[2] if words else ""
        verbs = [word for _, word in words[1:3]]
        entered: tuple[int, str] | None = None
        if program in _CONDA:
            if "create" in verbs or verbs == ["env", "update"]:
                for name in _made(words):
                    made.setdefault(name, command.start)
            elif verbs[:1] == ["activate"]:
                entered = _operand(words[2:])
            elif verbs[:1] == ["run"]:
                entered = next(iter((*_named(words), *_named(words, "p", "prefix"))), None)
        elif program == "activate":
            entered = _operand(words[1:])
        elif program in ("source", ".") and verbs and verbs[0].rpartition("/")[2] == "activate":
            entered = _operand(words[2:])
        if entered is None and text.find("/envs/", command.start, command.end) >= 0:
            entered = _of_path(words_of)
        which = _name_of(entered[1]) if entered is not None else None
        if entered is not None and which is not None:
            quoted = text[entered[0]] in "\"'"
            # One at a path may be made by whatever was given the path before.
            if "/" not in which or text.find(entered[1]) >= command.start:
                found.setdefault(which, entered[0] + quoted + max(0, entered[1].rfind(which)))
    return found, made


def _name_of(word: str) -> str | None:
    """The environment that a word means: by its name, or its path. That of a conda elsewhere has a name too
    (`~/miniconda3/envs/a`). None for the base environment, which is there where conda is, and for what is not known."""
    if _environment(word):
        return None if word in _BASE else word
    word = with_home(word)
    inside = _in_conda(word)
    if inside is not None:
        name: str = inside[1]
        return name
    return word.rstrip("/") if _at_path(word) and may_lack(word) and not is_unfilled(word) else None


def _of_path(words: list[tuple[int, str]]) -> tuple[int, str] | None:
    """The environment of conda of which a command is given a program by its path."""
    for start, word in words:
        match = _in_environment(word) if "/envs/" in word else None
        if match is not None:
            return start + match.start(1), match[1]
    return None


def _asks(text: str, start: int, end: int) -> bool:
    return _question(text, start, end) is not None


def _made(words: list[tuple[int, str]]) -> list[str]:
    """The name of what `create` makes: none where it has a path."""
    if any(_is_option(word, "p", "prefix") or word[:9] == "--prefix=" for _, word in words):
        return []
    return [name for _, name in _named(words)] or [""]


def without_environment(job: Job) -> dict[str, int]:
    """The same for a text whose conda the job's setup brings, by itself or in the place of a module: of one that is
    missing itself it is said already."""
    if job.environments or "conda" in job.programs:
        return environments(job)
    return environments(job) if "conda" in brought_by_modules(job) else {}


def brought_by_modules(job: Job, names: Iterable[str] = ()) -> set[str]:
    """The programs that surely come with modules which the job loads and its setup brings: conda's and Apptainer's, and
    those of `names` that are MPI's, of which a machine has one."""
    if not job.modules:
        return set()
    found = _brought_with(tuple(each.name for each in surely_loaded(job)), job.modules)
    setup = job.setup or ""
    if not any(name in setup for name in CONTAINERS):  # its line says `nothing`
        found = found.difference(CONTAINERS)
    return found.union(set(names) & set(MPI_PROGRAMS)) if any(sign in setup for sign in MPI_PACKAGES) else found


@remembered(16)
def _brought_with(names: tuple[str, ...], globs: tuple[str, ...]) -> set[str]:
    found = set(_CONDA) if any(brings_conda(name) and is_brought(name, globs) for name in names) else set[str]()
    contained = (name for name in names if any(word in name.lower() for word in CONTAINERS))
    return found.union(CONTAINERS if any(is_brought(name, globs) for name in contained) else ())


def entered(job: Job) -> set[str]:
    """The same of all texts of the job: of what prepares it too, and of texts within."""
    texts, found = [job.run.text or "", job.setup or ""], set[str]()
    for _ in range(5):
        for text in texts:
            if not any(sign in text for sign in SIGNS):
                continue
            found.update(environments(job.replace(run=job.run.replace(text=text))))
        texts = [text for text in texts if calls_shells(text)]
        if not texts:
            break
        from flowc.shell.inner import inner_texts

        texts = [each.text for text in texts for each in inner_texts(text)]
    return found


@remembered(500)  # as `program_of`
def brings_conda(name: str) -> bool:
    """Whether a module of this name has the program `conda`."""
    rows = (row_of(part) for part in name.lower().split("/") if not _version(part))
    return _of_conda(name) or any(row is not None and PROGRAMS[row]["program"] == "conda" for row in rows)


def _of_conda(name: str) -> bool:
    """Whether it is a Python whose name or version says that it is conda's."""
    return _python_of_conda(name.lower()) is not None


def _operand(words: list[tuple[int, str]]) -> tuple[int, str] | None:
    return next((each for each in words if each[1][:1] != "-"), None)


def _named(words: list[tuple[int, str]], letter: str = "n", option: str = "name") -> list[tuple[int, str]]:
    """What stands behind `-n`, `-yn` or `--name`, or another option."""
    found, begin = [], f"--{option}="
    for number, (start, word) in enumerate(words):
        if _is_option(word, letter, option):
            found += words[number + 1 : number + 2]
        elif word.startswith(begin):
            found.append((start + len(begin), word[len(begin) :]))
    return found


def _is_option(word: str, letter: str, name: str) -> bool:
    """Whether a word is this option, maybe behind others without values."""
    return word == f"--{name}" or (word[:1] == "-" and word[1:2] != "-" and word[-1] == letter)
