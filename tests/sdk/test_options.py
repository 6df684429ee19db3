"""How a task is submitted: what the command line's flags say, by name in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flowc
from flowc.cli.options import JOB_OPTIONS
from flowc.cli.tasks.options import SUBMIT_OPTIONS
from flowc.sdk.options import How
from tests.mithril.server import Server
from tests.sdk.conftest import typed
from tests.tasks.conftest import Cloud

# Flags of `flowc submit` that are something else in Python than a keyword of `run` of the same name.
ELSEWHERE = {
    "--provider": "Flow(provider=)",
    "--local-machine": "Flow(local_machine=)",
    "--project": "Flow(project=)",
    "--follow": "Task.logs(follow=True)",
    "--dry-run": "flowc.compile",
    "--offline": "flowc.compile",
    "--resume": "the same call goes on",
    # Of job files; Python writes the values of its tasks itself, and none of its fields names another cloud.
    **dict.fromkeys(("--fill", "--fill-from", "--move", "--optimize", "--with"), "flowc.compile"),
}
# Those that are called otherwise: what repeats is plural, and a task's fields have their own names.
CALLED = {
    "--ssh-key": "ssh_keys",
    "--secret": "secrets",
    "--pull-secret": "pull_secrets",
    "--mount": "data",
    "--port": "ports",
    "--time": "max_run_time_hours",
}


def test_each_flag_of_the_command_line_has_its_place_in_python() -> None:
    flags = {option.name for option in (*SUBMIT_OPTIONS, *JOB_OPTIONS)}
    assert flags >= {*ELSEWHERE, *CALLED}
    named = {CALLED.get(each, each[2:].replace("-", "_")) for each in flags - {*ELSEWHERE}}
    assert named <= typed("RunOptions") | typed("TaskFields")
    assert typed("RunOptions") == set(How.FIELDS)
    assert set(How.FIELDS) - named == {"deliver", "strict"}


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"secrets": "TOKEN"}, "secrets", "expected a list of names"),
        ({"secrets": [1]}, "secrets", "has 1, expected a text"),
        ({"keep": "yes"}, "keep", "expected True or False"),
        ({"budget": float("inf")}, "budget", "expected a number"),
        ({"release": "me"}, "release", "expected 'client' or 'machine'"),
        ({"release": "machine", "keep": True}, "keep", "exclude each other"),
        ({"force_new": True, "idempotency_key": "x"}, "force_new", "exclude each other"),
        ({"after": 3}, "after", "expected a list"),
        ({"after": "then:train"}, None, "`after=then:train`: `then` is no kind of waiting"),
        ({"set": ["x"]}, "set", "expected a mapping"),
        ({"code": 3}, "code", "expected a text"),
        ({"code": "none/such"}, None, "none/such"),
    ],
)
def test_what_makes_no_sense_is_refused(
    options: dict[str, Any], field: str | None, words: str, flow: flowc.Flow, provider: Server
) -> None:
    with pytest.raises(flowc.ValidationError) as caught:
        flow.run("true", gpu="8xh100", **options)
    assert (caught.value.field, words in str(caught.value)) == (field, True), str(caught.value)
    assert not provider.log.done("bid placed")


@pytest.mark.parametrize(("name", "words"), [("", "is empty"), (None, "not by None"), (3, "not by 3")])
def test_what_names_no_task_is_refused(name: Any, words: str, flow: flowc.Flow) -> None:
    with pytest.raises(flowc.ValidationError, match=words):
        flow.get_task(name)


def test_a_repository_that_machines_cannot_have_is_refused(
    offline: flowc.Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(flowc.ValidationError) as caught:
        offline.run("true", gpu="8xh100", code="git")
    assert (caught.value.field, "code='git': there is no commit to bring" in str(caught.value)) == ("code", True)


def test_the_machine_ends_its_bid_where_that_is_asked_for(
    flow: flowc.Flow, provider: Server, caplog: pytest.LogCaptureFixture
) -> None:
    flow.run("true", gpu="8xh100", release="machine", deliver=False)
    assert "an API key is made for the machines" in caplog.text
    assert "its bid is paid until" not in caplog.text
    assert provider.key not in caplog.text
    assert len(provider.log.done("bid placed")) == 1


def test_one_task_comes_after_another(flow: flowc.Flow, provider: Server) -> None:
    prepare = flow.run("true", gpu="8xh100", name="prepare")
    train = flow.run("true", gpu="8xh100", name="train", after=prepare)
    last = flow.run("true", gpu="8xh100", name="last", after=["afterany:train", prepare])
    assert len(provider.log.done("bid placed")) == 1
    assert (train.status, last.status) == ("pending", "pending")
    with pytest.raises(flowc.ValidationError, match="which is no job of yours"):
        flow.run("true", gpu="8xh100", after="afterok:none")
    prepare.cancel()
    assert (train.status, prepare.status) == ("failed", "cancelled")


def test_code_and_order_on_this_computer(runs: Callable[..., str]) -> None:
    out = runs("""
import pathlib
pathlib.Path("code").mkdir()
pathlib.Path("code/train.py").write_text("print('trained')")
first = flow.run("python3 train.py", gpu="a100", code=pathlib.Path("code"), name="first")
then = flow.run("echo then", gpu="a100", after=first, wait=True)
print(first.status, first.logs().split(), then.logs().split())
with flowc.Flow(provider="local") as other:
    job = {"command": "cat train.py", "instance_type": "a100"}
    print([task.status for task in other.run_all(job, code="code", wait=True)])
""")
    assert out.splitlines() == ["completed ['trained'] ['then']", "['completed']"]


def test_a_call_stays_until_what_only_it_can_bring_is_there(cloud: Cloud) -> None:
    environ = {**cloud.person.environ, "WORD": "it's a secret"}
    flow = flowc.Flow(environ=environ)
    task = flow.run('echo "${#WORD}"', gpu="8xh100", max_run_time_hours=1, secrets=["WORD"])
    del environ["WORD"]
    task.wait()
    assert (task.status, task.logs()[-3:]) == ("completed", "13\n")


def test_an_error_survives_its_way_between_processes() -> None:
    import pickle

    errors = [
        flowc.ValidationError("no", details=["a"], suggestions=["b"], field="gpu"),
        flowc.InsufficientQuotaError("no", region="here", requested=3, left=1, regions=["there"]),
        flowc.InterruptedSubmissionError("cut", key="1-2", suggestions=["again"]),
        flowc.RemoteError("KeyError", "'x'", "Traceback …"),
        flowc.TaskTimeoutError("late", request_id="r1"),
    ]
    for error in errors:
        found = pickle.loads(pickle.dumps(error))
        assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


def test_what_may_hold_a_key_is_not_pickled_nor_shown() -> None:
    import pickle

    flow = flowc.Flow(api_key="fkey_hunter2hunter2")
    assert "hunter2" not in repr(flow) + str(flow)
    with pytest.raises(TypeError, match="make one where it is wanted"):
        pickle.dumps(flow)
