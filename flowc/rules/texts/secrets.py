"""Keys and passwords that are written into a job's text, which the bid carries."""

from __future__ import annotations

from flowc._compiled.shell_words import STAND_INS
from flowc.body.interpreter import MOST_TEXT
from flowc.patterns import at_first_use
from flowc.rules.base import texts
from flowc.secret import begins_secret, places
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

_name = at_first_use(r"([A-Za-z_][\w.-]{0,80})[\"']?[ \t]*[:= \t][ \t]*[\"']?\Z", "search")
_mixed = at_first_use(r"(?=.*[0-9])(?=.*[A-Za-z])", "match")
_LEAST = 8


def report(unit: Unit, sink: Sink) -> None:
    """One finding a text, at the first."""
    for each in texts(unit):
        text = (each.job.run.text or "")[:MOST_TEXT]
        shell = each.job.run.kind == "shell" or "sh" in (each.job.run.interpreter or "")
        for start, end in places(text):
            if not _is_key(text[start:end]) or in_comment(text, start, shell=shell):
                continue
            from flowc.diag.codes.texts import SECRET_IN_SCRIPT

            match = _name(text, max(0, start - 90), start)
            name = match[1].lstrip("-") if match is not None else None
            what = f"the value of `{name}`" if name else "a key or password"
            if text[end : end + 1] == "@" and "://" in text[max(0, start - 90) : start]:  # scheme://user:password@host
                what = "the password of a URL"
            help = f"`--secret {name}` brings it after the start" if name and name.isupper() else None
            sink.report(SECRET_IN_SCRIPT, each.text_span(start, end), help=help, what=what)
            break


def _is_key(value: str) -> bool:
    """Whether it is one, and not a word that stands for one: a known service's, or a mix of letters and digits."""
    if any(word in value.lower() for word in STAND_INS) or len(set(value)) < _LEAST // 2:
        return False
    if begins_secret(value):
        return True
    return len(value) >= _LEAST and _mixed(value) is not None
