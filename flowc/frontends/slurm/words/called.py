"""A call of sbatch: which of its words is the script, and which say how, not what, is submitted."""

from __future__ import annotations

from flowc._compiled.slurm_lowering import LOWERING
from flowc.frontends.slurm.words.getopt import read_options, table_of
from flowc.inputs import command_line
from flowc.record import Record


class Called(Record):
    """`names` are those of its options, `how` what these ask of who submits (the column `submits`). `script` is the
    number of the word that is the script, None without one: where there are options that sbatch does not know nobody
    can tell, and it is the first word that may be one, -1 where none may. `others` are the words before it without
    those that say how alone, `arguments` those behind it."""

    names: frozenset[str]
    how: frozenset[str]
    script: int | None
    others: tuple[str, ...]
    arguments: tuple[str, ...]


def called(args: list[str], version: tuple[int, ...] = (22, 5)) -> Called:
    """What sbatch's own command line is."""
    _, words = command_line(tuple(args))
    names: set[str] = set()
    how: set[str] = set()
    needless: set[int] = set()
    start, script = 0, None
    while True:
        found, problems, stop = read_options(words[start:], table_of(version), same_line=False)
        for each in found:
            names.add(each.name)
            submits = LOWERING[each.name]["submits"] if each.name in LOWERING else None
            if submits is not None:
                how.add(submits)
                if each.word.text == each.written:
                    needless.add(next(at for at, word in enumerate(words) if word is each.word))
        if problems:
            script = next((at for at, word in enumerate(args) if not word.startswith("-")), -1)
            break
        start += stop
        if start < len(words) and words[start].text == "--":
            start += 1
        if start < len(words) and words[start].text == ":":
            start += 1
            continue
        if start < len(words) and "wrap" not in names:
            script = start
        break
    end = len(args) if script is None else max(script, 0)
    return Called(
        names=frozenset(names),
        how=frozenset(how),
        script=script,
        others=tuple(word for at, word in enumerate(args[:end]) if at not in needless),
        arguments=tuple(args[end + 1 :]),
    )
