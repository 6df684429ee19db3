"""Shell quoting: any text becomes one inert word of a POSIX shell."""

from __future__ import annotations

# Bytes above ASCII are quoted: in some locales a shell takes one of them for a blank.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-")


def sh(text: str) -> str:
    """`text` as it is where it is harmless, else in single quotes. It must not hold NUL, which no argument
    can."""
    if text and PLAIN.issuperset(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
