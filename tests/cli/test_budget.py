"""A budget is over all that one command line compiles; what is checked stands alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowc.driver import TARGETS
from tests.cli.conftest import Outcome

Flowc = Callable[..., Outcome]
# $64 an hour each.
HOUR = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=1:00:00 --job-name=train\nhostname\n"
HET = """\
#!/bin/bash
#SBATCH --gpus-per-node=a100:8 --time=1:00:00
#SBATCH hetjob
#SBATCH --gpus-per-node=h100:8 --nodes=8
srun hostname
"""
TASK = "name: a\ninstance_type: 8xh100\ncommand: hostname\nmax_run_time_hours: 1\n"
KUBERNETES = """\
apiVersion: batch/v1
kind: Job
metadata: {name: NAME}
spec:
  activeDeadlineSeconds: 3600
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: "img:1", resources: {limits: {nvidia.com/gpu: 8}}}]
"""
TWO = "---\n".join(KUBERNETES.replace("NAME", name) for name in ("first", "second"))


def errors(outcome: Outcome) -> list[str]:
    found = re.findall(r"error\[(FC\d+)\] [\w-]+: (.*)", outcome.err)
    return [f"{code} {message}" for code, message in found]


def test_components_of_a_het_job_have_one_budget(flowc: Flowc, folder: Path) -> None:
    (folder / "het.sbatch").write_text(HET)
    done = flowc("compile", "het.sbatch", "--budget", "559")
    assert (done.status, done.out) == (1, "")
    assert errors(done) == [
        "FC701 may cost $560.00, the budget is $559.00: $48.00 an hour x 1 h (`het.sbatch-het0`) + "
        "$64.00 an hour x 1 h x 8 nodes (`het.sbatch-het1`)"
    ]
    assert flowc("compile", "het.sbatch", "--budget", "560").status == 0
    assert "FC707" not in flowc("check", "het.sbatch", "--budget", "560").out
    assert "may cost up to $560.00 in all: $48.00 an hour x 1 h (`het.sb" in flowc("check", "het.sbatch").out


def test_documents_of_a_file_have_one_budget(flowc: Flowc, folder: Path) -> None:
    (folder / "two.yaml").write_text(TWO)
    done = flowc("compile", "two.yaml", "--budget", "100", "-i", "8xh100")
    assert (done.status, done.out) == (1, "")
    assert "may cost $128.00, the budget is $100.00: $64.00 an hour x 1 h (`first`) + " in done.err
    assert flowc("compile", "two.yaml", "--budget", "128", "-i", "8xh100").status == 0


@pytest.mark.parametrize("target", [each for each in TARGETS if each not in ("ast", "ir")])
def test_files_of_a_compilation_have_one_budget_and_nothing_is_written_beyond_it(
    flowc: Flowc, folder: Path, target: str
) -> None:
    (folder / "a.sbatch").write_text(HOUR)
    (folder / "b.yaml").write_text(TASK)
    words = ("compile", "a.sbatch", "b.yaml", "--emit", target, "-o", "out")
    done = flowc(*words, "--budget", "127.99")
    assert done.status == 1
    assert errors(done) == ["FC701 may cost $128.00, the budget is $127.99: $64.00 for a.sbatch + $64.00 an hour x 1 h"]
    assert not (folder / "out").exists()
    assert flowc(*words, "--budget", "128").status == 0
    assert sorted(each.name for each in (folder / "out").iterdir()) == ["a", "b"]


def test_a_compile_says_once_that_nothing_ends_the_bill(flowc: Flowc, folder: Path) -> None:
    (folder / "a.sbatch").write_text(HOUR)
    (folder / "b.yaml").write_text(TASK)
    done = flowc("compile", "a.sbatch", "b.yaml", "--budget", "128", "-o", "out")
    assert done.err.count("note[FC708] bill-goes-on: nothing ends the bid when the job has ended") == 1
    assert "  at most     $64.00 if the bid is ended with the job, as `flowc submit` does\n" in (
        (folder / "out/a/report.txt").read_text()
    )
    # Whatever places no bid, or ends it, says nothing.
    for words in (("check", "a.sbatch"), ("compile", "a.sbatch", "--emit", "script")):
        assert "FC708" not in flowc(*words).err + flowc(*words).out
    assert "FC708" not in flowc("submit", "a.sbatch", "--dry-run", "--offline").err


def test_what_is_submitted_has_one_budget(flowc: Flowc, folder: Path) -> None:
    (folder / "a.sbatch").write_text(HOUR)
    (folder / "array.sbatch").write_text(HOUR.replace("--job-name", "--array=1-2%1 --job-name"))
    (folder / "het.sbatch").write_text(HET)
    (folder / "two.yaml").write_text(TWO)
    words = ("submit", "a.sbatch", "array.sbatch", "het.sbatch", "two.yaml", "-i", "8xh100", "--dry-run", "--offline")
    refused = flowc(*words, "--budget", "895.99")
    assert (refused.status, refused.out) == (1, "")
    assert "may cost $896.00, the budget is $895.99" in refused.err
    assert flowc(*words, "--budget", "896").status == 0
    (folder / "again.sbatch").write_text(HOUR + "scontrol requeue $SLURM_JOB_ID\n")
    refused = flowc(*words[:5], "again.sbatch", *words[5:], "--budget", "1000000")
    assert (refused.status, refused.out) == (1, "")
    assert "FC702" in refused.err


def test_what_is_checked_stands_alone(flowc: Flowc, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.sbatch").write_text(HOUR)
    assert flowc("check", ".", "--budget", "64").status == 0
    assert flowc("check", "a.sbatch", "b.sbatch", "--budget", "64").status == 0


def test_of_very_many_jobs_the_dearest_are_named(flowc: Flowc, folder: Path) -> None:
    words = []
    for hours in range(1, 10):
        (folder / f"{hours}.sbatch").write_text(HOUR.replace("1:00:00", f"{hours}:00:00"))
        words.append(f"{hours}.sbatch")
    (found,) = errors(flowc("compile", *words, "--budget", "2500"))
    assert found.endswith(
        "may cost $2880.00, the budget is $2500.00: $320.00 for 5.sbatch + $384.00 for 6.sbatch + $448.00 for "
        "7.sbatch + $512.00 for 8.sbatch + $64.00 an hour x 9 h + $640.00 for 4 others"
    )


REQUEUES = (
    "scontrol requeue $SLURM_JOB_ID",
    "trap 'scontrol requeue \"$SLURM_JOB_ID\"' USR1",
    "SCONTROL=/usr/bin/scontrol\n$SCONTROL requeue $SLURM_JOB_ID",
    'scontrol "$@"',
    "scontrol -o \\\n  requeue $SLURM_JOB_ID",
    "scontrol requeuehold $SLURM_JOB_ID",
    "how=requeue; scontrol $how $SLURM_JOB_ID",
    'python3 -c \'import subprocess; subprocess.run(["scontrol", "requeue", "1"])\'',
    "echo a#b; scontrol requeue 1",
)


@pytest.mark.parametrize("text", REQUEUES)
def test_a_text_that_may_requeue_itself_has_no_bound(flowc: Flowc, folder: Path, text: str) -> None:
    (folder / "job.sbatch").write_text(f"{HOUR}{text}\n")
    (found,) = errors(flowc("compile", "job.sbatch", "--budget", "1000000"))
    assert found == "FC702 a budget of $1000000.00 cannot be promised where the job's own text may start it anew"
    assert "its own text may start it anew: the job may run without end, at up to $64.00 an hour" in (
        flowc("check", "job.sbatch").out
    )
    plan: dict[str, Any] = json.loads(flowc("compile", "job.sbatch", "--emit", "plan").out)["jobs"][0]
    assert (plan["hours_bound"], plan["worst_case_usd"], plan["expected_usd"]) == (None, None, None)
    for refused in ("--no-requeue", "--begin=now --no-requeue"):
        text_without = (folder / "job.sbatch").read_text().replace("--job-name", f"{refused} --job-name")
        (folder / "job.sbatch").write_text(text_without)
        assert flowc("compile", "job.sbatch", "--budget", "64").status == 0


@pytest.mark.parametrize(
    "text",
    [
        "# scontrol requeue 1",
        "scontrol show hostnames $SLURM_JOB_NODELIST  # not: scontrol requeue",
        "echo requeue",
        "scontrol show job $SLURM_JOB_ID | grep Requeue",
        "scontrol $FLAGS show job 1",
        "sbatch --requeue other.sh; scontrol show config",
    ],
)
def test_other_words_leave_the_bound(flowc: Flowc, folder: Path, text: str) -> None:
    (folder / "job.sbatch").write_text(f"{HOUR}{text}\n")
    assert errors(flowc("compile", "job.sbatch", "--budget", "64")) == []


def test_sources_of_equal_names_have_requests_with_ids_of_their_own(flowc: Flowc, folder: Path) -> None:
    text = TASK + "volumes: [{name: data, size_gb: 10, mount_path: /data}]\n"
    (folder / "one").mkdir()
    (folder / "one/a.yaml").write_text(text)
    (folder / "a.yaml").write_text(text)
    out = flowc("compile", "a.yaml", "one/a.yaml").out
    first, second = (json.loads(part) for part in out.replace("}\n{", "}\n\0{").split("\0"))
    ids = [each["id"] for document in (first, second) for each in document["requests"]]
    assert ids == ["volume:data", "a", "volume:data-2", "a-2"]
    assert [each["body"]["name"] for each in (*first["requests"], *second["requests"])] == ["data", "a", "data", "a-2"]
    assert [each["after"] for each in second["requests"]] == [[], ["volume:data-2"]]
