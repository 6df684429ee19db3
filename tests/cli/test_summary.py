"""`flowc check --summary`: what is counted, and its three forms; lines of a profile that nobody uses."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flowc.cli import main
from flowc.cli.checking.checker import PARALLEL_FROM
from flowc.diag.lacks import MODULE, PATH, line_of

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with job files, in which flowc runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    texts = {
        "free": "nvidia-smi\n",
        "modules": "module load gromacs/2023 gromacs/2024 namd\n",
        "both": "module load gromacs/2023\ncp /project/a/x /project/b/y .\n",
        "conda": "conda activate train\npython x.py\n",
        "broken": "#SBATCH --nodes=many\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.sbatch").write_text(HEAD + text)
    (tmp_path / "open.sbatch").write_text("#!/bin/bash\n#SBATCH -p dgx --gres=gpu:8 -t 10\nnvidia-smi\n")
    return tmp_path


def summary(capsysbinary: pytest.CaptureFixture[bytes], *args: str) -> dict[str, Any]:
    main(["check", "--summary", "--format=json", *args])
    found: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    return found


def test_files_are_counted_once_for_each_thing_that_they_lack(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = summary(capsysbinary, ".")
    assert {key: found[key] for key in ("format", "files", "failed", "lacking", "free")} == {
        "format": "flowc.summary/1",
        "files": 6,
        "failed": 1,
        "lacking": 3,
        "free": 2,
    }
    missing = {(row["kind"], row["name"]): row["files"] for row in found["missing"]}
    assert missing == {
        ("module", "gromacs"): 2,
        ("module", "namd"): 1,
        ("path", "/project"): 1,
        ("environment", "train"): 1,
        ("program", "conda"): 1,
        ("partition", "dgx"): 1,
    }
    gromacs = next(row for row in found["missing"] if row["name"] == "gromacs")
    assert gromacs["spelled"] == ["gromacs/2023", "gromacs/2024"]
    assert gromacs["codes"] == ["FC812"]
    rows = {row["code"]: (row["files"], row["findings"]) for row in found["findings"]}
    assert rows["FC812"] == (2, 2)
    assert rows["FC820"] == (1, 1)


def test_what_is_ignored_is_not_missing(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = summary(capsysbinary, ".", "--ignore=FC812")
    assert (found["lacking"], found["free"]) == (2, 3)


def test_cores_change_nothing(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for number in range(PARALLEL_FROM):
        (tree / f"more-{number}.sbatch").write_text(HEAD + "module load namd\n")
    found = summary(capsysbinary, ".")
    assert found["files"] == PARALLEL_FROM + 6
    assert next(row["files"] for row in found["missing"] if row["name"] == "namd") == PARALLEL_FROM + 1


def test_table_for_people(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["check", "--summary", "."]) == 1
    out = capsysbinary.readouterr().out.decode()
    assert out.startswith("6 job files: 2 lack nothing, 3 lack something, 1 give no bid\n")
    lines = [line.split() for line in out.splitlines()]
    assert ["gromacs", "2"] in lines
    assert ["FC812", "module-missing", "warning", "2", "2"] in lines


def test_nothing_missing_is_said(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["check", "--summary", "--severity=error", "free.sbatch"]) == 0
    assert "nothing is missing" in capsysbinary.readouterr().out.decode()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_shows_names_as_text(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "odd.sbatch").write_text("#!/bin/bash\n#SBATCH -p <script> --gres=gpu:8 -t 10\nmodule load gromacs\n")
    main(["check", "--summary", "--format=html", "."])
    page = _Page()
    page.feed(capsysbinary.readouterr().out.decode())
    assert "script" not in page.tags
    assert "<script>" in page.text
    assert "gromacs" in page.text


@pytest.mark.parametrize(
    "args",
    [["--summary", "--format=sarif"], ["--summary", "--fix"], ["--summary", "--diff"], ["--format=html"]],
    ids=" ".join,
)
def test_what_does_not_go_together_is_wrong_usage(
    tree: Path, args: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["check", *args, "."]) == 2
    assert b"--" in capsysbinary.readouterr().err


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        (MODULE, "gromacs/2023.1", "gromacs"),
        (MODULE, "compiler/gcc/7.5", "compiler/gcc"),
        (MODULE, "mpi/openmpi-x86_64", "mpi/openmpi-x86_64"),
        (MODULE, "2022", "2022"),
        (MODULE, "R/v4/default", "R"),
        (MODULE, "python/3.9-anaconda-2021.11", "python/3.9-anaconda-2021.11"),
        (PATH, "/scratch/me", "/scratch"),
        (PATH, "/n/lab/x", "/n/lab"),
        (PATH, "~/tools", "~/tools"),
    ],
)
def test_one_line_of_a_profile_is_one_row(kind: str, name: str, line: str) -> None:
    assert line_of(kind, name) == line


PROFILE = """\
partitions:
  dgx: {gpu: h100}
  nobody: {gpu: a100}
