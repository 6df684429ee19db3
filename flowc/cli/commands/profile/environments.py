"""Files of environments in a tree: which environment of conda each makes, and what virtual ones were made of."""

from __future__ import annotations

import os
import re

from flowc.profile.venvs import of_this_computer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_BYTES = 100_000
_REQUIREMENTS = "requirements.txt"
_name = re.compile(r"(?m)^name:[ \t]*[\"']?([A-Za-z0-9_][A-Za-z0-9_.+-]*)[\"']?[ \t]*(?:#.*)?$")
_dependencies = re.compile(r"(?m)^dependencies:")


def environment_files(folders: Iterable[str]) -> dict[str, str]:
    """The names of environments, each with the absolute path of the file that makes it. What several files make in
    different ways is left out."""
    found: dict[str, dict[str, str]] = {}
    for path in _candidates(folders):
        text = _text_of(path)
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


def requirements_of(paths: Iterable[str], folders: Iterable[str]) -> str | None:
    """The requirements.txt, as an absolute path, that is the nearest above each of these job files within the folders;
    None where that is not one for all, or where it asks for what is on one computer alone."""
    ends = {os.path.abspath(each) for each in folders}
    found = {_nearest(os.path.dirname(os.path.abspath(path)), ends) for path in paths}
    only = found.pop() if len(found) == 1 else None
    return only if only is not None and of_this_computer(_text_of(only)) is None else None


def _nearest(folder: str, ends: set[str]) -> str | None:
    while True:
        path = os.path.join(folder, _REQUIREMENTS)
        if os.path.isfile(path) and _text_of(path).strip():
            return path
        parent = os.path.dirname(folder)
        if folder in ends or parent == folder:
            return None
        folder = parent


def _text_of(path: str) -> str:
    """What is in a file; nothing where it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MOST_BYTES)
    except (OSError, ValueError):
        return ""
