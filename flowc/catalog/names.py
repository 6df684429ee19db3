"""How people spell instance types: from a text to family, count, memory and form, or to a mistake.

Accepted, whatever the case, blanks around it trimmed:

    a100   8xh100   8xh100-80gb   8xh100.80gb.sxm5      [count x] family [memory] [form]
    a100:4                                              family : count
    a100-80gb.sxm.4x                                    the provider's own names
    h100.8x.SXM5.IB   h100.8x                           its names of before, with socket and network
    8x NVIDIA H100 80GB SXM5                            as the provider shows them
    it_XqgKWbhZ5gznAYsG                                 an id, its case kept

This is about spelling only; what is sold is for the resolve pass to say.
"""

from __future__ import annotations

from flowc._compiled.gpu_models import FAMILIES, VENDOR_WORDS
from flowc.patterns import at_first_use
from flowc.record import Record

_fid = at_first_use(r"it_[A-Za-z0-9]+", "fullmatch")

_FAMILY = "(?P<family>" + "|".join(sorted(FAMILIES, key=len, reverse=True)) + ")"  # letters, digits and `-` alone
_MEMORY = r"(?:[-.](?P<memory>[0-9]{1,4})gb)?"
_FORM = r"(?:[-.](?P<form>sxm[0-9]?|pcie))?"
_FORMS = (
    rf"(?:(?P<count>[0-9]{{1,6}})x)?{_FAMILY}{_MEMORY}{_FORM}",
    rf"{_FAMILY}{_MEMORY}:(?P<count>[0-9]{{1,6}})",
    rf"{_FAMILY}{_MEMORY}{_FORM}\.(?P<count>[0-9]{{1,6}})x",
    rf"{_FAMILY}\.(?P<count>[0-9]{{1,6}})x\.(?P<form>sxm[0-9]?|pcie)\.(?P<fabric>ib|ici)",
    rf"(?:(?P<count>[0-9]{{1,6}})x )?nvidia {_FAMILY}(?: (?P<memory>[0-9]{{1,4}})gb)?(?: (?P<form>sxm[0-9]?|pcie))?",
)
_patterns = tuple(at_first_use(form, "fullmatch") for form in _FORMS)

# What people write for "whatever is there"; a machine has to be named or described.
ANY_WORDS = ("any", "auto", "cheapest")
# The longest text that is looked at; nothing longer is anybody's instance type.
LONGEST = 100


class Parsed(Record):
    """A well-formed instance type. Either `fid`, or a family with what else the text says; None: it does not
    say. `abridged`: a name of before (`h100.8x`) without its socket and network."""

    family: str | None = None
    count: int | None = None
    memory_gb: int | None = None
    form: str | None = None
    fabric: str | None = None
    fid: str | None = None
    abridged: bool = False


class Mistake(Record):
    """A text that is no instance type: why, what was probably meant, and the family that it speaks of, where
    known."""

    reason: str
    suggestion: str | None = None
    family: str | None = None


def parse_instance_type(text: str) -> Parsed | Mistake:
    """Linear in the text; never raises."""
    trimmed = text.strip()
    if _fid(trimmed):
        return Parsed(fid=trimmed)
    if len(trimmed) > LONGEST:
        return Mistake(reason="it is far too long for one")
    lowered = trimmed.lower()
    for number, fits in enumerate(_patterns):
        if match := fits(lowered):
            return _parsed(match.groupdict(), abridged=number == 2)
    return _mistake(lowered)


def canonical(parsed: Parsed, count: int) -> str:
    """The provider's form of a name: `a100-80gb.sxm.4x`; what the text left out is the family's usual."""
    family = FAMILIES[parsed.family or ""]
    memory = parsed.memory_gb or family["memory_gb"]
    return f"{parsed.family}-{memory}gb.{parsed.form or family['form']}.{count}x"


def _parsed(fields: dict[str, str | None], *, abridged: bool) -> Parsed | Mistake:
    family, count = fields["family"], fields.get("count")
    number = int(count) if count is not None else None
    if number == 0:
        return Mistake(reason="a machine has at least 1 GPU", suggestion=family, family=family)
    memory, form, fabric = fields.get("memory"), fields.get("form"), fields.get("fabric")
    return Parsed(
        family=family,
        count=number,
        memory_gb=int(memory) if memory is not None else None,
        form=form.rstrip("0123456789") if form is not None else None,
        fabric=fabric,
        abridged=abridged and memory is None and form is None,
    )


def _mistake(text: str) -> Mistake:
    """Why a text is no instance type, by what can be made out in it."""
    import re

    if not text:
        return Mistake(reason="it is empty")
    if text in ANY_WORDS:
        return Mistake(reason="a machine is chosen when none is named; leave the name out")
    parts = [part for part in re.split(r"[^a-z0-9]+", text) if part]
    if "cpu" in parts or re.fullmatch(r"[0-9]+xcpu", text):
        return Mistake(reason="machines without GPU take no startup script, so they cannot run a job")
    if re.fullmatch(r"(gpu:)?[0-9]+gb", text):
        return Mistake(reason="it says only how much memory a GPU has")
    family = _family(text, parts)
    if family is None:
        return Mistake(reason="it names no known GPU family")
    rest = text.replace(family, " ", 1)
    counts = _counts(rest)
    memory = re.search(r"(?<![0-9])([0-9]{1,4})gb", rest)
    base = family + (f"-{memory.group(1)}gb" if memory else "")
    suggestion = f"{counts[0]}x{base}" if counts and counts[0] else base
    if len(counts) > 1:
        return Mistake(reason="it gives the count twice", suggestion=suggestion, family=family)
    reason = "the count comes first" if re.fullmatch(r"\s+[x*][0-9]+", rest) else "no name is written like that"
    return Mistake(reason=reason, suggestion=suggestion, family=family)


def _counts(text: str) -> list[int]:
    """The numbers in a text that can only be counts of GPUs."""
    import re

    found = re.findall(r"(?<![0-9a-wyz])([0-9]{1,3})(?![0-9a-wyz]|\s*gb)", text)
    return [int(number) for number in found if 1 <= int(number) <= 64]


def _family(text: str, parts: list[str]) -> str | None:
    """The family that stands in a text as a word of its own, or glued to a count (`a100x8`)."""
    import re

    for family in sorted(FAMILIES, key=len, reverse=True):
        if re.search(rf"(?<![a-z0-9]){re.escape(family)}(?![a-z0-9])", text):
            return str(family)
    for part in parts:
        stripped = re.sub(r"^([0-9]+x)+|(x[0-9]+)+$", "", part)
        if stripped in FAMILIES and stripped not in VENDOR_WORDS:
            return stripped
    return None
