"""Files that the job runs, which lay beside the script on the cluster and which nothing brings to the machine."""

from __future__ import annotations

from posixpath import normpath

from flowc._compiled.shell_words import (
    CODE_SUFFIXES,
    CODE_TAKERS,
    CONTAINERS,
    ENTERS,
    FETCHERS,
    SETTERS,
    SILENT,
    WATCHERS,
)
from flowc.body.commands import STARTING
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.body.paths.cluster import EMPTY
from flowc.ir.names import WORKSPACE
from flowc.ir.profile import is_meant
from flowc.patterns import at_first_use, remembered
from flowc.rules.base import parts, texts
from flowc.rules.wording import first_of
from flowc.shell import contained
from flowc.shell.scan import scan
from flowc.shell.words import program_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit
    from flowc.shell.command import Command

_SHOWN = 3
_CHANGES = tuple(f"{word} " for word in ENTERS)
SIGNS = (*CODE_SUFFIXES, *contained.FILES, "./", *_CHANGES)
_CONTAINERS = frozenset(CONTAINERS)
# Options of launchers that take no value.
_FLAGS = ("-l", "-u", "-v", "-K", "--label", "--unbuffered", "--exclusive", "--exact", "--overlap", "--oversubscribe")
# A path below the folder where the job begins; what a variable or a pattern says is not known.
_relative = at_first_use(r"[\"']?((?:\./)?[\w+-][\w.+/-]*)[\"']?", "fullmatch")
_folder = at_first_use(r"[\"']?(?:\$\{?(?:PWD|SLURM_SUBMIT_DIR)\}?|\$\(pwd\)|`pwd`)/", "match")  # the job's own
_attached = at_first_use(r"-[A-Za-z][0-9]+", "fullmatch")
_STARTING = STARTING.union(WATCHERS)
_python = at_first_use(r"python[0-9.]*", "fullmatch")


def report(unit: Unit, sink: Sink) -> None:
    """One finding a job, at the first of its files."""
    job = unit.job
    brought = _brought(job)
    folder = _whole(job.run.workdir or "")
    if _is_below(folder, brought):
        return
    for each in (part for text in texts(unit) for part in parts(text)):
        found = lacking(each.job, each.brought)
        if brought:
            found = {name: place for name, place in found.items() if not _is_below(_whole(name, folder), brought)}
        if found:
            from flowc.diag.codes.texts import CODE_NOT_BROUGHT

            help = "`flowc submit --code .` brings the folder"
            sink.report(
                CODE_NOT_BROUGHT, each.text_span(*min(found.values())), help=help, files=first_of(found, _SHOWN)
            )
            return


def _brought(job: Job) -> list[str]:
    """What may hold files of the job: of scratch folders it is known that they are empty."""
    paths = [each.target for each in job.mounts if each.kind not in EMPTY]
    paths += [each.mount_path for each in job.volumes]
    paths += [each.path for each in job.files]
    return [_whole(each) for each in paths]


def _whole(path: str, folder: str = WORKSPACE) -> str:
    """An absolute path, of one that begins in a folder; the job runs as root."""
    if path[:2] == "~/" or path == "~":
        path = f"/root{path[1:]}"
    return normpath(f"{folder}/{path}" if path[:1] != "/" else path)


