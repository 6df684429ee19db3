"""Limits of time: deadlines of the job and of the pod, and those of the cluster's queues."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.field_examples_pod import job_set
from tests.frontends.k8s.lowering import ids, lowered, one
from tests.frontends.k8s.manifests import job

KUEUE = "kueue.x-k8s.io/max-exec-time-seconds"
SLINKY = "slurmjob.slinky.slurm.net/timelimit"


def limited(spec: dict[str, Any] | None = None, **metadata: dict[str, str]) -> dict[str, Any]:
    return job(spec, metadata=metadata)


@pytest.mark.parametrize(
    ("document", "seconds"),
    [
        (limited(labels={KUEUE: "600"}), 600),
        (limited(annotations={SLINKY: "5"}), 300),
        (limited(annotations={"slinky.slurm.net/timelimit": "5"}), 300),
        (limited(annotations={SLINKY: "0"}), None),
        (limited({"activeDeadlineSeconds": 60}, labels={KUEUE: "600"}), 60),
        (limited({"activeDeadlineSeconds": 6000}, labels={KUEUE: "600"}), 600),
        (limited(labels={KUEUE: "600"}, annotations={SLINKY: "5"}), 300),
    ],
)
def test_the_shortest_limit_of_the_job_holds(document: dict[str, Any], seconds: int | None) -> None:
    assert one(document).time.limit_s == seconds


def test_each_job_of_a_set_has_a_deadline_of_its_own() -> None:
    def found(backoff: int, **policy: Any) -> Any:
        return job_set({"backoffLimit": backoff, "activeDeadlineSeconds": 60}, failurePolicy=policy)

    time = one(found(0, maxRestarts=2)).time
    assert (time.limit_s, time.attempt_limit_s) == (None, 60)
    time = one(found(0, maxRestarts=0)).time
    assert (time.limit_s, time.attempt_limit_s) == (60, None)
    given_up = {"action": "FailJobSet", "onJobFailureReasons": ["DeadlineExceeded"]}
    assert one(found(0, maxRestarts=2, rules=[given_up])).time.limit_s == 60
    assert one(found(3, maxRestarts=2)).time.limit_s == 60
    assert "FC331" in ids(found(3, maxRestarts=2))


@pytest.mark.parametrize(
    "document",
    [
        limited(labels={KUEUE: "0"}),
        limited(labels={KUEUE: "1h"}),
        limited(annotations={SLINKY: "01:00:00"}),
        limited(annotations={SLINKY: "-5"}),
    ],
)
def test_what_is_no_limit_is_an_error(document: dict[str, Any]) -> None:
    assert "FC307" in ids(document)


def test_other_words_for_the_bridge_to_slurm_are_told() -> None:
    document = limited(
        annotations={
            "slurmjob.slinky.slurm.net/gres": "gpu:h100:4",
            "slurmjob.slinky.slurm.net/partition": "debug",
        }
    )
    messages = [each.message for each in lowered(document)[1]]
    assert any("slurmjob.slinky.slurm.net/gres" in each and "ignored" in each for each in messages)
    assert any("annotation `slurmjob.slinky.slurm.net/partition`" in each for each in messages)


def test_the_label_of_a_cron_jobs_job() -> None:
    from flowc.inputs import Inputs

    document = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "n"},
        "spec": {
            "schedule": "@daily",
            "jobTemplate": {"metadata": {"labels": {KUEUE: "60"}}, "spec": job()["spec"]},
        },
    }
    assert one(document, inputs=Inputs(once=True)).time.limit_s == 60
