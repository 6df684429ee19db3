"""Paths of the node: nothing is made where the kubelet makes nothing."""

from __future__ import annotations

import pytest

from tests.frontends.k8s.lowering import lowered, one, with_volume


def source(path: str, kind: str | None = None) -> dict[str, dict[str, str]]:
    return {"hostPath": {"path": path, **({"type": kind} if kind is not None else {})}}


@pytest.mark.parametrize(
    ("path", "kind", "create"),
    [
        ("/data", None, "folder"),
        ("/data", "", "folder"),
        ("/data", "DirectoryOrCreate", "folder"),
        ("/data/lock", "FileOrCreate", "file"),
        ("/dev/infiniband", None, "folder"),
        ("/dev/infiniband", "Directory", "nothing"),
        ("/dev/nvidia0", "CharDevice", "nothing"),
        ("/dev/vda", "BlockDevice", "nothing"),
        ("/etc/localtime", "File", "nothing"),
        ("/etc/hosts", "File", "nothing"),
        ("/tmp", "Directory", "nothing"),
        ("/var/run/docker.sock", "Socket", "nothing"),
        ("/var/run/docker.sock", None, "nothing"),
        ("/run/docker.sock", "File", "nothing"),
        ("/run/containerd/containerd.sock", "Socket", "nothing"),
    ],
)
def test_what_is_made_of_it(path: str, kind: str | None, create: str) -> None:
    assert [(each.source, each.create) for each in one(with_volume(source(path, kind))).mounts] == [(path, create)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data", "Directory"),
        ("/data/x", "File"),
        ("/var/run/crio/crio.sock", "Socket"),
        ("/var/run/crio/crio.sock", None),
        ("/opt/dev", "CharDevice"),
        ("/opt/dev", "BlockDevice"),
    ],
)
def test_what_can_only_be_missing_is_refused(path: str, kind: str | None) -> None:
    messages = [each.message for each in lowered(with_volume(source(path, kind)))[1] if each.code.id == "FC333"]
    assert len(messages) == 1
    assert "the kubelet would make nothing" in messages[0]


@pytest.mark.parametrize("kind", ["Directory", "DirectoryOrCreate", "CharDevice", "BlockDevice"])
def test_a_socket_is_not_taken_for_something_else(kind: str) -> None:
    errors = [each.code.id for each in lowered(with_volume(source("/var/run/docker.sock", kind)))[1]]
    assert "FC333" in errors


def test_what_is_said_is_true() -> None:
    def said(path: str, kind: str) -> list[str]:
        return [
            each.message for each in lowered(with_volume(source(path, kind)))[1] if each.code.id in ("FC356", "FC391")
        ]

    assert said("/var/run/docker.sock", "Socket") == ["the job gets the docker of its machine: `/var/run/docker.sock`"]
    assert said("/data", "") == ["on the machine itself, without the old nodes' files: `/data` (a folder)"]
    assert said("/mnt/", "") == ["on the machine itself, without the old nodes' files: `/mnt/` (a folder)"]
    assert said("/var/log", "Directory") == [
        "on the machine itself, without the old nodes' files: `/var/log` (a folder)"
    ]
    assert said("/l", "FileOrCreate") == ["on the machine itself, without the old nodes' files: `/l` (a file)"]
    assert said("/dev", "") == []
    assert said("/etc/hosts", "File") == []
