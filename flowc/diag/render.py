"""Diagnostics as a person reads them: what, where, the line itself, and what to do."""

from __future__ import annotations

from flowc.diag.code import SEVERITIES
from flowc.diag.excerpt import TAB, excerpt, line_ranges, of_job, visible
from flowc.diag.gather import gathered
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.secret import masked, values_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Diagnostic, Fix
    from flowc.source import Span

WIDTH = 120  # columns of an excerpt where no terminal says otherwise
_SHOWN_FIX_LINES = 6


class Palette(Record):
    """The escape sequences that start each kind of text; empty ones on anything but a terminal."""

    error: str = ""
    warning: str = ""
    note: str = ""
    help: str = ""
    strong: str = ""
    gutter: str = ""
    removed: str = ""
    added: str = ""
    end: str = ""


PLAIN = Palette()


def colours() -> Palette:
    return Palette(
        error="\x1b[1;31m",
        warning="\x1b[1;33m",
        note="\x1b[1;36m",
        help="\x1b[1;32m",
        strong="\x1b[1m",
        gutter="\x1b[34m",
        removed="\x1b[31m",
        added="\x1b[32m",
        end="\x1b[0m",
    )


# A message that names one thing, or several in a row.
_named = at_first_use(r"([^`]*)(`[^`]+`(?:, `[^`]+`)*)([^`]*)", "fullmatch")


def render(path: str, diagnostics: Iterable[Diagnostic], palette: Palette = PLAIN, width: int = WIDTH) -> str:
    """All findings about one source, those of one kind in one, each followed by an empty line. `width` is the room for
    a line of source."""
    return "".join(f"{_one(path, each.first, each.others, palette, width)}\n" for each in gathered(path, diagnostics))


def _one(path: str, diagnostic: Diagnostic, others: tuple[Diagnostic, ...], palette: Palette, width: int) -> str:
    code, severity = diagnostic.code, diagnostic.severity
    colour: str = getattr(palette, severity)
    message = f"{palette.strong}{visible(diagnostic.message)}{palette.end}{of_job(diagnostic.job)}"
    tag = f"{colour}{severity}[{code.id}]{palette.end} {code.name}: {message}"
    lines = [f"{_place(path, diagnostic.span, palette)}: {tag}"]
    margin = _margin(diagnostic)
    if diagnostic.span is not None:
        lines += _excerpt(diagnostic.span, margin, palette, colour, width)
    for span, message in diagnostic.notes:
        lines.append(f"{_place(path, span, palette)}: {palette.note}note{palette.end}: {visible(message)}")
        lines += _excerpt(span, margin, palette, palette.note, width)
    if diagnostic.help is not None:
        lines.append(f"{' ' * margin} = {palette.help}help{palette.end}: {visible(diagnostic.help)}")
    if diagnostic.fix is not None:
        title = visible(diagnostic.fix.title) + ("" if diagnostic.fix.certain else ", if that is meant")
        lines.append(f"{' ' * margin} = {palette.help}fix{palette.end}: {title}")
        lines += _diff(diagnostic.fix, margin, palette, width)
    lines += [f"{' ' * margin} = {text}" for text in _further(path, diagnostic, others, palette)]
    return "\n".join(lines) + "\n"


def _further(path: str, first: Diagnostic, others: tuple[Diagnostic, ...], palette: Palette) -> list[str]:
    """The lines below a finding for those of its kind: each place once, those with the same words but for names in one
    line."""
    said: dict[tuple[str, str, str, str], tuple[list[Span | None], list[str]]] = {}
    for each in others:
        own = each.code is first.code
        same = own and (each.message, each.help) == (first.message, first.help)
        colour = getattr(palette, each.severity)
        tag = "" if own else f"{colour}{each.severity}[{each.code.id}]{palette.end} {each.code.name}"
        help = f" ({each.help})" if each.help and each.help != first.help else ""
        message = "" if same else visible(each.message)
        named = _named(message)
        before, names, after = named.groups() if named else (message, "", "")
        spans, all_names = said.setdefault((tag, before, after, visible(help)), ([], []))
        spans.append(each.span)
        all_names.append(names)
    lines = []
    for (tag, before, after, help), (spans, all_names) in said.items():
        where = _places(path, spans)
        if not tag:
            where = f"also {where}".rstrip()
        message = before + ", ".join(filter(None, dict.fromkeys(all_names))) + after
        lines.append(": ".join(filter(None, (where, tag, message))) + help)
    return lines


