"""`flowc check --summary`: how many files each finding concerns, and each thing that they lack."""

from __future__ import annotations

from flowc.diag.excerpt import visible
from flowc.diag.lacks import BLOCKING, KINDS, line_of
from flowc.diag.render import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from flowc.diag.render import Palette
    from flowc.diag.sink import Diagnostic

FORMAT = "flowc.summary/1"
_MOST = 20  # rows of a kind that a table for people has


def facts_of(path: str, diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """What a summary needs to know of one file, as plain values that processes can pass."""
    diagnostics = tuple(diagnostics)
    return {
        "path": path,
        "failed": any(each.severity == "error" for each in diagnostics),
        "findings": [(each.code.id, each.code.name, each.severity) for each in diagnostics],
        "lacks": [(kind, name, each.code.id) for each in diagnostics for kind, name in each.lacks],
    }


def is_free(facts: dict[str, Any]) -> bool:
    """Whether a file gives a bid that lacks nothing."""
    return not facts["failed"] and all(kind not in BLOCKING for kind, _, _ in facts["lacks"])


def summary_document(facts: list[dict[str, Any]], others: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """`facts` of each file, and of `others` that are no jobs."""
    failed = sum(each["failed"] for each in facts)
    free = sum(map(is_free, facts))
    return {
        "format": FORMAT,
        "files": len(facts),
        "failed": failed,
        "lacking": len(facts) - failed - free,
        "free": free,
        "findings": _findings([*facts, *others]),
        "missing": _missing(facts),
    }


def _findings(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for each in facts:
        seen = set()
        for code, name, severity in each["findings"]:
            key = code, severity
            row = rows.setdefault(key, {"code": code, "name": name, "severity": severity, "files": 0, "findings": 0})
            row["findings"] += 1
            row["files"] += key not in seen
            seen.add(key)
    return sorted(rows.values(), key=lambda row: (-row["files"], row["code"], row["severity"]))


def _missing(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for each in facts:
        seen = set()
        for kind, name, code in each["lacks"]:
            key = kind, line_of(kind, name)
            row = rows.setdefault(key, {"kind": kind, "name": key[1], "files": 0, "codes": set(), "spelled": set()})
            row["files"] += key not in seen
            row["codes"].add(code)
            row["spelled"].add(name)
            seen.add(key)
    order = [*KINDS]
    found = sorted(rows.values(), key=lambda row: (order.index(row["kind"]), -row["files"], row["name"]))
    return [{**row, "codes": sorted(row["codes"]), "spelled": sorted(row["spelled"])} for row in found]


def conclude(facts: list[dict[str, Any]], form: str, palette: Palette) -> str:
    """The whole summary: a table for people, `json` or `html`. What has no fact of a job is the profile's."""
    jobs, others = [each for each in facts if not each.get("other")], [each for each in facts if each.get("other")]
    document = summary_document(jobs, others)
    if form == "json":
        import json

        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if form == "html":
        from flowc.cli.checking.page import page

        return page(document, told(document))
    return _table(document, palette)


def told(document: dict[str, Any]) -> str:
    """The sum in one line."""
    files = document["files"]
    parts = [f"{document['free']:,} lack nothing", f"{document['lacking']:,} lack something"]
    if document["failed"]:
        parts.append(f"{document['failed']:,} give no bid")
    return f"{count(files, 'job file')}: {', '.join(parts)}"


def _table(document: dict[str, Any], palette: Palette) -> str:
    lines = [f"{palette.strong}{told(document)}{palette.end}"]
    rows = [
        (f"{row['code']} {row['name']}", row["severity"], f"{row['files']:,}", f"{row['findings']:,}")
        for row in document["findings"]
    ]
    if rows:
        lines += ["", *_columns(("finding", "", "files", "findings"), rows, palette)]
    for kind, title in KINDS.items():
        of_kind = [row for row in document["missing"] if row["kind"] == kind]
        if of_kind:
            shown = [(visible(row["name"]), f"{row['files']:,}") for row in of_kind[:_MOST]]
            lines += ["", *_columns((title, "files"), shown, palette)]
        if len(of_kind) > _MOST:
            lines.append(f"… and {len(of_kind) - _MOST:,} more (--format json has all)")
    if not rows:
        lines.append("nothing is missing, and nothing was found")
    elif document["lacking"]:
        lines += ["", "`flowc profile init` writes the profile that brings what is missing"]
    return "\n".join(lines) + "\n"


def _columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], palette: Palette) -> list[str]:
    """Text to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    numbers = [head[column] in ("files", "findings") for column in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        cells = zip(row, widths, numbers, strict=True)
        return "  ".join(f"{cell:>{width}}" if number else f"{cell:<{width}}" for cell, width, number in cells).rstrip()

    return [f"{palette.strong}{line(head)}{palette.end}", *(line(row) for row in rows)]
