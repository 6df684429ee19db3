"""Warns of what sbatch takes in silence though something else was meant: lines that it does not read, or reads short.

A script that is fine must stay silent, so each check asks for a shape that is hardly ever meant.
"""

from __future__ import annotations

from flowc._compiled.slurm_options import OPTIONS
from flowc.diag.codes.slurm import lint as codes
from flowc.frontends.slurm.lint.body import lint_commands, lint_glued, lint_site_variables, lint_variables
from flowc.frontends.slurm.lint.lines import lint_lines
from flowc.frontends.slurm.lint.values import PLAIN_TEXT, lint_values
from flowc.frontends.slurm.values.numerals import BLANKS
from flowc.patterns import at_first_use
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast
    from flowc.frontends.slurm.words.scan import Directive
    from flowc.frontends.slurm.words.tokens import Line
    from flowc.inputs import Inputs
    from flowc.source import Source


_ngpus = at_first_use(r"(?m)^#PBS[ \t][^\n]*\bngpus=([1-9][0-9]{0,3})\b", "search")
_ncpus = at_first_use(r"(?m)^#PBS[ \t][^\n]*\bnodes=[0-9]+(?::[^\s,:]+)*:ncpus=([1-9][0-9]{0,3})\b", "search")
_SYSTEMS = {"#PBS": "PBS", "#BSUB": "LSF", "#$": "Grid Engine", "#PJM": "PJM", "#OAR": "OAR"}


def lint(
    ast: Ast, source: Source, sink: Sink, lines: list[tuple[Directive, Line]], doubtful: set[int], inputs: Inputs
) -> None:
    """Look through a script that was read; `lines` are its directives with their words, `doubtful` the offsets of
    options whose values are incomplete, as was reported already."""
    text = source.text
    body = source.line_starts[ast.body_line - 1] if ast.body_line is not None else len(text)
    lint_lines(ast, source, sink, body)
    for directive, line in lines:
        _line(source, sink, directive, line)
    slurm = next((directive for directive, _ in lines if directive.word == "#SLURM"), None)
    if slurm is not None:
        sink.report(codes.SLURM_MAGIC, Span(source, slurm.start - 6, slurm.start))
    if "\r" in text and "\r\n" not in text:
        at = text.index("\r")
        sink.report(codes.LONE_CR, Span(source, at, at + 1))
    _mixed(ast, source, sink)
    lint_values(ast, sink, doubtful)
    if not sink.broken:  # options that were refused, or not understood, may be the ones that set them
        lint_variables(ast, source, sink, body)
        lint_glued(ast, source, sink, body)
        lint_site_variables(ast, source, sink, body, inputs)
        lint_commands(ast, source, sink, body)
    _glued_comments(ast, source, sink, lines)


def _line(source: Source, sink: Sink, directive: Directive, line: Line) -> None:
    """What follows a word that ends the line early."""
    text = source.text
    start: int | None = None
    if directive.separator:
        start = directive.start
        while start < directive.end and text[start] in BLANKS:
            start += 1
        start += 7 if text[start : start + 1].lower() == "p" else 6
    elif line.cut is not None:
        start = line.cut
        while start < directive.end and text[start] not in BLANKS:
            start += 1
    if start is None:
        return
    rest = text[start : directive.end].strip(BLANKS)
    if rest and rest[0] != "#":
        at = text.index(rest[0], start)
        sink.report(codes.LINE_CUT, Span(source, at, at + len(rest)))


def _mixed(ast: Ast, source: Source, sink: Sink) -> None:
    foreign = [each for each in ast.given if each.origin in ("pbs", "bsub") and each.option in OPTIONS]
    foreign = [each for each in foreign if each.component == 0]
    names = dict.fromkeys(f"`--{given.option}`" for given in foreign)
    if "#SBATCH" not in source.text:
        _other(source, sink, ", ".join([*list(names)[:8], *(["…"] if len(names) > 8 else [])]) or "none")
        return
    if not foreign or not any(given.origin == "script" for given in ast.given):
        return
    sink.report(
        codes.MIXED_SYSTEMS,
        foreign[0].span,
        magic="#" + foreign[0].origin.upper(),
        options=", ".join(list(names)[:8]),
    )


def _other(source: Source, sink: Sink, taken: str) -> None:
    """The first line for another system, before the first command; `taken`: the options that sbatch has from such."""
    start = 0
    for line in source.text.split("\n"):
        system = next((magic for magic in _SYSTEMS if line.startswith(f"{magic} -")), None)
        if system is not None:
            place = Span(source, start, start + len(system))
            help = _not_as_in_pbs(source.text) if system == "#PBS" else None
            sink.report(codes.OTHER_BATCH_SYSTEM, place, help=help, system=_SYSTEMS[system], magic=system, taken=taken)
        if system is not None or (line.strip() and line[:1] != "#"):
            return
        start += len(line) + 1


def _not_as_in_pbs(text: str) -> str | None:
    """What sbatch does with the words of `-l` that it reads as something else than PBS does."""
    gpus = _ngpus(text) if "ngpus=" in text else None
    cpus = _ncpus(text) if "ncpus=" in text else None
    parts = [f"sbatch passes over `ngpus={gpus[1]}`: write `#SBATCH --gpus-per-node={gpus[1]}`"] if gpus else []
    if cpus is not None:
        word = f"ncpus={cpus[1]}"
        parts.append(
            f"sbatch takes `{word}` behind `nodes=` for a node's name: write `#SBATCH --cpus-per-task={cpus[1]}`"
        )
    return "; ".join(parts) or None


def _glued_comments(ast: Ast, source: Source, sink: Sink, lines: list[tuple[Directive, Line]]) -> None:
    """`--job-name=run#3`: a `#` inside what looks like one word, at the end of a text value."""
    text = source.text
    glued = [
        (directive, line.comment) for directive, line in lines if line.comment and text[line.comment - 1] not in BLANKS
    ]
    values = {span.end: given for given in ast.given if (span := given.value_span) is not None} if glued else {}
    for directive, at in glued:
        if at not in values:
            continue
        rest = text[at + 1 : directive.end].rstrip(BLANKS)
        given = values[at]
        # `nvcr.io#nvidia/pytorch`: such a registry is never a comment's, whatever else the line says.
        one_word = given.option == "container-image" or not any(char in BLANKS for char in rest)
        if rest and rest[0] != "#" and one_word and given.option in PLAIN_TEXT:
            sink.report(codes.COMMENT_IN_VALUE, Span(source, at, at + 1 + len(rest)), value=given.value)
