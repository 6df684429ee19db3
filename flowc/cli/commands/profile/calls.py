"""Which programs the text of a job file calls, at a glance."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Where a command's name may stand, or a variable that names a compiler.
_BEFORE = r"(?m)(?:^|[;&|(]|\$\(|\b(?:srun|time|then|do|else|exec|env|[A-Z][A-Z0-9_]*=))[ \t]*\"?(?:[^\s\"'#;&|()=]*/)?"


def called_in(path: str, programs: Iterable[str]) -> set[str]:
    """Those of the programs that the file calls; none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return set()
    names = "|".join(re.escape(each) for each in programs)
    return set(re.findall(rf"{_BEFORE}({names})(?![\w.=/-])", text))
