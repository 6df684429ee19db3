"""Emitted scripts over reboots and power cuts, with real systemd and cloud-init in a container."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from jobs import unit

from flowc.backends.cloud_init import BACKEND as CLOUD_INIT
from flowc.diag.sink import Sink
from flowc.ir.job import Io, Run, Time
from flowc.scripts import build
from tests.boot.test_chroot import DOCKER

STATUS = "/var/lib/foundry/flowc/status.json"
COLLECT = ("--nspawn", "--collect", "/workspace/o", "--collect", STATUS)
OUT = Io(stdout="o")
RESUMED = """#!/bin/bash
echo "start ${SLURM_RESTART_COUNT-first}"
[ "$SLURM_RESTART_COUNT" ] || sleep 300
echo "end"
"""

pytestmark = pytest.mark.boot


def statuses(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What the state file said at the end of each boot."""
    assert found["ok"], found["checks"]
    return [json.loads(each["collected"][STATUS]) for each in found["boots"]]


def test_a_finished_job_is_not_run_again(boot: Any) -> None:
    text = "#!/bin/bash\necho ran\nset -o pipefail\nyes | head -n 1 >/dev/null\nexit $?\n"
    again = "again=bash /var/lib/foundry/startup_script.sh"
    found = boot(build(unit(text, io=OUT), index=None).sent, *COLLECT, "--provider", "--reboots", "1", "--exec", again)
    first, second = statuses(found)
    assert first == second
    # 141: as in any shell, SIGPIPE ended `yes`; under systemd's default it would have been an error message and 1.
    assert (first["state"], first["exit_code"], first["starts"]) == ("FAILED", 141, 1)
    assert found["collected"]["/workspace/o"] == "ran\n"


@pytest.mark.parametrize("hard", [(), ("--hard",)], ids=["shutdown", "power-cut"])
def test_an_unfinished_job_is_resumed(boot: Any, hard: tuple[str, ...]) -> None:
    sent = build(unit(RESUMED, io=OUT), index=None).sent
    found = boot(sent, *COLLECT, "--provider", "--reboots", "2", "--wait", "3", *hard)
    states = [(each["state"], each["starts"]) for each in statuses(found)]
    assert states == [("RUNNING", 1), ("COMPLETED", 2), ("COMPLETED", 2)]
    assert found["collected"]["/workspace/o"] == "start first\nstart 1\nend\n"


@pytest.mark.parametrize("hard", [(), ("--hard",)], ids=["shutdown", "power-cut"])
def test_the_time_limit_holds_over_reboots(boot: Any, hard: tuple[str, ...]) -> None:
    """A process that left the job's process group ends with the job, too."""
    text = "#!/bin/bash\nsetsid sleep 4000 &\nwhile :; do sleep 1; done\n"
    sent = build(unit(text, io=OUT, time=Time(limit_s=20)), index=None).sent
    options = ("--provider", "--reboots", "2", "--wait", "12", "--exec", "ps=pgrep -fx 'sleep 4000'")
    found = boot(sent, *COLLECT, *options, *hard)
    first, *_, last = statuses(found)
    assert first["state"] == "RUNNING"
    assert 5 <= first["used_s"] < 20
    assert (last["state"], last["starts"], last["signal"]) == ("TIMEOUT", 2, 15)
    assert 20 <= last["used_s"] < 40
    assert found["collected"]["ps"] == ""


def test_cloud_init_unpacks_and_runs_it(boot: Any) -> None:
    (user_data,) = CLOUD_INIT.emit([unit("#!/bin/sh\necho ran\nexit 3\n", io=OUT)], Sink(), set())
    found = boot(user_data.text, *COLLECT)
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"]) == ("FAILED", 3)
    assert found["cloud_init_status"] == "done"


def test_a_container_job_is_resumed_in_a_fresh_container(boot: Any) -> None:
    """Its stop is docker's to make; the next boot removes what is left and starts anew, without the setup."""
    job = unit(
        frontend="k8s",
        image="img:1",
        run=Run(kind="shell", text="echo start; [ -e /again ] && exit 3; : >/again; sleep 300\n"),
    )
    script = DOCKER.replace("@script@", build(job, index=None).sent)
    log, calls = "/var/log/foundry/job.log", "/docker.calls"
    options = ("--provider", "--reboots", "1", "--wait", "3", "--collect", calls, "--collect", log)
    found = boot(script, "--nspawn", "--collect", STATUS, *options)
    states = [(each["state"], each["starts"]) for each in statuses(found)]
    assert states == [("RUNNING", 1), ("FAILED", 2)]
    assert found["collected"][log] == "start\nstart\n"
    asked = [line.split()[0] for line in found["collected"][calls].splitlines()]
    assert asked.count("run") == 2
    assert "stop" in asked
