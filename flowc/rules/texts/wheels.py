"""Packages that pip is to take from the cluster's own wheels, of which a rented machine has none."""

from __future__ import annotations

from flowc.body.commands import STARTING
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.patterns import at_first_use
from flowc.rules.base import parts, texts
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

NO_INDEX = "--no-index"
_pip = at_first_use(r"pip[0-9.]*", "fullmatch")
_package = at_first_use(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?:[=<>!~]=?.*)?", "fullmatch")
# What says where else pip looks, in a command, a file or a variable.
_LINKS = ("find-links", "FIND_LINKS", "PIP_CONFIG_FILE", "pip.conf", "pip config")
# What pip stands behind, as it does behind Python and what starts programs.
_CALLING = ("uv", "time", "!")
# What is there with pip itself: asking for it once more installs nothing.
_THERE = ("pip", "setuptools")
# Options whose value is the next word.
_VALUED = ("-c", "--constraint", "-t", "--target", "--prefix", "--root", "--python", "-p")
_FILES = ("-r", "--requirement")


def report(unit: Unit, sink: Sink) -> None:
    """One finding for a text, at its first such call."""
    if any(sign in name for name, _ in unit.job.env for sign in _LINKS):
        return
    for own in texts(unit):
        for each in parts(own):
            text = (each.job.run.text or "")[:MOST_TEXT]
            if NO_INDEX not in text or any(sign in text for sign in _LINKS) or not may_be_shell(each.job):
                continue
            found = next(filter(None, map(lambda command: _asked(command.words(), text), scan(text).commands)), None)
            if found is not None:
                from flowc.diag.codes.texts import WHEELS_OF_CLUSTER

                start, package = found
                span = each.text_span(start, start + len(NO_INDEX))
                help = f"leave out `{NO_INDEX}`: pip then takes packages from PyPI"
                sink.report(WHEELS_OF_CLUSTER, span, help=help, package=package)
                return


def _asked(words: list[tuple[int, str]], text: str) -> tuple[int, str] | None:
    """Where pip is told so, and the first package that it must not look for; None where it need not."""
    at = next((number for number, (_, word) in enumerate(words) if _pip(word.rpartition("/")[2])), None)
    first = words[0][1].rpartition("/")[2] if words else ""
    if at and not (first in STARTING or first in _CALLING or first.startswith("python")):
        return None
    flag = next((start for start, word in words if word == NO_INDEX), None)
    if at is None or flag is None or all(word != "install" for _, word in words[at + 1 : at + 3]):
        return None
    end = words[-1][0] + len(words[-1][1])
    if text[end:].lstrip(" \t").startswith("||"):  # what else is done then
        return None
    before = ""
    for _, word in words[at + 1 :]:
        plain = word.strip("\"'")
        named = _package(plain) if before not in _VALUED else None
        if before in _FILES:
            return flag, f"those of {plain}"
        if named is not None and plain != "install" and named[1].lower() not in _THERE and not _is_file(plain):
            return flag, f"`{plain}`"
        before = word
    return None


def _is_file(word: str) -> bool:
    return word.endswith((".whl", ".tar.gz", ".zip"))
