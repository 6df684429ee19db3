"""What the design of the SDK promises its users, held without the documents that it is written in: names, arguments and
defaults, fields, states, spellings of machines, the order of settings, the shape of errors, the files that are read."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import flowc
from flowc.providers import base
from tests.mithril.server import Server
from tests.tasks.conftest import Person

# What is called with these arguments by their places, and by their names; and what is not given.
CALLS: dict[type, dict[str, dict[str, Any]]] = {
    flowc.Flow: {
        "get_task": {"task_id": inspect.Parameter.empty},
        "list_tasks": {"limit": 100},
        "find_instances": {"requirements": inspect.Parameter.empty, "limit": 10},
    },
    flowc.Task: {
        "logs": {"follow": False},
        "cancel": {},
        "wait": {"timeout": None},
        "ssh": {"command": None},
        "get_instances": {},
        "get_user": {},
    },
}
FIELDS: dict[str, Any] = {
    "name": "train",
    "instance_type": "8xh100",
    "min_gpu_memory_gb": 40,
    "command": ["python", "train.py"],
    "shell": "python train.py",
    "script": "python train.py\n",
    "volumes": [flowc.VolumeSpec(name="data", size_gb=1)],
    "env": {"KEY": "value"},
    "data": {"/data": "s3://bucket/path"},
    "max_price_per_hour": 3.5,
    "max_run_time_hours": 12.0,
}
ONE_OF = (("command", "shell", "script"), ("instance_type", "min_gpu_memory_gb"))
MACHINES = {"a100": "a100-80gb.sxm.1x", "4xa100": "a100-80gb.sxm.4x", "8xh100": "h100-80gb.sxm.8x"}
FILES = {
    "task.yaml": "name: training\ncommand: python train.py\ninstance_type: 8xh100\nenv:\n  KEY: value\n"
    "volumes:\n- name: models\n  size_gb: 500\n  mount_path: /models\n",
    "foundry.yaml": "name: batch\nproject_name: research\nssh_key_name: laptop\ntask_management:\n  priority: low\n"
    "  utility_threshold_price: 17.92\nresources_specification:\n  fcp_instance: h100.8x.SXM5.IB\n  num_instances: 1\n"
    "startup_script: |\n  nvidia-smi\n",
    "job.sbatch": "#!/bin/bash\n#SBATCH --job-name=training\n#SBATCH --nodes=2\n#SBATCH --gpus-per-node=8\n"
    "#SBATCH --time=24:00:00\npython train.py\n",
    "job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec:\n  template:\n    spec:\n"
    "      restartPolicy: Never\n      containers:\n      - name: main\n        image: python:3.11\n"
    "        command: [python, train.py]\n        resources: {limits: {nvidia.com/gpu: 8}}\n",
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in CALLS.items() for name in names])
def test_a_call_takes_these_arguments(kind: type, name: str) -> None:
    promised, ours = CALLS[kind][name], inspect.signature(getattr(kind, name))
    ours.bind(None, *(object() for _ in promised))
    ours.bind(None, **{each: object() for each in promised})
    assert {each: ours.parameters[each].default for each in promised} == promised


def test_run_and_invoke_take_what_a_user_has() -> None:
    inspect.signature(flowc.Flow.run).bind(None, "python train.py", gpu="a100", env={})
    inspect.signature(flowc.Flow.run).bind(None, flowc.TaskConfig(command="true", instance_type="a100"))
    inspect.signature(flowc.Flow.invoke).bind(None, "module.py", "train", 1, 2, rate=0.1)
    assert all(isinstance(getattr(flowc.Task, each), property) for each in ("status", "instance_type"))


@pytest.mark.parametrize("name", FIELDS)
def test_a_task_has_these_fields(name: str) -> None:
    own: dict[str, Any] = {"command": "true", "instance_type": "a100", name: FIELDS[name]}
    for several in ONE_OF:
        if name in several:
            own = {each: value for each, value in own.items() if each == name or each not in several}
            for other in set(several) - {name}:
                with pytest.raises(flowc.ValidationError):
                    flowc.TaskConfig(**own, **{other: FIELDS[other]})
    assert getattr(flowc.TaskConfig(**own), name) == FIELDS[name]


def test_a_builder_gives_the_same() -> None:
    built = flowc.TaskConfig.builder().with_gpu("a100").with_command("python train.py")
    built = built.with_volume("data", size_gb=100).with_env("KEY", "value")
    assert built.build() == flowc.TaskConfig(
        instance_type="a100",
        command="python train.py",
        volumes=[flowc.VolumeSpec(name="data", size_gb=100)],
        env={"KEY": "value"},
    )


def test_states_go_from_pending_to_one_of_three_ends() -> None:
    assert (base.PENDING, base.PROVISIONING, base.RUNNING) == ("pending", "provisioning", "running")
    assert base.ENDED == ("completed", "failed", "cancelled")


def test_machines_have_short_names(flow: flowc.Flow, provider: Server) -> None:
    for asked, canonical in MACHINES.items():
        task = flow.run("true", gpu=asked, name=f"m-{asked}")
        assert provider.state.bid_named(task.task_id).market.type.name == task.instance_type == canonical
    (cheapest, *_) = flow.find_instances({"gpu_memory_gb": 40}, limit=1)
    assert flow.run("true", min_gpu_memory_gb=40).instance_type == cheapest["instance_type"]


def test_settings_win_in_this_order(there: Person, provider: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments, the environment, the user's file, defaults."""
    monkeypatch.chdir(there.home)
    one, other = [each.region for each in provider.state.markets if each.type.name == "h100-80gb.sxm.8x"]

    def chosen(**options: Any) -> str | None:
        return flowc.Flow(environ=there.environ).run("true", gpu="8xh100", force_new=True, **options).region

    found = [chosen()]
    (there.home / ".flow").mkdir()
    (there.home / ".flow" / "config.yaml").write_text(f"region: {other}\n")
    found.append(chosen())
    there.environ["MITHRIL_REGION"] = one
    found += [chosen(), chosen(region=other)]
    assert found == [one, other, one, other]


