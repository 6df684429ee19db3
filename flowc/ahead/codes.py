"""The step of diagnostics: the ids and names of all, so that who names some in settings does not load every module that
has one. It runs in a process of its own, which sees the other modules as they now are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from pprint import pformat


def compile_codes(root: Path) -> dict[str, str]:
    """As they stand on disk."""
    done = subprocess.run(
        [sys.executable, "-m", "flowc.ahead.codes"], cwd=root, check=True, capture_output=True, text=True
    )
    return {"code_names.py": done.stdout}


def text() -> str:
    from flowc.diag.codes.table import all_codes

    return f"NAMES = {pformat({code.id: code.name for code in all_codes()}, width=106)}\n"


if __name__ == "__main__":
    sys.stdout.write(text())
