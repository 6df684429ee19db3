"""The Python that runs flowc: it compiles a text and runs nothing of it."""

from __future__ import annotations

import platform

from flowc.diag.codes import judges as codes
from flowc.judges.base import Found, Judge, line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.judges.texts import Judged


def _reads(language: str) -> bool:
    return language == "python"


def _declines(text: str) -> str | None:
    return None


def _judge(each: Judged) -> list[Found] | None:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(each.text, "<text>", "exec", dont_inherit=True)
    except SyntaxError as error:
        start, end = _place(each.text, error)
        return [Found(code=codes.PYTHON_REFUSES, start=start, end=end, fields={"message": _message(error)})]
    except (ValueError, RecursionError, MemoryError):
        return None
    return []


def _message(error: SyntaxError) -> str:
    return (error.msg or "it is no Python").split("\n")[0]


def _place(text: str, error: SyntaxError) -> tuple[int, int]:
    if not error.lineno:
        return 0, 0
    if not error.offset:
        return line_of(text, error.lineno)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    start = min(starts[min(error.lineno, len(starts)) - 1] + error.offset - 1, len(text))
    end = start + 1
    if error.end_lineno and error.end_offset and error.end_offset > 0:
        end = starts[min(error.end_lineno, len(starts)) - 1] + error.end_offset - 1
    return (start, min(end, len(text))) if end > start else line_of(text, error.lineno)


JUDGE = Judge(
    name="python",
    title="Python",
    bring="it runs flowc",
    reads=_reads,
    declines=_declines,
    judge=_judge,
    version=platform.python_version,
)
