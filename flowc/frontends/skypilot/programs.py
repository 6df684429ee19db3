"""What SkyPilot installs on each machine and in each container, and tasks call as if it were their own."""

from __future__ import annotations

from flowc._compiled.shell_programs import PROGRAMS as SHELL_PROGRAMS
from flowc._compiled.skypilot_programs import PROGRAMS
from flowc.body.commands import called
from flowc.diag.codes.yaml import skypilot as codes
from flowc.patterns import at_first_use
from flowc.shell.comments import in_comment
from flowc.shell.steps import step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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


# What SkyPilot has in ~/.bashrc of a container: nobody answers what a package asks.
_QUIET = "export DEBIAN_FRONTEND=noninteractive"
_installs = at_first_use(r"\b(?:apt|apt-get)[ \t]+(?:-\S+[ \t]+)*install\b", "search")


def with_programs(unit: Unit, sink: Sink, *, contained: bool) -> Unit:
    """The unit of a task whose setup first installs what SkyPilot would have on the machine, or in the container, where
    the task needs it and does not bring it itself."""
    place = "container" if contained else "machine"
    parts = [part for part in (unit.preparing, unit) if part is not None]
    texts = [part.job.run.text or "" for part in parts]
    for row, uses, own in zip(PROGRAMS, _uses, _own, strict=True):
        if row["where"] != place or not any(name in text for name in row["names"] for text in texts):
            continue
        if any(_first(own, text) is not None for text in texts):
            continue
        needs = [(part, *need) for part in parts for need in _needs(part, row, uses)]
        if needs:
            part, _, start, end = needs[0]
            span = part.text_span(start, end) or part.origins["run.text"]
            sink.report(codes.PROGRAM_INSTALLED, span, place=place, what=row["what"])
            job = unit.job.replace(programs=(*unit.job.programs, *row["names"]))
            names = dict.fromkeys(name for _, name, _, _ in needs)
            unit = unit.replace(job=job, origins={**unit.origins, "programs": span}).prepared(_bring(row, names), span)
    first = next((part for part in parts if _first(_installs, part.job.run.text or "") is not None), None)
    if contained and first is not None:
        span = first.origins["run.text"]
        unit = unit.prepared(f"{_QUIET}\necho '{_QUIET}' >>~/.bashrc", span)
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


def _needs(part: Unit, row: dict[str, Any], uses: Search) -> list[tuple[str, int, int]]:
    """Where the text needs the program, as its name and offsets: its first call, or what else needs it."""
    calls = [(place, name) for name in row["names"] for place in called(part.job, name)]
    if calls:
        place, name = min(calls)
        return [(name, place, place + len(name))]
    text, found = part.job.run.text or "", list[tuple[str, int, int]]()
    match = _first(uses, text)
    while match is not None:
        group = 1 if match.re.groups else 0
        found.append((match[group], match.start(group), match.end(group)))
        match = _first(uses, text, match.end())
    return found


def _first(search: Search, text: str, start: int = 0) -> Match[str] | None:
    """The first match from there on that stands in no comment."""
    match = search(text, start)
    while match is not None and in_comment(text, match.end() - 1, shell=True):
        match = search(text, match.end())
    return match


def _bring(row: dict[str, Any], names: Iterable[str]) -> str:
    unless = f"{row['unless'].replace('{names}', ' '.join(names))} >/dev/null"
    text = "".join(text for _, text in SHELL_PROGRAMS["docker"]) if row["brings"] == "docker" else row["brings"]
    install = step(text, f"program {row['names'][0]}")
    if not row["then"]:
        return f"{unless} || {install}"
    return f"{unless} || {{\n{install}\n{row['then']}}}"
