"""What a request document says of the machines that its jobs need, and what local containers are made of it."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.machines.spec import Share
from flowc.providers.local.kinds import places_of
from tests.providers.local.conftest import requests

HEAD = "#!/bin/bash\n#SBATCH --gres=gpu:h100:8 --time=1:00:00\n"
SHARED = Share(source="/here", place="/mnt/shared")
DISK = Share(source="/here", place="/dev/data", disk="vol_data")


def needs(text: str, **flags: object) -> Any:
    (job,) = requests(HEAD + text, **flags)["jobs"]
    return job.get("machine")


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        ("true\n", {}, None),
        ("cat /etc/passwd /usr/x ~/x ./y a/b s3://z/z >/tmp/x\n", {}, None),
        ("echo x >/data/x; ls /scratch\n", {}, {"folders": ["data", "scratch"]}),
        ("true\n", {"ports": ("80", "8080", "9000:90", "9001")}, {"ports": [8080, 9000, 9001]}),
        (
            "true\n",
            {"mounts": ("/data=volume://shared", "/a/b=volume://shared/sub")},
            {
                "mounts": [
                    {"source": "/mnt/shared", "target": "/data"},
                    {"source": "/mnt/shared/sub", "target": "/a/b"},
                ],
                "folders": ["data", "a"],
            },
        ),
        ("docker run hello-world\n", {}, {"docker": True}),
    ],
)
def test_what_a_job_needs(text: str, flags: dict[str, Any], expected: object) -> None:
    assert needs(text, **flags) == expected


def test_what_comes_over_ssh_needs_the_same() -> None:
    flags: dict[str, Any] = {"ports": ("8080",), "mounts": ("/data=volume://shared",)}
    text = "docker run hello-world >/results/x\n"
    assert needs(text, body="ssh", **flags) == needs(text, **flags)


def test_a_block_volume_is_named_by_its_label() -> None:
    text = (
        "name: j\ncommand: 'true'\ninstance_type: 8xh100\n"
        "volumes:\n- name: data\n  size_gb: 10\n  mount_path: /data\n  interface: block\n"
    )
    (job,) = requests(text, path="t.yaml")["jobs"]
    assert job["machine"]["mounts"] == [{"source": "/dev/data", "target": "/data"}]


def test_folders_and_links_of_a_container() -> None:
    asked = {
        "mounts": [
            {"source": "/mnt/shared/sub", "target": "/data"},
            {"source": "/dev/data", "target": "/block"},
            {"source": "/mnt/shared", "target": "/deep/er"},
        ],
        "folders": ["data", "block", "deep", "results", "usr"],
    }
    folders, links = places_of(asked, (SHARED, DISK), ordinary=True)
    assert links == (("/data", "/mnt/shared/sub"), ("/block", "/run/disks/vol_data"))
    assert folders[-2:] == ("deep", "results")
    assert "workspace" in folders
    assert "data" not in folders
    assert "results" not in places_of(asked, (SHARED, DISK), ordinary=False)[0]
    # A task of an earlier release says nothing.
    assert places_of({}, (), ordinary=True)[1] == ()
