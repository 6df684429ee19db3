"""Storage of the old cluster's own under `--move`: volumes of the provider, or empty folders, and told."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.inputs import Flags, Inputs
from flowc.ir.job import Mount
from tests.frontends.k8s.lowering import claim, ids, one
from tests.frontends.k8s.manifests import job

MOVE = Inputs(flags=Flags(move=True))


def mounted(**source: dict[str, Any]) -> dict[str, Any]:
    return job(None, {"volumes": [{"name": "v", **source}]}, {"volumeMounts": [{"name": "v", "mountPath": "/v"}]})


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ({"azureFile": {"shareName": "share", "secretName": "s"}}, "share"),
        ({"gcePersistentDisk": {"pdName": "disk"}}, "disk"),
        ({"awsElasticBlockStore": {"volumeID": "aws://eu/vol-1"}}, "v"),
        ({"cephfs": {"monitors": ["a"]}}, "v"),
    ],
)
def test_disks_and_shares_are_volumes_of_the_provider(source: dict[str, Any], name: str) -> None:
    assert "FC333" in ids(mounted(**source))
    assert one(mounted(**source), inputs=MOVE).mounts == (Mount(kind="volume", source=name, target="/v"),)
    assert ids(mounted(**source), inputs=MOVE) == ["FC354", "FC456"]


def test_a_folder_that_the_nodes_had_is_made() -> None:
    document = mounted(hostPath={"path": "/mnt/shared", "type": "Directory"})
    assert "FC333" in ids(document)
    assert one(document, inputs=MOVE).mounts == (Mount(kind="host", source="/mnt/shared", target="/v"),)
    assert "FC456" in ids(document, inputs=MOVE)
    assert "FC333" in ids(mounted(hostPath={"path": "/mnt/shared", "type": "Socket"}), inputs=MOVE)


def test_a_claim_for_one_machine_is_shared_by_several() -> None:
    document = job({"parallelism": 2, "completions": 2, "completionMode": "Indexed"}, VOLUME, MOUNT)
    assert "FC355" in ids(document, claim("data"))
    assert one(document, claim("data"), inputs=MOVE).volumes[0].interface == "file"
    assert "FC456" in ids(document, claim("data"), inputs=MOVE)


VOLUME = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}
MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "v"}]}


def test_a_relative_path_begins_at_the_root() -> None:
    assert one(job(None, VOLUME, MOUNT), claim("data")).volumes[0].mount_path == "/v"
    document = job(None, {"volumes": [{"name": "v", "emptyDir": {}}]}, MOUNT)
    assert one(document).mounts == (Mount(kind="scratch", source="v", target="/v"),)
