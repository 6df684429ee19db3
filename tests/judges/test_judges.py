"""What other programs say of a job's texts stands where the user wrote them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import flowc
from flowc import judges
from flowc.cli import main
from flowc.inputs import Inputs
from flowc.judges import bash, python, shellcheck
from flowc.source import Source
from tests.test_clean import FILES, format_of

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
POD = """\
apiVersion: batch/v1
kind: Job
metadata: {name: x}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-A100-SXM4-80GB}
      containers:
        - name: main
          image: python:3.12
          command: [bash, -euc]
          args:
            - |
              if true; then
                echo é
          resources: {limits: {nvidia.com/gpu: 1}}
"""
TASK = "name: a\ninstance_type: 1xa100\nmax_run_time_hours: 1\n"
NEEDS_SHELLCHECK = pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")


def said(text: str, *names: str, path: str = "job.sbatch") -> list[tuple[str, int, str]]:
    """Code, line and marked text."""
    inputs = Inputs(judges=names)
    found = [each for each in flowc.check(Source(path, text), inputs).diagnostics if each.code.id[:4] == "FC85"]
    return [
        (each.code.id, each.span.line, each.span.text) if each.span else (each.code.id, 0, each.message)
        for each in found
    ]


def test_nobody_is_asked_unless_named() -> None:
    assert said(HEAD + "if true; then\n") == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("if true; then\n  hostname\n", (4, "hostname")),
        ("bash -c 'for x in a\n  echo\ndone'\n", (4, "echo")),
        ("bash <<'E'\nx=(\nE\nhostname\n", (4, "x=(")),
        ("bash <<-E\n\tif true; then\n\t\thostname\n\tE\n", (5, "hostname")),
    ],
)
def test_bash_in_scripts(body: str, place: tuple[int, str]) -> None:
    assert said(HEAD + body, "bash") == [("FC850", *place)]


def test_bash_knows_the_options_that_the_text_sets() -> None:
    assert said(HEAD + "shopt -s extglob\nls !(a)\n", "bash") == []
    assert said(HEAD + "ls !(a)\n", "bash")[0][0] == "FC850"
    (found,) = said(HEAD + "shopt -s expand_aliases\nalias begin='{'\nbegin\n}\n", "bash")
    assert found == ("FC855", 0, "not judged: a text with aliases (by bash)")


def test_bash_in_a_pod_and_in_a_task() -> None:
    assert said(POD, "bash", path="a.yaml") == [("FC850", 17, "echo é")]
    listed = TASK + 'command: [bash, -c, "if true; then\\n  date"]\n'
    assert said(listed, "bash", path="a.yaml") == [("FC850", 4, "date")]
    block = TASK + "command: |\n  date\n  fi\n"
    assert said(block, "bash", path="a.yaml") == [("FC850", 6, "fi")]


def test_python_scripts_and_here_documents() -> None:
    script = "#!/usr/bin/env python3\n#SBATCH --gpus=h100:8 --time=10\nimport os\nx = (1,\n"
    assert said(script, "python") == [("FC854", 4, "(")]
    assert said(HEAD + "python3 - x <<'E'\nprint 1\nE\n", "python") == [("FC854", 4, "print 1")]
    assert said(HEAD + "srun python -u <<-'E'\n\tdef f(:\n\tE\n", "python") == [("FC854", 4, ":")]
    assert said(HEAD + "bash -c 'python <<E\nx = = 1\nE\n'\n", "python") == [("FC854", 4, "=")]
    for other in ("python x.py <<'E'", "python -c 1 <<'E'", "cat <<'E'"):
        assert said(HEAD + f"{other}\nprint 1\nE\n", "python") == []


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("python -c 'print 1'", (3, "print 1")),
        ("x=$(srun -n1 python3.11 -u -c 'import os\nprint 1')", (4, "print 1")),
        ('python3 -c "print(\\"a\\" c)"', (3, '\\"a\\" c')),
        ("bash -c \"python3 -c 'x = = 1'\"", (3, "=")),
        ("env A=1 $CONDA/bin/python -Ic $'x = 1\\nprint 1'", (3, "print 1")),
    ],
)
def test_python_that_is_given_by_c(line: str, place: tuple[int, str]) -> None:
    assert said(HEAD + line + "\n", "python") == [("FC854", *place)]


@pytest.mark.parametrize(
    "line",
    [
        "python -c 'import os; print(os.getcwd())' x",
        "echo python -c 'print 1'",
        "python x.py -c 'print 1'",
        "python -m a -c 'print 1'",
        "docker run python:2 python -c 'print 1'",
        "ssh other python -c 'print 1'",
        "python2 -c 'print 1'",
        "python2.7 <<'E'\nprint 1\nE",
    ],
)
def test_other_words_behind_c_are_no_python(line: str) -> None:
    assert said(HEAD + line + "\n", "python") == []


def test_python_with_values_of_the_shell_is_not_judged() -> None:
    (found,) = said(HEAD + 'n=1\npython -c "x = $n; print 1"\n', "python")
    assert found == ("FC855", 0, "not judged: a text into which the shell around it puts values (by Python)")


def test_what_is_not_judged_is_said_in_one_line() -> None:
    body = 'x=1\npython <<E\nprint($x)\nE\nbash -c "if $x; then"\n'
    (found,) = said(HEAD + body, "bash", "python")
    assert found == ("FC855", 0, "not judged: a text into which the shell around it puts values (by bash, Python)")
    (found,) = said("#!/bin/tcsh\n#SBATCH --gpus=h100:8 --time=10\nif (1) then\nendif\n", "bash", "python")
    assert found == ("FC855", 0, "not judged: a text for `tcsh`")


@NEEDS_SHELLCHECK
@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        (HEAD + "\techo \t$(ls x*) é $1\n", "job.sbatch", (3, "$1")),
        (POD.replace("if true; then\n                echo é", "cat é $1"), "a.yaml", (16, "$1")),
        (TASK + "command: 'echo ''é'' $1'\n", "a.yaml", (4, "$1")),
        (HEAD + "bash <<'E'\necho $1\nE\n", "job.sbatch", (4, "$1")),
    ],
)
def test_shellcheck_points_at_the_place(text: str, path: str, place: tuple[int, str]) -> None:
    assert ("FC853", *place) in said(text, "shellcheck", path=path)


@NEEDS_SHELLCHECK
def test_ignores_hide_what_judges_say() -> None:
    body = HEAD + "# flowc: ignore[FC853]\necho $1\n"
    assert said(body, "shellcheck") == []
    assert said(HEAD + "# shellcheck disable=SC2086\necho $1\n", "shellcheck") == []


def test_versions_are_shown(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "job.sbatch").write_text(HEAD + "hostname\n")
    words = ["check", "--judge", "bash,python", str(tmp_path / "job.sbatch")]
    assert main(words) == 0
    shown = f"judged by bash {bash.JUDGE.version()}, Python {python.JUDGE.version()}\nno problems in 1 file\n"
    assert capsysbinary.readouterr().out.decode() == shown
    assert main([*words, "--format", "json"]) == 0
    asked = json.loads(capsysbinary.readouterr().out)["judges"]
    assert [each["name"] for each in asked] == ["bash", "Python"]


def test_settings_ask_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "job.sbatch").write_text(HEAD + "if true\n")
    (tmp_path / ".flowc.toml").write_text('judge = ["bash"]\n')
    monkeypatch.chdir(tmp_path)
    assert main(["check", "job.sbatch"]) == 1
    assert b"error[FC850]" in capsysbinary.readouterr().out


def test_one_that_is_not_installed_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    missing = shellcheck.JUDGE.replace(version=lambda: None)
    monkeypatch.setattr(judges, "JUDGES", (bash.JUDGE, missing, python.JUDGE))
    (tmp_path / "job.sbatch").write_text(HEAD + "hostname\n")
    assert main(["check", "--judge", "shellcheck", str(tmp_path / "job.sbatch")]) == 4
    assert b"not judged by shellcheck: it is not installed" in capsysbinary.readouterr().err
    assert main(["check", "--judge", "nobody", "x"]) == 2
    assert b"there is no judge `nobody`" in capsysbinary.readouterr().err


@pytest.mark.parametrize("path", FILES[::6], ids=lambda path: path.name)
def test_nothing_is_wrong_with_good_jobs(path: Path) -> None:
    found = flowc.check(
        Source.from_bytes(path.name, path.read_bytes()), Inputs(judges=("bash", "python")), frontend=format_of(path)
    ).diagnostics
    assert [each.message for each in found if each.code.id in ("FC850", "FC851", "FC854")] == []
