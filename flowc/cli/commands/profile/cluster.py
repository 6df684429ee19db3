"""`flowc profile import`: a cluster's slurm.conf as a profile."""

from __future__ import annotations

import os
import re
import sys

from flowc import profile
from flowc.cli import terminal
from flowc.cli.checking.fix import write_new
from flowc.cli.status import DONE, ERRORS, WORLD_FAILED
from flowc.diag.sink import Sink
from flowc.profile.cluster.conf import ConfError, read
from flowc.profile.cluster.nodes import cluster
from flowc.profile.cluster.written import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.profile.cluster.conf import Line

_DEFAULT = os.path.join(".flowc", "profile.yaml")
_section = re.compile(r"(?m)^(partitions|constraints|defaults|cluster)[ \t]*:")


def run_import(words: Words) -> int:
    """The exit status."""
    lines: list[Line] = []
    gres: list[Line] = []
    try:
        for path in words.operands[1:]:
            (gres if os.path.basename(path).startswith("gres") else lines).extend(read(path))
        text = written(cluster(lines, gres))
    except ConfError as error:
        place = error.path if error.span is None else f"{error.path}:{error.span.line}"
        terminal.write(sys.stderr, f"flowc: error: {place}: {error.reason}\n")
        return ERRORS if error.span is not None else WORLD_FAILED
    wanted = words.text("output")
    if wanted == "-":
        terminal.write(sys.stdout, text, encoding="utf-8")
        return DONE
    return _write(wanted or _DEFAULT, text)


def _write(target: str, text: str) -> int:
    """Into a file, behind what it has, unless that speaks of partitions already."""
    try:
        before = ""
        if os.path.exists(target):
            with open(target, encoding="utf-8") as file:
                before = file.read()
        there = _section.search(before)
        if there is not None or (before and profile.load(target, Sink()) is None):
            why = f"it has `{there[1]}` already" if there is not None else "it is no profile"
            terminal.write(sys.stderr, f"flowc: error: {target}: {why}; `-o -` shows what would be written\n")
            return ERRORS
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        write_new(target, (before + ("\n" if before else "") + text).encode())
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        terminal.write(sys.stderr, f"flowc: error: cannot write `{target}`: {reason}\n")
        return WORLD_FAILED
    terminal.write(sys.stdout, f"wrote {target}\n")
    return DONE
