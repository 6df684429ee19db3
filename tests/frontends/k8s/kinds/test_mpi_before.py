"""MPIJobs of the operator's first version, as `--move` reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Flags, Inputs
from flowc.ir.job import Job
from flowc.source import Source
from tests.frontends.k8s.lowering import lowered, one

MOVE = Inputs(flags=Flags(move=True))
GPUS = {"resources": {"limits": {"nvidia.com/gpu": 4}}}
FEW = {"resources": {"limits": {"cpu": 3}}}


def before(spec: dict[str, Any], container: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    inside = {"name": "m", "image": "mpi:1", "command": ["mpirun", "a"], **(container or {})}
    spec = {**spec, "template": {"spec": {"containers": [inside], **pod}}}
    return {"apiVersion": "kubeflow.org/v1alpha1", "kind": "MPIJob", "metadata": {"name": "t"}, "spec": spec}


def hosts(found: Job) -> str:
    """What the hostfile says behind each host."""
    (line,) = [each for each in found.run.argv[2].splitlines() if each.endswith(" >/etc/mpi/hostfile")]
    return line[line.index("sed") :].split("/")[2]


@pytest.mark.parametrize(
    ("spec", "container", "nodes", "gpus", "slots"),
    [
        ({"replicas": 2}, GPUS, 2, 4, " slots=4"),
        ({"replicas": 2}, FEW, 2, None, " slots=1"),
        ({"replicas": 2, "slotsPerWorker": 2}, GPUS, 2, 4, " slots=2"),
        ({"gpus": 16}, {}, 2, 8, " slots=8"),
        ({"gpus": 2}, {}, 1, 2, " slots=2"),
        ({"gpus": 2, "gpusPerNode": 1}, {}, 2, 1, " slots=1"),
        ({"processingUnits": 8, "processingUnitsPerNode": 4}, {}, 2, 4, " slots=4"),
        ({"processingUnits": 8, "processingResourceType": "cpu"}, {}, 1, None, " slots=8"),
        ({"gpus": 8, "processingResourceType": "cpu"}, {}, 1, 8, " slots=8"),
    ],
)
def test_workers_and_what_each_has(
    spec: dict[str, Any], container: dict[str, Any], nodes: int, gpus: int | None, slots: str
) -> None:
    found = one(before(spec, container), inputs=MOVE)
    assert (found.resources.nodes, found.resources.gpus_per_node, hosts(found)) == (nodes, gpus, slots)
    assert "exec mpirun a" in found.run.argv[2]
    assert found.run.argv[2].count("mpirun a") == 1


def test_the_launcher_starts_again_as_a_job_does() -> None:
    restarts = [one(before({"replicas": 1}, restartPolicy=each), inputs=MOVE).retry for each in ("Never", "Always")]
    assert [each.keep_scratch for each in restarts] == [None, True]
    assert one(before({"replicas": 1, "backoffLimit": 3}), inputs=MOVE).retry.max_restarts == 2
    assert one(before({"replicas": 1, "activeDeadlineSeconds": 60}), inputs=MOVE).time.limit_s == 60


def test_what_it_says_is_told() -> None:
    document = before({"gpus": 16, "launcherOnMaster": True, "ttlSecondsAfterFinished": 5}, FEW)
    jobs, diagnostics = lowered(document, inputs=MOVE)
    assert "FC456" in [each.code.id for each in diagnostics]
    said = {each.input: each.action for each in jobs[0].outcome}
    assert said["spec.gpus"] == "lowered"
    assert said["spec.launcherOnMaster"] == "ignored"
    assert said["spec.template.spec.containers[0].command"] == "approximated"
    assert jobs[0].resources.cpus_per_node == 3
    assert jobs[0].terminate_on_exit


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({}, "spec.replicas"),
        ({"gpus": 8, "replicas": 2}, "spec.replicas"),
        ({"gpus": 12}, "spec.gpus"),
        ({"gpus": 8, "processingUnits": 8}, "spec.processingUnits"),
        ({"replicas": 0}, "spec.replicas"),
        ({"replicas": 2, "gpu": 2}, "spec.gpu"),
    ],
)
def test_what_the_operator_could_not_read(spec: dict[str, Any], path: str) -> None:
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(before(spec))), MOVE, sink)
    assert [each.message for each in sink.diagnostics if each.severity == "error" and path in each.message]


def test_without_move_its_version_is_gone() -> None:
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(before({"replicas": 1}))), Inputs(), sink)
    (found,) = sink.diagnostics
    assert found.code.id == "FC325"
    assert "--move" in (found.help or "")
