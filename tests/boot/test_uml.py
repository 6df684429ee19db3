"""Block volumes for real: emitted scripts on a machine with its own kernel and disks, over reboots and power cuts."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source

STATUS = "/var/lib/foundry/flowc/status.json"
LOG = "/var/log/foundry/job.log"
COLLECT = ("--uml", "--provider", "--memory", "512", "--collect", STATUS, "--collect", LOG)
# As far as the script looks for zeros, and more.
DISK_BYTES = 160 << 20

pytestmark = pytest.mark.uml


@pytest.fixture(autouse=True)
def _programs() -> None:
    if shutil.which("linux.uml") is None:
        pytest.skip("needs linux.uml (Debian package user-mode-linux)")


def emitted(text: str) -> str:
    """The startup script of a job, as it is sent."""
    result = driver.compile(Source("job.yaml", text), Inputs())
    assert not result.failed, result.diagnostics
    return {each.name: each.text for each in result.artifacts}["startup.sh"]


class Disks:
    """Disks as a machine of the provider has them: two of its own beside the one that it boots from, then volumes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, name: str, content: bytes = b"", *, at: int = 0) -> Path:
        path = self.folder / name
        with path.open("wb") as disk:
            disk.truncate(DISK_BYTES)
            disk.seek(at)
            disk.write(content)
        return path

    def options(self, *volumes: Path) -> list[str]:
        own = [self.folder / "own-1", self.folder / "own-2"]
        for path in own:
            if not path.exists():
                self.make(path.name)
        return [word for path in (*own, *volumes) for word in ("--disk", str(path))]

    def own_are_blank(self) -> bool:
        return all(digest(self.folder / name) == hashlib.sha256(bytes(DISK_BYTES)).digest() for name in BLANK)


BLANK = ("own-1", "own-2")


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


def digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def file_system(path: Path, label: str, **files: str) -> None:
    """An ext4 with these files, as another tool may have left it."""
    tree = path.with_suffix(".tree")
    tree.mkdir()
    for name, text in files.items():
        (tree / name).write_text(text)
    words = ["/usr/sbin/mkfs.ext4", "-qF", "-L", label, "-d", str(tree), str(path)]
    subprocess.run(words, check=True)


