"""Virtual environments of Python that the texts of a job enter: `source ~/venvs/train/bin/activate`."""

from __future__ import annotations

from posixpath import normpath

from flowc._compiled.shell_words import COPIERS, ENTERS, FETCHERS, HOME_FILES, SILENT
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.body.paths.cluster import EMPTY, OF_THE_JOB, may_lack
from flowc.patterns import at_first_use, remembered
from flowc.shell.uses import DECLARES
from flowc.shell.words import calls_shells, program_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from re import Match

    from flowc.ir.job import Job

SIGN = "bin/activate"
_BIN = "/bin/"
_SOURCES = ("source", ".")
# What makes a folder of its own name, which no word says.
_MAKERS = ("uv", "poetry", "pipenv", "pdm", "hatch", "pixi", "tox", "nox", "make")
# Files that a shell may read and that make nothing.
_read = at_first_use(r"(?:.*/)?(?:conda|mamba)\.sh\Z|[/$].*/(?:profile|modules|lmod)\.sh\Z", "match")
_variable = at_first_use(r"\$(?:(\w+)|\{(\w+)\})", "sub")
_here = at_first_use(r"\$\(pwd\)|`pwd`", "sub")
_plain = at_first_use(r"\0?[\w.+/~@=-]*", "fullmatch")
_of_conda = at_first_use(r"(?i)(?:conda|mamba|miniforge)", "search")
# What values begin with that are in the job's own folder, in the home folder.
_OWN, _HOME = "\0", "~"
_FOLDERS = {"HOME": _HOME, "SLURM_SUBMIT_DIR": _OWN}
# Of a job alone: what is there its text has put there.
_OF_THE_JOB = (*OF_THE_JOB, "USER")
_DEEPEST = 5  # texts within texts


def missing_venvs(job: Job) -> dict[str, tuple[int, int]]:
    """Each that the text enters, that no line of a profile brings and that neither it nor the setup makes first: as a
    profile names it (`~/venvs/train`, `/proj/env`, `venv` below the job's own folder), with the place of its first
    mention as offsets in `job.run.text`. What a text that is not seen may make is taken as there, and so is all below
    what the job mounts."""
    text = (job.run.text or "")[:MOST_TEXT]
    if job.image is not None or SIGN not in text or not may_be_shell(job):
        return {}
    found = _used(text, _given(job))[0]
    return {path: found[path] for path in _not_there(found, job)}


def used_venvs(job: Job) -> tuple[set[str], set[str]]:
    """The same of all texts of the job, of what prepares it too, and of texts within; and those whose programs they
    call by their paths (`~/venvs/train/bin/python`)."""
    entered: set[str] = set()
    called: set[str] = set()
    texts = [job.setup or "", job.run.text or ""]
    for _ in range(_DEEPEST):
        texts = [text[:MOST_TEXT] for text in texts if _BIN in text]
        for text in texts:
            found, programs, _ = _used(text, _given(job))
            entered.update(_not_there(found, job))
            called.update(_not_there(programs, job))
        texts = [text for text in texts if calls_shells(text)]
        if not texts:
            break
        from flowc.shell.inner import inner_texts

        texts = [each.text for text in texts for each in inner_texts(text)]
    return entered, called


def _not_there(paths: Collection[str], job: Job) -> list[str]:
    """Those that nothing beside the text itself brings."""
    if not paths:
        return []
    made = [] if not job.setup else _used(job.setup[:MOST_TEXT], _given(job))[2]
    there: list[str | None] = [each.target for each in job.mounts if each.kind not in EMPTY]
    there += [each.mount_path for each in job.volumes]
    there += [*job.venvs, *made]
    return [each for each in paths if None not in made and not any(_holds(path, each) for path in there if path)]


def path_of(path: str) -> str:
    """How texts and lines of a profile are compared: `./venv/` is `venv`."""
    return normpath(path)


def _holds(folder: str, path: str) -> bool:
    folder = folder.rstrip("/") or "/"
    return path == folder or path.startswith(f"{folder}/")


def _given(job: Job) -> tuple[tuple[str, str], ...]:
    """The job's variables that name a folder."""
    return tuple(
        (name, value.rstrip("/"))
        for name, value in job.env
        if value[:1] in ("/", "~") and name not in _OF_THE_JOB and _plain(value)
    )


