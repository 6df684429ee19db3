"""Absolute paths in a job's text that other file systems have and a rented machine has not."""

from __future__ import annotations

from flowc._compiled.shell_words import CODE_SUFFIXES, CONTAINERS, COPIERS, MAKERS, SILENT, WRITERS
from flowc._compiled.slurm_commands import CLUSTER_FOLDERS, IMAGE_ROOTS
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.ir.profile import is_meant
from flowc.patterns import at_first_use, at_words, remembered
from flowc.shell import contained as contained_files
from flowc.shell.comments import in_comment
from flowc.shell.steps import plain_words
from flowc.shell.uses import DECLARES, read_variables, writes_folder
from flowc.shell.words import program_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.job import Job

    # A path, and the place of its first two parts.
    Mention = tuple[str, tuple[int, int]]

# At the beginning of a word, with two parts at least: the second may be a variable.
_paths = at_words(r"(?:(?<=[\s\"'=(<>])|\A)(/([A-Za-z][\w.+-]*)/([\w.+-]+|\$\{?\w+\}?))[\w./+${}-]*", ("/",))
# Programs whose here-documents are files or messages, not what they do.
_WRITERS = frozenset((*WRITERS, *CONTAINERS))
# Variables of folders that programs make where they are missing.
_made_by_programs = at_first_use(
    r"(?:\w*CACHE\w*|HF_HOME|TORCH_HOME|TRITON_HOME|NXF_\w+|XDG_\w+|(?:\w+_)?TE?MP(?:DIR)?|WANDB_DIR|MPLCONFIGDIR"
    r"|\w*LOG_?DIR)\Z",
    "match",
)
# Options whose values are parts of addresses, or paths within containers.
_no_path = at_first_use(
    r"--?(?:container|volume|[\w-]*(?:root[_-]path|prefix|route|url|uri|endpoint|api))[\w-]*", "match"
)
_NO_PATH_SIGNS = ("container", "volume", "path", "prefix", "route", "url", "uri", "endpoint", "api")
_variable = at_first_use(r"\$\{?(\w+)", "findall")
_leading = at_first_use(r"((?:[\w.+-]+=)?[\"']?)\$\{?(\w+)\}?(?=[/\"']|\Z)", "match")
# A word that is an image; that of `shifter` is the value of an option.
_image = at_first_use(r"(?!-)\S*(?:\.(?:sif|simg|img|sqsh)|://\S*)[\"']?", "fullmatch")
_REMOVE = ("rm", "rmdir")
_MODULES = ("module", "ml")
# Variables of a folder that each job had for itself: on the cluster, too, nothing was there but what the job put in.
OF_THE_JOB = ("SLURM_TMPDIR", "SLURM_SCRATCH", "LOCAL_SCRATCH", "TMPDIR")
_MOST_PATHS = 2000
# What documentation writes for a path of the reader's own.
is_unfilled = at_first_use(r"(?i)/(?:path/(?:to|of)|(?:full|absolute|some|my|your)[_/-]?path|your[_/-]?\w*)\b", "match")
_QUOTES = "\"'"
_IN_WORDS = "_./}])~*%@"
_CODE = tuple(CODE_SUFFIXES)
EMPTY = ("scratch", "memory")


def cluster_paths(job: Job, brought: tuple[str, ...] = ()) -> dict[str, tuple[int, int]]:
    """The first two parts of each such path, with the place of its first mention as offsets in `job.run.text`.

    Not what the job itself mounts, makes or asks for; nothing of what runs in a container, whose image may have any
    paths; and nothing of texts that are only written: here-documents of `cat`, words of `echo`. `brought`: the texts
    that make up what prepares the job, where that is known: other jobs have the same ones.
    """
    text = (job.run.text or "")[:MOST_TEXT]
    given = _folders(job)
    if job.image is not None or (
        next(_mentioned(text.replace(":", " "), 0), None) is None and not any(name in text for name in given)
    ):
        return {}
    # What is mounted holds what it may; a scratch folder is there, and empty.
    mounted = [mount.target for mount in job.mounts if mount.kind not in EMPTY]
    mounted += [each.mount_path for each in job.volumes]
    mounted += [f"/mnt/{each.name}" for each in job.volumes]
    mounted += job.venvs
    own = f"{(job.run.workdir or '').rstrip('/')}/"  # made, and empty
    made: list[str] = []
    folders = tuple(given.items())
    mentions, made_here = _judged(text, folders) if may_be_shell(job) else ([*_mentioned(text, 0)], [])
    made += made_here
    for each in (brought or (job.setup,)) if mentions and job.setup else ():
        made += _made_by(each, folders)
    found: dict[str, tuple[int, int]] = {}
    installs = _installs(text)
    for path, place in mentions:
        if installs and path[:5] == "/opt/":
            continue
        if any(path == each or path.startswith(f"{each}/") for each in mounted):
            continue
        if any(is_meant(key, path) for key, _ in job.image_files):
            continue
        if own != "/" and f"{path}/".startswith(own) and not path.endswith(_CODE):
            continue
        if not any(path.startswith(each) for each in made if each.strip("/")):
            name = text[slice(*place)]  # or a variable and what follows
            found.setdefault(name if name[:1] == "/" else "/".join(path.split("/")[:3]), place)
    return found