def statuses(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What the state file said at the end of each boot."""
    assert found["ok"], found["checks"]
    return [json.loads(each["collected"][STATUS]) for each in found["boots"]]


TWO_VOLUMES = """
name: keeps
instance_type: 8xh100
command: |
  echo "start on $(findmnt -no LABEL /data), $(findmnt -no LABEL /more)" >>/data/log
  cp /data/log /more/copy
  sync
  [ "$(wc -l </data/log)" = 2 ] || sleep 900
  echo end >>/data/log
  cat /data/log /more/copy
volumes:
  - {name: data, size_gb: 10, mount_path: /data}
  - {name: a-longer-name-than-a-label, size_gb: 20, mount_path: /more}
max_run_time_hours: 1
"""


@pytest.mark.parametrize("hard", [(), ("--hard",)], ids=["shutdown", "power-cut"])
def test_new_volumes_are_formatted_once_and_keep_their_data(boot: Any, disks: Disks, hard: tuple[str, ...]) -> None:
    volumes = [disks.make("first"), disks.make("second")]
    options = ("--exec", "ids=blkid -p -s UUID -o value /dev/vdd /dev/vde", "--collect", "/data/log")
    found = boot(
        emitted(TWO_VOLUMES), *COLLECT, *disks.options(*volumes), *options, "--reboots", "2", "--wait", "30", *hard
    )
    first, second, third = statuses(found)
    assert (first["state"], first["starts"], first["exit_code"]) == ("RUNNING", 1, None)
    assert (second["state"], second["starts"], second["exit_code"]) == ("COMPLETED", 2, 0)
    assert third == second
    line = "start on data, a-longe-4a5944a7\n"
    boots = [each["collected"] for each in found["boots"]]
    assert boots[0]["/data/log"] == line
    assert boots[1]["/data/log"] == line + line + "end\n"
    assert found["collected"][LOG] == line + line + "end\n" + line + line
    assert len(boots[0]["ids"].split()) == 2
    assert boots[0]["ids"] == boots[1]["ids"] == boots[2]["ids"]
    assert disks.own_are_blank()


FOUNDRY = """
name: one-disk
project_name: p
ssh_key_name: k
task_management: {{priority: low}}
resources_specification: {{fcp_instance: h100.8x.SXM5.IB, num_instances: 1}}
persistent_storage:
  {volume}
startup_script: |
  #!/bin/bash
  echo "$1" >>/mnt/it/log
version: 1.2
"""
CREATE = "create: {volume_name: results, storage_type: block, size: 1, mount_point: /mnt/it, region_id: us-central1-b}"
ATTACH = "attach: {volume_name: results, region_id: us-central1-b, mount_point: /mnt/it}"


def test_a_volume_is_found_again_on_another_machine(boot: Any, disks: Disks) -> None:
    """Created by one job, attached by another one, behind a blank disk that is somebody else's."""
    volume, other = disks.make("results"), disks.make("other")
    collect = (*COLLECT, "--collect", "/mnt/it/log")
    script = emitted(FOUNDRY.format(volume=CREATE).replace("$1", "one"))
    created = boot(script, *collect, *disks.options(volume))
    (status,) = statuses(created)
    assert (status["state"], created["collected"]["/mnt/it/log"]) == ("COMPLETED", "one\n")
    script = emitted(FOUNDRY.format(volume=ATTACH).replace("$1", "two"))
    attached = boot(script, *collect, *disks.options(other, volume))
    (status,) = statuses(attached)
    assert (status["state"], attached["collected"]["/mnt/it/log"]) == ("COMPLETED", "one\ntwo\n")
    assert not any(other.read_bytes())
    assert disks.own_are_blank()


BY_ID = """
name: by-id
instance_type: 8xh100
command: |
  cat /data/old
  echo start >>/data/log
  sync
  [ "$(wc -l </data/log)" = 2 ] || sleep 900
volumes: [{volume_id: vol_0123456789abcdefGHIJ, mount_path: /data}]
max_run_time_hours: 1
"""
# The kernel shows the disks at once, udev gives the link its name while the job waits.
LATE_LINK = """#!/bin/bash
(
    sleep 8
    echo 'KERNEL=="ubde", SYMLINK+="disk/by-id/virtio-vol_0123456789abcdef"' >/etc/udev/rules.d/70-test.rules
    udevadm control --reload
    udevadm trigger --settle /sys/class/block/ubde
    sync
) >/dev/null 2>&1 &
bash <<'FLOWC_TEST'
{script}
FLOWC_TEST
"""


def test_a_volume_with_an_id_is_found_by_it(boot: Any, disks: Disks) -> None:
    """What it has under another tool's label is kept; the disk before it in the order is not looked at."""
    other, volume = disks.make("other"), disks.make("volume")
    file_system(volume, "theirs", old="from before\n")
    script = LATE_LINK.format(script=emitted(BY_ID))
    options = ("--reboots", "1", "--wait", "40", "--hard", "--collect", "/data/log")
    found = boot(script, *COLLECT, *disks.options(other, volume), *options)
    states = [(each["state"], each["starts"]) for each in statuses(found)]
    assert states == [("RUNNING", 1), ("COMPLETED", 2)], found["collected"][LOG]
    assert found["collected"][LOG] == "from before\n" * 2
    assert found["collected"]["/data/log"] == "start\n" * 2
    assert not any(other.read_bytes())


ONE_VOLUME = """
name: stays
instance_type: 8xh100
command: echo ran
volumes: [{name: data, size_gb: 10, mount_path: /data}]
max_run_time_hours: 1
"""
PARTITION = bytes([0x80, 0, 2, 0, 0x83, 0, 3, 0]) + (2048).to_bytes(4, "little") + (4096).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("content", "at"),
    [(PARTITION + bytes(48) + b"\x55\xaa", 446), (b"somebody's data", 600_000)],
    ids=["partition-table", "raw-data"],
)
def test_a_disk_with_something_on_it_is_never_touched(boot: Any, disks: Disks, content: bytes, at: int) -> None:
    volume = disks.make("foreign", content, at=at)
    before = digest(volume)
    found = boot(emitted(ONE_VOLUME), *COLLECT, *disks.options(volume))
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"], status["starts"]) == ("FAILED", 1, 1)
    said = found["collected"][LOG].splitlines()
    assert "flowc: volume data: cannot mount /dev/ubdd" in said
    assert "ran" not in said
    assert digest(volume) == before


def test_a_disk_that_does_not_come_fails_the_job(boot: Any, disks: Disks) -> None:
    found = boot(emitted(ONE_VOLUME), *COLLECT, *disks.options(), "--wait", "150")
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"], status["signal"]) == ("FAILED", 1, 0)
    assert found["collected"][LOG] == "flowc: 0 of 1 block volumes after 60 seconds\n"
    assert disks.own_are_blank()


LIMITED = """
name: limited
instance_type: 8xh100
command: |
  trap 'echo told >>/data/log; sync; exit 5' TERM
  echo start >>/data/log
  sync
  while :; do sleep 1; done
volumes: [{name: data, size_gb: 10, mount_path: /data}]
max_run_time_hours: 0.02
"""


def test_the_time_limit_holds_over_a_power_cut(boot: Any, disks: Disks) -> None:
    """72 seconds, of which no boot has enough."""
    options = ("--reboots", "1", "--wait", "50", "--hard", "--collect", "/data/log")
    found = boot(emitted(LIMITED), *COLLECT, *disks.options(disks.make("data")), *options)
    first, last = statuses(found)
    assert first["state"] == "RUNNING"
    assert 20 <= first["used_s"] < 72
    assert (last["state"], last["starts"], last["exit_code"], last["signal"]) == ("TIMEOUT", 2, 5, 0)
    assert first["used_s"] < 72 <= last["used_s"]
    assert last["start"] == first["start"] < last["end"]
    assert found["collected"]["/data/log"] == "start\nstart\ntold\n"
