"""Volumes, paused bids and clusters in the request; what the machine cannot have is reported at its place."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.ir.job import Array, Container, File, Isolation, Mount, Placement, Port, Volume
from tests.backends.test_mithril import H100, body, emit, request, schema, unit

NEW = Volume(name="data", size_bytes=1_500_000_001, mount_path="/data", create=True)
SHARE = Volume(name="share", interface="file", mount_path="/share", create=True)


def test_a_volume_is_made_before_the_bid_that_attaches_it() -> None:
    document = request(unit(**H100, volumes=(NEW, SHARE, Volume(volume_id="vol_1", mount_path="/old"))))
    first, second, bid = document["requests"]
    assert first == {
        "id": "volume:data",
        "method": "POST",
        "path": "/v2/volumes",
        "body": {
            "name": "data",
            "project": "${project:default}",
            "disk_interface": "Block",
            "region": "us-central2-a",
            "size_gb": 2,
        },
        "after": [],
        "unless": "${volume:data}",
    }
    assert (second["body"]["disk_interface"], second["body"]["size_gb"]) == ("File", 100)
    assert bid["after"] == ["volume:data", "volume:share"]
    assert bid["body"]["launch_specification"]["volumes"] == ["${volume:data}", "${volume:share}", "vol_1"]
    assert "${volume:data}" in document["unresolved"]


def test_a_volume_of_an_array_is_made_once() -> None:
    document = request(unit(**H100, volumes=(SHARE,), array=Array(indices=(1, 2))))
    assert [each["id"] for each in document["requests"]] == ["volume:share", "train-1", "train-2"]
    assert [each["after"] for each in document["requests"]] == [[], ["volume:share"], ["volume:share"]]


def test_what_is_mounted_from_a_volume_is_attached_once() -> None:
    mounts = (Mount(kind="volume", source="data/sub", target="/a"), Mount(kind="volume", source="other", target="/b"))
    side = Container(name="s", role="sidecar", image="x", mounts=(Mount(kind="volume", source="third", target="/c"),))
    bid = request(unit(**H100, volumes=(NEW,), mounts=mounts, containers=(side,)))["requests"][-1]
    assert bid["body"]["launch_specification"]["volumes"] == ["${volume:data}", "${volume:other}", "${volume:third}"]


def test_new_volumes_are_what_the_provider_takes() -> None:
    document = schema()
    import jsonschema

    form = {k: v for k, v in document["components"]["schemas"]["CreateVolumeRequest"].items() if k != "description"}
    form["properties"]["size_gb"] = {"type": "integer", "exclusiveMinimum": 0}
    for each in request(unit(**H100, volumes=(NEW, SHARE)))["requests"][:2]:
        jsonschema.Draft202012Validator(form).validate(each["body"])
        assert set(each["body"]) <= set(form["properties"])


def test_a_paused_bid_is_paused_right_after_it_is_placed() -> None:
    bid, pause = request(unit(**H100, placement=Placement(paused=True)))["requests"]
    assert pause == {
        "id": "pause:train",
        "method": "PATCH",
        "path": "/v2/spot/bids/${bid:train}",
        "body": {"paused": True},
        "after": [bid["id"]],
    }


@pytest.mark.parametrize(("cluster", "said"), [("clust_1a", "clust_1a"), ("c", "${kubernetes_cluster:c}")])
def test_a_cluster_is_named(cluster: str, said: str) -> None:
    found = body(placement=Placement(kubernetes_cluster=cluster))
    assert found["launch_specification"]["kubernetes_cluster"] == said


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"mounts": (Mount(kind="local", source="./d", target="/d"),)}, "files-not-carried", "`./d` to be at `/d`"),
    ({"mounts": (Mount(kind="bucket", source="hf://o/d", target="/d"),)}, "bucket-unreachable", "`hf`"),
    ({"mounts": (Mount(kind="bucket", source="r2://b", target="/d"),)}, "bucket-unreachable", "AWS_ENDPOINT_URL"),
    ({"ports": (Port(external=80, internal=80, protocol="tcp"),)}, "port-not-opened", "port 80 stays closed"),
    ({"ports": (Port(external=8080, internal=80, protocol="udp"),)}, "port-not-opened", "`udp` is not forwarded"),
    ({"secrets": ("A", "B")}, "secrets-awaited", "waits for `A`, `B` in /run/flowc/secrets"),
    ({"files": (File(path="/x", secret="K"),)}, "secrets-awaited", "`K`"),
    ({"image": "x", "isolation": Isolation(pull_secrets=("r",))}, "secrets-awaited", "`r`"),
    ({"terminate_on_exit": True}, "bid-stays", "shuts down"),
]


@pytest.mark.parametrize(("fields", "name", "words"), CASES)
def test_what_needs_a_word_gets_one(fields: dict[str, Any], name: str, words: str) -> None:
    (found,) = emit(unit(**H100, **fields))[1]
    assert found.code.name == name
    assert words in found.message
    assert found.span is not None


LOGIN = (("AWS_ACCESS_KEY_ID", "a"),)


@pytest.mark.parametrize(
    "fields",
    [
        {"mounts": (Mount(kind="bucket", source="s3://b", target="/d"),), "env": LOGIN},
        {
            "mounts": (Mount(kind="bucket", source="r2://b", target="/d"),),
            "env": (("AWS_ENDPOINT_URL", "https://e"), *LOGIN),
        },
        {"ports": (Port(external=8080, internal=80, protocol="TCP"),)},
        {"volumes": (NEW,)},
    ],
)
def test_what_works_is_not_talked_about(fields: dict[str, Any]) -> None:
    assert emit(unit(**H100, **fields))[1] == []


def test_a_mount_of_several_containers_is_told_of_once() -> None:
    mount = Mount(kind="local", source="./d", target="/d")
    side = Container(name="s", role="sidecar", image="x", mounts=(mount, mount.replace(source="./e", target="/e")))
    found = emit(unit(**H100, mounts=(mount,), image="x", containers=(side,)))[1]
    assert [each.code.name for each in found] == ["files-not-carried"] * 2
