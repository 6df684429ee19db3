"""What a user asked of tasks and cannot have."""

from __future__ import annotations


class RefusedTaskError(Exception):
    """A TASK, or a submission, that is not as it was meant: the user's mistake. `help` is one line."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


class NoTaskError(RefusedTaskError):
    """There is no such task."""


class LivesError(RefusedTaskError):
    """It was submitted before."""
