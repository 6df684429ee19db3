"""Money, sizes and durations: exact integers inside, plain text outside.

Money is counted in micro-dollars (integers), because floats lose cents and `decimal` takes longer to import
than a job takes to compile. A price for the provider has whole cents.
"""

from __future__ import annotations

MICROS_PER_USD = 1_000_000
MICROS_PER_CENT = 10_000
GIB = 1 << 30
SECONDS_PER_HOUR = 3600


def parse_usd(text: str) -> int | None:
    """Micro-dollars of decimal text (`12`, `12.50`, `0.000001`); None when it is no such number below a
    billion."""
    whole, point, part = text.partition(".")
    if not (whole.isascii() and whole.isdigit()) or len(whole) > 9:
        return None
    if not point:
        return int(whole) * MICROS_PER_USD
    if not (part.isascii() and part.isdigit()) or len(part) > 6:
        return None
    return int(whole) * MICROS_PER_USD + int(part.ljust(6, "0"))


def usd_text(micros: int) -> str:
    """Decimal text with at least two places: `12.00`, `0.0125`."""
    whole, part = divmod(micros, MICROS_PER_USD)
    cents = f"{part:06d}".rstrip("0")
    return f"{whole}.{cents.ljust(2, '0')}"


def floor_cents(micros: int) -> int:
    """Micro-dollars of the whole cents in `micros`: a cap must not grow by rounding."""
    return micros - micros % MICROS_PER_CENT


def ceil_cents(micros: int) -> int:
    """The next whole cents: a bound on a cost must not shrink by rounding."""
    return -(-micros // MICROS_PER_CENT) * MICROS_PER_CENT


def hours_text(seconds: int) -> str:
    """Hours as decimal text with at most four places, rounded up: `1`, `0.5`, `0.1667`."""
    tenths = -(-seconds * 10_000 // SECONDS_PER_HOUR)
    whole, part = divmod(tenths, 10_000)
    fraction = f"{part:04d}".rstrip("0")
    return f"{whole}.{fraction}" if fraction else str(whole)


def size_text(size: int) -> str:
    """Bytes as a person reads them: `190 GiB`, `1.5 GiB`, `512 MiB`, `12 bytes`; rounded up to one
    decimal."""
    for factor, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= factor and (factor != 1 << 40 or size % factor == 0):
            tenths = -(-size * 10 // factor)
            whole, part = divmod(tenths, 10)
            return f"{whole}.{part} {name}" if part else f"{whole} {name}"
    return f"{size} bytes"


def duration_text(seconds: int) -> str:
    """`1 h`, `90 min`, `36 h`, `45 s`: the largest unit that leaves no rest, hours from two hours on."""
    if seconds % SECONDS_PER_HOUR == 0 and seconds:
        return f"{seconds // SECONDS_PER_HOUR} h"
    if seconds >= 2 * SECONDS_PER_HOUR:
        return f"{hours_text(seconds)} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 and seconds else f"{seconds} s"


def plural(count: int, noun: str) -> str:
    """`1 GPU`, `4 GPUs`, `1 CPU`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
