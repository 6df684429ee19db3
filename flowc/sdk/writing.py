"""Arguments of a call in Python as the text of a task YAML: one field a line, values as JSON, which is YAML too.

Each place knows which argument it was written for, so that a finding about the text names that.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence

from flowc.sdk.errors import ValidationError
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What a text of YAML may not hold as it is though one of JSON may: line ends and what is no character to it.
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEEPEST = 20


class Written:
    """`source` is the text; `labels` maps a field to the argument that it came from, where that has another name.
    Raises ValidationError for what cannot be written."""

    def __init__(self, path: str, fields: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._places: list[tuple[int, int, str]] = []
        self._labels = labels or {}
        self.spans: dict[str, tuple[int, int]] = {}
        for name, value in fields.items():
            if plain(value) is None:
                continue
            label = self._labels.get(name, name)
            start = self._size
            self._add(name if _PLAIN.fullmatch(name) else _text(name, label))
            self._add(": ")
            begin = self._size
            self._value(value, label, 0)
            self.spans[name] = (begin, self._size)
            self._places.append((start, self._size, label))
            self._add("\n")
        self.source = Source(path, "".join(self._parts) or "{}\n")

    def span(self, name: str) -> Span:
        """Where the value of a field stands."""
        return Span(self.source, *self.spans[name])

    def label(self, span: Span | None) -> str | None:
        """The argument that a place was written for; None for a place of another text."""
        if span is None or span.source is not self.source:
            return None
        around = [place for place in self._places if place[0] <= span.start and span.end <= place[1]]
        return min(around, key=lambda place: place[1] - place[0])[2] if around else None

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)

    def _value(self, value: Any, label: str, depth: int) -> None:
        start = self._size
        value = plain(value)
        if depth > DEEPEST:
            raise ValidationError(f"{label} is nested too deeply", field=label)
        if isinstance(value, Mapping):
            pairs = [(key, each) for key, each in value.items() if plain(each) is not None]
            self._add("{")
            for index, (key, each) in enumerate(pairs):
                self._add(", " if index else "")
                if not isinstance(key, str):
                    raise ValidationError(f"a key of {label} is a {type(key).__name__}, expected a text", field=label)
                self._add(f"{_text(key, label)}: ")
                self._value(each, f"{label}[{key!r}]" if label in ("env", "data") else f"{label}.{key}", depth + 1)
            self._add("}")
        elif isinstance(value, list | tuple):
            self._add("[")
            for index, each in enumerate(value):
                self._add(", " if index else "")
                self._value(each, f"{label}[{index}]", depth + 1)
            self._add("]")
        else:
            self._add(_scalar(value, label))
        self._places.append((start, self._size, label))


def plain(value: Any) -> Any:
    """A value without what Python wraps around it: models are their fields, paths are texts."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    fields = getattr(value, "flowc_fields", None)
    return fields() if callable(fields) else value


def number_text(value: Any) -> str:
    """A number without an exponent, exactly as Python shows it. Raises ValueError for what is none."""
    from decimal import Decimal, InvalidOperation

    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not math.isfinite(value):
        raise ValueError(f"expected a number, not {value!r}")
    try:
        return format(Decimal(str(value)), "f")
    except InvalidOperation:
        raise ValueError(f"expected a number, not {value!r}") from None


def _scalar(value: Any, label: str) -> str:
    from decimal import Decimal

    if isinstance(value, str):
        return _text(value, label)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float | Decimal):
        try:
            return number_text(value)
        except ValueError as error:
            raise ValidationError(f"{label}: {error}", field=label) from None
    what = "bytes: decode them" if isinstance(value, bytes) else f"a {type(value).__name__}"
    expected = "a list" if isinstance(value, Sequence | set | frozenset) else "a text, a number, a list or a mapping"
    raise ValidationError(f"{label} is {what}; expected {expected}", field=label)


def _text(text: str, label: str) -> str:
    if _SURROGATE.search(text):
        raise ValidationError(f"{label} holds half of a character, which no file can", field=label)
    written: str = json.dumps(text, ensure_ascii=False)
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
