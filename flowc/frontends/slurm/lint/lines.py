"""Warns of lines that look like directives and that sbatch does not read. One finding for all lines of a kind."""

from __future__ import annotations

from flowc.diag.codes.slurm import lint as codes
from flowc.diag.excerpt import line_ranges
from flowc.diag.sink import Edit, Fix
from flowc.frontends.slurm.values.settings import accepts
from flowc.frontends.slurm.words import tokens
from flowc.frontends.slurm.words.getopt import read_options, table_of
from flowc.patterns import at_first_use, at_words
from flowc.shell.scan import scan
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast
    from flowc.source import Source

    Place = tuple[int, int]

_MOST_MOVED = 50  # lines that a fix moves; their options are read for it

_dead = at_first_use(r"(?m)^#SBATCH[ \t]*-[^\n]*", "finditer")
_commented = at_first_use(r"(?m)^(?:([ \t]+)#SBATCH|(#[ \t]+)SBATCH|(?i:#sbatch)(?<!#SBATCH))[ \t]+-[^\n]*", "finditer")
_capitals = at_words(r"(?m)^#([SB][A-Z]{4,7}):?(?=[ \t]+-)", ("#S", "#B"))
_no_command = at_first_use(r"(?:[ \t]*(?:#[^\n]*)?(?:\n|\Z))*\Z", "match")


def lint_lines(ast: Ast, source: Source, sink: Sink, body: int) -> None:
    """Look for them before and behind `body`, the offset of the first command."""
    text = source.text
    live = {given.option for given in ast.given if given.origin == "script"}
    if ast.body_line is not None and text.find("#SBATCH", body) >= 0:
        places = [match.span() for match in _dead(text, body)]
        if ast.shebang is not None and ast.is_shell:
            seen = scan(text)
            places = [place for place in places if not seen.in_child(place[0]) and not seen.in_string(place[0])]
        if places:
            fix = None if sink.broken else _move_up(source, places, body, live)
            which = _which(source, places, "this directive", "directives")
            sink.report(codes.DEAD_DIRECTIVE, Span(source, *places[0]), fix=fix, which=which, line=ast.body_line)
    _commented_out(source, sink, body, live)
    _misspelt(source, sink, body)


def _which(source: Source, places: list[Place], one: str, many: str) -> str:
    if len(places) == 1:
        return one
    ranges = line_ranges([source.line_at(start) for start, _ in places])
    return f"these {len(places)} {many} (lines {', '.join(ranges[:6])}{', …' if len(ranges) > 6 else ''})"


def _options_of(source: Source, start: int, end: int) -> list[str] | None:
    """The options of a line that sbatch would read without a fault, None otherwise. `start` is behind `#SBATCH`."""
    line = tokens.split(source, start, end)
    found, problems, _ = read_options(line.words, table_of((22, 5)))
    if problems or not found or line.broken is not None or line.cut is not None:
        return None
    if not all(accepts(each.name, each.text) for each in found):
        return None
    return [each.name for each in found]


def _certain(source: Source, places: list[Place], live: set[str]) -> bool:
    """Whether the lines can be made directives: all are sound, and none repeats an option that is in force."""
    if len(places) > _MOST_MOVED or "\r" in source.text:
        return False
    for start, end in places:
        names = _options_of(source, source.text.index("SBATCH", start) + 6, end)
        if names is None or not live.isdisjoint(names):
            return False
    return True


def _move_up(source: Source, places: list[Place], body: int, live: set[str]) -> Fix | None:
    """The fix that puts a block of directives before the first command."""
    text = source.text
    between = text[places[0][0] : places[-1][1]]
    if len(between) > 10_000 or not _no_command(between) or not _certain(source, places, live):
        return None
    lines = [text[start:end] for start, end in places]
    edits = [Edit(span=Span(source, body, body), text="".join(f"{line}\n" for line in lines))]
    edits += [Edit(span=Span(source, start, min(end + 1, len(text))), text="") for start, end in places]
    title = "move the directive" if len(places) == 1 else f"move the {len(places)} directives"
    return Fix(title=f"{title} before the first command", edits=tuple(edits), certain=False)


def _commented_out(source: Source, sink: Sink, body: int, live: set[str]) -> None:
    head = source.text[:body]
    odd = " #SBATCH", "\t#SBATCH", " SBATCH", "\tSBATCH"
    if head.isascii() and head.lower().count("#sbatch") == head.count("#SBATCH") and not any(it in head for it in odd):
        return
    kinds: dict[str, list[Place]] = {}
    indents: list[Place] = []
    for match in _commented(source.text, 0, body):
        kind = "indented" if match[1] else "blank" if match[2] else "case"
        kinds.setdefault(kind, []).append(match.span())
        if match[1]:
            indents.append(match.span(1))
    for kind, places in kinds.items():
        fix = None
        if kind == "indented" and not sink.broken and _certain(source, places, live):
            edits = tuple(Edit(span=Span(source, *place), text="") for place in indents)
            fix = Fix(
                title="begin the line with `#SBATCH`" if len(edits) == 1 else "unindent them",
                edits=edits,
                certain=False,
            )
        which = _which(source, places, "this line", "lines")
        sink.report(
            codes.COMMENTED_DIRECTIVE,
            Span(source, *places[0]),
            fix=fix,
            which=which,
            comment="a comment" if len(places) == 1 else "comments",
        )


def _misspelt(source: Source, sink: Sink, body: int) -> None:
    text = source.text
    places: list[Place] = []
    for match in _capitals(text[:body]):
        word = match[1]
        if word == "SBATCH":
            continue
        from flowc.diag.suggest import nearest

        if nearest(word, ("SBATCH",)) is None:
            continue
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        if end - match.end() > 1000 or _options_of(source, match.end(), end) is None:
            continue
        places.append(match.span())
        if len(places) == _MOST_MOVED:
            break
    if places:
        fix = Fix(
            title="write `#SBATCH`",
            edits=tuple(Edit(span=Span(source, *place), text="#SBATCH") for place in places),
            certain=False,
        )
        word = text[places[0][0] : places[0][1]].rstrip(":")
        which = _which(source, places, f"`{word}` is a comment to Slurm", "lines are comments to Slurm")
        sink.report(codes.MISSPELT_DIRECTIVE, Span(source, *places[0]), fix=fix, which=which)
