"""A machine on this computer: its boot, its disk, its ends, and what it is kept apart from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flowc.machines.disk import outside, remove
from flowc.machines.gpus import count_of, nvidia_smi
from flowc.machines.init import BOOTED
from flowc.machines.spec import File, Node, Share, Spec, decoded, encoded, hosts
from tests.machines.conftest import Start
from tests.machines.fleet import Running
from tests.machines.ordinary import left_of, until

UNIT = """#!/bin/bash
cat >/etc/systemd/system/flowc.service <<'E'
[Service]
ExecStart=/bin/bash /job
{more}
E
cat >/job <<'E'
{job}
E
systemctl enable --now --no-block flowc || exit
echo installed >>/installed
"""
WAITING = "while :; do sleep .1; done"


def unit(job: str, more: str = "") -> str:
    return UNIT.format(job=job, more=more)


def until_it_says(machine: Running, path: str, text: str) -> None:
    until(lambda: text in (machine.text(path) or ""), f"{text!r} in {path}")


def test_the_script_runs_once_and_its_unit_at_each_boot(start: Start) -> None:
    job = "echo boot >>/log; sleep infinity"
    machine = start(unit(job))
    until_it_says(machine, "/log", "boot\n")
    until(lambda: machine.text(BOOTED) is not None, "the end of the script")
    machine.cut()
    machine = start(unit(job))
    until_it_says(machine, "/log", "boot\nboot\n")
    assert machine.text("/installed") == "installed\n"


def test_a_script_that_was_cut_short_runs_again(start: Start) -> None:
    machine = start(
        "#!/bin/sh\n[ ! -e /second ] || second=1\ntouch /second; echo begin >>/log\n"
        '[ "$second" ] || sleep 999\necho end >>/log; echo yes >/ended\n'
    )
    until_it_says(machine, "/log", "begin\n")
    machine.cut()
    machine = start()
    until_it_says(machine, "/ended", "yes")
    until(lambda: machine.text(BOOTED) is not None, "what notes the end of the script")
    machine.cut()
    machine = start(unit("true"))
    machine.order("stop")
    machine.wait()
    assert machine.text("/log") == "begin\nbegin\nend\n"


def test_a_shutdown_gives_time_and_a_power_cut_none(start: Start, folder: str) -> None:
    machine = start(unit(f"trap 'echo told >>/log; exit' TERM; echo up >>/log; {WAITING}"))
    until_it_says(machine, "/log", "up")
    machine.order("stop")
    machine.wait()
    assert machine.text("/log") == "up\ntold\n"
    machine = start()
    until_it_says(machine, "/log", "up\ntold\nup\n")
    machine.cut()
    assert machine.text("/log") == "up\ntold\nup\n"
    assert left_of(folder) == []


@pytest.mark.parametrize(("more", "told"), [("KillMode=mixed", False), ("", True)])
def test_a_stop_tells_the_main_process_or_all(start: Start, more: str, told: bool) -> None:
    other = f"setsid bash -c 'trap \"echo other >>/log; exit\" TERM; echo up >>/log; {WAITING}' &"
    machine = start(unit(f"{other}\ntrap 'sleep .5; echo main >>/log; exit' TERM; {WAITING}", more))
    until_it_says(machine, "/log", "up")
    machine.order("stop")
    machine.wait()
    assert ("other" in (machine.text("/log") or "")) == told
    assert "main" in (machine.text("/log") or "")


def test_a_stop_kills_what_does_not_listen(start: Start, folder: str) -> None:
    machine = start(unit(f"trap '' TERM; echo up >/log; {WAITING}", "TimeoutStopSec=1"))
    until_it_says(machine, "/log", "up")
    machine.order("stop")
    machine.wait()
    assert machine.told("off")
    assert left_of(folder) == []


def test_the_end_of_the_main_process_ends_what_it_left(start: Start) -> None:
    machine = start(unit("setsid sleep infinity & setsid sleep infinity & exit 5"))
    until(lambda: machine.told("ended"), "the end of the unit")
    assert [event["status"] for event in machine.events if event["is"] == "ended"] == [5]
    assert machine.on
    machine.order("stop")
    machine.wait()


def test_a_notice_comes_and_goes(start: Start) -> None:
    seen = "until [ -e /opt/mithril/MITHRIL_SIGNAL.yml ]; do sleep .05; done; echo seen >>/log"
    gone = "while [ -e /opt/mithril/MITHRIL_SIGNAL.yml ]; do sleep .05; done; echo gone >>/log"
    machine = start(unit(f"{seen}; {gone}"))
    machine.order("notice", text="status: STATUS_PREEMPTING\n")
    until_it_says(machine, "/log", "seen")
    machine.order("spare")
    until_it_says(machine, "/log", "gone")


def test_what_is_put_there_is_in_memory_and_gone_after_a_boot(start: Start, folder: str) -> None:
    job = "until [ -e /run/flowc/secrets ]; do sleep .05; done; stat -c %a /run/flowc/secrets >>/log; sleep infinity"
    machine = start(unit(job))
    machine.put("/run/flowc/secrets", "KEY='value'\n")
    until_it_says(machine, "/log", "600\n")
    assert not [path for path in Path(folder).rglob("*") if path.is_file() and "KEY='value'" in path.read_text()]
    machine.cut()
    machine = start(files=(File(path="/run/flowc/secrets", mode=0o640, text="x"),))
    until_it_says(machine, "/log", "600\n640\n")


def test_a_machine_sees_neither_processes_nor_files_of_the_user(start: Start, folder: str) -> None:
    job = f"ls /proc | grep -c '^[0-9]' >/log; ls /home /root /tmp >>/log; ls {folder} >>/log 2>&1; echo end >>/log"
    machine = start(unit(job))
    until_it_says(machine, "/log", "end\n")
    first, *rest = (machine.text("/log") or "").splitlines()
    assert int(first) < 15
    gone = f"ls: cannot access '{folder}': No such file or directory"
    assert rest == ["/home:", "", "/root:", "", "/tmp:", gone, "end"]


def test_a_machine_has_no_disks_of_this_computer(start: Start) -> None:
    machine = start(unit("find /dev -type b >/log; echo end >>/log"))
    until_it_says(machine, "/log", "end\n")
    assert machine.text("/log") == "end\n"


def test_commands_run_there_as_over_ssh(start: Start) -> None:
    machine = start()
    assert machine.run(["sh", "-c", "cat >/file; hostname; id -u; exit 3"], "text\n") == (3, "vm\n0\n")
    assert machine.text("/file") == "text\n"
    long = "x" * 1_000_000
    assert machine.run(["cat"], long) == (0, long)
    assert machine.run(["none"])[0] == 127


def test_a_machine_can_shut_itself_down(start: Start) -> None:
    machine = start(unit("shutdown -P +1; sleep infinity"))
    machine.wait()
    assert machine.told("off")


def test_machines_of_a_task_reach_each_other_by_name(start: Start) -> None:
    nodes = (Node(name="vm", address="127.77.77.1"), Node(name="other", address="127.77.77.2"))
    listen = "import socket\ns = socket.create_server(('other', 7777))\nwhile True: s.accept()[0].sendall(b'hi')"
    ask = (
        "import socket, time\nfor _ in range(999):\n try: print(socket.create_connection(('other', 7777)).recv(9))"
        "\n except OSError: time.sleep(.1)\n else: break"
    )
    start(unit(f'python3 -c "{listen}"'), nodes=nodes)
    second = start(unit(f'python3 -c "{ask}" >/log 2>&1'), disk="second", nodes=nodes)
    until_it_says(second, "/log", "b'hi'")


def test_places_are_found_from_outside(tmp_path: Path) -> None:
    disk = str(tmp_path / "disk")
    share = Share(source=str(tmp_path / "volume"), place="/mnt/data")
    for name in ("disk/upper/var/log", "disk/root/workspace", "volume"):
        (tmp_path / name).mkdir(parents=True)
    os.symlink("/workspace/out", f"{disk}/upper/var/log/job.log")
    os.symlink("../../mnt/data/out", f"{disk}/upper/var/log/other.log")
    os.symlink("/loop", f"{disk}/root/loop")
    assert outside(disk, "/var/log/job.log", [share]) == f"{disk}/root/workspace/out"
    assert outside(disk, "/var/log/other.log", [share]) == f"{tmp_path}/volume/out"
    assert outside(disk, "/../..//workspace/./x/../y", [share]) == f"{disk}/root/workspace/y"
    assert outside(disk, "/mnt/database", [share]) == f"{disk}/root/mnt/database"
    assert outside(disk, "/loop", [share]).startswith(disk)


def test_nodes_are_listed_as_startup_scripts_look_for_them() -> None:
    nodes = (Node(name="n0", address="127.9.8.1"), Node(name="n1", address="127.9.8.2"))
    listed = hosts(Spec(disk="/d", name="n0", nodes=nodes))
    awk = "$1 ~ /^[0-9.]+$/ && $1 !~ /^127/ { print $2 }"
    found = subprocess.run(["awk", awk], input=listed, capture_output=True, text=True, check=True).stdout
    assert found.split() == ["n1", "n0"]


def test_a_spec_survives_its_way_as_json() -> None:
    spec = Spec(
        disk="/d",
        name="n",
        nodes=(Node(name="n", address="127.9.8.1"),),
        shares=(Share(source="/a", place="/b"),),
        files=(File(path="/f", mode=0o600, text="\udcff"),),
    )
    assert decoded(encoded(spec)) == spec
    assert "udcff" not in repr(spec)


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        ("-L", "GPU 0: NVIDIA B200 (UUID: GPU-00000001-f10c-0000-8000-000000000001)\n", 0),
        ("--query-gpu=index,utilization.gpu --format=csv", "index, utilization.gpu [%]\n0, 0 %\n", 0),
        ("--query-gpu=power.limit --format=csv,noheader", "1000.00 W\n", 0),
        ("--query-gpu=driver_version,count --format=csv,noheader,nounits -i 0", "550.54.15, 1\n", 0),
        ("--query-gpu=x --format=csv", 'Field "x" is not a valid field to query.\n', 2),
        ("-L -i 7", "No devices were found\n", 6),
        ("--query-compute-apps=pid,used_memory --format=csv,noheader", "", 0),
    ],
)
def test_the_mock_of_nvidia_smi(words: str, said: str, status: int) -> None:
    text = nvidia_smi("b200.sxm.1x", 1)
    done = subprocess.run(["bash", "-s", "--", *words.split()], input=text, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (said, "", status)


@pytest.mark.parametrize(("name", "count"), [("h100-80gb.sxm.8x", 8), ("a100-80gb.sxm.1x", 1), ("it_x", 0), ("", 0)])
def test_a_types_name_says_how_many_gpus(name: str, count: int) -> None:
    assert count_of(name) == count


def test_a_disk_is_removed_while_something_else_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk/upper/etc").mkdir(parents=True)
    (tmp_path / "disk/skeleton").mkdir()
    chmod = os.chmod

    def slowly(path: str, mode: int) -> None:
        if os.path.isdir(tmp_path / "disk/skeleton"):
            os.rmdir(tmp_path / "disk/skeleton")
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", slowly)
    remove(str(tmp_path / "disk"))
    assert not (tmp_path / "disk").exists()
