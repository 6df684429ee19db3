"""A real `flowc`, for which time goes faster than ours, and which is ended by a signal at one of its moments.

`python -m tests.faults.child WORDS…`. The environment says how: FAULTS_RATE is how many of its seconds go by in one of
ours, FAULTS_CUT is `SIGNAL:MOMENT`, such as `SIGKILL:7`, or empty.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from tests.faults.moments import Moments, watched


def main() -> int:
    rate = float(os.environ.pop("FAULTS_RATE"))
    name, _, moment = os.environ.pop("FAULTS_CUT").partition(":")
    start, now, sleep = time.time(), time.time, time.sleep
    time.time = lambda: start + (now() - start) * rate
    time.sleep = lambda seconds: sleep(seconds / rate)
    moments = Moments(int(moment) if moment else None, lambda what: os.kill(os.getpid(), signal.Signals[name]))
    with watched(moments):
        from flowc.cli import main as flowc

        return flowc(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