@remembered(16)
def _used(
    text: str, given: tuple[tuple[str, str], ...]
) -> tuple[dict[str, tuple[int, int]], set[str], list[str | None]]:
    """Those that a text enters and does not make first, those of which it calls programs, and the paths that it may
    make: None among them where it may make any."""
    from flowc.shell.scan import scan

    known: dict[str, str | None] = {**dict(given), **_FOLDERS}
    folder: str | None = "."
    found: dict[str, tuple[int, int]] = {}
    called: set[str] = set()
    made: list[str | None] = []
    seen = scan(text)
    within: tuple[int, str | None] = (0, None)  # so far a shell within is in another folder
    for command in seen.commands:
        if seen.in_child(command.start):
            continue
        here = within[1] if command.start < within[0] else folder
        assigned, words, redirections = command.parts()
        if words and words[0][1] in DECLARES:
            assigned, words = [*assigned, *words[1:]], []
        for _, word in assigned:
            name, _, value = word.partition("=")
            known[name] = _value(value, known, here) if value else None
        if not words:
            continue
        name = program_in(words[0][1])
        if name in ENTERS:
            entered = _path(words[1][1], known, here) if len(words) > 1 else _HOME
            if command.start < within[0] or text[: command.start].rstrip()[-1:] == "(":
                within = max(within[0], text.find(")", command.end)), entered
            else:
                folder = entered
            continue
        if name in SILENT:
            continue
        if name in _SOURCES and len(words) > 1:
            start, word = words[1]
            path = _path(word, known, here)
            if word.strip("\"'").endswith(f"/{SIGN}"):
                env = path[: -len(SIGN) - 1] if path is not None else None
                if env and len(words) == 2 and _may_lack(env) and not _may_be_made(env, made):
                    found.setdefault(env, (start, start + len(word)))
                continue
        for _, word in words if text.find(_BIN, command.start, command.end) >= 0 else ():
            path = _path(word, known, here) if _BIN in word else None
            if path is not None and not _may_be_made(path.partition(_BIN)[0], made):
                called.add(path.partition(_BIN)[0])
        made += _made(name, words, redirections, known, here)
    return found, called, made


def _may_be_made(env: str, made: list[str | None]) -> bool:
    return any(each is None or _holds(each, env) or _holds(env, each) for each in made if each != "")


def _made(
    name: str,
    words: list[tuple[int, str]],
    redirections: list[tuple[int, str, str]],
    known: Mapping[str, str | None],
    folder: str | None,
) -> list[str | None]:
    """What a command may make: whatever it is given; None where that may be anything."""
    if name in _MAKERS or name in FETCHERS or _is_script(words):
        return [None]
    given = [word.partition("=")[2] if word[:1] == "-" else word for _, word in words[1:]]
    if name in COPIERS:
        given += [word.strip("\"'/").rpartition("/")[2] for word in given]
    given += [word for _, _, word in redirections]
    return [_path(word, known, folder) or "" for word in given if word]


def _is_script(words: list[tuple[int, str]]) -> bool:
    """Whether a command runs a text for a shell that is not seen."""
    program, *given = (word.strip("\"'") for _, word in words)
    if program in (*_SOURCES, "bash", "sh"):
        program = next((each for each in given if each[:1] != "-"), "")
    return program.endswith((".sh", ".bash")) and not _read(program)


def _path(word: str, known: Mapping[str, str | None], folder: str | None) -> str | None:
    """What a word names, None where that is not known: an absolute path, one in the home folder (`~/x`), or one below
    the job's own (`x`)."""
    text = _value(word, known, folder)
    if text is None or (text[:1] == _HOME and text[1:2] not in ("", "/")):
        return None
    if text[:1] == _OWN:
        return normpath(f".{text[1:]}")
    if text[:1] in ("/", _HOME):
        return normpath(text)
    return None if folder is None else normpath(f"{folder}/{text}")


def _value(word: str, known: Mapping[str, str | None], folder: str | None) -> str | None:
    """A word with the values of its variables, None where one is not known; it begins with `_OWN` where that is the
    job's own folder."""
    plain = word.replace('"', "").replace("'", "")
    if "pwd" in plain:
        plain = _here("$PWD", plain)
    here = folder if folder is None or folder[:1] in ("/", _HOME) else f"{_OWN}/{folder}"
    unknown: list[str] = []

    def value(match: Match[str]) -> str:
        name = match[1] or match[2]
        found = here if name == "PWD" else known.get(name)
        if found is None:
            unknown.append(name)
        return found or ""

    text: str = _variable(value, plain) if "$" in plain else plain
    return text if not unknown and _plain(text) else None


def _may_lack(path: str) -> bool:
    """Whether there is none at a path on a new machine: not where the image may have one, nor of conda, whose
    environments are entered by their names."""
    if _of_conda(path):
        return False
    if path[:1] != "/":
        return path.partition("/")[0] != _HOME or path.split("/")[1:2] != [HOME_FILES[0]]
    # A plain Ubuntu has /opt, with nothing in it.
    return path.startswith("/opt/") or may_lack(path)
