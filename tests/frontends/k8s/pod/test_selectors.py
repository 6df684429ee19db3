"""Selectors of labels: who makes them, and what they must look like."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.manifests import found, job

OWN = {"matchLabels": {"app": "train"}}
LABELS = {"metadata": {"labels": {"app": "train"}}}


def messages(document: dict[str, Any]) -> list[str]:
    return [each.message for each in found(document) if each.severity == "error"]


def selecting(selector: Any, **spec: Any) -> dict[str, Any]:
    document = job({"selector": selector, **spec})
    document["spec"]["template"].update(LABELS)
    return document


def cron(**spec: Any) -> dict[str, Any]:
    inner = {**job()["spec"], **spec}
    outer = {"schedule": "@daily", "jobTemplate": {"spec": inner}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "n"}, "spec": outer}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (selecting(OWN), "spec.selector: Invalid value: {…}: `selector` not auto-generated"),
        (selecting(OWN, manualSelector=False), "spec.selector: Invalid value: {…}: `selector` not auto-generated"),
        (
            selecting({"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
            "spec.selector: Invalid value: {…}: `selector` not auto-generated",
        ),
        (
            selecting({"matchLabels": {"app": "other"}}, manualSelector=True),
            "spec.template.metadata.labels: Invalid value: {…}: `selector` does not match template `labels`",
        ),
        (
            cron(selector=OWN),
            "spec.jobTemplate.spec.selector: Invalid value: {…}: `selector` will be auto-generated",
        ),
    ],
)
def test_a_selector_of_a_job_is_the_servers(document: dict[str, Any], said: str) -> None:
    assert [each for each in messages(document) if "CronJob" not in each] == [said]


def test_one_that_was_asked_for_must_be_there() -> None:
    (said,) = messages(job({"manualSelector": True}))
    assert said.startswith("spec.selector: Required value")
    (said, _) = messages(cron(selector=OWN, manualSelector=True))
    assert said.startswith("spec.jobTemplate.spec.manualSelector")


@pytest.mark.parametrize(
    "document",
    [
        job({"manualSelector": False}),
        selecting(OWN, manualSelector=True),
        selecting({"matchExpressions": [{"key": "app", "operator": "In", "values": ["train"]}]}, manualSelector=True),
        # As `kubectl get -o yaml` prints it.
        job({"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "0f"}}, "suspend": False}),
        job({"selector": {"matchLabels": {"controller-uid": "0f"}}, "manualSelector": False}),
    ],
)
def test_what_the_server_takes(document: dict[str, Any]) -> None:
    assert messages(document) == []


@pytest.mark.parametrize(
    ("pod", "path"),
    [
        ({"readinessGates": [{}]}, "readinessGates[0].conditionType"),
        ({"schedulingGates": [{"name": 1}]}, "schedulingGates[0].name"),
        ({"securityContext": {"seLinuxOptions": {"level": 3}}}, "securityContext.seLinuxOptions.level"),
        (
            {
                "affinity": {
                    "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {
                                "topologyKey": "k",
                                "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]},
                            }
                        ]
                    }
                }
            },
            "pressions[0].values",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "k",
                        "whenUnsatisfiable": "DoNotSchedule",
                        "labelSelector": {"matchLabels": {"a b": "c"}},
                    }
                ]
            },
            "labelSelector.matchLabels",
        ),
    ],
)
def test_fields_that_mean_nothing_here_are_held_against_the_api_all_the_same(pod: dict[str, Any], path: str) -> None:
    (said,) = messages(job(pod=pod))
    assert path in said.partition(": ")[0]
