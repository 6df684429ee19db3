"""How often a failed job starts again, as the controller of each kind has it."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.ir.job import WITHOUT_LIMIT, ExitRule
from tests.frontends.k8s.field_examples_pod import RESTART, in_task, job_set, pytorch, volcano
from tests.frontends.k8s.lowering import INDEXED, ids, lowered, one
from tests.frontends.k8s.manifests import job

ON_FAILURE = {"restartPolicy": "OnFailure"}


@pytest.mark.parametrize(
    ("limit", "never", "on_failure"),
    [(0, 0, 0), (1, 1, 0), (2, 2, 1), (6, 6, 5)],
)
def test_a_job_counts_pods_or_restarts(limit: int, never: int, on_failure: int) -> None:
    """`Never`: one pod more than the limit. `OnFailure`: the job fails as restart number `limit` begins."""
    assert one(job({"backoffLimit": limit})).retry.max_restarts == never
    assert one(job({"backoffLimit": limit}, pod=ON_FAILURE)).retry.max_restarts == on_failure


def test_the_default_of_a_job_is_six() -> None:
    assert one(job()).retry.max_restarts == 6
    jobs, diagnostics = lowered(job(pod=ON_FAILURE))
    assert jobs[0].retry.max_restarts == 5
    assert [each.message for each in diagnostics if each.code.id == "FC358"] == [
        "no `backoffLimit`: a failing job starts again up to 5 times, as in a cluster"
    ]


def test_tasks_of_an_array_count_for_themselves() -> None:
    assert "FC331" in ids(job({**INDEXED, "completions": 8, "backoffLimit": 3}))
    assert "FC331" not in ids(job({**INDEXED, "backoffLimit": 3}))


@pytest.mark.parametrize(
    ("policy", "run", "restarts"),
    [
        (None, None, WITHOUT_LIMIT),
        ("OnFailure", None, WITHOUT_LIMIT),
        ("Always", None, WITHOUT_LIMIT),
        ("ExitCode", None, WITHOUT_LIMIT),
        ("Never", None, 0),
        ("Never", {"backoffLimit": 4}, 0),
        ("OnFailure", {"backoffLimit": 0}, 0),
        (None, {"backoffLimit": 4}, 3),
        ("ExitCode", {"backoffLimit": 4}, 4),
    ],
)
def test_a_pytorch_job(policy: str | None, run: dict[str, Any] | None, restarts: int) -> None:
    document = pytorch(run, **({"restartPolicy": policy} if policy is not None else {}))
    assert one(document).retry.max_restarts == restarts
    assert ("FC390" in ids(document)) == (restarts == WITHOUT_LIMIT)


def test_the_pod_of_a_pytorch_job_does_not_decide() -> None:
    document = pytorch()
    document["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["restartPolicy"] = "Never"
    assert one(document).retry.max_restarts == WITHOUT_LIMIT
    assert "FC332" in ids(document)


@pytest.mark.parametrize(
    ("document", "restarts"),
    [
        (volcano(), 0),  # Never, and no policy: what has failed has failed
        (volcano(maxRetry=5), 0),
        (volcano(policies=[RESTART]), 2),  # maxRetry is 3, and the third restart does not begin
        (volcano(policies=[RESTART], maxRetry=0), 2),  # Volcano takes 0 for nothing said
        (volcano(policies=[RESTART], maxRetry=1), 0),
        (volcano(policies=[{"events": ["*"], "action": "RestartTask"}], maxRetry=5), 4),
        (volcano(policies=[{"event": "TaskCompleted", "action": "CompleteJob"}]), 0),
        (in_task(RESTART), 2),
    ],
)
def test_a_job_of_volcano(document: dict[str, Any], restarts: int) -> None:
    assert one(document).retry.max_restarts == restarts


@pytest.mark.parametrize("policy", [None, "OnFailure", "Always"])
def test_containers_of_volcano_that_start_again_by_themselves(policy: str | None) -> None:
    document = volcano(policies=[RESTART], maxRetry=3)
    pod = document["spec"]["tasks"][0]["template"]["spec"]
    pod.pop("restartPolicy")
    pod |= {"restartPolicy": policy} if policy is not None else {}
    assert one(document).retry.max_restarts == WITHOUT_LIMIT
    assert "FC390" in ids(document)


def test_a_tasks_own_policy_comes_first() -> None:
    document = in_task({"event": "PodFailed", "action": "TerminateJob"})
    document["spec"]["policies"] = [RESTART]
    assert one(document).retry.max_restarts == 0


def test_exit_codes_and_evictions_of_volcano() -> None:
    found = one(
        volcano(
            policies=[
                {"exitCode": 3, "action": "RestartJob"},
                {"event": "PodEvicted", "action": "RestartJob"},
            ]
        )
    ).retry
    assert (found.max_restarts, found.requeue) == (2, True)
    assert found.exit_rules == (
        ExitRule(action="count", codes=(3,)),
        ExitRule(action="fail", codes=(3,), negate=True),
    )


@pytest.mark.parametrize(
    ("template", "failure", "restarts"),
    [
        (None, None, 5),  # restartPolicy is OnFailure, backoffLimit 6
        ({"backoffLimit": 0}, None, 0),
        ({"backoffLimit": 0}, {"maxRestarts": 0}, 0),
        ({"backoffLimit": 0}, {"maxRestarts": 3}, 3),
        ({"backoffLimit": 2}, {"maxRestarts": 3}, 7),  # four times two runs
    ],
)
def test_a_job_set(template: dict[str, Any] | None, failure: dict[str, Any] | None, restarts: int) -> None:
    document = job_set(template, **({"failurePolicy": failure} if failure is not None else {}))
    pod = document["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    pod.pop("restartPolicy")
    assert one(document).retry.max_restarts == restarts


FAIL, AGAIN = {"action": "FailJobSet"}, {"action": "RestartJobSet"}
WITHOUT_END = {"action": "RestartJobSetAndIgnoreMaxRestarts"}
AFTER_FAILURES = {"onJobFailureReasons": ["BackoffLimitExceeded"]}


@pytest.mark.parametrize(
    ("rules", "restarts"),
    [
        ([FAIL], 0),
        ([AGAIN, FAIL], 3),
        ([{**FAIL, **AFTER_FAILURES}], 0),
        ([{**FAIL, "onJobFailureReasons": ["DeadlineExceeded"]}], 3),
        ([{**FAIL, "targetReplicatedJobs": ["w"]}], 0),
        ([{**FAIL, "onJobFailureMessagePatterns": ["x"]}], 3),
        ([{**WITHOUT_END, **AFTER_FAILURES}], WITHOUT_LIMIT),
    ],
)
def test_the_first_rule_of_a_job_set_that_fits_decides(rules: list[dict[str, Any]], restarts: int) -> None:
    document = job_set({"backoffLimit": 0}, failurePolicy={"maxRestarts": 3, "rules": rules})
    assert one(document).retry.max_restarts == restarts
    assert ("FC390" in ids(document)) == (restarts == WITHOUT_LIMIT)


def test_a_set_makes_a_job_anew_that_its_policy_has_failed() -> None:
    policy = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3]}}]}

    def found(backoff: int, **failure: Any) -> dict[str, Any]:
        return job_set({"backoffLimit": backoff, "podFailurePolicy": policy}, failurePolicy=failure)

    def action(document: dict[str, Any]) -> str:
        return one(document).retry.exit_rules[0].action

    assert action(found(0, maxRestarts=2)) == "count"
    assert action(found(2, maxRestarts=2)) == "fail"
    assert "FC331" in ids(found(2, maxRestarts=2))
    rule = {**FAIL, "onJobFailureReasons": ["PodFailurePolicy"]}
    assert action(found(0, maxRestarts=2, rules=[rule])) == "fail"


class TestElastic:
    def found(self, policy: dict[str, Any], **more: Any) -> dict[str, str]:
        document = pytorch(replicas=2, **more)
        document["spec"]["elasticPolicy"] = policy
        found = one(document)
        return {**dict(found.env), **dict(found.env_facts)}

    def test_processes_per_node(self) -> None:
        assert self.found({"nProcPerNode": 2})["PET_NPROC_PER_NODE"] == "2"
        assert self.found({})["PET_NPROC_PER_NODE"] == "auto"

    def test_the_machines_meet_at_the_first(self) -> None:
        found = self.found({"rdzvBackend": "c10d", "maxRestarts": 0, "rdzvId": "j", "standalone": False})
        assert {
            "PET_RDZV_BACKEND": "c10d",
            "PET_RDZV_ENDPOINT": "head_ip",
            "PET_MAX_RESTARTS": "0",
            "PET_RDZV_ID": "j",
            "PET_NNODES": "2",
        }.items() <= found.items()
        assert "PET_STANDALONE" not in found

    def test_a_server_of_etcd_stays(self) -> None:
        found = self.found({"rdzvBackend": "etcd-v2", "rdzvHost": "etcd.example.com", "rdzvPort": 2379})
        assert found["PET_RDZV_ENDPOINT"] == "etcd.example.com:2379"

    @pytest.mark.parametrize("host", ["etcd", "etcd.kubeflow.svc", "etcd-0.etcd.ns.svc.cluster.local"])
    def test_a_server_of_the_cluster_is_out_of_reach(self, host: str) -> None:
        document = pytorch(replicas=2)
        for policy, codes in (
            ({"rdzvBackend": "etcd", "rdzvHost": host}, ["FC343"]),
            ({"rdzvBackend": "c10d", "rdzvHost": host}, []),
            ({"rdzvBackend": "etcd", "rdzvHost": "10.0.0.5"}, []),
        ):
            document["spec"]["elasticPolicy"] = policy
            assert [each for each in ids(document) if each == "FC343"] == codes
