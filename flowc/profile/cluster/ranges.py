"""Values of slurm.conf: lists of hosts (`n[01-03,5]`), times, sizes."""

from __future__ import annotations

from itertools import product

from flowc.patterns import at_first_use

MOST_HOSTS = 65_536
_parts = at_first_use(r"\[([0-9,-]*)\]|([^\[\],]+)", "finditer")
_range = at_first_use(r"([0-9]+)(?:-([0-9]+))?", "fullmatch")
_time = at_first_use(r"(?:([0-9]{1,6})-)?([0-9]{1,9})(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?", "fullmatch")
_UNLIMITED = ("unlimited", "infinite", "-1")


def hosts(text: str) -> list[str]:
    """The hosts of a list, in its order. Raises ValueError for what is none, or too many."""
    found: list[str] = []
    for each in _split(text):
        pieces: list[list[str]] = []
        at = 0
        for match in _parts(each):
            if match.start() != at:
                raise ValueError(f"`{each}` is no list of hosts")
            pieces.append([match[2]] if match[2] is not None else _numbers(match[1], each))
            at = match.end()
        if at != len(each):
            raise ValueError(f"`{each}` is no list of hosts")
        size = len(found)
        for piece in pieces:
            size *= len(piece) or 1
        found += ["".join(parts) for parts in product(*pieces)]
        if len(found) > MOST_HOSTS:
            raise ValueError(f"`{each}` names more than {MOST_HOSTS:,} hosts")
    return found


def _split(text: str) -> list[str]:
    """At commas outside of brackets."""
    found, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            found.append(text[start:at])
            start = at + 1
    return [each for each in (*found, text[start:]) if each]


def _numbers(text: str, whole: str) -> list[str]:
    found: list[str] = []
    for each in text.split(","):
        match = _range(each)
        if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
            raise ValueError(f"`{each}` in `{whole}` is no range")
        last = match[2] or match[1]
        if int(last) - int(match[1]) > MOST_HOSTS:
            raise ValueError(f"`{whole}` names more than {MOST_HOSTS:,} hosts")
        found += [str(number).zfill(len(match[1])) for number in range(int(match[1]), int(last) + 1)]
    return found


def minutes(text: str) -> int | None:
    """A limit in minutes, seconds rounded up; None: without limit. Raises ValueError."""
    if text.lower() in _UNLIMITED:
        return None
    match = _time(text)
    if match is None:
        raise ValueError(f"`{text}` is no time, such as `90`, `1:30:00` or `2-00:00:00`")
    days, *rest = match.groups()
    given = [int(each) for each in rest if each is not None]
    if days is not None:
        seconds = int(days) * 86_400 + sum(each * unit for each, unit in zip(given, (3600, 60, 1), strict=False))
    elif len(given) == 3:
        seconds = given[0] * 3600 + given[1] * 60 + given[2]
    else:
        seconds = given[0] * 60 + (given[1] if len(given) == 2 else 0)
    return -(-seconds // 60)


def number(text: str) -> int | None:
    """A whole number; None: without limit. Raises ValueError."""
    if text.lower() in _UNLIMITED:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"`{text}` is no number")
    return int(text)


def clock(minutes: int) -> str:
    """`1-12:00:00`, as sbatch writes it."""
    days, rest = divmod(minutes, 1440)
    return (f"{days}-" if days else "") + f"{rest // 60:02}:{rest % 60:02}:00"
