"""What is on a disk decides whether it is formatted: with the real blkid, cmp and mkfs on disks that are files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import Machine
from test_prepared import DATA, task

from tests.some import some

# As far as the script looks for zeros, and more.
SIZE = 160 << 20
DEVICE = "dev/disk/by-id/virtio-vol_1"


def with_disk(folder: Path, program: Callable[[str, str], str]) -> tuple[Machine, Path]:
    for name, package in (("blkid", "util-linux"), ("wipefs", "util-linux"), ("mkfs.ext4", "e2fsprogs")):
        program(name, package)
    program("sfdisk", "fdisk")
    machine = Machine(folder, without=("blkid", "wipefs", "mkfs.ext4", "cmp"))
    path = folder / DEVICE
    with path.open("wb") as disk:
        disk.truncate(SIZE)
    return machine, path


def test_a_blank_disk_gets_a_file_system_with_the_volumes_name(
    tmp_path: Path, program: Callable[[str, str], str]
) -> None:
    machine, path = with_disk(tmp_path, program)
    assert machine.run(task(volumes=(DATA,))) == 0
    found = subprocess.run(["/usr/sbin/blkid", "-p", path], capture_output=True, text=True, check=True).stdout
    assert 'LABEL="data"' in found
    assert 'TYPE="ext4"' in found
    before = path.read_bytes()
    (tmp_path / "status.json").write_text("")
    assert machine.run() == 0
    assert path.read_bytes() == before, "a second start leaves it alone"


def mbr(path: Path) -> None:
    with path.open("r+b") as disk:
        disk.seek(446)
        disk.write(bytes([0x80, 0, 2, 0, 0x83, 0, 3, 0]) + (2048).to_bytes(4, "little") + (4096).to_bytes(4, "little"))
        disk.seek(510)
        disk.write(b"\x55\xaa")


def luks(path: Path) -> None:
    with path.open("r+b") as disk:
        disk.write(b"LUKS\xba\xbe\0\x01")


def raw(path: Path) -> None:
    with path.open("r+b") as disk:
        disk.seek(500_000)
        disk.write(b"somebody's data")


def raw_far_inside(path: Path) -> None:
    with path.open("r+b") as disk:
        disk.seek(64 << 20)
        disk.write(b"somebody's data")


def begins_with_zeros(path: Path) -> None:
    with path.open("r+b") as disk:
        disk.write(bytes(2 << 20))


def partitions_known_at_the_end(path: Path) -> None:
    subprocess.run(["/usr/sbin/sfdisk", "-q", path], input=b"label: gpt\nstart=262144\n", check=True)
    begins_with_zeros(path)


def file_system_without_a_beginning(path: Path) -> None:
    subprocess.run(["/usr/sbin/mkfs.ext4", "-qF", path], check=True)
    begins_with_zeros(path)
    with path.open("r+b") as disk:
        disk.write(bytes(128 << 20))


def raid_member(path: Path) -> None:
    """Version 0.90 of the kernel's RAID: its mark is in the last 64 KiB."""
    with path.open("r+b") as disk:
        disk.seek(SIZE - 65536)
        disk.write(0xA92B4EFC.to_bytes(4, "little") + bytes(4) + (90).to_bytes(4, "little"))


def two_signatures(path: Path) -> None:
    subprocess.run(["/usr/sbin/mkfs.ext4", "-qF", path], check=True)
    with path.open("r+b") as disk:
        disk.seek(SIZE - 65536 // 2)
        disk.write(b"x")
        disk.seek(4086)
        disk.write(b"SWAPSPACE2")


FILLED = (
    *(mbr, luks, raw, raw_far_inside, two_signatures, partitions_known_at_the_end, file_system_without_a_beginning),
    raid_member,
)


@pytest.mark.parametrize("fill", some(FILLED, mbr, luks, raw_far_inside, raid_member))
def test_anything_else_is_left_as_it_is(
    tmp_path: Path, program: Callable[[str, str], str], fill: Callable[[Path], None]
) -> None:
    machine, path = with_disk(tmp_path, program)
    machine.program("mount", "exit 32")
    fill(path)
    before = path.read_bytes()
    assert machine.run(task(volumes=(DATA,))) == 1
    assert path.read_bytes() == before
    assert "flowc: volume data: cannot mount" in machine.output
