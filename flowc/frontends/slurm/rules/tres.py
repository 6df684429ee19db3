"""What becomes of `--tres-per-task`, `--gpus-per-task` and `--cpus-per-task` together: since 23.11 one list of what
each task gets, from which sbatch prints all three.

Older sbatch knows no such list; under it the option of the later one is read by the later one's rules.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import strtol, wrap32
from flowc.frontends.slurm.values.state import NULL, State
from flowc.frontends.slurm.values.trees import ValueMistake
from flowc.frontends.slurm.values.tres import GRES, NOT_OF_TASKS, items, number_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Refuse = Callable[[tuple[str, ...], str], None]

TRES, GPUS, CPUS = "tres-per-task", "gpus-per-task", "cpus-per-task"


def per_task(state: State, refuse: Refuse) -> None:
    """Bring the three options together in `state`: the list goes to the slot `tres_per_task`, "" when it is empty."""
    if state.version < (23, 11) and TRES not in state.given:
        return
    if (23, 2) <= state.version < (23, 11):
        _first_form(state, refuse)
        return
    given = state.texts.get(TRES)
    lowered = (given or "").lower()
    for name in NOT_OF_TASKS:
        if lowered.startswith(name) or f",{name}" in lowered:
            refuse((TRES,), f"no task can be given a share of `{name}`")
            return
    text = None if given is None else _with_slashes(_with_slashes(given, "license"), GRES)
    try:
        text = _cpus(state, _gpus(state, text))
    except _Clash as clash:
        refuse(clash.options, clash.reason)
        return
    state.slots["tres_per_task"] = text or ""
    if TRES in state.given:
        state.texts[TRES] = NULL if text is None else text
    _bind(state, text or "")


def _first_form(state: State, refuse: Refuse) -> None:
    """The list as 23.02 had it, `gres:gpu:2,cpu:4`: nothing is joined."""
    text = state.texts[TRES]
    lowered = text.lower()
    bad = next((name for name in NOT_OF_TASKS if f",{name}:" in lowered or f"={name}:" in lowered), None)
    at = lowered.find("cpu:")
    if bad:
        refuse((TRES,), f"no task can be given a share of `{bad}`")
    elif "gpu:" in lowered and state.texts.get(GPUS):
        refuse((GPUS, TRES), f"`--{GPUS}` and GPUs in `--{TRES}` exclude each other")
    elif at >= 0 and CPUS in state.given:
        refuse((CPUS, TRES), f"`--{CPUS}` and `cpu` in `--{TRES}` exclude each other")
    elif at >= 0 and not number_after(text, at + 3):
        refuse((TRES,), "`cpu` needs a count, as in `cpu:2`")
    elif at >= 0:
        state.slots[CPUS] = number_after(text, at + 3)
    words = [word.removeprefix("gres:") for word in text.split(",") if word.startswith("gres:")]
    if not any(word.startswith("gpu") for word in words):
        words += [f"gpu:{word}" for word in state.texts.get(GPUS, "").split(",") if word]
    state.slots["words_per_task"] = ",".join(words)


class _Clash(Exception):
    """Options that do not go together, or one whose count is none."""

    def __init__(self, options: tuple[str, ...], reason: str) -> None:
        self.options = options
        self.reason = reason


def _with_slashes(text: str, kind: str) -> str:
    """`gres:gpu` as `gres/gpu`; then empty items go as well."""
    if f"{kind}:" not in text:
        return text
    words = [word for word in text.split(",") if word]
    return ",".join(f"{kind}/{word[len(kind) + 1 :]}" if word.startswith(f"{kind}:") else word for word in words)


def _gpus(state: State, text: str | None) -> str | None:
    asked = state.texts.get(GPUS, "")
    for front, count in _gpu_words(asked, state.version):
        at = (text or "").lower().find(front.lower())
        text = _join(state, text, GPUS, front, count)
        if text is not None and at >= 0 and not state.by_user(GPUS) and state.version < (25, 5):
            state.texts[GPUS] = text[at:]  # the list from there on
    if GPUS in state.given and state.version >= (25, 5):
        shown = [f"{kind}:{count}" if kind else str(count) for _, kind, count in _readable(text or "")]
        state.texts[GPUS] = ",".join(shown) or NULL
    return text


def _readable(text: str) -> Iterator[tuple[str | None, str | None, int]]:
    """The generic resources before the first that cannot be read."""
    try:
        yield from items(text, GRES)
    except ValueMistake:
        return


def _gpu_words(text: str, version: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """(name in the list, count) of each item of `--gpus-per-task`; before 25.05 the first alone counts."""
    while text:
        at = text.find("=") if ":" not in text and version >= (24, 5) else text.find(":")
        if at < 0:
            yield "gres/gpu", wrap32(strtol(text)[0])
            return
        yield f"gres/gpu:{text[:at]}", wrap32(strtol(text[at + 1 :])[0])
        text = text.partition(",")[2] if version >= (25, 5) else ""


def _cpus(state: State, text: str | None) -> str | None:
    given = state.slots.get(CPUS)
    listed = "cpu:" in (text or "").lower() or state.version >= (24, 5) or state.version < (23, 11)
    if given is not None and text and not listed and (at := text.lower().find("cpu")) >= 0:
        return _replaced(text, at, "cpu", given, ":")  # 23.11 looks for the colon
    text = _join(state, text, CPUS, "cpu", given if given is not None else 0) if listed or given is not None else text
    try:
        found = next(items(text or "", "cpu"), None) if listed else None
    except ValueMistake:
        found = None
    if found is not None:
        state.slots[CPUS] = found[2]
        if CPUS in state.given:
            state.texts[CPUS] = str(wrap32(found[2]))
    return text


def _join(state: State, text: str | None, option: str, front: str, count: int) -> str | None:
    """The list with what one option asks for, unless the list says it."""
    at = (text or "").lower().find(front.lower())
    sign = ":" if (23, 11) <= state.version < (24, 5) else "="
    if text is None or at < 0:
        own = f"{front}{sign}{count}"
        return text if not count else own if text is None else f"{own},{text}"
    if state.by_user(option) and state.by_user(TRES):
        raise _Clash((option, TRES), f"`--{option}` and `{front}` in `--{TRES}` exclude each other")
    if state.by_user(option) and state.by_environment(TRES):
        return _replaced(text, at, front, count, sign)
    if number_after(text, at + len(front)) <= 0:
        raise _Clash((TRES,), f"`{front}` needs a count, as in `{front}=2`")
    return text


def _replaced(text: str, at: int, front: str, count: int, sign: str) -> str | None:
    if number_after(text, at + len(front)) == count:
        return text
    before, after = text[:at].removesuffix(","), text[at:].partition(",")[2]
    return ",".join(filter(None, (before, f"{front}{sign}{count}" if count else "", after))) or None


def _bind(state: State, text: str) -> None:
    """The binding that the list implies where none was asked for."""
    bound = state.slots.get("tres_bind")
    gpus = 0
    for name, _, count in _readable(text):
        if bound is not None and name is not None and name in bound:
            continue
        if name == "gpu":
            gpus += count
        else:
            bound = _bound(bound, name or NULL, count)
    if gpus:
        bound = _bound(bound, "gpu", gpus)
    if bound is not None and "tres-bind" in state.given:
        state.slots["tres_bind"] = bound


def _bound(bound: str | None, name: str, count: int) -> str:
    word = f"{GRES}/{name}:per_task:{count}"
    return f"{bound}+{word}" if bound else word


def cpus_per_gpu(state: State, refuse: Refuse) -> None:
    """`--cpus-per-gpu` against CPUs per task: what the environment says gives way to an option (since 23.11)."""
    if state.version < (23, 11):
        return
    word = "cpu:" if state.version < (24, 5) else "cpu"
    asking = [CPUS, TRES] if word in state.slots.get("tres_per_task", "").lower() else [CPUS]
    users = [name for name in asking if state.by_user(name)]
    others = [name for name in asking if state.by_environment(name)]
    if (users and state.by_user("cpus-per-gpu")) or (others and state.by_environment("cpus-per-gpu")):
        last = (users or others)[-1]
        refuse((last, "cpus-per-gpu"), f"`--cpus-per-gpu` and CPUs for each task (`--{last}`) exclude each other")
    elif users and state.by_environment("cpus-per-gpu"):
        state.reset("cpus-per-gpu")
    elif others and state.by_user("cpus-per-gpu"):
        state.reset(CPUS)
