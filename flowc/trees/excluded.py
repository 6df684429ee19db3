"""Ignore files that rsync reads, as SkyPilot has it do (`--filter='dir-merge,- .skyignore'`): each line leaves
something out, below the folder of its file, and none takes that back."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLASSES = {b"alpha": b"A-Za-z", b"digit": b"0-9", b"alnum": b"A-Za-z0-9", b"upper": b"A-Z", b"lower": b"a-z",
            b"space": rb"\s", b"xdigit": b"0-9A-Fa-f"}  # fmt: skip
_BRACKET = re.compile(rb"\[[!^]?\]?(?:\[:\w+:\]|\\.|[^\]])*\]", re.S)


def excluded(folder: bytes, name: bytes) -> Callable[[bytes], bool]:
    """Whether a path below the folder, with a slash at its end where it is a folder, is left out by its ignore files of
    that name. Raises OSError."""
    found: list[bytes] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each != b".git"]
        if name in files:
            below = os.path.relpath(place, folder)
            with open(os.path.join(place, name), "rb") as file:
                text = file.read()
            above = b"" if below == b"." else re.escape(below) + b"/"
            found += [above + each for each in _patterns(text)]
    match = re.compile(b"(?:" + b"|".join(found) + rb")\Z" if found else rb"\Z.", re.S).match
    return lambda path: match(path) is not None


def _patterns(text: bytes) -> Iterator[bytes]:
    """Each line as a regular expression for a path below its file."""
    for line in text.replace(b"\r\n", b"\n").split(b"\n"):
        if not line.strip() or line[:1] in (b"#", b";"):
            continue
        line = line[:-3] if line.endswith(b"/***") else line
        start = b"" if line[:1] == b"/" else b"(?:.*/)?"  # wherever a part of the path begins
        end = b"" if line.endswith(b"/") else b"/?"
        yield start + _expression(line.removeprefix(b"/").removeprefix(b"**/" if start else b"")) + end


def _expression(glob: bytes) -> bytes:
    # Without these signs rsync takes each character for what it is.
    if not any(sign in glob for sign in (b"*", b"?", b"[")):
        return re.escape(glob)
    found, at = b"", 0
    while at < len(glob):
        sign, bracket = glob[at : at + 1], _BRACKET.match(glob, at)
        if sign == b"*":
            stop = at + len(glob[at:]) - len(glob[at:].lstrip(b"*"))
            found += b"[^/]*" if stop - at == 1 else b".*"
            at = stop
        elif sign == b"?":
            found, at = found + b"[^/]", at + 1
        elif bracket is not None:
            found, at = found + _set(bracket[0][1:-1]), bracket.end()
        else:
            at += sign == b"\\" and at + 1 < len(glob)
            found, at = found + re.escape(glob[at : at + 1]), at + 1
    return found


def _set(inner: bytes) -> bytes:
    """What stands in brackets; never a slash."""
    negated = inner[:1] in (b"!", b"^")
    inner = inner[negated:]
    for name, signs in _CLASSES.items():
        inner = inner.replace(b"[:" + name + b":]", signs)
    inner = inner.replace(b"[", rb"\[").replace(b"]", rb"\]")
    return (b"(?!/)[^" if negated else b"(?!/)[") + inner + b"]"
