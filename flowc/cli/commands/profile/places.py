"""Paths of a cluster at which a tree of job files itself was: what scripts name below them is in the tree."""

from __future__ import annotations

import os
import re

from flowc.diag.lacks import root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST_BYTES = 200_000
_LEAST_TAILS = 2  # one name may be there by chance
_path = re.compile(r"(?:(?<![\w$}./~-])/[A-Za-z][\w.+-]*|(?<![\w/])(?:~|\$HOME|\$\{HOME\}))(?:/[\w.+-]+)+")
_home = re.compile(r"\A\$(?:HOME|\{HOME\})/")
# Names of folders that many trees have.
_ANY_NAME = ("code", "data", "jobs", "main", "project", "projects", "repo", "scripts", "slurm", "test", "tests", "work")
_LEAST_NAME = 4
_variable = re.compile(
    r"(?m)^[ \t]*(?:(?:export|local|readonly|declare(?: -\w+)?)[ \t]+)?([A-Za-z_]\w*)=([\"']?)(/[\w./+-]+)\2[ \t]*$"
)
_read = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
# What stands in front of a path that is asked for, made, or written to.
_not_read = re.compile(r"(?:(?:^|\s)-[a-zA-Z]|mkdir|>|--[\w-]*(?:out|log|save)[\w-]*[= ]?)[ \t]*[\"']?\Z")


def own_places(lacking: Mapping[str, Iterable[str]], folders: Iterable[str]) -> dict[str, tuple[str, set[str]]]:
    """Where the tree was, each with the absolute path of its folder, and the files that name something there.
    `lacking`: the paths that each file lacks. Only where all that these read below is in the folder, so that nothing
    which is missing looks as if it were there."""
    named: dict[str, set[str]] = {}
    for path, lacks in lacking.items():
        roots = {root(each) for each in lacks}
        for each in _read_in(path):
            if root(each) in roots:
                named.setdefault(each, set()).add(path)
    found: dict[str, tuple[str, set[str]]] = {}
    for folder in folders:
        if os.path.isdir(folder):
            for place in _places(named, folder):
                files = {file for each in named if _is_below(each, place) for file in named[each]}
                found.setdefault(place, (os.path.abspath(folder), files))
    return found


def _places(named: Iterable[str], folder: str) -> Iterator[str]:
    tails: dict[str, set[str]] = {}
    name = os.path.basename(os.path.abspath(folder))
    own = name if len(name) >= _LEAST_NAME and name.lower() not in _ANY_NAME else None
    for each in named:
        parts = each.split("/")
        first = 2 if parts[0] else 3  # of `~/code/x` and `/home/USER/code/x`
        for at in range(first, len(parts) + 1):
            tail, place = "/".join(parts[at:]), "/".join(parts[:at])
            # A folder that is called as the tree is needs no more to be known by.
            if parts[at - 1] == own:
                tails.setdefault(place, set()).update(map(str, range(_LEAST_TAILS)))
            elif tail and os.path.isfile(os.path.join(folder, tail)):
                tails.setdefault(place, set()).add(tail)
    for place, there in tails.items():
        below = [each.removeprefix(place).strip("/") for each in named if _is_below(each, place)]
        if len(there) >= _LEAST_TAILS and all(os.path.exists(os.path.join(folder, each)) for each in below):
            yield place


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/")


def start_of(path: str) -> str:
    """What is looked at of a file; nothing where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return ""


def _read_in(path: str) -> set[str]:
    """The whole paths that a text names but in comments, with those of its variables put in, without those that it
    asks for, makes or writes to."""
    text = "\n".join(line for line in start_of(path).split("\n") if not line.lstrip().startswith("#"))
    values: dict[str, str] = {}
    for name, _, value in _variable.findall(text):
        values.setdefault(name, value)
    if values:
        text = _read.sub(lambda match: values.get(match[1] or match[2], match[0]), text)
    found, left_out = set[str](), set[str]()
    for match in _path.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()].rpartition("\n")[2]
        whole = _home.sub("~/", match[0].rstrip("/."))
        if text[match.end() : match.end() + 1] in ("$", "*", "{", "?") or text[match.end() : match.end() + 2] in (
            "/$",
            "/*",
            "/{",
        ):
            whole += "/*"  # what is meant cannot be told
        (left_out if _not_read.search(before) else found).add(whole)
    return found - left_out
