"""Which files of a folder `flowc check` reads, and the pre-commit hooks of the files they are handed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.detect.signs import is_job
from flowc.frontends.slurm.words.scan import directives
from flowc.source import Source

ROOT = Path(__file__).resolve().parents[2]
GOOD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n"
# Scripts that write other scripts: nothing is in effect in them.
HERE_DOCUMENT = "#!/bin/bash\ncat >job.sh <<EOF\n#!/bin/bash\n#SBATCH --gpus=h100:8\nEOF\nsbatch job.sh\n"
ECHO = '#!/bin/bash\necho "#!/bin/bash\n#SBATCH --gpus=h100:8\nhostname" >job.sh\nsbatch job.sh\n'
PROGRAM = '#!/usr/bin/env python3\nSCRIPT = """\n#SBATCH --gpus=h100:8\n"""\n'
COMPOSE = "services:\n  web:\n    image: nginx\n"
CHART = "replicaCount: 1\nimage: {}\nservice:\n  port: 80\nresources: {}\ncommand: []\nenvs: {}\n"
CRON = "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: nightly\n"


class Outcome:
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


def checked(flowc: Run, *words: str) -> int:
    """How many files were."""
    count: int = json.loads(flowc("check", "--format", "json", *words).out)["summary"]["files"]
    return count


