"""`flowc run`, `logs` and `local preempt` on this computer, as an ordinary user types them."""

from __future__ import annotations

import json
import re
import shlex
import signal
from pathlib import Path

import pytest

from flowc.cli import main
from tests.machines.ordinary import until
from tests.meta.test_readme import BLOCK, ROOT
from tests.mithril.server import Server
from tests.providers.local.conftest import WITHOUT
from tests.tasks.conftest import Cloud, Person

LOCAL = ("--provider", "local")


@pytest.mark.parametrize(
    "before",
    [(), ("unshare", "-Un", "--map-user=1000", "--map-group=1000"), WITHOUT],
    ids=["as it is", "no network", "no namespaces"],
)
def test_the_first_minute(here: Person, before: tuple[str, ...]) -> None:
    """An ordinary user, and no program but the system's own: neither docker nor whatever else stands in /usr/local."""
    here.before = before
    done = here.types("run", "echo hello", *LOCAL, PATH="/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr


def test_first_example_of_the_readme(here: Person) -> None:
    block = BLOCK.search((ROOT / "README.md").read_text())
    assert block is not None
    assert here.types(*shlex.split(block["command"])[1:]).stdout == block["output"]


def test_exit_status_and_flags(here: Person) -> None:
    words = ("run", "nvidia-smi -L | wc -l; echo $COLOUR; exit 7", *LOCAL, "-i", "8xh100", "--env", "COLOUR=blue")
    done = here.types(*words)
    assert (done.returncode, done.stdout) == (7, "8\nblue\n"), done.stderr


def test_provider_from_the_environment(here: Person) -> None:
    assert here.types("run", "echo hello", FLOW_PROVIDER="local").stdout == "hello\n"


def test_a_file_is_run_as_what_it_is(here: Person) -> None:
    done = here.types("run", here.job("echo $SLURM_JOB_NAME $1\n"), *LOCAL, "-n", "other")
    assert (done.returncode, done.stdout) == (0, "other\n"), done.stderr


def test_code_is_a_folder(here: Person) -> None:
    (here.home / "train.py").write_text("")
    done = here.types("run", "ls", *LOCAL, "--code", "train.py")
    assert (done.returncode, "`--code` brings a folder" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("head", "flags", "here_too"),
    [
        ("", (), []),
        ("#SBATCH --gres=gpu:h100:4\n", ("--budget", "1", "-m", "0.001"), []),
        ("#SBATCH --gpus-per-node=8 --nodes=2\n", ("--budget", "1"), ["FC806"]),
        ("#SBATCH --gres=gpu:h100 --array=1-4\n", ("--priority", "high", "--strict"), ["FC848"]),
    ],
)
def test_where_nothing_is_paid_nothing_is_said_about_money(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    head: str,
    flags: tuple[str, ...],
    here_too: list[str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.sbatch").write_text(f"#!/bin/bash\n{head}hostname\n")
    words = ["submit", "job.sbatch", *flags, "--dry-run", "--offline"]
    assert main([*words, *LOCAL]) == 0
    said = capsys.readouterr().err
    assert re.findall(r"\[(FC[0-9]+)\]", said) == here_too
    assert "$" not in said
    main([*words, "--provider", "mithril"])
    assert "$" in capsys.readouterr().err


def test_its_machines_are_told_what_the_job_needs(here: Person) -> None:
    """As the request document has it, whatever comes of the startup script."""
    assert here.types("run", "cat /results/x", *LOCAL, "--port", "8080", "--body", "ssh").returncode == 1
    (told,) = (here.home / ".local/state/flowc/local/tasks").glob("*/task.json")
    assert json.loads(told.read_text())["machine"] == {"ports": [8080], "folders": ["results"]}


def test_wait_shows_the_name_and_no_output(here: Person) -> None:
    done = here.types("run", "echo hello; exit 2", *LOCAL, "--wait")
    assert done.returncode == 2
    assert done.stdout.startswith("flow-task-")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["echo", "hello"], "flowc run 'echo hello'"),
        (["missing.sbatch"], "there is no file `missing.sbatch`"),
        (["./missing.sh"], "flowc run 'bash ./missing.sh'"),
        (["true", "--dry-run", "--follow"], "exclude each other"),
        ([], "no SOURCE given"),
        (["true", "--from", "slurm"], "leave out `--from`"),
    ],
    ids=["several words", "file", "script", "flags", "nothing", "format"],
)
def test_wrong_usage(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *words]) == 2
    assert said in capsys.readouterr().err


