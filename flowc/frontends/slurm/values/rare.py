"""Values of options that few scripts have, as `settings.py` has those of the others."""

from __future__ import annotations

from flowc.frontends.slurm.values.amounts import integer, locate, seconds_of, wrong
from flowc.frontends.slurm.values.numerals import BLANKS, strtol, wrap32
from flowc.frontends.slurm.values.state import INFINITE, NO_VAL, UNSET, State, clock
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.slurm.values.state import Setter

SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "CONT": 18,
    "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24,
}  # fmt: skip
_SIGNALS_LATER = {"CHLD": 17, "PIPE": 13}
_GRES_FLAGS = ("disable-binding", "enforce-binding", "multiple-tasks-per-sharing", "one-task-per-sharing")
_LEVELS = ("block", "cyclic", "fcyclic")


def _gres_flags(state: State, name: str, text: str | None) -> None:
    words = _GRES_FLAGS if state.version >= (23, 11) else _GRES_FLAGS[:2]
    given = (text or "").lower().split(",") if state.version >= (23, 11) else [(text or "").lower()]
    if state.version >= (23, 11):
        given = [word for word in given if word]
    # Given again, the option forgets the others and keeps this one.
    sharing: set[str] = state.slots.setdefault("gres_sharing", set())
    if any(word not in words for word in given):
        raise wrong(text or "", "expected " + " or ".join(words))
    sharing.update(word for word in given if word == "multiple-tasks-per-sharing")
    asked = {*given, *sharing}
    for one, other in (_GRES_FLAGS[:2], _GRES_FLAGS[2:]):
        if one in asked and other in asked:
            raise wrong(text or "", f"{one} and {other} exclude each other")
    if "one-task-per-sharing" in asked:
        raise wrong(
            text or "", "one-task-per-sharing needs MULTIPLE_SHARING_GRES_PJ, which no cluster has unless set up so"
        )
    state.texts[name] = ",".join(word for word in words if word in asked) or UNSET


def _nice(state: State, name: str, text: str | None) -> None:
    number = strtol(text)[0] if text else 100
    if abs(number) > 2147483645:
        raise wrong(text or "", "expected a number from -2147483645 to 2147483645")
    state.texts[name] = str(number)


def _priority(state: State, name: str, text: str | None) -> None:
    number = 0xFFFFFFFD if (text or "").lower() == "top" else strtol(text or "")[0]
    if number < 0 or number >= 0xFFFFFFFE:
        raise wrong(text or "", "expected a number from 0 to 4294967293, or TOP")
    state.texts[name] = str(wrap32(number))


def _no_kill(state: State, name: str, text: str | None) -> None:
    word = (text or "set").lower()
    if word not in ("set", "off", "no"):
        raise wrong(text or "", "expected nothing, set, off or no")
    state.texts[name] = "set" if word == "set" else "unset"


def _kill_on_invalid_dep(state: State, name: str, text: str | None) -> None:
    word = (text or "").lower()
    if word not in ("yes", "no"):
        raise wrong(text or "", "expected yes or no")
    # Both bits may be set and yes is shown first: it cannot be undone.
    state.texts[name] = "yes" if state.texts.get(name) == "yes" else word


def _signal(state: State, name: str, text: str | None) -> None:
    rest = text or ""
    flags: set[str] = state.slots.setdefault("signal_flags", set())
    for letter in "RBR":
        if rest[:1].upper() == letter:
            flags.add(letter)
            rest = rest[1:]
    rest = rest.removeprefix(":")
    word, at, after = rest.partition("@")
    number = _signal_number(word, state.version)
    seconds, end = strtol(after) if at else (60, 0)
    if not 0 < number <= 0xFFFF or not 0 <= seconds <= 0xFFFF or (at and end != len(after)):
        raise locate("signal", text or "", f"`{word}` is not a signal" if number <= 0 else "expected SIGNAL[@SECONDS]")
    letters = "".join(letter for letter in "RB" if letter in flags)
    known = {**SIGNALS, **(_SIGNALS_LATER if state.version >= (23, 11) else {})}
    shown = next((each for each, own in known.items() if own == number), str(number))
    state.texts[name] = (letters and letters + ":") + shown + (f"@{seconds}" if seconds != 60 else "")


