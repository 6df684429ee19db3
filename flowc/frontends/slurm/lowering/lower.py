"""Lowering: from the options of a batch script, by their meaning, to jobs.

Stands between `read` (what the text says) and the passes (what it costs). Each component of a het job becomes a unit
of its own. Mistakes in the text have been reported by then; what is reported here is what cannot be kept on rented
machines.
"""

from __future__ import annotations

from flowc._compiled.slurm_lowering import GPU_WORDS, LOWERING
from flowc.diag.codes.slurm import lower as codes
from flowc.digest import sha256_hex
from flowc.frontends.slurm import controller
from flowc.frontends.slurm.lowering.layout import allot
from flowc.frontends.slurm.lowering.ledger import Ledger
from flowc.frontends.slurm.lowering.notify import notify
from flowc.frontends.slurm.values import meaning
from flowc.frontends.slurm.words.getopt import release
from flowc.ir.job import Conventions, Io, Job, Layout, Resources, Retry, Run, SourceInfo, Time
from flowc.ir.unit import Unit
from flowc.patterns import at_first_use
from flowc.secret import looks_secret
from flowc.shell.comments import first_in_code
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast, Component
    from flowc.frontends.slurm.lowering.cluster import Cluster
    from flowc.inputs import Inputs
    from flowc.ir.parts import Array, Dependency
    from flowc.ir.profile import Use

CONVENTIONS = Conventions(runs_on="first", commands=True, file_name="slurm_script", workdir_on="machine")
# A job on one of the later components of a het job holds its machine: under Slurm only steps run there.
HOLD = "#!/bin/sh\nexec sleep infinity\n"

_steps = at_first_use(r"(?<![\w.$-])(?:srun|mpirun|mpiexec|orterun|prterun)\b(?!\.sh\b)", "finditer")

# A message names so many variables one by one.
MOST_NAMES = 5


def lower(ast: Ast, inputs: Inputs, sink: Sink) -> list[Unit]:
    """One unit for each component of the job; none when a value means nothing to a controller."""
    controller.check(ast, sink, release(inputs.slurm_version))
    if sink.broken:
        return []
    joins = None
    if len(ast.components) > 1:
        from flowc.frontends.slurm.lowering.het import joined_by

        joins = joined_by(ast, sink)
    digest = sha256_hex(ast.source.data if ast.source.text else ast.text.encode("utf-8", "surrogateescape"))
    units = [
        Lowering(ast, index, component, inputs, sink).unit(digest) for index, component in enumerate(ast.components)
    ]
    return units if joins is None else [unit.replace(joins=joins) for unit in units]


