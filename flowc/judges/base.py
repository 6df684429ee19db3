"""What a judge is, and what it finds."""

from __future__ import annotations

import subprocess

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flowc.diag.code import Code
    from flowc.judges.texts import Judged

PATIENCE_S = 20.0


class Found(Record):
    """One finding: a stretch of the text that was judged, and the fields of the code's title."""

    code: Code
    start: int
    end: int
    fields: dict[str, Any]


class Judge(Record):
    """`reads(language)`: whether it can say something about texts in it; `declines(text)`: why it cannot about this
    one; `judge(text)`: what it finds, None where that takes too long; `version()`: None where it is not installed;
    `bring`: how to get it."""

    name: str
    title: str
    bring: str
    reads: Callable[[str], bool]
    declines: Callable[[str], str | None]
    judge: Callable[[Judged], list[Found] | None]
    version: Callable[[], str | None]


def run(words: list[str], text: str) -> tuple[str, str] | None:
    """What a program writes that is given this text on its standard input, in an environment of its own; None where it
    does not end in time."""
    data = text.encode("utf-8", "surrogateescape")
    environ = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    try:
        done = subprocess.run(words, input=data, capture_output=True, env=environ, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def program(name: str) -> str | None:
    """Where a program is: beside the running Python, where a package of it is installed, or on the path."""
    import os
    import shutil
    import sys

    beside = os.path.join(os.path.dirname(sys.executable), name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name)


def line_of(text: str, number: int) -> tuple[int, int]:
    """The stretch of a line without the blanks around it; of one behind the last, the last that is not blank."""
    lines = text.split("\n")
    index = min(number, len(lines)) - 1
    while index > 0 and not lines[index].strip():
        index -= 1
    begin = sum(len(line) + 1 for line in lines[:index])
    bare = lines[index].strip()
    start = begin + (lines[index].index(bare) if bare else 0)
    return start, start + len(bare)
