"""A job of jobs/, and the packages that it needs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.same_as_slurm.body import Body

JOBS = sorted((Path(__file__).parent / "jobs").glob("*.sbatch"))
FOLDER = Path(os.environ.get("FLOWC_FRAMEWORKS", "/var/tmp/flowc-frameworks"))
INSTALL_S = 900


class FrameworkJob(Body):
    """A body with packages; `folder` is theirs, `expected` are expressions with the number of lines that each fits,
    `alone` is why the real Slurm does not run it, if it does not."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        text = self.script.decode()
        self.packages = " ".join(re.findall(r"(?m)^# packages: (.*)$", text)).split()
        alone = re.search(r"(?m)^# alone: (.*)$", text)
        self.alone = alone[1] if alone else None
        rows = re.findall(r"(?m)^# expect: (?:(\d+) x )?(.*)$", text)
        self.expected = [(line, int(count or 1)) for count, line in rows]
        key = hashlib.sha256(" ".join([sys.version, *sorted(self.packages)]).encode()).hexdigest()[:12]
        self.folder = FOLDER / f"{self.name}-{key}"
        self.script = text.replace("@PACKAGES@", str(self.folder)).encode()
        self.theme = "frameworks"

    def install(self) -> None:
        """The packages, unless they are there; CalledProcessError where pip fails."""
        done = self.folder / "installed"
        if done.exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        # The Python of the machines: another one may lie where these do not see it.
        python = "/usr/bin/python3"
        subprocess.run([python, "-m", "venv", "--without-pip", self.folder], check=True)
        pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--python", self.folder / "bin/python"]
        subprocess.run([*pip, "install", *self.packages], check=True, timeout=INSTALL_S)
        done.touch()

    def lacking(self, output: str) -> list[str]:
        """The expressions that too few lines of the output fit."""
        lines = output.splitlines()
        return [line for line, count in self.expected if sum(bool(re.search(line, each)) for each in lines) < count]
