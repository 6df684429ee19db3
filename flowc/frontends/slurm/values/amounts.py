"""Judges values that are amounts: times, sizes, counts, shapes of nodes. All rules: Slurm 22.05 unless a release is
named.

The functions have the form of settings.SETTERS: (state, option, text), raising `ValueMistake` for what sbatch refuses.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import BLANKS, INT_MAX, size_of, size_text, strtol, whole_number, wrap32
from flowc.frontends.slurm.values.state import INFINITE, NO_VAL, State, clock
from flowc.frontends.slurm.values.trees import ValueMistake, parse
from flowc.patterns import at_first_use

_timespec = at_first_use(
    r"(?:([0-9]+)|(?P<d>-?[0-9]+)-(?:(?P<h>[0-9]+)(?::(?P<m>[0-9]+)(?::(?P<s>[0-9]+))?)?)?"
    r"|(?P<below>-[0-9]+)|([0-9]+):([0-9]+)(?::([0-9]+))?)\Z",
    "match",
)


def wrong(text: str, message: str) -> ValueMistake:
    """A mistake that spans the whole value."""
    return ValueMistake(message, 0, len(text))


def locate(rule: str, text: str, otherwise: str) -> ValueMistake:
    """The mistake in a refused value, placed by its grammar; `otherwise` is said when the grammar finds none."""
    try:
        parse(rule, text)
    except ValueMistake as mistake:
        return mistake
    return wrong(text, otherwise)


def seconds_of(text: str) -> int | None:
    """Seconds of a time limit as a C int holds them; INFINITE for no limit, None when sbatch refuses the text."""
    found = _timespec(text)
    if found is None or text == "-1":
        return INFINITE if text == "-1" or text.lower() in ("infinite", "unlimited") else None
    if found[1]:
        seconds = _int(found[1]) * 60
    elif found["below"]:
        seconds = _int(found["below"]) * 86400
    elif found["d"]:
        parts = [_int(found[name] or "0") for name in ("d", "h", "m", "s")]
        seconds = parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3]
    elif found[9]:
        seconds = _int(found[7]) * 3600 + _int(found[8]) * 60 + _int(found[9])
    else:
        seconds = _int(found[7]) * 60 + _int(found[8])
    seconds = wrap32(seconds)
    return None if seconds == NO_VAL else seconds


def _int(digits: str) -> int:
    """The number that scanf's %d keeps of digits."""
    return int(digits) if len(digits) < 10 else wrap32(strtol(digits)[0])


def duration(state: State, name: str, text: str | None) -> None:
    seconds = seconds_of(text or "")
    if seconds is None:
        raise locate("duration", text or "", "not a time")
    if seconds != INFINITE:
        total = wrap32(seconds + 59)
        minutes = abs(total) // 60 * (1 if total >= 0 else -1)
        seconds = INFINITE if minutes == 0 else minutes % 0x100000000 * 60
    state.texts[name] = "UNLIMITED" if seconds == INFINITE else clock(seconds)


def size(state: State, name: str, text: str | None) -> None:
    mib = size_of(text or "")
    if mib is None or mib == 0xFFFFFFFFFFFFFFFE:
        raise locate("size", text or "", "not a size")
    state.slots[name] = mib
    state.texts[name] = size_text(mib)


def integer(state: State, text: str | None, *, positive: bool) -> int:
    """A whole number of 0 or more; `positive`: above 0."""
    number = whole_number(text or "", positive=positive, version=state.version)
    if number is None:
        raise _number_mistake(text or "", positive)
    return number


def _number_mistake(text: str, positive: bool) -> ValueMistake:
    value, end = strtol(text)
    least = "above 0" if positive else "of 0 or more"
    if end and end < len(text):
        return ValueMistake(f"found `{text[end:]}` after the number, expected a whole number {least}", end, len(text))
    if value >= INT_MAX:
        return wrong(text, "the number is too large")
    return wrong(text, f"expected a whole number {least}")


def number(state: State, name: str, text: str | None) -> None:
    number = integer(state, text, positive=True)
    state.slots[name] = number
    if name != "mincpus":
        state.texts[name] = str(number)


def shape(state: State, name: str, text: str | None) -> None:
    state.slots[name.partition("-")[0]] = integer(state, text, positive=True)


def nodes(state: State, name: str, text: str | None) -> None:
    low, high = node_counts(text or "", state.version)
    sets = state.version >= (23, 2) and ("," in (text or "") or ":" in (text or ""))
    state.slots.update(min_nodes=low, max_nodes=high, nodes_set=True, nodes_are_a_set=sets)


def node_counts(text: str, version: tuple[int, ...]) -> tuple[int, int]:
    """(least, most) of a node count; raises ValueMistake. Lists and steps are understood from 23.02 on."""
    if version >= (23, 2) and ("," in text or ":" in text):
        return _node_list(text)
    low_text, dash, high_text = text.partition("-")
    low = _node_count(text, low_text, 0, version)
    if not dash:
        if low is None or low < 0:
            raise locate("nodes", text, "not a node count")
        return low, low
    high = _node_count(text, high_text, len(low_text) + 1, version)
    low = 1 if low is None or low < 0 else low
    high = -1 if high is None else high
    if high != 0 and high < low:
        if not high_text.strip(BLANKS):
            raise locate("nodes", text, "not a node count")
        raise wrong(text, f"the most, {high_text}, is below the least, {low_text or 1}")
    return low, high


def _node_count(text: str, part: str, at: int, version: tuple[int, ...]) -> int | None:
    number, end = strtol(part)
    for unit, factor in (("k", 1024), ("m", 1024 * 1024)):
        if end and part[end : end + 1].lower() == unit:
            number, end = number * factor, end + 1
    if part[end:].strip(BLANKS):
        raise ValueMistake(f"found `{part[end:]}`, expected a node count, such as 2 or 2-4", at + end, at + len(part))
    if number > INT_MAX and version >= (23, 2):
        return -1
    return wrap32(number) if end else None


def _node_list(text: str) -> tuple[int, int]:
    if "," in text and ":" in text:
        raise wrong(text, "a list of node counts has no steps")
    numbers = []
    for part in text.split(":")[0].replace("-", ",").split(","):
        number, end = strtol(part)
        if part[end:].strip(BLANKS) or number < 0:
            raise wrong(text, "not a list of node counts")
        numbers.append(number)
    if ":" in text:
        step, end = strtol(text.partition(":")[2])
        if step <= 0 or end != len(text.partition(":")[2]) or len(numbers) != 2 or numbers[1] <= numbers[0]:
            raise wrong(text, "expected MIN-MAX:STEP")
        return numbers[0], numbers[0] + (numbers[1] - numbers[0] - 1) // step * step  # the end itself is left out
    return min(numbers), max(numbers)
