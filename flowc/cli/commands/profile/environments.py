"""Files of conda environments in a tree: which environment each makes."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_BYTES = 100_000
_name = re.compile(r"(?m)^name:[ \t]*[\"']?([A-Za-z0-9_][A-Za-z0-9_.+-]*)[\"']?[ \t]*(?:#.*)?$")
_dependencies = re.compile(r"(?m)^dependencies:")


def environment_files(folders: Iterable[str]) -> dict[str, str]:
    """The names of environments, each with the absolute path of the file that makes it. What several files make in
    different ways is left out."""
    found: dict[str, dict[str, str]] = {}
    for path in _candidates(folders):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read(_MOST_BYTES)
        except (OSError, ValueError):
            continue
        name = _name.search(text)
        if name is not None and _dependencies.search(text):
            found.setdefault(name[1], {}).setdefault(text, os.path.abspath(path))
    return {name: next(iter(paths.values())) for name, paths in found.items() if len(paths) == 1}


def _candidates(folders: Iterable[str]) -> Iterator[str]:
    """Those that are called as such files are: environment.yml, env-gpu.yaml, conda.yml."""
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = sorted(name for name in names if name[0] != ".")
            for name in sorted(files):
                lower = name.lower()
                if lower.endswith((".yml", ".yaml")) and ("env" in lower or "conda" in lower):
                    yield os.path.join(parent, name)
