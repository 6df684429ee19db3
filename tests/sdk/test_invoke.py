"""Functions on a machine: results and exceptions that come back, and what is refused before anything is paid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flowc

MODULE = """
import pathlib
def add(a, b=1, *, words=()):
    return {"sum": a + b, "words": list(words), "none": None}
def fails(what):
    raise KeyError(what)
def writes():
    path = pathlib.Path("out.bin")
    path.write_bytes(bytes(range(256)) * 9000)
    return [path, "done"]
def odd():
    return {1, 2}
def leaves():
    import os
    os._exit(3)
"""


def test_results_exceptions_and_files_come_back(runs: Callable[..., str]) -> None:
    out = runs(
        f"""
import pathlib
pathlib.Path("work.py").write_text({MODULE!r})
print(flow.invoke("work.py", "add", 2, b=40, words=["ä", "'"], gpu="a100"))
print(flow.invoke("work", "add", 1.5, config={{"instance_type": "a100", "name": "adds"}}))
try:
    flow.invoke("work.py", "fails", "x", gpu="a100")
except flowc.RemoteError as error:
    print(error.type_name, error.remote_message, "raise KeyError(what)" in error.traceback, "KeyError" in str(error))
path, word = flow.invoke("work.py", "writes", gpu="a100")
print(path.name, path.read_bytes() == bytes(range(256)) * 9000, word)
try:
    flow.invoke("work.py", "odd", gpu="a100")
except flowc.RemoteError as error:
    print(error.type_name, error.remote_message)
print(flow.invoke("work.py", "odd", gpu="a100", trust=True))
try:
    flow.invoke("work.py", "leaves", gpu="a100")
except flowc.FlowError as error:
    print("without a result" in str(error))
print(sorted({{task.status for task in flow.list_tasks()}}))
""",
        PYTHONPATH=f"{Path(flowc.__file__).parents[1]}:.",
    )
    assert out.splitlines() == [
        "{'sum': 42, 'words': ['ä', \"'\"], 'none': None}",
        "{'sum': 2.5, 'words': [], 'none': None}",
        "KeyError 'x' True True",
        "out.bin True done",
        "TypeError a set is nothing that JSON has",
        "{1, 2}",
        "True",
        "['completed', 'failed']",
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


@pytest.mark.parametrize(
    ("function", "args", "words"),
    [
        ("ad", (), "Did you mean: 'add'?"),
        ("add", ({1},), "argument 1 is a set"),
        ("add", ([float("nan")],), "argument 1 is nan"),
        ("add", ({1: 2},), "a key 1, expected a text"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    function: str, args: tuple[Any, ...], words: str, offline: flowc.Flow, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(MODULE)
    with pytest.raises(flowc.ValidationError) as caught:
        offline.invoke(tmp_path / "work.py", function, *args, gpu="a100")
    assert words in str(caught.value)
    with pytest.raises(flowc.ValidationError, match="there is no file"):
        offline.invoke(tmp_path / "none.py", function, gpu="a100")


def test_too_much_code_is_refused(offline: flowc.Flow, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("def run():\n    pass\n")
    (tmp_path / "pack" / "data").write_bytes(bytes(1 << 20))
    with pytest.raises(flowc.ValidationError, match="more than 1,048,576 bytes"):
        offline.invoke(tmp_path / "pack" / "__init__.py", "run", gpu="a100")
