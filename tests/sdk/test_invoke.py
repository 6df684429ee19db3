"""Functions on a machine: results and exceptions that come back, and what is refused before anything is paid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flowc
from tests.tasks.conftest import Cloud

MODULE = """
import asyncio, pathlib
def add(a, b=1, *, words=()):
    return {"sum": a + b, "words": list(words), "none": None}
def fails(what):
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise KeyError(what) from error
def writes():
    path = pathlib.Path("out.bin")
    path.write_bytes(bytes(range(256)) * 9000)
    folder = pathlib.Path("run/deep")
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "link").symlink_to("a.txt")
    return [path, {"again": path}, folder.parent, "done"]
def odd():
    return {1, 2}
def leaves():
    import os
    os._exit(3)
def prints():
    print("half a line", end="")
    return {1: float("inf"), (2, 3): [True, None], "flowc file": 4}
async def waits(seconds):
    await asyncio.sleep(seconds)
    return "waited"
def yields():
    yield 1
def names_nothing():
    return pathlib.Path("none.txt")
def exits():
    raise SystemExit(0)
def large(count):
    return "x" * count
class Odd(Exception):
    def __str__(self):
        raise RuntimeError
def raises_odd():
    raise Odd
def square(number):
    return number * number
def in_processes():
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.map(square, range(4))
"""


def test_results_exceptions_and_files_come_back(runs: Callable[..., str]) -> None:
    out = runs(
        f"""
import pathlib, platform
pathlib.Path("work.py").write_text({MODULE!r})
print(flow.invoke("work.py", "add", 2, b=40, words=["ä", "'"], gpu="a100"))
print(flow.invoke("work", "add", 1.5, config={{"instance_type": "a100", "name": "adds"}}))
try:
    flow.invoke("work.py", "fails", "x", gpu="a100")
except flowc.RemoteError as error:
    print(error.type_name, error.remote_message, "raise KeyError(what)" in error.traceback, "KeyError" in str(error))
    print("ZeroDivisionError" in str(error), "direct cause" in str(error), error.python == platform.python_version())
path, again, folder, word = flow.invoke("work.py", "writes", gpu="a100")
print(path.name, path.read_bytes() == bytes(range(256)) * 9000, again == {{"again": path}}, word)
inside = sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))
print(folder.name, inside, (folder / "deep/link").is_symlink())
try:
    flow.invoke("work.py", "odd", gpu="a100")
except flowc.RemoteError as error:
    print(error.type_name, error.remote_message)
print(flow.invoke("work.py", "odd", gpu="a100", trust=True))
try:
    flow.invoke("work.py", "leaves", gpu="a100")
except flowc.FlowError as error:
    print("without a result: failed, exit status 3" in str(error), "logs() says why" in str(error))
print(sorted({{task.status for task in flow.list_tasks()}}))
""",
        PYTHONPATH=f"{Path(flowc.__file__).parents[1]}:.",
    )
    assert out.splitlines() == [
        "{'sum': 42, 'words': ['ä', \"'\"], 'none': None}",
        "{'sum': 2.5, 'words': [], 'none': None}",
        "KeyError 'x' True True",
        "True True True",
        "out.bin True True done",
        "run ['deep', 'deep/a.txt', 'deep/link'] False",
        "TypeError a set is nothing that JSON has",
        "{1, 2}",
        "True True",
        "['completed', 'failed']",
    ]


def test_whatever_a_function_does_comes_back(runs: Callable[..., str]) -> None:
    out = runs(f"""
import pathlib
pathlib.Path("work.py").write_text({MODULE!r})
def tried(name, *args):
    try:
        return flow.invoke("work.py", name, *args, gpu="a100")
    except flowc.RemoteError as error:
        return error.message
print(tried("prints"))
print(tried("waits", 0.01))
print(tried("yields"))
print(tried("names_nothing").split(": ")[:2])
print(tried("exits"))
print(tried("raises_odd"))
print(tried("in_processes"))
print(len(tried("large", 3_000_000)))
print(tried("large", 70_000_000))
print([task.logs() for task in flow.list_tasks()][-1])
""")
    assert out.splitlines() == [
        "{1: inf, (2, 3): [True, None], 'flowc file': 4}",
        "waited",
        "TypeError: a generator is nothing that JSON has: give a list of what it yields",
        "['FileNotFoundError', 'the result names a file that is not there']",
        "SystemExit: 0",
        "Odd: (its text cannot be had)",
        "[0, 1, 4, 9]",
        "3000000",
        "ValueError: the result has 70,000,033 bytes, at most 67,108,864 come back: give the pathlib.Path of a file",
        "half a line",
    ]


def test_a_module_of_a_package_brings_it_along(runs: Callable[..., str]) -> None:
    out = runs("""
import pathlib
folder = pathlib.Path("mine/parts")
folder.mkdir(parents=True)
for path in ("mine/__init__.py", "mine/parts/__init__.py"):
    pathlib.Path(path).write_text("")
pathlib.Path("mine/base.py").write_text("NUMBER = 7")
pathlib.Path("mine/parts/work.py").write_text("from mine.base import NUMBER; get = lambda: NUMBER")
print(flow.invoke("mine/parts/work.py", "get", gpu="a100"))
""")
    assert out.split() == ["7"]


def test_what_a_module_imports_beside_it_comes_along(runs: Callable[..., str]) -> None:
    out = runs("""
