"""A RayJob: what its machines start, and which ones cannot be."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Inputs
from flowc.ir.job import Job
from flowc.source import Source
from tests.frontends.k8s.field_examples_pod import ray
from tests.frontends.k8s.lowering import ids, one

TELL = '#!/bin/sh\nprintf "%s|" "${0##*/}" "$@"\nprintf "\\0"\n'


def started(found: Job, rank: int, folder: Path) -> list[list[str]]:
    """The words of the calls of `ray` and `python` on a machine; the program of the head is left out."""
    for name in ("ray", "python"):
        (folder / name).write_text(TELL)
        (folder / name).chmod(0o755)
    facts = {"rank": str(rank), "head_ip": "10.0.0.1", "private_ip": f"10.0.0.{rank + 1}"}
    env = {
        "PATH": f"{folder}:/usr/bin:/bin",
        **dict(found.env),
        **{name: facts[fact] for name, fact in found.env_facts},
    }
    said = subprocess.run(found.run.argv, env=env, capture_output=True, text=True, check=True).stdout
    return [line.split("|") for line in said.split("|\0")[:-1]]


PARAMS = {"num-cpus": "0", "resources": """'{"a": 1}'""", "no-monitor": "true", "include-dashboard": "true"}
GPUS = {"resources": {"limits": {"cpu": "7500m", "memory": "64Gi", "nvidia.com/gpu": 8}}}


def pod(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "ray", "image": "ray:1", **container}]}}


def test_head_and_workers_start_as_the_operator_starts_them(tmp_path: Path) -> None:
    small = pod(resources={"limits": {"cpu": "1", "memory": "2Gi"}})
    document = ray(
        {"entrypoint": "python 'a b.py' $X\n", "runtimeEnvYAML": "pip: [a]", "entrypointNumGpus": 1, "jobId": "j"},
        head={"rayStartParams": PARAMS, "template": small},
        replicas=2,
        template=pod(**GPUS),
    )
    found = one(document)
    assert (found.resources.nodes, found.resources.gpus_per_node, found.resources.shm_bytes) == (3, 8, 64 << 30)
    assert found.workers_end == "first"
    head, submit = started(found, 0, tmp_path)[:2]
    own = ["--node-ip-address=10.0.0.1", "--dashboard-host=0.0.0.0", "--include-dashboard=true", f"--memory={2 << 30}"]
    assert head == [
        "ray",
        "start",
        "--head",
        "--port=6379",
        *own,
        *["--no-monitor", "--num-cpus=0", "--num-gpus=0"],
        '--resources={"a": 1}',
    ]
    options = json.dumps({"entrypoint_num_gpus": 1, "submission_id": "j"})
    assert submit[-4:] == ["3", "python 'a b.py' $X", "pip: [a]", options]
    worker = started(found, 2, tmp_path)[-1]
    assert worker[:4] == ["ray", "start", "--address=10.0.0.1:6379", "--node-ip-address=10.0.0.3"]
    assert worker[4:] == [f"--memory={64 << 30}", "--num-cpus=8", "--num-gpus=8", "--block"]


def test_a_head_alone_is_one_machine(tmp_path: Path) -> None:
    found = one(ray())
    assert (found.resources.nodes, found.workers_end, found.retry.max_restarts) == (1, None, 0)
    assert started(found, 0, tmp_path)[0][:3] == ["ray", "start", "--head"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (ray({"rayClusterSpec": None, "clusterSelector": {"a": "c"}}), "on a cluster of Ray that is there"),
        (ray({"entrypoint": ""}), "it has no `entrypoint`"),
        (ray(template=pod(image="ray:2")), "`template.spec.containers[0].image` differs"),
    ],
)
def test_what_one_bid_cannot_be_is_refused(document: dict[str, Any], said: str) -> None:
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(document)), Inputs(), sink)
    assert [said in each.message for each in sink.diagnostics if each.severity == "error"] == [True]


def test_a_command_of_the_container_is_refused() -> None:
    assert "FC333" in ids(ray(head={"template": pod(command=["sleep"])}))


def test_the_environment_of_a_job_may_be_in_base64() -> None:
    (*_, text) = one(ray({"runtimeEnv": "eyJwaXAiOiBbImEiXX0="})).run.argv
    assert """'{"pip": ["a"]}'""" in text
    (*_, text) = one(ray({"runtimeEnv": "eyJwaXAiOiBbImEiXX0=", "runtimeEnvYAML": "pip: [b]"})).run.argv
    assert "pip: [b]" in text
    assert "FC333" in ids(ray({"runtimeEnv": "_"}))
