"""The steps of a job's setup that a profile's lines make."""

from __future__ import annotations

from flowc.profile.base import LIMIT_S
from flowc.shell.quote import sh


def step(text: str, what: str) -> str:
    """A step of the setup: it ends after half an hour, and what fails in it ends the job with a line."""
    return f"timeout {LIMIT_S} bash -ec {sh(text.rstrip())} || {failed(what)}"


def failed(what: str) -> str:
    return f"{{ echo {sh(f'flowc: cannot bring {what}')} >&2; exit 1; }}"