@pytest.mark.parametrize(
    "name", ["job.sl", "job.sb", "job.sh", "job.job", "job.txt", "job", "job.py", "JOB.CMD", "run.1"]
)
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_script_with_directives_is_read_whatever_its_name(flowc: Run, folder: Path, name: str, mode: int) -> None:
    (folder / name).write_text(GOOD)
    (folder / name).chmod(mode)
    assert checked(flowc, ".") == checked(flowc, "--only-jobs", name) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, text) for name in ("make.sh", "make", "make.job") for text in (HERE_DOCUMENT, ECHO)),
        ("make.py", PROGRAM),
        ("README.md", f"# Jobs\n```\n{GOOD}```\n"),
        ("notes.txt", "#SBATCH --gpus=h100:8\n"),  # sbatch refuses it; of a name for scripts that is said
        ("core", "#!\n#SBATCH -N1\0\n"),
        ("job.sh.j2", GOOD.replace("h100:8", "h100:{{ gpus }}")),
        ("slurm.tmpl", GOOD.replace("h100:8", "h100:<%= gpus %>")),
        ("compose.yaml", COMPOSE),
        ("values.yaml", CHART),
        ("cron.yaml", CRON),
        ("deployment.yaml", CRON.replace("batch", "apps").replace("CronJob", "Deployment")),
    ],
)
def test_what_is_no_job_is_passed_over(flowc: Run, folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    assert checked(flowc, ".") == checked(flowc, "--only-jobs", name) == 0
    done = flowc("check", "--only-jobs", name)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert checked(flowc, name) == 1


def test_script_whose_directives_all_come_too_late_is_read(flowc: Run, folder: Path) -> None:
    (folder / "job.sh").write_text("#!/bin/bash\nset -e\n#SBATCH --gpus=h100:8\nhostname\n")
    assert "FC130" in flowc("check", ".").out


def test_cron_job_is_one_for_those_who_run_it_once(flowc: Run, folder: Path) -> None:
    (folder / "cron.yaml").write_text(CRON)
    assert (checked(flowc, "."), checked(flowc, "--once", ".")) == (0, 1)


@pytest.mark.parametrize("kind", ["Job", "JobSet", "PyTorchJob", "JobList"])
def test_kinds_of_jobs(kind: str) -> None:
    assert is_job(Source("a.yml", f"apiVersion: x/v1\nkind: {kind}\n"))
    assert is_job(Source("a.yml", f'apiVersion: x/v1\nkind: "{kind}" # comment\n'))
    assert not is_job(Source("a.yml", f"apiVersion: x/v1\nkind: {kind}Template\n"))


@given(
    st.lists(st.sampled_from(["#", " #", "", " ", "\t", "#SBATCH -N1", " #SBATCH -N1", "#SLURM -N1", "#SBATCHX", "a"]))
)
def test_in_effect_is_what_the_reader_of_directives_sees(lines: list[str]) -> None:
    text = "\n".join(["#!/bin/sh", *lines])
    assert is_job(Source("a", text)) == bool(directives(text)[0])


def test_hidden_folders_and_environments_are_passed_over(flowc: Run, folder: Path) -> None:
    for name in (".git/hooks", "node_modules/a", "venv", "a/.cache"):
        (folder / name).mkdir(parents=True)
        (folder / name / "job.sh").write_text(GOOD)
    (folder / "loop").symlink_to(folder)
    assert checked(flowc, ".") == 0


@pytest.mark.parametrize("bad", ["locked", "locked.sh", "locked.txt"])
def test_what_cannot_be_looked_into_is_an_error_and_the_rest_is_checked(folder: Path, bad: str) -> None:
    (folder / "good.sbatch").write_text(GOOD)
    if bad == "locked":
        (folder / bad).mkdir()
    else:
        (folder / bad).write_text(GOOD)
    (folder / bad).chmod(0)
    # Root may look into everything, without these two rights as little as others.
    plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    words = [sys.executable, "-m", "flowc", "check", "--format", "json", "."]
    done = subprocess.run(
        [*(plain if os.geteuid() == 0 else []), *words],
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
        capture_output=True,
        check=False,
    )
    (folder / bad).chmod(0o755)
    found = json.loads(done.stdout)
    assert done.returncode == 4, done.stderr
    assert [(each["path"], each["message"]) for each in found["diagnostics"] if each["severity"] == "error"] == [
        (bad, f"cannot read `{bad}`: permission denied")
    ]
    assert found["summary"]["files"] == 2


def test_file_named_that_is_missing_is_an_error_for_a_hook_too(flowc: Run, folder: Path) -> None:
    assert flowc("check", "--only-jobs", "gone").status == 4


def test_byte_order_mark_is_told_of_once(flowc: Run, folder: Path) -> None:
    (folder / "job").write_text(f"\ufeff{GOOD}")
    done = flowc("check", "--format", "json", ".")
    (found,) = (each for each in json.loads(done.out)["diagnostics"] if each["severity"] != "note")
    assert found["code"] == "FC002"
    assert flowc("check", "--fix", ".").status == 0
    assert (folder / "job").read_text() == GOOD


@pytest.mark.slow
@pytest.mark.parametrize(("hook", "mended"), [("flowc-check", False), ("flowc-fix", True)])
def test_real_hooks(hook: str, mended: bool, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pre_commit = Path(sys.executable).with_name("pre-commit")
    if not pre_commit.exists():
        pytest.skip("needs pre-commit (from PyPI)")
    wrong = "\ufeff" + GOOD
    files = {"job.sl": wrong, "run": wrong, "make.sh": HERE_DOCUMENT, "compose.yaml": COMPOSE, "values.yaml": CHART}
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "picture.png").write_bytes(b"\x89PNG\0")
    source = tmp_path_factory.mktemp("hooks") / "source"  # a repository of what stands here now
    shutil.copytree(ROOT / "flowc", source / "flowc", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    author = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=source, check=True)
    environ = {**os.environ, "PRE_COMMIT_HOME": str(source.parent / "cache")}
    for words in (["git", "init", "-q"], ["git", "add", "."]):
        subprocess.run(words, check=True)
    words = [str(pre_commit), "try-repo", str(source), hook, "--all-files"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    told = done.stdout
    assert done.returncode == 1, told + done.stderr  # pre-commit fails where a hook changed a file as well
    assert (folder / "job.sl").read_text() == (GOOD if mended else wrong)
    if not mended:
        assert "compose" not in told, told
        assert {line.split(":")[0] for line in told.splitlines() if "error[" in line} == {"job.sl", "run"}
