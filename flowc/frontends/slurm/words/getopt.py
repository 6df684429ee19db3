"""Matches words against the option table by the rules of GNU getopt_long, as sbatch calls it (no permutation).

sbatch stops at the first fault; here reading goes on behind it, so that one run shows all faults of a script.
"""

from __future__ import annotations

from _bisect import bisect_left  # what `bisect` is made of, without a file more

from flowc._compiled.slurm_options import OPTIONS
from flowc.patterns import remembered
from flowc.source import Derived as Word
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.source import Source

MAX_FLAGS = 200  # letters after one dash; no command line has as many


def release(text: str | None) -> tuple[int, ...]:
    """`22.05` as numbers that compare; None is the release whose rules hold where nobody names one."""
    return tuple(int(part) for part in (text or "").split(".") if part.isdigit()) or (22, 5)


class Table:
    """The options of one release of sbatch (or of another system's directives): `longs` maps every long name to the
    name it prints under, `shorts` every letter; `args` maps that name to none, required or optional; `plugins` are
    those that a site's plugin adds, `newer` those of later releases, with their release."""

    __slots__ = ("args", "longs", "names", "newer", "plugins", "shorts")

    def __init__(self, longs: dict[str, str], shorts: dict[str, str], args: dict[str, str]) -> None:
        self.longs = longs
        self.shorts = shorts
        self.args = args
        self.names = sorted(longs)
        self.newer: dict[str, str] = {}
        self.plugins: set[str] = set()

    def find(self, name: str) -> list[str]:
        """The long names that a written name stands for: itself, or all that it begins."""
        if name in self.longs:
            return [name]
        at = bisect_left(self.names, name)
        found = []
        while at < len(self.names) and self.names[at].startswith(name):
            found.append(self.names[at])
            at += 1
        return found if len({self.longs[each] for each in found}) > 1 else found[:1]


_TABLES: dict[tuple[int, ...], Table] = {}


def table_of(version: tuple[int, ...]) -> Table:
    """The options that a release knows."""
    if version not in _TABLES:
        longs: dict[str, str] = {}
        shorts: dict[str, str] = {}
        args: dict[str, str] = {}
        newer: dict[str, str] = {}
        plugins: set[str] = set()
        for name, row in OPTIONS.items():
            gone = row["absent"] and release(row["absent"][0]) <= version < release(row["absent"][1])
            if gone or (row["until"] and release(row["until"]) <= version):
                continue
            args[name] = _later(row, "arg", version) if row["arg_later"] else row["arg"]
            if row["plugin"]:
                plugins.add(name)
                continue
            if row["since"] and release(row["since"]) > version:
                newer[name] = row["since"]
                continue
            longs[name] = name
            for alias in row["aliases"]:
                longs[alias] = name
            if row["short"]:
                shorts[row["short"]] = name
        table = Table(longs, shorts, args)
        table.newer, table.plugins = newer, plugins
        _TABLES[version] = table
    return _TABLES[version]


@remembered(20)
def carried(version: tuple[int, ...]) -> frozenset[str]:
    """The options that the components of a het job hand on."""
    return frozenset(name for name, row in OPTIONS.items() if _later(row, "het", version) == "carried")


def _later(row: dict[str, Any], column: str, version: tuple[int, ...]) -> str:
    """The value of a column that may change with a release."""
    change = row[f"{column}_later"]
    return str(change[1] if change and release(change[0]) <= version else row[column])


class Occurrence:
    """An option as written: `written` is its spelling, `text` its value (None: bare). `word` holds the value from the
    character `inset` on. `start` and `end` span option and value; `since` is set for an option of a later release."""

    __slots__ = ("end", "inset", "name", "option_end", "since", "start", "text", "word", "written")

    def __init__(
        self,
        name: str,
        written: str,
        text: str | None,
        option: Word,
        word: Word,
        inset: int,
        since: str | None = None,
    ) -> None:
        self.name = name
        self.written = written
        self.text = text
        self.start = option.start
        self.option_end = option.end
        self.end = word.end
        self.word = word
        self.inset = inset
        self.since = since

    @property
    def value(self) -> Word:
        """The value with its places, empty for a bare option."""
        return Word.of(self.word, self.inset, len(self.word.text)) if self.inset else self.word

    @property
    def value_start(self) -> int:
        """Where the first character of the value stands."""
        place = self.value.span(0, 0)
        return place.start if place is not None else self.word.end

    def value_span(self, source: Source, start: int = 0, end: int | None = None) -> Span:
        """A part of its value (characters of the value) in the source; the whole option when it has no value."""
        size = len(self.text or "")
        stop = size if end is None else min(end, size)
        place = self.value.span(start, stop) if size else None
        if place is None:
            return Span(source, self.start, self.end)
        return place if start < stop else Span(source, max(place.start - 1, 0), place.start)


class Problem:
    """What getopt refuses: `kind` is unknown, ambiguous, missing, unwanted or operand; `name` what was written,
    `names` what it could stand for; the place is `start` to `end`. `before` is the option right before an operand."""

    __slots__ = ("before", "end", "kind", "name", "names", "start")

    def __init__(self, kind: str, name: str, start: int, end: int, names: tuple[str, ...] = ()) -> None:
        self.before: Occurrence | None = None
        self.kind = kind
        self.name = name
        self.start = start
        self.end = end
        self.names = names


