"""Files and functions stay small enough to be read at one go."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE = 400
MAX_FUNCTION = 60
# Taken over as it is from another source, or made by a program.
NOT_OURS = ("flowc/_compiled/", "tests/boot/oracle/", "tests/oracle/")


def sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py", "*.lark", "*.j2"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and not name.startswith(NOT_OURS) and (ROOT / name).exists()]


def too_long(path: Path) -> list[str]:
    text = path.read_text()
    found = [f"{len(text.splitlines())} lines"] if len(text.splitlines()) > MAX_FILE else []
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                found += [f"{node.name} has {length} lines"] if length > MAX_FUNCTION else []
    return [f"{path.relative_to(ROOT)}: {each}" for each in found]


def test_files_can_be_read_at_one_go() -> None:
    files = sources()
    assert len(files) > 1000
    assert [each for path in files for each in too_long(path)] == []


def test_a_long_file_and_a_long_function_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "long.py").write_text("def long():\n" + "    pass\n" * MAX_FILE)
    (tmp_path / "fits.py").write_text("def fits():\n" + "    pass\n" * (MAX_FUNCTION - 1))
    assert too_long(tmp_path / "long.py") == ["long.py: 401 lines", "long.py: long has 401 lines"]
    assert too_long(tmp_path / "fits.py") == []
