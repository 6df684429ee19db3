"""Words of a job's calls that the small Slurm does not take: options, and what scontrol is asked to do. Only what the
text shows is judged, never a word that a variable or a command gives."""

from __future__ import annotations

from flowc._compiled.slurm_commands import FLAGS_OF_SITES, OF_SITES, OPTIONS_OF_SITES, RARE_OPTIONS_OF_SITES
from flowc._compiled.slurm_words import OPTIONS, PROGRAMS
from flowc.body.commands import called
from flowc.patterns import at_first_use, at_words
from flowc.record import Record
from flowc.shell.words import words_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flowc.body.slurm_calls import Call
    from flowc.ir.job import Job

QUERIES = ("squeue", "sacct", "sinfo", "scancel", "sbcast")
# What scontrol does, and shows, in full; a name may be shorter, and written in other letters.
SCONTROL = PROGRAMS["scontrol"]["commands"]["done"]
CHANGED = PROGRAMS["scontrol"]["changes"]["done"]
SHOWN = {"hostnames": 5, "hostlistsorted": 9, "hostlist": 5, "jobs": 1, "jobid": 5, "nodes": 1}

# A value of one of srun's options that is not plainly right, or cannot be seen.
may_be_wrong = at_first_use(
    r"(?:--mem(?:-per-[cg]pu)?[ =](?![\"']?\d+[KMGTkmgt]?[Bb]?[\"']?(?:[\s\\]|\Z))"
    r"|--(?:cpu|mem)-bind[ =]"
    r"(?![\"']?(?:v|q|verbose|quiet|none|no|cores|sockets|threads|ldoms|rank|local)[\"']?(?:[\s\\]|\Z))"
    r"|--hint[ =](?![\"']?(?:compute_bound|memory_bound|(?:no)?multithread)[\"']?(?:[\s\\]|\Z))"
    r"|--open-mode[ =](?![\"']?(?:append|truncate)[\"']?(?:[\s\\]|\Z))"
    r"|\bsrun\b[^\n]{0,200}?--signal[ =](?![\"']?(?:SIG)?(?:USR[12]|TERM|INT|HUP)(?:@\d{1,4})?[\"']?(?:[\s\\]|\Z))"
    r"|--exclusive=|--kill-on-bad-exit=(?![01](?:[\s\\]|\Z)))",
    "search",
)
# Steps of the own job, by numbers or by variables.
_own_step = at_first_use(r"\$(?:SLURM_JOB_?ID|\{SLURM_JOB_?ID\})\.(?:\d+|\$\w+|\$\{\w+\}|batch)$", "match")
# Options without and with a value that the queries have in every job; the others come with the feature `picks`.
PLAIN = {
    "squeue": ("-h --noheader --me", "-j --job --jobs -o --format"),
    "sacct": ("-n --noheader -X --allocations -P --parsable2", "-j --jobs -o --format"),
    "sinfo": ("-h --noheader -N --Node", "-o --format"),
    "scancel": ("-b --batch $SLURM_JOB_ID $SLURM_JOBID ${SLURM_JOB_ID} ${SLURM_JOBID}", "-s --signal"),
}
# Formats of squeue and of sinfo that ask for nothing that few ask for: by letters; by names, of squeue alone.
_common = {
    "squeue": at_first_use(r"(?:[^%$`]|%[.\d]*[iAFKjTtMlLeSDNRuUPaCBZqoV])*\Z", "match"),
    "sinfo": at_first_use(r"(?:[^%$`]|%[.\d]*[PRalDtTNncGm])*\Z", "match"),
}
_common_names = at_first_use(
    r"(?i)(?:(?:jobid|jobarrayid|arrayjobid|arraytaskid|name|state|statecompact|timeused|timelimit|timeleft|endtime|starttime"
    r"|numnodes|nodelist|reasonlist|username|userid|partition|account|numcpus|batchhost|workdir|qos|command|submittime)"
    r"(?::\.?\d+)?(?:,|\Z))+\Z",
    "match",
)
# Fields of jobs and of nodes that few look for.
_job_fields = at_first_use(
    r"(?i)TRES|Gres|Min(?:Memory|CPUs|TmpDisk)|\bArray(?:Job|Task|\()|AccrueTime|SuspendTime|PreSuspend|LastSched|Scheduler="
    r"|AllocNode|(?:Req|Exc)NodeList|Socks|NtasksPer|CoreSpec|Features|DelayBoot|OverSubscribe|Contiguous|Licenses"
    r"|Network=|Power=|CPU_IDs|\WNodes=|DerivedExit|\[A-Z|\bscontrol\b[^\n;|]{0,99}?(?: -d|--details)",
    "search",
)
_node_fields = at_first_use(
    r"(?i)\bnodes?\b[\s\S]*(?:TRES|CPUEfctv|CPULoad|(?:Real|Alloc|Free)Mem|Sockets|Boards|ThreadsPer|\bTmpDisk|Weight"
    r"|Arch=|OS=|Version=|Features|Owner=|\[A-Z)",
    "search",
)
# Variables that the queries take for options.
_by_variable = at_words(
    r"\b(?:SQUEUE|SACCT|SINFO|SCANCEL|SBCAST)_[A-Z]", ("SQUEUE_", "SACCT_", "SINFO_", "SCANCEL_", "SBCAST_")
)
_long_form = at_first_use(r"-[a-zA-Z]*[ls]", "match")
_names_in = at_first_use(r"[\w.-]+", "findall")
# Types of GPUs in the job's own options.
_own_types = at_first_use(r"(?m)^#SBATCH[^\n]*?(?:-G|--gres|--gpus[\w-]*)[ =]*(?:gpu:)?([A-Za-z][\w.-]*):", "findall")
_built = at_first_use(r"[$`\"'\\{}*?~]", "search")