def _signal_number(word: str, version: tuple[int, ...]) -> int:
    number, end = strtol(word)
    if end:
        return 0 if word[end:].strip(BLANKS) else wrap32(number) % 0x10000
    word = word.lstrip(BLANKS).upper().removeprefix("SIG").rstrip(BLANKS)
    return SIGNALS.get(word, _SIGNALS_LATER.get(word, 0) if version >= (23, 11) else 0)


def _distribution(state: State, name: str, text: str | None) -> None:
    text = text or ""
    if text[:5].lower() == "plane":
        _, equals, size_text = text.partition("=")
        size_text = size_text if equals else state.variables.get("SLURM_DIST_PLANESIZE", "")
        size, end = strtol(size_text)
        if not end or end != len(size_text) or not 0 < size <= 0x7FFFFFFF:
            raise wrong(text, "expected plane=SIZE with a size above 0")
        state.slots.update(distribution="plane", plane=size)
        state.texts[name] = f"plane={size}"
        return
    base, comma, flag = text.lstrip(",").partition(",")
    levels = [level.lower() for level in base.split(":") if level]
    if text[:1] in ("", ",") or len(levels) > 3 or not levels:
        raise locate("distribution", text, "not a distribution")
    for at, default in enumerate(("block", "cyclic", levels[1] if len(levels) > 1 else "")):
        if at < len(levels) and levels[at] == "*":
            levels[at] = "cyclic" if default == "*" else default
    flags = [flag.lower()] if comma and flag else []
    if len(levels) == 1 and levels[0] in ("pack", "nopack"):
        flags, levels = [*levels, *flags], []
    known = levels == [] or levels in (["arbitrary"], ["hostfile"])
    known = known or (levels[0] in _LEVELS[:2] and all(level in _LEVELS for level in levels[1:]))
    if not known or any(each not in ("pack", "nopack") for each in flags):
        raise locate("distribution", text, "not a distribution")
    shown = "arbitrary" if levels == ["hostfile"] else ":".join(levels)
    state.slots["distribution"] = shown.partition(":")[0]
    if len(set(flags)) < 2:
        shown = ",".join(filter(None, [shown, *dict.fromkeys(flags)]))
    state.texts[name] = shown or "(null)"


def _get_user_env(state: State, name: str, text: str | None) -> None:
    mode = {"s": "S", "l": "L"}
    seconds, end = strtol(text) if text else (0, 0)
    letter = (text or "")[end : end + 1].lower()
    if letter and letter not in mode:
        raise wrong(text or "", "expected seconds, then S or L")
    if state.version >= (25, 5):
        state.texts[name] = "set"
        return
    state.slots["user_env"] = wrap32(seconds)
    state.slots["user_env_mode"] = mode.get(letter, state.slots.get("user_env_mode", ""))
    shown = f"{wrap32(seconds)}{state.slots['user_env_mode']}"
    state.texts[name] = shown if shown != "-1" else "(null)"


def _id(state: State, name: str, text: str | None) -> None:
    number, end = strtol(text or "")
    if text == "root":
        number = 0
    elif not end or end != len(text or "") or not 0 <= number <= 0x7FFFFFFF:
        raise wrong(text or "", "expected a number")
    state.texts[name] = str(number)


def _mem_update(state: State, name: str, text: str | None) -> None:
    margin_text, at, wait = (text or "").partition("@")
    margin, end = strtol(margin_text)
    seconds = seconds_of(wait)
    minutes = 0 if seconds is None or seconds < 0 else (seconds + 59) // 60
    if not at or end != len(margin_text) or not 0 < margin <= 0xFFFF or not 0 < minutes <= 0xFFFF:
        raise wrong(text or "", "expected PERCENT@TIME, both from 1 to 65535 (TIME in minutes)")
    state.texts[name] = f"{margin}@{minutes}"


