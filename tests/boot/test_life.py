"""What reaches a running job from outside, with real systemd, journal and the small Slurm."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from jobs import unit
from test_life import from_file

from flowc.ir.job import Io, Layout, StopSignal, Time
from flowc.scripts import build
from tests.boot.test_nspawn import COLLECT, statuses

OUT = Io(stdout="o")
NOTICE = "/opt/mithril/MITHRIL_SIGNAL.yml"
# The job plays the provider: the notice comes, and goes when the bid wins the machine back.
NOTICED = f"""#!/bin/bash
mkdir -p /opt/mithril
trap 'echo warned' USR1
@step@
echo 'instance_status: STATUS_PREEMPTING' >{NOTICE}
for _ in {{1..80}}; do sleep 0.1; done
rm {NOTICE}
echo goes on
"""
STEP = """srun bash -c 'trap "echo step warned" USR1; for _ in {1..90}; do sleep 0.1; done' &"""

pytestmark = pytest.mark.boot


@pytest.mark.parametrize(
    ("to", "step", "said"), [("shell", "", "warned\n"), ("steps", STEP, "step warned\n")], ids=["shell", "steps"]
)
def test_a_notice_of_the_provider_is_told_once_and_the_job_goes_on(boot: Any, to: str, step: str, said: str) -> None:
    signal = StopSignal(name="USR1", before_s=60, to=to)
    sent = build(unit(NOTICED.replace("@step@", step), io=OUT, time=Time(signal=signal)), index=None).sent
    found = boot(sent, *COLLECT, "--provider", "--wait", "40")
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"]) == ("COMPLETED", 0)
    # Bash says so of its `sleep`, which is told, too.
    heard = found["collected"]["/workspace/o"].replace("User defined signal 1\n", "")
    assert heard == f"{said}goes on\n"


def test_the_limit_acts_to_the_second_and_reaches_the_tasks_of_a_step(boot: Any) -> None:
    text = (
        "#!/bin/bash\n"
        """srun -n2 bash -c 'trap "echo task \\$SLURM_PROCID told; exit" TERM; while :; do sleep 0.1; done' &\n"""
        "trap 'wait; echo batch told; exit 3' TERM\nwait\n"
    )
    sent = build(unit(text, io=OUT, layout=Layout(tasks=2), time=Time(limit_s=12)), index=None).sent
    found = boot(sent, *COLLECT, "--provider", "--wait", "40")
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"], status["signal"]) == ("TIMEOUT", 3, 0)
    # Ticks at 2, 7 and 12 seconds; every 5 seconds from the start they would be at 10 and 15.
    assert 12 <= status["used_s"] < 15
    said = found["collected"]["/workspace/o"].splitlines()
    assert sorted(line for line in said if "told" in line) == ["batch told", "task 0 told", "task 1 told"]


def test_the_journal_leads_to_the_line_that_failed(boot: Any) -> None:
    text = "#!/bin/bash\nset -x\nls /nowhere 2>/dev/null\npython3 -c 'exit(7)'\nexit 5\n"
    sent = build(from_file(text, io=OUT), index=None).sent
    journal = ("--exec", "j=journalctl -t flowc -o cat", "--exec", "short=journalctl -b")
    found = boot(sent, *COLLECT, "--provider", *journal)
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"]) == ("FAILED", 5)
    assert found["collected"]["j"].splitlines() == [
        "dir/job.sbatch:3: exit status 2: ls /nowhere 2> /dev/null",
        "dir/job.sbatch:4: exit status 7: python3 -c 'exit(7)'",
    ]
    # Not by `-u flowc`: journald may look for the unit of a program's line when the program has ended.
    assert re.search(r" flowc(\[[0-9]+\])?: dir/job\.sbatch:3: exit status 2: ", found["collected"]["short"])
    assert found["collected"]["/workspace/o"] == "+ ls /nowhere\n+ python3 -c 'exit(7)'\n+ exit 5\n"


def test_a_requeue_ends_the_run_and_starts_the_next(boot: Any) -> None:
    text = (
        "#!/bin/bash\necho start ${SLURM_RESTART_COUNT-first}\n"
        "if [ -z $SLURM_RESTART_COUNT ]; then scontrol requeue $SLURM_JOB_ID; sleep 60; fi\n"
        "srun sh -c 'echo step $SLURM_STEP_ID'\n"
    )
    sent = build(unit(text, io=OUT), index=None).sent
    found = boot(sent, *COLLECT, "--provider", "--wait", "40")
    (status,) = statuses(found)
    assert (status["state"], status["starts"]) == ("COMPLETED", 2)
    assert found["collected"]["/workspace/o"] == "start first\nstart 1\nstep 0\n"
