"""What the flags of a command line say to a compilation, with the places of their words. Most checks are given none."""

from __future__ import annotations

from flowc.inputs import Flags, OldSpelling, command_line
from flowc.secret import looks_secret
from flowc.source import Derived, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.source import Source

# Where a flag's name and its field differ: what repeats is singular on the command line.
_FLAG_OF_KEY = {
    "ssh_key": "ssh_keys",
    "secret": "secrets",
    "pull_secret": "pull_secrets",
    "mount": "mounts",
    "port": "ports",
    "set": "sets",
}
_MASK = "***"


def told_by(words: Words, argv: list[str], spans: dict[str, Span]) -> dict[str, Any]:
    """What the words say, by the fields of `Inputs`; their places go to `spans`. Raises UsageError."""
    line = _Line(words, argv)
    found: dict[str, Any] = {"flags": _flags(words, line, spans), "old_spellings": _old_spellings(words, line)}
    if words.rest:
        first, last = (line.span((len(argv) - 1 - back, 0)) for back in (len(words.rest), 1))
        spans["args"] = Span(first.source, first.start, last.end)
    if "with" in words.values:
        found["manifests"] = _manifests(words, line, spans)
    if "command" in words.places:
        found["command"] = line.word(words.places["command"])
    return found


class _Line:
    """The command line as a source, with the values of secrets masked, and the places of its words in it."""

    def __init__(self, words: Words, argv: list[str]) -> None:
        self.words = list(argv)
        for key, (word, start) in words.places.items():
            name, equals, _ = self.words[word + 1][start:].partition("=")
            if equals and _is_secret(key.partition(".")[0], name):
                self.words[word + 1] = self.words[word + 1][: start + len(name)] + "=" + _MASK
        _, self.places = command_line(("flowc", *self.words))

    def word(self, place: tuple[int, int]) -> Derived:
        """`place`: which word after the command, and from which character of it."""
        word, start = place
        whole = self.places[word + 2]  # after `flowc` and the command
        return Derived.of(whole, start, len(whole.text))

    def span(self, place: tuple[int, int]) -> Span:
        word = self.word(place)
        return word.span(0, len(word.text)) or Span(word.source, 0, 0)


def _is_secret(key: str, name: str) -> bool:
    """Whether what follows `name=` is nobody's business. `--secret` and `--pull-secret` take no value: one is
    there by mistake."""
    if key == "fill":
        return looks_secret(name)
    if key == "set":
        parts = name.lower().split(".")
        return looks_secret(parts[-1]) and any(part.startswith(("env", "secret")) for part in parts[:-1])
    return key in ("secret", "pull_secret") or (key == "env" and looks_secret(name))


def _flags(words: Words, line: _Line, spans: dict[str, Span]) -> Flags:
    values: dict[str, object] = {}
    if "fill" in words.values or "fill_from" in words.values:
        _fill(words, line, spans, values)
    for key, value in words.values.items():
        field = _FLAG_OF_KEY.get(key, key)
        if field not in Flags.FIELDS or field == "fill":
            continue
        values[field] = _value(field, value)
        if key not in words.places:  # a flag without a value
            continue
        spans[field] = line.span(words.places[key])
        if isinstance(value, list):
            places = [words.places[f"{key}.{index}"] for index in range(len(value))]
            if field == "ssh_keys":  # one word may name several
                places = [place for place, each in zip(places, value, strict=True) for _ in _names(each)]
            spans.update((f"{field}.{index}", line.span(place)) for index, place in enumerate(places))
    if words.fields:
        values["fields"] = tuple((field, value) for field, (value, _) in words.fields.items())
        for index, (_, place) in enumerate(words.fields.values()):
            spans[f"fields.{index}"] = spans["fields"] = line.span(place)
    return Flags(**values) if values else Flags()  # type: ignore[arg-type]


def _fill(words: Words, line: _Line, spans: dict[str, Span], values: dict[str, object]) -> None:
    from flowc.cli.filling import values_of

    pairs, places = values_of(words)
    values["fill"] = tuple(pairs)
    shift = sum(place is not None for place in places)
    for index, place in enumerate(places):
        spans[f"fill.{index}"] = line.span(words.places[f"fill.{index - shift}"]) if place is None else place


def _manifests(words: Words, line: _Line, spans: dict[str, Span]) -> tuple[Source, ...]:
    """The files of `--with`. Raises UsageError."""
    from flowc.cli.filling import text_of

    found = []
    for index, path in enumerate(words.texts("with")):
        spans[f"manifests.{index}"] = line.span(words.places[f"with.{index}"])
        found.append(text_of(path, "--with needs a file with Kubernetes objects"))
    return tuple(found)


def _old_spellings(words: Words, line: _Line) -> tuple[OldSpelling, ...]:
    return tuple(
        OldSpelling(
            spelling=old.spelling,
            span=line.span((old.word, 0)),
            field=old.field,
            instead=old.instead,
            why=old.why,
        )
        for old in words.old
    )


def _value(field: str, value: str | bool | list[str]) -> object:
    if field == "num_instances":
        return int(str(value))
    if not isinstance(value, list):
        return value
    if field in ("env", "sets"):
        pairs = (pair.partition("=") for pair in value)
        return tuple((name, text) for name, _, text in pairs)
    if field == "ssh_keys":
        return tuple(name for each in value for name in _names(each))
    return tuple(value)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)
