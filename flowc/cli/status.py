"""Exit statuses (contract §1), and which of them a run earns."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flowc.diag.sink import Diagnostic

DONE, ERRORS, WRONG_USAGE, BUG, WORLD_FAILED, INTERRUPTED, NOBODY_READS = 0, 1, 2, 3, 4, 130, 141

# Codes of the four hundreds are about the command line, not about a source.
_COMMAND_LINE = "FC4"
# A source and a catalog that cannot be read.
_UNREADABLE = ("FC400", "FC612")


class Tally:
    """Counts the findings of a run. `bugs`: sources over which flowc itself failed; `adopted`: those that
    got a comment."""

    def __init__(self) -> None:
        self.files = 0
        self.severities: dict[str, int] = {}
        self.fixable = 0
        self.fixed = 0
        self.world_failed = False
        self.source_failed = False
        self.bugs = 0
        self.adopted = 0
        self.prints: list[str] = []  # of findings, for a baseline
        self.used: set[tuple[str, str]] = set()  # lines of the profile

    def add(self, path: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Count one more source and its findings."""
        self.files += 1
        self.count(path, diagnostics)

    def count(self, path: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Count findings as they are shown, those of one kind once."""
        if diagnostics:
            from flowc.diag.gather import gathered

            for each in gathered(path, diagnostics):
                severity = each.first.severity
                self.severities[severity] = self.severities.get(severity, 0) + 1
        for diagnostic in diagnostics:
            self.fixable += diagnostic.fix is not None and diagnostic.fix.certain
            if diagnostic.severity == "error":
                unreadable = diagnostic.code.id in _UNREADABLE
                self.world_failed |= unreadable
                self.source_failed |= not unreadable and not diagnostic.code.id.startswith(_COMMAND_LINE)

    def merge(self, other: dict[str, Any]) -> None:
        """Add what another process counted (its `__dict__`)."""
        for severity, number in other["severities"].items():
            self.severities[severity] = self.severities.get(severity, 0) + number
        for name in ("files", "fixable", "fixed", "bugs", "adopted", "prints"):
            setattr(self, name, getattr(self, name) + other[name])
        self.used |= other["used"]
        self.world_failed |= other["world_failed"]
        self.source_failed |= other["source_failed"]

    @property
    def total(self) -> int:
        return sum(self.severities.values())

    @property
    def status(self) -> int:
        """The worst of: a bug, a world that failed, errors in a source, errors in the flags alone."""
        if self.bugs:
            return BUG
        if self.world_failed:
            return WORLD_FAILED
        if self.source_failed:
            return ERRORS
        return WRONG_USAGE if self.severities.get("error") else DONE
