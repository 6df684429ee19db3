"""A user's own program, by a strict type checker."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import flowc

ROOT = Path(__file__).resolve().parents[2]
# It uses every public name; that it is right is what is checked, not what it does.
PROGRAM = """
import pathlib
from collections.abc import Iterator

import flowc as flow
from flowc import Flow, FlowError, InsufficientQuotaError, Task, TaskConfig, VolumeSpec

version: str = flow.__version__
task = flow.run("python train.py", gpu="a100", max_price_per_hour=12.5, env={"A": "b"}, wait=True, secrets=["B"])
text: str = task.logs()
lines: Iterator[str] = task.logs(follow=True)
task.logs(follow=True).close()
status: str = task.status
number: int | None = task.exit_status
region: str | None = task.region
task.wait(timeout=3.5)
task.ssh("nvidia-smi", node=1)
machines: list[flow.Instance] = task.get_instances()
host: str | None = machines[0].ssh_host
user: flow.User = task.get_user()
name: str | None = user.username
config = TaskConfig(
    instance_type="a100-80gb.sxm.4x",
    command=["python", "train.py"],
    volumes=[VolumeSpec(name="models", size_gb=500)],
    data_mounts=[flow.DataMount(source="s3://bucket", target="/data")],
    retries=flow.Retries(max_retries=3),
    constraints=flow.Constraints(),
    max_price_per_hour=15.0,
)
if config.region is None:
    size: int | None = config.volumes[0].size_gb
builder: flow.TaskConfigBuilder = TaskConfig.builder().with_gpu("a100").with_command("true")
other: TaskConfig = builder.build().replace(name="other")
with Flow(provider="local", ssh_keys=["laptop"]) as here:
    tasks: list[Task] = here.run_all(pathlib.Path("job.sbatch"), code=pathlib.Path("code"), release="machine")
    here.submit(other, after=[task, "afterany:train"], budget="10", set={"a.b": "c"}, body="ssh")
for found in flow.find_instances({"gpu_memory_gb": 40}):
    print(found["instance_type"])
flow.list_tasks(3)[0].cancel()
flow.get_task("train").result(trust=True)
flow.invoke("train.py", "train", 3, rate=0.1, gpu="a100")
try:
    Flow().submit(config, secrets=["TOKEN"])
except InsufficientQuotaError as error:
    left: int | None = error.left
except flow.ValidationError as error:
    codes: list[str] = [each.code.id for each in error.diagnostics]
except flow.RemoteError as error:
    print(error.type_name, error.traceback)
except flow.InterruptedSubmissionError as error:
    key: str = error.key
except (flow.AuthenticationError, flow.ConfigurationError, flow.ConflictError, flow.NotFoundError) as error:
    print(error.message, error.details)
except (flow.ProviderError, flow.RateLimitError, flow.TaskTimeoutError, flow.UnavailableError) as error:
    request: str | None = error.request_id
except (FlowError, flow.FlowcError) as error:
    print(error.suggestions)
result: flow.Result = flow.compile(flow.Source("a.yaml", "name: x"), flow.Inputs(flags=flow.Flags(name="y")))
failed: bool = flow.check("name: x", path="a.yaml").failed
first: flow.Diagnostic = result.diagnostics[0]
"""
WRONG = """
import flowc

flowc.run("python train.py", gpus=3)
flowc.run("python train.py", num_instances="two")
flowc.TaskConfig(nmae="x")
flowc.run("python train.py", after=3)
flowc.run("python train.py", relaese="machine")
flowc.get_task("x").logs(follow=True).lower()
"""


def checked(text: str, folder: Path) -> str:
    path = folder / "program.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder), str(path)],
        cwd=folder,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_types_are_complete_and_hold(tmp_path: Path) -> None:
    assert [line for line in checked(PROGRAM, tmp_path).splitlines() if "program.py" in line] == []
    wrong = checked(WRONG, tmp_path)
    assert {
        line.partition("program.py:")[2][:1]
        for line in wrong.splitlines()
        if "program.py:" in line and ": error:" in line
    } == set("456789")


def test_each_public_name_is_used_above() -> None:
    used = set(re.findall(r"\w+", PROGRAM))
    assert set(flowc.__all__) - used == set()
    assert (Path(str(flowc.__file__)).parent / "py.typed").exists()


def test_help_tells_what_there_is() -> None:
    text = pydoc.plain(pydoc.render_doc(flowc))
    assert text.index("`run` and `Flow` submit tasks") < text.index("FUNCTIONS")
    assert all(name in text for name in flowc.__all__ if name != "__version__")
    described = pydoc.plain(pydoc.render_doc(flowc.Flow.run))
    assert all(f"{name}:" in described for name in ("wait", "secrets", "code", "after", "budget", "release", "deliver"))


@pytest.mark.parametrize("kind", [flowc.Flow, flowc.Task, flowc.TaskConfig, flowc.TaskConfigBuilder])
def test_each_method_says_what_it_does(kind: type) -> None:
    for name, member in vars(kind).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert inspect.getdoc(member) or name.startswith("with_"), name


def test_the_names_are_told_and_loaded_when_they_are_asked_for(tmp_path: Path) -> None:
    text = (
        "import sys, flowc\n"
        "assert 'flowc.sdk.flow' not in sys.modules and 'flowc.driver' not in sys.modules\n"
        "assert 'Flow' in dir(flowc)\n"
        "from flowc import *\n"
        "assert run is flowc.run and issubclass(ValidationError, FlowError)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
