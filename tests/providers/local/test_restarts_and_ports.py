"""Local tasks after a start of this computer, and their ports."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from shlex import quote as quoted

from tests.machines.ordinary import until
from tests.providers.local.conftest import Here
from tests.providers.local.test_local import script


def cut_the_power(here: Here, task: str) -> None:
    """Whoever keeps a task is gone with its machines, and this computer was started anew."""
    folder = Path(here.folder, "tasks", task)
    os.kill(int((folder / "lock").read_text()), signal.SIGKILL)
    here.is_gone()
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**state, "boot": "the one before"}))


STARTS_TWICE = "[ ! -e mark ] || again=1; touch mark; echo start; [ $again ] || sleep infinity; echo $TOKEN end"


def test_a_task_goes_on_after_a_start_of_this_computer(here: Here) -> None:
    task = here.submit(script(f"cd /workspace; srun hostname; {STARTS_TWICE}", "--nodes=2", "--requeue"))
    here.until_it_says(task, "start\n")
    cut_the_power(here, task)
    (now,) = here.call("list_tasks", limit=9)
    assert (now["state"], now["reason"]) in [
        ("pending", "this computer was started anew"),
        ("provisioning", "started again: this computer was started anew"),
    ]
    ended = here.end(task)
    assert (ended["state"], ended["exit_status"]) == ("completed", 0)
    said = here.output(task)
    assert said.count("start\n") == 2
    assert said.count("job-1\n") == 2
    here.is_gone()


def test_a_task_goes_on_after_a_shutdown_in_order(here: Here) -> None:
    """Everything is told to end then, and systemd says that it stops."""
    systemctl = Path(here.folder, "systemctl")
    systemctl.write_text("#!/bin/sh\n[ $1 = is-system-running ] && echo stopping; exit 1\n")
    systemctl.chmod(0o755)
    here.environment = {"PATH": f"{here.folder}:{os.environ['PATH']}"}
    task = here.submit(script(f"trap 'echo told; exit 1' TERM; cd /workspace; {STARTS_TWICE}", "--requeue"))
    here.until_it_says(task, "start\n")
    here.environment = {}
    os.kill(int(Path(here.folder, "tasks", task, "lock").read_text()), signal.SIGTERM)
    here.is_gone()
    assert json.loads(Path(here.folder, "tasks", task, "state.json").read_text())["state"] == "pending"
    ended = here.end(task)
    assert (ended["state"], here.output(task)) == ("completed", "start\nTerminated\ntold\nstart\nend\n"), ended


def test_a_task_that_must_not_start_twice_does_not_go_on(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity", "--no-requeue"))
    here.until_it_says(task, "start")
    cut_the_power(here, task)
    ended = here.end(task)
    assert (ended["state"], "must not be started twice" in ended["reason"]) == ("failed", True)
    assert here.output(task) == "start\n"


def test_a_task_waits_for_secrets_after_a_start_of_this_computer(here: Here) -> None:
    here.secrets = {"TOKEN": "it's"}
    task = here.submit(script(f"cd /workspace; {STARTS_TWICE}", "--requeue"), secrets=("TOKEN",))
    here.until_it_says(task, "start\n")
    cut_the_power(here, task)
    here.secrets, here.environment = {}, {"LACKS": "TOKEN"}
    for _ in range(2):
        now = here.call("get", task)
        assert (now["state"], "looks who has TOKEN" in now["reason"]) == ("pending", True)
    assert here.call("remove", task)["error"] == "ConflictError"
    here.secrets, here.environment = {"TOKEN": "it's"}, {}
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nstart\nit's end\n"


def test_a_task_that_waits_after_a_start_of_this_computer_can_be_cancelled(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity"))
    here.until_it_says(task, "start")
    cut_the_power(here, task)
    here.call("end", "bid", task)
    assert here.call("get", task)["state"] == "cancelled"
    assert here.left() == []


def test_a_port_leads_to_another_one_inside(here: Here) -> None:
    outer, inner = free_ports(2)
    task = here.submit(script(serving(inner)), ports=(f"{outer}:{inner}",))
    here.until_it_says(task, "up")
    for word in (b"one", b"two"):
        until(lambda word=word: asked(outer, word) == word.upper(), "an answer through the port")
    assert here.end(task)["state"] == "completed"
    here.is_gone()
    assert asked(outer, b"three") is None


def serving(port: int) -> str:
    """A command that answers two words at a port of its own, in capitals."""
    body = (
        f"import socket\ns = socket.create_server(('127.0.0.1', {port}))\nprint('up', flush=True)\n"
        "for _ in range(2):\n    c, _ = s.accept()\n    c.sendall(c.recv(9).upper())\n    c.close()\n"
    )
    return f"python3 -c {quoted(body)}"


def free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return found


def asked(port: int, word: bytes) -> bytes | None:
    """What is answered at a port of this computer, None where nobody is there."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(word)
            return connection.recv(9) or None
    except OSError:
        return None
