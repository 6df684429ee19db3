"""Names of bids."""

from __future__ import annotations

from flowc._compiled.limits import NAME_LENGTH

DEFAULT_NAME = "job"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")


class _Others(dict[int, str]):
    """For `translate`: a blank for each character that is not allowed."""

    def __missing__(self, character: int) -> str:
        return " "


_ALLOWED = _Others((ord(char), char) for char in (*_LETTERS, *"0123456789"))


def safe_name(name: str, suffix: str = "") -> str:
    """`name` as `^[a-z]([a-z0-9-]{0,58}[a-z0-9])?$`, with `suffix` (small letters, digits, dashes) at its
    end."""
    base = "-".join(name.lower().translate(_ALLOWED).split())
    if not base or base[0] not in _LETTERS:
        base = f"{DEFAULT_NAME}-{base}" if base else DEFAULT_NAME
    return base[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix


def unique_name(name: str, taken: set[str]) -> str:
    """`name`, or the name with the first free number at its end; it is taken from then on."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = safe_name(name, f"-{number}")
    taken.add(found)
    return found
