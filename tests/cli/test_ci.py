"""What docs/ci.md says of other people's machines, and action.yml, as far as both run here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/ci.md").read_text(), re.S)]
GOOD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n"
WRONG = GOOD.replace("--time=10", "--tmie=10")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout with jobs and what is none, and flowc where the action installs it."""
    (tmp_path / "tree/jobs").mkdir(parents=True)
    (tmp_path / "tree/jobs/a b.sbatch").write_text(WRONG)
    (tmp_path / "tree/good.sh").write_text(GOOD)
    (tmp_path / "tree/compose.yaml").write_text("services: {web: {image: nginx}}\n")
    (tmp_path / "temp/flowc/bin").mkdir(parents=True)
    (tmp_path / "temp/flowc/bin/flowc").symlink_to(Path(sys.executable).with_name("flowc"))
    return tmp_path / "tree"


def action(tree: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The checking step as a runner runs it."""
    step = ACTION["runs"]["steps"][1]
    inputs = {name: row["default"] for name, row in ACTION["inputs"].items()} | given
    environ = {key: inputs[re.fullmatch(r"\$\{\{ inputs\.(\w+) \}\}", text)[1]] for key, text in step["env"].items()}  # type: ignore[index]
    environ |= {"RUNNER_TEMP": str(tree.parent / "temp"), "PATH": os.environ["PATH"], "HOME": str(tree.parent)}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(words, cwd=tree, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_action_annotates(tree: Path) -> None:
    done = action(tree)
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=FC104 unknown-option,file=jobs/a b.sbatch,line=2,endLine=2,col=")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_action_takes_paths_with_blanks_and_more_words(tree: Path) -> None:
    done = action(tree, paths="jobs/a b.sbatch\ncompose.yaml\n", arguments="--ignore FC104  --severity warning")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_action_writes_a_file_and_still_fails(tree: Path) -> None:
    done = action(tree, format="sarif", output="flowc.sarif")
    assert done.returncode == 1
    (run,) = json.loads((tree / "flowc.sarif").read_text())["runs"]
    assert [each["ruleId"] for each in run["results"]] == ["FC104"]


def test_action_is_composite_and_uses_its_inputs() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"])
    used = set(re.findall(r"inputs\.(\w+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    # A script that had an input put into it by the runner could be made to run anything.
    assert not any("${{" in step["run"] for step in ACTION["runs"]["steps"])


def test_documents_name_only_inputs_that_there_are() -> None:
    given = [
        name
        for snippet in SNIPPETS
        if "jobs" in snippet
        for step in snippet["jobs"]["check"]["steps"]
        if "flowc@" in step.get("uses", "")
        for name in step.get("with", {})
    ]
    assert given
    assert set(given) <= set(ACTION["inputs"])


def test_gitlab_snippet_writes_the_report(tree: Path) -> None:
    (job,) = [snippet["flowc"] for snippet in SNIPPETS if "flowc" in snippet]
    install, check = job["script"]
    assert install.startswith("pip install ")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(tree.parent)}
    done = subprocess.run(["sh", "-c", check], cwd=tree, env=environ, check=False, timeout=60)
    assert done.returncode == 1
    report = json.loads((tree / job["artifacts"]["reports"]["codequality"]).read_text())
    assert [(each["check_name"], each["location"]["path"]) for each in report] == [("FC104", "jobs/a b.sbatch")]


@pytest.mark.slow
def test_action_installs_itself(tree: Path) -> None:
    step = ACTION["runs"]["steps"][0]
    environ = {**os.environ, "FLOWC_PYTHON": sys.executable, "GITHUB_ACTION_PATH": str(ROOT)}
    environ["RUNNER_TEMP"] = str(tree.parent / "other")
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environ, check=True, timeout=600)
    flowc = tree.parent / "other/flowc/bin/flowc"
    done = subprocess.run([flowc, "check", "good.sh"], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith("in 1 file\n")
