"""What a bid cannot carry, brought to machines of the loopback provider and of this computer."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.machines.ordinary import until
from tests.some import some
from tests.tasks.conftest import Cloud, Person
from tests.tasks.test_secrets import files_with, processes
from tests.trees.repositories import TOKEN, git, repository, serving, with_submodules

WHOLE = "/var/lib/foundry/flowc/whole"
FOUR = "#!/bin/bash\n#SBATCH --nodes=4 --gpus-per-node=h100:8 --time=10 --job-name=four\n"


def noise(size: int) -> str:
    """Text that no compressor makes much shorter, as a here-document that does nothing."""
    return f": <<'E'\n{random.Random(1).randbytes(size // 2).hex()}\nE\n"


@pytest.mark.slow
def test_a_body_of_60_kb_on_four_nodes_with_srun(cloud: Cloud) -> None:
    job = cloud.person.job(noise(60_000) + "srun --label hostname | sort\nsqueue -h -O JobID | wc -l\n", head=FOUR)
    forbidden = cloud.person.types("submit", job, "--body", "script", "--dry-run", "--offline")
    assert (forbidden.returncode, "FC801" in forbidden.stderr) == (1, True)
    done = cloud.person.types("submit", job, "--follow")
    assert done.returncode == 0, done.stderr
    *tasks, jobs = done.stdout.splitlines()
    name = next(iter(cloud.state.bids.values())).name
    assert (tasks, jobs) == ([f"{rank}: {name}-{rank}" for rank in range(4)], "1")
    assert done.stderr.count(WHOLE) == 1
    assert "FC801" not in done.stderr
    assert cloud.living() == []


KEY = "/var/lib/foundry/flowc/key"
PAIR = FOUR.replace("=4", "=2").replace("four", "pair")
# Goes on when each machine answers nothing but the key.
KEYED = f"""srun --ntasks-per-node=1 sh -c 'until [ "$(wc -c <{KEY})" = 65 ]; do sleep 0.2; done; stat -c %a {KEY}'
srun --ntasks-per-node=1 md5sum {KEY} | sort -u | wc -l
until [ -e /workspace/go ]; do sleep 0.2; done
"""


@pytest.mark.slow
def test_who_looks_brings_agents_a_key_that_nobody_sees(cloud: Cloud) -> None:
    done = cloud.person.types("submit", cloud.person.job(KEYED, head=PAIR))
    assert (done.returncode, "know each other by their addresses alone" in done.stderr) == (0, True), done.stderr
    said = []

    def keys() -> list[str]:
        said.append(cloud.person.types("list").stderr)
        return [each.run(["cat", KEY])[1] for each in list(cloud.machines.running.values())]

    until(lambda: [len(each) for each in keys()] == [65, 65], "the key on both machines")
    follower = cloud.person.starts("logs", "pair", "--follow")
    assert follower.stdout is not None
    assert [follower.stdout.readline() for _ in range(3)] == ["600\n", "600\n", "1\n"]
    machines = list(cloud.machines.running.values())
    key = keys()[0].strip()
    shown = machines[0].run(["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '"])[1]
    assert ("slurm_script" in shown, key in shown) == (True, False)
    for machine in machines:
        for path in [Path(machine.spec.disk), cloud.person.home]:
            for file in path.rglob("*"):
                if file.is_file() and not file.is_symlink() and not str(file).endswith(KEY):
                    assert key.encode() not in file.read_bytes(), file
        machine.run(["touch", "/workspace/go"])
    out, err = follower.communicate(timeout=900)
    assert key not in "".join([done.stderr, *said, out, err])
    assert cloud.person.types("wait", "pair").returncode == 0


def test_what_no_bid_has_room_for_is_more_than_a_body(cloud: Cloud) -> None:
    text = f"resources:\n  accelerators: H100:8\nsetup: |\n  true {noise(40_000)[8:39_000]}\nrun: |\n  echo set up\n"
    done = cloud.person.types("submit", cloud.person.job(text, "sky.yaml", head=""), "--follow")
    assert (done.returncode, done.stdout) == (0, "set up\n"), done.stderr
    assert WHOLE in done.stderr
    assert cloud.living() == []


def tree(folder: Path) -> None:
    """Some code, with what is not to be sent."""
    (folder / "code" / "lib").mkdir(parents=True)
    (folder / "code" / "train.py").write_text("import lib.net\nprint(lib.net.NAME)\n")
    (folder / "code" / "lib" / "net.py").write_text("NAME = 'from the folder'\n")
    (folder / "code" / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (folder / "code" / "run.sh").chmod(0o755)
    (folder / "code" / "secret.env").write_text("no\n")
    (folder / "code" / ".gitignore").write_text("*.env\n")


RUNS = "python3 train.py; ./run.sh; ls -A | grep -v flowc; pwd\n"
RAN = ["from the folder", "ran", ".gitignore", "lib", "run.sh", "slurm-", "train.py", "/workspace"]


def said(output: str) -> list[str]:
    """The lines of a job, without what differs."""
    lines = [line for line in output.splitlines() if not line.startswith("flowc: waits")]
    return ["slurm-" if line.startswith("slurm-") else line for line in lines if line != "__pycache__"]


def test_code_is_there_before_the_job_starts(cloud: Cloud) -> None:
    tree(cloud.person.home)
    done = cloud.person.types("submit", cloud.person.job(RUNS), "--code", "code", "--follow")
    assert (done.returncode, said(done.stdout)) == (0, RAN), done.stderr
    assert "flowc: waits for the files of /workspace\n" in done.stdout
    assert "has ./code (4 of 4 files sent" in done.stderr
    assert cloud.living() == []


@pytest.mark.slow
def test_code_on_four_nodes(cloud: Cloud) -> None:
    tree(cloud.person.home)
    job = cloud.person.job("srun ./run.sh\n", head=FOUR)
    done = cloud.person.types("submit", job, "--code", "code", "--follow")
    assert (done.returncode, done.stdout.count("ran\n")) == (0, 4), done.stderr
    assert done.stderr.count("has ./code") == 4


@pytest.mark.slow
def test_code_survives_a_preemption_with_what_the_job_made_of_it(cloud: Cloud) -> None:
    tree(cloud.person.home)
    text = "[ -e mark ] && { cat train.py; exit 3; }\necho changed >train.py; touch mark; echo start; sleep infinity\n"
    follower = cloud.person.starts("submit", cloud.person.job(text), "--code", "code", "--follow")
    assert follower.stdout is not None
    while follower.stdout.readline() != "start\n":
        pass
    (bid,) = cloud.state.bids.values()
    cloud.state.preempt(bid)
    out, err = follower.communicate(timeout=900)
    assert (follower.returncode, out) == (3, "changed\n"), err
    assert err.count("has ./code") == 1


def test_agents_get_a_key_here(here: Person) -> None:
    job = here.job(KEYED.partition("until [ -e")[0], head=PAIR)
    done = here.types("submit", job, "--provider", "local", "--follow")
    assert (done.returncode, done.stdout) == (0, "600\n600\n1\n"), done.stderr


def test_code_here(here: Person) -> None:
    tree(here.home)
    done = here.types("run", RUNS.replace("\n", ""), "--code", "code", "--provider", "local")
    assert (done.returncode, said(done.stdout)) == (0, [each for each in RAN if each != "slurm-"]), done.stderr


@pytest.mark.slow
def test_mounts_and_a_working_directory_of_skypilot(cloud: Cloud) -> None:
    tree(cloud.person.home)
    text = """
