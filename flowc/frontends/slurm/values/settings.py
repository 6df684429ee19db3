"""Judges one option's value and keeps what sbatch would print for it. All rules: Slurm 22.05 unless a release is named.

`SETTERS` maps a kind of slurm_options.yaml to a function of (state, option, text); text is None for a bare flag. A
refused value raises `ValueMistake` with the place inside the text.
"""

from __future__ import annotations

from flowc._compiled.slurm_options import OPTIONS
from flowc.frontends.slurm.values import amounts
from flowc.frontends.slurm.values.amounts import locate, seconds_of, wrong
from flowc.frontends.slurm.values.numerals import BLANKS, strtol, whole_number, wrap32
from flowc.frontends.slurm.values.state import SHARED, UNSET, State
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Setter = Callable[[State, str, str | None], None]

MAIL_EVENTS = (
    "ARRAY_TASKS", "INVALID_DEPEND", "BEGIN", "END", "FAIL", "REQUEUE", "STAGE_OUT", "TIME_LIMIT_50", "TIME_LIMIT_80",
    "TIME_LIMIT_90", "TIME_LIMIT",
)  # fmt: skip
_MAIL_ALL = frozenset(("INVALID_DEPEND", "BEGIN", "END", "FAIL", "REQUEUE", "STAGE_OUT"))
SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "CONT": 18,
    "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24,
}  # fmt: skip
_SIGNALS_LATER = {"CHLD": 17, "PIPE": 13}
_EXCLUSIVE = {
    "exclusive": (22,),
    "oversubscribe": (22,),
    "user": (22,),
    "mcs": (22,),
    "topo": (24, 5),
    "allocation": (26, 5),
}
_GRES_FLAGS = ("disable-binding", "enforce-binding", "multiple-tasks-per-sharing", "one-task-per-sharing")
_LEVELS = ("block", "cyclic", "fcyclic")


def _text(state: State, name: str, text: str | None) -> None:
    state.texts[name] = text or ""


def _flag(state: State, name: str, text: str | None) -> None:
    state.texts[name] = "set"


def _gres(state: State, name: str, text: str | None) -> None:
    text = text or ""
    if text.lower() in ("help", "list"):
        raise wrong(text, f"`{text}` prints the cluster's resources and submits nothing")
    if text.lower() == "none":
        state.texts[name] = text
        return
    prefix = "gres/" if state.version >= (23, 11) else "gres:"
    shown = prefix + text.replace(",", "," + prefix)
    state.texts[name] = shown.replace(prefix + prefix, prefix)


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


def _path(state: State, name: str, text: str | None) -> None:
    text = text or ""
    if text.lower() == "none":
        text = "/dev/null"
    state.slots[name] = (text, text.startswith("/"))


def _chdir(state: State, name: str, text: str | None) -> None:
    directory = text if text and text.startswith("/") else "{cwd}/" + (text or "")
    state.slots["directory"] = state.texts[name] = directory


def _exclusive(state: State, name: str, text: str | None) -> None:
    word = (text or "exclusive").lower()
    if _EXCLUSIVE.get(word, (99,)) > state.version:
        known = [each for each, since in _EXCLUSIVE.items() if since <= state.version]
        raise wrong(text or "", f"expected {', '.join(known[:-1])} or {known[-1]}")
    state.slots["shared"] = "exclusive" if word == "allocation" else word


def _oversubscribe(state: State, name: str, text: str | None) -> None:
    state.slots["shared"] = "oversubscribe"


def _requeue(state: State, name: str, text: str | None) -> None:
    if text and state.version >= (26, 5) and text.lower() != "expedite":
        raise wrong(text, "expected expedite")
    if text and text.lower() == "expedite":
        state.slots["expedite"] = True  # for good: no later option takes it back
    state.slots["requeue"] = "expedite" if name == "requeue" and "expedite" in state.slots else name


def _clusters(state: State, name: str, text: str | None) -> None:
    state.slots[SHARED[name]] = text or ""


def _moment(state: State, name: str, text: str | None) -> None:
    from flowc.frontends.slurm.values.moments import moment_text

    shown, seconds = moment_text(text or "", state.version)
    state.texts[name] = shown
    state.slots[name] = seconds


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


def _open_mode(state: State, name: str, text: str | None) -> None:
    letter = (text or "")[:1].lower()
    if letter not in ("a", "t"):
        raise wrong(text or "", "expected append or truncate")
    state.texts[name] = letter


def _kill_on_invalid_dep(state: State, name: str, text: str | None) -> None:
    word = (text or "").lower()
    if word not in ("yes", "no"):
        raise wrong(text or "", "expected yes or no")
    # Both bits may be set and yes is shown first: it cannot be undone.
    state.texts[name] = "yes" if state.texts.get(name) == "yes" else word


