"""`flowc check --add-ignores`: a comment in each file that ignores what is found in it now."""

from __future__ import annotations

import re

from flowc.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Diagnostic

# Python looks for it in the first two lines.
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")


def with_ignores(source: Source, diagnostics: Iterable[Diagnostic]) -> Source:
    """The source with a line at its head for all of its warnings and notes: behind `\\`, in a here-document or in a
    value of YAML a comment would be part of the job."""
    codes = sorted({each.code.id for each in diagnostics if each.severity != "error"})
    if not codes:
        return source
    text = source.text
    at = 0
    if text.startswith("#!"):
        at = text.find("\n") + 1 or len(text)
        if _CODING.match(text, at):
            at = text.find("\n", at) + 1 or len(text)
    end = "\r\n" if text[:at].endswith("\r\n") or (not at and "\r\n" in text) else "\n"
    before = text[:at] + (end if at and not text[:at].endswith("\n") else "")
    return Source(source.path, f"{before}# flowc: ignore-file[{', '.join(codes)}]{end}{text[at:]}")
