"""Jobs of Slurm on several machines with something to prepare: tasks find it wherever srun starts them."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.several.conftest import Rent, Rented

JOB = """#!/bin/bash
#SBATCH --nodes=3 --gpus-per-node=h100:8
#SBATCH --time=10
#SBATCH --output=o
show='echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $(cat /data/who) $(findmnt -no FSTYPE /data)"'
srun --label bash -c "$show" | sort
"""
FLAGS = ("--mount", "/data=s3://bucket/x", "--secret", "AWS_ACCESS_KEY_ID", "--secret", "AWS_SECRET_ACCESS_KEY")
SECRETS = "AWS_ACCESS_KEY_ID='it'\\''s'\nAWS_SECRET_ACCESS_KEY='two words'\n"
# Mounts something, as long as it has the credentials.
S3FS = """#!/bin/bash
sleep {seconds}
[ "$AWS_SECRET_ACCESS_KEY" = "two words" ] || exit 1
mount -t tmpfs flowc "${{!#}}" && hostname >"${{!#}}/who"
"""
LOG = "var/log/foundry/job.log"


def prepare(rented: Rented, slow: str = "") -> None:
    for name in rented.names:
        rented.program(name, "s3fs", S3FS.format(seconds=6 if name == slow else 0))


def test_every_machine_prepares_itself_before_tasks_start_there(rent: Rent) -> None:
    """The head is ready first: it waits for the secrets of one machine and for the slow bucket of another."""
    rented = rent("job.sbatch", JOB, *FLAGS)
    prepare(rented, slow="n3")
    rented.put("n1", "run/flowc/secrets", SECRETS)
    rented.put("n3", "run/flowc/secrets", SECRETS)
    rented.start()
    rented.wait_for("n2", LOG, "flowc: waits for secrets in /run/flowc/secrets: AWS_ACCESS_KEY_ID")
    rented.put("n2", "run/flowc/secrets", SECRETS)
    assert rented.wait() == ("COMPLETED", 0), rented.read("n1", "workspace/o")
    assert rented.read("n1", "workspace/o") == "".join(
        f"{rank}: it's two words n{rank + 1} tmpfs\n" for rank in range(3)
    )
    for name in ("n2", "n3"):
        assert rented.read(name, "workspace/o") == "", "only the head writes the job's output"
        assert rented.status(name)["state"] is None


def test_what_cannot_be_prepared_on_another_machine_fails_the_job(rent: Rent) -> None:
    rented = rent("job.sbatch", JOB, *FLAGS)
    prepare(rented)
    rented.program("n3", "s3fs", "#!/bin/bash\necho 's3fs: no such bucket' >&2\nexit 1\n")
    for name in rented.names:
        rented.program(name, "sleep", '#!/bin/bash\n[ "$1" != 10 ] || exit 0\nexec /bin/sleep "$@"\n')
        rented.put(name, "run/flowc/secrets", SECRETS)
    rented.start()
    assert rented.wait() == ("FAILED", 1)
    (line,) = rented.read("n1", "workspace/o").splitlines()
    assert line.startswith("flowc: error: n3: not prepared: five attempts failed: bash -c "), line
    assert line.endswith(" s3fs -o allow_other bucket:/x /data"), line
    assert rented.read("n3", LOG).splitlines()[:5] == ["s3fs: no such bucket"] * 5


def test_machines_that_do_not_come_fail_the_job(rent: Rent) -> None:
    rented = rent("job.sbatch", JOB.replace("--nodes=3", "--nodes=2"))
    rented.put("n1", "etc/hosts", "127.0.0.1 localhost\n10.77.0.1 n1\n")
    # Ten minutes pass in a moment, for whoever loads this module.
    module = subprocess.check_output(
        ["/usr/bin/python3", "-c", "import socket; print(socket.__file__)"], text=True
    ).strip()
    text = Path(module).read_text() + "\nimport time\ntime.sleep = lambda _: None\n"
    rented.put("n1", module[1:], text)
    rented.start("n1")
    assert rented.wait() == ("FAILED", 1)
    assert "/etc/hosts does not list n1 and 2 nodes after 10 minutes: ['n1']" in rented.read("n1", LOG)


def test_tasks_have_time_to_end_when_their_machine_is_shut_down(rent: Rent) -> None:
    text = JOB.replace("--nodes=3", "--nodes=2").split("srun")[0]
    steps = "echo told; sleep 2; echo saved >/workspace/saved; echo done; exit 3"
    task = f"trap '{steps}' TERM; echo up; while :; do sleep 0.1; done"
    rented = rent("job.sbatch", f"{text}srun --nodelist=n2 --nodes=1 bash -c {shlex.quote(task)}\n", "--secret", "X")
    for name in rented.names:
        rented.put(name, "run/flowc/secrets", "X=1\n")
    rented.start()
    rented.wait_for("n1", "workspace/o", "up\n")
    # Systemd tells only the unit's own process.
    (found,) = rented["n2"].call(["pgrep", "-ofx", "/bin/bash /var/lib/foundry/flowc/run job"]).stdout.split()
    rented["n2"].call(["kill", found])
    assert rented.wait() == ("FAILED", 3)
    assert {"told", "done"} < set(rented.read("n1", "workspace/o").splitlines())
    assert rented.read("n2", "workspace/saved") == "saved\n"
    assert rented["n2"].call(["pgrep", "-x", "agent"]).stdout == ""


# What Snakemake's jobstep 0.6.1 starts, in an environment that has little more than the job's id.
STRIPPED = """#!/bin/bash
#SBATCH --nodes={nodes} --gpus-per-node=h100:8 --time=10 --output=o
for each in $(compgen -e SLURM_); do
    case $each in SLURM_JOB_ID | SLURM_JOBID | SLURM_SUBMIT_*) ;; *) unset "$each" ;; esac  # SLURM_
done
echo 'echo "ran on $SLURMD_NODENAME $SLURM_NNODES"' |
    srun -n1 --cpu-bind=q --cpus-per-task=1 --nodes=1 sh -s
"""


@pytest.mark.parametrize("nodes", [1, 2])
def test_srun_needs_no_more_than_the_id_of_the_job(rent: Rent, nodes: int) -> None:
    rented = rent("job.sbatch", STRIPPED.format(nodes=nodes))
    rented.start()
    assert rented.wait() == ("COMPLETED", 0), rented.read("n1", "workspace/o")
    assert rented.read("n1", "workspace/o") == "ran on n1 1\n"


REQUEUED = """#!/bin/bash
#SBATCH --nodes=2 --gpus-per-node=h100:8 --requeue --open-mode=append
#SBATCH --time=10
#SBATCH --output=o
echo "run ${SLURM_RESTART_COUNT:-0}"
srun hostname | sort
[ "$SLURM_RESTART_COUNT" ] || { srun -N1 -n1 -w n2 scontrol requeue $SLURM_JOB_ID; sleep 60; }
"""


def test_a_job_of_several_machines_starts_again(rent: Rent) -> None:
    rented = rent("job.sbatch", REQUEUED)
    rented.start()
    assert rented.wait() == ("COMPLETED", 0)
    assert rented.status()["starts"] == 2
    assert [line for line in rented.read("n1", "workspace/o").splitlines() if "srun" not in line] == [
        *("run 0", "n1", "n2", "run 1", "n1", "n2")
    ]
