"""From a source to artifacts: picks the frontend, runs the pipeline, calls the backend.

This is the one place that knows all three, and a good place to start reading. A job takes this way:

    source     `Source`: the text of job.sbatch, and where its lines begin
    fill       `filling/` puts the values of `--fill` into its placeholders
    read       `frontends/slurm/read.py` gives an `Ast`: the options as sbatch sees them    (`--emit ast` stops here)
    lower      `frontends/slurm/lowering/lower.py` gives `Unit`s: a `Job` by meaning, with its origins
    override   `override/` puts the job flags of the command line over it, `profile/` what its cluster had under it
                                                                                              (`--emit ir` stops here)
    passes     `passes/`: validate, resolve (chooses the machine), price-check             (`--emit plan` stops here)
    rules      `rules/`: what the job lacks on any machine
               (before the passes the backend has said which of the places that jobs want it cannot reach)
    emit       `backends/mithril/` gives the request and the startup script

All of it reports to one `Sink`; nothing here prints or exits.
"""

from __future__ import annotations

from flowc import catalog, override, pipeline, rules
from flowc.backends import BACKENDS
from flowc.detect import detect
from flowc.diag.codes import price
from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends import FRONTENDS
from flowc.passes.base import Context
from flowc.passes.price_check import bound_s as bound_s
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.backends.artifacts import Artifact
    from flowc.backends.base import Backend
    from flowc.inputs import Inputs
    from flowc.ir.parts import Thrift
    from flowc.ir.unit import Unit
    from flowc.passes.budget import Cost
    from flowc.source import Source

# Stands in a source that says which findings about it are not to be shown.
IGNORES = "flowc:"
# What `--emit` takes: stages of the pipeline, then backends.
STAGES = ("ast", "ir", "plan")
TARGETS = (*STAGES, *(entry.name for entry in BACKENDS))


class Result(Record):
    """What came of one source. `artifacts`: the one to print first, empty after errors; `failed`: errors were
    reported. `used`: after a check, the lines of the profile that it took something of, by section and key; None where
    it did not come so far that this is known. `units`: where a plan was asked for, the jobs with theirs.
    `placed`: after a check, whether it came so far that a machine was looked for."""

    artifacts: tuple[Artifact, ...]
    diagnostics: tuple[Diagnostic, ...]
    failed: bool
    used: frozenset[tuple[str, str]] | None = None
    units: tuple[Unit, ...] = ()
    placed: bool = False


class Together:
    """What the sources of one compilation share: what those before may cost, and the names that are taken."""

    __slots__ = ("costs", "measured", "names", "numbers", "planned", "reasons", "told", "units", "used")

    def __init__(self) -> None:
        self.costs: list[Cost] = []
        self.planned: list[tuple[list[Unit], str]] = []  # sources whose costs were not asked for yet
        self.names: set[str] = set()
        self.told = False  # what is said once
        self.units: list[Unit] = []  # of the source of which a plan was made last
        self.numbers = 0  # of jobs, and of tasks of arrays
        self.used: frozenset[tuple[str, str]] | None = None
        self.measured = True
        self.reasons = True  # it is told what each line of the profile is good for

    def before(self) -> tuple[Cost, ...]:
        """What the sources so far may cost; worked out once there is another one."""
        if self.planned:
            from flowc.passes.budget import of_source

            self.costs += [of_source(units, path) for units, path in self.planned]
            self.planned.clear()
        return tuple(self.costs)


def compile(
    source: Source,
    inputs: Inputs,
    *,
    emit: str = "mithril",
    frontend: str | None = None,
    strict: bool = False,
) -> Result:
    """Compile one source. `emit` is one of TARGETS (ValueError otherwise), `frontend` overrides detection (ValueError
    for what is no frontend's name)."""
    return compile_all((source,), inputs, emit=emit, frontend=frontend, strict=strict)[0]


def compile_all(
    sources: Iterable[Source],
    inputs: Inputs,
    *,
    emit: str = "mithril",
    frontend: str | None = None,
    strict: bool = False,
) -> list[Result]:
    """Compile several sources, of which each gets a result. They have one budget: where they are too dear together,
    none has artifacts. All bids have names of their own. Raises as `compile` does."""
    if emit not in TARGETS:
        raise ValueError(f"unknown target {emit!r}; there are {', '.join(TARGETS)}")
    _check_name(frontend)
    together, found = Together(), []
    for source in sources:
        sink = Sink(strict=strict, free=inputs.free)
        together.units = []
        artifacts = _artifacts(source, inputs, emit, frontend, sink, together)
        if sink.ignores is not None:
            sink.ignores.report(sink, idle=False)  # flags may have settled what they are about
        told = tuple(sink.diagnostics)
        units = tuple(together.units)
        found.append(Result(artifacts=tuple(artifacts), diagnostics=told, failed=sink.failed, units=units))
    dear = any(result.failed and _is_too_dear(result) for result in found)
    return [result.replace(artifacts=(), units=()) if result.failed or dear else result for result in found]


