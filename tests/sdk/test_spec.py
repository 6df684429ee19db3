"""Every snippet of the two documents that say what the SDK and its command line are, run as it stands where that can
be; what cannot is listed with the reason, and what it promises is tested in its place. And the examples of
docs/python.md."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import flowc
from tests.mithril.server import Server
from tests.tasks.conftest import Person

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT.parent / "shared" / "reference" / "spec"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)

# Python snippets by their first line: why they do not run as they stand.
PSEUDO = {
    "class Flow:": "signatures without bodies; test_the_signatures_are_there",
    "class TaskConfig:": "fields without a model; test_the_fields_are_there",
    "class Task:": "signatures without bodies; test_the_signatures_are_there",
    "# User input → Canonical form → Provider ID": "a table with arrows; test_instance_types_resolve",
    "class IProvider(Protocol):": "signatures of another design; flowc.providers.base is what a provider is here",
    "# Automatic provider selection based on configuration": "names of another design; Flow() chooses by its settings",
    "# Fluent interface for configuration": "lines that begin with a dot need brackets; test_the_builder_as_written",
    "ValidationError: Invalid instance type 'a100x8'": "the text of an error; test_errors_say_what_the_spec_says",
    "InsufficientQuotaError: Quota exceeded in us-east-1": "the text of an error; tests/sdk/test_there.py",
    "class AWSProvider:": "comments for bodies, of another design",
    "class KubernetesAdapter:": "comments for bodies; flowc reads Kubernetes Jobs",
}


def snippets(name: str, language: str) -> list[str]:
    path = SPEC / f"{name}.txt"
    if not path.exists():
        return []
    return [found["text"] for found in BLOCK.finditer(path.read_text()) if found["language"].lower() == language]


def first(text: str) -> str:
    return text.strip().splitlines()[0]


def needs_spec() -> None:
    if not SPEC.exists():
        pytest.skip("the documents that these snippets stand in are not beside the project")


PYTHON = [text for name in ("architecture", "quickstart") for text in snippets(name, "python")]
RUNNING = [text for text in PYTHON if first(text) not in PSEUDO]


def test_each_snippet_is_run_or_has_a_reason() -> None:
    needs_spec()
    assert {first(text) for text in PYTHON} >= set(PSEUDO)
    assert [first(text) for text in RUNNING] == ["# Search by requirements", "# Simple: One line"]
    assert [len(snippets("architecture", each)) for each in ("yaml", "bash")] == [1, 2]
    assert len(snippets("quickstart", "yaml")) == 1


@pytest.mark.parametrize("text", RUNNING, ids=first)
def test_python_runs(text: str, there: Person, provider: Server) -> None:
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


def test_the_signatures_are_there(offline: flowc.Flow) -> None:
    for name in ("run", "submit", "invoke", "get_task", "list_tasks", "find_instances"):
        assert callable(getattr(offline, name)), name
    for name in ("logs", "cancel", "wait", "ssh", "get_instances", "get_user"):
        assert callable(getattr(flowc.Task, name)), name
    for name in ("status", "instance_type"):
        assert isinstance(getattr(flowc.Task, name), property), name


def test_the_fields_are_there() -> None:
    needs_spec()
    (text,) = (each for each in PYTHON if first(each) == "class TaskConfig:")
    names = set(re.findall(r"^    (\w+):", text, re.MULTILINE))
    assert len(names) == 11
    assert names <= set(flowc.TaskConfig.model_fields)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("a100", "a100-80gb.sxm.1x"), ("4xa100", "a100-80gb.sxm.4x"), ("8xh100", "h100-80gb.sxm.8x")],
)
def test_instance_types_resolve(text: str, canonical: str, flow: flowc.Flow) -> None:
    task = flow.run("true", gpu=text)
    assert task.instance_type == canonical


def test_memory_of_a_gpu_chooses_a_machine(offline: flowc.Flow, flow: flowc.Flow) -> None:
    task = flow.run("true", min_gpu_memory_gb=80)
    (best, *_) = offline.find_instances({"gpu_memory_gb": 80}, limit=1)
    assert task.instance_type == best["instance_type"]


def test_the_builder_as_written() -> None:
    needs_spec()
    (text,) = (each for each in PYTHON if first(each) == "# Fluent interface for configuration")
    begin, _, call = text.partition("config = ")
    known: dict[str, object] = {"TaskConfig": flowc.TaskConfig}
    exec(f"{begin}config = (\n{call})", known)
    config = known["config"]
    assert isinstance(config, flowc.TaskConfig)
    assert (config.instance_type, config.command, config.env) == ("a100", "python train.py", {"WANDB_KEY": "..."})
    assert config.volumes == [flowc.VolumeSpec(name="data", size_gb=100)]


def test_errors_say_what_the_spec_says(offline: flowc.Flow) -> None:
    with pytest.raises(flowc.ValidationError) as caught:
        offline.run("python train.py", gpu="a100x8")
    text = f"{type(caught.value).__name__}: {caught.value}"
    assert text.startswith("ValidationError: Invalid instance type 'a100x8'")
    assert "\n  Did you mean: '8xa100'?\n  Valid formats: 'a100', '2xa100', '4xa100', '8xa100'" in text


def test_data_is_mounted_by_a_keyword(flow: flowc.Flow, provider: Server) -> None:
    """`flow.submit(command, data={"/data": "s3://bucket/path"})` of the data flow."""
    flow.submit("ls /data", data={"/data": "s3://bucket/path"}, gpu="a100")
    assert len(provider.log.done("bid placed")) == 1


@pytest.mark.parametrize("name", ["architecture", "quickstart"])
def test_yaml_is_submitted(name: str, there: Person, provider: Server) -> None:
    needs_spec()
    (text,) = snippets(name, "yaml")
    done = there.types("submit", there.job(text, "task.yaml", head=""), "--dry-run", "--offline")
    assert done.returncode == 0, done.stderr
    # The names are those of somebody else's project.
    there.job(text.replace("my-foundry-project", "research").replace("my-ssh-key", "laptop"), "task.yaml", head="")
    flowc.Flow(environ=there.environ).run(there.home / "task.yaml")
    assert len(provider.log.done("bid placed")) == 1


def test_the_slurm_script_is_read(there: Person) -> None:
    needs_spec()
    (text,) = (each for each in snippets("architecture", "bash") if each.startswith("#!"))
    done = there.types("submit", there.job(text, "job.sbatch", head=""), "--dry-run", "--offline")
    assert done.returncode == 0, done.stderr


def test_the_commands_are_known(there: Person, provider: Server) -> None:
    needs_spec()
    (text,) = (each for each in snippets("architecture", "bash") if each.startswith("flow run"))
    (yaml,) = snippets("architecture", "yaml")
    there.job(yaml, "training.yaml", head="")
    name = ""
    for line in text.splitlines():
        words = [name if word == "task-abc123" else word for word in shlex.split(line)[1:]]
        done = there.types(*words)
        assert done.returncode == 0, (line, done.stderr)
        name = done.stdout.strip() if words[0] == "run" else name


def test_the_quickstart_is_typed_as_it_says(there: Person, provider: Server) -> None:
    needs_spec()
    (text,) = snippets("quickstart", "yaml")
    there.job(text, "flow_example.yaml", head="")
    key = {"FOUNDRY_API_KEY": provider.key, "MITHRIL_API_KEY": ""}
    names = ("--project-name", "research", "--ssh-key-name", "laptop")
    done = there.types("submit", "flow_example.yaml", *names, "--dry-run", **key)
    assert done.returncode == 0, done.stderr
    assert there.types("status", *names, **key).returncode == 0
    done = there.types("status", MITHRIL_API_KEY="", FOUNDRY_EMAIL="a@b", FOUNDRY_PASSWORD="x")
    assert done.returncode == 4
    assert "FOUNDRY_EMAIL" in done.stderr


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
