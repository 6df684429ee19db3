"""Bids of the test server that run on local machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import flowc
from tests.machines.fleet import LocalMachines
from tests.machines.ordinary import as_ordinary_user, folder_of_the_user, left_of, python, until
from tests.mithril.server import Server
from tests.mithril.state import State
from tests.mithril.wire import Api, bid

LOG = "/var/log/foundry/job.log"
STATUS = "/var/lib/foundry/flowc/status.json"
JOB = """#!/bin/bash
#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=60 --output=/workspace/out
echo start $SLURM_RESTART_COUNT
[ "$SLURM_RESTART_COUNT" ] || sleep infinity
srun hostname | sort
"""


@pytest.fixture
def machines() -> Iterator[LocalMachines]:
    program = python()
    for folder in folder_of_the_user():
        found = LocalMachines(folder, python=program, options=as_ordinary_user())
        yield found
        found.close()
        assert left_of(folder) == []


def script(text: str) -> str:
    result = flowc.compile(text)
    return next(each.text for each in result.artifacts if each.name == "startup.sh")


def test_a_bid_on_two_machines_with_a_preemption_on_the_way(machines: LocalMachines) -> None:
    with Server(State(machines)) as server:
        api, state = Api(server), server.state
        made = api("POST", "/v2/spot/bids", bid(server, startup_script=script(JOB), instance_quantity=2)).json
        state.settle()
        placed = state.bids[made["fid"]]
        head = machines.running[placed.disks[0]]
        until(lambda: "start" in (head.text(LOG) or ""), "the job's first start")
        state.preempt(placed)
        state.clock.advance(minutes=5)
        state.settle()
        head = machines.running[placed.disks[0]]
        until(lambda: '"state":"COMPLETED"' in (head.text(STATUS) or ""), "the job's end")
        assert head.text(LOG) == "start\nstart 1\ntrain-0\ntrain-1\n"
        api("DELETE", f"/v2/spot/bids/{made['fid']}")
        assert machines.running == {}


def test_machines_reach_disks_only_when_these_are_free(machines: LocalMachines) -> None:
    job = "#!/bin/bash\n#SBATCH --gpus-per-node=8 --output=/workspace/out\necho start\ntrap '' TERM\nsleep infinity\n"
    with Server(State(machines)) as server:
        api, state = Api(server), server.state
        made = api("POST", "/v2/spot/bids", bid(server, startup_script=script(job))).json
        state.settle()
        placed = state.bids[made["fid"]]
        before = machines.running[placed.disks[0]]
        until(lambda: "start" in (before.text(LOG) or ""), "the job's start")
        state.relocate(placed)
        state.clock.advance(minutes=5)
        state.settle()
        assert not before.on
        after = machines.running[placed.disks[0]]
        assert after is not before
        until(lambda: after.told("started"), "the second start")
