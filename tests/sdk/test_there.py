"""Tasks from Python at the provider, which is one of ours on a loopback port."""

from __future__ import annotations

import json
import pickle

import pytest

import flowc
from tests.machines.ordinary import until
from tests.mithril.server import Server
from tests.tasks.conftest import Cloud


def test_run_places_one_bid(flow: flowc.Flow, provider: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="flowc")
    task = flow.run("python train.py", gpu="8xh100", max_price_per_hour=40, max_run_time_hours=1.5)
    (placed,) = provider.log.done("bid placed")
    bid = provider.state.bids[placed.fid]
    assert (task.task_id, task.status, task.instance_type) == (bid.name, "pending", "h100-80gb.sxm.8x")
    assert "its bid is paid until somebody sees the end of its job" in caplog.text
    assert "nothing ends the bid" not in caplog.text
    assert flow.list_tasks() == [task]
    assert flow.get_task(bid.fid) == task
    assert task.get_instances() == []
    assert task.get_user().user_id.startswith("user_")
    assert provider.key not in repr(task) + repr(flow) + caplog.text
    with pytest.raises(TypeError, match="finds it again"):
        pickle.dumps(task)
    task.cancel()
    assert (bid.status, task.status, task.exit_status) == ("Terminated", "cancelled", 130)


def test_a_task_of_somebody_else_is_known_by_its_id(
    flow: flowc.Flow, provider: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mine = flow.run("true", gpu="8xh100")
    home = str(tmp_path_factory.mktemp("other"))
    environ = {"HOME": home, "MITHRIL_API_URL": provider.url, "MITHRIL_API_KEY": provider.key}
    other = flowc.Flow(environ=environ)
    (bid,) = provider.state.bids.values()
    assert [task.task_id for task in other.list_tasks()] == [bid.fid]
    task = other.get_task(bid.fid)
    assert (task.status, task.name) == ("pending", mine.task_id)
    task.cancel()
    assert mine.status == "cancelled"
    with pytest.raises(flowc.NotFoundError):
        other.get_task("bid_none")


def test_quota_says_what_there_is_and_where_to_go(flow: flowc.Flow, provider: Server) -> None:
    here, other = (market for market in provider.state.markets if market.type.name == "h100-80gb.sxm.8x")
    for quota in provider.state.quotas:
        if quota.type == here.type.fid:
            quota.total = 3
    with pytest.raises(flowc.InsufficientQuotaError) as caught:
        flow.run("true", gpu="8xh100", region=here.region, num_instances=4)
    assert str(caught.value).splitlines() == [
        f"Quota exceeded in {here.region}",
        "  Current quota: 24 H100 GPUs (3 x h100-80gb.sxm.8x) left",
        "  Requested: 32 H100 GPUs (4 x h100-80gb.sxm.8x)",
        "  Suggestions:",
        f"    - Try region: {other.region}",
        "    - Contact support for quota increase",
    ]
    assert (caught.value.regions, caught.value.requested, caught.value.left) == ((other.region,), 4, 3)
    assert not provider.log.done("bid placed")


def test_a_wrong_key_is_told(flow: flowc.Flow, provider: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = str(tmp_path_factory.mktemp("home"))
    wrong = flowc.Flow(api_key="fkey_wrong", environ={"HOME": home, "MITHRIL_API_URL": provider.url})
    with pytest.raises(flowc.AuthenticationError) as caught:
        wrong.list_tasks()
    assert "fkey_wrong" not in str(caught.value)


def test_instances_are_those_of_today_where_there_is_a_key(flow: flowc.Flow, provider: Server) -> None:
    for market in provider.state.markets:
        market.price = 777
        market.capacity = 2
    found = flow.find_instances({"gpu": "h100", "gpu_count": 8})
    assert {(row["instance_type"], row["price_usd_per_hour"], row["available"], row["source"]) for row in found} == {
        ("h100-80gb.sxm.8x", 7.77, 2, "provider")
    }
    json.dumps(found)


def test_a_job_is_followed_to_its_end_and_its_bid_with_it(cloud: Cloud) -> None:
    environ = {**cloud.person.environ, "WORD": "it's a secret"}
    flow = flowc.Flow(environ=environ)
    task = flow.run('echo "${#WORD}"; exit 5', gpu="8xh100", max_run_time_hours=1, secrets=["WORD"])
    assert list(task.logs(follow=True))[-1:] == ["13"]
    assert (task.status, task.exit_status, task.logs()[-3:]) == ("failed", 5, "13\n")
    assert cloud.living() == []


def test_a_function_runs_there_and_ssh_reaches_its_machine(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    flow = flowc.Flow(environ=cloud.person.environ)
    (cloud.person.home / "work.py").write_text("def add(a, b):\n    return a + b\n")
    config = {"instance_type": "8xh100", "max_run_time_hours": 1}
    assert flow.invoke(cloud.person.home / "work.py", "add", 2, b=40, config=config) == 42
    assert cloud.living() == []
    task = flow.run("sleep 600", gpu="8xh100", max_run_time_hours=1)
    until(lambda: task.status == "running", "a machine")
    task.ssh("echo hello from there; pwd")
    assert capfd.readouterr().out == "hello from there\n/workspace\n"
    with pytest.raises(flowc.FlowError, match="ended with status 3"):
        task.ssh("exit 3")
    with pytest.raises(flowc.ConflictError, match="has no machine now"):
        task.ssh("true", node=1)
    task.cancel()
    assert cloud.living() == []