def _installs(text: str) -> bool:
    """Whether it may install what comes to be below /opt."""
    return "apt" in text or "dpkg" in text


def surely_none(text: str) -> bool:
    """Whether a shell's text mentions no such path, whatever variables hold and what stands around it."""
    from flowc.shell.scan import scan

    seen = scan(text)
    for command in seen.commands:
        assigned, words, redirections = command.parts()
        if assigned or (words and words[0][1] in DECLARES):
            return False
        given = (*(word for _, word in words), *(word for *_, word in redirections))
        if any("$" in word and _leading(word) is not None for word in given):
            return False
    mentions = _judged(text, ())[0] if not seen.here_documents else None
    return mentions is not None and all(path[:5] == "/opt/" and _installs(text) for path, _ in mentions)


def _folders(job: Job) -> dict[str, str]:
    """The job's variables that name a folder of the cluster."""
    return {
        name: value.rstrip("/")
        for name, value in job.env
        if value[:1] == "/" and value.strip("/") and value.split("/")[1] not in (*IMAGE_ROOTS, "home")
        if name not in OF_THE_JOB
    }


@remembered(100)  # of a job, asked for with and without what a profile mounts; what prepares jobs is much alike
def _judged(text: str, folders: tuple[tuple[str, str], ...]) -> tuple[list[Mention], list[str]]:
    """The mentions in a shell's text that something is read from, in order, and what it makes. `folders` are those that
    variables name: `$SCRATCH/data` is a mention too."""
    made: list[str] = []
    return [*_read_from(text, made, dict(folders))], made


@remembered(500)  # what prepares jobs is made of the lines of a profile
def _made_by(text: str, folders: tuple[tuple[str, str], ...]) -> list[str]:
    """What a text makes that prepares a job. Packages make nothing that a text names."""
    return _judged(text, folders)[1] if plain_words(text) is None else []


_read_in = remembered(4)(read_variables)  # of one text for each of its variables


def _read_from(text: str, made: list[str], given: dict[str, str]) -> Iterator[Mention]:
    """What a variable holds of which nothing is read, or an option that names a folder for output, is not needed."""
    from flowc.shell.scan import scan

    def _mentions(word: str, start: int) -> Iterator[Mention]:
        whole = _expanded(word, given) if given and "$" in word else word
        for path, (first, last) in _mentioned(whole, start):
            yield path, ((first, last) if whole is word else (start, start + len(word)))

    seen = scan(text)
    contained = ["--container-image"]  # what is called with it runs in an image
    runners: list[str] = []  # what a variable starts in a container
    variables: dict[str, str] = {}
    documents = {each.command: each for each in seen.here_documents}
    for command in seen.commands:
        start, end = command.start, command.end
        document = documents.get(start)
        if document is None and not any(text.find(sign, start, end) >= 0 for sign in ("/", "$", "=(")):
            continue
        assigned, words, redirections = command.parts()
        name = words[0][1].rpartition("/")[2] if words else ""
        if name in DECLARES:
            assigned, words = [*assigned, *words[1:]], []
        for start, word in assigned:
            variable, _, value = word.partition("=")
            if value[:1] == "(" and "--container-image" in value:
                contained.append(f"${{{variable.rstrip('+')}[")
            value = variables[variable] = _expanded(value.strip("\"'"), given)
            if value.partition(" ")[0] in CONTAINERS:
                runners += (f"${variable}", f"${{{variable}}}")
            elif "/" in value and _made_by_programs(variable):
                made.append(value)
            else:  # of several folders each is one
                found = [*_mentions(word.replace(":", " ") if variable.endswith("PATH") else word, start)]
                read = _read_in(text) if found else None
                if read is None or variable in read:
                    yield from found
        runs_elsewhere = name in CONTAINERS and name not in contained_files.PROGRAMS
        if name in SILENT or runs_elsewhere or name in _REMOVE or (words and words[0][1].strip(_QUOTES) in runners):
            continue
        if any(text.find(sign, command.start, end) >= 0 for sign in contained):
            continue
        if name in _MODULES:
            continue  # what is loaded is told by its name, from whichever folder it is
        if document is not None and name not in _WRITERS:
            yield from _mentions(text[document.start : document.end], document.start)
        rest = _not_made(name, words, made, variables, given)
        before = ""
        for start, word in [*words[:1], *rest]:
            options = (word, before if "=" not in before else "")
            if "/" in word and not any(_is_no_path(each) or writes_folder(each) for each in options):
                yield from _mentions(word, start)
            before = word
        for start, _, word in redirections:
            yield from _mentions(word, start)


