"""How clusters name GPU models: from a word (`nvidia_a100-sxm4-80gb`, `tesla_v100`) to families."""

from __future__ import annotations

from flowc._compiled.gpu_models import FAMILIES, FORM_WORDS, MAKERS, SERIES, VENDOR_WORDS, WORDS
from flowc.patterns import is_like
from flowc.record import Record

# Sizes of memory, in GB, that GPUs come with: a bare number in a word (`a30.24`) is one only if it is among
# them.
SIZES_GB = frozenset((5, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 94, 96, 120, 128, 141, 180, 192, 288))
# Slices of one GPU are named `3g.40gb`; a GPU has at most seven.
MOST_SLICES = 7

_DROPPED = frozenset((*VENDOR_WORDS, *FORM_WORDS))
_FAMILIES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in FAMILIES},
    **{name.replace("-", ""): (name,) for name in FAMILIES},
    **WORDS,
}
_MAKERS = {name: maker for maker, names in MAKERS.items() for name in names}
_seen: dict[str, tuple[GpuWord | None]] = {}


class GpuWord(Record):
    """What a word says: the families that it may mean (empty: any), GPU memory in GB or None, and whether it
    is a slice. A word that names only the maker of GPUs that are not NVIDIA's has it in place of a family.

    `memory_gb` of a slice is the slice's own; the GPU that it is cut from has more.
    """

    families: tuple[str, ...]
    memory_gb: int | None
    slice: bool


def read_gpu_word(word: str) -> GpuWord | None:
    """None for a word that names no known model."""
    found = _seen.get(word)
    if found is None:
        if len(_seen) > 1000:
            _seen.clear()
        found = _seen[word] = (_read(word),)
    return found[0]


def is_meant(word: str, like: str) -> int:
    """How much a line for `like`, a word or a glob of them, is for this word: 3 where it is the same, 2 where it is the
    name of its model (with as much memory, if it says how much), 1 as a glob; 0 where it is not."""
    word, like = word.lower(), like.lower()
    if word == like:
        return 3
    if any(sign in like for sign in "*?["):
        return int(is_like(word, like))
    line, found = read_gpu_word(like), read_gpu_word(word)
    if line is None or found is None or not line.families or line.families != found.families or line.slice:
        return 0
    return 2 * (line.memory_gb in (None, found.memory_gb))


def maker_of(family: str) -> str | None:
    """Who makes a model, where that is not NVIDIA: then no machine with it is sold."""
    return _MAKERS.get(family)


def known_words() -> list[str]:
    """The words that a misspelt one is compared with."""
    return list(_FAMILIES)


def _read(word: str) -> GpuWord | None:
    parts = "".join(char if char.isalnum() else " " for char in word.lower()[:100]).split()
    if any(part.startswith("tpu") for part in parts):
        return GpuWord(families=("tpu",), memory_gb=None, slice=False)
    rest, memory, slice_memory, in_slice = [], None, None, False
    for part in [piece for word in parts for piece in _parted(_bare(word))]:
        size = _size_gb(part)
        if in_slice and size is not None:
            slice_memory, in_slice = size, False
        elif part[-1] == "g" and part[:-1].isdecimal() and int(part[:-1]) <= MOST_SLICES:
            in_slice = True
        elif size is not None:
            memory = size
        elif part not in _DROPPED:
            rest.append(part)
    sliced = slice_memory is not None
    families = _families(rest) if rest else tuple(part for part in parts if part in _MAKERS)[:1]
    if families is None:
        return None
    return GpuWord(families=families, memory_gb=slice_memory if sliced else memory, slice=sliced)


def _bare(part: str) -> str:
    """A model without the maker's word before it or the form behind it: `teslak80`, `h100sxm`."""
    if part in _FAMILIES:
        return part
    for word in _DROPPED:
        for bare in (part.removeprefix(word), part.removesuffix(word)):
            if bare in _FAMILIES:
                return bare
    return part


def _parted(part: str) -> list[str]:
    """A model and the size right behind it, `volta32gb`, `a10080gbpcie`, as two parts; the longest that is a model."""
    part = next((part.removesuffix(word) for word in _DROPPED if part.endswith(f"gb{word}")), part)
    for end in range(len(part) - 3, 1, -1) if part.endswith("gb") else ():
        model = _bare(part[:end])
        if model in _FAMILIES and _size_gb(part[end:]) in SIZES_GB:
            return [model, part[end:]]
    return [part]


def _families(parts: list[str]) -> tuple[str, ...] | None:
    joined = "".join(parts)
    if joined in _FAMILIES or joined in SERIES:
        return _FAMILIES.get(joined) or SERIES[joined]
    known = [_FAMILIES[part] for part in parts if part in _FAMILIES]
    return known[0] if len(known) == 1 and len(parts) <= 3 and parts[0] in _FAMILIES else None


def _size_gb(part: str) -> int | None:
    """GB of `80gb`, `32g`, `24`; None for anything else."""
    digits = part.removesuffix("gb").removesuffix("g")
    if not digits.isdecimal() or len(digits) > 4:
        return None
    number = int(digits)
    if digits != part:
        return number if part.endswith("gb") or number > MOST_SLICES else None
    return number if number in SIZES_GB else None
