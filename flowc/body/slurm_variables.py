"""Variables of Slurm's programs in a job's text: those by which it sets options of theirs, and those that it reads."""

from __future__ import annotations

from flowc._compiled.slurm_words import PROGRAMS
from flowc.body.commands import called
from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.patterns import at_first_use, at_words
from flowc.record import Record
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.job import Job

_names = at_words(
    r"(?<![\w])(?:SLURMD?|SRUN|SQUEUE|SCANCEL|SINFO|SACCT|SBCAST|SCONTROL|PMI)_\w+",
    ("SLURM", "SRUN_", "SQUEUE_", "SCANCEL_", "SINFO_", "SACCT_", "SBCAST_", "SCONTROL_", "PMI_"),
)
_value = at_first_use(r"[^\s;&|()]*", "match")
_SAYING = ("echo", "printf", "log", "info")


class Variable(Record):
    """`word`, which stands at the offset `start` and names the variable; `says`: why nothing comes of it; `program`:
    who does not read it."""

    name: str
    word: str
    start: int
    says: str
    program: str = ""


def _known(job: Job) -> set[str]:
    text = job.run.text or ""
    if not job.conventions.commands or job.image is not None or not is_shell(job) or len(text) > MOST_TEXT:
        return set()
    return {match[0] for match in _names(text)}


def _places(text: str, pattern: str) -> Iterator[int]:
    import re

    seen = scan(text)
    for match in re.finditer(pattern, text):
        place = match.start()
        if not (seen.in_comment(place) or seen.in_child(place)):
            yield place


def not_followed(job: Job) -> list[Variable]:
    """Variables that the text gives to a program which does not do what they ask for. `says` is "" where the program
    would refuse the option that they stand for."""
    names, text = _known(job), job.run.text or ""
    found: list[Variable] = []
    for program, words in PROGRAMS.items():
        reads = words["reads"]
        rows = {name: row for name, row in reads["told"].items() if name in names}
        for name in names & reads["options"].keys():
            option = reads["options"][name]
            if any(word[2:] == option for word in words["refused"]):
                rows[name] = None
            elif option in words["told"]:
                rows[name] = words["told"][option]
        if not rows or not called(job, program):
            continue
        from flowc.body.slurm_words import is_meant

        for name in sorted(rows):
            for start in _places(text, rf"(?<![\w${{-]){name}(?==)"):
                value = _value(text, start + len(name) + 1)[0]
                row = rows[name]
                if not scan(text).in_string(start) and value.strip("\"'") and (row is None or is_meant(row, value)):
                    word = f"{name}={value}"
                    says = row["says"] if row is not None else ""
                    found.append(Variable(name=name, word=word, start=start, says=says, program=program))
                    break
    return found


def never_set(job: Job) -> list[Variable]:
    """Variables that Slurm sets, nobody sets here, and the text reads for more than to show them."""
    absent = PROGRAMS["srun"]["sets"]["absent"]
    given = {name for name, _ in (*job.source.variables, *job.env)}
    names, text = _known(job) & absent.keys() - given, job.run.text or ""
    return [Variable(name=name, word=name, start=start, says=absent[name]) for name, start in reads(text, names)]


def reads(text: str, names: set[str]) -> Iterator[tuple[str, int]]:
    """Those of these variables that the text does not set and reads for more than to show them, and where first."""
    for name in sorted(names):
        if any(True for _ in _places(text, rf"(?<![\w$]){name}=")):
            continue
        for start in _places(text, rf"\$(?:{name}\b|\{{{name}(?=[}}%#/]))"):
            if not _is_shown(text, start):
                yield name, text.index(name, start)
                break


def _is_shown(text: str, place: int) -> bool:
    """Whether it stands in a command that only says it."""
    command = scan(text).command_at(place)
    words = command.words() if command is not None else []
    return bool(words) and words[0][1] in _SAYING
