"""A real `flowc`, for which time goes faster than ours, and which is ended by a signal at one of its moments.

`python -m tests.faults.child WORDS…`. The environment says how: FAULTS_RATE is how many of its seconds go by in one of
ours, FAULTS_CUT is `SIGNAL:MOMENT`, such as `SIGKILL:7`, or empty; FAULTS_COUNT, where it is set, is a file that gets
how many moments there were, and pauses are none then.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.faults.moments import Moments, watched


def main() -> int:
    rate = float(os.environ.pop("FAULTS_RATE"))
    name, _, moment = os.environ.pop("FAULTS_CUT").partition(":")
    count = os.environ.pop("FAULTS_COUNT", None)
    start, now, sleep = time.time(), time.time, time.sleep
    time.time = lambda: start + (now() - start) * rate
    time.sleep = lambda seconds: sleep(seconds / rate)
    moments = Moments(int(moment) if moment else None, lambda what: os.kill(os.getpid(), signal.Signals[name]),
                      pauses=count is None)  # fmt: skip
    with watched(moments):
        from flowc.cli import main as flowc

        status = flowc(sys.argv[1:])
    if count is not None:
        Path(count).write_text(str(len(moments.passed)))
    return status


if __name__ == "__main__":
    raise SystemExit(main())
