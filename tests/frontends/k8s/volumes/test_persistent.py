"""PersistentVolumes of the file: where the data of a claim is, or that it is out of reach."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.ir.job import Mount
from tests.frontends.k8s.lowering import claim, ids, lowered, one, with_volume

GCS, S3, NFS = "gcsfuse.csi.storage.gke.io", "s3.csi.aws.com", "nfs.csi.k8s.io"
SHARE = {"server": "s", "path": "/e"}


def behind(spec: dict[str, Any], **source: Any) -> tuple[dict[str, Any], ...]:
    """A job whose container mounts a claim that is bound to this PersistentVolume."""
    bound = claim("data")
    bound["spec"]["volumeName"] = "pv"
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": spec}
    return with_volume({"persistentVolumeClaim": {"claimName": "data", **source}}), bound, volume


def csi(driver: str, *options: str, read_only: bool = False, **attributes: str) -> dict[str, Any]:
    source = {"driver": driver, "volumeHandle": "h", "volumeAttributes": attributes}
    source |= {"readOnly": True} if read_only else {}
    return {"csi": source, "mountOptions": list(options)}


@pytest.mark.parametrize(
    ("spec", "mount"),
    [
        ({"nfs": SHARE}, {"kind": "nfs", "source": "s:/e"}),
        ({"nfs": {**SHARE, "readOnly": True}}, {"kind": "nfs", "source": "s:/e", "read_only": True}),
        (
            {"nfs": SHARE, "mountOptions": ["ro", "hard", "nfsvers=4.1"]},
            {"kind": "nfs", "source": "s:/e", "read_only": True, "options": (("hard", ""), ("nfsvers", "4.1"))},
        ),
        (csi(NFS, server="s", share="/e"), {"kind": "nfs", "source": "s:/e"}),
        (csi(GCS), {"kind": "bucket", "source": "gs://h"}),
        (csi(GCS, bucketName="b", read_only=True), {"kind": "bucket", "source": "gs://b", "read_only": True}),
        (csi(GCS, "implicit-dirs", "only-dir=x/y"), {"kind": "bucket", "source": "gs://h/x/y"}),
        (csi(GCS, mountOptions="implicit-dirs,only-dir:x"), {"kind": "bucket", "source": "gs://h/x"}),
        (csi(S3, "prefix data/", "read-only"), {"kind": "bucket", "source": "s3://h/data", "read_only": True}),
        ({"hostPath": {"path": "/data"}}, {"kind": "host", "source": "/data"}),
    ],
)
def test_places(spec: dict[str, Any], mount: dict[str, Any]) -> None:
    found = one(*behind(spec))
    assert (found.volumes, found.mounts) == ((), (Mount(target="/data", **mount),))


def test_a_claim_may_read_only() -> None:
    assert one(*behind({"nfs": SHARE}, readOnly=True)).mounts[0].read_only


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (csi("ebs.csi.aws.com"), "of the driver `ebs.csi.aws.com`"),
        (csi("fsx.csi.aws.com", dnsname="fs-1", mountname="x"), "of the driver `fsx.csi.aws.com`"),
        ({"gcePersistentDisk": {"pdName": "x"}}, "a disk of Google Cloud cannot be attached"),
        ({"local": {"path": "/mnt/d"}}, "a disk of one of the cluster's nodes"),
        ({"capacity": {"storage": "1Gi"}}, "does not say where the data is"),
    ],
)
def test_data_out_of_reach_is_no_new_empty_volume(spec: dict[str, Any], reason: str) -> None:
    _, diagnostics = lowered(*behind(spec))
    (found,) = [each for each in diagnostics if each.severity == "error"]
    assert (found.code.id, reason in found.message) == ("FC333", True)


def test_options_that_are_not_kept_are_told() -> None:
    assert ids(*behind(csi(GCS, "implicit-dirs"))) == []
    assert ids(*behind(csi(GCS, "uid=1001"))) == ["FC331"]
    assert ids(*behind(csi(GCS, fileCacheCapacity="1Gi"))) == ["FC331"]
    inline = {"driver": GCS, "volumeAttributes": {"bucketName": "b", "mountOptions": "only-dir=x,uid=5"}}
    document = with_volume({"csi": inline})
    assert one(document).mounts[0].source == "gs://b/x"
    assert ids(document) == ["FC331"]