class Wrong(Record):
    """`word` at the offset `start` of the text: `program` does not take it, but may take one of `known`."""

    program: str
    word: str
    start: int
    known: tuple[str, ...]


class Lost(Record):
    """`word`, an option with its value at the offset `start` of the text, is taken by `program`, and nothing is done
    about it, as it `says`."""

    program: str
    word: str
    start: int
    says: str


class Given(Record):
    """An option at the offset `start`, written `word`: its entry in the table, None where that has none or several;
    `value` as it is written, which begins at `value_start`."""

    start: int
    word: str
    entry: str | None
    value: str | None = None
    value_start: int = 0


def wrong_words(job: Job) -> list[Wrong]:
    """The first such word of each call, in the order of the programs."""
    found: list[Wrong] = []
    for program, words in _calls(job):
        if program == "scontrol":
            hit = _asked(words)
            if hit is not None:
                found.append(Wrong(program=program, word=hit[1], start=hit[0], known=hit[2]))
            continue
        if program in OF_SITES:
            unknown = _unknown_of_site(words)
            if unknown is not None:
                known = (*OPTIONS_OF_SITES, *RARE_OPTIONS_OF_SITES, *FLAGS_OF_SITES)
                found.append(Wrong(program=program, word=unknown[1], start=unknown[0], known=known))
            continue
        table = _options_of(program)
        bad = next((each for each in _given(words, table, only_first=program == "srun") if each.entry is None), None)
        if bad is not None:
            known = tuple(dict.fromkeys("--" + entry[2:] for entry in table))
            found.append(Wrong(program=program, word=bad.word, start=bad.start, known=known))
    return found


def lost_words(job: Job) -> list[Lost]:
    """Options that are taken although what they ask for is not done."""
    found: list[Lost] = []
    for program, words in _calls(job):
        told = PROGRAMS[program]["told"] if program in PROGRAMS else {}
        for each in _given(words, _options_of(program), only_first=program == "srun") if told else ():
            row = told.get(each.entry[2:]) if each.entry is not None else None
            if row is not None and is_meant(row, _not_of_job(job, each.entry or "", each.value or "")):
                end = each.value_start + len(each.value) if each.value else each.start + len(each.word)
                word = (job.run.text or "")[each.start : end]
                found.append(Lost(program=program, word=word, start=each.start, says=row["says"]))
    return found


def options_of_steps(job: Job) -> Iterator[dict[str, Given]]:
    """Of each call of srun the options that can be seen, by their long names."""
    table = _options_of("srun")
    for program, words in _calls(job):
        if program == "srun":
            given = _given(words, table, only_first=True)
            yield {each.entry[2:]: each for each in given if each.entry is not None}


def _not_of_job(job: Job, entry: str, value: str) -> str:
    """What a value asks for beyond what the job itself does: without the types of its GPUs, and its features."""
    name = entry[2:]
    if name == "constraint":
        return "" if set(_names_in(value)) <= set(job.resources.features) else value
    if name == "gres" or name[:4] == "gpus":
        for word in {job.resources.gpu_model, *_own_types(job.run.text or "")} - {None}:
            value = value.replace(*((f":{word}", "") if name == "gres" else (f"{word}:", "")))
    return value