resources: {accelerators: H100:8}
workdir: code
file_mounts:
  /data/settings.json: ./settings.json
  lib/more: ./more
setup: test -e train.py
run: |
  python3 train.py
  cat /data/settings.json lib/more/x
  pwd
"""
    (cloud.person.home / "settings.json").write_text("settings\n")
    (cloud.person.home / "more").mkdir()
    (cloud.person.home / "more" / "x").write_text("more\n")
    done = cloud.person.types("submit", cloud.person.job(text, "sky.yaml", head=""), "--follow")
    assert (done.returncode, said(done.stdout)) == (
        0,
        ["from the folder", "settings", "more", "/root/sky_workdir"],
    ), done.stderr


def test_what_cannot_be_sent_is_refused_before_anything_is_made(there: Person) -> None:
    job = there.job("true\n")
    done = there.types("submit", job, "--code", "nowhere")
    assert done.returncode == 2
    assert "nowhere cannot be read: No such file or directory" in done.stderr
    done = there.types("submit", job, "--mount", "/data=./none", "--dry-run")
    assert "none cannot be read: No such file or directory" in done.stderr


def test_other_code_is_another_job(here: Person) -> None:
    tree(here.home)
    words = ("submit", here.job("sleep 30\n"), "--code", "code", "--provider", "local")
    first = here.types(*words)
    assert first.returncode == 0
    assert "lives" in here.types(*words).stderr
    (here.home / "code" / "train.py").write_text("print('other')\n")
    other = here.types(*words)
    assert other.returncode == 0
    for name in (first.stdout.strip(), other.stdout.strip()):
        assert here.types("cancel", name).returncode == 0


@pytest.mark.parametrize("name", some(["code.git", "private.git"], "code.git"))
def test_the_commit_that_is_checked_out(cloud: Cloud, tmp_path: Path, name: str) -> None:
    (tmp_path / "served").mkdir()
    person = cloud.person
    with serving(tmp_path / "served") as served, processes() as command_lines:
        folder = repository(tmp_path / "code", served, name)
        person.home = folder / "sub"
        (tmp_path / "job.sbatch").write_text("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython3 train.py; pwd\n")
        words = ["submit", "../../job.sbatch", "--code", "git", "--follow"]
        if name == "private.git":
            assert "nobody can without logging in" in person.types(*words).stderr
            words += ["--secret", "GIT_TOKEN"]
        done = person.types(*words, GIT_TOKEN=TOKEN)
    assert (done.returncode, said(done.stdout)) == (0, ["committed", "/workspace/sub"]), done.stderr
    for text in (done.stdout, done.stderr, *command_lines):
        assert TOKEN not in text
    assert files_with(tmp_path, TOKEN) == []
    assert TOKEN not in str([call.body for call in cloud.server.log.calls])
    (folder / "other").write_text("")
    refused = person.types(*words)
    assert (refused.returncode, "other (new)" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_no_secret_is_seen_beside_all_that_is_delivered(cloud: Cloud, tmp_path: Path) -> None:
    tree(cloud.person.home)
    text = noise(60_000) + 'echo "${#TOKEN} letters"; ./run.sh\n'
    words = ("submit", cloud.person.job(text), "--code", "code", "--secret", "TOKEN", "--follow")
    with processes() as command_lines:
        done = cloud.person.types(*words, TOKEN=TOKEN, FLOWC_DEBUG="1")
    assert (done.returncode, said(done.stdout)[-2:]) == (0, [f"{len(TOKEN)} letters", "ran"]), done.stderr
    assert any("import zlib" in line for line in command_lines), "the receiver was seen"
    for seen in (done.stdout, done.stderr, *command_lines):
        assert TOKEN not in seen
    assert files_with(tmp_path, TOKEN) == []


@pytest.mark.slow
def test_submodules_are_what_git_itself_clones(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as served:
        cloud.person.home = with_submodules(tmp_path, served)
        (tmp_path / "job.sbatch").write_text(
            "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
            "find . -type f -not -path '*/.git*' -not -name 'slurm-*' -exec md5sum {} + | sort\n"
            "git -C lib/middle/lib/inner rev-parse HEAD\n"
        )
        done = cloud.person.types("submit", "../job.sbatch", "--code", "git", "--follow")
        git(tmp_path, "clone", "-q", "--recurse-submodules", f"{served[1]}/code.git", "real")
    real = subprocess.run(
        "find . -type f -not -path '*/.git*' -exec md5sum {} + | sort; git -C lib/middle/lib/inner rev-parse HEAD",
        shell=True,
        cwd=tmp_path / "real",
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.returncode, done.stdout) == (0, real.stdout), done.stderr
    assert "lib/middle/lib/inner/sub/train.py" in done.stdout
    assert "later" not in done.stdout
