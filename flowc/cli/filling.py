"""The files that flags name, and the values of `--fill` and `--fill-from`."""

from __future__ import annotations

from flowc.cli.arguments import UsageError
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

_MOST_BYTES = 1 << 20
_HINT = "--fill-from needs a file with a NAME=VALUE a line"
_QUOTES = ("'", '"')


def values_of(words: Words) -> tuple[list[tuple[str, str]], list[Span | None]]:
    """(name, value) of each, those of the files first, and where those of the files stand. Raises UsageError."""
    pairs: list[tuple[str, str]] = []
    spans: list[Span | None] = []
    for path in words.texts("fill_from"):
        for name, value, span in _read(path):
            pairs.append((name, value))
            spans.append(span)
    for each in words.texts("fill"):
        name, _, value = each.partition("=")
        if "\n" in value:
            raise UsageError(f"`--fill {name}=…` needs a value of one line", "a placeholder stands within a line")
        pairs.append((name.strip(), value))
        spans.append(None)
    return pairs, spans


def text_of(path: str, hint: str) -> Source:
    """A file that a flag names. Raises UsageError, with the hint, where it is no text of at most 1 MB."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
        source = Source(path, data.decode("utf-8"))
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "it is no text in UTF-8").lower()
        raise UsageError(f"cannot read `{path}`: {reason}", hint) from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"`{path}` is larger than 1 MB", hint)
    return source


def _read(path: str) -> list[tuple[str, str, Span]]:
    """A `NAME=VALUE` a line; blank lines and those that begin with `#` are nobody's, quotes around a value go."""
    source = text_of(path, _HINT)
    found: list[tuple[str, str, Span]] = []
    for start, line in zip(source.line_starts, source.text.split("\n"), strict=True):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            number = source.line_at(start)
            raise UsageError(f"{path}:{number}: expected NAME=VALUE", "one placeholder a line; `#` begins a comment")
        if len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]:
            value = value[1:-1]
        found.append((name, value, source.span(start, start + len(line))))
    return found
