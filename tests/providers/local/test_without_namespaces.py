"""The local provider where the kernel refuses namespaces: the same jobs, kept apart by their paths alone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from flowc.machines.group import moved, unpacked
from tests.machines.ordinary import until
from tests.providers.local.conftest import Here, requests
from tests.providers.local.test_local import script


def test_a_job_runs_to_its_end_and_is_told_what_it_shares(without_namespaces: Here) -> None:
    here = without_namespaces
    task = here.submit(script("echo hello; hostname; nvidia-smi -L | wc -l; touch ~/x /workspace/y; exit 3"))
    ended = here.end(task)
    assert (ended["state"], ended["exit_status"]) == ("failed", 3)
    assert here.output(task) == "hello\njob\n8\n"
    assert Path(here.call("path", task, "/workspace/y")).exists()
    assert any("no namespaces" in each for each in here.call("get", task)["shared"])
    here.is_gone()


def test_steps_run_on_two_nodes(without_namespaces: Here) -> None:
    here = without_namespaces
    task = here.submit(script("srun hostname", "--nodes=2"))
    assert here.end(task)["state"] == "completed"
    assert sorted(here.output(task).split()) == ["job-0", "job-1"]


def test_a_preempted_job_starts_again(without_namespaces: Here) -> None:
    here = without_namespaces
    task = here.submit(
        script("[ ! -e mark ] || again=1; touch mark; echo start; [ $again ] || sleep infinity; echo end", "--requeue")
    )
    here.until_it_says(task, "start\n")
    here.call("preempt", task, notice_s=0)
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nstart\nend\n"


def test_a_cancelled_job_leaves_nothing(without_namespaces: Here) -> None:
    here = without_namespaces
    task = here.submit(script("setsid sleep infinity & setsid sh -c 'setsid sleep infinity & exit'; echo start; wait"))
    here.until_it_says(task, "start")
    here.call("end", "bid", task)
    assert here.left() == []
    assert here.call("get", task)["state"] == "cancelled"


def test_secrets_and_volumes_are_there(without_namespaces: Here) -> None:
    here = without_namespaces
    here.secrets = {"TOKEN": "it's"}
    for _ in range(2):
        task = here.submit(
            script('echo "$TOKEN" >>/data/log; cat /data/log'), secrets=("TOKEN",), mounts=("/data=volume://v",)
        )
        here.end(task)
    assert here.output(task) == "it's\nit's\n"


def test_the_death_of_the_supervisor_ends_the_machine(without_namespaces: Here) -> None:
    here = without_namespaces
    task = here.submit(script("setsid sleep infinity & echo start; wait"))
    here.until_it_says(task, "start")
    # What stands in the lock is the supervisor's id in its own eyes: no PID namespace is there.
    os.kill(int(Path(here.folder, "tasks", task, "lock").read_text()), signal.SIGKILL)
    until(lambda: not here.left(), "the end of all processes")


def test_texts_that_are_counted_stay_whole() -> None:
    text = script("cat <<E\n/workspace/é /workspaces /a/root ${x}/root '/root' /root\nE")
    sent = requests(text)["requests"][0]["body"]["launch_specification"]["startup_script"]
    plain = unpacked(sent)
    assert plain is not None
    found = moved(sent, "/b/root", "n")
    body = "/b/root/workspace/é /workspaces /a/root ${x}/root '/b/root/root' /b/root/root\nE"
    assert body in found
    counted = found.split("head -c ")[1]
    size, _, rest = counted.partition(" ")
    whole = rest.split("\n", 1)[1].encode()[: int(size)].decode()
    assert whole == text.replace("/workspace/é /workspaces /a/root ${x}/root '/root' /root\nE", body).replace(
        "--output=/workspace", "--output=/b/root/workspace"
    )