def _mail_type(state: State, name: str, text: str | None) -> None:
    words = [word.upper() for word in (text or "").split(",") if word]
    events: set[str] = set()
    for word in words[: words.index("NONE")] if "NONE" in words else words:
        events |= _MAIL_ALL if word == "ALL" else {word} & set(MAIL_EVENTS)
    if "NONE" in words:
        events = set()
    elif not events:
        raise wrong(text or "", "none of the words is an event, such as BEGIN, END, FAIL or ALL")
    if state.version < (25, 5):  # earlier ones are kept and NONE undoes nothing
        events |= state.slots.get("mail", set())
    state.slots["mail"] = events
    state.texts[name] = ",".join(event for event in MAIL_EVENTS if event in events) or "NONE"


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


def _hosts(state: State, name: str, text: str | None) -> None:
    if name == "nodelist":
        state.slots["nodelist"] = text or ""
        state.slots.pop("nodefile", None)
    else:
        state.texts[name] = text or ""


def _file(state: State, name: str, text: str | None) -> None:
    raise wrong(text or "", "this file is not read here")


def _id(state: State, name: str, text: str | None) -> None:
    number, end = strtol(text or "")
    if text == "root":
        number = 0
    elif not end or end != len(text or "") or not 0 <= number <= 0x7FFFFFFF:
        raise wrong(text or "", "expected a number")
    state.texts[name] = str(number)


def _exit(state: State, name: str, text: str | None) -> None:
    raise wrong(text or "", f"`--{name}` prints a text and submits nothing")


def _mem_update(state: State, name: str, text: str | None) -> None:
    margin_text, at, wait = (text or "").partition("@")
    margin, end = strtol(margin_text)
    seconds = seconds_of(wait)
    minutes = 0 if seconds is None or seconds < 0 else (seconds + 59) // 60
    if not at or end != len(margin_text) or not 0 < margin <= 0xFFFF or not 0 < minutes <= 0xFFFF:
        raise wrong(text or "", "expected PERCENT@TIME, both from 1 to 65535 (TIME in minutes)")
    state.texts[name] = f"{margin}@{minutes}"


def _tres_bind(state: State, name: str, text: str | None) -> None:
    state.slots["tres_bind"] = text or ""


def _runtime(state: State, name: str, text: str | None) -> None:
    text = text or ""
    if text.lower() == "list":
        raise wrong(text, "`list` prints the cluster's runtimes and submits nothing")
    state.texts[name] = text if text.startswith("runtime/") else f"runtime/{text}"


def _verbose(state: State, name: str, text: str | None) -> None:
    # Only SBATCH_DEBUG gives a text; `yes` counts as set and is then no number.
    if text and whole_number(text, positive=False, version=state.version) is None:
        raise wrong(text, "expected a whole number")
    state.texts[name] = "set"


def _binding(state: State, name: str, text: str | None) -> None:
    from flowc.frontends.slurm.values.bindings import SETTERS

    SETTERS[OPTIONS[name]["kind"]](state, name, text)


def accepts(name: str, text: str | None) -> bool:
    """Whether an option takes a value by itself, by the default release's rules; an unknown name's value passes."""
    if name not in OPTIONS:
        return True
    try:
        SETTERS[OPTIONS[name]["kind"]](State((22, 5), {}), name, text)
    except ValueMistake:
        return False
    return text != ""


SETTERS: dict[str, Setter] = {
    **dict.fromkeys(("text", "array", "dependency", "features", "licences", "export", "gpus", "hint", "wrap"), _text),
    **dict.fromkeys(("nodefile", "file", "export-file"), _file),
    "acctg-freq": _binding, "chdir": _chdir, "clusters": _clusters, "core-spec": amounts.core_spec,
    "cpu-freq": _binding, "delay": amounts.delay, "distribution": _distribution,
    "duration": amounts.duration, "exclusive": _exclusive, "exit": _exit, "extra-node-info": amounts.extra_node_info,
    "flag": _flag, "get-user-env": _get_user_env, "gpu-bind": _binding, "gpu-freq": _binding,
    "gres": _gres, "gres-flags": _gres_flags, "hosts": _hosts, "id": _id,
    "kill-on-invalid-dep": _kill_on_invalid_dep, "mail-type": _mail_type, "mem-bind": _binding,
    "mem-update": _mem_update, "moment": _moment, "nice": _nice, "no-kill": _no_kill, "nodes": amounts.nodes,
    "number": amounts.number, "open-mode": _open_mode, "oversubscribe": _oversubscribe, "path": _path,
    "ports": amounts.ports, "power": _binding, "priority": _priority, "profile": _binding,
    "propagate": _binding, "requeue": _requeue, "runtime": _runtime, "segment": amounts.segment,
    "shape": amounts.shape, "signal": _signal, "size": amounts.size, "switches": amounts.switches,
    "thread-spec": amounts.thread_spec, "tres-bind": _tres_bind, "tres-per-task": _text, "verbose": _verbose,
    "zero-one": amounts.zero_one,
}  # fmt: skip
