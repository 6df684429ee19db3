"""Reads a batch script as sbatch does: from the text, the environment and a command line to the options of each
component.

The order is sbatch's: the directives of a component, then its `#PBS` or `#BSUB` lines, the environment, the command
line; then the rules between options. Later stages replace option by option. Every fault is reported, and reading goes
on.
"""

from __future__ import annotations

from flowc._compiled.slurm_options import OPTIONS
from flowc.diag.codes.slurm import read as codes
from flowc.frontends.slurm import environment
from flowc.frontends.slurm.ast import Ast, Component, Given
from flowc.frontends.slurm.faults import gaps, report
from flowc.frontends.slurm.gather import Gatherer
from flowc.frontends.slurm.lint.script import lint
from flowc.frontends.slurm.rules.options import verify
from flowc.frontends.slurm.values.settings import SETTERS
from flowc.frontends.slurm.values.state import NULL, UMASK, State
from flowc.frontends.slurm.values.trees import ValueMistake
from flowc.frontends.slurm.words import scan
from flowc.frontends.slurm.words.getopt import Occurrence, carried, release
from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs

# Set by sbatch, or of no use to a job: sbatch's list of options leaves them out.
HIDDEN = frozenset(("test-only", "verbose", "quiet", "help", "usage", "version", "autocomplete"))
# Values of other kinds are read character by character; none that means anything is as long.
LONGEST = 16 * 1024
LONG_KINDS = frozenset(
    ("text", "path", "chdir", "array", "dependency", "features", "licences", "export", "gpus", "gres", "hosts", "wrap")
)


def read(source: Source, inputs: Inputs, sink: Sink) -> Ast | None:
    """The tree of a script, None when there is nothing to read. After faults it is what could be read."""
    reader = Reader(source, inputs, sink)
    reader.read_arguments()
    reader.refuse_exits()
    reader.refuse_gone()
    scanned = None
    if reader.wrapped is None:
        if not scan.check_file(source, sink):
            return None
        scanned = scan.directives(source.text)
        reader.read_directives(*scanned)
    components = reader.components()
    ast = Ast(
        source=source,
        shebang=_shebang(source.text) if reader.wrapped is None else None,
        placed=reader.wrapped or source,
        body_line=None if scanned is None or scanned[1] is None else source.line_at(scanned[1]),
        given=tuple(reader.given),
        components=tuple(components),
        script_args=reader.script_args,
        refused=frozenset(reader.refused),
    )
    if reader.wrapped is None:
        lint(ast, source, sink, reader.lines, reader.doubtful, inputs)
    return ast


def _shebang(text: str) -> str:
    line = text.partition("\n")[0]
    return line.removeprefix("#!")


