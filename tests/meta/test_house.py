"""Rules of the repository that no other test would notice."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import flowc
from tests.corpus import CASES, load

ROOT = Path(__file__).resolve().parents[2]
# Folders of one machine. The pattern is put together so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(
    rb"(?<![\w.$}])/(?:wo" + rb"rk|fa" + rb"rm|ho" + rb"me/(?!user\b|\$)[a-z]+|ro" + rb"ot/\.py)\b/?"
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.slow  # and a part of `make lint`
def test_compiled_modules_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowc.ahead", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_path_of_a_machine_is_committed() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()!r}"
        for path in tracked()
        if path.suffix != ".sbatch"
        for match in MACHINE_PATHS.finditer(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_public_api_never_prints(case: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, inputs = load(case)
    flowc.compile(source, inputs)
    flowc.check(source.data, inputs, path=source.path)
    assert capfd.readouterr() == ("", "")


def test_only_the_command_line_prints_exits_or_reads_the_environment() -> None:
    found = []
    for path in (ROOT / "flowc").rglob("*.py"):
        # What runs on rented machines speaks there.
        if {"cli", "ahead", "_compiled"} & set(path.parts) or path.name in ("__main__.py", "on_machine.py"):
            continue
        if path == ROOT / "flowc" / "sdk" / "flow.py":  # what a command line is, to who calls from Python
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "exit",
                "sys.exit",
                "os.getenv",
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_every_module_defers_annotations() -> None:
    """But for those that a command loads before the bundle, which would load `__future__` for it; they quote."""
    late = "from __future__ import annotations"
    found = {
        path.relative_to(ROOT / "flowc").as_posix()
        for path in (ROOT / "flowc").rglob("*.py")
        if "_compiled" not in path.parts and late not in (text := path.read_text()) and "def " in text
    }
    assert found == {"__init__.py", "cache.py", "bundle/__init__.py", "cli/__init__.py"}


@pytest.mark.slow
def test_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    # Built from a copy: the build leaves folders beside the sources.
    copy = tmp_path / "source"
    for path in tracked():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(copy)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("flowc-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {str(path.relative_to(ROOT)) for path in tracked() if path.is_relative_to(ROOT / "flowc")}
    # The helper goes into it compiled, where there is a compiler.
    assert {name for name in inside if not name.endswith(".c")} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"flowc"}


def test_numbers_are_read_in_ascii_alone() -> None:
    """`\\d` finds the digits of every script, some of which `int` takes as well: `--budget ٣` is no budget."""
    found = []
    for path in sorted((ROOT / "flowc").rglob("*.py")):
        if {"_compiled", "shell", "body", "scripts"} & set(path.parts):  # they read the text of scripts, no numbers
            continue
        tree = ast.parse(path.read_text())
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        found += [f"{path.relative_to(ROOT)}:{node.lineno}" for node in texts if "\\d" in node.value]
    assert found == []
