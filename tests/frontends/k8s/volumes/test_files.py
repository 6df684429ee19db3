"""Files of the manifest: each container of a pod finds those that it mounts, at its own place."""

from __future__ import annotations

from typing import Any

from flowc.ir.job import File
from tests.frontends.k8s.lowering import ids, one
from tests.frontends.k8s.manifests import job

CONF = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "1", "b": "2"}}
KEYS = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"ssh": ""}}
VOLUMES = [
    {"name": "conf", "configMap": {"name": "conf"}},
    {"name": "keys", "secret": {"secretName": "keys", "defaultMode": 0o400}},
]


def pod(*mounts: dict[str, Any], main: tuple[dict[str, Any], ...] = (), **spec: Any) -> dict[str, Any]:
    init = {"name": "first", "image": "busybox", "volumeMounts": [*mounts]}
    return job(None, {"volumes": VOLUMES, "initContainers": [init], **spec}, {"volumeMounts": [*main]})


def test_init_containers_find_files_too() -> None:
    document = pod(
        {"name": "conf", "mountPath": "/c/b", "subPath": "b"},
        {"name": "keys", "mountPath": "/k"},
        main=({"name": "conf", "mountPath": "/conf"},),
        securityContext={"fsGroup": 7},
    )
    found = one(document, CONF, KEYS)
    assert [(each.path, each.text) for each in found.files] == [("/conf/a", "1"), ("/conf/b", "2")]
    assert found.containers[0].files == (
        File(path="/c/b", text="2", mode=0o644, group=7, read_only=True),
        File(path="/k/ssh", secret="KEYS_SSH", mode=0o440, group=7, read_only=True),
    )


def test_a_file_that_is_not_there_is_told_of_them_too() -> None:
    assert ids(pod({"name": "conf", "mountPath": "/c"}), KEYS) == ["FC336"]
    assert ids(pod({"name": "conf", "mountPath": "/c/x", "subPath": "x"}), CONF, KEYS) == ["FC333"]
