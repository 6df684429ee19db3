"""Folders of volumes whose names are made of variables: put in where they are known, refused where machines that share
the volume would each have another one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.lowering import ids, one
from tests.frontends.k8s.manifests import job

POD_NAME = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
CLAIM = {"persistentVolumeClaim": {"claimName": "runs"}}
CONF = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "1", "b": "2"}}


def pod(expression: str, volume: dict[str, Any], env: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    mount = {"name": "v", "mountPath": "/v", "subPathExpr": expression}
    container = {"command": ["true"], "env": env, "volumeMounts": [mount]}
    return job(spec, {"volumes": [{"name": "v", **volume}]}, container)


@pytest.mark.parametrize(
    ("expression", "env", "folder"),
    [
        ("a/$(RUN)", [{"name": "RUN", "value": "r1"}], "a/r1"),
        ("$(POD_NAME)", [POD_NAME], "one"),
        ("plain", [], "plain"),
    ],
)
def test_what_is_known_is_put_in(expression: str, env: list[dict[str, Any]], folder: str) -> None:
    document = pod(expression, CLAIM, env)
    document["metadata"]["name"] = "one"
    assert [(each.source, each.target) for each in one(document).mounts] == [(f"runs/{folder}", "/v")]


def test_a_file_of_a_volume_too() -> None:
    found = one(pod("$(WHICH)", {"configMap": {"name": "conf"}}, [{"name": "WHICH", "value": "b"}]), CONF)
    assert [(each.path, each.text) for each in found.files] == [("/v", "2")]
    volume = {"configMap": {"name": "conf"}}
    assert ids(pod("$(WHICH)", volume, [{"name": "WHICH", "value": "c"}]), CONF) == ["FC333"]


def test_machines_that_share_a_volume_have_no_folder_each() -> None:
    gang = {"completions": 2, "parallelism": 2, "completionMode": "Indexed"}
    assert "FC333" in ids(pod("$(POD_NAME)", CLAIM, [POD_NAME], **gang))


def test_machines_with_a_disk_each_do() -> None:
    gang = {"completions": 2, "parallelism": 2, "completionMode": "Indexed"}
    document = pod("$(POD_NAME)", {"hostPath": {"path": "/d"}}, [POD_NAME], **gang)
    found = one(document)
    assert [each.target for each in found.mounts] == ["/v"]
    told = [(each.action, each.input) for each in found.outcome if "subPathExpr" in each.input]
    assert [action for action, _ in told] == ["approximated"]