def test_a_machine_that_is_none_is_told_with_what_is_meant(offline: flowc.Flow) -> None:
    with pytest.raises(flowc.ValidationError) as caught:
        offline.run("python train.py", gpu="a100x8")
    first, *more = str(caught.value).splitlines()
    assert first.startswith("Invalid instance type 'a100x8'")
    assert more[0] == "  Did you mean: '8xa100'?"
    assert more[1].startswith("  Valid formats: 'a100', '2xa100', '4xa100', '8xa100'")


def test_a_quota_that_is_too_small_is_told_with_what_would_do(flow: flowc.Flow, provider: Server) -> None:
    market = provider.state.market("a100-80gb.sxm.1x")
    kind = replace(market.type, fid="it_a100elsewhere000")
    provider.state.types[kind.fid] = kind
    provider.state.markets.append(replace(market, fid="auc_elsewhere", type=kind, region="us-east1-a"))
    for quota in list(provider.state.quotas):
        if quota.type == market.type.fid:
            provider.state.quotas.append(replace(quota, fid=f"{quota.fid}0", type=kind.fid))
            quota.total = 4
    with pytest.raises(flowc.InsufficientQuotaError) as caught:
        flow.run("python train.py", gpu="a100", region=market.region, num_instances=8)
    told = [line.strip() for line in str(caught.value).splitlines()]
    promised = (
        f"Quota exceeded in {market.region}",
        *("Current quota: 4 A100 GPUs", "Requested: 8 A100 GPUs", "Suggestions:"),
        *("- Try region: us-east1-a", "- Contact support for quota increase"),
    )
    assert [line[: len(begin)] for line, begin in zip(told, promised, strict=True)] == [*promised]


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_as_what_they_are(name: str, flow: flowc.Flow, provider: Server, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name])
    flow.run(tmp_path / name, gpu="8xh100") if name.startswith("job") else flow.run(tmp_path / name)
    (placed,) = provider.log.done("bid placed")
    assert provider.state.bids[placed.fid].market.type.name == "h100-80gb.sxm.8x"
