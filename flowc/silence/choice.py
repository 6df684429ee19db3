"""Which findings, and of which files, a run shows: what flags and settings choose."""

from __future__ import annotations

from flowc.diag.code import SEVERITIES
from flowc.patterns import is_like
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.code import Code
    from flowc.diag.sink import Diagnostic

ALL = "all"


class WordError(ValueError):
    """What names no code; `help` says what may have been meant."""

    def __init__(self, word: str, help: str) -> None:
        super().__init__(f"`{word}` is no code, no beginning of one, and no name")
        self.help = help


class Choice(Record):
    """Words are codes (`FC820`), what several begin with (`FC8`), names, or `all`. `select`: only these, where there
    are any; `ignore`: none of these; `severity`: nothing below it; `per_file`: patterns of files, each with words that
    are ignored there."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: str = SEVERITIES[-1]
    per_file: tuple[tuple[str, str], ...] = ()

    def shown(self, diagnostics: Iterable[Diagnostic], path: str) -> tuple[Diagnostic, ...]:
        """Those of a file's findings that are chosen."""
        ignore = (*self.ignore, *(word for pattern, word in self.per_file if matches(path, (pattern,))))
        lowest = SEVERITIES.index(self.severity)
        return tuple(
            each
            for each in diagnostics
            if SEVERITIES.index(each.severity) <= lowest
            and (not self.select or named(each.code, self.select))
            and not named(each.code, ignore)
        )


def named(code: Code, words: Iterable[str]) -> bool:
    return any(_is_named(code.id, code.name, word) for word in words)


def _is_named(id: str, name: str, word: str) -> bool:
    return id.startswith(word.upper()) or word.lower() in (name, ALL)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path, its last part or a folder above it fits one of these patterns of a shell."""
    parts = path.removeprefix("./").rstrip("/").split("/")
    above = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    return any(
        is_like(each, pattern.removeprefix("./").rstrip("/")) for pattern in patterns for each in (*above, *parts)
    )


def verify(words: Iterable[str]) -> None:
    """Raises WordError for one that names nothing."""
    from flowc._compiled.code_names import NAMES

    for word in words:
        if not any(_is_named(id, name, word) for id, name in NAMES.items()):
            from flowc.diag.codes.table import nearest_code

            near = nearest_code(word)
            raise WordError(word, f"did you mean `{near}`?" if near else "`flowc explain --all` has them all")