def _is_below(path: str, folders: list[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in folders)


def lacking(job: Job, brought: tuple[str, ...] = ()) -> dict[str, tuple[int, int]]:
    """Each such file with the place of its first mention in `job.run.text`. Nothing where the text, or what prepares
    it, fetches anything or goes to another folder: what is there then no text shows. `brought`: the texts that make up
    what prepares the job, where that is known: other jobs have the same ones."""
    text = (job.run.text or "")[:MOST_TEXT]
    if not any(sign in text for sign in SIGNS) or not may_be_shell(job):
        return {}
    found = _lacking(text) if not _fetches(text) else {}
    if job.image_files:
        found = {name: at for name, at in found.items() if not any(is_meant(key, name) for key, _ in job.image_files)}
    preparing = (brought or (job.setup,)) if found and job.setup else ()
    return {} if any(map(_fetches, preparing)) else found


def may_lack(text: str) -> bool:
    """Whether a shell's text may name such a file, be it one of several that stand together."""
    return any(sign in text for sign in SIGNS) and not _fetches(text) and bool(_lacking(text))


@remembered(100)  # what prepares jobs is much alike
def _lacking(text: str) -> dict[str, tuple[int, int]]:
    seen = scan(text)
    found: dict[str, tuple[int, int]] = {}
    made: set[str] = set()
    path_changes = False
    in_image = "PYXIS_CONTAINER_IMAGE=" in text
    for command in seen.commands:
        words = command.words()
        if words and program_in(words[0][1]) in ENTERS and not seen.in_child(command.start):
            entered = _entered(words)
            if entered is not None and not made & {entered[1], entered[1].partition("/")[0]}:
                found.setdefault(entered[1], (entered[0], entered[0] + len(entered[1])))
            break  # what is in another folder no text shows
        ran = _run(command)
        if in_image and ran and program_in(words[0][1]) == "srun":
            continue
        path_changes = path_changes or _changes_path(command)
        for start, word in ran:
            if path_changes and "/" not in word and start == words[0][0]:
                continue  # it is looked for there
            name = word.removeprefix("./")
            if name not in made and name not in found and not seen.in_child(command.start):
                found[name] = start, start + len(word)
        made |= _made(command, ran)
    return found


def _entered(words: list[tuple[int, str]]) -> tuple[int, str] | None:
    """The folder below the job's own that a command changes to, with its offset."""
    for start, word in words[1:2]:
        match = _relative(word)
        if match is not None and match[1] != "-":
            folder = match[1].removeprefix("./").rstrip("/")
            return start + match.start(1) + match[1].find(folder), folder
    return None


def _changes_path(command: Command) -> bool:
    assigned, words, _ = command.parts()
    if words and program_in(words[0][1]) in SETTERS:
        return True
    return any(word.startswith("PATH=") for _, word in (*assigned, *words[1:]))


@remembered(100)  # what prepares jobs is much alike
def _fetches(text: str) -> bool:
    for command in scan(text).commands:
        words = command.words()
        if words:
            name = program_in(words[0][1])
            if name in contained.PROGRAMS and contained.image(words) is not None:  # what runs in it may
                name = next((each for _, word in words[2:] if (each := program_in(word)) in FETCHERS), "")
            if name in FETCHERS:
                return True
    return False


def _run(command: Command) -> list[tuple[int, str]]:
    """The file that a command runs, with its offset, and the image in which it does: the folder of the job is there."""
    words = command.words()
    first = program_in(words[0][1]) if words else ""
    if not words or first in SILENT:
        return []
    if contained.behind(words) is not None:
        return [*_relative_image(words), *_code(command, words, first)]
    return _code(command, words, first) if first not in CONTAINERS else []


def _code(command: Command, words: list[tuple[int, str]], first: str) -> list[tuple[int, str]]:
    """That a word is a file with code, its suffix tells, or `./` in front."""
    names = [first, *(program_in(word) for _, word in words[1:])]
    if command.text.find("container-image", command.start, command.end) >= 0 and any(
        "container-image" in name for name in names
    ):
        return []
    takers = [index for index, name in enumerate(names) if name in CODE_TAKERS or _python(name)]
    behind = takers[-1] + 1 if takers else 0
    candidates = words[behind:] if takers else words[:1]
    if not takers and first in _STARTING:
        candidates = _started(words, names)
    for start, word in candidates:
        own = _folder(word)
        if own is not None:
            start, word = start + own.end(), word[own.end() :]
        match = _relative(word)
        if match is None:
            continue
        if match[1].endswith(CODE_SUFFIXES) or (not takers and match[1][:2] == "./"):
            return [(start + match.start(1), match[1])]
        if takers and names[takers[-1]] in ("bash", "sh", "source", "."):
            return []
    return []


def _relative_image(words: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The image in a file below the folder where the job begins in which a command runs."""
    start, word = contained.image(words) or (0, "")
    match = _relative(word)
    return [(start + match.start(1), match[1])] if match is not None and word.endswith(contained.FILES) else []


def _started(words: list[tuple[int, str]], names: list[str]) -> list[tuple[int, str]]:
    """What stands behind a launcher and its options and is surely no value of one: `srun -n 4 ./a`."""
    if not _CONTAINERS.isdisjoint(names):
        return []
    before = words[0][1]
    for start, word in words[1:]:
        if word.startswith("./") and (before[:1] != "-" or "=" in before or before in _FLAGS or _attached(before)):
            return [(start, word)]
        before = word
    return []


def _made(command: Command, ran: list[tuple[int, str]]) -> set[str]:
    """What may be there once the command has run: what it writes to, and its words, any of which it may make, but for
    what it `ran`."""
    _, words, redirections = command.parts()
    given = [word for _, operator, word in redirections if ">" in operator]
    starts = {start for start, _ in ran}
    given += [word for start, word in words[1:] if start not in starts]
    return {word.strip("\"'").removeprefix("./") for word in given}
