"""Findings that were there before: kept in a file, so that only new ones are shown.

A finding is known again by its file, its code and the text of its line, however often that line stands there; so it may
move, and a line that is changed is looked at anew.
"""

from __future__ import annotations

import hashlib
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flowc.diag.sink import Diagnostic

FORMAT = "flowc.baseline/1"
MOST_BYTES = 64 << 20


class BaselineError(Exception):
    """A file that is no baseline."""


class Baseline:
    """`known`: how often each finding may be there."""

    def __init__(self, known: dict[str, int]) -> None:
        self.known = known

    def new(self, diagnostics: Iterable[Diagnostic], path: str) -> tuple[Diagnostic, ...]:
        """The findings of one file that are not known."""
        left = dict(self.known)
        found = []
        for each in diagnostics:
            print_ = fingerprint(each, path)
            if left.get(print_, 0):
                left[print_] -= 1
            else:
                found.append(each)
        return tuple(found)


def fingerprint(diagnostic: Diagnostic, path: str) -> str:
    """`PATH:CODE:DIGEST`; secrets are masked before it is made."""
    span = diagnostic.span
    line = diagnostic.message
    if span is not None:
        starts, text = span.source.line_starts, span.source.text
        line = span.source.shown(starts[span.line - 1], [*starts, len(text)][span.line]).strip()
    digest = hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{path.removeprefix('./')}:{diagnostic.code.id}:{digest}"


def read(path: str) -> Baseline:
    """Raises OSError, and BaselineError for what is none."""
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        content: Any = json.loads(data) if len(data) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        content = None
    known = content.get("findings") if isinstance(content, dict) and content.get("format") == FORMAT else None
    if not isinstance(known, dict) or not all(type(number) is int for number in known.values()):
        raise BaselineError(f"`{path}` is no baseline of flowc")
    return Baseline(known)


def text_of(prints: Iterable[str]) -> str:
    """What is to be kept of these findings."""
    known: dict[str, int] = {}
    for each in sorted(prints):
        known[each] = known.get(each, 0) + 1
    return json.dumps({"format": FORMAT, "findings": known}, indent=2) + "\n"
