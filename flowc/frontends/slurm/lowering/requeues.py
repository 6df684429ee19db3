"""Whether a job's text may have its own job started again."""

from __future__ import annotations

from flowc.patterns import at_first_use

# Neither in a comment; a name may have a path before it, `--requeue` is an option of sbatch.
_CODE = r"(?m)^(?:[^#\n]|(?<=\S)#)*?"
_scontrol = at_first_use(rf"{_CODE}(?<![\w.-])scontrol\b(?!\.)", "search")
_requeue = at_first_use(rf"{_CODE}(?<![\w-])(requeue(?:hold)?)\b", "search")
# The words of `scontrol` come from elsewhere.
_anything = at_first_use(rf"{_CODE}(?<![\w.-])(scontrol[ \t]+[\"']?\$)(?![^\n;|&]*\bshow\b)", "search")


def requeue_word(text: str) -> tuple[int, int] | None:
    """(start, end) of what may ask for it: `requeue` in a text that calls scontrol, or a call whose words are not
    known. Both words may stand apart, in variables or in the lists of another language."""
    if "scontrol" not in text or _scontrol(text) is None:
        return None
    found = _requeue(text) or _anything(text)
    return None if found is None else found.span(1)