def _not_made(
    name: str, words: list[tuple[int, str]], made: list[str], variables: dict[str, str], given: dict[str, str]
) -> list[tuple[int, str]]:
    """What a command is given beside what it makes, which is noted, and what is in an image."""
    makes = name in MAKERS or "venv" in (word for _, word in words)
    rest = words[1:]
    called = contained_files.behind(words)
    if called is not None:
        made += _values(contained_files.made(words), variables)
        return [*words[1 : called[0]], *contained_files.of_the_machine(words)]
    inside = next((number for number, (_, word) in enumerate(rest) if program_in(word) in CONTAINERS), None)
    if inside is not None:  # what follows the image is in it
        image = next((number for number, (_, word) in enumerate(rest) if number > inside and _image(word)), inside)
        return rest[: image + 1]
    if makes or (name in COPIERS and rest):
        targets = [_expanded(word, given) for _, word in (rest if makes else rest[-1:])]
        rest = [] if makes else rest[:-1]
        if given:  # such a folder is there, with what is put into it
            folders = [each for each in targets if each.strip(_QUOTES).rstrip("/") in given.values()]
            targets = [each for each in targets if each not in folders]
            targets += [f"{folder.strip(_QUOTES)}/{_last(word)}" for folder in folders for _, word in rest]
        made += _values(targets, variables)
    return rest


def _last(word: str) -> str:
    return word.strip(_QUOTES).rstrip("/").rpartition("/")[2]


def _expanded(word: str, given: dict[str, str]) -> str:
    """A word with the folder in place of a variable that it begins with."""
    if not given or "$" not in word:
        return word
    match = _leading(word)
    if match is None or match[2] not in given:
        return word
    return f"{match[1]}{given[match[2]]}{word[match.end() :]}"


def _is_no_path(word: str) -> bool:
    return word[:1] == "-" and any(sign in word for sign in _NO_PATH_SIGNS) and _no_path(word) is not None


def _values(words: list[str], variables: dict[str, str]) -> Iterator[str]:
    """Words as they are, and as the variables say that they begin with."""
    for word in words:
        plain = word.strip("\"'").rpartition("=")[2]
        yield plain
        for name in _variable(word):
            if variables.get(name, "")[:1] == "/":
                yield variables[name]


def _mentioned(text: str, offset: int) -> Iterator[Mention]:
    if "/" not in text:
        return
    for match, _ in zip(_paths(text), range(_MOST_PATHS), strict=False):
        _, root, second = match.groups()
        if _goes_on(text, match.start(1)):
            start = _beginning(text, match.start(1))
            path = text[start : match.start(1)].rstrip(_QUOTES)
            if path.count("/") == 2 and path[0] == "/" and not is_there(*path[1:].split("/")):
                yield path, (offset + start, offset + start + len(path))
            continue
        if not is_there(root, second) and not in_comment(text, match.start(), shell=False):
            yield match[0], (offset + match.start(1), offset + match.end(1))


def _goes_on(text: str, at: int) -> bool:
    """Whether a word goes on there behind a part in quotes: `"$DIR"/data/x`, `/proj/'my work'/data/x`."""
    if at < 2 or text[at - 1] not in _QUOTES or text[max(0, at - 3)] == "-":  # `-I"/proj/include"`
        return False
    return text[at - 2].isalnum() or text[at - 2] in _IN_WORDS


def _beginning(text: str, at: int) -> int:
    """Where the word begins in which there is a place."""
    while at and not text[at - 1].isspace() and text[at - 1] not in "=(<>:;":
        at -= 1
    return at


def may_lack(path: str) -> bool:
    """Whether a path that is absolute, or below `~/`, is none of those that a new machine has."""
    root, _, rest = path[1:].partition("/")
    return bool(rest) and (path[0] == "~" or not is_there(root, rest.partition("/")[0]))


def with_home(path: str) -> str:
    """The path with `~` for the other ways to write the home folder in front."""
    for home in ("$HOME/", "${HOME}/"):
        if path.startswith(home):
            return f"~/{path.removeprefix(home)}"
    return path


def is_there(root: str, second: str) -> bool:
    if root == "home":
        return second == "ubuntu"
    if root == "mnt":
        return second == "local"
    return root in IMAGE_ROOTS and f"{root}/{second}" not in CLUSTER_FOLDERS