class Reader(Gatherer):
    """The reading of one script."""

    def __init__(self, source: Source, inputs: Inputs, sink: Sink) -> None:
        super().__init__(source, inputs, sink)
        self.state = State(self.version, self.variables)
        self.given: list[Given] = []
        self.refused: set[str] = set()
        self.component = 0
        self._own: dict[str, Given] = {}
        self._reported: set[int] = set()
        self._refused: set[tuple[object, ...]] = set()
        self._plugins: set[str] = set()

    def refuse_exits(self) -> None:
        """Options with which sbatch runs no script: such as `--help`, for which it prints a text, and `--external`."""
        for occurrence in self.first:
            if OPTIONS[occurrence.name]["kind"] == "exit":
                self._set(self.arguments, occurrence, "arguments", (occurrence.name, occurrence.text))
            elif occurrence.name == "external" and self._runs_a_script(occurrence):
                mistake = ValueMistake("on the command line it asks for an allocation, in which no script runs", 0, 0)
                report.value_mistake(self.arguments, occurrence, mistake, self.sink, occurrence.written)

    def _runs_a_script(self, external: Occurrence) -> bool:
        """Whether sbatch minds the script beside `--external`: later components are free of it since 26.05, and
        `--wrap` was before."""
        between = (25, 5) <= self.version < (26, 5)
        return self.wrapped is None if between else external in self.chunks[0]

    def refuse_gone(self) -> None:
        """A variable that sbatch still reads though its option is gone: it cannot be set."""
        row = OPTIONS["power"]
        for variable in row["variables"]:
            if variable in self.variables and row["until"] is not None and release(row["until"]) <= self.version:
                placed = self._variable(variable, self.variables[variable])
                place = placed.span(0, len(placed.text))
                reason = f"the option `--power` is gone since {row['until']}, and sbatch refuses its variable"
                self.sink.report(codes.BAD_VALUE, place, option=variable, reason=reason)

    def components(self) -> list[Component]:
        """Go through the components: as many as the script or the command line has."""
        count = max(len(self.groups), len(self.chunks))
        early = self.variables.get("SBATCH_IGNORE_PBS")
        if early is not None:
            self._environment_variable("SBATCH_IGNORE_PBS", "ignore-pbs", early)
        self._look_ahead()
        found = []
        for self.component in range(count):
            if self.component:
                handed_on = carried(self.version)
                self.state.next_component(handed_on)
                self._own = {name: given for name, given in self._own.items() if name in handed_on}
            self._apply_component()
            verify(self.state, self._refuse, {occurrence.name for occurrence in self._chunk()})
            options = {name: text for name, text in self.state.listing().items() if name not in HIDDEN}
            # What the environment switches off again is in force no more.
            on = self.state.given
            own = {name: given for name, given in self._own.items() if name in on or given.origin != "environment"}
            found.append(Component(options=options, given=own))
        return found

    def _look_ahead(self) -> None:
        """sbatch reads the whole command line once before anything else, and keeps of that what components inherit: so
        `-N1 : -J b` names the first component too, and the command line's `--ignore-pbs` comes in time."""
        kept = len(self.given)
        for occurrence in self.first:
            if occurrence.name in carried(self.version) and occurrence.name not in HIDDEN:
                self._set(self.arguments, occurrence, "arguments", (occurrence.name, occurrence.text))
                self.state.given.update(dict.fromkeys(self.state.given.keys() & {occurrence.name}, True))
        del self.given[kept:]

    def _chunk(self) -> list[Occurrence]:
        return self.chunks[min(self.component, len(self.chunks) - 1)]

    def _apply_component(self) -> None:
        if self.component < len(self.groups):
            for occurrence in self.groups[self.component]:
                if OPTIONS[occurrence.name]["command_line"]:
                    self._note(self.source, occurrence, "script", occurrence.name)
                else:
                    self._set(self.source, occurrence, "script", (occurrence.name, occurrence.text))
        if self.foreign is not None and "ignore-pbs" not in self.state.given:
            self._apply_foreign(*self.foreign)
        for variable, option, value in environment.readable(self.variables.items(), self.table, self.version):
            if option != "ignore-pbs":
                self._environment_variable(variable, option, value)
        for occurrence in self._chunk():
            if OPTIONS[occurrence.name]["command_line"]:
                self._note(self.arguments, occurrence, "arguments", occurrence.name)
            else:
                self._set(self.arguments, occurrence, "arguments", (occurrence.name, occurrence.text))

    def _note(self, source: Source, occurrence: Occurrence, origin: str, name: str) -> None:
        """Keep that an option was given, be it one that sbatch drops here or has looked at before."""
        written = occurrence.written if origin in ("script", "arguments") else f"{origin.upper()} {occurrence.written}"
        span = Span(source, occurrence.start, occurrence.end)
        word = occurrence.word if occurrence.text is not None else None
        self._record(name, written, occurrence.text, origin, span, word, occurrence.inset)

    def _set(self, source: Source, occurrence: Occurrence, origin: str, *pairs: tuple[str, str | None]) -> None:
        """Set one option (or those that a foreign one stands for) from where it was written."""
        for name, text in pairs:
            try:
                self._put(name, text, by_environment=False)
            except ValueMistake as mistake:
                if id(occurrence) not in self._reported:
                    shown = f"--{name}" if occurrence.written.startswith("--") else occurrence.written
                    report.value_mistake(source, occurrence, mistake, self.sink, shown)
                    self._reported.add(id(occurrence))
                continue
            self._note(source, occurrence, origin, name)
        row = OPTIONS.get(occurrence.name)
        if row is not None and row["plugin"] and row["plugin"] not in self._plugins:
            self._plugins.add(row["plugin"])
            place = Span(source, occurrence.start, occurrence.end)
            self.sink.report(codes.PLUGIN_OPTION, place, option=occurrence.written, plugin=row["plugin"])
        if occurrence.since is not None and id(occurrence) not in self._reported:
            self._reported.add(id(occurrence))
            self.sink.report(
                codes.NEWER_OPTION,
                Span(source, occurrence.start, occurrence.end),
                option=occurrence.written,
                since=occurrence.since,
            )

    def _put(self, name: str, text: str | None, *, by_environment: bool) -> None:
        if name == UMASK:
            from flowc.frontends.slurm import pbs

            name = NULL
            if not pbs.set_umask(self.state, text or ""):
                self.state.given.pop(NULL, None)
                return
        else:
            row = OPTIONS[name]
            if text is not None:
                if text == "" and self.table.args[name] == "optional":
                    text = None
                elif len(text) > LONGEST and row["kind"] not in LONG_KINDS:
                    raise ValueMistake(f"the value is longer than {LONGEST} characters", 0, len(text))
            SETTERS[row["kind"]](self.state, name, text)
        self.state.given[name] = by_environment

    def _record(
        self, name: str, written: str, value: str | None, origin: str, span: Span, word: Derived | None, inset: int = 0
    ) -> None:
        if name == UMASK:
            name = NULL
        given = Given(
            option=name,
            written=written,
            value=value,
            canonical=self.state.text(name) if name not in HIDDEN and name in self.state.given else None,
            origin=origin,
            component=self.component,
            span=span,
            word=word,
            inset=inset,
        )
        self._own[name] = given
        if self.component == 0 or origin in ("script",):
            self.given.append(given)

    def _apply_foreign(self, magic: str, found: list[Occurrence]) -> None:
        from flowc.frontends.slurm import pbs

        origin = magic[1:].lower()
        for occurrence in found:
            pair: tuple[str, str | None] | None = None
            try:
                for pair in pbs.translate(magic, occurrence.name, occurrence.text, self.state):
                    self._set(self.source, occurrence, origin, pair)
                if pair is None:  # sbatch drops it
                    self._note(self.source, occurrence, origin, f"{magic} {occurrence.written}")
            except ValueMistake as mistake:
                if id(occurrence) not in self._reported:
                    self._reported.add(id(occurrence))
                    report.value_mistake(self.source, occurrence, mistake, self.sink, occurrence.written)

    def _environment_variable(self, variable: str, option: str, value: str) -> None:
        placed = self._variable(variable, value)
        span = placed.source.span(0, len(placed.source.text))
        state = self.state
        try:
            if option == NULL:
                environment.set_switch(state, variable, value)
                state.given[NULL] = True
            elif self.table.args[option] == "none":
                if not environment.flag_is_set(value):
                    state.reset(option)
                    self._own.pop(option, None)
                    self._record(option, variable, value, "environment", span, placed)
                    return
                self._put(option, value if option == "verbose" else None, by_environment=True)
            else:
                self._put(option, value, by_environment=True)
        except ValueMistake as mistake:
            if (variable,) not in self._refused:
                self._refused.add((variable,))
                place = placed.span(mistake.start, mistake.end)
                self.sink.report(codes.BAD_VALUE, place, option=variable, reason=mistake.message)
            return
        self._record(option, variable, value, "environment", span, placed)

    def _variable(self, variable: str, value: str) -> Derived:
        """The value of a variable of the environment."""
        source = Source("<environment>", f"{variable}={value}")
        return Derived.of(source, len(variable) + 1, len(source.text))

    def _refuse(self, names: tuple[str, ...], reason: str) -> None:
        """A rule between options that does not hold: told once, at the option that came last."""
        if (names, reason) in self._refused:
            return
        self._refused.add((names, reason))
        if len(names) == 1:
            self._refuse_value(names[0], reason)
            return
        places = [self._own[name] for name in names if name in self._own]
        last = max(places, key=lambda given: (given.span.source is not self.source, given.span.start), default=None)
        notes = tuple((given.span, "given here") for given in places if given is not last)
        self.sink.report(codes.CONFLICTING_OPTIONS, last.span if last else None, notes=notes, reason=reason)

    def _refuse_value(self, name: str, reason: str) -> None:
        """A value that is refused only now: of an option, or of a variable that is none's."""
        self.refused.add(name)
        given = self._own.get(name)
        if given is None:
            code = codes.BAD_VALUE if name in OPTIONS else codes.FILE_NOT_READ
            self.sink.report(code, None, option=f"--{name}" if name in OPTIONS else name, reason=reason)
            return
        option = given.written if given.origin == "environment" else f"--{name}"
        place = given.value_span or given.span
        help = gaps.advice(place.source, place.start, place.end) or report.count_last(name, given.value)
        self.sink.report(codes.BAD_VALUE, place, help=help, option=option, reason=reason)
