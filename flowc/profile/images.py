"""The shell text that lets the machine's docker answer `singularity`, `apptainer` and `enroot`, and what stands in the
place of images that are files."""

from __future__ import annotations

from flowc._compiled.shell_programs import PROGRAMS as _PROGRAMS
from flowc.shell.quote import sh
from flowc.shell.steps import step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PROGRAMS = ("singularity", "apptainer", "enroot")
_END = "END_OF_PROGRAM"
# What prints the reference in the place of an image: by a line of the profile, or because the file holds it.
_IMAGE = """\
#!/bin/bash
case $1 in
%s*) { [ -f "$1" ] && read -r it <"$1" && [ "${it%%%%/*}" = docker: ]; } 2>/dev/null && echo "${it#docker://}" ;;
esac
"""


def setup(images: Iterable[tuple[str, str]], answers: Collection[str], text: str | None = None) -> str:
    """The text of the setup that brings it, and what answers these programs; of enroot what the job's `text` may call.
    What is only written needs no quotes, which would take room."""
    written = {"flowc-image": names(images)}
    if {"singularity", "apptainer"} & {*answers}:
        written["singularity"] = program("singularity", text)
    if "enroot" in answers:
        written["enroot"] = program("enroot", text)
    found = "".join(f"cat >/usr/local/bin/{name} <<'{_END}'\n{each}{_END}\n" for name, each in written.items())
    found += f"chmod 755 {' '.join(f'/usr/local/bin/{name}' for name in written)}\n"
    if "singularity" in written:
        found += "ln -sf singularity /usr/local/bin/apptainer\n"
    return f"{found}{step(program('docker'), 'docker')}" if answers else found.rstrip()


def program(name: str, text: str | None = None) -> str:
    """One of templates/programs, with what a text may call; without a text, all of it."""
    return "".join(part for word, part in _PROGRAMS[name] if text is None or word in text)


def names(images: Iterable[tuple[str, str]]) -> str:
    """The program that knows the images (pattern, reference)."""
    return _IMAGE % "".join(f"{_case(key)}) echo {sh(reference)} ;;\n" for key, reference in images)


def _case(key: str) -> str:
    """A pattern of `case` for a key: of a bare name, wherever the file lies."""
    return key if "/" in key else f"{key} | */{key}"
