"""What differs between the outcomes of the same bodies under Slurm and under flowc, and which of it is meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.same_as_slurm import rented
from tests.same_as_slurm.body import Body, Plain
from tests.same_as_slurm.known import KNOWN

# Besides those that wait for a minute.
AT_ONCE = 6
# What is shown of a text.
SHOWN = 300


def run_flowc(chosen: Sequence[Body]) -> dict[str, Plain]:
    """What each body left behind under flowc, by name."""

    def one(body: Body) -> Plain:
        return loaded(rented.run(body).plain(ordered=body.ordered))

    order = sorted(chosen, key=lambda body: not body.waits)
    with ThreadPoolExecutor(AT_ONCE + sum(body.waits for body in chosen)) as pool:
        return {body.name: found for body, found in zip(order, pool.map(one, order), strict=True)}


def loaded(found: Plain) -> Plain:
    """As it comes back from a file of JSON."""
    again: Plain = json.loads(json.dumps(found))
    return again


class Report:
    """`lines` tell the differences that are not meant, `bad` names the bodies that have some; `reasons` says how often
    each reason of the table was needed, `unused` which of the rows of these themes were not."""

    def __init__(self, chosen: Sequence[Body], real: dict[str, Plain], ours: dict[str, Plain]) -> None:
        self.lines: list[str] = []
        self.bad: list[str] = []
        self.reasons: dict[str, int] = {}
        self.equal = 0
        used = set()
        for body in chosen:
            found = list(differences(real[body.name], ours[body.name]))
            self.equal += not found
            before = len(self.lines)
            for what, theirs, mine in found:
                row = row_of(body, what)
                if row is None:
                    self.lines += [f"{body.theme}/{body.name}: {what}", f"    slurm {theirs}", f"    flowc {mine}"]
                    continue
                used.add((body.theme, row))
                self.reasons[row[2]] = self.reasons.get(row[2], 0) + 1
            if len(self.lines) > before:
                self.bad.append(body.name)
        themes = sorted({body.theme for body in chosen})
        self.unused = [row for theme in themes for row in KNOWN.get(theme, ()) if (theme, row) not in used]


def row_of(body: Body, what: str) -> tuple[str, str, str] | None:
    """The row that says why this difference is meant; None where it is not."""
    for row in KNOWN.get(body.theme, ()):
        if re.fullmatch(row[0], body.name) and re.fullmatch(row[1], what):
            return row
    return None


def differences(real: Plain, ours: Plain) -> Iterator[tuple[str, str, str]]:
    """(what, Slurm's, flowc's) of every difference between two outcomes."""
    if real["tasks"] != ours["tasks"]:
        yield "tasks", json.dumps(real["tasks"]), json.dumps(ours["tasks"])
    if ours["tasks"] == [["REFUSED", None]]:
        if real["tasks"] != ours["tasks"]:
            yield "said", "", str(ours.get("said", ""))
        return
    yield from _files(real["files"], ours["files"])
    yield from _environments(real.get("environments", {}), ours.get("environments", {}))


def _files(real: dict[str, str], ours: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(real.keys() | ours.keys()):
        if name not in ours:
            yield f"file {name} missing", _short(real[name]), ""
        elif name not in real:
            yield f"file {name} extra", "", _short(ours[name])
        elif real[name] != ours[name]:
            yield f"file {name} differs", _short(real[name]), _short(ours[name])


def _environments(real: dict[str, dict[str, str]], ours: dict[str, dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    for file in sorted(real.keys() | ours.keys()):
        if file not in ours or file not in real:
            yield f"env {file} {'missing' if file in real else 'extra'}", "", ""
            continue
        theirs, mine = real[file], ours[file]
        for name in sorted(theirs.keys() | mine.keys()):
            if name not in mine:
                yield f"env {file} {name} missing", theirs[name], ""
            elif name not in theirs:
                yield f"env {file} {name} extra", "", mine[name]
            elif theirs[name] != mine[name]:
                yield f"env {file} {name} differs", theirs[name], mine[name]


def _short(text: str) -> str:
    return ascii(text)[1:-1] if len(text) <= SHOWN else ascii(text[:SHOWN])[1:-1] + "..."
