"""Who ends what is paid for a submission, and by when at the latest: the last line of every submit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def who_ends(key: str, provider: str, document: Mapping[str, Any], *, keep: bool, stays: bool, watched: bool) -> str:
    """One sentence. `stays`: the command that says it waits for the end of the jobs; `watched`: `flowc watch` runs."""
    if provider == "local":
        return "nothing is paid: the job runs on this computer"
    if keep:
        return f"nobody ends the bill: it is paid until `flowc cancel {key}`"
    hours = hours_bound(document)
    latest = "nothing limits how long that takes" if hours is None else f"at the latest {_words(hours)} after its start"
    if watched:
        return f"`flowc watch` ends the bill with the job, {latest}; it runs now, and has to go on running"
    if stays:
        return f"this command ends the bill with the job, {latest}; if it is interrupted, `flowc wait {key}` does"
    return (
        f"nobody ends the bill by himself: `flowc wait {key}` ends it with the job, {latest}; "
        f"`flowc list` and `flowc status` do when they find the job ended, "
        f"`flowc watch` does while it runs"
    )


def hours_bound(document: Mapping[str, Any]) -> str | None:
    """The longest time in hours that one of the jobs may run, None where one of them may run for ever."""
    bounds = [job["hours_bound"] for job in document["jobs"]]
    return None if None in bounds else str(max(bounds, key=float))


def _words(hours: str) -> str:
    return f"{hours} h" if float(hours) >= 2 else f"{round(float(hours) * 60)} min"
