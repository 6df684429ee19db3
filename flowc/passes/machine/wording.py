"""What is sold, in words: for the messages of `resolve`."""

from __future__ import annotations

from flowc._compiled.gpu_models import FAMILIES
from flowc.ir.units import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.catalog.model import Catalog
    from flowc.source import Span


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    every = list(words)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} {last} {every[-1]}" if every else ""


def models(families: Iterable[str]) -> str:
    """GPU families as their makers write them: `V100`, `A100 or H100`."""
    return listed((family.upper() for family in families), "or")


def formats(catalog: Catalog, family: str) -> list[str]:
    """The spellings that are sold of a family: `a100`, `2xa100`, …; the bare name first where it has a
    meaning."""
    counts = catalog.sold_counts(family)
    if not counts:
        return []
    bare = FAMILIES.get(family, {}).get("bare_count") or counts[0]
    bare_sold = [family] if bare in counts else []
    return [
        *bare_sold,
        *(f"{count}x{family}" for count in counts if count != 1 or not bare_sold or bare != 1),
    ]


def near(text: str, catalog: Catalog) -> str | None:
    """The name of something sold that a misspelt one most likely stands for: `8xb200` for `8xb20`."""
    from flowc.diag.suggest import nearest

    return nearest(text.strip(), [name for family in catalog.families for name in formats(catalog, family)])


def formats_help(catalog: Catalog, family: str | None, suggestion: str | None) -> str:
    """The help for a name that is none: one suggestion, then what would be well-formed."""
    families = (family,) if family in catalog.families else catalog.families
    valid = ", ".join(f"`{text}`" for each in families for text in formats(catalog, each or ""))
    return f"did you mean `{suggestion}`? valid formats: {valid}" if suggestion else f"valid formats: {valid}"


def sold(catalog: Catalog, family: str | None) -> str:
    """What is sold of a family, or of all: `H100 is sold with 1 or 8 GPUs`."""
    if family is None or family not in catalog.families:
        return f"what is sold has {models(catalog.families)} GPUs"
    counts = catalog.sold_counts(family)
    text = plural(counts[0], "GPU") if len(counts) == 1 else f"{listed(map(str, counts), 'or')} GPUs"
    memory = sorted({offer.type.gpu_memory_gb for offer in catalog.offers if offer.type.family == family})
    return f"{family.upper()} is sold with {text} of {listed(map(str, memory), 'or')} GB"


def sold_names(catalog: Catalog, family: str | None) -> str:
    """The short names of everything that is sold, or of one family."""
    families = catalog.families if family is None else (family,)
    return ", ".join(f"`{count}x{each}`" for each in families for count in catalog.sold_counts(each))


def as_written(word: str, span: Span | None) -> str:
    """A word of the job as the user wrote it, whose format may not care about capitals."""
    text = span.text if span is not None else ""
    at = text.lower().find(word.lower())
    return text[at : at + len(word)] if at >= 0 else word


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The beginning of a help line for a misspelt word; empty where nothing is near."""
    from flowc.diag.suggest import nearest

    suggestion = nearest(word, known)
    return f"did you mean `{suggestion}`? " if suggestion else ""


def choose_help(catalog: Catalog) -> str:
    """How to take another machine than the file asks for."""
    sold = sold_names(catalog, None)
    return f"`--instance-type` names another machine and wins over the file; sold are {sold}"
