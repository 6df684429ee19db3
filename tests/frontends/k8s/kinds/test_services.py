"""What stays up beside a job."""

from __future__ import annotations

import json

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.k8s.read import read
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from tests.frontends.k8s.manifests import JOB, job, read_text

SERVICE = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: redis}\n---\n"


@pytest.mark.parametrize(("move", "code", "word"), [(False, "FC318", "`--move`"), (True, "FC322", None)])
def test_a_service_beside_a_job_is_left_with_the_cluster_by_move(move: bool, code: str, word: str | None) -> None:
    sink = Sink()
    tree = read(Source("job.yaml", SERVICE + json.dumps(JOB)), Inputs(flags=Flags(move=move)), sink)
    assert tree is not None
    assert len(tree.jobs) == 1
    (only,) = sink.diagnostics
    assert only.code.id == code
    assert word is None or word in (only.help or "")
    (alone,) = read_text(SERVICE)[1].diagnostics
    assert alone.code.id == "FC318"
    assert "--move" not in (alone.help or "")


@pytest.mark.parametrize(
    ("word", "refused"), [("redis", True), ("redis:6379", True), ("cache.default", True), ("redis-data", False)]
)
def test_a_service_that_the_job_names_is_not_left_out(word: str, refused: bool) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: cache}\n---\n"
    document = job(None, None, {"env": [{"name": "HOST", "value": word}]})
    sink = Sink()
    read(Source("job.yaml", SERVICE + service + json.dumps(document)), Inputs(flags=Flags(move=True)), sink)
    (only,) = sink.diagnostics
    assert only.code.id == ("FC318" if refused else "FC322")
    assert ("the job names" in (only.help or "")) == refused
