"""Whether a job's text may have its own job started again."""

from __future__ import annotations

from flowc.patterns import at_words
from flowc.shell.comments import first_in_code

# A name may have a path before it, `--requeue` is an option of sbatch.
_scontrol = at_words(r"(?<![\w.-])scontrol\b(?!\.)", ("scontrol",))
_requeue = at_words(r"(?<![\w-])requeue(?:hold)?\b", ("requeue",))
# The words of `scontrol` come from elsewhere.
_anything = at_words(r"(?<![\w.-])scontrol[ \t]+[\"']?\$(?![^\n;|&]*\bshow\b)", ("scontrol",))


def requeue_word(text: str, *, shell: bool) -> tuple[int, int] | None:
    """(start, end) of what may ask for it: `requeue` in a text that calls scontrol, or a call whose words are not
    known. Both words may stand apart, in variables or in the lists of another language, but in no comment. `shell`: it
    is the text of one."""
    if "scontrol" not in text or first_in_code(_scontrol, text, shell=shell) is None:
        return None
    found = first_in_code(_requeue, text, shell=shell) or first_in_code(_anything, text, shell=shell)
    return None if found is None else found.span()
