"""Units made by hand, for the tests of the startup script."""

from __future__ import annotations

from typing import Any

from flowc.ir.job import Job, Layout, Resources, Run, SourceInfo
from flowc.ir.plan import CatalogInfo, JobPlan
from flowc.ir.unit import Unit
from flowc.source import Source
from tests.passes.units import conventions

PLAN = JobPlan(
    name="train",
    instance_type="8xh100",
    fid=None,
    region=None,
    nodes=1,
    gpus_per_node=8,
    gpus_visible=None,
    gpu_model="h100",
    cpus_per_node=192,
    memory_bytes_per_node=1 << 40,
    market_usd_per_instance_hour=None,
    limit_usd_per_instance_hour=None,
    hours_bound=None,
    count=1,
    worst_case_usd=None,
    expected_usd=None,
    look=tuple,
    catalog=CatalogInfo(source="test", as_of="2026-01-01"),
)


def unit(
    text: str | bytes = "#!/bin/bash\ntrue\n",
    *,
    frontend: str = "slurm",
    args: tuple[str, ...] = (),
    workdir: str | None = None,
    plan: JobPlan | None = None,
    **fields: Any,
) -> Unit:
    """A planned unit with this script; other fields as of `Job`."""
    body = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    job = {
        "name": "train",
        "source": SourceInfo(frontend=frontend, path="job.sbatch", sha256="ab" * 32),
        "conventions": conventions(frontend, fields.get("array")),
        "run": Run(text=body, args=args, workdir=workdir),
        "resources": Resources(nodes=1),
        "layout": Layout(),
        **fields,
    }
    return Unit(source=Source("job.sbatch", body), job=Job(**job), origins={}, plan=plan or PLAN)
