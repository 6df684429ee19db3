"""Every snippet of the two documents that say what the SDK and its command line are: run as it stands where it is a
program, and where it is a table, signatures or the text of an error, read and held against what flowc does. And the
examples of docs/python.md."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import flowc
from flowc.providers import base
from tests.mithril.server import Server
from tests.tasks.conftest import Person

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT.parent / "shared" / "reference" / "spec"
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
# Each snippet by its first line: the test that has it. Two say nothing that could be run.
SNIPPETS = {
    "architecture": {
        "┌": "a picture of boxes",
        "class Flow:": "test_the_signatures_are_there",
        "class TaskConfig:": "test_the_fields_are_there",
        "class Task:": "test_the_signatures_are_there",
        "name: training": "test_yaml_is_submitted",
        "#!/bin/bash": "test_the_slurm_script_is_read",
        "flow run": "test_the_commands_are_typed",
        "# User input → Canonical form → Provider ID": "test_instance_types_resolve",
        "# Search by requirements": "test_python_runs",
        "pending → provisioning → running → completed": "test_the_states_are_those",
        "class IProvider(Protocol):": "test_a_provider_of_that_design_is_a_few_lines",
        "# Automatic provider selection based on configuration": "test_a_provider_of_that_design_is_a_few_lines",
        "# Fluent interface for configuration": "test_the_builder_as_written",
        "# Simple: One line": "test_python_runs",
        '1. User: flow.run("python train.py", gpu="a100")': "test_what_a_user_does_in_an_example_works",
        "1. User: flow.submit(command, data=": "test_what_a_user_does_in_an_example_works",
        "1. Command arguments (highest priority)": "test_settings_win_in_that_order",
        "ValidationError: Invalid instance type 'a100x8'": "test_a_mistake_is_told_in_these_words",
        "InsufficientQuotaError: Quota exceeded in us-east-1": "test_a_quota_is_told_in_these_words",
        "class AWSProvider:": "comments in place of a cloud that flowc does not know",
        "class KubernetesAdapter:": "test_a_kubernetes_job_is_read",
    },
    "quickstart": {"# ---": "test_yaml_is_submitted"},
}
NOTHING_TO_RUN = {"┌", "class AWSProvider:"}


def blocks(name: str) -> list[tuple[str, str]]:
    """The snippets of a document: language and text."""
    path = SPEC / f"{name}.txt"
    if not path.exists():
        return []
    return [(found["language"].lower(), found["text"]) for found in BLOCK.finditer(path.read_text())]


def snippet(begin: str, name: str = "architecture") -> str:
    if not SPEC.exists():
        pytest.skip("the documents that these snippets stand in are not beside the project")
    (text,) = (text for _, text in blocks(name) if text.startswith(begin))
    return text


def first(text: str) -> str:
    return text.strip().splitlines()[0]


def test_each_snippet_has_a_test() -> None:
    snippet("class Flow:")
    for name, known in SNIPPETS.items():
        found = [[each for each in known if text.lstrip().startswith(each)] for _, text in blocks(name)]
        assert [len(each) for each in found] == [1] * len(known), found
        assert {each[0] for each in found} == set(known)
    tests = {test for known in SNIPPETS.values() for begin, test in known.items() if begin not in NOTHING_TO_RUN}
    assert all(callable(globals()[test]) for test in tests)
    assert [len(known) for known in SNIPPETS.values()] == [21, 1]


# Programs and files, as they stand.


@pytest.mark.parametrize(
    "begin", [begin for begin, test in SNIPPETS["architecture"].items() if test == "test_python_runs"]
)
def test_python_runs(begin: str, there: Person, provider: Server) -> None:
    text = snippet(begin)
    (there.home / "program.py").write_text(
        f"import flowc as flow\nfrom flowc import Flow, TaskConfig, VolumeSpec\n{text}\n"
        "if 'config' in globals():\n    flow.run(config)\n"
    )
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=there.home, env=there.environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    placed = [provider.state.bids[each.fid] for each in provider.log.done("bid placed")]
    assert len(placed) == text.count("flow.run(") + text.count("TaskConfig(")


def test_the_builder_as_written() -> None:
    """Its lines begin with a dot, so Python wants brackets around them."""
    begin, _, call = snippet("# Fluent interface").partition("config = ")
    known: dict[str, object] = {"TaskConfig": flowc.TaskConfig}
    exec(f"{begin}config = (\n{call})", known)
    config = known["config"]
    assert isinstance(config, flowc.TaskConfig)
    assert (config.instance_type, config.command, config.env) == ("a100", "python train.py", {"WANDB_KEY": "..."})
    assert config.volumes == [flowc.VolumeSpec(name="data", size_gb=100)]


@pytest.mark.parametrize(("name", "begin"), [("architecture", "name: training"), ("quickstart", "# ---")])
def test_yaml_is_submitted(name: str, begin: str, there: Person, provider: Server) -> None:
    text = snippet(begin, name)
    done = there.types("submit", there.job(text, "task.yaml", head=""), "--dry-run", "--offline")
    assert done.returncode == 0, done.stderr
    # The names are those of somebody else's project.
    there.job(text.replace("my-foundry-project", "research").replace("my-ssh-key", "laptop"), "task.yaml", head="")
    flowc.Flow(environ=there.environ).run(there.home / "task.yaml")
    assert len(provider.log.done("bid placed")) == 1


def test_the_slurm_script_is_read(there: Person, provider: Server) -> None:
    done = there.types("submit", there.job(snippet("#!/bin/bash"), "job.sbatch", head=""), "--dry-run", "--offline")
    assert done.returncode == 0, done.stderr
    flowc.Flow(environ=there.environ).run(there.home / "job.sbatch", budget=10_000)
    assert len(provider.log.done("bid placed")) == 1


def test_the_commands_are_typed(there: Person, provider: Server) -> None:
    there.job(snippet("name: training"), "training.yaml", head="")
    name = ""
    for line in snippet("flow run").splitlines():
        words = [name if word == "task-abc123" else word for word in shlex.split(line)[1:]]
        done = there.types(*words)
        assert done.returncode == 0, (line, done.stderr)
        name = done.stdout.strip() if words[0] == "run" else name
    assert len(provider.log.done("bid placed")) == 2


def test_the_quickstart_is_typed_as_it_says(there: Person, provider: Server) -> None:
    there.job(snippet("# ---", "quickstart"), "flow_example.yaml", head="")
    text = (SPEC / "quickstart.txt").read_text()
    exports = dict(re.findall(r"`export (\w+)='(\w*[^']*)'`", text))
    assert set(exports) == {"FOUNDRY_API_KEY", "FOUNDRY_EMAIL", "FOUNDRY_PASSWORD"}
    commands = re.findall(r"`flow (.*?)\)?`", text)
    assert [each.split()[0] for each in commands] == ["submit", "status"]
    key = {"FOUNDRY_API_KEY": provider.key, "MITHRIL_API_KEY": ""}
    for each in commands:
        own = each.replace("your_project_name", "research").replace("your_ssh_key_name", "laptop")
        done = there.types(*shlex.split(own), **key)
        assert done.returncode == 0, (each, done.stderr)
    assert len(provider.log.done("bid placed")) == 1
    # The second option is gone, which is said.
    del exports["FOUNDRY_API_KEY"]
    done = there.types("status", MITHRIL_API_KEY="", **exports)
    assert (done.returncode, "FOUNDRY_EMAIL" in done.stderr) == (4, True)


@pytest.mark.parametrize("begin", ["1. User: flow.run(", "1. User: flow.submit("])
def test_what_a_user_does_in_an_example_works(begin: str, flow: flowc.Flow, provider: Server) -> None:
    calls = re.findall(r"User: (flow\..*)$|via (task\.\w+\(\))", snippet(begin), re.MULTILINE)
    known: dict[str, Any] = {"flow": flow, "command": "ls /data"}
    for call, then in calls:
        known["task"] = eval(call, known) if call else known["task"]
        if then:
            assert eval(then, known) == ""
    (placed,) = provider.log.done("bid placed")
    bid = provider.state.bids[placed.fid]
    assert (known["task"].task_id, (bid.startup_script or "")[:11]) == (bid.name, "#!/bin/bash")


# Signatures and tables.


def methods(text: str) -> Iterator[tuple[str, ast.arguments]]:
    """The methods of a class that is written without their bodies."""
    (found,) = ast.parse(re.sub(r"^(    def .*)$", r"\1: ...", text, flags=re.MULTILINE)).body
    assert isinstance(found, ast.ClassDef)
    for each in found.body:
        if isinstance(each, ast.FunctionDef):
            yield each.name, each.args


@pytest.mark.parametrize(("begin", "kind"), [("class Flow:", flowc.Flow), ("class Task:", flowc.Task)])
def test_the_signatures_are_there(begin: str, kind: type) -> None:
    found = list(methods(snippet(begin)))
    assert len(found) == {"class Flow:": 6, "class Task:": 6}[begin]
    for name, given in found:
        ours = inspect.signature(getattr(kind, name))
        positional = [object() for _ in given.args]
        if given.kwarg:  # whose names are the function's, or the task's
            ours.bind(None, *positional[: 2 if given.vararg else 1], gpu="a100")
            continue
        ours.bind(None, *positional)
        named = {each.arg: object() for each in given.args}
        ours.bind(None, **named)
        defaults = [each.value for each in given.defaults if isinstance(each, ast.Constant)]
        own = [each.default for each in list(ours.parameters.values())[1:]]
        assert [each for each in own if each is not inspect.Parameter.empty][: len(defaults)] == defaults, name
    for name in re.findall(r"^    (\w+): str", snippet(begin), re.MULTILINE):
        assert name == "task_id" or isinstance(getattr(kind, name), property), name


# What a field of a type takes.
OF_TYPE: dict[str, Any] = {
    "str": "text",
    "Optional[str]": "a100",
    "Optional[int]": 40,
    "Optional[List[str]]": ["python", "train.py"],
    "List[VolumeSpec]": [flowc.VolumeSpec(name="data", size_gb=1)],
    "Dict[str, str]": {"/data": "s3://bucket/path"},
    "Optional[float]": 3.5,
}


def test_the_fields_are_there() -> None:
    fields = dict(re.findall(r"^    (\w+): ([\w\[\], ]+?)\s*(?:#.*)?$", snippet("class TaskConfig:"), re.MULTILINE))
    assert len(fields) == 11
    assert set(fields.values()) == set(OF_TYPE)
    for name, kind in fields.items():
        value = {"K": "v"} if name == "env" else OF_TYPE[kind]
        own: dict[str, Any] = {name: value}
        if name not in ("command", "shell", "script"):
            own["command"] = "true"
        if name not in ("instance_type", "min_gpu_memory_gb"):
            own["instance_type"] = "a100"
        assert getattr(flowc.TaskConfig(**own), name) == value


def test_instance_types_resolve(flow: flowc.Flow, offline: flowc.Flow, provider: Server) -> None:
    text = snippet("# User input")
    rows = re.findall(r'^"(\w+)"\s*→ "([\w.-]+)" → "(it_\w+)"$', text, re.MULTILINE)
    assert len(rows) == 3
    for asked, canonical, _ in rows:  # the ids of types have changed since
        task = flow.run("true", gpu=asked, name=asked)
        bid = provider.state.bid_named(task.task_id)
        assert (task.instance_type, bid.market.type.name) == (canonical, canonical)
    (least,) = re.findall(r"^min_gpu_memory_gb=(\d+) →", text, re.MULTILINE)
    task = flow.run("true", min_gpu_memory_gb=int(least))
    (best, *_) = offline.find_instances({"gpu_memory_gb": int(least)}, limit=1)
    assert task.instance_type == best["instance_type"]


def test_the_states_are_those() -> None:
    words = set(re.findall(r"\w+", snippet("pending →")))
    assert words == {base.PENDING, base.PROVISIONING, base.RUNNING, *base.ENDED}


def test_settings_win_in_that_order(there: Person, provider: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    text = snippet("1. Command arguments")
    assert [line.split(" ", 1)[1].split()[0] for line in text.splitlines()] == [
        *("Command", "Environment", "Configuration", "Defaults")
    ]
    variables = re.findall(r"MITHRIL_\w+", text)
    assert variables == ["MITHRIL_API_KEY", "MITHRIL_PROJECT", "MITHRIL_REGION"]
    monkeypatch.chdir(there.home)
    regions = [each.region for each in provider.state.markets if each.type.name == "h100-80gb.sxm.8x"]
    assert len(regions) == 2
    (there.home / ".flow").mkdir()

    def chosen(**options: Any) -> str | None:
        return flowc.Flow(environ=there.environ).run("true", gpu="8xh100", force_new=True, **options).region

    assert chosen() == regions[0]
    (there.home / ".flow" / "config.yaml").write_text(f"region: {regions[1]}\n")
    assert chosen() == regions[1]
    there.environ["MITHRIL_REGION"] = regions[0]
    assert chosen() == regions[0]
    assert chosen(region=regions[1]) == regions[1]


# Designs of others: what they promise can be had.


def test_a_provider_of_that_design_is_a_few_lines(flow: flowc.Flow, provider: Server) -> None:
    names = [name for name, _ in methods(snippet("class IProvider"))]
    assert names == ["submit_task", "get_task", "cancel_task", "get_logs", "list_available_instances"]

    class Adapter:
        def submit_task(self, config: flowc.TaskConfig) -> str:
            return flow.run(config).task_id

        def get_task(self, task_id: str) -> str:
            return flow.get_task(task_id).status

        def cancel_task(self, task_id: str) -> bool:
            flow.get_task(task_id).cancel()
            return True

        def get_logs(self, task_id: str, follow: bool) -> Iterator[str]:
            return iter(flow.get_task(task_id).logs(follow=follow))

        def list_available_instances(self) -> list[dict[str, Any]]:
            return flow.find_instances({}, limit=1000)

    class ProviderFactory:
        @staticmethod
        def get_provider(api_endpoint: str) -> Adapter:
            assert api_endpoint == provider.url
            return Adapter()

    config = flowc.TaskConfig(command="true", instance_type="a100")
    known: dict[str, Any] = {"ProviderFactory": ProviderFactory, "config": config, "api_endpoint": provider.url}
    exec(snippet("# Automatic provider selection"), known)
    made, task_id = known["provider"], known["task_id"]
    assert all(callable(getattr(made, name)) for name in names)
    assert (made.get_task(task_id), list(made.get_logs(task_id, False))) == ("pending", [])
    sold = {each.type.name for each in provider.state.markets}
    there = {each["instance_type"] for each in made.list_available_instances()}
    assert {"a100-80gb.sxm.1x", "h100-80gb.sxm.8x"} <= there <= sold
    assert made.cancel_task(task_id)
    assert (made.get_task(task_id), list(made.get_logs(task_id, True))) == ("cancelled", [])


def test_a_kubernetes_job_is_read(flow: flowc.Flow, provider: Server, tmp_path: Path) -> None:
    ((name, given),) = methods(re.sub(r"^        .*\n", "", snippet("class KubernetesAdapter:"), flags=re.MULTILINE).replace(":\n", "\n").replace("Adapter\n", "Adapter:\n"))  # fmt: skip  # noqa: E501
    assert (name, [each.arg for each in given.args]) == ("parse_job_spec", ["yaml"])
    (tmp_path / "job.yaml").write_text(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec:\n  template:\n    spec:\n"
        "      restartPolicy: Never\n      containers:\n      - name: main\n        image: python:3.11\n"
        "        command: [python, train.py]\n        resources: {limits: {nvidia.com/gpu: 8}}\n"
    )
    assert flow.run(tmp_path / "job.yaml", gpu="8xh100").name.startswith("train-")
    assert len(provider.log.done("bid placed")) == 1


# The texts of errors.


def said(error: flowc.FlowError) -> list[str]:
    return f"{type(error).__name__}: {error}".splitlines()


def test_a_mistake_is_told_in_these_words(offline: flowc.Flow) -> None:
    text = snippet("ValidationError: ")
    (wrong,) = re.findall(r"instance type '(\w+)'", text)
    with pytest.raises(flowc.ValidationError) as caught:
        offline.run("python train.py", gpu=wrong)
    found = said(caught.value)
    # Ours goes on with the reason, and ends with the argument that it is about.
    assert [mine[: len(line)] for mine, line in zip(found, text.splitlines(), strict=False)] == text.splitlines()


def test_a_quota_is_told_in_these_words(flow: flowc.Flow, provider: Server) -> None:
    # The regions of the document are another cloud's.
    text = snippet("InsufficientQuotaError: ").replace("us-east-1", "us-central3-a").replace("us-west-2", "us-east1-a")
    (here,), (other,) = re.findall(r"exceeded in ([\w-]+)", text), re.findall(r"Try region: ([\w-]+)", text)
    (left,), (wanted,) = re.findall(r"quota: (\d+)", text), re.findall(r"Requested: (\d+)", text)
    state = provider.state
    market = state.market("a100-80gb.sxm.1x")
    market.region = here
    kind = replace(market.type, fid="it_a100elsewhere000")
    state.types[kind.fid] = kind
    state.markets.append(replace(market, fid="auc_elsewhere", type=kind, region=other))
    for quota in list(state.quotas):
        if quota.type == market.type.fid:
            state.quotas.append(replace(quota, fid=f"{quota.fid}0", type=kind.fid))
            quota.total = int(left)
    with pytest.raises(flowc.InsufficientQuotaError) as caught:
        flow.run("python train.py", gpu="a100", region=here, num_instances=int(wanted))
    # Ours says of which machines they are.
    assert [
        mine[: len(line)] for mine, line in zip(said(caught.value), text.splitlines(), strict=True)
    ] == text.splitlines()


DOCUMENTED = [
    found["text"]
    for found in BLOCK.finditer((ROOT / "docs" / "python.md").read_text())
    if found["language"] == "python"
]


HERE = [each for each in DOCUMENTED if "logs(follow=True)" in each or "local" in each]


@pytest.mark.parametrize("text", [each for each in DOCUMENTED if each not in HERE], ids=first)
def test_examples_of_the_manual_run(text: str, there: Person) -> None:
    (there.home / "program.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=there.home, env=there.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", HERE, ids=first)
def test_examples_of_the_manual_run_here(text: str, runs: Callable[..., str]) -> None:
    runs(text.replace("python train.py", "echo done"), FLOW_PROVIDER="local")
