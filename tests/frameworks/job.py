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
from tests.same_as_slurm.outcome import Outcome

JOBS = sorted((Path(__file__).parent / "jobs").glob("**/*.sbatch"))
FOLDER = Path(os.environ.get("FLOWC_FRAMEWORKS", "/var/tmp/flowc-frameworks"))
INSTALL_S = 900


class FrameworkJob(Body):
    """A body with packages; `folder` is theirs, `expected` are expressions with the number of lines that each fits,
    `alone` is why the real Slurm does not run it, if it does not, `debian` are packages that must be there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        text = self.script.decode()
        self.packages = " ".join(re.findall(r"(?m)^# packages: (.*)$", text)).split()
        self.debian = " ".join(re.findall(r"(?m)^# debian: (.*)$", text)).split()
        alone = re.search(r"(?m)^# alone: (.*)$", text)
        self.alone = alone[1] if alone else None
        rows = re.findall(r"(?m)^# expect: (?:(\d+) x )?(.*)$", text)
        self.expected = [(line, int(count or 1)) for count, line in rows]
        self.noise = re.findall(r"(?m)^# noise: (.*)$", text)
        self.leaves = re.findall(r"(?m)^# leaves: (.*)$", text)
        if path.parent.name == path.stem:
            self.files |= {each.name: each.read_text() for each in path.parent.iterdir() if each != path}
        key = hashlib.sha256(" ".join([sys.version, *sorted(self.packages)]).encode()).hexdigest()[:12]
        self.folder = FOLDER / f"{self.name}-{key}"
        self.script = text.replace("@PACKAGES@", str(self.folder)).encode()
        self.theme = "frameworks"

    def install(self) -> None:
        """The packages, unless they are there; CalledProcessError where pip fails."""
        done = self.folder / "installed"
        if done.exists() or not self.packages:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        # The Python of the machines: another one may lie where these do not see it.
        python = "/usr/bin/python3"
        subprocess.run([python, "-m", "venv", "--without-pip", self.folder], check=True)
        pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--python", self.folder / "bin/python"]
        # The tests have no cache folder, and pip builds no wheel without one.
        environ = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
        subprocess.run([*pip, "install", *self.packages], check=True, timeout=INSTALL_S, env=environ)
        done.touch()

    def absent(self) -> list[str]:
        """The Debian packages that are not there."""
        asked = ["dpkg-query", "-W", "-f", "${db:Status-Status}"]
        return [
            each
            for each in self.debian
            if subprocess.run([*asked, each], capture_output=True, text=True, check=False).stdout != "installed"
        ]

    def versions(self) -> str:
        """What is compared, for a reader."""
        shown = [each.replace("==", " ") for each in self.packages]
        for each in self.debian:
            words = ["dpkg-query", "-W", "-f", "${Package} ${Version}", each]
            shown.append(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        return " ".join(shown)

    def lacking(self, output: str) -> list[str]:
        """The expressions that too few lines of the output fit."""
        lines = output.splitlines()
        return [line for line, count in self.expected if sum(bool(re.search(line, each)) for each in lines) < count]

    def quiet(self, outcome: Outcome) -> Outcome:
        """Without the files and the lines of output that differ from run to run."""
        kept = {
            path: content
            for path, content in outcome.files.items()
            if not any(re.search(each, path) for each in self.leaves)
        }
        if self.noise:
            noise = re.compile("|".join(self.noise).encode())
            for path in [each for each in kept if each.startswith("slurm-")]:
                lines = kept[path].splitlines(keepends=True)
                kept[path] = b"".join(line for line in lines if not noise.search(line))
        return Outcome(
            outcome.tasks, kept, workdir=outcome.workdir, ids=outcome.ids, names=outcome.names, said=outcome.said
        )
