"""Jobs on this computer, from the file to the exit status."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from flowc.tasks.inside import Inside
from tests.machines.ordinary import as_ordinary_user, folder_of_the_user, left_of, python, until
from tests.tasks.conftest import ROOT, Person


def test_follow_shows_the_output_and_exits_as_the_job_does(here: Person) -> None:
    done = here.types("submit", here.job("echo out; echo err >&2; exit 7\n"), "--provider", "local", "--follow")
    assert (done.returncode, done.stdout) == (7, "out\nerr\n")
    assert "nothing is paid" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(": failed, exit status 7")


def test_task_is_listed_waited_for_and_known_when_it_is_over(here: Person) -> None:
    job = here.job("until [ -e /workspace/go ]; do sleep 0.05; done\n")
    submitted = here.types("submit", job, "--provider", "local")
    assert submitted.returncode == 0
    (name,) = submitted.stdout.split()
    assert name in here.types("list").stdout
    waits = here.types("wait", name, "--timeout", "1")
    assert (waits.returncode, waits.stdout) == (125, "")
    assert "the tasks go on" in waits.stderr
    assert here.types("cancel", name).returncode == 0
    assert here.types("wait", name).returncode == 130
    assert here.types("list", "--provider", "local").stdout == ""
    (task,) = json.loads(here.types("list", "--all", "--format", "json").stdout)["tasks"]
    assert (task["name"], task["state"]) == (name, "cancelled")
    assert f"{name}: cancelled" in here.types("status", name[:-3]).stdout


def test_the_same_job_is_not_submitted_twice_by_mistake(here: Person) -> None:
    words = ("submit", here.job("sleep 60\n"), "--provider", "local")
    (name,) = here.types(*words).stdout.split()
    again = here.types(*words)
    assert (again.returncode, again.stdout) == (2, "")
    assert "lives" in again.stderr
    assert "--force-new" in again.stderr
    (other,) = here.types(*words, "--force-new").stdout.split()
    here.types("cancel", name, other)
    assert here.types(*words).returncode == 0
    assert len(json.loads(here.types("list", "--format", "json").stdout)["tasks"]) == 1
    here.types("cancel", *here.types(*words, "--force-new").stdout.split(), "job-sbatch")


def test_idempotency_key_holds_for_ever(here: Person) -> None:
    words = ("submit", here.job("true\n"), "--provider", "local", "--idempotency-key", "K", "--wait")
    first = here.types(*words)
    again = here.types(*words)
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout == again.stdout
    other = here.types("submit", here.job("false\n", "other.sbatch"), *words[2:])
    assert (other.returncode, other.stdout) == (125, "")
    assert "another job was submitted with this key" in other.stderr


def test_what_lives_with_an_idempotency_key_is_not_submitted_without_it(here: Person) -> None:
    words = ("submit", here.job("sleep 100\n"), "--provider", "local")
    (name,) = here.types(*words, "--idempotency-key", "K").stdout.split()
    again = here.types(*words)
    assert (again.returncode, again.stdout) == (2, ""), again.stderr
    assert "lives" in again.stderr
    here.types("cancel", name)


def test_an_array_and_its_exit_status(here: Person) -> None:
    job = here.job("echo $SLURM_ARRAY_TASK_ID; exit $SLURM_ARRAY_TASK_ID\n", head="#!/bin/bash\n#SBATCH --array=0,4\n")
    done = here.types("submit", job, "--provider", "local", "--follow", "-i", "8xh100")
    assert done.returncode == 4
    names = [line.split(": ") for line in done.stdout.splitlines()]
    assert sorted((name.rsplit("-", 1)[0], text) for name, text in names) == [
        ("job-sbatch-0", "0"),
        ("job-sbatch-4", "4"),
    ]


def test_secrets_come_from_the_environment(here: Person) -> None:
    words = ("submit", here.job('echo "${#TOKEN} letters"\n'), "--provider", "local", "--follow", "--secret", "TOKEN")
    done = here.types(*words)
    assert (done.returncode, done.stdout) == (125, "")
    assert "wants TOKEN" in done.stderr
    done = here.types(*words, TOKEN="hunter2hunter2")
    assert (done.returncode, done.stdout) == (0, "14 letters\n")
    assert "hunter2" not in done.stderr


def test_interrupted_follower_leaves_the_task_alone(here: Person) -> None:
    job = here.job("echo begun; until [ -e /workspace/go ]; do sleep 0.05; done\n")
    follower = here.starts("submit", job, "--provider", "local", "--follow")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "begun\n"
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate()
    assert follower.returncode == 130
    assert "goes on" in err
    (task,) = json.loads(here.types("list", "--format", "json").stdout)["tasks"]
    until(lambda: "running" in here.types("status", task["name"]).stdout, "the task to run")
    here.types("cancel", task["name"])


def test_errors_of_the_source_submit_nothing(here: Person) -> None:
    done = here.types("submit", here.job("true\n", head="#!/bin/bash\n#SBATCH --tmie=3\n"), "--provider", "local")
    assert (done.returncode, done.stdout) == (1, "")
    assert here.types("list", "--all", "--provider", "local").stdout == ""


def test_unknown_tasks_are_wrong_usage(here: Person) -> None:
    here.types("submit", here.job("sleep 1000\n"), "--provider", "local")
    for name in ("nothing", ""):  # nothing is how all names begin
        for command in ("status", "cancel"):
            assert here.types(command, name).returncode == 2
        assert here.types("wait", "--timeout", "1", name).returncode == 125
    assert here.types("cancel", "job").returncode == 0


PIPELINE = """name: pipeline
---
name: first
resources: {accelerators: H100:8}
run: |
  echo first; exit %d
