"""The meaning of option values: typed readings of canonical texts, for the lowering, and what the controller says to
them.

Every function takes a text as `Ast` holds it (what sbatch prints) and raises `ValueMistake` for one that means nothing.
Sizes are MiB, times seconds. The shapes are those of grammars/slurm.lark; all rules are of Slurm 22.05 unless said.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import count_of, size_of
from flowc.frontends.slurm.values.trees import ValueMistake as ValueMistake
from flowc.frontends.slurm.values.trees import parse
from flowc.lalr import Node, Token
from flowc.record import Record


class GresItem(Record):
    """`name[:type][:count]`; `type` is None when any will do."""

    name: str
    type: str | None
    count: int


def duration_seconds(canonical: str) -> int | None:
    """Seconds of `[D-]HH:MM:SS`; None: no limit."""
    if canonical == "UNLIMITED":
        return None
    days, dash, clock = canonical.partition("-")
    parts = (clock if dash else days).split(":")
    if len(parts) != 3 or not all(map(_is_number, (*parts, days if dash else "0"))):
        raise ValueMistake(f"`{canonical}` is not a duration", 0, len(canonical))
    hours, minutes, seconds = map(int, parts)
    return (int(days) * 86400 if dash else 0) + hours * 3600 + minutes * 60 + seconds


def _is_number(text: str) -> bool:
    """Whether a text is a number of ordinary length in ASCII; `²` is a digit as well."""
    return text.isascii() and text.isdigit() and len(text) < 20


def size_mib(canonical: str) -> int:
    """MiB of a size as printed: the largest unit that divides, `0?` for 0."""
    if canonical in ("0?", "?"):
        return 0
    text, factor = canonical, 1
    if canonical[-1:] in ("P", "?"):
        text, factor = canonical[:-1] + "T", 1024 if canonical[-1] == "P" else 1024 * 1024
    size = size_of(text)
    if size is None:
        raise ValueMistake(f"`{canonical}` is not a size", 0, len(canonical))
    return size * factor


def node_range(text: str) -> tuple[int, int | None]:
    """(least, most) of a node count; most is None when there is no upper end."""
    low, dash, high = text.partition("-")
    if not _is_number(low) or (dash and not _is_number(high)):
        raise ValueMistake(f"`{text}` is not a node count", 0, len(text))
    if not dash:
        return int(low), int(low)
    return int(low), int(high) or None


def gres_items(text: str) -> tuple[GresItem, ...]:
    """The items of `--gres`; those with count 0 ask for nothing and are left out; of equal items the last holds."""
    if text.lower() == "none":
        return ()
    if text.startswith("gres/"):  # as sbatch writes them since 23.11
        return _later_items(text)
    found: dict[tuple[str, str | None], GresItem] = {}
    for node in parse("gres", text).nodes():
        fields = node.tokens("FIELD")
        item = _item(text, fields[0].text, fields[1:], node)
        if item.count:
            found[item.name, item.type] = item
    return tuple(found.values())


def _later_items(text: str) -> tuple[GresItem, ...]:
    """The same of `gres/gpu:2,gres/gpu:h100=2`."""
    from flowc.frontends.slurm.values.tres import GRES, items

    found: dict[tuple[str, str | None], GresItem] = {}
    for name, kind, count in items(text, GRES):
        if name is None:
            raise ValueMistake(f"`{count}` is no resource's name", 0, len(text))
        found[name, kind] = GresItem(name=name, type=kind or None, count=count)
    return tuple(found.values())


def gpu_items(text: str) -> tuple[GresItem, ...]:
    """The items of `--gpus` and its kin, all named `gpu`; newer sbatch takes `=` before the count too."""
    text = text.replace("=", ":")
    found: dict[str | None, GresItem] = {}
    for node in parse("gpus", text).nodes():
        item = _item(text, "gpu", node.tokens("FIELD"), node)
        if item.count:
            found[item.type] = item
    return tuple(found.values())


def _item(text: str, name: str, fields: list[Token], node: Node) -> GresItem:
    """`type:count`, `count`, or a type alone, which counts as one."""
    texts = [field.text for field in fields]
    if not texts:
        return GresItem(name=name, type=None, count=1)
    if len(texts) == 1:
        count = count_of(texts[0])
        return GresItem(name=name, type=texts[0] if count is None else None, count=1 if count is None else count)
    last = fields[1]
    count = count_of(texts[1]) if len(texts) == 2 else None
    if count is None:
        start, end = last.start, node.end
        raise ValueMistake(f"`{text[start:end]}` is not a count", start, end)
    return GresItem(name=name, type=texts[0], count=count)


def mail_events(text: str) -> tuple[str, ...]:
    """The events of a canonical `--mail-type`; NONE is no event."""
    return () if text == "NONE" else tuple(text.split(","))
