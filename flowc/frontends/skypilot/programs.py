"""What SkyPilot installs on each machine, and tasks call as if it were their own."""

from __future__ import annotations

from flowc._compiled.skypilot_programs import PROGRAMS
from flowc.body.commands import called
from flowc.diag.codes.yaml import skypilot as codes
from flowc.patterns import at_first_use
from flowc.shell.comments import in_comment
from flowc.shell.steps import step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from re import Match
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

    Search = Callable[..., Match[str] | None]

# SkyPilot's shells are interactive: what they source is not left at its first line because nobody types.
_sources_profile = at_first_use(
    r"(?m)(?:^|[;&|])[ \t]*(?:source|\.)[ \t]+[\"']?(?:~|\$HOME|\$\{HOME\}|/root)/\.(?:bashrc|profile|bash_profile)\b",
    "search",
)
_ALL_OF_IT = r"[ ! -f ~/.bashrc ] || sed -i '/PS1.*return/d; s/\$-/i/g' ~/.bashrc"
_uses = tuple(at_first_use(row["uses"], "search") for row in PROGRAMS)
_own = tuple(at_first_use(row["own"], "search") for row in PROGRAMS)


def with_programs(unit: Unit, sink: Sink) -> Unit:
    """The unit of a task on a machine without an image, whose setup first installs what SkyPilot would have, where the
    task needs it and does not bring it itself."""
    if unit.job.image is not None:
        return unit
    parts = [part for part in (unit.preparing, unit) if part is not None]
    texts = [part.job.run.text or "" for part in parts]
    for row, uses, own in zip(PROGRAMS, _uses, _own, strict=True):
        if not any(name in text for name in row["names"] for text in texts):
            continue
        if any(_first(own, text) is not None for text in texts):
            continue
        needs = ((part, place) for part in parts for place in _need(part, row, uses))
        span = next((part.text_span(*place) or part.origins["run.text"] for part, place in needs), None)
        if span is not None:
            sink.report(codes.PROGRAM_INSTALLED, span, what=row["what"])
            job = unit.job.replace(programs=(*unit.job.programs, *row["names"]))
            unit = unit.replace(job=job, origins={**unit.origins, "programs": span}).prepared(_bring(row), span)
    return unit


def with_profile(unit: Unit) -> Unit:
    """The same, where a text sources ~/.bashrc to see what it has installed: a shell in which nobody types would see
    nothing of it."""
    for part in (unit.preparing, unit):
        text = (part.job.run.text or "") if part is not None else ""
        match = _first(_sources_profile, text) if "rc" in text or "profile" in text else None
        if part is not None and match is not None:
            span = part.text_span(*match.span()) or part.origins["run.text"]
            return unit.prepared(_ALL_OF_IT, span)
    return unit


def _need(part: Unit, row: dict[str, Any], uses: Search) -> list[tuple[int, int]]:
    """Where the text needs the program, as offsets: its first call, or what else needs it."""
    found = [(place, place + len(name)) for name in row["names"] for place in called(part.job, name)]
    match = _first(uses, part.job.run.text or "")
    return [min(found)] if found else [match.span()] if match is not None else []


def _first(search: Search, text: str) -> Match[str] | None:
    """The first match that stands in no comment."""
    match = search(text)
    while match is not None and in_comment(text, match.end() - 1, shell=True):
        match = search(text, match.end())
    return match


def _bring(row: dict[str, Any]) -> str:
    install = step(row["brings"], f"program {row['names'][0]}")
    if not row["then"]:
        return f"{row['unless']} >/dev/null || {install}"
    return f"{row['unless']} >/dev/null || {{\n{install}\n{row['then']}}}"
