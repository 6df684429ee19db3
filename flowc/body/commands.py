"""What a job's text relies on and a plain machine does not have: commands of a cluster."""

from __future__ import annotations

from flowc._compiled.slurm_commands import (
    ABSENT,
    BROUGHT,
    LAUNCHERS,
    MISSING,
    MODULES,
    OF_SITES,
    PROVIDED,
    REFUSED,
    REMOTE,
)
from flowc.body.frameworks import behind, submits
from flowc.body.interpreter import MOST_TEXT, interpreter_name, interpreter_words, is_shell
from flowc.patterns import at_first_use, at_words, function_at_first_use, remembered
from flowc.shell.comments import in_comment
from flowc.shell.scan import scan
from flowc.shell.words import calls_shells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from re import Match

    from flowc.ir.job import Job
    from flowc.shell.inner import Inner
    from flowc.shell.scan import Scan

    Search = Callable[..., Match[str] | None]

_KNOWN = (
    *PROVIDED,
    *OF_SITES,
    *MODULES,
    *REFUSED,
    *LAUNCHERS,
    *MISSING,
    *ABSENT,
    *REMOTE,
    *(name for row in BROUGHT for name in row["commands"] if name not in LAUNCHERS),
)
_NAMES = "|".join(_KNOWN)
_MISSING, _MODULES = frozenset(MISSING), frozenset(MODULES)
_NOWHERE, _SLURMS = frozenset((*MISSING, *ABSENT)), frozenset((*PROVIDED, *OF_SITES, *REFUSED))
# Commands that start the program which stands among their words.
STARTING = frozenset(
    (
        *(*LAUNCHERS, *OF_SITES, "srun", "exec", "command", "env"),
        *("nohup", "nice", "timeout", "stdbuf", "xargs", "parallel", "sudo"),
    )
)
# Beside letters, digits and the underscore: a known name with one of these before or behind it is part of another word.
_JOINED_BEFORE, _JOINED_BEHIND = frozenset("_./$\"'=@-"), frozenset("_./=-")
# What parts words of which none is a part of another word by these.
_APART = {each: " " for each in range(128) if not (chr(each).isalnum() or chr(each) in _JOINED_BEHIND)}
# Words before a command's name that hand on to it, such as a launcher with its options.
_handing_on = at_first_use(
    r"(?:(?:exec|command)[ \t]+)*"
    r"(?:(?:srun|ibrun|mpirun|mpiexec|nohup|timeout)"
    r"(?:[ \t]+(?:-[^\s;&|]{1,99}(?:[ \t]+\w[^\s;&|]{0,99})?|\d\w{0,9})){0,20}[ \t]+|(?:source|\.)[ \t]+)?\Z",
    "match",
)
_definitions = at_words(
    rf"\b(?:function[ \t]+({_NAMES})\b|({_NAMES})[ \t]*\([ \t]*\)|alias[ \t]+({_NAMES})=)",
    ("function", "alias", *_KNOWN),
)
_call_brackets = at_first_use(r"\([ \t]*\)", "search")
_ASKING = tuple(f"{word}{blank}" for word in ("command", "type", "which", "hash") for blank in " \t")
_guards = at_words(r"\b(?:command[ \t]+-[vV]|type(?:[ \t]+-\w+)?|which|hash)[ \t]+[\"']?(?=([A-Za-z][\w-]*))", _ASKING)
# One is in each name of a launcher.
MPI_SIGNS = ("mpirun", "mpiexec", "orterun", "prterun")
# Where a call may come from: a variable, the words of another program, a script that the text writes.
_MENTIONED = (*PROVIDED, *OF_SITES, *LAUNCHERS, "module")
_mentions = at_words(
    r"(?<![\w.$@])(?:(?<!-)|(?<=:-))(?:(?<!/)|(?<=/bin/))"
    rf"(?:{'|'.join(_MENTIONED[:-1])})(?![\w/=-]|\.\w)|"
    r"(?<![\w./$@-])module(?=[ \t]+(?:-\S+[ \t]+)*"
    r"(?:load|add|purge|unload|use|list|swap|switch|avail|restore|is-loaded)\b)",
    _MENTIONED,
)
_brought = tuple(at_first_use(row["words"], "search") for row in BROUGHT)
# What the setup says where it cannot bring one of `job.programs`, of `job.environments`.
PROGRAM_FAILS = "cannot bring program "
ENVIRONMENT_FAILS = "cannot bring conda environment "
_MOST_GUARDS = 100
_plain_words = function_at_first_use("flowc.shell.steps", "plain_words")
_DEEPEST = 5  # texts within texts
MOST_INNER = 50  # of one text
_MOST_ON_A_LINE = 20


def provided(job: Job) -> set[str]:
    """The commands of the table that the startup script is to bring, or to care for (a launcher's host file).

    They are those that the text may call: a name anywhere but in a comment, and what `run.commands` adds, since files
    that the text runs or sources are not seen. Slurm's own commands need the environment of a Slurm job.
    """
    found = {name for name in job.run.commands if name in _KNOWN}
    text = (job.run.text or "")[:MOST_TEXT]
    for match in _mentions(text):
        if match[0] not in found and not in_comment(text, match.start(), shell=is_shell(job)):
            found.add(match[0])
    found |= behind(text)
    found |= {name for name in _calls_of(job) if name in MODULES or name in REFUSED}
    if not _MODULES.isdisjoint(found):
        found -= _defined(text) & _MODULES
    return found if _has_slurm(job) else found & _MODULES


