"""Who ends what is paid for a submission, and by when at the latest, and who places what waits: the last line of every
submit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def who_ends(
    key: str,
    provider: str,
    document: Mapping[str, Any],
    *,
    keep: bool,
    stays: bool,
    watched: bool,
    machine_s: float | None = None,
) -> str:
    """One sentence. `stays`: the command that says it waits for the end of the jobs; `watched`: `flowc watch` runs;
    `machine_s`: so many seconds after the job its machine ends the bid, None where it does not."""
    if provider == "local":
        return "nothing is paid: the job runs on this computer"
    if keep:
        return f"nobody ends the bill: it is paid until `flowc cancel {key}`"
    hours = hours_bound(document)
    latest = "nothing limits how long that takes" if hours is None else f"at the latest {_words(hours)} after its start"
    if machine_s is not None:
        return _by_machine(key, latest, f"{machine_s:g} s", stays=stays, watched=watched)
    if watched:
        return f"`flowc watch` ends the bill with the job, {latest}; it runs now, and has to go on running"
    if stays:
        return f"this command ends the bill with the job, {latest}; if it is interrupted, `flowc wait {key}` does"
    return (
        f"nobody ends the bill by himself: `flowc wait {key}` ends it with the job, {latest}; "
        f"`flowc list` and `flowc status` do when they find the job ended, "
        f"`flowc watch` does while it runs"
    )


def who_places(*, stays: bool, watched: bool, one: bool = False) -> str:
    """Who places what waits for others (`one`: it is one bid), in words that go on a sentence."""
    it, its = ("it", "its") if one else ("them", "their")
    if watched:
        return f"`flowc watch`, which runs now, places {it} when {its} turn has come"
    if stays:
        return f"this command places {it} when {its} turn has come; if it is interrupted, the next `flowc wait` does"
    return (
        f"nobody places {it} by himself: `flowc wait` does when {its} turn has come, `flowc watch` while it runs, "
        "and `flowc list` and `flowc status` when they find that it has come"
    )


def _by_machine(key: str, latest: str, wait: str, *, stays: bool, watched: bool) -> str:
    lost = f"{wait} after it; output that nobody has fetched by then is lost"
    again = f"after a preemption it needs the key anew, from `flowc wait {key}`, `status` or `watch`"
    if stays or watched:
        first = "this command" if stays else "`flowc watch`"
        return f"{first} ends the bill with the job, {latest}; where it does not run any more, the machine does, {lost}"
    return f"the machine ends the bill with the job, {latest}: {lost} (`flowc wait {key}` fetches it); {again}"


def hours_bound(document: Mapping[str, Any]) -> str | None:
    """The longest time in hours that one of the jobs may run, None where one of them may run for ever."""
    bounds = [job["hours_bound"] for job in document["jobs"]]
    return None if None in bounds else str(max(bounds, key=float))


def _words(hours: str) -> str:
    return f"{hours} h" if float(hours) >= 2 else f"{round(float(hours) * 60)} min"
