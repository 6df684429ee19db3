"""What the jobs of one source are called in findings, and which documents of it are theirs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def labels(names: Sequence[str | None]) -> tuple[str, ...]:
    """A label each: the name, and which of them it is where it is no name of one."""
    return tuple(
        name if name and names.count(name) == 1 else f"{name or 'job'} {number} of {len(names)}"
        for number, name in enumerate(names, 1)
    )


def areas(text: str, firsts: Sequence[int | None], labels: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """(start, end, label) of each document of a YAML source that holds what just one of the jobs was made of; `firsts`:
    where that begins, None where nothing of it stands in this source."""
    starts, at = [0], 0
    for line in text.splitlines(keepends=True):
        if line.rstrip() == "---" or line.startswith("--- "):
            starts.append(at)
        at += len(line)
    found: dict[int, list[str]] = {}
    for first, label in zip(firsts, labels, strict=True):
        if first is not None:
            document = max(start for start in starts if start <= first)
            found.setdefault(document, []).append(label)
    ends = dict(zip(starts, [*starts[1:], at + 1], strict=True))
    return tuple((start, ends[start], label[0]) for start, label in sorted(found.items()) if len(label) == 1)