def is_meant(row: dict[str, Any], value: str) -> bool:
    """Whether a row of `told` speaks of this value; of one that the text does not show only where it speaks of all."""
    if row["names"] and not _built(value.strip("\"'")):
        items = [item.partition("%")[0].strip().lower() for item in value.strip("\"'").split(",")]
        return any(item and not any(name.lower().startswith(item) for name in row["names"]) for item in items)
    if row["values"] is None:
        return not row["names"]
    import re

    value = value.strip("\"'")
    return not _built(value) and re.search(row["values"], value) is not None


def _calls(job: Job) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Programs with the words of each of their calls."""
    if not job.conventions.commands or job.image is not None or not job.run.text:
        return
    for program in ("srun", *QUERIES, "scontrol", *OF_SITES):
        for start in called(job, program):
            yield program, words_behind(job.run.text, start)


def _options_of(program: str) -> list[str]:
    """The options of a program, as `n=ntasks`; those of a query are all there once a text uses one of the rest."""
    return [word for kind in OPTIONS.get(program, {}).values() for word in kind]


def _given(words: list[tuple[int, str]], table: list[str], *, only_first: bool) -> Iterator[Given]:
    """The options that can be seen, up to the first that the table lacks. `only_first`: a program's name ends them."""
    rest = iter(words)
    for start, word in rest:
        if word[:1] in ("$", "`", '"', "'", "\\", "{") or word == "--" or (only_first and word[:1] != "-"):
            return
        if word[:1] != "-" or word == "-":
            continue
        name, equals, value = word.partition("=") if word[:2] == "--" else (word, "", "")
        if word[:2] == "--":
            if _built(name):
                return
            entries = [entry for entry in table if entry[2:].startswith(name[2:])]
            entries = [entry for entry in entries if entry[2:] == name[2:]] or entries
            if len(entries) != 1:
                yield Given(start=start, word=name, entry=None)
                return
            entry, shown, needs_value = entries[0], value if equals else None, entries[0][1] == "=" and not equals
        else:
            letter, kind, place = _letters(word, table)
            if _built(letter):
                return
            if not kind:
                yield Given(start=start, word=word, entry=None)
                return
            entry = next(entry for entry in table if entry[0] == letter)
            shown, needs_value = word[place:] or None, kind == "=" and place == len(word)
        at = start + len(word) - len(shown or "")
        if needs_value:
            at, shown = next(rest, (at, None))
        yield Given(start=start, word=name, entry=entry, value=shown, value_start=at)


def _letters(word: str, table: list[str]) -> tuple[str, str, int]:
    """The letter of `-lN2` that ends the options in this word, its kind ("": unknown), and where its value begins."""
    letter, kind = "", "."
    for place, letter in enumerate(word[1:], 2):
        kind = next((entry[1] for entry in table if entry[0] == letter != "-"), "")
        if kind != ".":
            return letter, kind, place
    return letter, kind, len(word)


def _asked(words: list[tuple[int, str]]) -> tuple[int, str, tuple[str, ...]] | None:
    """What scontrol is asked to do, or to show, and cannot; or an option that it does not take."""
    table = _options_of("scontrol")
    for start, word in words:
        if word[:1] == "-" and not _built(word):
            given = next(_given([(start, word)], table, only_first=True), None)
            if given is not None and given.entry is None:
                return start, word, tuple("--" + entry[2:] for entry in table)
    asked = [(start, word) for start, word in words if word[:1] != "-"][:2]
    if not asked or _built(asked[0][1]):
        return None
    start, word = asked[0]
    verb = word.lower()
    if verb not in (*SCONTROL, "help") and not (len(verb) > 2 and "show".startswith(verb)):
        return start, word, SCONTROL
    if verb == "update":
        return _changed(words)
    if verb[:2] != "sh" or len(asked) < 2 or _built(asked[1][1].partition("=")[0]):
        return None
    start, word = asked[1]
    name = word.partition("=")[0].lower()
    if any(full.startswith(name) and len(name) >= least for full, least in SHOWN.items()):
        return None
    return start, word, tuple(SHOWN)


def _changed(words: list[tuple[int, str]]) -> tuple[int, str, tuple[str, ...]] | None:
    """The first thing that `scontrol update` would change and cannot."""
    for start, word in words:
        name, equals, _ = word.partition("=")
        name = name.rstrip("+-")
        if equals and not _built(name) and name.lower() not in CHANGED:
            return start, name, CHANGED
    return None


