"""The one list of Debian packages that tests need, and the script that installs them or names them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/install_packages"


def row(line: str) -> tuple[str, set[str], str]:
    package, rest = line.split(maxsplit=1)
    parts, purpose = re.split(r"\s{2,}", rest, maxsplit=1)
    return package, set(parts.split()), purpose


TABLE = [
    row(line) for line in (ROOT / "tests/packages.txt").read_text().splitlines() if line and not line.startswith("#")
]


def test_each_package_stands_once_with_parts_that_exist_and_a_purpose() -> None:
    names = [package for package, _, _ in TABLE]
    assert sorted(names) == sorted(set(names))
    targets = set(re.findall(r"(?m)^test-?([a-z]*):", (ROOT / "Makefile").read_text()))
    for package, parts, purpose in TABLE:
        assert parts <= {"test", "ci"} | targets, package
        assert purpose


def test_what_tests_ask_for_stands_in_it() -> None:
    names = {package for package, _, _ in TABLE}
    asked = set()
    for path in (ROOT / "tests").rglob("*.py"):
        asked.update(re.findall(r"\bprogram\(\"[\w.-]+\", \"([\w.-]+)\"\)", path.read_text()))
    assert len(asked) > 2
    assert asked <= names


def test_there_is_no_other_list() -> None:
    for path in (".ci/run", "Makefile"):
        text = (ROOT / path).read_text()
        found = [line for line in text.splitlines() if "apt-get install" in line and "python3-venv" not in line]
        assert not found, path
    assert "tests/install_packages\n" in (ROOT / ".ci/run").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Programs of a machine that has make and nothing else; what was asked of apt-get is written to `calls`."""
    programs = {
        "dpkg-query": '[ "${!#}" = make ] && echo installed',
        "apt-get": f'echo "$*" >>{tmp_path}/calls; exit ${{APT_STATUS:-0}}',
        "id": "echo $USER_ID",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run(machine: Path, *parts: str, **environ: str) -> subprocess.CompletedProcess[str]:
    # The file that keeps services from starting stands among those of this machine, not of the real one.
    text = SCRIPT.read_text().replace("/usr/sbin/policy-rc.d", f"{machine}/policy-rc.d")
    copy = machine / "install_packages"
    copy.write_text(text)
    (machine / "packages.txt").write_text((ROOT / "tests/packages.txt").read_text())
    environ = {"PATH": f"{machine}:{os.environ['PATH']}", **environ}
    done = subprocess.run(["sh", copy, *parts], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (machine / "policy-rc.d").exists()
    return done


def calls(machine: Path) -> list[str]:
    path = machine / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_root_has_what_a_part_needs_installed(machine: Path) -> None:
    run(machine, "test", USER_ID="0")
    update, install = calls(machine)
    assert update.startswith("update")
    wanted = {package for package, parts, _ in TABLE if "test" in parts and package != "make"}
    assert wanted <= set(install.split())
    assert not {"make", "python3-venv", "user-mode-linux"} & set(install.split())


def test_all_parts_where_none_is_named(machine: Path) -> None:
    run(machine, USER_ID="0")
    assert {package for package, _, _ in TABLE} - {"make"} <= set(calls(machine)[1].split())


def test_others_are_told_what_to_run(machine: Path) -> None:
    done = run(machine, "test", USER_ID="1000")
    assert not calls(machine)
    assert "  sudo apt-get install --no-install-recommends git slurm-client " in done.stderr
    assert " fdisk " in done.stderr


def test_what_cannot_be_installed_is_said(machine: Path) -> None:
    done = run(machine, "test", USER_ID="0", APT_STATUS="100")
    assert "tests that need them will skip" in done.stderr


def test_machine_without_apt_is_left_alone(machine: Path) -> None:
    (machine / "apt-get").unlink()
    (machine / "dpkg-query").unlink()
    for name in ("sh", "id", "dirname"):
        if not (machine / name).exists():
            (machine / name).symlink_to(f"/bin/{name}")
    environ = {"PATH": str(machine), "USER_ID": "0"}
    done = subprocess.run(["/bin/sh", SCRIPT], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
