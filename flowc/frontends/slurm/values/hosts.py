"""Lists of host names as sbatch counts, sorts and shortens them (Slurm 22.05: `--nodelist`).

Kept as ranges, never name by name, so that `n[1-60000]` costs no more than `n1`.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.trees import ValueMistake
from flowc.patterns import at_first_use

MAX_RANGE = 64 * 1024
MAX_NAME = 1024
_ending = at_first_use(r"(?s)(.*?)([0-9]{0,18})\Z", "match")


class Range:
    """Hosts `prefix` + numbers `low` to `high` with at least `width` digits; `low` is None for a name without
    number."""

    __slots__ = ("high", "low", "prefix", "width")

    def __init__(self, prefix: str, low: int | None, high: int, width: int) -> None:
        self.prefix = prefix
        self.low = low
        self.high = high
        self.width = width


class HostList:
    """Ranges of hosts, sorted and without repeats."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: list[Range]) -> None:
        self.ranges = _merged(ranges)

    @classmethod
    def read(cls, text: str, version: tuple[int, ...] = (22, 5)) -> HostList:
        """Raises ValueMistake for a range that is none."""
        ranges: list[Range] = []
        for word in _words(text):
            ranges += _read_word(text, word, version)
            if len(ranges) > MAX_RANGE:
                raise ValueMistake("too many hosts", 0, len(text))
        return cls(ranges)

    def count(self) -> int:
        return sum(1 if each.low is None else each.high - each.low + 1 for each in self.ranges)

    def first(self, count: int) -> HostList:
        """The first hosts in order."""
        kept: list[Range] = []
        for each in self.ranges:
            size = 1 if each.low is None else each.high - each.low + 1
            if count <= 0:
                break
            if each.low is not None and size > count:
                each = Range(each.prefix, each.low, each.low + count - 1, each.width)
            kept.append(each)
            count -= size
        return HostList(kept)

    def text(self) -> str:
        """As sbatch writes it: `n[1-3,7]`, ranges of one prefix together."""
        shown: list[str] = []
        at = 0
        while at < len(self.ranges):
            each = self.ranges[at]
            if each.low is None:
                shown.append(each.prefix)
                at += 1
                continue
            group = [each]
            while at + len(group) < len(self.ranges):
                other = self.ranges[at + len(group)]
                if other.low is None or other.prefix != each.prefix:
                    break
                group.append(other)
            at += len(group)
            numbers = ",".join(_numbers(other) for other in group)
            brackets = len(group) > 1 or "-" in numbers
            shown.append(f"{each.prefix}[{numbers}]" if brackets else each.prefix + numbers)
        return ",".join(shown)


def _numbers(each: Range) -> str:
    low, high = str(each.low).zfill(each.width), str(each.high).zfill(each.width)
    return low if each.low == each.high else f"{low}-{high}"


def _words(text: str) -> list[str]:
    words, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= depth > 0
        elif depth == 0 and char in "\t, ":
            words.append(text[start:at])
            start = at + 1
    words.append(text[start:])
    return [word for word in words if word]


def _read_word(text: str, word: str, version: tuple[int, ...]) -> list[Range]:
    open_at = word.rfind("[")
    close_at = word.find("]", open_at) if open_at >= 0 else -1
    if open_at < 0:
        return [_single(word)]
    if close_at < 0 and version >= (23, 2):
        raise ValueMistake(f"`{word}` has a bracket that is not closed", 0, len(text))
    if close_at < 0:
        return [_single(word[:open_at] + "]" if open_at else word[1:])]
    ending = word[close_at + 1 :]
    if ending and version < (23, 11):
        raise ValueMistake(f"`{word}`: nothing may follow the last bracket", 0, len(text))
    numbers = [_number_range(text, part) for part in word[open_at + 1 : close_at].split(",")]
    prefixes = _prefixes(text, word[:open_at])
    if ending:
        return [_single(prefix + number + ending) for prefix in prefixes for number in _spelled(text, numbers)]
    return [Range(prefix, low, high, width) for prefix in prefixes for low, high, width in numbers]


def _spelled(text: str, numbers: list[tuple[int, int, int]]) -> list[str]:
    if sum(high - low + 1 for low, high, _ in numbers) > MAX_RANGE:
        raise ValueMistake("too many hosts", 0, len(text))
    return [str(number).zfill(width) for low, high, width in numbers for number in range(low, high + 1)]


def _prefixes(text: str, prefix: str) -> list[str]:
    """The prefixes that a prefix with brackets of its own stands for."""
    endings = [""]
    while True:
        open_at = prefix.rfind("[")
        close_at = prefix.rfind("]")
        if open_at < 0 or close_at < open_at:
            return [prefix + ending for ending in endings]
        numbers: list[str] = []
        for part in prefix[open_at + 1 : close_at].split(","):
            low, high, width = _number_range(text, part)
            if (len(numbers) + high - low + 1) * len(endings) > MAX_RANGE or len(endings[0]) > MAX_NAME:
                raise ValueMistake("too many hosts", 0, len(text))
            numbers += [str(number).zfill(width) + prefix[close_at + 1 :] for number in range(low, high + 1)]
        endings = [number + ending for number in numbers for ending in endings]
        prefix = prefix[:open_at]


def _number_range(text: str, part: str) -> tuple[int, int, int]:
    low_text, _, high_text = part.partition("-")
    high_text = high_text if high_text else low_text
    low_digits, high_digits = low_text.lstrip(" \t+"), high_text.lstrip(" \t+")
    if not (_digits(low_digits) and _digits(high_digits)):
        raise ValueMistake(f"`{part}` is no range of numbers", 0, len(text))
    low, high = int(low_digits), int(high_digits)
    if low > high or high - low >= MAX_RANGE:
        reason = "ends below its start" if low > high else f"holds more than {MAX_RANGE} hosts"
        raise ValueMistake(f"the range `{part}` {reason}", 0, len(text))
    return low, high, len(low_text)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _single(word: str) -> Range:
    found = _ending(word)
    assert found is not None
    if not found[2] or (len(found[2]) == 18 and found[1][-1:].isdigit()):
        return Range(word, None, 0, 0)
    return Range(found[1], int(found[2]), int(found[2]), len(found[2]))


def _merged(ranges: list[Range]) -> list[Range]:
    """Sorted, neighbours and overlaps of one prefix and width joined, repeats dropped."""
    merged: list[Range] = []
    for each in sorted(ranges, key=_order):
        last = merged[-1] if merged else None
        if last is None or last.prefix != each.prefix or (last.low is None) != (each.low is None):
            merged.append(each)
        elif each.low is None:
            continue
        elif each.low <= last.high + 1 and _same_width(last, each):
            merged[-1] = Range(last.prefix, last.low, max(last.high, each.high), last.width)
        else:
            merged.append(each)
    return merged


def _order(each: Range) -> tuple[str, int, int]:
    return each.prefix, -1 if each.low is None else each.low, each.width


def _same_width(a: Range, b: Range) -> bool:
    """Whether padding writes both alike."""
    return a.width == b.width or (len(str(b.low)) >= max(a.width, b.width) and len(str(a.low)) >= a.width)
