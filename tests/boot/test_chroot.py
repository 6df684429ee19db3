"""Emitted scripts run for real, as root in a chroot with the unit started by a stand-in for systemd."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "packing"))

from jobs import PLAN, unit
from test_mixing import LONG
from test_room import noise

from flowc.ir.job import File, Io, Mount, Retry, Run, Time
from flowc.ir.unit import Unit
from flowc.scripts import build, job_id
from tests.some import some

STATUS = "/var/lib/foundry/flowc/status.json"
UNIT = "flowc.service"
OUT = Io(stdout="o")
QUOTES = """#!/bin/bash
echo "double 'single' \\"escaped\\" $(echo sub) `echo back` \\\\ $'a\\tb' !! ~"
echo 'single "double" $HOME \\'
cat <<'E'
E'
$x `y`
E
cat <<\\EOF
FLOWC $(no)
EOF
"""
SAID = "double 'single' \"escaped\" sub back \\ $'a\\tb' !! ~\nsingle \"double\" $HOME \\\nE'\n$x `y`\nFLOWC $(no)\n"
HOSTS = """#!/bin/bash
printf '127.0.0.1 localhost\\n10.0.0.3 c\\n10.0.0.2 b\\n10.0.0.1 vm\\n' >/etc/hosts
bash <<'FLOWC_TEST'
{script}
FLOWC_TEST
"""
MODULES = """#!/bin/bash -l
set -eu
source /usr/share/lmod/lmod/init/bash
module load python/3.11 star
python --version
bash -c 'module load python; echo $?'
"""
MODULES_SH = "#!/bin/sh -e\nmodule load star\nml b\n"
ARGUMENTS = unit('#!/bin/bash\necho $0 $# "$1" $PWD; read x || echo eof\n', args=("a 'b' $(c)",))
PYTHON = "#!/usr/bin/env python3\nimport os, sys\nprint(os.environ['SLURM_JOB_NAME'])\nsys.exit(7)\n"

# Name: the job, the file that it writes to, a regular expression of all that stands there, exit status, state.
JOBS: dict[str, tuple[Unit, str, str, int, str]] = {
    "modules": (
        unit(MODULES, run=Run(text=MODULES, interpreter="/bin/bash -l"), io=OUT),
        "/workspace/o",
        r"flowc: job.sbatch:4: module star is not on this machine\nPython 3\..*\n0\n",
        0,
        "COMPLETED",
    ),
    "modules-sh": (
        unit(MODULES_SH, run=Run(text=MODULES_SH, interpreter="/bin/sh"), io=OUT),
        "/workspace/o",
        "flowc: module star is not on this machine\nflowc: module b is not on this machine\n",
        0,
        "COMPLETED",
    ),
    "bash": (
        ARGUMENTS,
        f"/workspace/slurm-{job_id(ARGUMENTS.job)}.out",
        # The place that it has under Slurm.
        rf"/var/spool/slurmd/job{job_id(ARGUMENTS.job)}/slurm_script 1 a 'b' \$\(c\) /workspace\neof\n",
        0,
        "COMPLETED",
    ),
    "python": (unit(PYTHON, io=OUT), "/workspace/o", "train\n", 7, "FAILED"),
    "sh": (
        unit("#!/bin/sh -e\necho on\nfalse\necho not here\n", io=Io(stdout="logs/deep/%x.%u.%N")),
        "/workspace/logs/deep/train.root.vm",
        "on\n",
        1,
        "FAILED",
    ),
    "folder": (
        unit(
            "#!/bin/bash -l\npwd; cd $SLURM_SUBMIT_DIR; pwd\n",
            workdir="/data/it's here",
            io=Io(stdout="%4s%%-o"),
        ),
        "/data/it's here/batch%-o",
        "/data/it's here\n/workspace\n",
        0,
        "COMPLETED",
    ),
    "errors": (
        unit("#!/bin/sh\necho out; echo err >&2\n", io=Io(stdout="/dev/null", stderr="/tmp/e/%j")),
        f"/tmp/e/{job_id(unit().job)}",
        "err\n",
        0,
        "COMPLETED",
    ),
    "quotes": (unit(QUOTES, io=OUT), "/workspace/o", re.escape(SAID), 0, "COMPLETED"),
    "interpreter": (unit("#!/bin/no\n", io=OUT), "/workspace/o", ".*No such file.*\n", 127, "FAILED"),
    "background": (unit("#!/bin/sh\nsleep 99 &\necho $!\n", io=OUT), "/workspace/o", r"\d+\n", 0, "COMPLETED"),
    "limit": (
        unit("#!/bin/bash\ntrap 'echo told; exit 5' TERM\nsleep 99 & wait\n", time=Time(limit_s=5), io=OUT),
        "/workspace/o",
        "(.*Terminated.*\n)?told\n",
        5,
        "TIMEOUT",
    ),
    "noise": (
        unit(b"#!/bin/bash\ntail -n 1 $0 | wc -c\nexit\n" + noise(6500)[12:], io=OUT),
        "/workspace/o",
        f"{6500 - 12}\n",
        0,
        "COMPLETED",
    ),
    "mixing": (
        unit(b"#!/bin/bash\nwc -c <$0\nexit\n" + LONG, io=OUT),
        "/workspace/o",
        f"{len(LONG) + 27}\n",
        0,
        "COMPLETED",
    ),
    "nodes": (
        unit("#!/bin/sh\necho $SLURM_JOB_NODELIST $SLURM_NNODES\n", plan=PLAN.replace(nodes=3), io=OUT),
        "/workspace/o",
        "vm,b,c 3\n",
        0,
        "COMPLETED",
    ),
    "pipe": (
        unit("#!/bin/bash\nset -o pipefail\nyes | head -n 1\necho $?\n", io=OUT),
        "/workspace/o",
        "y\n(141|.*Broken pipe\n1)\n",
        0,
        "COMPLETED",
    ),
}

ORDINARY = ("bash", "sh", "python", "folder", "limit", "modules", "errors")


@pytest.mark.parametrize("name", some(JOBS, *ORDINARY))
def test_the_job_runs_as_it_says(boot: Any, name: str) -> None:
    job, path, said, code, state = JOBS[name]
    script = build(job, index=None).sent
    if name == "nodes":
        script = HOSTS.format(script=script)
    found = boot(script, "--chroot", "--collect", path, "--collect", STATUS, "--exec", "ps=ps axo stat,args")
    assert found["ok"], found["checks"]
    assert re.fullmatch(said, found["collected"][path])
    status = json.loads(found["collected"][STATUS])
    assert (status["state"], status["exit_code"], status["starts"]) == (state, code, 1)
    assert found["boots"][0]["units"][UNIT]["ExecMainStatus"] == code
    processes = found["collected"]["ps"].splitlines()
    assert not [line for line in processes if "sleep 99" in line and not line.startswith("Z")]
    assert not [call for call in found["boots"][0]["systemctl_calls"] if call.startswith("verify:")]


def test_the_readable_form_runs_as_well(boot: Any) -> None:
    job, path, said, code, state = JOBS["python"]
    found = boot(build(job, index=None).plain, "--chroot", "--collect", path, "--collect", STATUS)
    assert found["ok"], found["checks"]
    assert found["collected"][path] == said
    status = json.loads(found["collected"][STATUS])
    assert (status["state"], status["exit_code"]) == (state, code)


# Programs that a container job calls: docker's part is to run what it is given, and to say what it was asked.
DOCKER = """#!/bin/bash
cat >/usr/local/bin/docker <<'FLOWC_FAKE'
#!/bin/bash
printf '%q ' "$@" >>/docker.calls; echo >>/docker.calls
[ "$1" = run ] || exit 0
for word; do [[ $word != *:/flowc-body:ro ]] || body=${word%%:*}; done
exec bash "$body"
FLOWC_FAKE
printf '#!/bin/sh\\n' >/usr/local/bin/nvidia-container-runtime-hook
chmod +x /usr/local/bin/docker /usr/local/bin/nvidia-container-runtime-hook
bash <<'FLOWC_TEST'
@script@
FLOWC_TEST
"""


def test_a_container_runs_with_its_files_and_ends_with_its_status(boot: Any) -> None:
    job = unit(
        frontend="k8s",
        image="img:1",
        run=Run(kind="shell", text="echo ran; cat /run/flowc/files/0; exit 4\n"),
        files=(File(path="/etc/x", text="it's\n"),),
        mounts=(Mount(kind="scratch", source="s", target="/s"),),
        retry=Retry(max_restarts=1, delay_ms=0),
    )
    script = DOCKER.replace("@script@", build(job, index=None).sent)
    log = "/var/log/foundry/job.log"
    found = boot(script, "--chroot", "--collect", log, "--collect", STATUS, "--collect", "/docker.calls")
    assert found["ok"], found["checks"]
    again = "flowc: exit status 4; starts again after 0 seconds\n"
    assert found["collected"][log] == f"ran\nit's\n{again}ran\nit's\n"
    status = json.loads(found["collected"][STATUS])
    assert (status["state"], status["exit_code"], status["starts"], status["restarts"]) == ("FAILED", 4, 2, 1)
    runs = [line for line in found["collected"]["/docker.calls"].splitlines() if line.startswith("run ")]
    assert len(runs) == 2
    assert runs[0].startswith(
        "run --label flowc --log-driver none --network host --gpus all --mount type=bind\\,src=/mnt/flowc/0"
    )
