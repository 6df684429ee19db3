"""Slurm's patterns in the names of output, error and input files, as a batch step expands them (Slurm 22.05).

What is known at compile time is put in at once. The host's name is not: it stays a `HOST` in the list of
parts.
"""

from __future__ import annotations

HOST = None
PADDED = "jJAant"


def absolute(name: str, folder: str) -> str:
    return name if name.startswith("/") else f"{folder.rstrip('/')}/{name}"


def expand(pattern: str, folder: str, values: dict[str, str]) -> list[str | None]:
    """The parts of the absolute file name. `values` maps pattern letters to text; `N`, the host, is ours.

    `none` in any case is /dev/null. A backslash anywhere switches patterns off for the whole name and is
    dropped. A width above 9 counts as 10. An unknown letter stands for itself, with its `%` unless digits
    stood between.
    """
    if pattern.lower() == "none":
        return ["/dev/null"]
    if "\\" in pattern:
        return [absolute(pattern.replace("\\", ""), folder)]
    first, *pieces = absolute(pattern, "").split("%")
    name = [first if pattern.startswith("/") else folder.rstrip("/") + first]
    parts: list[str | None] = []
    escaped = False
    for place, piece in enumerate(pieces, 1):
        if escaped:  # `%%`: the piece before was the empty one between the two
            name.append(piece)
            escaped = False
            continue
        rest = piece.lstrip("0123456789")
        digits = piece[: len(piece) - len(rest)]
        letter = rest[:1]
        if letter == "N":
            parts += ["".join(name), HOST]
            name = [rest[1:]]
        elif letter and letter in values:
            width = min(int(digits[:9]), 10) if digits and letter in PADDED else 0
            name += [values[letter].rjust(width, "0"), rest[1:]]
        elif not letter and place < len(pieces):
            name.append("%")
            escaped = True
        else:
            name.append(piece if digits else "%" + piece)
    parts.append("".join(name))
    return [part for part in parts if part is None or part]
