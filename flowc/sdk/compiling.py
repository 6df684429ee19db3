"""From what a caller asked for to a request document, by the driver; findings become errors and lines of the log."""

from __future__ import annotations

import logging

from flowc import driver
from flowc.diag.codes.yaml.task import MACHINE_MISSING, TASK_WITHOUT_COMMAND
from flowc.sdk.errors import ValidationError
from flowc.sdk.options import How
from flowc.tasks.documents import document_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from flowc.diag.sink import Diagnostic
    from flowc.inputs import Inputs
    from flowc.sdk.writing import Written
    from flowc.source import Source

LOG = logging.getLogger("flowc")
# So many mistakes are told in one error.
MOST = 10


def document(
    source: Source, inputs: Inputs, written: Written | None, *, frontend: str | None, strict: bool = False
) -> dict[str, Any]:
    """The request document of a source. `written` knows the arguments that it, or job flags, came from. Raises
    ValidationError."""
    result = driver.compile(source, inputs, frontend=frontend, strict=strict)
    refuse(result.diagnostics, written)
    for each in result.diagnostics:
        level = logging.WARNING if each.severity == "warning" else logging.INFO
        LOG.log(level, "%s", _line(each, written))
    return document_of(result.artifacts)


def refuse(diagnostics: Iterable[Diagnostic], written: Written | None) -> None:
    """Raises ValidationError where there are errors among these."""
    diagnostics = tuple(diagnostics)
    wrong = [each for each in diagnostics if each.severity == "error"]
    if not wrong:
        return
    first = wrong[0]
    field = _label(first, written) if written is not None else None
    if len(wrong) == 1:
        raise ValidationError(
            _sentence(_words(first, written)),
            details=(*_advice(first.help), *_place(first, written)),
            suggestions=_advice(first.help),
            field=field,
            diagnostics=diagnostics,
        )
    lines = [line for each in wrong[:MOST] for line in (_line(each, written), *(f"  {a}" for a in _advice(each.help)))]
    more = [f"and {len(wrong) - MOST} more"] if len(wrong) > MOST else []
    raise ValidationError(
        f"{len(wrong)} mistakes in the task", details=(*lines, *more), field=field, diagnostics=diagnostics
    )


def _words(diagnostic: Diagnostic, written: Written | None) -> str:
    """What was found; a call is no document."""
    of_call = written is not None and diagnostic.span is not None and diagnostic.span.source is written.source
    return diagnostic.message.replace(" in the document", "") if of_call else diagnostic.message


def _sentence(text: str) -> str:
    return _quoted(text[:1].upper() + text[1:])


def _quoted(text: str) -> str:
    return text.replace("`", "'")


def _advice(help: str | None) -> Sequence[str]:
    """The help of a finding, a sentence a line: `did you mean` first."""
    if not help:
        return ()
    start, mark, rest = help.partition("`? ")
    if help.startswith("did you mean `") and (mark or help.endswith("`?")):
        name = start.removeprefix("did you mean `").removesuffix("`?")
        return (f"Did you mean: '{name}'?", *([_sentence(rest)] if rest else []))
    return (_sentence(help),)


def _place(diagnostic: Diagnostic, written: Written | None) -> Sequence[str]:
    label = _label(diagnostic, written)
    return (f"In: {label}",) if label else ()


def _label(diagnostic: Diagnostic, written: Written | None) -> str | None:
    """The argument, or the place in a file, that a finding is about."""
    span = diagnostic.span
    if span is None or diagnostic.code in (MACHINE_MISSING, TASK_WITHOUT_COMMAND):
        return None
    if written is not None and span.source is written.source:
        return written.label(span)
    if span.source.path[1:-1] in How.FIELDS:
        return span.source.path[1:-1]
    line, column = span.source.position(span.start)
    return f"{span.source.path}:{line}:{column}"


def _line(diagnostic: Diagnostic, written: Written | None) -> str:
    label = _label(diagnostic, written)
    return (f"{label}: " if label else "") + f"{_quoted(_words(diagnostic, written))} [{diagnostic.code.id}]"
