"""Applies the fixes of diagnostics to a file."""

from __future__ import annotations

import os
from contextlib import suppress

from flowc.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Diagnostic, Edit, Fix


def apply_fixes(source: Source, diagnostics: tuple[Diagnostic, ...], *, unsafe: bool = False) -> tuple[Source, int]:
    """The source with fixes applied, and how many; the `unsafe` ones too, that are not certain. Of fixes that touch the
    same text the first is taken; one that would change another text (the command line) is left."""
    chosen: list[Edit] = []
    number, reached = 0, 0
    fixes = [
        each.fix
        for each in diagnostics
        if each.fix is not None and (unsafe or each.fix.certain) and _is_within(each.fix, source)
    ]
    for fix in sorted(fixes, key=lambda fix: min(edit.span.start for edit in fix.edits)):
        edits = sorted(fix.edits, key=lambda edit: edit.span.start)
        if edits[0].span.start < reached or (chosen and edits[0].span.start == reached):
            continue
        chosen += edits
        reached = edits[-1].span.end
        number += 1
    pieces, position = [], 0
    for edit in chosen:
        pieces += [source.text[position : edit.span.start], edit.text]
        position = edit.span.end
    return Source(source.path, "".join(pieces) + source.text[position:]), number


def _is_within(fix: Fix, source: Source) -> bool:
    return bool(fix.edits) and all(edit.span.source is source for edit in fix.edits)


def difference(before: Source, after: Source) -> str:
    """What was changed, as `diff -u` shows it; secrets are masked on both sides."""
    from difflib import unified_diff

    old, new = (each.shown(0, len(each.text)).splitlines(keepends=True) for each in (before, after))
    path = before.path.lstrip("/")
    lines = unified_diff(old, new, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write_new(path: str, data: bytes) -> None:
    """The same for a file that need not be there yet. Raises OSError."""
    write(path, data, mode=None if os.path.exists(path) else 0o644)


def write(path: str, data: bytes, *, mode: int | None = None) -> None:
    """Replace a file's content at once or not at all; mode is kept, a link stays one. Raises OSError."""
    target = os.path.realpath(path)
    draft = f"{target}.flowc-{os.getpid()}"
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, os.stat(target).st_mode & 0o7777 if mode is None else mode)
        os.replace(draft, target)
    except OSError:
        with suppress(OSError):
            os.unlink(draft)
        raise
