"""Units made by hand, and what the passes make of them."""

from __future__ import annotations

from typing import Any

from flowc import catalog, pipeline
from flowc.catalog.model import Catalog
from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends.k8s.lower import CONVENTIONS as K8S
from flowc.frontends.skypilot.lower import CONVENTIONS as SKYPILOT
from flowc.frontends.slurm.lowering.lower import CONVENTIONS as SLURM
from flowc.frontends.task.lower import CONVENTIONS as TASK
from flowc.ir.job import Conventions, Job, Layout, Resources, Run, SourceInfo, Time
from flowc.ir.plan import JobPlan
from flowc.ir.unit import Unit
from flowc.passes.base import Context
from flowc.source import Source, Span

HOUR = Time(limit_s=3600)


def unit(text: str = "#!/bin/bash\nhostname\n", **fields: Any) -> Unit:
    """A unit with these fields of `Job`; each field has an origin on the script's first line. Fields of
    `resources` and `layout` are given by their own names."""
    resources = {name: fields.pop(name) for name in Resources.FIELDS if name in fields}
    layout = {name: fields.pop(name) for name in Layout.FIELDS if name in fields}
    source = Source("job.sbatch", text)
    info = fields.pop("source", SourceInfo(frontend="slurm", path="job.sbatch", sha256="ab" * 32))
    job = Job(
        **{
            "name": "train",
            "source": info,
            "conventions": conventions(info.frontend, fields.get("array")),
            "run": Run(interpreter="/bin/bash", text=text),
            "resources": Resources(**{"nodes": 1, **resources}),
            "layout": Layout(**layout),
            "time": HOUR,
            **fields,
        }
    )
    return Unit(source=source, job=job, origins=dict.fromkeys(paths(job), Span(source, 0, 11)))


def conventions(frontend: str, array: object = None) -> Conventions:
    """Those of a format."""
    if frontend == "slurm":
        return SLURM.replace(output="slurm-%j.out" if array is None else "slurm-%A_%a.out")
    return {"k8s": K8S, "skypilot": SKYPILOT}.get(frontend, TASK)


def paths(job: Job) -> list[str]:
    """The IR paths of all fields that differ from their default."""
    found = []
    for name, value in vars(job).items():
        if name in Job.DEFAULTS and value != Job.DEFAULTS[name]:
            inner = getattr(value, "DEFAULTS", {})
            found += [f"{name}.{field}" for field in inner if getattr(value, field) != inner[field]] or [name]
    return [*found, "name"]


def run(each: Unit, *, table: Catalog | None = None, strict: bool = False) -> tuple[Unit, list[Diagnostic]]:
    """The unit after all passes, and what they reported."""
    sink = Sink(strict=strict)
    (done,) = pipeline.run([each], Context(catalog=table or catalog.bundled()), sink)
    return done, sink.diagnostics


def plan(**fields: Any) -> JobPlan:
    """The plan of a unit that must get one without an error."""
    done, diagnostics = run(unit(**fields))
    assert [each.message for each in diagnostics if each.severity == "error"] == []
    assert done.plan is not None
    return done.plan


def codes(**fields: Any) -> list[str]:
    """The names of the diagnostics that a unit yields, in order."""
    return [each.code.name for each in run(unit(**fields))[1]]


def error(**fields: Any) -> Diagnostic:
    """The only error of a unit that must be refused."""
    (found,) = [each for each in run(unit(**fields))[1] if each.severity == "error"]
    return found
