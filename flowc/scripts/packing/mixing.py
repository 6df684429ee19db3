"""Packs text into one number by mixing predictions, denser than LZMA by a tenth to a seventh.

Bit by bit, nine contexts say what the next bit may be: nothing, the letters and digits since the last that is none,
the last byte, the one before it, the last two, three, four and seven, and which of the last four belong to words. Each
context remembers for each beginning of a byte how likely a one is, and learns quickly after it was wrong. A sum weighs
what they say, with weights for the beginning of the byte and for the byte before, which learn from each bit. The
methods are those of Matt Mahoney's paq and, for turning likelihoods into a number, of Jarek Duda's asymmetric numeral
systems.

The machine's decoder is templates/mixing.sh.j2: every number here stands there as well. Both count in integers alone,
so that any Python gives the same on any machine. The two functions of real numbers are cut to integers, and have few
arguments: that no cut is near enough to an integer for a library's rounding to matter is tested for all of them.
"""

from __future__ import annotations

from math import atanh, log2, prod, tanh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    _counted: Callable[..., bytes] | None
    _added: Callable[..., float] | None

try:
    from flowc.scripts.packing._mixing import information as _added
    from flowc.scripts.packing._mixing import likelihoods as _counted
except ImportError:  # no compiler where flowc was installed
    _added = _counted = None

# How likely a bit is, of this many: the number grows by so much for each bit, and shrinks by its likelihood.
ONE = 1 << 16
HALF = ONE // 2
# Stretched likelihoods count in parts of this.
UNIT = 512
# Weighed with both weights, in parts of this.
EVIDENCE = 4000
# A context is at most so certain, either way.
SURE = 32767
# Where it knows nothing: even, and the divisor of its first step, which grows with what it has seen.
UNKNOWN = (0, 4)
# A context that was wrong learns as one that has seen little.
SURPRISED = 10
# Each of the two weights of a context before it has learnt: together a quarter.
WEIGHT = ONE
# Shifts the product of error and input: how much a weight learns.
LEARNING = 12
CONTEXTS = 9
# So many bits are put into the number at a time.
BLOCK = 64
# Every byte of a word to the same one.
_SHAPES = bytes(97 if chr(byte).isascii() and (chr(byte).isalnum() or byte == 95) else byte for byte in range(256))


def mixed(plain: bytes, rest: int = 1, likely: Sequence[int] | None = None) -> int:
    """The number that says these bytes and, to one who has read them, `rest`. Takes some 0.004 ms a byte where the
    helper was compiled, 0.1 ms elsewhere. `likely`: what `likelihoods` gives, where it is known."""
    number, likely = rest, likely or likelihoods(plain)
    for end in range(len(likely), 0, -BLOCK):
        number = _said(number, plain, likely, max(end - BLOCK, 0), end)
    return number


def length(plain: bytes, rest: int = 1, likely: Sequence[int] | None = None) -> float:
    """The binary logarithm of what `mixed` gives, to three digits behind the point."""
    number, likely, end = rest, likely or likelihoods(plain), 8 * len(plain)
    while end and number.bit_length() < 64:  # as long as it is small, it grows by something else
        number, end = _said(number, plain, likely, max(end - BLOCK, 0), end), max(end - BLOCK, 0)
    return information(plain, likely, end) + log2(number or 1)


def information(plain: bytes, likely: Sequence[int], end: int) -> float:
    """By how many bits a number grows that is to say the bits before `end`, a whole number of bytes."""
    if _added is not None and isinstance(likely, memoryview):
        return _added(plain, likely.obj, end, ONE)
    bits = f"{int.from_bytes(plain[: end >> 3], 'big'):0{end}b}" if end else ""
    shares = [each if bit == "1" else ONE - each for bit, each in zip(bits, likely, strict=False)]
    return 16 * len(bits) - sum(map(log2, shares))


def _said(number: int, plain: bytes, likely: Sequence[int], start: int, end: int) -> int:
    """Which number says the bits from `start` to `end` and then `number`.

    A bit divides the number by its share. The product of all their shares divides what they leave alone, which is
    nearly all of it, from the remainder that they work on: one division of a long number, not one for each bit.
    """
    bits = [plain[at >> 3] >> (7 - (at & 7)) & 1 for at in range(start, end)]
    ones = likely[start:end]
    shares = [each if bit else ONE - each for bit, each in zip(bits, ones, strict=True)]
    untouched, left = divmod(number, prod(shares))
    for bit, each, share in zip(reversed(bits), reversed(ones), reversed(shares), strict=True):
        times, over = divmod(left, share)
        left = (times << 16) + over + (0 if bit else each)
    return (untouched << 16 * len(bits)) + left


def likelihoods(plain: bytes) -> Sequence[int]:
    """For each bit of the bytes, the highest first, how likely a one seemed just before: of 65,536, never 0 or all."""
    if _counted is None:
        return [ones for _, ones in predictions(plain)]
    numbers = (ONE, HALF, UNIT, EVIDENCE, SURE, UNKNOWN[1], SURPRISED, WEIGHT, LEARNING)
    return memoryview(_counted(plain, *numbers)).cast("H")


def predictions(plain: bytes) -> Iterator[tuple[int, int]]:
    """Each bit of the bytes, the highest first, and how likely a one seemed just before: of 65,536, never 0 or all."""
    # By index: what is below zero from the end. There is no -32,768.
    stretch = [stretched(likely) for likely in (*range(HALF), 0, *range(-SURE, 0))]
    memories: list[dict[bytes, dict[int, tuple[int, int]]]] = [{} for _ in range(CONTEXTS)]
    by_beginning: dict[int, list[int]] = {}
    by_last: dict[bytes, list[int]] = {}
    word = b""
    for place, byte in enumerate(plain):
        last = plain[max(place - 1, 0) : place]
        word = word + last if last.isalnum() else b""
        rows = [memory.setdefault(key, {}) for memory, key in zip(memories, contexts(plain, place, word), strict=True)]
        second = by_last.setdefault(last, [WEIGHT] * CONTEXTS)
        beginning = 1
        for shift in range(7, -1, -1):
            bit = byte >> shift & 1
            first = by_beginning.setdefault(beginning, [WEIGHT] * CONTEXTS)
            states = [row.get(beginning, UNKNOWN) for row in rows]
            inputs = [stretch[likely] for likely, _ in states]
            total = 0
            for each, one, other in zip(inputs, first, second, strict=True):
                total += each * (one + other)
            ones = squashed(total >> 16) + HALF
            yield bit, ones
            error = bit * ONE - ones
            goal = SURE if bit else -SURE
            for index, (likely, divisor) in enumerate(states):
                learnt = inputs[index] * error >> LEARNING
                first[index] += learnt
                second[index] += learnt
                step = min(divisor, max(SURPRISED, likely * error))
                rows[index][beginning] = likely + (goal - likely) * 3 // step, step + 3
            beginning = beginning * 2 + bit


def contexts(plain: bytes, place: int, word: bytes) -> tuple[bytes, ...]:
    """What the byte at this place is predicted from."""
    before = plain[max(place - 7, 0) : place]
    shape = before[-4:].translate(_SHAPES)
    return b"", word, before[-1:], before[-2:-1], before[-2:], before[-3:], before[-4:], before, shape


def stretched(likely: int) -> int:
    """From -32,767 (surely a zero) to 32,767 to a scale on which evidence adds up."""
    return int(atanh(likely / HALF) * UNIT)


def squashed(evidence: int) -> int:
    """The way back. The half keeps what is all but certain away from the next integer."""
    return int(tanh(evidence / EVIDENCE) * (SURE + 0.5))
