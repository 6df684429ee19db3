"""How old prices are."""

from __future__ import annotations


def days(as_of: str, today: str) -> int:
    """From one day to another, both as YYYY-MM-DD; 0 where the first is later."""
    return max(0, _number(today) - _number(as_of))


# What is older may be far from what is paid.
OLD_DAYS = 14


def age(as_of: str, today: str) -> str:
    """`of 2026-09-20, 7 days old`; of prices that are too old also what to do."""
    passed = days(as_of, today)
    old = "of today" if passed == 0 else "1 day old" if passed == 1 else f"{passed} days old"
    refresh = "; `flowc catalog refresh` asks for today's" if passed > OLD_DAYS else ""
    return f"of {as_of}, {old}{refresh}"


def _number(day: str) -> int:
    """Days since the year 0 of the Gregorian calendar, without what importing `datetime` costs."""
    year, month, date = map(int, day.split("-"))
    year, month = (year, month) if month > 2 else (year - 1, month + 12)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + date
