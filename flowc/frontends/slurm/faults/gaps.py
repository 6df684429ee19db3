"""What is wrong with directives that sbatch refuses beyond one value: gaps of templates, values that sbatch takes from
the next line, options of LSF that it does not know."""

from __future__ import annotations

from flowc._compiled.slurm_options import BSUB
from flowc.diag.suggest import gaps, to_fill
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.slurm.words.getopt import Occurrence
    from flowc.source import Source

_variable = at_first_use(r"\$([A-Za-z_]\w{0,60})", "search")


def advice(source: Source, start: int, end: int) -> str | None:
    """The help for words that are part of a gap; `start` to `end` may end where it begins."""
    text = source.text
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", start)
    for match in gaps(text, first, last if last >= 0 else len(text)):
        if match.start() <= end and start < match.end():
            how = to_fill(match[0])
            how = f": {how}" if how else ""
            comment = "; a `#` that follows a blank or `=` begins a comment" if match[0][0] == "#" else ""
            return f"`{match[0]}` looks like a placeholder that was never filled in{how}{comment}"
    match = _variable(text, start, end) if "$" in text[start:end] else None
    return f"`{match[0]}` is not expanded in a directive: {give(match[1])}" if match else None


def give(variable: str) -> str:
    return f"`--fill {variable}=VALUE` puts a value there"


def taken_from_next_line(source: Source, occurrence: Occurrence) -> str | None:
    """The help for an option at the end of its line whose value sbatch takes from the next directive."""
    between = source.text[occurrence.option_end : occurrence.word.start]
    if occurrence.inset or "\n" not in between:
        return None
    option = f"`{occurrence.written}` on line {source.line_at(occurrence.start)}"
    value = f"`{occurrence.word.text[:40]}` of line {source.line_at(occurrence.word.start)}"
    return f"{option} has no value, so sbatch takes {value} for it"


def instead_of_lsf(source: Source, start: int) -> str | None:
    """The help for an option of a `#BSUB` line that sbatch does not know, or takes for another."""
    text = source.text
    line = text.rfind("\n", 0, start) + 1
    if not text.startswith("#BSUB", line):
        return None
    word = text[start : start + 20].split(maxsplit=1)[0]
    instead = BSUB["instead"].get(word)
    if instead is not None:
        return f"an option of LSF: write `#SBATCH {instead}`"
    return "an option of LSF that sbatch does not know" if word[2:] or word[1:] not in BSUB["letters"] else None