def _is_too_dear(result: Result) -> bool:
    return any(each.code in (price.BUDGET_EXCEEDED, price.BUDGET_UNBOUNDED) for each in result.diagnostics)


def check(
    source: Source, inputs: Inputs, *, frontend: str | None = None, strict: bool = False, measured: bool = True
) -> Result:
    """The same pipeline for its diagnostics alone: what is left out is making the artifacts, and, unless they are to be
    `measured`, seeing whether they fit where they are sent. Raises as `compile` does for a frontend."""
    _check_name(frontend)
    sink = Sink(strict=strict)
    together = Together()
    together.measured, together.reasons = measured, False
    _artifacts(source, inputs, None, frontend, sink, together)
    if sink.ignores is not None:
        sink.ignores.report(sink, idle=True)
    found = tuple(sink.diagnostics)
    failed = any(each.severity == "error" for each in found)
    placed = bool(together.planned)
    return Result(artifacts=(), diagnostics=found, failed=failed, used=together.used, placed=placed)


def _artifacts(
    source: Source, inputs: Inputs, emit: str | None, frontend: str | None, sink: Sink, together: Together
) -> list[Artifact]:
    """`emit` None: go through to the end of the checks for a bid."""
    sink.sources.append(source)
    _heed_comments(source, emit, sink)
    entry = detect(source, inputs, frontend, sink)
    if entry is None:
        return []
    if inputs.flags.fill and inputs.command is None:
        source = _filled(source, inputs, emit, sink, document=entry.document)
    if inputs.profile is not None and inputs.cluster is None:
        from flowc import profile

        inputs = inputs.replace(cluster=profile.load(inputs.profile, sink, inputs.cache))
        if inputs.cluster is None:
            return []
    front = entry.load()
    tree = front.read(source, inputs, sink)
    if tree is None or sink.stopped:
        return []
    if emit == "ast":
        return [_document("ast.json", front.ast(tree))]
    units = front.lower(tree, inputs, sink)
    units = override.run(
        units, inputs, sink, document=entry.document, task_fields=entry.task_fields, objects=entry.objects
    )
    units = surrounded(units, inputs, together)
    if len(units) > 1:
        _name_jobs(units, source, sink, document=entry.document)
    backend = _backend("mithril" if emit in (None, *STAGES) else emit)
    if emit != "ir":
        backend.reach(units, sink)
    if sink.broken:
        return []
    if emit == "ir":
        from flowc.ir.encode import ir_document

        return [_document("ir.json", ir_document(units, _notes(sink)))]
    table = catalog.load(inputs.catalog, sink, own=inputs.own_catalog)
    if table is None:
        return []
    units = pipeline.run(units, Context(catalog=table, before=together.before()), sink)
    together.planned.append((units, source.path))
    if sink.broken:
        if emit is None:  # what the texts lack does not hang on the machine that was not found
            _judge(units, inputs, sink)
        return []
    if emit == "plan":
        from flowc.ir.encode import plan_document

        together.units = units
        return [_document("plan.json", plan_document(units))]
    _judge(units, inputs, sink)
    backend.check(units, sink)
    if emit is not None:
        return _emitted(backend, units, inputs, sink, together)
    if together.measured:
        backend.measure(units, sink)
    return []


def _emitted(backend: Backend, units: list[Unit], inputs: Inputs, sink: Sink, together: Together) -> list[Artifact]:
    artifacts = backend.emit(units, sink, together.names)
    if not (inputs.submitted or together.told or sink.failed):
        backend.alone(sink)
        together.told = True
    return artifacts


def _judge(units: list[Unit], inputs: Inputs, sink: Sink) -> None:
    """What these jobs lack, and what the programs say of their texts that are to be asked."""
    rules.run(units, sink)
    if inputs.judges:
        from flowc import judges

        judges.run(units, inputs.judges, sink)


def completed() -> dict[str, tuple[str, ...]]:
    """What a shell may complete: machines that the bundled catalog sells, its regions, levels of priority."""
    from flowc.judges import JUDGES
    from flowc.override.apply import PRIORITIES

    table = catalog.bundled()
    names = tuple(judge.name for judge in JUDGES)
    machines = dict.fromkeys(f"{each.type.gpus}x{each.type.family}" for each in table.offers)
    return {"machines": tuple(machines), "regions": tuple(sorted(table.regions)), "levels": PRIORITIES, "judges": names}


