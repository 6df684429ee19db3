"""Virtual environments of Python that a line of the profile makes, at the place where scripts look for them."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flowc import driver
from flowc.cli import main
from flowc.profile.venvs import of_packages, of_requirements, of_this_computer
from tests.profile.jobs import JOB, ids, job_of

LINE = "venvs: {~/venvs/train/: {pip: [torch, numpy==1.26]}}\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("venvs:\n  x: nothing\n", "nothing"),
        ("venvs:\n  x: {python: '3.9'}\n", "python"),
        ("venvs:\n  x: {pip: []}\n", "[]"),
        ("venvs:\n  x: {pip: 'a; rm'}\n", "'a; rm'"),
        ("venvs:\n  x: {pip: a, python: '2.7'}\n", "'2.7'"),
        ("venvs:\n  'a b': {pip: a}\n", "'a b'"),
        ("venvs:\n  '$HOME/x': {pip: a}\n", "'$HOME/x'"),
        ("venvs:\n  x: nowhere.txt\n", "nowhere.txt"),
        ("venvs:\n  x: own.txt\n", "own.txt"),
    ],
)
def test_mistake_is_told_at_its_place(
    told: Callable[..., driver.Result], tmp_path: Path, text: str, place: str
) -> None:
    (tmp_path / "own.txt").write_text("torch\nmine @ file:///build/mine\n")
    result = told(text, JOB + "hostname\n")
    errors = [each for each in result.diagnostics if each.severity == "error"]
    assert [each.span.text for each in errors if each.span is not None] == [place]


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("source ~/venvs/train/bin/activate\n", True),
        (". $HOME/venvs/train/bin/activate\n", True),
        ("srun -n 4 bash -c 'source ~/venvs/train/bin/activate; python x.py'\n", True),
        ("~/venvs/train/bin/python x.py\n", True),
        ("python3 -m venv ~/venvs/train\nsource ~/venvs/train/bin/activate\n", False),
        ("source ~/venvs/other/bin/activate\n", False),
        ("# source ~/venvs/train/bin/activate\npython train.py\n", False),
    ],
)
def test_environment_is_made_where_a_text_enters_it(told: Callable[..., driver.Result], body: str, made: bool) -> None:
    found = job_of(told(LINE, JOB + body))
    assert found["venvs"] == (["~/venvs/train"] if made else [])
    assert ("-m venv venvs/train\n" in (found["setup"] or "")) is made


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("source ~/venvs/train/bin/activate\npython x.py\n", []),
        ("~/venvs/train/bin/python x.py\n", []),
        ("source ~/venvs/train/bin/activate\ncp ~/venvs/data.txt .\n", [("path", "~/venvs")]),
        ("source ~/venvs/train/bin/activate\nsource ~/venvs/b/bin/activate\n", [("venv", "~/venvs/b")]),
        ("source /proj/me/env/bin/activate\ncat /proj/me/data\n", [("venv", "/proj/me/env"), ("path", "/proj/me")]),
        ("source /proj/me/env/bin/activate\npython x.py\n", [("venv", "/proj/me/env")]),
        ("source env/bin/activate\nsrun bash -c 'source env/bin/activate'\n", [("venv", "env")]),
        ("source /path/to/env/bin/activate\n", []),
    ],
)
def test_only_the_environment_that_a_line_makes_is_no_longer_missing(
    told: Callable[..., driver.Result], body: str, said: list[tuple[str, str]]
) -> None:
    result = told(LINE, JOB + body, emit="mithril")
    assert [lack for each in result.diagnostics for lack in each.lacks if lack[0] in ("venv", "path")] == said


def test_line_says_what_it_is_taken_for(told: Callable[..., driver.Result]) -> None:
    result = told(LINE, JOB + "source ~/venvs/train/bin/activate\n", emit="plan")
    assert not ids(result) & {"FC820", "FC861"}
    assert [(each["entry"], each["instead_of"]) for each in job_of(result)["profile"]["used"]] == [
        ("venvs.~/venvs/train/", ["FC861"])
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("torch==2.1\n# -e .\nnumpy ; python_version > '3'\n--extra-index-url https://example.com/simple\n", None),
        ("git+https://github.com/me/x@v1\nx @ https://example.com/x.whl\n", None),
        ("torch\n-e .\n", "-e ."),
        ("torch\n -r other.txt\n", "-r other.txt"),
        ("--find-links ./wheels\n", "--find-links ./wheels"),
        ("attrs @ file:///tmp/build/attrs\n", "attrs @ file:///tmp/build/attrs"),
        ("./mine\n", "./mine"),
    ],
)
def test_requirements_of_one_computer_alone(text: str, line: str | None) -> None:
    assert of_this_computer(text) == line


@pytest.mark.parametrize(
    ("path", "by_file"),
    [
        ("~/venvs/a", True),
        pytest.param("venv", False, marks=pytest.mark.slow),
        pytest.param("../envs/x", True, marks=pytest.mark.slow),
        pytest.param("{tmp}/abs/env/", False, marks=pytest.mark.slow),
    ],
)
def test_environment_is_there_for_the_script(tmp_path: Path, path: str, by_file: bool) -> None:
    """With Python's own venv and pip, and a package that lies beside."""
    path = path.format(tmp=tmp_path)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "tiny-1.0-py3-none-any.whl", "w") as file:
        file.writestr("tiny.py", "print('tiny')\n")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    home, work = tmp_path / "home", tmp_path / "work" / "job"
    home.mkdir()
    work.mkdir(parents=True)
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    made = of_requirements(path, "# it's\ntiny==1.0\n", "x") if by_file else of_packages(path, ["tiny>=1"], None, "x")
    script = f"{made}\nsource {path.rstrip('/')}/bin/activate\npython -c 'import tiny'\n"
    run = subprocess.run(["bash", "-ec", script], cwd=work, env=env, capture_output=True, text=True, timeout=300)
    assert (run.stdout, run.returncode) == ("tiny\n", 0), run.stderr