modules:
  gromacs: nothing
  "gomacs/*": nothing
paths:
  /project: volume://p
  /archive: volume://a
"""


def unused(capsysbinary: pytest.CaptureFixture[bytes], *args: str) -> list[tuple[str, int, str]]:
    main(["check", "--format=json", *args])
    heads = json.loads(capsysbinary.readouterr().out)["diagnostics"]
    found = [each for head in heads for each in (head, *head["gathered"])]
    return [(each["path"], each["line"], each["message"]) for each in found if each["code"] == "FC046"]


def test_line_that_no_job_uses_is_told_at_its_place(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text(PROFILE)
    told = unused(capsysbinary, ".")
    path = ".flowc/profile.yaml"
    assert [(each[0], each[1]) for each in told] == [(path, 3), (path, 6), (path, 9)]
    assert told[0][2] == "no job of 6 files that were checked takes anything of `partitions.nobody`"


@pytest.mark.parametrize("operand", ["free.sbatch", "jobs"])
def test_line_may_be_for_files_that_were_not_checked(
    tree: Path, operand: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text(PROFILE)
    (tree / "jobs").mkdir()
    (tree / "jobs" / "a.sbatch").write_text(HEAD)
    assert unused(capsysbinary, operand) == []


def test_file_that_does_not_compile_may_need_what_it_names(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text("paths: {/archive: volume://a}\n")
    assert len(unused(capsysbinary, ".")) == 1
    (tree / "broken.sbatch").write_text(HEAD + '#SBATCH --nodes="2\nls /archive/x\n')
    assert unused(capsysbinary, ".") == []


def test_unused_line_is_ignored_as_any_finding(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text(PROFILE)
    assert unused(capsysbinary, ".", "--ignore=unused-profile-line") == []
    assert "FC046" in {row["code"] for row in summary(capsysbinary, ".")["findings"]}


def test_unused_lines_are_told_to_people_too(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text(PROFILE)
    main(["check", "--select=FC046", "--strict", "."])
    out = capsysbinary.readouterr().out.decode()
    assert ".flowc/profile.yaml:3:3: error[FC046]" in out
    assert out.endswith("1 error in 6 files\n")
    assert "= also lines 6, 9: no job of 6 files" in out


@pytest.mark.parametrize("text", ["conda: {train: gone.yml}\n", "modules: 3\n", "a: [\n"])
def test_profile_that_cannot_be_read_is_told_once(
    tree: Path, text: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text(text)
    assert main(["check", "--format=concise", "."]) == 1
    captured = capsysbinary.readouterr()
    assert [line.split(b":")[0] for line in captured.out.splitlines()] == [b".flowc/profile.yaml"]
    assert captured.err == b"flowc: error: nothing was checked: the profile is to be mended first\n"
    assert main(["check", "--summary", "--format=json", "."]) == 1
    captured = capsysbinary.readouterr()
    assert captured.out == b""
    assert b".flowc/profile.yaml:1:" in captured.err


def test_what_is_odd_in_a_profile_is_told_once(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / ".flowc").mkdir()
    for operand in (".", "both.sbatch"):
        (tree / ".flowc" / "profile.yaml").write_text("variables: {API_KEY: x}\n")
        main(["check", "--format=concise", operand])
        assert capsysbinary.readouterr().out.count(b"FC451") == 1