def _places(path: str, spans: list[Span | None]) -> str:
    """`line 7`, `lines 7, 9-11`; of another text with its path."""
    here = line_ranges(sorted({span.line for span in spans if span is not None and span.source.path == path}))
    one = len(here) == 1 and "-" not in here[0]
    found = [f"line{'' if one else 's'} {', '.join(here)}"] if here else []
    elsewhere = (span for span in spans if span is not None and span.source.path != path)
    return ", ".join(dict.fromkeys((*found, *(f"{visible(span.source.path)}:{span.line}" for span in elsewhere))))


def _place(path: str, span: Span | None, palette: Palette) -> str:
    if span is None:
        return f"{palette.strong}{visible(path)}{palette.end}"
    line, column = span.source.position(span.start)
    return f"{palette.strong}{visible(span.source.path)}{palette.end}:{line}:{column}"


def _margin(diagnostic: Diagnostic) -> int:
    """The columns of the longest line number that is shown."""
    spans = [span for span in (diagnostic.span, *(span for span, _ in diagnostic.notes)) if span is not None]
    return max((len(str(span.line)) for span in spans), default=0)


def _excerpt(span: Span, margin: int, palette: Palette, colour: str, width: int) -> list[str]:
    if not span.source.text:  # it stands for a file that was not kept, or not read
        return []
    number, shown, blanks, carets = excerpt(span, width - margin - 3)
    bar = f"{palette.gutter}{' ' * margin} |{palette.end}"
    return [
        bar,
        f"{palette.gutter}{number:>{margin}} |{palette.end} {shown}".rstrip(" "),
        f"{bar} {blanks}{colour}{carets}{palette.end}",
    ]


def _diff(fix: Fix, margin: int, palette: Palette, width: int) -> list[str]:
    """The lines that the fix changes, before and after; nothing when they are too many or too long to be of
    use."""
    source = fix.edits[0].span.source
    if any(edit.span.source is not source for edit in fix.edits):
        return []
    edits = sorted(fix.edits, key=lambda edit: edit.span.start)
    first, _ = source.position(edits[0].span.start)
    begin = source.line_starts[first - 1]
    limit = edits[-1].span.end + width
    end = source.text.find("\n", edits[-1].span.end, limit)
    end = min(limit, len(source.text)) if end < 0 else end
    if end - begin > _SHOWN_FIX_LINES * width:
        return []
    near = [value for edit in edits for value in values_in(source.lines_near(edit.span))]
    values = [*source.secret_values, *near]
    after, position = [], begin
    for edit in edits:
        after += [source.shown(position, edit.span.start), edit.text]
        position = edit.span.end
    old = source.shown(begin, end).split("\n")
    new = ("".join(after) + source.shown(position, end)).split("\n")
    if len(old) + len(new) > _SHOWN_FIX_LINES or any(len(line) > width for line in (*old, *new)):
        return []
    lines = []
    for texts, sign, colour in ((old, "-", palette.removed), (new, "+", palette.added)):
        for number, text in enumerate(texts if texts != [""] else [], first):
            changed = f"{colour}{sign} {_line(masked(text, values))}{palette.end}".rstrip(" ")
            lines.append(f"{palette.gutter}{number:>{margin}}{palette.end} {changed}")
    return lines


def _line(text: str) -> str:
    return TAB.join(visible(part) for part in text.split("\t"))


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def summary(tally: dict[str, int], files: int, fixable: int = 0) -> str:
    """One line: `2 errors, 1 warning in 3 files (1 fixable with --fix)`. `tally` counts by severity."""
    found = [count(tally[severity], severity) for severity in SEVERITIES if tally.get(severity)]
    text = f"{', '.join(found) or 'no problems'} in {count(files, 'file')}"
    return f"{text} ({fixable:,} fixable with --fix)" if fixable else text