@pytest.mark.slow
def test_what_cannot_be_brought_ends_the_job_with_a_line(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"}
    made = of_packages("env", ["there-is-none"], None, "virtual environment env")
    run = subprocess.run(["bash", "-c", made], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert run.returncode == 1
    assert run.stderr.endswith("flowc: cannot bring virtual environment env\n")


def test_another_python_comes_of_conda_forge(told: Callable[..., driver.Result]) -> None:
    """`3.10` is no number of YAML's here."""
    setup = job_of(told("venvs: {env: {pip: a, python: 3.10}}\n", JOB + "source env/bin/activate\n"))["setup"]
    assert "-n python-3.10 --override-channels -c conda-forge python=3.10\n" in setup
    assert "/opt/micromamba/envs/python-3.10/bin/python -m venv env\n" in setup
    assert setup.index("micromamba.new") < setup.index("-m venv")


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        ({"requirements.txt": "torch\n"}, "requirements.txt"),
        ({"requirements.txt": "torch\n", "jobs/requirements.txt": "numpy\n"}, "jobs/requirements.txt"),
        ({"requirements.txt": "torch\n", "other/requirements.txt": "numpy\n"}, None),
        ({"requirements.txt": "torch\n-e .\n"}, None),
        ({}, None),
    ],
)
def test_draft_names_the_requirements_beside(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    texts: dict[str, str],
    line: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    scripts = ("jobs/a.sh", "other/b.sh") if "other/requirements.txt" in texts else ("jobs/a.sh",)
    for name, text in {**texts, **dict.fromkeys(scripts, JOB + "source venv/bin/activate\npython -m x\n")}.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    assert main(["profile", "init", "."]) == 0
    text = Path(".flowc/profile.yaml").read_text()
    if line is None:
        assert "# venv: requirements.txt\n" in text
        return
    written = yaml.safe_load(text)["venvs"]["venv"]
    assert os.path.normpath(written) == line
    capsys.readouterr()
    assert main(["check", "."]) == 0
    assert "venv-missing" not in capsys.readouterr().out
