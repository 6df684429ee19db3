"""Gathers what is given where: the options of each component in the directives, on the command line, and in the lines
of another system; before any of it is applied."""

from __future__ import annotations

from flowc.diag.codes.slurm import read as codes
from flowc.frontends.slurm import environment
from flowc.frontends.slurm.faults import report
from flowc.frontends.slurm.words import scan, tokens
from flowc.frontends.slurm.words.getopt import Occurrence, Table, read_options, release, table_of, without_separators
from flowc.inputs import command_line
from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs

# What the controller takes of a heterogeneous job (Slurm 22.05: MAX_HET_JOB_COMPS).
MAX_COMPONENTS = 128
WRAPPED = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n"


class Gatherer:
    """`groups` are the options of each component in the script, `chunks` those on the command line and `first` all of
    these; `lines` are the directive lines with their words, `doubtful` the offsets of options that a stray word
    follows; both are for `lint`."""

    def __init__(self, source: Source, inputs: Inputs, sink: Sink) -> None:
        self.source = source
        self.sink = sink
        self.version = release(inputs.slurm_version)
        self.table: Table = table_of(self.version)
        self.inputs = inputs
        self.variables = dict(reversed(inputs.environ))
        self.lines: list[tuple[scan.Directive, tokens.Line]] = []
        self.doubtful: set[int] = set()
        self.groups: list[list[Occurrence]] = [[]]
        self.chunks: list[list[Occurrence]] = [[]]
        self.first: list[Occurrence] = []
        self.script_args: tuple[str, ...] = ()
        self.wrapped: Derived | None = None
        self.foreign: tuple[str, list[Occurrence]] | None = None

    def read_arguments(self) -> None:
        """Split the command line into the options of each component and the script's arguments."""
        if not self.inputs.args:
            return
        self.arguments, words = command_line(self.inputs.args)
        self.chunks, rest = [], words
        while True:
            found, problems, stop = read_options(rest, self.table, same_line=False)
            for problem in problems:
                report.getopt_problem(self.arguments, problem, self.table, self.sink)
            self.chunks.append(found)
            stop += stop < len(rest) and rest[stop].text == "--"
            at_separator = stop < len(rest) and rest[stop].text == ":"
            rest = rest[stop + at_separator :]
            if not at_separator:
                break
        self.first = [occurrence for found in self.chunks for occurrence in found]
        if any(occurrence.text == ":" and occurrence.inset == 0 for occurrence in self.first):
            self.first, rest, lost = without_separators(words, self.table, bool(self.source.text))
            if lost is not None:
                place = Span(self.arguments, lost.start, lost.option_end)
                self.sink.report(codes.MISSING_VALUE, place, option=lost.written)
        self.script_args = tuple(word.text for word in rest if word.text != ":")
        last = self.chunks[-1][-1] if self.chunks[-1] else None
        if rest and last is not None and last.text is None and self.table.args[last.name] == "optional":
            span = Span(self.arguments, rest[0].start, rest[0].end)
            self.sink.report(codes.OPERAND_AFTER_OPTIONAL, span, word=rest[0].text, option=last.written)
        for occurrence in self.first:
            if occurrence.name == "wrap":
                self.wrapped = Derived.joined(WRAPPED, occurrence.value, "\n")
        if self.wrapped is not None and rest:
            self.sink.report(codes.WRAP_WITH_ARGUMENTS, Span(self.arguments, rest[0].start, rest[-1].end))
        elif self.wrapped is not None and self.source.text:
            self.sink.report(codes.WRAP_WITH_ARGUMENTS, Span(self.source, 0, 0))

    def read_directives(self, directives: list[scan.Directive], body: int | None) -> None:
        """The options of each component, as far as they can be read."""
        text = self.source.text
        keep = self.version >= (24, 5)
        words: list[Derived] = []
        groups, count = [words], 0
        for directive in directives:
            line = tokens.split(self.source, directive.start, directive.end, keep_escaped_blank=keep)
            count += len(line.words) + directive.separator
            if count > tokens.MAX_WORDS:
                self.sink.report(
                    codes.TOO_MANY_WORDS, Span(self.source, directive.start, directive.end), limit=tokens.MAX_WORDS
                )
                break
            self.lines.append((directive, line))
            if directive.separator:
                if len(groups) == MAX_COMPONENTS:
                    place = Span(self.source, directive.start, directive.end)
                    self.sink.report(codes.TOO_MANY_COMPONENTS, place, limit=MAX_COMPONENTS)
                    break
                words = []
                groups.append(words)
                continue
            words += line.words
            if line.broken is not None:
                report.broken_line(self.source, line.broken, directive.end, self.sink)
        self.groups = []
        for group in groups:
            found, problems, _ = read_options(group, self.table, text=text)
            for problem in problems:
                report.getopt_problem(self.source, problem, self.table, self.sink)
                if problem.before is not None:
                    self.doubtful.add(problem.before.start)
            self.groups.append(found)
        if "#PBS" in text or "#BSUB" in text:
            self._read_foreign()

    def _read_foreign(self) -> None:
        """Only one system's lines are read: #BSUB when there are any, else #PBS."""
        from flowc.frontends.slurm import pbs

        text = self.source.text
        for magic in ("#BSUB", "#PBS"):
            places = scan.foreign_lines(text, magic)
            if not places:
                continue
            words: list[Derived] = []
            for start, end in places:
                line = tokens.split(self.source, start, end, keep_escaped_blank=self.version >= (24, 5))
                if line.broken is not None and not self._ignore_foreign():
                    report.broken_line(self.source, line.broken, end, self.sink)
                if len(words) + len(line.words) > tokens.MAX_WORDS:
                    self.sink.report(codes.TOO_MANY_WORDS, Span(self.source, start, end), limit=tokens.MAX_WORDS)
                    break
                for word in line.words:
                    # LSF's `-cwd`, the one long name with one dash that sbatch knows, where an option is due.
                    if magic == "#BSUB" and word.text == "-cwd" and len(words) % 2 == 0:
                        word = Derived("-c", self.source, word.start, word.end)
                    words.append(word)
            table = pbs.table_of(magic, self.version)
            found, problems, _ = read_options(words, table, text=text)
            self.foreign = (magic, found)
            if not self._ignore_foreign():
                for problem in problems:
                    report.getopt_problem(self.source, problem, table, self.sink)
            return

    def _ignore_foreign(self) -> bool:
        early = self.variables.get("SBATCH_IGNORE_PBS")
        if early is not None and environment.flag_is_set(early):
            return True
        return any(each.name == "ignore-pbs" for group in (self.groups[0], *self.chunks) for each in group)