---
name: second
resources: {accelerators: H100:8}
run: |
  echo second
"""


def test_a_pipeline_goes_on_after_what_did_well_and_no_further(here: Person) -> None:
    words = ("submit", "--from", "skypilot", "--provider", "local", "--follow")
    done = here.types(*words, here.job(PIPELINE % 0, "good.yaml", head=""))
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()] == ["first", "second"], done.stderr
    assert done.returncode == 0
    done = here.types(*words, here.job(PIPELINE % 6, "bad.yaml", head=""))
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()] == ["first"], done.stderr
    assert done.returncode == 6
    assert "is not placed" in done.stderr
    assert len(here.types("list", "--all", "--provider", "local").stdout.splitlines()) == 4


def test_cancelled_tasks_that_wait_for_their_turn_never_have_it(here: Person) -> None:
    head = "#!/bin/bash\n#SBATCH --array=0-2%1 --gpus=h100:8 --job-name=sweep\n"
    job = here.job("until [ -e /workspace/go ]; do sleep 0.05; done\n", head=head)
    follower = here.starts("submit", job, "--provider", "local", "--wait")
    until(lambda: "running" in here.types("list", "--provider", "local").stdout, "the first task")
    status = here.types("status", "sweep")
    assert status.stdout.count("waits for its turn") == 2, status.stdout
    done = here.types("cancel", "sweep")
    assert (done.returncode, done.stderr.count("was not placed, and will not be")) == (0, 2)
    _, err = follower.communicate(timeout=600)
    assert follower.returncode == 130, err
    assert len(here.types("list", "--all", "--provider", "local").stdout.splitlines()) == 2
    assert "nothing is left to do" in here.types("submit", "--resume").stderr


@pytest.mark.parametrize("look", ["list", "status"])
def test_a_task_that_is_placed_on_the_way_is_shown(here: Person, look: str) -> None:
    first, second = (here.job("sleep 1000\n", f"{name}.sbatch") for name in ("first", "second"))
    here.types("submit", first, second, "--after", "afterany:first", "--provider", "local")
    waiting = here.types("list", "--provider", "local")
    assert "1 is not placed yet: `flowc list --tree`" in waiting.stderr
    assert here.types("cancel", "first").returncode == 0
    key = waiting.stdout.split()[6].rpartition("-")[2]
    words = ("list", "--provider", "local") if look == "list" else ("status", f"second-sbatch-{key}")
    told = here.types(*words)
    assert f"second-sbatch-{key}" in told.stdout, told
    assert "waits for" not in told.stdout
    here.types("cancel", "second")


def test_where_there_is_no_task_yet_it_is_told_how_to_begin(here: Person) -> None:
    here.environ["FLOW_PROVIDER"] = "local"
    for words in (["list"], ["list", "--all"], ["list", "--tree"], ["status"]):
        done = here.types(*words)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == 'flowc: there is no task yet; to try one here: flowc run "echo hello" --provider local\n'
    assert here.types("run", "echo hello").returncode == 0
    assert "`flowc list --all` shows those that have ended" in here.types("list").stderr


def test_what_a_test_leaves_running_ends_with_its_folder() -> None:
    program, folders = python(), folder_of_the_user()
    folder = next(folders)
    person = Person(Path(folder), program, as_ordinary_user(), {})
    assert person.types("submit", person.job("while :; do :; done\n"), "--provider", "local").returncode == 0
    assert left_of(folder)
    assert next(folders, None) is None
    assert (left_of(folder), Path(folder).exists()) == ([], False)


def keys(value: Any) -> set[str]:
    """All that are in a value, however deep."""
    if isinstance(value, list):
        return {key for each in value for key in keys(each)}
    return {key for each in value for key in (each, *keys(value[each]))} if isinstance(value, dict) else set()


def test_keys_of_the_json_format_are_those_that_are_documented(here: Person) -> None:
    """In docs/submitting.md."""
    _, _, text = (ROOT / "docs" / "submitting.md").read_text().partition("`list` and `status --format json` give")
    documented = set(re.findall(r'"(\w+)"', text))
    job = here.job("sleep 300\n")
    files = [job, here.job("true\n", "next.sbatch", "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n")]
    submitted = here.types("submit", *files, "--after", "afterok:job", "--provider", "local")
    assert submitted.returncode == 0, submitted.stderr
    found: set[str] = set()
    for words in (("list", "--tree"), ("status", *submitted.stdout.split())):
        found |= keys(json.loads(here.types(*words, "--format", "json", FLOW_PROVIDER="local").stdout))
    # What the machines of tasks elsewhere tell: tests/tasks/test_there.py.
    assert found | set(Inside.FIELDS) == documented
