"""Files of the manifest: each container of a pod finds those that it mounts, at its own place."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.inputs import Flags, Inputs
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


@pytest.mark.parametrize(
    ("mount", "container", "keys"),
    [
        ({}, {"args": ["--key=/k/id_rsa", "/k/id_rsa"]}, ["id_rsa"]),
        ({}, {"env": [{"name": "CREDENTIALS", "value": "/k/a.json"}]}, ["a.json"]),
        ({}, {"args": ["cat /k/a /k/b.", "/other/k/c", "/k/$X", "/k/d/e"]}, ["a", "b"]),
        ({"subPath": ".netrc", "mountPath": "/root/.netrc"}, {}, [".netrc"]),
    ],
)
def test_of_a_secret_that_is_elsewhere_come_the_files_that_are_named(
    mount: dict[str, Any], container: dict[str, Any], keys: list[str]
) -> None:
    mounts = [{"name": "keys", "mountPath": "/k", **mount}]
    document = job(None, {"volumes": VOLUMES[1:]}, {"volumeMounts": mounts, **container})
    assert [each.path.rpartition("/")[2] for each in one(document).files] == keys
    assert "FC394" in ids(document)


def test_of_which_none_is_named_is_refused() -> None:
    document = job(None, {"volumes": VOLUMES[1:]}, {"volumeMounts": [{"name": "keys", "mountPath": "/k"}]})
    assert ids(document) == ["FC335"]
    moved = Inputs(flags=Flags(move=True))
    assert "FC399" in ids(document, inputs=moved)
    assert one(document, inputs=moved).files == ()