def _has_slurm(job: Job) -> bool:
    """Whether the startup script brings the small Slurm: to a job that expects it, on the machine itself."""
    return job.conventions.commands and job.image is None


def missing_commands(job: Job) -> dict[str, int]:
    """Name to the offset in `job.run.text` of its first call, for commands that the machine lacks and nothing brings.

    Empty for scripts that are not a shell's. A call is a word at the place of a command: at the start of a line or
    after `;`, `|`, `$(`, `do` and the like, with assignments before it let pass. Comments, here-documents and text in
    single quotes are no calls; nor is a command that the script defines itself, or asks for first (`command -v srun`)
    on the same line or in an `if` around it. Of a container it is only said that Slurm does not reach into it: its
    image may have any other program.
    """
    calls = _calls_of(job)
    if not calls:
        return {}
    if job.image is None:
        names = {*_NOWHERE.intersection(calls), *_not_brought(job)}
    elif not job.conventions.commands:
        return {}  # the image may have all of them
    else:
        names = {*_MISSING.intersection(calls)}
        if "bash" not in interpreter_words(job):
            names |= _MODULES.intersection(calls)
    if not _has_slurm(job):
        names |= _SLURMS.intersection(calls)
    names.difference_update(job.programs)
    if "rclone" in names and any(each.kind == "bucket" and each.copy for each in job.mounts):
        names.discard("rclone")  # which copies the bucket
    if job.environments or "conda" in job.programs:
        names -= {"conda", "mamba", "activate"} if job.environments else {"activate"}
    return {name: places[0] for name, places in calls.items() if name in names}


def _not_brought(job: Job) -> set[str]:
    """The commands that the text calls, and neither brings itself, nor sets a path for, nor has got by `setup`."""
    text, found = job.run.text or "", _calls_of(job)
    # What brings one program, or an environment, says nothing of others.
    setup = (job.setup or "").rpartition(PROGRAM_FAILS)[2].rpartition(ENVIRONMENT_FAILS)[2]
    names = set[str]()
    for row, brings in zip(BROUGHT, _brought, strict=True):
        places = [found[name][0] for name in row["commands"] if name in found]
        if places and not _is_brought(brings, text, min(places)) and not (setup and brings(setup)):
            names.update(row["commands"])
    return names


def _is_brought(brings: Search, text: str, end: int) -> bool:
    """Whether words that bring a command stand before `end`, and in no comment, or behind its call for the case that it
    fails (`uv venv || pip install uv`)."""
    match = brings(text, 0, end)
    while match is not None and in_comment(text, match.end() - 1, shell=True):
        match = brings(text, match.end(), end)
    return match is not None or brings(text[end:].partition("\n")[0].partition("||")[2]) is not None


def package_of(command: str) -> str | None:
    """Ubuntu's packages for a command of the table that a text may bring itself."""
    return next((row["package"] for row in BROUGHT if command in row["commands"]), None)


def called_programs(job: Job, names: Iterable[str], brought: tuple[str, ...] = ()) -> set[str]:
    """Those of `names` by which the job is started, or that one of its texts calls: at the place of a command, or as a
    word of a command that starts others (`srun gmx`, `time make`). `activate` is conda's. `brought`: the texts that
    make up what prepares the job, where that is known: other jobs have the same ones."""
    wanted = (*names, "activate")
    found = {interpreter_name(job)}.intersection(wanted)
    if job.setup:
        apart = brought if job.setup.count("c ") <= MOST_INNER else ()
        for each in apart or (job.setup[:MOST_TEXT],):
            found |= _called_in(each, wanted, _DEEPEST)
    if job.run.text and is_shell(job):
        found |= _called_in(job.run.text[:MOST_TEXT], wanted, _DEEPEST)
    return {"conda", *found}.intersection(names) if "activate" in found else found


@remembered(500)  # what prepares jobs is made of the lines of a profile
def _called_in(text: str, names: tuple[str, ...], deepest: int) -> set[str]:
    words = _plain_words(text)
    if words is not None:
        return {name for name in names if name in words}
    found = {name for name in _may_stand(text, names) if _is_called(text, name)}
    if deepest > 1 and calls_shells(text):
        found = found.union(*(_called_in(each.text, names, deepest - 1) for each in _inner(text)))
    return found


def _inner(text: str) -> Sequence[Inner]:
    from flowc.shell.inner import inner_texts

    return inner_texts(text)


def _is_called(text: str, name: str) -> bool:
    return any(_is_call(text, start) or _is_handed_on(text, start) for start, _ in _standing(text, (name,)))


def _is_handed_on(text: str, start: int) -> bool:
    command = scan(text).command_at(start)
    words = command.words() if command is not None else []
    return bool(words) and words[0][1].rpartition("/")[2] in STARTING and start in (place for place, _ in words)


