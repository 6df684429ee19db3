"""From a file to the exit status at the provider, whose bids run on machines here; at the end nothing is paid."""

from __future__ import annotations

import random
import re
from datetime import datetime

import pytest

from tests.machines.ordinary import until
from tests.some import some
from tests.tasks.conftest import Cloud

BODY = "/var/lib/foundry/flowc/slurm_script"
COMMAND = "echo begins; nvidia-smi -L | wc -l; echo ends; exit 5"
SOURCES = {
    "slurm": ("job.sbatch", f"#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n{COMMAND}\n"),
    "k8s": (
        "job.yaml",
        f"""apiVersion: batch/v1
kind: Job
metadata: {{name: train}}
spec:
  backoffLimit: 0
  activeDeadlineSeconds: 600
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: ubuntu:22.04
        command: [bash, -c, "{COMMAND}"]
        resources: {{limits: {{nvidia.com/gpu: 8}}}}
      nodeSelector: {{nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}}
""",
    ),
    "skypilot": ("sky.yaml", f"resources:\n  accelerators: H100:8\nrun: |\n  {COMMAND}\n"),
    "task-yaml": ("task.yaml", f"name: train\ninstance_type: 8xh100\nmax_run_time_hours: 1\ncommand: {COMMAND!r}\n"),
    "foundry-yaml": (
        "foundry.yaml",
        f"""version: 1.2
name: train
project_name: research
ssh_key_name: team
resources_specification: {{fcp_instance: h100.8x.SXM5.IB, num_instances: 1}}
startup_script: |
  #!/bin/bash
  {COMMAND}
""",
    ),
}


@pytest.mark.parametrize("frontend", some(SOURCES, "k8s"))
def test_every_format_to_its_exit_status(cloud: Cloud, frontend: str) -> None:
    name, text = SOURCES[frontend]
    done = cloud.person.types("submit", cloud.person.job(text, name, head=""), "--from", frontend, "--follow")
    # A Foundry script tells its commands as it goes.
    said = [line for line in done.stdout.splitlines() if not line.startswith("+ ")]
    assert (done.returncode, said) == (5, ["begins", "8", "ends"]), done.stderr
    assert "nothing more is paid" in done.stderr.splitlines()[-1]
    assert cloud.living() == []


def test_command_without_a_file_to_its_exit_status(cloud: Cloud) -> None:
    done = cloud.person.types("run", COMMAND, "-i", "8xh100", "--time", "10", "--follow")
    assert (done.returncode, done.stdout) == (5, "begins\n8\nends\n"), done.stderr
    assert "nothing more is paid" in done.stderr.splitlines()[-1]
    assert cloud.living() == []


def test_two_nodes_with_srun(cloud: Cloud) -> None:
    head = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10 --job-name=pair\n"
    done = cloud.person.types("submit", cloud.person.job("srun hostname | sort\n", head=head), "--follow")
    first, second = done.stdout.split()
    assert done.returncode == 0, done.stderr
    assert (first[-2:], second[-2:], first[:-2]) == ("-0", "-1", second[:-2])
    assert cloud.living() == []


@pytest.mark.slow
def test_array_of_20_with_two_at_once(cloud: Cloud) -> None:
    head = "#!/bin/bash\n#SBATCH --array=0-19%2 --gpus=h100:8 --time=10 --job-name=sweep\n"
    job = cloud.person.job("echo $SLURM_ARRAY_TASK_ID; [ $SLURM_ARRAY_TASK_ID != 13 ]\n", head=head)
    done = cloud.person.types("submit", job, "--follow")
    assert done.returncode == 1, done.stderr
    said = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {re.sub(r"-[a-z0-9]{8}$", "", name): text for name, text in said.items()} == {
        f"sweep-{index}": str(index) for index in range(20)
    }
    assert most_at_once(cloud) == 2
    assert cloud.living() == []


