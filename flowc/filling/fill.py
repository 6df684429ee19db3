"""A source with values in the places of its placeholders, and what is said of those that stay open."""

from __future__ import annotations

from flowc.diag.codes import input as codes
from flowc.diag.render import count
from flowc.filling.places import Other, Placeholder, placeholders
from flowc.secret import looks_secret
from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs

_MOST_NAMED = 12


def fill(source: Source, inputs: Inputs, sink: Sink, *, document: bool) -> Source:
    """The source with the values of `inputs.flags.fill`, which knows of each stretch what it was made of; the same
    source where nothing is put in. Each value is put in as it is, once: what looks like a placeholder in it is none."""
    values = dict(inputs.flags.fill)
    found = placeholders(source, document=document, bare=values)
    places = [each for each in found if isinstance(each, Placeholder)]
    _report_open(source, [each for each in places if each.name not in values and each.sure], sink)
    _report_idle(source, inputs, found, sink)
    put = [each for each in places if each.name in values]
    texts = [_text(source, each, values[each.name]) for each in put]
    return filled(
        source, [(each.start, each.end, text, looks_secret(each.name)) for each, text in zip(put, texts, strict=True)]
    )


def _text(source: Source, place: Placeholder, value: str) -> str:
    """The value as it stands in the place of a placeholder."""
    if not place.bare:
        return value
    from flowc.yamldoc.shapes import quoted

    if "\n" in value:
        from json import dumps

        value = dumps(value, ensure_ascii=False)
    else:
        value = quoted(value)
    return f" {value}" if source.text[place.start - 1] == ":" else value


def filled(source: Source, places: list[tuple[int, int, str, bool]]) -> Source:
    """The source with a text at each place (start, end, the text, whether it is a secret), which are in order."""
    if not places:
        return source
    parts: list[Derived | str] = []
    hidden: list[tuple[int, int, str]] = []
    place, size = 0, 0
    for start, end, value, secret in places:
        parts += [Derived.of(source, place, start), Derived(value, source, start, end)]
        size += start - place
        if secret and value:
            hidden.append((size, size + len(value), value))
        place, size = end, size + len(value)
    made = Derived.joined(*parts, Derived.of(source, place, len(source.text)))
    found = Source(source.path, made.text, made)
    found.hidden = hidden
    source.find_secrets = _secrets_of(found, made)
    return found


def _secrets_of(found: Source, made: Derived) -> Callable[[], Iterable[tuple[int, int, str]]]:
    """What the reader of the text with its values finds is a secret in the text of the user too."""

    def secrets() -> Iterable[tuple[int, int, str]]:
        for start, end, value in found.secrets:
            span = made.span(start, end)
            if span is not None:
                yield span.start, span.end, value

    return secrets


def _report_open(source: Source, left: list[Placeholder], sink: Sink) -> None:
    names = list(dict.fromkeys(each.name for each in left))
    if not names:
        return
    from flowc.listing import some_of

    shown = some_of((f"`{name}`" for name in names), _MOST_NAMED)
    first = left[0]
    help = f"give each a value: `--fill '{first.name}=VALUE'`, or all of them in a file: `--fill-from FILE`"
    sink.report(
        codes.OPEN_PLACEHOLDERS,
        Span(source, first.start, first.end),
        help=help,
        count=count(len(names), "placeholder"),
        stay="stays" if len(names) == 1 else "stay",
        names=shown,
    )


def _report_idle(source: Source, inputs: Inputs, found: list[Placeholder | Other], sink: Sink) -> None:
    """Values of the command line itself that nothing here asks for; those of a file are for many sources."""
    places = {each.name for each in found if isinstance(each, Placeholder)}
    for index, (name, _) in enumerate(inputs.flags.fill):
        span = inputs.span("fill", index)
        if name in places or (span is not None and span.source.path != "<command line>"):
            continue
        other = next((each for each in found if each.name == name), None)
        help = None
        if other is not None:
            what = "a redirection" if source.text[other.start] == "<" else f"the shell's: `--env {name}=VALUE` sets it"
            line = source.line_at(other.start)
            help = f"`{source.text[other.start : other.end]}` on line {line} is {what}"
        sink.report(codes.FILL_WITHOUT_PLACE, span, help=help, name=name, path=source.path)
