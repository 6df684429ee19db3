"""Tasks from Python on this computer, from the call to the exit status."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
from collections.abc import Callable

import pytest

from tests.tasks.conftest import Person


def test_a_command_to_its_lines_and_its_end(runs: Callable[..., str]) -> None:
    out = runs("""
task = flow.run("echo out; echo err >&2; exit 7", gpu="a100", name="train")
print(list(task.logs(follow=True)), task.status, task.exit_status, task.instance_type)
print(repr(task.logs()), list(task.logs(follow=True)))
task.wait()
task.cancel()
print(task.task_id.startswith("train-"), flow.get_task(task.task_id) == task, flow.list_tasks() == [task])
print(len({task, flow.get_task("train")}), [each.status for each in task.get_instances()])
print(task.get_user().user_id.isdigit(), "status='failed'" in repr(task))
""")
    assert out.splitlines() == [
        "['out', 'err'] failed 7 a100-80gb.sxm.1x",
        "'out\\nerr\\n' ['out', 'err']",
        "True True True",
        "1 ['off']",
        "True True",
    ]


def test_time_that_is_up_and_a_task_that_is_cancelled(runs: Callable[..., str]) -> None:
    out = runs("""
task = flow.submit("sleep 600", gpu="a100")
try:
    task.wait(timeout=0.2)
except TimeoutError as error:
    print(isinstance(error, flowc.FlowError), "has not ended within 0.2 seconds" in str(error))
try:
    flow.run("sleep 600", gpu="a100")
except flowc.ConflictError as error:
    print("force_new=True" in str(error))
task.cancel()
task.wait()
print(task.status)
""")
    assert out.splitlines() == ["True True", "True", "cancelled"]


def test_several_threads_share_a_flow(runs: Callable[..., str]) -> None:
    out = runs("""
from concurrent.futures import ThreadPoolExecutor
def one(number):
    task = flow.run(f"echo {number}", gpu="a100", name=f"job{number}")
    task.wait(timeout=600)
    return task
with ThreadPoolExecutor(4) as pool:
    tasks = list(pool.map(one, range(4)))
print([task.logs() for task in tasks], {task.status for task in tasks})
""")
    assert out == "['0\\n', '1\\n', '2\\n', '3\\n'] {'completed'}\n"


def test_secrets_reach_the_job_and_no_repr(runs: Callable[..., str]) -> None:
    out = runs(
        """
task = flow.run('echo "${#TOKEN} letters"', gpu="a100", secrets=["TOKEN"], wait=True)
print(task.logs(), end="")
print("hunter2-hunter2" in repr(task) + repr(flow))
try:
    flow.run("true", gpu="a100", secrets=["NONE_SUCH"])
except flowc.ConfigurationError as error:
    print("NONE_SUCH" in str(error))
""",
        TOKEN="hunter2-hunter2",
    )
    assert out.splitlines() == ["15 letters", "False", "True"]


def test_an_array_is_several_tasks(runs: Callable[..., str]) -> None:
    out = runs("""
import pathlib
path = pathlib.Path("job.sbatch")
path.write_text("#!/bin/bash\\n#SBATCH --array=0-1 --gpus=h100:8 --time=10\\necho $SLURM_ARRAY_TASK_ID $A\\n")
try:
    flow.run(path)
except flowc.ValidationError as error:
    print(error.message)
tasks = flow.run_all(path, env={"A": "b"})
for task in tasks:
    task.wait()
print(sorted(task.logs() for task in tasks))
""")
    assert out.splitlines() == ["this makes 2 tasks", "['0 b\\n', '1 b\\n']"]


@pytest.mark.parametrize("call", ["task.wait()", "list(task.logs(follow=True))"])
def test_ctrl_c_ends_the_waiting_and_nothing_else(call: str, runs: Callable[..., str]) -> None:
    out = runs(f"""
import signal, threading
task = flow.run("sleep 600", gpu="a100")
threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT)).start()
try:
    {call}
except KeyboardInterrupt:
    print(task.status in ("pending", "provisioning", "running"))
task.cancel()
print(task.status)
""")
    assert out == "True\ncancelled\n"


def test_a_terminal_is_entered_from_python(here: Person) -> None:
    """What somebody types at it is typed there."""
    program = here.home / "program.py"
    program.write_text(
        "import flowc, time\nflow = flowc.Flow(provider='local')\n"
        "task = flow.run('echo begun; sleep 600', gpu='a100', env={'WORD': 'of the job'})\n"
        "while task.status != 'running': time.sleep(0.05)\n"
        "print('entering', flush=True)\ntask.ssh()\nprint('left', flush=True)\ntask.cancel()\n"
        "try:\n    task.ssh()\nexcept flowc.FlowError as error:\n    print(error.message)\n"
    )
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [here.program, "-B", str(program)],
        cwd=here.home,
        env={**here.environ, "TERM": "dumb"},
        stdin=child,
        stdout=child,
        stderr=child,
        **here.options,  # type: ignore[call-overload]
    )
    os.close(child)
    said = b""
    typed = False
    with contextlib.suppress(OSError):  # that is how the end of a terminal is told
        while data := os.read(parent, 4096):
            said += data
            if b"entering" in said and not typed:
                typed = True
                os.write(parent, b'echo a$((40+2))b "$WORD"; exit 4\n')
    os.close(parent)
    text = said.decode()
    assert process.wait(600) == 0, text
    assert "a42b of the job" in text
    assert re.search(r"flow-task-\w+ is off", text.partition("left")[2]), text