def read_options(
    words: list[Word], table: Table, same_line: bool = True, text: str = ""
) -> tuple[list[Occurrence], list[Problem], int]:
    """(options, problems, index of the first operand or of the end). `text` is what the words stand in: after a fault
    reading goes on at the next line at the latest."""
    found: list[Occurrence] = []
    problems: list[Problem] = []
    first_operand = len(words)
    at = 0
    while at < len(words):
        word = words[at]
        written = word.text
        if written[:2] == "--" and len(written) > 2:
            at = _long(words, at, table, found, problems, text)
        elif written[:1] == "-" and len(written) > 1 and written != "--":
            at = _short(words, at, table, found, problems, text)
        else:
            first_operand = min(first_operand, at)
            if not same_line:
                break
            dashes = written == "--"
            if dashes:
                at += 1
                if at == len(words):
                    first_operand = at
                    break
            last = at
            while _goes_on(words, last, text) and (dashes or not words[last + 1].text.startswith("-")):
                last += 1
            problem = Problem("operand", words[at].text, words[at].start, words[last].end)
            problem.before = _option_before(words, at, found, table, text)
            problems.append(problem)
            at = last + 1
    return found, problems, first_operand


def _goes_on(words: list[Word], at: int, text: str) -> bool:
    """Whether the line has another word."""
    return at + 1 < len(words) and text.find("\n", words[at].end, words[at + 1].start) < 0


def _option_before(words: list[Word], at: int, found: list[Occurrence], table: Table, text: str) -> Occurrence | None:
    """The option that ends right before a stray word. It is taken out of `found` when both come of one mistake:
    `--nodes = 2`, `--nodes= 2`, `-time 10`."""
    last = found[-1] if found else None
    if last is None or at == 0 or last.word is not words[at - 1] or not _goes_on(words, at - 1, text):
        return None
    if last.text in ("", "=") or (last.written[1:2] != "-" and last.word.text[1:] in table.longs):
        while found and found[-1].word is last.word:
            found.pop()
    return last


def without_separators(
    words: list[Word], table: Table, has_script: bool
) -> tuple[list[Occurrence], list[Word], Occurrence | None]:
    """How sbatch first reads a command line, to find the script or --wrap: with each `:` between components taken out,
    so that an option with that value swallows the next word. (options, operands, the option that swallowed the script
    or --wrap)."""
    left = [word for word in words if word.text != ":"]
    script = Word("", words[-1].base, words[-1].end, words[-1].end)
    found, _, stop = read_options([*left, script], table, same_line=False)
    wrapped = has_script or any(each.name == "wrap" for each in found)
    lost = None
    for each in found:
        if each.word is script or (not wrapped and (each.text or "").startswith("--wrap")):
            lost = each
    rest = left[stop:]
    return found, rest[1:] if rest and rest[0].text == "--" else rest, lost


def _long(words: list[Word], at: int, table: Table, found: list[Occurrence], problems: list[Problem], text: str) -> int:
    word = words[at]
    written, equals, value = word.text.partition("=")
    names = table.find(written[2:])
    since = None
    if not names and written[2:] in table.newer:
        names, since = [written[2:]], table.newer[written[2:]]
    elif not names and written[2:] in table.plugins:
        names = [written[2:]]
    if len(names) != 1:
        kind = "ambiguous" if names else "unknown"
        place = word.span(0, len(written))
        problems.append(Problem(kind, written, word.start, place.end if place else word.end, tuple(names)))
        follows = _goes_on(words, at, text) and not words[at + 1].text.startswith("-")
        return at + 2 if not equals and follows else at + 1
    name = table.longs.get(names[0], names[0])
    arg = table.args[name]
    if equals:
        if arg == "none":
            problems.append(Problem("unwanted", written, word.start, word.end, (name,)))
        else:
            found.append(Occurrence(name, written, value, word, word, len(written) + 1, since))
        return at + 1
    if arg == "required":
        if at + 1 == len(words):
            problems.append(Problem("missing", written, word.start, word.end, (name,)))
            return at + 1
        found.append(Occurrence(name, written, words[at + 1].text, word, words[at + 1], 0, since))
        return at + 2
    found.append(Occurrence(name, written, None, word, word, len(written), since))
    return at + 1


def _short(
    words: list[Word], at: int, table: Table, found: list[Occurrence], problems: list[Problem], text: str
) -> int:
    word = words[at]
    for index in range(1, len(word.text)):
        letter = word.text[index]
        written = f"-{letter}"
        name = table.shorts.get(letter) if index <= MAX_FLAGS else None
        if name is None:
            problems.append(Problem("unknown", written if index > 1 else word.text, word.start, word.end))
            follows = _goes_on(words, at, text) and not words[at + 1].text.startswith("-")
            return at + 2 if follows else at + 1
        arg = table.args[name]
        if arg == "none":
            found.append(Occurrence(name, written, None, word, word, index + 1))
            continue
        rest = word.text[index + 1 :]
        if rest or arg == "optional":
            found.append(Occurrence(name, written, rest or None, word, word, index + 1))
            return at + 1
        if at + 1 == len(words):
            problems.append(Problem("missing", written, word.start, word.end, (name,)))
            return at + 1
        found.append(Occurrence(name, written, words[at + 1].text, word, words[at + 1], 0))
        return at + 2
    return at + 1
