"""The protocol of machines is enough to run jobs: here each is a folder and a shell, without any isolation."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.mithril.__main__ import obey
from tests.mithril.machines import Handle, Notice
from tests.mithril.parts import world
from tests.mithril.parts.model import Bid, Instance
from tests.mithril.server import Server
from tests.mithril.state import State
from tests.mithril.wire import Api, bid

JOB = """#!/bin/bash
echo "$RANK of $HOSTS boots" >>log
"""


@dataclass
class Shell:
    ssh_destination: str
    process: subprocess.Popen[bytes]


class Shells:
    """A disk is a folder; a boot runs its `startup_script`, and each later one writes a line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[tuple[Notice, datetime]] = []

    def start(self, bid: Bid, instance: Instance, startup_script: str | None) -> Handle:
        disk = self.folder / instance.disk
        if startup_script is not None:
            disk.mkdir()
            (disk / "script").write_text(startup_script)
        command = ["bash", "script"] if startup_script is not None else ["bash", "-c", "echo boots again >>log"]
        hosts = ",".join(each.name for each in bid.instances)
        process = subprocess.Popen(command, cwd=disk, env={"RANK": str(instance.rank), "HOSTS": hosts})
        return Shell("127.0.0.1:2222", process)

    def preempt(self, handle: Handle, reason: Notice, until: datetime) -> None:
        self.notices.append((reason, until))

    def spare(self, handle: Handle) -> None:
        raise AssertionError("no notice is taken back here")

    def stop(self, handle: Handle) -> None:
        assert isinstance(handle, Shell)
        handle.process.wait()

    def forget(self, disk: str) -> None:
        (self.folder / disk / "gone").touch()


def test_a_job_of_two_nodes_with_a_preemption_on_the_way(tmp_path: Path) -> None:
    with Server(State(Shells(tmp_path))) as server:
        api, state = Api(server), server.state
        made = api("POST", "/v2/spot/bids", bid(server, startup_script=JOB, instance_quantity=2)).json
        state.settle()
        placed = state.bids[made["fid"]]
        state.preempt(placed)
        state.clock.advance(minutes=5)
        state.settle()
        rows = api.get("/v2/instances", project=world.PROJECT, status_in="STATUS_RUNNING")["data"]
        assert {each["ssh_destination"] for each in rows} == {"127.0.0.1:2222"}
        api("DELETE", f"/v2/spot/bids/{made['fid']}")
        logs = {rank: (tmp_path / disk / "log").read_text() for rank, disk in placed.disks.items()}
        assert logs == {rank: f"{rank} of train-0,train-1 boots\nboots again\n" for rank in (0, 1)}
        assert all((tmp_path / disk / "gone").exists() for disk in placed.disks.values())
        assert isinstance(state.machines, Shells)
        assert [reason for reason, _ in state.machines.notices] == ["STATUS_PREEMPTING"] * 2


class Slow(State):
    """Takes its time between looking whether a name is free and taking it."""

    def fid(self, prefix: str) -> str:
        threading.Event().wait(0.01 if prefix == "vol" else 0)
        return super().fid(prefix)


def test_many_at_once_are_one_after_the_other() -> None:
    together = threading.Barrier(8)
    body = {"project": world.PROJECT, "disk_interface": "File", "region": "us-central2-a", "size_gb": 1}

    def create(number: int) -> int:
        together.wait()
        return Api(server)("POST", "/v2/volumes", {"name": f"v{number % 2}", **body}).status

    with Server(Slow()) as server, ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == [201, 201, 400, 400, 400, 400, 400, 400]


def test_a_clock_that_goes_by_itself() -> None:
    with Server(speed=100_000) as server:
        made = Api(server)("POST", "/v2/spot/bids", bid(server)).json
        pause = threading.Event()
        while Api(server).get(f"/v2/spot/bids/{made['fid']}")["status"] != "Allocated":
            pause.wait(0.01)
        assert server.state.bids[made["fid"]].instances


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("advance 2", "2026-01-01T00:02:00+00:00"),
        ("preempt train", "no: "),
        ("bids", "none"),
        ("hello", "advance MINUTES | preempt BID | relocate BID | bids"),
    ],
)
def test_lines_of_the_one_who_serves_by_hand(line: str, says: str) -> None:
    assert obey(State(), line.split()).startswith(says)
