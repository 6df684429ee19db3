"""Lowering a manifest in tests: its jobs and what is said of it; objects that stand beside a job."""

from __future__ import annotations

import json
from typing import Any

from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Inputs
from flowc.ir.job import Job
from flowc.source import Source
from tests.frontends.k8s.manifests import job

Documents = dict[str, Any] | tuple[dict[str, Any], ...]

GPU = {"resources": {"limits": {"nvidia.com/gpu": 8}}}
INDEXED = {"completions": 4, "parallelism": 4, "completionMode": "Indexed"}


def lowered(*documents: dict[str, Any], inputs: Inputs | None = None) -> tuple[list[Job], list[Diagnostic]]:
    """The jobs and the findings; the documents must be free of mistakes that reading finds."""
    text = "\n---\n".join(json.dumps(each) for each in documents)
    sink, inputs = Sink(), inputs or Inputs()
    tree = FRONTEND.read(Source("job.yaml", text), inputs, sink)
    assert tree is not None
    assert [each.message for each in sink.diagnostics if each.severity == "error"] == []
    units = FRONTEND.lower(tree, inputs, sink)
    return [unit.job for unit in units], sink.diagnostics


def one(*documents: dict[str, Any], inputs: Inputs | None = None) -> Job:
    jobs, diagnostics = lowered(*documents, inputs=inputs)
    assert [each.message for each in diagnostics if each.severity == "error"] == []
    return jobs[0]


def ids(*documents: dict[str, Any], inputs: Inputs | None = None) -> list[str]:
    """The codes that are reported, but for what the bare example brings along."""
    return sorted({each.code.id for each in lowered(*documents, inputs=inputs)[1]} - {"FC358"})


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def claim(name: str, size: str = "10Gi", mode: str = "ReadWriteOnce") -> dict[str, Any]:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": size}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def with_volume(source: dict[str, Any], *mounts: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """The job with one volume, `v`, mounted at /data or as `mounts` say."""
    found = [{"name": "v", "mountPath": "/data", **each} for each in mounts or ({},)]
    return job(pod={"volumes": [{"name": "v", **source}]}, container={"volumeMounts": found}, **parts)


def required(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [each]} for each in expressions]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
