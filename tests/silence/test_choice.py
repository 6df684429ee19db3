"""What `flowc check` shows, by flags, settings and a baseline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flowc.cli import main
from flowc.silence.choice import matches

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --gpus=h100:8\n"
PATHS = f"{HEAD}ls /scratch/run\n"
MODULES = f"{HEAD}module load nosuchthing\nls /scratch/run\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "old").mkdir()
    (tmp_path / "a.sbatch").write_text(PATHS)
    (tmp_path / "old" / "b.sbatch").write_text(MODULES)
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[str, str]]:
    main(["check", "--format", "json", *words])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    # What one help mends is one finding, of several codes.
    return sorted((each["path"], each["code"]) for head in found for each in (head, *head.get("gathered", ())))


ALL = [("a.sbatch", "FC820"), ("old/b.sbatch", "FC812"), ("old/b.sbatch", "FC820")]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ((), ALL),
        (("--ignore", "FC820"), ALL[1:2]),
        (("--ignore", "fc820,FC812"), []),
        (("--ignore", "cluster-path"), ALL[1:2]),
        (("--ignore", "FC8"), []),
        (("--select", "FC812"), ALL[1:2]),
        (("--select", "all", "--ignore", "FC812"), [ALL[0], ALL[2]]),
        (("--severity", "error"), []),
        (("--severity", "warning"), ALL),
        (("--exclude", "old"), ALL[:1]),
        (("--exclude", "./old/"), ALL[:1]),
        (("--exclude", "b.*"), ALL[:1]),
        (("--exclude", "old/*.sbatch"), ALL[:1]),
    ],
)
def test_flags(folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], left: object) -> None:
    assert shown(capsys, *words, ".") == left


@pytest.mark.parametrize(
    ("file", "text", "left"),
    [
        (".flowc.toml", 'ignore = ["FC820"]\n', ALL[1:2]),
        ("pyproject.toml", '[tool.flowc]\nselect = ["module-missing"]\n', ALL[1:2]),
        (".flowc.toml", 'exclude = ["old"]\n', ALL[:1]),
        (".flowc.toml", 'severity = "error"\n', []),
        (".flowc.toml", 'per-file-ignores = ["old/*:FC820", "a.*: FC8"]\n', ALL[1:2]),
    ],
)
def test_settings(folder: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, left: object) -> None:
    (folder / file).write_text(text)
    assert shown(capsys, ".") == left


def test_a_flag_wins_over_settings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".flowc.toml").write_text('ignore = ["FC820"]\n')
    assert shown(capsys, "--ignore", "FC812", ".") == [ALL[0], ALL[2]]


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (("--ignore", "cluster-paht"), "", "did you mean `cluster-path`?"),
        (("--select", "X1"), "", "`X1` is no code"),
        (("--severity", "warn"), "", "does not know `warn`"),
        ((), 'ignore = ["cluster-paht"]\n', ".flowc.toml, ignore: `cluster-paht` is no code"),
        ((), "slurm_version = [1, 2]\n", "`slurm_version` is to be a text"),
        ((), 'severity = "loud"\n', "there is no severity `loud`"),
        ((), 'per-file-ignores = ["FC820"]\n', "`FC820` is no pattern of files and a code"),
        (("--unsafe-fixes",), "", "add `--fix` or `--diff`"),
        (("--diff", "--format", "json"), "", "`--diff` is a format of its own"),
        (("--baseline", "none.json"), "", "cannot read the baseline `none.json`: no such file"),
    ],
)
def test_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], settings: str, said: str
) -> None:
    if settings:
        (folder / ".flowc.toml").write_text(settings)
    assert main(["check", *words, "."]) == 2
    assert said in capsys.readouterr().err


def test_a_hook_passes_over_what_is_excluded_though_it_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".flowc.toml").write_text('exclude = ["old"]\n')
    assert shown(capsys, "--only-jobs", "a.sbatch", "old/b.sbatch") == ALL[:1]
    assert shown(capsys, "a.sbatch", "old/b.sbatch") == ALL


def test_what_is_ignored_is_no_failure(folder: Path) -> None:
    assert main(["check", "--strict", "."]) == 1
    assert main(["check", "--strict", "--ignore", "FC8", "."]) == 0


def test_quiet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-q", "--ignore", "FC8", "."]) == 0
    assert capsys.readouterr().out == ""


class TestBaseline:
    def test_only_what_is_new_is_shown(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--add-ignores", "--baseline", "known.json", "."]) == 0
        assert "kept 3 findings in known.json" in capsys.readouterr().err
        assert shown(capsys, "--baseline", "known.json", ".") == []
        # It may move; a second one is new, and so is a line that was changed.
        (folder / "a.sbatch").write_text(PATHS.replace("ls", "hostname\nls"))
        assert shown(capsys, "--baseline", "known.json", ".") == []
        (folder / "a.sbatch").write_text(PATHS.replace("run", "other"))
        assert shown(capsys, "--baseline", "known.json", ".") == ALL[:1]

    @pytest.mark.parametrize(
        "text", ["", "{}", "[" * 100_000, '{"format": "flowc.baseline/1", "findings": {"a": "b"}}']
    )
    def test_what_is_none_is_refused(self, folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
        (folder / "known.json").write_text(text)
        assert main(["check", "--baseline", "known.json", "."]) == 2
        assert "`known.json` is no baseline of flowc" in capsys.readouterr().err


class TestAddIgnores:
    def test_it_is_silent_afterwards(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--add-ignores", "."]) == 0
        assert "wrote a comment into 2 files" in capsys.readouterr().out
        assert (folder / "a.sbatch").read_text() == PATHS.replace("\n", "\n# flowc: ignore-file[FC820]\n", 1)
        assert shown(capsys, ".") == []
        assert main(["check", "--add-ignores", "."]) == 0
        assert "wrote a comment into 0 files" in capsys.readouterr().out

    def test_with_diff_it_only_shows_them(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--add-ignores", "--diff", "a.sbatch"]) == 1
        shown = capsys.readouterr().out
        assert "+# flowc: ignore-file[FC820]\n" in shown
        assert "would write a comment into 1 file" in shown
        assert (folder / "a.sbatch").read_text() == PATHS

    def test_errors_stay(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "a.sbatch").write_text("#!/bin/bash\n#SBATCH --nodes=x\nhostname\n")
        assert main(["check", "--add-ignores", "a.sbatch"]) == 1


class TestDiff:
    TEXT = "#!/bin/bash\n#SBATCH --gpus=h100:8 --tmie=10\nhostname\n"

    def test_it_shows_what_fix_does_and_does_nothing(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "c.sbatch").write_text(self.TEXT)
        assert main(["check", "--diff", "c.sbatch"]) == 1
        shown = capsys.readouterr().out
        assert "-#SBATCH --gpus=h100:8 --tmie=10\n+#SBATCH --gpus=h100:8 --time=10\n" in shown
        assert (folder / "c.sbatch").read_text() == self.TEXT
        done = subprocess.run(["patch", "-p1"], input=shown.rpartition("would fix")[0], text=True, check=False)
        assert done.returncode == 0
        applied = (folder / "c.sbatch").read_text()
        (folder / "c.sbatch").write_text(self.TEXT)
        main(["check", "--fix", "c.sbatch"])
        assert applied == (folder / "c.sbatch").read_text()

    def test_nothing_to_change(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--diff", "a.sbatch"]) == 0
        assert "+++" not in capsys.readouterr().out


def test_standard_input_has_a_name(folder: Path) -> None:
    (folder / ".flowc.toml").write_text('per-file-ignores = ["jobs/*:FC820"]\n')
    words = (sys.executable, "-m", "flowc", "check", "--format", "json", "-")
    for more, number in (((), 1), (("--stdin-filename", "jobs/x.sbatch"), 0)):
        done = subprocess.run([*words, *more], input=PATHS, capture_output=True, text=True, check=False)
        assert len(json.loads(done.stdout)["diagnostics"]) == number, done.stderr


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("a/b/c.sh", "c.sh", True),
        ("a/b/c.sh", "*.sh", True),
        ("./a/b/c.sh", "a", True),
        ("a/b/c.sh", "b", True),
        ("a/b/c.sh", "a/b", True),
        ("a/b/c.sh", "a/*/c.sh", True),
        ("a/b/c.sh", "A", False),
        ("a/b/c.sh", "c", False),
        ("a/b/c.sh", "b/c.sh", False),
    ],
)
def test_patterns(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, (pattern,)) is fits