def test_held_back_tasks_are_placed_by_whoever_looks(cloud: Cloud) -> None:
    head = "#!/bin/bash\n#SBATCH --array=0-2%1 --gpus=h100:8 --time=10 --job-name=sweep\n"
    done = cloud.person.types("submit", cloud.person.job("echo $SLURM_ARRAY_TASK_ID\n", head=head))
    assert done.returncode == 0, done.stderr
    assert "2 of 3 bids wait" in done.stderr
    assert len(cloud.state.bids) == 1
    until(lambda: cloud.person.types("list") and len(cloud.state.bids) == 2, "the second bid")
    killed = cloud.person.starts("wait", "sweep")
    killed.kill()
    killed.communicate()
    done = cloud.person.types("wait", "sweep")
    assert done.returncode == 0, done.stderr
    assert (len(cloud.state.bids), most_at_once(cloud), cloud.living()) == (3, 1, [])


@pytest.mark.slow
def test_preemption_in_the_middle(cloud: Cloud) -> None:
    job = cloud.person.job('echo "start $SLURM_RESTART_COUNT"\n[ "$SLURM_RESTART_COUNT" ] || sleep infinity\nexit 3\n')
    follower = cloud.person.starts("submit", job, "--follow")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "start \n"
    (bid,) = cloud.state.bids.values()
    cloud.state.preempt(bid)
    out, err = follower.communicate(timeout=900)
    assert (follower.returncode, out) == (3, "start 1\n"), err
    assert cloud.living() == []


def test_secrets_and_long_scripts_come_over_ssh(cloud: Cloud) -> None:
    job = cloud.person.job('echo "${#TOKEN} letters"\n')
    words = ("submit", job, "--follow", "--secret", "TOKEN", "--body", "ssh")
    done = cloud.person.types(*words, TOKEN="it's a\nsecret")
    # What it waits for is told until it comes, which is as many lines as there is time for.
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0], lines[-1]) == (0, f"flowc: waits for {BODY}", "13 letters"), done.stderr
    assert all(line.startswith("flowc: waits for ") for line in lines[:-1]), lines
    assert cloud.living() == []


@pytest.mark.slow
def test_submit_stays_until_the_machine_has_its_secrets(cloud: Cloud) -> None:
    job = cloud.person.job('echo "${#TOKEN} letters"; sleep 1\n')
    submitted = cloud.person.types("submit", job, "--secret", "TOKEN", TOKEN="abc")
    assert submitted.returncode == 0, submitted.stderr
    assert "stays until its machines have what they wait for" in submitted.stderr
    done = cloud.person.types("wait", submitted.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert cloud.living() == []


@pytest.mark.slow
def test_list_brings_what_machines_wait_for(cloud: Cloud) -> None:
    job = cloud.person.job('echo "${#TOKEN} letters"\n')
    submitter = cloud.person.starts("submit", job, "--secret", "TOKEN", TOKEN="abc")
    # Of a bid whose reply it has not heard, `submit --resume` alone would know.
    assert submitter.stderr is not None
    assert any("submitted as" in line for line in submitter.stderr)
    submitter.kill()
    submitter.communicate()
    assert len(cloud.living()) == 1
    until(lambda: cloud.person.types("list", TOKEN="abc") and cloud.living() == [], "the end of the job")
    assert "3 letters\n" in cloud.person.types("logs", "job").stdout


def most_at_once(cloud: Cloud) -> int:
    """How many bids were paid for at the same time."""
    moments: list[tuple[datetime, int]] = []
    for effect in cloud.server.log.effects:
        if effect.what == "bid placed":
            moments.append((effect.at, 1))
        elif effect.what == "bid cancelled":
            moments.append((effect.at, -1))
    assert moments
    found = now = 0
    for _, step in moments:
        now += step
        found = max(found, now)
    return found


@pytest.mark.slow
def test_script_without_room_in_the_bid_comes_over_ssh_by_itself(cloud: Cloud) -> None:
    noise = random.Random(1).randbytes(9000).hex()
    text = f": <<'E'\n{noise}\nE\necho whole; exit 4\n"
    job = cloud.person.job(text)
    assert cloud.person.types("submit", job, "--body", "script", "--dry-run", "--offline").returncode == 1
    done = cloud.person.types("submit", job, "--follow")
    assert (done.returncode, done.stdout) == (4, f"flowc: waits for {BODY}\nwhole\n"), done.stderr
    assert "FC815" in done.stderr
    assert cloud.living() == []
