"""Judges the values that speak of clocks, binding and accounting: rare options with grammars of their own.

Each function has the form of settings.SETTERS: (state, option, text), raising ValueMistake. Rules of Slurm 22.05.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import LONG_MAX, strtol, wrap32
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.slurm.values.state import State

_SPEEDS = (("lo", 0x80000001, "Low"), ("him1", 0x80000004, "Highm1"), ("highm1", 0x80000004, "Highm1"),
           ("hi", 0x80000003, "High"), ("med", 0x80000002, "Medium"))  # fmt: skip
# By default sbatch lets a job ask for three of the six governors that it knows.
_GOVERNORS = (("co", None), ("perf", "Performance"), ("pow", None), ("user", "UserSpace"), ("onde", "OnDemand"),
              ("sche", None))  # fmt: skip
_MEM_WORDS = (("verbose", 1), ("prefer", 2), ("sort", 4), ("none", 8), ("rank", 16), ("local", 32), ("map_mem", 64),
              ("mask_mem", 128))  # fmt: skip
_MEM_KINDS = 8 | 16 | 32 | 64 | 128
MAX_BOUND = 100_000
LIMITS = ("AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK")


def _wrong(text: str, message: str) -> ValueMistake:
    return ValueMistake(message, 0, len(text))


def acctg_freq(state: State, name: str, text: str | None) -> None:
    text = text or ""
    for word in filter(None, text.split(",")):
        lowered = word.lower()
        starts = [0] if _has_number(word) else []
        for key in ("energy=", "task=", "filesystem=", "network="):
            if key in lowered and _has_number(word[lowered.index(key) + len(key) :]):
                starts.append(1)
        if not starts:
            raise _wrong(text, f"`{word}` is not SECONDS or TYPE=SECONDS (task, energy, network, filesystem)")
    state.texts[name] = text


def _has_number(text: str) -> bool:
    number, end = strtol(text)
    return end > 0 and wrap32(number) != -1


def cpu_freq(state: State, name: str, text: str | None) -> None:
    text = text or ""
    later = state.version >= (23, 11)
    front, colon, governor_text = text.partition(":")
    low_text, dash, high_text = front.partition("-")
    known, governor = _governor(low_text)
    if known:
        if colon or dash:
            raise _wrong(text, "a governor stands alone or after a range: P1-P2:GOVERNOR")
        shown = governor
    else:
        low, shown = _speed(text, low_text, later)
        if dash:
            if later and not colon:
                raise _wrong(text, "a range needs a governor: P1-P2:GOVERNOR")
            high, high_shown = _speed(text, high_text, later)
            if high < low:
                raise _wrong(text, f"`{high_text}` is below `{low_text}`")
            shown += f"-{high_shown}"
        if colon:
            known, governor = _governor(governor_text)
            if later and known and (governor == "UserSpace") == bool(dash):
                raise _wrong(text, "UserSpace is for one frequency, the other governors for a range: P1-P2:GOVERNOR")
            if not known or not (dash or later):
                raise _wrong(text, "a governor stands alone or after a range: P1-P2:GOVERNOR")
            shown = f"{shown}:{governor}" if dash else shown
    if known and governor is None:
        raise _wrong(text, "expected one of the governors OnDemand, Performance and UserSpace")
    state.texts[name] = shown or ""


def _governor(word: str) -> tuple[bool, str | None]:
    for start, shown in _GOVERNORS:
        if word[: len(start)].lower() == start:
            return True, shown
    return False, None


def _speed(text: str, word: str, whole: bool) -> tuple[int, str]:
    for start, number, shown in _SPEEDS:
        if word[: len(start)].lower() == start:
            return number, shown
    frequency, end = strtol(word)
    frequency %= 0x100000000
    if not frequency or (whole and end < len(word)):
        raise _wrong(text, f"`{word}` is not a frequency: expected kHz, Low, Medium, High or HighM1")
    return frequency, str(frequency)


def gpu_bind(state: State, name: str, text: str | None) -> None:
    text = text or ""
    state.slots["tres_bind"] = f"gres/gpu:{text}"
    if state.version >= (23, 11):
        first, *more = text.split("+")
        others = ["" if word.startswith("gres/") and ":" in word else "?" for word in more]
    else:
        first, *others = text.split(";")
    if not _gpu_binding(first, state.version) or any(
        word and not (word.startswith("gpu:") and _gpu_binding(word[4:], state.version)) for word in others
    ):
        raise _wrong(text, "expected closest, none, single:N, per_task:N, map_gpu:LIST or mask_gpu:LIST")
    state.texts[name] = text


def _gpu_binding(word: str, version: tuple[int, ...]) -> bool:
    lowered = word.lower()
    if lowered.startswith("verbose,"):
        word, lowered = word[8:], lowered[8:]
    if lowered.startswith(("closest", "none") if version >= (23, 2) else ("c", "n")):
        return True
    for start, hexadecimal in (("map_gpu:", False), ("mask_gpu:", True), ("map:", False), ("mask:", True)):
        if lowered.startswith(start) and (start.endswith("gpu:") or version >= (23, 11)):
            return _number_list(word[len(start) :], hexadecimal)
    for start in ("per_task:", "single:"):
        if lowered.startswith(start):
            return 0 <= strtol(word[len(start) :])[0] < LONG_MAX
    return False


def _number_list(text: str, hexadecimal: bool) -> bool:
    allowed = "0123456789abcdefABCDEF*" if hexadecimal else "0123456789*"
    for word in filter(None, text.split(",")):
        if hexadecimal and word.startswith("0x"):
            word = word[2:]
        times = word.partition("*")[2]
        number, end = strtol(times)
        if word.strip(allowed) or end != len(times) or number == LONG_MAX:
            return False
    return True


def gpu_freq(state: State, name: str, text: str | None) -> None:
    text = text or ""
    first, *others = text.split(";")
    if (
        not first
        or not _gpu_clock(first)
        or any(word and not (word.startswith("gpu:") and word[4:] and _gpu_clock(word[4:])) for word in others)
    ):
        raise _wrong(text, "expected low, medium, high, highm1 or MHz, memory=VALUE, verbose")
    state.texts[name] = text


def _gpu_clock(text: str) -> bool:
    for word in filter(None, text.split(",")):
        key, equals, value = word.partition("=")
        if equals and key != "memory":
            return False
        value = value if equals else key
        if value[:1].isdigit():
            number, end = strtol(value)
            if end != len(value) or number == LONG_MAX:
                return False
        elif value not in ("low", "medium", "high", "highm1") and (equals or value != "verbose"):
            return False
    return True


def mem_bind(state: State, name: str, text: str | None) -> None:
    text = text or ""
    bits, nodes = state.slots.get("mem_bind", (0, None))
    for word in _bind_words(text):
        lowered = word.lower()
        if lowered in ("p", "prefer"):
            bits |= 2
        elif lowered in ("sort", "nosort") and state.version < (25, 11):
            bits = bits | 4 if lowered == "sort" else bits & ~4
        elif lowered in ("q", "quiet", "v", "verbose"):
            bits = bits | 1 if lowered[0] == "v" else bits & ~1
        elif lowered in ("no", "none", "rank", "local"):
            kind = {"no": 8, "none": 8, "rank": 16, "local": 32}[lowered]
            bits, nodes = bits & ~_MEM_KINDS | kind, None
        elif lowered.startswith(("map_mem", "mapmem", "mask_mem", "maskmem")):
            mask = lowered.startswith("mask")
            bits, nodes = bits & ~_MEM_KINDS | (128 if mask else 64), _bind_list(text, word, mask)
        else:
            raise _wrong(text, f"`{word}` is not one of none, local, rank, map_mem:LIST, mask_mem:LIST, prefer, sort")
    state.slots["mem_bind"] = bits, nodes
    shown = ",".join(word for word, bit in _MEM_WORDS if bits & bit)
    state.texts[name] = "unset" if not bits else shown + (f":{nodes}" if nodes else "")


def _bind_words(text: str) -> list[str]:
    """The words of a binding; a comma before a number belongs to the list of the word before it."""
    words = text.split(",")
    merged = words[0].split(";")
    for word in words[1:]:
        value = word.split(";")[0] if ";" in word else word
        if value[:1].isdigit() or (not value.strip("0123456789abcdefABCDEF") and value == word):
            first, *rest = word.split(";")
            merged[-1] += "," + first
            merged += rest
        else:
            merged += word.split(";")
    return merged


def _bind_list(text: str, word: str, mask: bool) -> str:
    parts = word.replace("=", ":").split(":")
    items = parts[1] if len(parts) > 1 else ""
    if not items:
        raise _wrong(text, f"a list follows `{parts[0]}:`")
    shown: list[str] = []
    for item in filter(None, items.split(",")):
        item = item[2:] if mask and item.startswith("0x") else item
        value, star, times = item.partition("*")
        allowed = "0123456789abcdefABCDEF" if mask else "0123456789"
        if value.strip(allowed) or (star and not (times.isascii() and times.isdigit() and 0 < int(times) < 10000)):
            raise _wrong(text, f"`{item}` is not a number")
        shown += [value] * (int(times) if star else 1)
        if len(shown) > MAX_BOUND:
            raise _wrong(text, f"the list is longer than {MAX_BOUND}")
    return ",".join(shown)


def power(state: State, name: str, text: str | None) -> None:
    state.texts[name] = "LEVEL" if "level" in (text or "").lower().split(",") else "unset"


def profile(state: State, name: str, text: str | None) -> None:
    lowered = (text or "").lower()
    words = ("energy", "lustre", "network", "task")
    if "none" in lowered:
        state.texts[name] = "None"
        return
    found = words if "all" in lowered else tuple(word for word in words if word in lowered)
    if not found:
        raise _wrong(text or "", "expected all, none, or some of energy, lustre, network and task")
    state.texts[name] = ",".join(word.capitalize() for word in found)


def propagate(state: State, name: str, text: str | None) -> None:
    state.texts[name] = text or "ALL"


def check_limits(text: str) -> None:
    """The names in `--propagate`, which sbatch judges after all options are read."""
    if text in ("ALL", "NONE"):
        return
    for word in text.replace("\t", ",").replace("\n", ",").replace(" ", ",").split(","):
        while word.startswith("RLIMIT_"):
            word = word[7:]
        if word and word not in LIMITS:
            at = text.index(word)
            raise ValueMistake(
                f"`{word}` is not a limit: expected ALL, NONE or {', '.join(LIMITS)}", at, at + len(word)
            )


# By the kinds of values, as `settings.SETTERS`.
SETTERS = {
    "acctg-freq": acctg_freq,
    "cpu-freq": cpu_freq,
    "gpu-bind": gpu_bind,
    "gpu-freq": gpu_freq,
    "mem-bind": mem_bind,
    "power": power,
    "profile": profile,
    "propagate": propagate,
}
