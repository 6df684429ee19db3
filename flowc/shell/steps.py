"""The steps of a job's setup that bring what a job needs: how they begin, and how they end."""

from __future__ import annotations

from flowc.shell.quote import sh

# Seconds of each (packages may be large, an archive slow), and what is then called.
LIMIT_S = 1800
APT = "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
PIP = "env PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip"


def step(text: str, what: str) -> str:
    """A step of the setup: it ends after half an hour, and what fails in it ends the job with a line."""
    return f"timeout {LIMIT_S} bash -ec {sh(text.rstrip())} || {failed(what)}"


def failed(what: str) -> str:
    return f"{{ echo {sh(f'flowc: cannot bring {what}')} >&2; exit 1; }}"
