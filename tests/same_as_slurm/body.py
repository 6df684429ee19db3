"""The job scripts of bodies/, and what their `# compare:` comments say about how to run and compare them.

# compare: sorted                 the order of lines is not defined
# compare: partition=shared       how the real cluster hands out nodes; see cluster.py (default: whole)
# compare: options=-n 2           sbatch's command line, before the name of the script
# compare: args=a 'b c'           ... and after it
# compare: file NAME=TEXT         a file in the working directory; escapes as in printf
# compare: dir=NAME               a folder in the working directory
# compare: settle=2.5             seconds to wait after the end, for what must not come
# compare: long                   many seconds of the processor: only the slow suite runs it

A folder of bodies/ is a theme; its golden.json holds what the real Slurm made of each body.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "bodies"
THEMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
MARK = re.compile(r"(?m)^# compare: *(\w+)(?: ([\w./-]+))?(?:=(.*))?$")
# What a body left behind, as `Outcome.plain` gives it.
Plain = dict[str, Any]


class Body:
    """One job script. ValueError for a comment that says nothing of the above."""

    def __init__(self, path: Path) -> None:
        self.path, self.name, self.theme = path, path.stem, path.parent.name
        self.script = path.read_bytes()
        self.ordered, self.partition, self.settle, self.long = True, "whole", 0.2, False
        self.options: list[str] = []
        self.args: list[str] = []
        self.files: dict[str, str] = {}
        self.folders: list[str] = []
        for key, name, value in MARK.findall(self.script.decode("utf-8", "surrogateescape")):
            if key == "sorted":
                self.ordered = False
            elif key == "long":
                self.long = True
            elif key == "settle":
                self.settle = float(value)
            elif key == "partition":
                self.partition = value
            elif key == "options":
                self.options = shlex.split(value)
            elif key == "args":
                self.args = shlex.split(value)
            elif key == "file":
                self.files[name] = value.encode().decode("unicode_escape")
            elif key == "dir":
                self.folders.append(value)
            else:
                raise ValueError(f"{path}: unknown `# compare: {key}`")

    @property
    def waits(self) -> bool:
        """It takes a minute or more, but no more of the processor than others."""
        return self.partition == "slow"

    @property
    def interpreter(self) -> str:
        """The program of its first line, without a path."""
        words = self.script.split(b"\n", 1)[0].decode().removeprefix("#!").split()
        return Path(words[1] if words[0].endswith("/env") else words[0]).name


def bodies(pattern: str = "", theme: str | None = None) -> list[Body]:
    """All of a theme (None: of every theme) in whose THEME/NAME the regular expression is found."""
    found = [Body(path) for path in sorted(FOLDER.glob(f"{theme or '*'}/*.sbatch"))]
    return [body for body in found if re.search(pattern, f"{body.theme}/{body.name}")]


def read_golden(theme: str) -> dict[str, Plain]:
    """What Slurm made of the bodies of a theme, by name."""
    path = FOLDER / theme / "golden.json"
    found: dict[str, Plain] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write_golden(outcomes: dict[str, Plain]) -> None:
    """Put these outcomes in the place of those that were kept; what is kept of bodies that are gone goes."""
    for theme in THEMES:
        names = {body.name for body in bodies(theme=theme)}
        kept = {**read_golden(theme), **{name: each for name, each in outcomes.items() if name in names}}
        text = json.dumps({name: kept[name] for name in sorted(kept) if name in names}, indent=1)
        (FOLDER / theme / "golden.json").write_text(text + "\n")
