"""The boot oracle for tests: needs root and a few Debian packages, else the tests skip and say which."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

ORACLE = Path(__file__).parent / "oracle" / "boot_oracle.py"
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "mkfs.ext4": "e2fsprogs",
}
Boot = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def boot(tmp_path_factory: pytest.TempPathFactory) -> Boot:
    """`boot(script, *options)` runs a script as user data and gives the oracle's findings."""
    if os.geteuid() != 0:
        pytest.skip("needs root to boot anything")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [package for name, package in PROGRAMS.items() if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"needs the Debian packages {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("boot")

    def run(script: str, *options: str) -> dict[str, Any]:
        user_data = folder / f"{abs(hash((script, options)))}"
        user_data.write_text(script)
        command = [sys.executable, str(ORACLE), "--user-data", str(user_data), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        assert done.stdout.startswith("{"), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run
