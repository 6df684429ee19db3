"""The steps of a job's setup that bring what a job needs: how they begin, and how they end."""

from __future__ import annotations

from flowc.patterns import at_first_use, remembered
from flowc.shell.quote import sh

# Seconds of each (packages may be large, an archive slow), and what is then called.
LIMIT_S = 1800
APT = "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
PIP = "env PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip"
STEP = f"timeout {LIMIT_S} "
# Where micromamba stands, and what makes an environment with it.
MAMBA = "/opt/micromamba"
BRING = f"bash {MAMBA}/bring"
# A step of words that need no quotes, or have nothing in them that is more than a part of a word.
_WORD = r"[A-Za-z0-9_][\w.=-]*|'[\w.,=<>~!\[\] -]+'"
_plain = at_first_use(
    rf"({STEP}(?:{APT} update|{APT} install -y|{PIP} install -q|{BRING})(?: (?:{_WORD}))*)"
    r" \|\| \{ echo 'flowc: cannot bring [\w./+ -]+' >&2; exit 1; \}",
    "fullmatch",
)


def step(text: str, what: str) -> str:
    """A step of the setup: it ends after half an hour, and what fails in it ends the job with a line."""
    return f"{STEP}bash -ec {sh(text.rstrip())} || {failed(what)}"


def failed(what: str) -> str:
    return f"{{ echo {sh(f'flowc: cannot bring {what}')} >&2; exit 1; }}"


@remembered(500)  # the lines of a profile
def plain_words(text: str) -> frozenset[str] | None:
    """The words of a text of steps that bring packages, where these are told from each other by blanks alone: those by
    which commands are called, or start others, are among them. None of another text, for which it takes a scan."""
    if text[: len(STEP)] != STEP:
        return None
    found = {"echo", "exit"}
    for line in text.split("\n"):
        match = _plain(line)
        if match is None:
            return None
        for apart in match[1].split("'")[::2]:
            found.update(apart.split())
    return frozenset(found)
