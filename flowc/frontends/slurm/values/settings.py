"""Judges one option's value and keeps what sbatch would print for it. All rules: Slurm 22.05 unless a release is named.

`SETTERS` maps a kind of slurm_options.yaml to a function of (state, option, text); text is None for a bare flag. A
refused value raises `ValueMistake` with the place inside the text.
"""

from __future__ import annotations

from flowc._compiled.slurm_options import OPTIONS
from flowc.frontends.slurm.values import amounts
from flowc.frontends.slurm.values.amounts import wrong
from flowc.frontends.slurm.values.numerals import whole_number
from flowc.frontends.slurm.values.state import SHARED, State
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.slurm.values.state import Setter

MAIL_EVENTS = (
    "ARRAY_TASKS", "INVALID_DEPEND", "BEGIN", "END", "FAIL", "REQUEUE", "STAGE_OUT", "TIME_LIMIT_50", "TIME_LIMIT_80",
    "TIME_LIMIT_90", "TIME_LIMIT",
)  # fmt: skip
_MAIL_ALL = frozenset(("INVALID_DEPEND", "BEGIN", "END", "FAIL", "REQUEUE", "STAGE_OUT"))
_EXCLUSIVE = {
    "exclusive": (22,),
    "oversubscribe": (22,),
    "user": (22,),
    "mcs": (22,),
    "topo": (24, 5),
    "allocation": (26, 5),
}


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


def _open_mode(state: State, name: str, text: str | None) -> None:
    letter = (text or "")[:1].lower()
    if letter not in ("a", "t"):
        raise wrong(text or "", "expected append or truncate")
    state.texts[name] = letter


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


def _hosts(state: State, name: str, text: str | None) -> None:
    if name == "nodelist":
        state.slots["nodelist"] = text or ""
        state.slots.pop("nodefile", None)
    else:
        state.texts[name] = text or ""


def _file(state: State, name: str, text: str | None) -> None:
    raise wrong(text or "", "this file is not read here")


def _exit(state: State, name: str, text: str | None) -> None:
    raise wrong(text or "", f"`--{name}` prints a text and submits nothing")


def _tres_bind(state: State, name: str, text: str | None) -> None:
    state.slots["tres_bind"] = text or ""


def _verbose(state: State, name: str, text: str | None) -> None:
    # Only SBATCH_DEBUG gives a text; `yes` counts as set and is then no number.
    if text and whole_number(text, positive=False, version=state.version) is None:
        raise wrong(text, "expected a whole number")
    state.texts[name] = "set"


def _binding(state: State, name: str, text: str | None) -> None:
    from flowc.frontends.slurm.values.bindings import SETTERS

    SETTERS[OPTIONS[name]["kind"]](state, name, text)


def _rare(state: State, name: str, text: str | None) -> None:
    from flowc.frontends.slurm.values.rare import SETTERS

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
    "acctg-freq": _binding, "chdir": _chdir, "clusters": _clusters, "core-spec": _rare,
    "cpu-freq": _binding, "delay": _rare, "distribution": _rare,
    "duration": amounts.duration, "exclusive": _exclusive, "exit": _exit, "extra-node-info": _rare,
    "flag": _flag, "get-user-env": _rare, "gpu-bind": _binding, "gpu-freq": _binding,
    "gres": _gres, "gres-flags": _rare, "hosts": _hosts, "id": _rare,
    "kill-on-invalid-dep": _rare, "mail-type": _mail_type, "mem-bind": _binding,
    "mem-update": _rare, "moment": _moment, "nice": _rare, "no-kill": _rare, "nodes": amounts.nodes,
    "number": amounts.number, "open-mode": _open_mode, "oversubscribe": _oversubscribe, "path": _path,
    "ports": _rare, "power": _binding, "priority": _rare, "profile": _binding,
    "propagate": _binding, "requeue": _requeue, "runtime": _rare, "segment": _rare,
    "shape": amounts.shape, "signal": _rare, "size": amounts.size, "switches": _rare,
    "thread-spec": _rare, "tres-bind": _tres_bind, "tres-per-task": _text, "verbose": _verbose,
    "zero-one": _rare,
}  # fmt: skip