def _runtime(state: State, name: str, text: str | None) -> None:
    text = text or ""
    if text.lower() == "list":
        raise wrong(text, "`list` prints the cluster's runtimes and submits nothing")
    state.texts[name] = text if text.startswith("runtime/") else f"runtime/{text}"


def _delay(state: State, name: str, text: str | None) -> None:
    seconds = seconds_of(text or "")
    if seconds is None:
        raise locate("duration", text or "", "not a time")
    state.texts[name] = "UNLIMITED" if seconds == INFINITE else clock(seconds % 0x100000000)


def _zero_one(state: State, name: str, text: str | None) -> None:
    if text is None:
        state.texts[name] = "1"
        return
    number = integer(state, text, positive=False)
    number = number if name == "oom-kill-step" else number % 0x10000
    if number > 1:
        raise wrong(text, "expected 0 or 1")
    state.texts[name] = str(number)


def _ports(state: State, name: str, text: str | None) -> None:
    state.texts[name] = str(integer(state, text, positive=False)) if text is not None else "0"


def _segment(state: State, name: str, text: str | None) -> None:
    number, end = strtol(text or "")
    if end != len(text or "") or not 0 <= number < 0xFFFE:
        raise wrong(text or "", "expected a whole number from 0 to 65533")
    state.slots["segment"] = number
    state.texts[name] = str(number) if number else UNSET


def _core_spec(state: State, name: str, text: str | None) -> None:
    state.slots["core-spec"] = integer(state, text, positive=False)


def _thread_spec(state: State, name: str, text: str | None) -> None:
    state.slots["core-spec"] = integer(state, text, positive=True) | 0x8000


def _switches(state: State, name: str, text: str | None) -> None:
    count, at, wait = (text or "").partition("@")
    if at:
        seconds = seconds_of(wait)
        state.slots["switch_wait"] = NO_VAL if seconds is None else seconds
    state.slots["switches"] = integer(state, count, positive=True)


def _extra_node_info(state: State, name: str, text: str | None) -> None:
    parts = [*(text or "").split(":"), "", ""][:3]
    offset = 0
    for slot, part in zip(("sockets", "cores", "threads"), parts, strict=True):
        least = _shape_count(part, offset)
        state.slots[slot] = least
        offset += len(part) + 1
    state.slots["extra_set"] = True


def _shape_count(part: str, offset: int) -> int:
    """One field of `-B`: a count, `*`, or a range of which the low end counts."""
    if part[:1] in ("", "*"):
        return NO_VAL
    low, end = _scaled(part, 0)
    if (part[end:] and part[end] != "-") or not 0 <= low <= 0x7FFFFFFF:
        raise ValueMistake("expected a count, MIN-MAX or `*`", offset, offset + len(part))
    if end < len(part):
        high, last = _scaled(part, end + 1)
        if (part[last:] and part[last] != "-") or not 0 < high <= 0x7FFFFFFF:
            raise ValueMistake("expected a count, MIN-MAX or `*`", offset, offset + len(part))
        if low == 1 and high == 0x7FFFFFFF:
            return NO_VAL
    return low


def _scaled(part: str, start: int) -> tuple[int, int]:
    number, end = strtol(part[start:])
    unit = part[start + end : start + end + 1].lower()
    if unit in ("k", "m"):
        return number * (1024 if unit == "k" else 1048576), start + end + 1
    return number, start + end


# By the kinds of values, as `settings.SETTERS`.
SETTERS: dict[str, Setter] = {
    "core-spec": _core_spec,
    "delay": _delay,
    "distribution": _distribution,
    "extra-node-info": _extra_node_info,
    "get-user-env": _get_user_env,
    "gres-flags": _gres_flags,
    "id": _id,
    "kill-on-invalid-dep": _kill_on_invalid_dep,
    "mem-update": _mem_update,
    "nice": _nice,
    "no-kill": _no_kill,
    "ports": _ports,
    "priority": _priority,
    "runtime": _runtime,
    "segment": _segment,
    "signal": _signal,
    "switches": _switches,
    "thread-spec": _thread_spec,
    "zero-one": _zero_one,
}
