"""`Flow.invoke`: a function of a module of ours runs on a machine; its result, or its exception, comes back.

The module's file, or the whole package that it stands in, goes with the script of the job; arguments and results are
JSON. A result that is a path is brought as a file.
"""

from __future__ import annotations

import ast
import base64
import json
import math
import os
import pathlib
import tempfile
import time
from contextlib import suppress
from difflib import get_close_matches

from flowc.providers.errors import ProviderError
from flowc.sdk.errors import FlowError, RemoteError, ValidationError
from flowc.sdk.runner import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.providers.base import Provider
    from flowc.providers.base import Task as Seen
    from flowc.sdk.task import Task
    from flowc.submit.journal import Bid

# The most bytes of code, and of arguments, that go with a script.
MOST_BYTES = 1 << 20
RESULT = ".flowc-result.json"
FILE = "flowc file"
# Where it runs unless its config says otherwise.
FOLDER = "/workspace"


def script_of(
    module: str | os.PathLike[str], function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, trust: bool
) -> str:
    """The script of a job that runs a function. Raises ValidationError for what cannot be run or sent."""
    path, name, root = _module(os.fspath(module))
    _check_function(path, function)
    for index, value in enumerate(args):
        _check_json(value, f"argument {index + 1}")
    for key, value in kwargs.items():
        _check_json(value, f"argument '{key}'")
    payload = {
        "files": _files(path, root),
        "module": name,
        "function": function,
        "args": list(args),
        "kwargs": dict(kwargs),
        "trust": trust,
        "result": RESULT,
    }
    text = json.dumps(payload)
    if len(text) > MOST_BYTES:
        raise ValidationError(f"code and arguments have {len(text):,} bytes, at most {MOST_BYTES:,} go with a function")
    return PROGRAM.replace("PAYLOAD", ascii(text), 1)


def outcome(task: Task, folder: str, *, trust: bool, timeout: float | None) -> Any:
    """Waits for a task, and gives what its function gave. Raises RemoteError with its exception, TaskTimeoutError, and
    FlowError for a job without a result."""
    fetched = _Fetched(os.path.join(folder, RESULT))
    task.wait(timeout, output=fetched)
    name = task.task_id
    try:
        found = json.loads(fetched.result or b"")
    except ValueError:
        raise FlowError(
            f"{name} has ended without a result",
            suggestions=(f"get_task({name!r}).logs() says why",),
        ) from None
    if "type" in found:
        raise RemoteError(str(found["type"]), str(found.get("message", "")), str(found.get("traceback", "")))
    if "pickle" in found:
        if not trust:
            raise FlowError(f"{name} gave a pickle, which is loaded with trust=True alone")
        import pickle

        return pickle.loads(base64.b64decode(found["pickle"]))
    return fetched.restored(found.get("value"))


class _Fetched:
    """Brings the result, and the files that it names, before the machines go: an Output of Waiting."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._files: dict[str, pathlib.Path] = {}
        self.result: bytes | None = None

    def more(self, provider: Provider, bid: Bid, task: Seen) -> bool:
        return False

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def last(self, provider: Provider, bid: Bid, task: Seen) -> None:
        if self.result is not None or not task.machines:
            return
        with suppress(ProviderError):  # what cannot be had must not keep the bill running
            self.result = self._read(provider, task, self._path)
            if self.result is not None:
                with suppress(ValueError):
                    self._bring(provider, task, json.loads(self.result).get("value"))

    def restored(self, value: Any) -> Any:
        """The value with files for what was paths there."""
        if isinstance(value, list):
            return [self.restored(each) for each in value]
        if isinstance(value, dict):
            if value.keys() == {FILE}:
                if value[FILE] not in self._files:
                    raise FlowError(f"the file {value[FILE]} of the result could not be brought")
                return self._files[value[FILE]]
            return {key: self.restored(each) for key, each in value.items()}
        return value

    def _bring(self, provider: Provider, task: Seen, value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                self._bring(provider, task, each)
        elif isinstance(value, dict) and value.keys() == {FILE}:
            there = str(value[FILE])
            data = self._read(provider, task, there)
            if data is not None:
                here = pathlib.Path(tempfile.mkdtemp(prefix="flowc-"), pathlib.PurePosixPath(there).name or "file")
                here.write_bytes(data)
                self._files[there] = here
        elif isinstance(value, dict):
            for each in value.values():
                self._bring(provider, task, each)

    def _read(self, provider: Provider, task: Seen, path: str) -> bytes | None:
        found = b""
        while piece := provider.read(task, task.machines[0], path, offset=len(found)):
            found += piece
        return found if piece is not None else None


def _module(module: str) -> tuple[str, str, str]:
    """The file of a module, its name, and the folder that it is found below. Raises ValidationError."""
    if not module.endswith(".py"):
        import sys

        inside = os.path.join(*module.split("."))
        places = [os.path.join(folder or ".", f"{inside}.py") for folder in sys.path]
        found = next((place for place in places if os.path.isfile(place)), None)
        if found is None:
            raise ValidationError(
                f"there is no module '{module}'", suggestions=("name its file, such as 'train.py'",), field="module"
            )
        module = found
    path = os.path.abspath(module)
    if not os.path.isfile(path):
        raise ValidationError(f"there is no file '{module}'", field="module")
    folder, file = os.path.split(path)
    parts = [file.removesuffix(".py")]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return path, ".".join(parts), folder


def _check_function(path: str, function: str) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read(), path)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValidationError(f"{path} cannot be read as Python: {error}", field="module") from None
    names = [each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    given = [each for node in tree.body for each in ast.walk(node) if isinstance(each, ast.Name | ast.alias)]
    others = [each.id if isinstance(each, ast.Name) else (each.asname or each.name) for each in given]
    if function not in names and function not in others:
        near = get_close_matches(function, names, n=1)
        raise ValidationError(
            f"there is no function '{function}' in {os.path.basename(path)}",
            details=(f"Did you mean: '{near[0]}'?",) if near else (),
            field="function",
        )


def _check_json(value: Any, what: str) -> None:
    if isinstance(value, list | tuple):
        for each in value:
            _check_json(each, what)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise ValidationError(f"{what} has a key {key!r}, expected a text", field=what)
            _check_json(each, what)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValidationError(f"{what} is {value}, which JSON does not have", field=what)
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise ValidationError(
            f"{what} is a {type(value).__name__}, which JSON does not have",
            suggestions=("pass texts, numbers, lists and mappings; data go by a volume or a bucket",),
            field=what,
        )


def _files(path: str, root: str) -> dict[str, str | list[str]]:
    """The module's file, or all files of its package: text, or base64 in a list."""
    first = os.path.relpath(path, root).split(os.sep)[0]
    paths = [path]
    if os.path.isdir(os.path.join(root, first)):
        paths = [
            os.path.join(folder, name)
            for folder, folders, names in os.walk(os.path.join(root, first))
            if not folders.sort() and "__pycache__" not in folder
            for name in sorted(names)
            if not name.endswith((".pyc", ".pyo"))
        ]
    found: dict[str, str | list[str]] = {}
    size = 0
    for each in paths:
        size += os.path.getsize(each)
        if size > MOST_BYTES:
            raise ValidationError(
                f"the package {first} has more than {MOST_BYTES:,} bytes",
                suggestions=("keep what is invoked in a module of its own",),
                field="module",
            )
        data = pathlib.Path(each).read_bytes()
        try:
            found[os.path.relpath(each, root)] = data.decode()
        except UnicodeDecodeError:
            found[os.path.relpath(each, root)] = [base64.b64encode(data).decode()]
    return found
