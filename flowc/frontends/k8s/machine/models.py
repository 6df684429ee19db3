"""Words for GPU models, as far as a manifest's labels must be told apart; what is sold is for the catalog to say."""

from __future__ import annotations

from flowc._compiled.gpu_models import FAMILIES, FORM_WORDS, VENDOR_WORDS, WORDS
from flowc.patterns import at_first_use

_SAID_BY_ALL = frozenset((*VENDOR_WORDS, *FORM_WORDS))
_FAMILIES = {
    **{name.replace("-", ""): (name,) for name in FAMILIES},
    **{word: tuple(each) for word, each in WORDS.items()},
}
_between = at_first_use(r"[^a-z0-9]+", "split")
_size = at_first_use(r"[0-9]+gb?", "fullmatch")
_memory = at_first_use(r"(?<![a-z0-9])([0-9]{2,3})gb?(?![a-z0-9])", "search")


def families(word: str) -> tuple[str, ...]:
    """The models that a word may mean; empty for a word that names none."""
    parts = [part for part in _between(word.lower()[:100]) if part]
    rest = [part for part in parts if part not in _SAID_BY_ALL and not _size(part)]
    joined = "".join(rest)
    if joined in _FAMILIES:
        return _FAMILIES[joined]
    for part in rest:
        if part in _FAMILIES and not part.isdigit():
            return _FAMILIES[part]
    return ()


def memory_gb(word: str) -> int | None:
    """The memory that a word says (`a100-40gb`)."""
    found = _memory(word.lower())
    return int(found[1]) if found else None


def words(name: str) -> list[str]:
    """The models that stand in a name of something else, with the memory that it says."""
    size = memory_gb(name)
    return [f"{each}-{size}gb" if size else each for each in families(name)]


def same(one: str, other: str) -> bool:
    """Whether two words may mean one model."""
    first, second = families(one), families(other)
    if not first or not second:
        return one == other
    sizes = {size for size in (memory_gb(one), memory_gb(other)) if size is not None}
    return bool(set(first) & set(second)) and len(sizes) < 2


def narrower(one: str, other: str) -> str:
    """Of two words for one model the one that says more."""
    first, second = families(one), families(other)
    if len(first) != len(second):
        return one if len(first) < len(second) else other
    return other if memory_gb(one) is None and memory_gb(other) is not None else one
