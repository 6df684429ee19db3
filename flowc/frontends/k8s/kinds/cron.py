"""The API server's rules for the schedule of a CronJob, as its cron library reads it."""

from __future__ import annotations

from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Mapping

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Name, least, most, and words that stand for numbers.
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {word: number for number, word in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 6, {word: number for number, word in enumerate(_DAYS)}),
)
_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_every = at_first_use(r"@every [+-]?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+", "fullmatch")
_zone = at_first_use(r"[A-Za-z][A-Za-z0-9_+/-]*", "fullmatch")
_FORM = "five fields of cron, such as `0 3 * * *`, or a macro such as `@daily`"


def check(findings: Findings, node: Mapping) -> None:
    """Check what the spec of a CronJob says of when it runs."""
    schedule, zone = node.at("spec", "schedule"), node.at("spec", "timeZone")
    if schedule is not None and isinstance(schedule.value, str):
        text = schedule.value.strip()
        if "TZ" in text:
            detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            findings.invalid(schedule, "spec.schedule", detail)
        elif text.startswith("@"):
            if text not in _MACROS and _every(text) is None:
                findings.form(schedule, "spec.schedule", _FORM)
        elif len(text.split()) != len(_FIELDS):
            findings.form(schedule, "spec.schedule", _FORM)
        elif (trouble := _trouble(text.split())) is not None:
            findings.invalid(schedule, "spec.schedule", trouble)
    if zone is not None and isinstance(zone.value, str) and not _is_zone(zone.value):
        findings.form(zone, "spec.timeZone", "the name of a time zone, such as `Europe/Berlin` or `Etc/UTC`")


def _trouble(fields: list[str]) -> str | None:
    """What is wrong with the fields, None if nothing is."""
    for text, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        for part in filter(None, text.split(",")):
            if not _is_range(part.lower(), least, most, words):
                help = "7 is no day, Sunday is 0" if name == "day of the week" else f"{least} to {most}"
                return f"`{part}` is no {name}: expected {help}"
    return None


def _is_range(text: str, least: int, most: int, words: dict[str, int]) -> bool:
    """`*`, a number, `FIRST-LAST`, each maybe with `/STEP`."""
    span, slash, step = text.partition("/")
    first, dash, last = span.partition("-")
    if first in ("*", "?"):
        low, high = least, most
    else:
        low = words.get(first, _number(first))
        high = words.get(last, _number(last)) if dash else most if slash else low
    return least <= low <= high <= most and (not slash or _number(step) > 0)


def _number(text: str) -> int:
    """A whole number; below 0 what is none."""
    digits = text.removeprefix("+")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def _is_zone(text: str) -> bool:
    """Whether there is such a time zone; where none are known here, whether one could be called so."""
    if _zone(text) is None or text.lower() == "local":
        return False
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo("Etc/UTC")
    except (OSError, ValueError, KeyError):
        return True
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        return False
    return True
