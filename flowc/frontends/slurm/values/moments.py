"""Points in time: the values of `--begin` and `--deadline`.

A point that depends on the clock (`16:00`, `now+1hour`, a date without a year) keeps its text as given, since what
flowc prints must not depend on when it runs. A fixed one is printed as sbatch does in UTC.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import LONG_MAX, strtol
from flowc.frontends.slurm.values.trees import ValueMistake, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.lalr import Token

_HOURS = {"midnight": 0, "elevenses": 11, "noon": 12, "fika": 15, "teatime": 16}


def moment_text(text: str, version: tuple[int, ...]) -> tuple[str, int | None]:
    """(what is printed, seconds since 1970 or None when they depend on the clock). Raises ValueMistake."""
    tree = parse("moment", text)
    if not tree.nodes():
        seconds, end = strtol(text[3:])
        if seconds < 1_000_000 or seconds == LONG_MAX or end != len(text) - 3:
            raise ValueMistake("expected seconds since 1970, at least 1000000", 3, len(text))
        return stamp(seconds), seconds
    date: tuple[int, int, int] | None = None
    clock: tuple[int, int, int] | None = None
    fixed_date = fixed_clock = False
    for piece in tree.nodes():
        (token,) = piece.children
        assert not hasattr(token, "children")
        name = token.name
        if name == "CLOCK":
            clock, fixed_clock = _clock(token), True
        elif name == "CLOCK_WORD":
            clock, fixed_clock = _clock_word(token, version), True
        elif name == "ISO_DATE" or name == "MONTH_DAY":
            year, month, day = _date(token)
            # A date without a year leaves the year of an earlier piece.
            if year is None and date is not None and fixed_date:
                year = date[0]
            date, fixed_date = (year or 0, month, day), year is not None
        else:
            date, fixed_date = (0, 1, 1), False
            if name == "NOW":
                clock, fixed_clock = (0, 0, 0), False
    if date is None or not fixed_date or (clock is not None and not fixed_clock):
        return text, None
    hour, minute, second = clock or (0, 0, 0)
    seconds = days_of(*date) * 86400 + hour * 3600 + minute * 60 + second
    if seconds in (0, -1):
        raise ValueMistake("the start of 1970 is no point in time to sbatch", 0, len(text))
    return stamp(seconds), seconds


def _clock(token: Token) -> tuple[int, int, int]:
    digits = token.text.rstrip("aApPmM \t\n\v\f\r")
    half = token.text[-2:].lower()
    hour, minute, second = ([int(part) for part in digits.split(":")] + [0])[:3]
    if hour > 23 or minute > 59 or second > 59 or (half in ("am", "pm") and hour > 12):
        raise ValueMistake(f"`{token.text}` is no time of day", token.start, token.end)
    if half == "pm":
        hour = 12 if hour == 12 else hour + 12
    elif half == "am":
        hour = 0 if hour == 12 else hour
    return hour, minute, second


def _clock_word(token: Token, version: tuple[int, ...]) -> tuple[int, int, int]:
    word = token.text.lower()
    if word == "elevenses" and version < (24, 5):
        raise ValueMistake("`elevenses` is known since 24.05", token.start, token.end)
    return _HOURS[word], 0, 0


def _date(token: Token) -> tuple[int | None, int, int]:
    """(year or None, month, day); the year has two digits unless the date is YYYY-MM-DD."""
    text = token.text
    if token.name == "ISO_DATE":
        year, month, day = (int(part) for part in text.split("-"))
        shown: int | None = year
    else:
        fields = []
        at = 0
        while at < len(text):
            end = at + 1 + (text[at + 1 : at + 2].isdigit())
            fields.append(int(text[at:end]))
            at = end + (text[end : end + 1] in ("/", ".") and end < len(text))
        month, day = fields[0], fields[1]
        shown = fields[2] + 2000 if len(fields) > 2 and fields[2] else None
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise ValueMistake(f"`{text}` is no date: expected YYYY-MM-DD or MM/DD", token.start, token.end)
    return shown, month, day


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the Gregorian calendar; a day beyond the month's end runs on."""
    year -= month < 3
    era = year // 400
    in_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5
    return era * 146097 + in_era * 365 + in_era // 4 - in_era // 100 + of_year - 719468 + day - 1


def stamp(seconds: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS`; two values have words of their own."""
    if seconds in (0xFFFFFFFF, 0xFFFFFFFE):
        return "Unknown" if seconds == 0xFFFFFFFF else "None"
    days, rest = divmod(seconds, 86400)
    days += 719468
    era, in_era = divmod(days, 146097)
    of_era = (in_era - in_era // 1460 + in_era // 36524 - in_era // 146096) // 365
    of_year = in_era - (365 * of_era + of_era // 4 - of_era // 100)
    index = (5 * of_year + 2) // 153
    day = of_year - (153 * index + 2) // 5 + 1
    month = index + 3 if index < 10 else index - 9
    year = of_era + era * 400 + (month < 3)
    return f"{year:04}-{month:02}-{day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
