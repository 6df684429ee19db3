"""Words of a job's calls that the small Slurm does not take: options, and what scontrol is asked to do. Only what the
text shows is judged, never a word that a variable or a command gives."""

from __future__ import annotations

from flowc._compiled.slurm_programs import OPTIONS
from flowc.body.commands import called
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.words import words_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

QUERIES = ("squeue", "sacct", "sinfo", "scancel")
# What scontrol does; `show` wants one of the things behind it, by their beginnings.
SCONTROL = ("show", "requeue")
SHOWN = ("hostnames", "hostname", "hostlist", "job", "node")
SCONTROL_FLAGS = ("-o", "--oneliner", "-d", "--details")

_built = at_first_use(r"[$`\"'\\{}*?~]", "search")


class Wrong(Record):
    """`word` at the offset `start` of the text: `program` does not take it, but may take one of `known`."""

    program: str
    word: str
    start: int
    known: tuple[str, ...]


def wrong_words(job: Job) -> list[Wrong]:
    """The first such word of each call, in the order of the programs."""
    if not job.conventions.commands or job.image is not None or not job.run.text:
        return []
    found: list[Wrong] = []
    for program in ("srun", *QUERIES, "scontrol"):
        starts = called(job, program)
        if not starts:
            continue
        table = _options_of(program)
        for start in starts:
            words = words_behind(job.run.text, start)
            hit = _asked(words) if program == "scontrol" else _option(words, table, only_first=program == "srun")
            if hit is not None:
                known = hit[2] or tuple(dict.fromkeys("--" + entry[2:] for entry in table))
                found.append(Wrong(program=program, word=hit[1], start=hit[0], known=known))
    return found


def _options_of(program: str) -> list[str]:
    """The options of a program, as `n=ntasks`; those of a query are all there once a text uses one of the rest."""
    return [word for kind in OPTIONS.get(program, {}).values() for word in kind]


def _option(
    words: list[tuple[int, str]], table: list[str], *, only_first: bool
) -> tuple[int, str, tuple[str, ...]] | None:
    """The first option that the table lacks. `only_first`: a program's name ends the options."""
    rest = iter(words)
    for start, word in rest:
        if word[:1] in ("$", "`", '"', "'", "\\", "{") or word == "--" or (only_first and word[:1] != "-"):
            return None
        if word[:1] != "-" or word == "-":
            continue
        name = word.partition("=")[0] if word[:2] == "--" else word
        if word[:2] == "--":
            if _built(name):
                return None
            entries = [entry for entry in table if entry[2:].startswith(name[2:])]
            entries = [entry for entry in entries if entry[2:] == name[2:]] or entries
            if len(entries) != 1:
                return start, name, ()
            needs_value = entries[0][1] == "=" and "=" not in word
        else:
            letter, kind, last = _letters(word, table)
            if _built(letter):
                return None
            if not kind:
                return start, word, ()
            needs_value = kind == "=" and last
        if needs_value:
            next(rest, None)
    return None


def _letters(word: str, table: list[str]) -> tuple[str, str, bool]:
    """The letter of `-lN2` that ends the options in this word, its kind ("": unknown), and whether it is the last."""
    letter, kind = "", "."
    for place, letter in enumerate(word[1:], 2):
        kind = next((entry[1] for entry in table if entry[0] == letter != "-"), "")
        if kind != ".":
            return letter, kind, place == len(word)
    return letter, kind, True


def _asked(words: list[tuple[int, str]]) -> tuple[int, str, tuple[str, ...]] | None:
    """What scontrol is asked to do, or to show, and cannot."""
    asked = [(start, word) for start, word in words if word not in SCONTROL_FLAGS][:2]
    if not asked or _built(asked[0][1]):
        return None
    start, word = asked[0]
    if word not in SCONTROL:
        return start, word, SCONTROL
    if word != "show" or len(asked) < 2 or _built(asked[1][1]):
        return None
    start, word = asked[1]
    if word in SHOWN[:2] or word.startswith(SHOWN[2:]):
        return None
    return start, word, SHOWN