import pathlib
pathlib.Path("helpers").mkdir()
pathlib.Path("helpers/__init__.py").write_text("")
pathlib.Path("helpers/deep.py").write_text("import constants\\ndef number(): return constants.NUMBER")
pathlib.Path("constants.py").write_text("NUMBER = 7")
pathlib.Path("secret.py").write_text("1/0")
pathlib.Path("work.py").write_text(
    "import json\\ndef get():\\n    from helpers.deep import number\\n    return number()\\n"
    "def has(): import os, sys; return os.path.exists(sys.path[0] + '/secret.py')\\n"
)
print(flow.invoke("work.py", "get", gpu="a100"), flow.invoke("work.py", "has", gpu="a100"))
""")
    assert out.split() == ["7", "False"]


def test_what_the_function_does_not_take_is_for_its_task(runs: Callable[..., str]) -> None:
    out = runs(
        """
import pathlib
pathlib.Path("work.py").write_text(
    "import os\\ndef scale(a, b, *, by=1): return [(a + b) * by, os.environ['WORD'], os.environ['TOKEN']]\\n"
    "def named(name): return name\\n"
)
env = {"WORD": "w"}
print(flow.invoke("work.py", "scale", 3, 4, by=10, gpu="a100", env=env, secrets=["TOKEN"], max_price_per_hour=5.0))
print(flow.invoke("work.py", "scale", args=[3, 4], kwargs={"by": 2}, instance_type="a100", env=env, secrets=["TOKEN"]))
print(flow.invoke("work.py", "named", name="of the function", gpu="a100"))
""",
        TOKEN="t",
    )
    assert out.splitlines() == ["[70, 'w', 't']", "[14, 'w', 't']", "of the function"]


def test_a_result_waits_for_who_asks_later(runs: Callable[..., str]) -> None:
    out = runs("""
import pathlib
pathlib.Path("work.py").write_text("import time\\ndef slow(): time.sleep(1); return 'slow'")
try:
    flow.invoke("work.py", "slow", gpu="a100", timeout=0.01)
except flowc.TaskTimeoutError:
    (task,) = flow.list_tasks()
print(flowc.Flow(provider="local").get_task(task.task_id).result(), task.result(timeout=60))
try:
    flow.run("true", gpu="a100").result()
except flowc.ConflictError as error:
    print(error.message.endswith("runs no function"))
""")
    assert out.split("\n") == ["slow slow", "True", ""]


def test_a_result_is_there_though_another_process_has_ended_the_bid(cloud: Cloud) -> None:
    flow = flowc.Flow(environ=cloud.person.environ)
    (cloud.person.home / "work.py").write_text(MODULE)
    config = {"instance_type": "8xh100", "max_run_time_hours": 1}
    with pytest.raises(flowc.TaskTimeoutError):
        flow.invoke(cloud.person.home / "work.py", "writes", config=config, timeout=0)
    (task,) = flow.list_tasks()
    done = cloud.person.types("wait", task.task_id)
    assert (done.returncode, cloud.living()) == (0, []), done.stderr
    path, _, folder, word = task.result()
    assert (path.read_bytes()[:3], (folder / "deep" / "a.txt").read_text(), word) == (b"\0\1\2", "a", "done")


def test_a_container_has_the_folder_of_the_result() -> None:
    """Else what is written there is gone with the container."""
    text = "instance_type: a100\nimage: python:3.11-slim\nscript: |\n  #!/usr/bin/env python3\n"
    (script,) = flowc.compile(text, flowc.Inputs(returns="/var/lib/result"), path="task.yaml", emit="script").artifacts
    assert "--mount type=bind,src=/var/lib/result,dst=/var/lib/result" in script.text
    assert "mkdir -p /var/lib/result\n" in script.text
    bare = flowc.compile(text.replace("image", "# image"), flowc.Inputs(returns="/var/lib/result"), path="task.yaml")
    assert not bare.failed


@pytest.mark.parametrize(
    ("function", "args", "words"),
    [
        ("ad", (), "Did you mean: 'add'?"),
        ("add", ({1},), "argument 1 is a set"),
        ("add", ([float("nan")],), "argument 1 is nan"),
        ("add", ({1: 2},), "a key 1, expected a text"),
        ("add", (), "add(a, b=…, *, words=…): missing a required argument: 'a'"),
        ("add", (1, 2, 3), "too many positional arguments"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    function: str, args: tuple[Any, ...], words: str, offline: flowc.Flow, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(MODULE)
    with pytest.raises(flowc.ValidationError) as caught:
        offline.invoke(tmp_path / "work.py", function, *args, gpu="a100")
    assert words in str(caught.value)
    with pytest.raises(flowc.ValidationError, match="got an unexpected keyword argument 'words_'"):
        offline.invoke(tmp_path / "work.py", "add", 1, words_=(), gpu="a100")
    with pytest.raises(flowc.ValidationError, match="there is no file"):
        offline.invoke(tmp_path / "none.py", function, gpu="a100")


def test_too_much_code_is_refused(offline: flowc.Flow, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("def run():\n    pass\n")
    (tmp_path / "pack" / "data").write_bytes(bytes(1 << 20))
    with pytest.raises(flowc.ValidationError, match="more than 1,048,576 bytes"):
        offline.invoke(tmp_path / "pack" / "__init__.py", "run", gpu="a100")
