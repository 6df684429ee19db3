"""A real `flowc submit`, which gets a signal at one of its lines, whichever file that is in.

`python -m tests.faults.lines WORDS…`, as `python -m flowc` is run: how Python ends is a part of it. The environment
says how: LINES_CUT is `SIGNAL:NUMBER` of a line, or empty; `SIGNAL:NAME:NUMBER` counts the lines in functions or files
of that name, while somebody listens for the signal. LINES_COUNT is a file that gets how many lines there were.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any


class Lines:
    def __init__(self, name: str, at: str) -> None:
        self.number = getattr(signal, name or "SIGINT")
        self.where, _, number = at.rpartition(":")
        self.at = int(number or 0)
        self.passed = 0

    def trace(self, frame: FrameType, what: str, _: object) -> Any:
        if what == "line":
            self.passed += not self.where or self._here(frame)
            if self.passed == self.at:
                self.at = -1
                os.kill(os.getpid(), self.number)
        return self.trace

    def _here(self, frame: FrameType) -> bool:
        names = frame.f_code.co_name, frame.f_code.co_filename
        return self.where in names and callable(signal.getsignal(self.number))


if __name__ == "__main__":
    name, _, at = os.environ.pop("LINES_CUT").partition(":")
    count = os.environ.pop("LINES_COUNT", None)
    lines = Lines(name, at)
    from flowc.cli import main

    sys.settrace(lines.trace)
    status = main()
    sys.settrace(None)
    if count is not None:
        Path(count).write_text(str(lines.passed))
    sys.exit(status)
