"""Hours, seconds and moments of a task, exactly: decimal text to whole numbers."""

from __future__ import annotations


def scaled(text: str, factor: int) -> int:
    """`text` times `factor`, rounded down, but not to nothing: what is more than 0 stays at least 1."""
    whole, _, fraction = text.partition(".")
    product = int(whole + fraction) * factor // 10 ** len(fraction)
    return product or (1 if (whole + fraction).strip("0") else 0)


def utc(text: str) -> str | None:
    """A moment in UTC as `2030-01-31T18:00:00`; without a zone it is UTC already. None when there is no such moment."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.replace(" ", "T"))
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