class Lowering:
    """The lowering of one component."""

    __slots__ = ("ast", "component", "index", "inputs", "ledger", "options", "origins", "sink", "used")

    def __init__(self, ast: Ast, index: int, component: Component, inputs: Inputs, sink: Sink) -> None:
        self.ast = ast
        self.index = index
        self.component = component
        self.inputs = inputs
        self.sink = sink
        self.options = component.options
        self.ledger = Ledger(component.given, sink)
        self.origins: dict[str, Span] = {}
        self.used: tuple[Use, ...] = ()

    def unit(self, digest: str) -> Unit:
        resources, layout, self.origins = allot(self.component, self.ledger)
        cluster = self._cluster()
        if cluster is not None:
            resources = cluster.fill(resources, layout, self.options, self.inputs)
        self._check_partition(resources, layout)
        if cluster is not None:
            cluster.admit(self.options)
        self._check_distribution()
        self._check_priority()
        self._check_wrap()
        features = self._features(resources.gpu_model)
        if features:
            resources = resources.replace(features=features)
        env_policy, env = self._environment()
        fields: dict[str, Any] = {
            "name": self._name(),
            "run": self._run(),
            "resources": resources,
            "layout": layout,
            "time": self._time(),
            "env": env,
            "env_policy": env_policy,
            "io": self._io(),
            "array": self._array(),
            "depends_on": self._depends_on(),
            "kill_on_invalid_dep": self._kills(),
            "retry": self._retry(),
            "notify": notify(self.options, self.ledger, self._put),
            **self._inside(),
        }
        self.used += cluster.close(fields, self.ast, self.origins) if cluster is not None else ()
        source = SourceInfo(
            frontend="slurm",
            path=self.ast.source.path,
            sha256=digest,
            variables=self._variables(layout),
            release=self.inputs.slurm_version,
        )
        outcome = self.ledger.close(self.ast, self.index)
        output = "slurm-%j.out" if fields["array"] is None else "slurm-%A_%a.out"
        conventions = CONVENTIONS.replace(output=output)
        job = Job(source=source, conventions=conventions, outcome=outcome, **fields)
        return Unit(
            source=self.ast.source,
            job=job,
            origins=self.origins,
            text=self.ast.placed if self.index == 0 else None,
            outcome_spans=self.ledger.spans,
            used=self.used,
        )

    def _cluster(self) -> Cluster | None:
        """What the profile says of this job's nodes; most runs have none."""
        if self.inputs.cluster is None:
            return None
        from flowc.frontends.slurm.lowering.cluster import Cluster

        return Cluster(self.inputs.cluster, self.options, self.ledger)

    def _check_partition(self, resources: Resources, layout: Layout) -> None:
        """GPUs without a model in a partition that is called after one: under Slurm the partition decided."""
        name = self.options.get("partition")
        asks_gpus = resources.gpus_per_node or layout.gpus_total
        if name is None or resources.gpu_model is not None or not asks_gpus:
            return
        model = next((word for word in GPU_WORDS if word in name.lower()), None)
        if model is not None:
            span = self.ledger.value_span("partition")
            count = resources.gpus_per_node
            help = f"`--gpus-per-node={model}:{count}`" if count else f"`--gpus={model}:` and how many"
            self.sink.report(codes.MODEL_IN_PARTITION, span, name=name, model=model, help=help)
            note = LOWERING["partition"]["note"]
            self.ledger.decide("partition", "ignored", note, codes.MODEL_IN_PARTITION.id)

    def _check_priority(self) -> None:
        """Of priority 0 a job is held, as `--hold` says in a word."""
        if self.options.get("priority") == "0":
            self.ledger.decide("priority", "refused", LOWERING["hold"]["note"])

    def _check_distribution(self) -> None:
        """Blocks are how tasks are laid out anyway; anything else is approximated."""
        text = self.options.get("distribution")
        if text is None:
            return
        from flowc.frontends.slurm.values.lists import distribution_spec

        if (distribution_spec(text).levels or ("block",))[0] in ("block", "*"):
            self.ledger.decide("distribution", "lowered", "tasks are laid out in blocks")

    def _check_wrap(self) -> None:
        """`--wrap` in a directive: sbatch drops it, and what is run is the script around it."""
        given = self.component.given.get("wrap")
        if given is not None and given.origin == "script":
            self.sink.report(codes.WRAP_IN_DIRECTIVE, given.span, help="write the command below the directives")
            self.ledger.decide("wrap", "ignored", "sbatch drops it in a directive", codes.WRAP_IN_DIRECTIVE.id)

    def _put(self, path: str, option: str) -> None:
        """Note that an IR field was set by an option; a default has no origin."""
        span = self.ledger.span(option)
        if span is not None:
            self.origins[path] = span

    def _name(self) -> str:
        name = self.options.get("job-name")
        if name is None:
            path = self.ast.source.path
            name = "wrap" if self.ast.shebang is None else path.rpartition("/")[2]
            name = "sbatch" if name == "-" else name
        self._put("name", "job-name")
        return name if len(self.ast.components) == 1 else f"{name}-het{self.index}"

    def _run(self) -> Run:
        workdir = self.options.get("chdir")
        if workdir is not None:
            workdir = (
                workdir.removeprefix("{cwd}").removeprefix("/") or None if workdir.startswith("{cwd}") else workdir
            )
        if self.index > 0:
            return Run(interpreter="/bin/sh", text=HOLD, workdir=workdir)
        interpreter = (self.ast.shebang if self.ast.shebang is not None else "/bin/sh").strip()
        return Run(interpreter=interpreter, text=self.ast.text, args=self.ast.script_args, workdir=workdir)

    def _inside(self) -> dict[str, Any]:
        """What the options of a container set."""
        if not any("container-" in option for option in self.options):
            return {}
        from flowc.frontends.slurm.lowering.container import ORIGINS, in_image

        inside = in_image(self.options, self.ledger, self.inputs.cluster, runs_script=self.index == 0)
        for path, option in ORIGINS if inside.image is not None else ():
            self._put(path, option)
        self.used += inside.used
        return {"image": inside.image, "mounts": inside.mounts, "isolation": inside.isolation}

    def _time(self) -> Time:
        fields: dict[str, Any] = {}
        for path, option in (("limit_s", "time"), ("min_s", "time-min")):
            if option in self.options:
                fields[path] = meaning.duration_seconds(self.options[option])
                self._put(f"time.{path}", option)
        for name in ("begin", "deadline"):
            if name == "begin" and self.options.get(name) in ("now", "now+0"):
                self.ledger.decide(name, "lowered", "at once")
            elif name in self.options:
                fields[name] = self.options[name]
                self._put(f"time.{name}", name)
        if "signal" in self.options:
            from flowc.frontends.slurm.values.lists import signal_spec
            from flowc.ir.parts import StopSignal

            spec = signal_spec(self.options["signal"])
            fields["signal"] = StopSignal(
                name=spec.name, before_s=spec.seconds, to="shell" if spec.to_shell else "steps"
            )
            self._put("time.signal", "signal")
            if "R" in self.options["signal"].rpartition(":")[0]:
                note = "`R` is for jobs that give way to a reservation; without preemption the controller refuses it"
                self.ledger.decide("signal", "approximated", note)
            if not spec.to_shell and first_in_code(_steps, self.ast.text, shell=self.ast.is_shell) is None:
                note = "without `B:` only job steps hear it, the script calls no `srun`: as under Slurm, nobody does"
                self.ledger.decide("signal", "ignored", note)
        if "limit_s" in fields and self._requeue_word() is not None:
            note = "`scontrol requeue` begins the limit anew, as under Slurm: it bounds each run, not what is spent"
            self.ledger.decide("time", "approximated", note)
        if self.options.get("time") == "UNLIMITED":
            self.ledger.decide("time", "lowered", "no limit")
        return Time(**fields)

    def _features(self, model: str | None) -> tuple[str, ...]:
        """The names in `--constraint`; `model` is the GPU model that is asked for elsewhere."""
        text = self.options.get("constraint")
        if not text:
            return ()
        from flowc.frontends.slurm.lowering.features import two_models
        from flowc.frontends.slurm.values.lists import constraint_names

        self._put("resources.features", "constraint")
        names = constraint_names(text)
        models = two_models(text, model)
        if models is not None:
            self.sink.report(codes.TWO_GPU_MODELS, self.ledger.value_span("constraint"), models=models)
            self.ledger.decide("constraint", "refused", "two GPU models on one node", codes.TWO_GPU_MODELS.id)
        elif "constraint" not in self.ledger.decisions and all(name.lower() in GPU_WORDS for name in names):
            self.ledger.decide("constraint", "lowered", "GPU models among which the machine is chosen")
        return names

    def _environment(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The policy and the variables of `--export`; without it Slurm would copy everything, which flowc never
        does."""
        text = self.options.get("export")
        if text is None:
            return "all", ()
        from flowc.frontends.slurm.values.lists import export_items

        policy, names, assignments = export_items(text)
        if policy in ("none", "nil"):
            self.ledger.decide("export", "lowered", "the job starts without the submitter's environment")
        elif policy == "listed":
            self.ledger.decide("export", "lowered", "the variables named here reach the job")
        found = [(name, self.inputs.variable(name)) for name in names]
        env = [(name, value) for name, value in found if value is not None] + list(assignments)
        self._report_names(codes.EXPORT_UNSET, [name for name, value in found if value is None])
        secrets = [name for name, _ in env if looks_secret(name)]
        self._report_names(codes.EXPORTED_SECRET, secrets)
        if env:
            self._put("env", "export")
        self._put("env_policy", "export")
        return "none" if policy == "nil" else policy, tuple(dict(env).items())

    def _report_names(self, code: Code, names: list[str]) -> None:
        """One finding for all variables of `--export` that it concerns; a few of them are named."""
        if names:
            from flowc.listing import some_of

            shown = some_of((f"`{name}`" for name in names), MOST_NAMES)
            self.sink.report(code, self.ledger.value_span("export"), names=shown)

    def _io(self) -> Io:
        fields: dict[str, Any] = {}
        for path, option in (("stdout", "output"), ("stderr", "error"), ("stdin", "input")):
            canonical = self.options.get(option)
            if canonical is None:
                continue
            fields[path] = self._file_name(option, canonical)
            self._put(f"io.{path}", option)
        if self.options.get("open-mode") == "a":
            fields["append"] = True
            self._put("io.append", "open-mode")
        return Io(**fields)

    def _file_name(self, option: str, canonical: str) -> str:
        """The name with its patterns, relative to the working directory where the user wrote it so."""
        given = self.ledger.given.get(option)
        written = given.value if given is not None and given.origin != "pbs" else None
        if canonical == "/dev/null" or not written:
            return canonical.removeprefix("{cwd}/")
        return written

    def _array(self) -> Array | None:
        text = self.options.get("array")
        if text is None:
            return None
        from flowc.frontends.slurm.values.lists import array_spec

        indices, limit = array_spec(text)
        if not indices:
            return None
        from flowc.ir.parts import Array

        self._put("array", "array")
        at_once = limit if limit is not None and limit < len(indices) else None
        return Array(indices=indices, max_concurrent=at_once, index_env="SLURM_ARRAY_TASK_ID")

    def _depends_on(self) -> tuple[Dependency, ...]:
        text = self.options.get("dependency")
        if not text:
            return ()
        from flowc.frontends.slurm.values.lists import dependency_items
        from flowc.ir.parts import Dependency

        items, separator = dependency_items(text)
        if items:
            self._put("depends_on", "dependency")
        return tuple(
            Dependency(kind=kind, on=on, minutes=minutes if kind == "after" else 0, any=separator == "?")
            for kind, on, minutes in items
        )

    def _kills(self) -> bool:
        kills = self.options.get("kill-on-invalid-dep") == "yes"
        if kills:
            self._put("kill_on_invalid_dep", "kill-on-invalid-dep")
        return kills

    def _retry(self) -> Retry:
        requeue = self.options.get("requeue", self.options.get("no-requeue"))
        word = self._requeue_word()
        place = self.ast.placed.span(*word) if word is not None else None
        if place is not None:
            self.origins["retry.from_within"] = place
        if requeue is None:
            return Retry(from_within=word is not None)
        self._put("retry.requeue", "requeue" if "requeue" in self.component.given else "no-requeue")
        return Retry(requeue=requeue != "no-requeue", from_within=word is not None)

    def _requeue_word(self) -> tuple[int, int] | None:
        """Where the text asks that the job be started again; the machines of later components run no text."""
        refused = self.options.get("requeue", self.options.get("no-requeue")) == "no-requeue"
        if refused or self.index > 0 or "scontrol" not in self.ast.text:
            return None
        from flowc.frontends.slurm.lowering.requeues import requeue_word

        return requeue_word(self.ast.text, shell=self.ast.is_shell)

    def _variables(self, layout: Layout) -> tuple[tuple[str, str], ...]:
        """The variables by which Slurm repeats an option's text to the job, and those of its release."""
        found = []
        for option, text in self.options.items():
            row = LOWERING.get(option)
            if row and row["variable"]:
                found.append((row["variable"], row["value"] or text))
        if "export" in self.options and self.options["export"].upper() != "ALL":
            found += [("SLURM_EXPORT_ENV", self.options["export"]), ("SLURM_GET_USER_ENV", "1")]
        if self.options.get("hint") == "nomultithread" and "threads-per-core" not in self.options:
            found.append(("SLURM_THREADS_PER_CORE", "1"))
        if len(self.ast.components) > 1:
            found.append(("SLURM_HET_SIZE", str(len(self.ast.components))))
        if self.inputs.slurm_version is None:
            return tuple(found)
        from flowc.frontends.slurm.lowering.releases import of_release

        return tuple(of_release(self.inputs.slurm_version, self.options, layout, found))
