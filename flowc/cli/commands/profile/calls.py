"""Which programs the text of a job file calls, and which variables it reads, at a glance."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Where a command's name may stand, or a variable that names a compiler.
_BEFORE = r"(?m)(?:^|[;&|(]|\$\(|\b(?:srun|time|then|do|else|exec|env|[A-Z][A-Z0-9_]*=))[ \t]*\"?(?:[^\s\"'#;&|()=]*/)?"


def called_in(path: str, programs: Iterable[str]) -> set[str]:
    """Those of the programs that the file calls; none where it cannot be read."""
    names = "|".join(re.escape(each) for each in programs)
    return set(re.findall(rf"{_BEFORE}({names})(?![\w.=/-])", _text_of(path))) if names else set()


def read_in(path: str, variables: str) -> set[str]:
    """The variables like this that the file reads and does not set itself; none where it cannot be read."""
    text = _text_of(path) if variables else ""
    read = set(re.findall(rf"\$\{{?({variables})(?!\w)", text)) if text else set()
    return {each for each in read if not re.search(rf"(?<!\w){each}=", text)}


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
