"""The texts of a job that a judge may be shown, each with the language it is in."""

from __future__ import annotations

from flowc._compiled.shell_words import SHELLS
from flowc.body.interpreter import MOST_TEXT, interpreter_words
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.rules.base import placed, texts
from flowc.shell.inner import document_text, given_texts, inner_texts
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.unit import Unit
    from flowc.shell.inner import Inner
    from flowc.source import Text

PYTHON = "python"
_DEEPEST = 5
_MOST = 100  # texts of a job
_python = at_first_use(r"(?:python|pypy)(?:3[0-9.]*)?", "fullmatch")  # the grammar of 2 is another one
_put_in = at_first_use(r"(?:^|[^\\])(?:\\\\)*[$`]", "search")
_FILLED = "a text into which the shell around it puts values"


class Judged(Record):
    """A text, in which language, and the unit whose `text_span` gives its places. `reason`: why no judge can tell."""

    language: str
    text: str
    unit: Unit
    reason: str | None = None


def judged_texts(unit: Unit) -> Iterator[Judged]:
    """What prepares the job, its own text, or that of the shell which it starts; and the texts within them that other
    shells run or Python reads."""
    found = (each for text in texts(unit) for each in _within(text, _language(text), None, _DEEPEST))
    for each, _ in zip(found, range(_MOST), strict=False):
        yield each


def _language(unit: Unit) -> str:
    words = interpreter_words(unit.job)
    for word in words:
        if word in SHELLS:
            return word
        if _python(word):
            return PYTHON
    return next((word for word in words if word not in ("usr", "bin", "local", "env")), "no program")


def _within(unit: Unit, language: str, reason: str | None, deepest: int) -> Iterator[Judged]:
    text = (unit.job.run.text or "")[:MOST_TEXT]
    yield Judged(language=language, text=text, unit=unit, reason=reason)
    if language not in SHELLS or not deepest:
        return
    base = unit.text or (unit.source if text == unit.source.text else None)
    for inner in inner_texts(text):
        yield from _within(_inner_unit(unit, inner, base), "bash", reason or _filled(text, inner), deepest - 1)
    for inner in given_texts(text, _python) if "python" in text or "pypy" in text else ():
        why = reason or _filled(text, inner)
        yield Judged(language=PYTHON, text=inner.text, unit=_inner_unit(unit, inner, base), reason=why)
    for document in scan(text).here_documents if "<<" in text else ():
        command = None if document.ignored else scan(text).command_at(document.command)
        words = [word.rpartition("/")[2] for _, word in command.words()] if command is not None else []
        if not _reads_python(words):
            continue
        inner = document_text(text, document)
        filled = not document.quoted and _put_in(text[document.start : document.end])
        why = reason or (_FILLED if filled else None)
        yield Judged(language=PYTHON, text=inner.text, unit=_inner_unit(unit, inner, base), reason=why)


def _reads_python(words: list[str]) -> bool:
    """Whether this is Python that is given no other text."""
    at = next((at for at, word in enumerate(words) if _python(word)), None)
    if at is None or any(word[:17] == "--container-image" for word in words):
        return False
    for word in words[at + 1 :]:
        if word[:1] != "-" or word in ("-m", "-c"):
            return False
        if word == "-":
            return True
    return True


def _inner_unit(unit: Unit, inner: Inner, base: Text | None) -> Unit:
    run = unit.job.run.replace(kind="shell", interpreter="/bin/bash", text=inner.text, commands=())
    return unit.replace(job=unit.job.replace(run=run), text=placed(inner, base))


def _filled(text: str, inner: Inner) -> str | None:
    """Whether the outer shell puts something into it: not within single quotes, nor where the word of a here-document
    is quoted."""
    if not inner.pieces:
        return None
    start, end = inner.pieces[0][1], inner.pieces[-1][2]
    document = next((each for each in scan(text).here_documents if each.start <= start < each.end), None)
    if document is not None and start == document.start + _tabs(text, document.start):
        return None if document.quoted or not _put_in(text[start:end]) else _FILLED
    return None if text[start - 1] == "'" or not _put_in(text[start:end]) else _FILLED


def _tabs(text: str, start: int) -> int:
    return len(text[start : start + 200]) - len(text[start : start + 200].lstrip("\t"))
