"""A machine of the job on which somebody knows the job's script, and not its key."""

from __future__ import annotations

from tests.several.conftest import Rent

KEY = "k" * 64
JOB = """#!/bin/bash
#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10 --output=o
srun hostname | sort
until [ -e /run/go ]; do sleep 0.1; done
srun hostname | sort
"""
# What `dial` does, from an address of the job, with a key of its own: the bytes that the agent answers.
STRANGER = """
import hmac, os, socket, sys
peer = socket.create_connection((sys.argv[1], 6818), 30, (sys.argv[2], 0))
def proof(text):
    script = open("/var/lib/foundry/flowc/run", "rb").read().strip()
    return b"".join(hmac.digest(secret, text, "sha256") for secret in (script, sys.argv[3].encode()))
question = os.urandom(32)
peer.send(question + proof(b"s" + peer.recv(32)))
print(len(peer.recv(64)))
"""


def test_who_has_the_script_and_no_key_is_answered_on_no_machine(rent: Rent) -> None:
    rented = rent("job.sbatch", JOB)
    for name in rented.names:
        rented.put(name, "var/lib/foundry/flowc/key", KEY + "\n")
    rented.start()
    rented.wait_for("n1", "workspace/o", "n2")
    lines = [line.split() for line in rented.read("n1", "etc/hosts").splitlines()]
    at = {name: address for address, name in lines}

    def answered(here: str, there: str, key: str) -> str:
        return rented[here].call(["python3", "-c", STRANGER, at[there], at[here], key]).stdout

    for here, there in (("n1", "n2"), ("n2", "n1")):
        found = [answered(here, there, key) for key in ("", "w" * 64, KEY[:-1], KEY)]
        assert found == ["0\n", "0\n", "0\n", "64\n"]
    rented.put("n1", "run/go", "")
    assert rented.wait() == ("COMPLETED", 0)
    assert rented.read("n1", "workspace/o") == "n1\nn2\n" * 2