def refused_commands(job: Job) -> dict[str, int]:
    """The same for commands that are there and take no jobs."""
    if not _has_slurm(job):
        return {}
    return {name: places[0] for name, places in _calls_of(job).items() if name in REFUSED}


def submitted_by(job: Job) -> tuple[int, int, str | None] | None:
    """Where the text first starts a program that submits jobs by such a command, which the text does not show, and
    what that could do instead."""
    return submits((job.run.text or "")[:MOST_TEXT], shell=is_shell(job)) if _has_slurm(job) else None


def reaches_other_nodes(job: Job) -> bool:
    """Whether the text of a Slurm job starts anything on the nodes beside the first one."""
    return bool(provided(job) & {"srun", *OF_SITES, *LAUNCHERS})


def launches(job: Job) -> bool:
    """Whether a launcher of MPI may be called."""
    return bool(provided(job) & {*LAUNCHERS})


def called(job: Job, name: str) -> list[int]:
    """The offsets of all calls of a command of the table, as `missing_commands` finds them."""
    return _calls_of(job).get(name, [])


def _calls_of(job: Job) -> dict[str, list[int]]:
    """The offsets of the calls by their commands, as `missing_commands` says."""
    text = job.run.text
    return calls_in(text) if text and is_shell(job) else {}


@remembered(100)  # what prepares jobs is much alike
def calls_in(text: str) -> dict[str, list[int]]:
    calls = list(_calls(text))
    if not calls:
        return {}
    known = _defined(text)
    guarded = _guarded(text) if any(word in text for word in _ASKING) else {}
    found: dict[str, list[int]] = {}
    for start, end in calls:
        name = text[start:end]
        if name not in known and not any(first <= start < last for first, last in guarded.get(name, ())):
            found.setdefault(name, []).append(start)
    return found


def settled(job: Job) -> set[str]:
    """The known names that the text itself defines, or asks for somewhere."""
    text = job.run.text or ""
    asks = is_shell(job) and any(word in text for word in _ASKING)
    return _defined(text) | {*_guarded(text)} if asks else _defined(text)


def _defined(text: str) -> set[str]:
    """The known names that the text makes functions or aliases of."""
    if "function" not in text and "alias" not in text and not _call_brackets(text):
        return set()
    seen = scan(text)
    found = (match for match in _definitions(text) if not _is_said(seen, match.start()))
    return {match[1] or match[2] or match[3] for match in found}


def _is_said(seen: Scan, place: int) -> bool:
    """Whether what stands there is not done by this text: in a comment, a quote or a here-document."""
    return seen.in_comment(place) or seen.in_quotes(place) or seen.in_child(place)


def _calls(text: str) -> Iterator[tuple[int, int]]:
    """Where known names stand at the place of a command; of one line the first few are looked at."""
    line_end, seen = -1, 0
    for start, end in sorted(_standing(text, _may_stand(text, _KNOWN))):
        if start > line_end:
            line_end, seen = text.find("\n", end), 0
            line_end = len(text) if line_end < 0 else line_end
        seen += 1
        if seen <= _MOST_ON_A_LINE and _is_call(text, start):
            yield start, end


def _may_stand(text: str, names: tuple[str, ...]) -> list[str]:
    """Those of these names that may stand in a text as words of their own. It holds few of them: they are looked up
    among its words, not looked for."""
    if not text.isascii():
        return [name for name in names if name in text]
    words = _words_in(text)
    return [*words.intersection(names), *(name for name in _of_other_letters(names) if name in text)]


@remembered(16)  # a text is asked about several times
def _words_in(text: str) -> set[str]:
    return {*text.translate(_APART).split()}


@remembered(4)
def _of_other_letters(names: tuple[str, ...]) -> list[str]:
    """Those that are not one word to `_may_stand`."""
    return [name for name in names if name.translate(_APART) != name or not name.isascii()]


def _standing(text: str, names: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where these names stand as words of their own."""
    for name in names:
        start, size = text.find(name), len(name)
        while start >= 0:
            end = start + size
            before, behind = text[start - 1 : start], text[end : end + 1]
            if not (before.isalnum() or before in _JOINED_BEFORE or behind.isalnum() or behind in _JOINED_BEHIND):
                yield start, end
            start = text.find(name, end)


def _is_call(text: str, start: int) -> bool:
    command = scan(text).command_at(start)
    words = command.words() if command is not None else []
    return bool(words) and (words[0][0] == start or bool(_handing_on(text, words[0][0], start)))


def _guarded(text: str) -> dict[str, list[tuple[int, int]]]:
    """Where a command is asked for before it is used: name to stretches of the text."""
    found: dict[str, list[tuple[int, int]]] = {}
    seen = 0
    for guard in _guards(text):
        name = next((name for name in _KNOWN if guard[1] == name or guard[1].startswith(name + "-")), None)
        if name is not None and _is_call(text, guard.start()):
            from flowc.shell.blocks import guarded_by

            found.setdefault(name, []).append(guarded_by(text, guard.start()))
            seen += 1
            if seen == _MOST_GUARDS:
                break
    return found
