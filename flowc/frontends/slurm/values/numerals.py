"""Numbers as C reads them: leading blanks and a sign pass, digits are decimal, results wrap like sbatch's own
variables."""

from __future__ import annotations

from flowc.patterns import at_first_use

BLANKS = " \t\n\v\f\r"
LONG_MAX = (1 << 63) - 1
INT_MAX = (1 << 31) - 1
UNSIGNED_MAX = (1 << 64) - 1

_leading = at_first_use(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)", "match")

# What may follow a count (Slurm: suffix_mult): powers of 1024, of 1000 with a B.
_FACTORS = {"": 1}
for _power, _unit in enumerate("kmgtp", 1):
    _FACTORS[_unit] = _FACTORS[_unit + "ib"] = 1024**_power
    _FACTORS[_unit + "b"] = 1000**_power

_SIZE_FACTORS = {"": 1, "m": 1, "g": 1024, "t": 1024 * 1024}


def strtol(text: str) -> tuple[int, int]:
    """(number, offset of the first character after it), the number clamped to 64 bits; (0, 0) without digits."""
    found = _leading(text)
    if found is None:
        return 0, 0
    digits = found[2].lstrip("0")
    value = int(digits or "0") if len(digits) < 20 else LONG_MAX + 1
    value = -value if found[1] == "-" else value
    return max(-LONG_MAX - 1, min(LONG_MAX, value)), found.end()


def wrap32(number: int) -> int:
    """The number as a C int holds it."""
    return (number + 0x80000000) % 0x100000000 - 0x80000000


def whole_number(text: str, *, positive: bool, version: tuple[int, ...] = (22, 5)) -> int | None:
    """An option's integer; None when sbatch refuses it. An empty text is 0. Beyond 32 bits it wraps, as in sbatch
    before 23.02, which refuses 2147483647 and more."""
    value, end = strtol(text)
    if version >= (23, 2) and value >= INT_MAX:
        return None
    if end != len(text) or value < 0 or (positive and value == 0) or value == LONG_MAX:
        return None
    return wrap32(value)


def count_of(text: str) -> int | None:
    """A count of generic resources: digits with k, m, g, t or p; None when the text is no count (then it is a type).

    A unit without digits is 0, a negative number wraps to 64 bits; both are sbatch's reading.
    """
    found = _leading(text)
    value, end = 0, 0
    if found is not None:
        digits, end = found[2].lstrip("0"), found.end()
        value = int(digits or "0") if len(digits) < 21 else UNSIGNED_MAX
        if value >= UNSIGNED_MAX:
            return None
        if found[1] == "-":
            value = -value % (UNSIGNED_MAX + 1)
            if value == UNSIGNED_MAX:
                return None
    factor = _FACTORS.get(text[end:].lower())
    return None if factor is None else value * factor % (UNSIGNED_MAX + 1)


def size_of(text: str) -> int | None:
    """MiB of `4096`, `4G`, `8GB`, rounding KiB up; None when sbatch refuses the text."""
    value, end = strtol(text)
    if end == 0 or value < 0 or value == LONG_MAX:
        return None
    unit = text[end:].lower()
    if unit[1:] == "b":
        unit = unit[0]
    if unit == "k":
        return (value + 1023) // 1024
    factor = _SIZE_FACTORS.get(unit)
    return None if factor is None else value * factor % (UNSIGNED_MAX + 1)


def size_text(mib: int) -> str:
    """A size as sbatch prints it: the largest unit that divides, no unit for MiB; 0 is `0?`."""
    for unit in "MGTP":
        if mib % 1024:
            return f"{mib}{unit}" if unit != "M" else str(mib)
        mib //= 1024
    return f"{mib}?"