def test_elsewhere_it_is_submit(there: Person, provider: Server) -> None:
    done = there.types("run", "python train.py", "-i", "8xh100", "--time", "10")
    assert done.returncode == 0, done.stderr
    (placed,) = provider.log.done("bid placed")
    assert done.stdout.split() == [provider.state.bids[placed.fid].name]


def test_interrupted_run_goes_on_and_says_how_to_end_it(here: Person) -> None:
    follower = here.starts("run", "echo begun; until [ -e /workspace/go ]; do sleep 0.05; done", *LOCAL)
    assert follower.stdout is not None
    assert follower.stdout.readline() == "begun\n"
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate()
    assert follower.returncode == 130
    said = err.splitlines()[-1]
    assert "the job goes on" in said
    cancel = said.rpartition("`flowc ")[2].partition("`")[0].split()
    assert here.types(*cancel).returncode == 0
    assert here.types("logs", "flow-task").stdout == "begun\n"


def test_preempted_job_starts_again_under_the_eyes_of_logs(here: Person) -> None:
    text = 'echo "start $SLURM_RESTART_COUNT"; [ "$SLURM_RESTART_COUNT" ] || sleep infinity; exit 3\n'
    (name,) = here.types("submit", here.job(text, head="#!/bin/bash\n#SBATCH --requeue\n"), *LOCAL).stdout.split()
    until(lambda: here.types("logs", name).stdout == "start \n", "the first output")
    follower = here.starts("logs", "-f", name)
    assert here.types("local", "preempt", name, "--notice", "1").returncode == 0
    out, err = follower.communicate(timeout=900)
    assert (follower.returncode, out) == (3, "start \nstart 1\n"), err
    assert "preempted" in err
    assert here.types("logs", "-f", name).stdout == out
    over = here.types("local", "preempt", name)
    assert over.returncode == 4
    assert "only one that runs can be preempted" in over.stderr


def test_disks_are_removed_when_a_task_has_ended(here: Person) -> None:
    lives = here.types("submit", here.job("sleep infinity\n", "lives.sbatch"), *LOCAL).stdout.strip()
    refused = here.types("local", "remove", lives)
    assert (refused.returncode, "still runs" in refused.stderr) == (4, True)
    here.types("cancel", lives)
    name = here.types("run", "echo hello", *LOCAL, "--wait").stdout.strip()
    until(lambda: here.types("local", "remove", name).returncode == 0, "the supervisor to go")
    assert [each["name"] for each in json.loads(here.types("list", "-a", "--format", "json").stdout)["tasks"]] == [
        lives
    ]
    gone = here.types("logs", name)
    assert (gone.returncode, "internal error" in gone.stderr) == (4, False)
    seen = here.types("status", name)
    assert (seen.returncode, seen.stdout) == (4, "")
    assert f"{name} is removed from this computer: it was completed, exit status 0\n" in seen.stderr
    assert here.types("wait", name).returncode == 0
    assert f"{name}: had ended before: completed" in here.types("cancel", name).stderr


def test_logs_of_several_tasks_name_them(here: Person) -> None:
    head = "#!/bin/bash\n#SBATCH --array=0,1\n"
    job = here.job("echo $SLURM_ARRAY_TASK_ID\n", head=head)
    names = here.types("submit", job, *LOCAL, "--wait").stdout.split()
    assert here.types("logs", *names).stdout.splitlines() == [f"{name}: {number}" for number, name in enumerate(names)]


@pytest.mark.parametrize("words", [["logs"], ["logs", "nothing"], ["local"], ["local", "stop"], ["local", "preempt"]])
def test_what_is_meant_is_asked_for(here: Person, words: list[str]) -> None:
    assert here.types(*words).returncode == 2


def test_output_stays_when_the_machines_are_gone(cloud: Cloud) -> None:
    job = cloud.person.job("echo one; echo two; exit 5\n")
    (name,) = cloud.person.types("submit", job).stdout.split()
    assert cloud.person.types("wait", name).returncode == 5
    assert cloud.living() == []
    assert cloud.person.types("logs", name).stdout == "one\ntwo\n"
    done = cloud.person.types("logs", "-f", name)
    assert (done.returncode, done.stdout) == (5, "one\ntwo\n")
    preempted = cloud.person.types("local", "preempt", name)
    assert preempted.returncode == 2
    assert "does not run on this computer" in preempted.stderr
    assert json.loads(cloud.person.types("list", "--all", "--format", "json").stdout)["tasks"][0]["exit_status"] == 5
