"""Where diagnostics gather while a source goes through the pipeline."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.secret import masked, values_in
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Ignored(Protocol):
        """What says which findings are not to be shown."""

        def cover(self, code: Code, span: Span | None) -> bool: ...

        def report(self, sink: Sink, *, idle: bool) -> None: ...


class Edit(Record):
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


class Fix(Record):
    """A change that mends the problem; `title` says what it does. Where it is `certain` it is safe to apply without
    asking. It is not where the text was legal and the change makes another job of it, which may cost more."""

    title: str
    edits: tuple[Edit, ...]
    certain: bool = True


class Diagnostic(Record):
    """One finding. `span` is None when no text in particular caused it; `notes` point at other places. `lacks`: what
    the job needs and does not find, as pairs of a kind (one of flowc/diag/lacks.py) and a name. `job`: the name of the
    one that it is about, where the source holds several."""

    code: Code
    severity: str
    message: str
    span: Span | None
    help: str | None = None
    fix: Fix | None = None
    notes: tuple[tuple[Span, str], ...] = ()
    lacks: tuple[tuple[str, str], ...] = ()
    job: str | None = None


MOST_OF_A_CODE = 100
_LONGEST_WORD = 80  # characters of a word that are shown; prose has none as long
_LONGEST_PATH = 240  # of a field in a document, which is told from others by what stands in its middle
_long_word = at_first_use(rf"\S{{{_LONGEST_WORD + 1},}}", "sub")
_LONGEST_FIELD = 2_000


def shortened(text: str) -> str:
    """A text to be quoted in a message, with words cut to a readable length; ends stay, so that quotes do too."""
    if len(text) <= _LONGEST_WORD:
        return text
    if len(text) > _LONGEST_FIELD:
        text = f"{text[: _LONGEST_FIELD // 2]}…{text[-_LONGEST_FIELD // 2 :]}"
    if max(map(len, text.split()), default=0) <= _LONGEST_WORD:
        return text
    cut: str = _long_word(lambda found: f"{found[0][: _LONGEST_WORD - 20]}…{found[0][-19:]}", text)
    return cut


def _places(diagnostic: Diagnostic) -> list[Span]:
    spans = [span for span, _ in diagnostic.notes] if diagnostic.notes else []
    return spans if diagnostic.span is None else [diagnostic.span, *spans]


def _shortened_path(path: str) -> str:
    return f"{path[: _LONGEST_PATH - 80]}…{path[-79:]}"


def _words(diagnostic: Diagnostic) -> tuple[str, ...]:
    title = diagnostic.fix.title if diagnostic.fix is not None else ""
    words: tuple[str, ...] = (diagnostic.message, diagnostic.help or "", title)
    if diagnostic.lacks:
        words = (*words, *(name for _, name in diagnostic.lacks))
    return (*words, *(text for _, text in diagnostic.notes)) if diagnostic.notes else words


def _masked(diagnostic: Diagnostic, values: list[str]) -> Diagnostic:
    """The finding as it may be shown, without these values. The edits of its fix stay what they are: they are for the
    source itself."""
    words = _words(diagnostic)
    together = "\n".join(words)
    if not any(value in together for value in values):
        return diagnostic
    message, help, title, *rest = (masked(text, values) if text else text for text in words)
    lacks, notes = rest[: len(diagnostic.lacks)], rest[len(diagnostic.lacks) :]
    return diagnostic.replace(
        message=message,
        help=help or diagnostic.help,
        notes=tuple((span, text) for (span, _), text in zip(diagnostic.notes, notes, strict=True)),
        lacks=tuple((kind, name) for (kind, _), name in zip(diagnostic.lacks, lacks, strict=True)),
        fix=diagnostic.fix and diagnostic.fix.replace(title=title),
    )


def _written(diagnostic: Diagnostic) -> Diagnostic:
    """The finding at what the user wrote, where values were put in. A fix that would change one of these is left
    out."""
    span, fix = diagnostic.span, diagnostic.fix
    if fix is not None:
        edits = tuple(edit.replace(span=edit.span.written) for edit in fix.edits)
        same = all(new.span.text == old.span.text for new, old in zip(edits, fix.edits, strict=True))
        fix = fix.replace(edits=edits) if same else None
    return diagnostic.replace(
        span=span and span.written,
        fix=fix,
        notes=tuple((place.written, text) for place, text in diagnostic.notes),
    )


class Sink:
    """Collects the diagnostics of one source, in the order of their reporting; the same finding only once.

    `jobs`: the names of the jobs, where there are several; `job` the one that is looked at (`turn_to`); `areas`: the
    stretches of the first source that belong to one job each.

    Of one code the first MOST_OF_A_CODE findings are kept; the last of them says how many more there are.

    `failed`: an error was reported, a warning under `strict` included, so that nothing may be emitted. `broken`: an
    error that is one in any case; only such an error stops the pipeline, and `strict` hides no finding. `stopped`: one
    whose code says that not even the next stage can go on. What `ignores` covers is not kept, and is no failure under
    `strict`; an error stops the pipeline in any case. Where the job is `free` nothing is said about money.
    """

    __slots__ = (
        *("_counts", "_kept", "_last", "_looked", "_remedies", "_seen", "_shown", "_spoken", "_values"),
        *("areas", "error_count", "free", "ignores", "job", "jobs", "promoted_count", "sources", "stopped", "strict"),
    )

    def __init__(self, *, strict: bool = False, free: bool = False) -> None:
        self._kept: list[Diagnostic] = []
        self._counts: dict[str, int] = {}
        self._last: dict[str, int] = {}  # where in `_kept` the last one of a code is that has more
        self.error_count = 0
        self.promoted_count = 0
        self.stopped = False
        self.strict = strict
        self.free = free
        self.ignores: Ignored | None = None
        self.jobs: tuple[str, ...] = ()
        self.job: str | None = None
        self.areas: tuple[tuple[int, int, str], ...] = ()
        self.sources: list[Source] = []  # what is compiled: their secrets are shown in no finding
        self._spoken: list[Source] = []  # what the findings speak of beside
        self._values: list[str] = []  # of secrets, in the first `_looked` findings and in the lines that they speak of
        self._looked = 0
        self._remedies: dict[tuple[str, Span], tuple[str | None, Fix | None]] = {}
        self._seen: set[tuple[str, Span | None, str, str | None]] = set()
        self._shown: tuple[int, list[Diagnostic]] | None = None  # how many there were, and they: asked for twice

    @property
    def heard(self) -> int:
        """How many things were reported so far, be they kept or not."""
        return len(self._seen)

    def report(
        self,
        code: Code,
        span: Span | None,
        *,
        help: str | None = None,
        fix: Fix | None = None,
        notes: tuple[tuple[Span, str], ...] = (),
        lacks: tuple[tuple[str, str], ...] = (),
        **fields: object,
    ) -> None:
        """Report one finding; `fields` fill the code's title, all of them and no others (KeyError otherwise)."""
        if self.free and code.money:
            return
        if span is not None and self._remedies and help is None and fix is None:
            help, fix = self._remedies.get((code.id, span), (None, None))
        promoted = self.strict and code.severity == "warning"
        for name, value in fields.items():
            if type(value) is str and len(value) > (_LONGEST_PATH if name == "path" else _LONGEST_WORD):
                fields[name] = _shortened_path(value) if name == "path" else shortened(value)
        message = code.title.format_map(fields)
        key = (code.id, span, message, self.job if span is None else None)
        if key in self._seen:
            return
        self._seen.add(key)
        self.error_count += code.severity == "error"
        self.stopped |= code.severity == "error" and code.stops
        if self.hides(code, span):
            return
        self.promoted_count += promoted
        count = self._counts[code.id] = self._counts.get(code.id, 0) + 1
        if count > MOST_OF_A_CODE:
            return
        self._last[code.id] = len(self._kept)
        self._kept.append(
            Diagnostic(
                code=code,
                severity="error" if promoted else code.severity,
                message=message,
                span=span,
                help=help and shortened(help),
                fix=fix,
                notes=notes,
                lacks=lacks,
                job=self.job,
            )
        )

    def remedy(self, code: Code, span: Span, help: str | None, fix: Fix | None) -> None:
        """What mends a finding there, for whoever comes to report it: only who reads a source knows how it is written,
        only a later stage whether it is a finding."""
        self._remedies[code.id, span] = help, fix

    def turn_to(self, index: int | None) -> None:
        """What is reported from now on is about this one of the jobs."""
        self.job = self.jobs[index] if index is not None and self.jobs else None

    def hides(self, code: Code, span: Span | None) -> bool:
        """Whether a finding there would not be kept: for those that speak of several places in one."""
        return self.ignores is not None and self.ignores.cover(code, span)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """The findings, as far as they are kept, with stars for the values of secrets in all that they say."""
        count = sum(self._counts.values())
        if self._shown is None or self._shown[0] != count:
            self._shown = count, self._show()
        return [*self._shown[1]]

    def _show(self) -> list[Diagnostic]:
        if not self._kept:
            return []
        if self._looked < len(self._kept):
            self._look(self._kept[self._looked :])
        kept = [self._of_job(each) for each in self._kept] if self.areas else [*self._kept]
        values = [value for source in (*self.sources, *self._spoken) for value in source.secret_values] + self._values
        if values:
            said = "\n".join(word for each in kept for word in _words(each))
            values = [value for value in values if value in said]
            kept = [_masked(each, values) for each in kept] if values else kept
        for code, count in self._counts.items():
            if count > MOST_OF_A_CODE:
                at, more = self._last[code], count - MOST_OF_A_CODE
                kept[at] = kept[at].replace(message=f"{kept[at].message} (and {more:,} more of this kind)")
        if any(source.made is not None for source in self.sources):
            kept = [_written(each) for each in kept]
        return kept

    def _of_job(self, finding: Diagnostic) -> Diagnostic:
        """With the name of the job in whose part of the source it lies."""
        span = finding.span
        if finding.job is not None or span is None or span.source is not self.sources[0]:
            return finding
        names = [name for start, end, name in self.areas if start <= span.start < end]
        return finding.replace(job=names[0]) if names else finding

    def _look(self, findings: list[Diagnostic]) -> None:
        """Look for secrets in what these findings say, and in the lines that they speak of."""
        self._looked = len(self._kept)
        lines: dict[str, None] = {}
        words: list[str] = []
        for each in findings:
            words += _words(each)
            for span in _places(each):
                if span.source not in self.sources and span.source not in self._spoken:
                    self._spoken.append(span.source)
                lines[span.source.lines_near(span)] = None
        self._values += values_in("\n".join((*words, *lines)))

    @property
    def broken(self) -> bool:
        return self.error_count > 0

    @property
    def failed(self) -> bool:
        return self.error_count + self.promoted_count > 0
