"""The containers of a pod: their order, when they start again, and what is done before they are stopped."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.ir.job import WITHOUT_LIMIT, ExitRule
from tests.frontends.k8s.lowering import ids, one
from tests.frontends.k8s.manifests import found, job


def each(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "busybox:1.36", "command": [name], **more}


def sidecar(name: str, **more: Any) -> dict[str, Any]:
    return each(name, restartPolicy="Always", **more)


def second(*more: dict[str, Any], **pod: Any) -> dict[str, Any]:
    document = job(pod=pod)
    document["spec"]["template"]["spec"]["containers"] += more
    return document


def test_the_files_order_holds() -> None:
    inits = [sidecar("proxy"), each("migrate"), sidecar("log"), each("warm")]
    document = second(each("beside"), initContainers=inits)
    assert [(it.name, it.role, it.restart) for it in one(document).containers] == [
        ("proxy", "sidecar", "always"),
        ("migrate", "init", "on-failure"),
        ("log", "sidecar", "always"),
        ("warm", "init", "on-failure"),
        ("beside", "sidecar", "never"),
    ]


@pytest.mark.parametrize(
    ("pod", "own", "restart"),
    [("Never", None, "never"), ("OnFailure", None, "on-failure"), ("Never", "Always", "always")],
)
def test_a_second_container_starts_again_as_its_pod_does(pod: str, own: str | None, restart: str) -> None:
    more = {"restartPolicy": own} if own is not None else {}
    assert [it.restart for it in one(second(each("b", **more), restartPolicy=pod)).containers] == [restart]


def test_what_goes_before_the_stop() -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["drain", "-q"]}}}}
    containers = one(second(each("b", **hook), initContainers=[sidecar("s", **hook)])).containers
    assert [it.isolation.before_stop for it in containers] == [("drain", "-q"), ("drain", "-q")]


@pytest.mark.parametrize("key", ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"])
def test_an_init_container_runs_to_its_end(key: str) -> None:
    hook = {"exec": {"command": ["x"]}}
    what = {key: {"preStop": hook} if key == "lifecycle" else hook}
    said = [it.message for it in found(job(pod={"initContainers": [each("i", **what)]})) if it.severity == "error"]
    path = f"spec.template.spec.initContainers[0].{key}"
    assert said == [f"{path}: Forbidden: may not be set for init containers without restartPolicy=Always"]
    assert found(job(pod={"initContainers": [sidecar("i", **what)]})) == []


def test_a_signal_of_its_own() -> None:
    lifecycle = {"lifecycle": {"stopSignal": "SIGUSR1"}}
    assert one(job(pod={"os": {"name": "linux"}}, container=lifecycle)).isolation.stop_signal == "SIGUSR1"
    (said,) = [it.message for it in found(job(container=lifecycle)) if it.severity == "error"]
    assert "may not be set for containers with empty `spec.os.name`" in said
    odd = job(pod={"os": {"name": "linux"}}, container={"lifecycle": {"stopSignal": "USR1"}})
    assert [it.code.id for it in found(odd) if it.severity == "error"] == ["FC307"]


class TestRules:
    RULES = ({"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}},)

    def test_some_exit_codes_start_the_container_again(self) -> None:
        retry = one(
            job({"backoffLimit": 2}, container={"restartPolicy": "Never", "restartPolicyRules": [*self.RULES]})
        ).retry
        assert (retry.max_restarts, retry.exit_rules) == (2, (ExitRule(action="free", codes=(42,)),))

    def test_a_job_that_counts_restarts_counts_these(self) -> None:
        own = {"restartPolicy": "Never", "restartPolicyRules": [*self.RULES]}
        retry = one(job({"backoffLimit": 2}, pod={"restartPolicy": "OnFailure"}, container=own)).retry
        assert retry.exit_rules == (ExitRule(action="count", codes=(42,)),)

    def test_a_container_that_always_starts_again_never_fails_its_pod(self) -> None:
        document = job({"backoffLimit": 2}, container={"restartPolicy": "OnFailure"})
        assert one(document).retry.max_restarts == WITHOUT_LIMIT
        assert {"FC390", "FC332"} <= set(ids(document))

    def test_they_need_a_policy(self) -> None:
        said = [it.message for it in found(job(container={"restartPolicyRules": [*self.RULES]}))]
        assert "spec.template.spec.containers[0].restartPolicy: Required value" in said
