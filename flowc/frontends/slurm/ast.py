"""The tree of a batch script: what sbatch read, before any meaning."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.secret import EVERY, masked
from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.source import Text

_shell = at_first_use(r"[ \t]*\S*/(?:env[ \t]+(?:-\S+[ \t]+)*)?(?:ba|da|k|z|c|tc)?sh\b", "match")


class Given(Record):
    """One option as it was given somewhere.

    `option` is sbatch's long name after aliases and prefixes; `written` the spelling used (`--job`, `-J`, `PBS -N`,
    `SBATCH_PARTITION`); `value` the raw text, None for a bare flag; `canonical` the text that sbatch prints for it,
    None when it sets nothing (switched off by the environment, hidden); `origin` is script, pbs, bsub, environment or
    arguments; `component` counts from 0; `span` covers option and value; `word` is the
    argument that holds the value from the character `inset` on.
    """

    option: str
    written: str
    value: str | None
    canonical: str | None
    origin: str
    component: int
    span: Span
    word: Derived | None
    inset: int = 0

    @property
    def placed(self) -> Derived | None:
        """The value with its places."""
        return None if self.word is None else Derived.of(self.word, self.inset, len(self.word.text))

    @property
    def value_span(self) -> Span | None:
        """The place of the value alone; of an empty one the whole option's."""
        if self.word is None:
            return None
        return self.word.span(self.inset, len(self.word.text)) if self.value else self.span


class Component(Record):
    """One component of a job; an ordinary job has one.

    `options` is the state after all rules: long name to canonical text, exactly as `sbatch -v --test-only` lists it.
    `given` maps a long name to the last `Given` that set it.
    """

    options: dict[str, str]
    given: dict[str, Given]


class Ast(Record):
    """A batch script as read. `shebang` is the first line without `#!` and line end, None with `--wrap`.

    `text` is the script that would run, byte for byte (with `--wrap`: what sbatch makes of it), `placed` where it comes
    from. `body_line` is the line
    (from 1) of the first command, None when there is none. `given` holds every option in order of reading, the ones
    that were later replaced too. `script_args` are the arguments after the script's name. `refused` are the options of
    which sbatch refuses a value, as was said.
    """

    source: Source
    shebang: str | None
    placed: Text
    body_line: int | None
    given: tuple[Given, ...]
    components: tuple[Component, ...]
    script_args: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return self.placed.text

    @property
    def is_shell(self) -> bool:
        """Whether a shell runs the text, as it does with `--wrap`."""
        return self.shebang in ("/bin/bash", "/bin/sh", None) or _shell(self.shebang) is not None


def document(ast: Ast) -> dict[str, Any]:
    """The document `flowc.ast/1` (contract §3), with stars for the values of secrets."""

    values = [given.value or "" for given in ast.given]
    values += [text for component in ast.components for text in component.options.values()]
    hide = masked if EVERY.within("\n".join(values)) is not None else str

    def shown(options: dict[str, str]) -> dict[str, str]:
        return {name: hide(text) for name, text in options.items()}

    directives = []
    for given in ast.given:
        line, column = given.span.source.position(given.span.start)
        entry: dict[str, Any] = {
            "option": given.option,
            "value": given.value and hide(given.value),
            "line": line,
            "column": column,
        }
        entry["end_column"] = given.span.source.position(given.span.end)[1]
        if given.span.source is not ast.source:
            entry.update(line=None, origin=given.origin)
        directives.append(entry)
    return {
        "format": "flowc.ast/1",
        "frontend": "slurm",
        "shebang": ast.shebang,
        "options": shown(ast.components[0].options),
        "directives": directives,
        "components": [{"options": shown(component.options)} for component in ast.components],
        "body_line": ast.body_line,
    }
