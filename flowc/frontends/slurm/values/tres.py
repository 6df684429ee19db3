"""Lists of trackable resources: `gres/gpu:h100=2,cpu=4,license/matlab=1`, as sbatch reads them since 23.11."""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import count_of
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    # (name, type, count); the name is None where only a count stands.
    Item = tuple[str | None, str | None, int]

GRES = "gres"
# Resources that no task can have a share of.
NOT_OF_TASKS = ("mem", "energy", "node", "billing", "fs", "vmem", "pages", "bb")


def items(text: str, kind: str) -> Iterator[Item]:
    """The items of one kind, as far as they can be read: a count may follow `=` or `:`, a type only `:`; a count of 0
    asks for nothing. Raises ValueMistake at the first that sbatch refuses."""
    at = 0
    while at < len(text):
        start = text.find(kind, at)
        if start < 0:
            return
        at = start + len(kind)
        at += text.startswith("/", at)
        end = text.find(",", at)
        end = len(text) if end < 0 else end
        word, at = text[at:end], end + 1
        if not word:
            continue
        item = _item(word, kind, start, end)
        if item[2] or item[0] is None:
            yield item


def _item(word: str, kind: str, start: int, end: int) -> Item:
    at = word.rfind("=") if "=" in word else word.rfind(":")
    if at < 0:
        count = count_of(word)
        return (word, None, 1) if count is None else (None, None, count)
    name, last = word[:at], word[at + 1 :]
    count, second = count_of(last), None
    if not last or (count is None and word[at] == "="):
        raise ValueMistake(f"`{last or word}` is not a count", start, end)
    if count is None:
        count, second = 1, last
    name, colon, middle = name.partition(":")
    if colon and second is not None:
        raise ValueMistake(f"`{second}` is not a count", start, end)
    second = middle if colon else second
    if second and kind != GRES:
        raise ValueMistake("only generic resources have types", start, end)
    return name, second, count


def number_after(text: str, at: int) -> int:
    """The number that follows the sign at an offset; 0 where there is none."""
    digits = text[at + 1 :].lstrip(" \t+")
    stop = next((place for place, char in enumerate(digits) if char not in "0123456789"), len(digits))
    return int(digits[:stop] or "0") if stop < 10 else 0x7FFFFFFF