def _name_jobs(units: list[Unit], source: Source, sink: Sink, *, document: bool) -> None:
    """Let findings name their job. `document`: it is YAML, whose documents tell what is whose."""
    from flowc.diag.jobs import areas, labels

    sink.jobs = labels([unit.job.name for unit in units])
    places = [[at.start for at in unit.origins.values() if at.source is source] for unit in units]
    firsts = [min(each, default=None) for each in places]
    sink.areas = areas(source.text, firsts, sink.jobs) if document else ()


def _heed_comments(source: Source, emit: str | None, sink: Sink) -> None:
    if IGNORES in source.text:
        from flowc.silence.comments import Ignores

        sink.ignores = Ignores(source, of_errors=emit is None)


def _filled(source: Source, inputs: Inputs, emit: str | None, sink: Sink, *, document: bool) -> Source:
    """With values in its placeholders."""
    from flowc.filling import fill

    found = fill(source, inputs, sink, document=document)
    if found is not source:
        sink.sources.insert(0, found)
        _heed_comments(found, emit, sink)
    return found


def surrounded(units: list[Unit], inputs: Inputs, together: Together) -> list[Unit]:
    """With what comes neither from the source nor from flags: the cluster's profile, and whoever submits. Those that a
    text runs steps over are one."""
    if inputs.cluster is not None:
        from flowc.profile.apply import apply

        units = [apply(unit, inputs.cluster, reasons=together.reasons) for unit in units]
        if units:
            together.used = frozenset((use.entry.section, use.entry.key) for unit in units for use in unit.used)
    if inputs.policy is not None and not inputs.free:
        units = [unit.replace(policy=inputs.policy) for unit in units]
    if inputs.flags.move:
        units = [unit.replace(stand_ins=(*unit.stand_ins, ("*", None))) for unit in units]
    if inputs.flags.optimize is not None:
        units = [unit.replace(thrift=_thrift(unit, inputs, alone=len(units) == 1)) for unit in units]
    if inputs.submitted:
        units = [unit.replace(releases=inputs.releases, held=True) for unit in units]
    if inputs.number is not None:
        units = [_numbered(unit, inputs.number, together) for unit in units]
    if inputs.returns is not None:
        units = [_sharing(unit, inputs.returns) for unit in units]
    if len(units) > 1 and units[0].joins is not None:
        from flowc.ir.groups import joined

        units = joined(units)
    return units


def _thrift(unit: Unit, inputs: Inputs, *, alone: bool) -> Thrift:
    """Whether the job may be packed on fewer machines."""
    from flowc.body.nodes.packing import binding
    from flowc.ir.parts import Thrift

    if (unit.job.resources.nodes or 1) < 2:
        return Thrift()
    if inputs.flags.num_instances is not None:
        return Thrift(bound="`--num-instances` says how many", span=unit.origin("resources.nodes"))
    if not alone:
        return Thrift(bound="it is one of several jobs that belong together", span=unit.origin("resources.nodes"))
    found = binding(unit.job)
    if found is None:
        return Thrift()
    if found.option is not None:
        return Thrift(bound=found.says, span=unit.outcome_spans[found.option])
    span = None if found.start is None else unit.text_span(found.start, found.end)
    return Thrift(bound=found.says, span=span or unit.origin("resources.nodes"))


def _numbered(unit: Unit, first: int, together: Together) -> Unit:
    number, array = first + together.numbers, unit.job.array
    together.numbers += 1 if array is None else 1 + len(array.indices)
    return unit.replace(job=unit.job.replace(number=number))


def _sharing(unit: Unit, folder: str) -> Unit:
    """A container finds this folder of its machine under the same path."""
    if unit.job.image is None:
        return unit
    from flowc.ir.job import Mount

    mounts = (*unit.job.mounts, Mount(kind="host", source=folder, target=folder))
    # It is there for the sake of the image.
    origins = {**unit.origins, f"mounts.{len(mounts) - 1}": unit.origins["image"]}
    return unit.replace(job=unit.job.replace(mounts=mounts), origins=origins)


def _check_name(frontend: str | None) -> None:
    names = [entry.name for entry in FRONTENDS]
    if frontend is not None and frontend not in names:
        raise ValueError(f"unknown frontend {frontend!r}; there are {', '.join(names)}")


def _document(name: str, document: dict[str, object]) -> Artifact:
    from flowc.backends.artifacts import Artifact
    from flowc.ir.encode import dumps

    return Artifact(name=name, text=dumps(document))


def _notes(sink: Sink) -> list[dict[str, object]]:
    from flowc.diag.json_format import diagnostic_document

    return [diagnostic_document(each) for each in sink.diagnostics]


def _backend(name: str) -> Backend:
    return next(entry for entry in BACKENDS if entry.name == name).load()
