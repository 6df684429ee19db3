"""Lines of a profile of which no job took anything."""

from __future__ import annotations

from flowc.diag.codes.input import UNUSED_PROFILE_LINE
from flowc.diag.render import count
from flowc.ir.profile import LINES
from flowc.patterns import remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flowc.diag.sink import Sink
    from flowc.ir.profile import Entry, Profile


def report_unused(profile: Profile, used: Collection[tuple[str, str]], files: int, sink: Sink) -> None:
    """One finding a line, at the line, once `files` of them have been checked that `used` these lines."""
    for entry in entries(profile):
        if (entry.section, entry.key) not in used:
            sink.report(UNUSED_PROFILE_LINE, entry.span, files=count(files, "file"), line=entry.name)


def named_in(profile: Profile, text: str) -> set[tuple[str, str]]:
    """The lines that a text may be meant by: what its jobs take is not known, since it did not compile."""
    return {line for line, sign in _signs(profile) if sign in text}


@remembered(1)
def _signs(profile: Profile) -> list[tuple[tuple[str, str], str]]:
    """Each line with the longest part of its key that is no glob."""
    found = ((each.section, each.key) for each in entries(profile))
    return [(line, max(line[1].replace("?", "*").split("*"), key=len)) for line in found]


def entries(profile: Profile) -> Iterator[Entry]:
    """All lines, in the order of their sections."""
    for field in LINES:
        yield from (each.entry for each in getattr(profile, field))