def of_any_call(name: str, *, seldom: bool) -> set[str]:
    """What a call that no text shows may ask for; `seldom`: what few of them do, too."""
    found = {"scontrol_job", "requeue"} if name == "scontrol" else set[str]()
    found |= {f"{name}_rare", "stdin"} if name in OF_SITES else set()
    rare = {"scontrol": ("fields", "node_fields"), "squeue": ("columns",), "sinfo": ("columns",)}
    return found.union(rare.get(name, ()) if seldom else ())


def _unknown_of_site(words: list[tuple[int, str]]) -> tuple[int, str] | None:
    """The first word that is no option of a site's launcher, or the value of one that is no number."""
    rest = iter(words)
    for start, word in rest:
        name, _, value = word.lstrip("-").partition("=")
        if word[:1] != "-" or _built(word):
            return None
        if f"-{name}" in FLAGS_OF_SITES:
            continue
        if f"-{name}" not in (*OPTIONS_OF_SITES, *RARE_OPTIONS_OF_SITES):
            return start, word
        if not value:
            start, value = next(rest, (start, word))
        if not (value.isdecimal() or _built(value)):
            return start, value
    return None


def _of_site(call: Call) -> set[str]:
    """What the step of a site's launcher needs beyond its program."""
    found, words = {"stdin"} if call.fed else set[str](), iter(call.words)
    for quoted in words:
        word = quoted.strip("\"'")
        if word in OPTIONS_OF_SITES:
            found.add(f"{call.name}_options")
            next(words, "")
        elif word[:1] in ("-", "$", "`", "{"):
            return found | {f"{call.name}_rare"}
        else:
            return found
    return found | {f"{call.name}_rare"}


def fields_asked(text: str) -> set[str]:
    """What a text may look for in what scontrol shows of the job and its nodes."""
    return {name for name, asks in (("fields", _job_fields), ("node_fields", _node_fields)) if asks(text)}


def named_in(text: str) -> bool:
    """Whether a text may set such a variable."""
    return next(_by_variable(text), None) is not None


def by_name(text: str) -> set[str]:
    """What the queries need for the variables that a text names."""
    found = {"time_format"} if "SLURM_TIME_FORMAT" in text else set[str]()
    return found | {"by_variable"} if named_in(text) else found


def picked(call: Call) -> set[str]:
    """Whether a query may have other options than those that all of its programs have; what a site's launcher needs."""
    if call.name in OF_SITES:
        return _of_site(call)
    if call.name == "sbcast":
        return {"rare"} if any(_may_be_rare(each, "sbcast") for each in call.words) else set()
    if call.name not in PLAIN:
        return set()
    if _may_be_columns(call):
        return {"picks", "rare", "columns"}
    flags, valued = (row.split() for row in PLAIN[call.name])
    words = iter(call.words)
    for quoted in words:
        word = quoted.strip("\"'")
        name, equals, _ = word.partition("=")
        if name in valued:
            if not equals:
                next(words, "")
        elif word not in flags and not (call.name == "scancel" and _own_step(word)):
            return {"picks", "rare"} if any(_may_be_rare(each, call.name) for each in call.words) else {"picks"}
    return {"picks"} if call.more else set()


def _may_be_columns(call: Call) -> bool:
    """Whether a call of squeue or sinfo may ask for columns that few ask for."""
    if call.name not in _common:
        return False
    for quoted, following in zip(call.words, (*call.words, "")[1:], strict=True):
        word = quoted.strip("\"'")
        name, equals, value = word.partition("=")
        if name[:1] == "-" != name[1:2]:
            name, value = word[:2], word[2:] or following.strip("\"'")
        elif not equals:
            value = following.strip("\"'")
        if name in ("-o", "--format") and not _common[call.name](value):
            return True
        if name in ("-O", "--Format") and not (call.name == "squeue" and _common_names(value)):
            return True
        if call.name == "sinfo" and (name in ("--long", "--summarize") or _long_form(word)):
            return True
    return False


def _may_be_rare(quoted: str, program: str) -> bool:
    """Whether a word may be an option that a query seldom has."""
    word = quoted.strip("\"'").partition("=")[0]
    rare = OPTIONS[program]["rare"]
    if word[:2] == "--":
        return any(entry[2:].startswith(word[2:]) for entry in rare)
    return word[:1] == "-" and any(entry[0] in word[1:] for entry in rare if entry[0] != "-")
