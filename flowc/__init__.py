"""flowc compiles jobs to cloud requests.

>>> import flowc
>>> result = flowc.compile("#!/bin/bash\\n#SBATCH --gres=gpu:h100:8 --time=1:00:00\\npython train.py\\n")
>>> result.failed
False

`compile` and `check` return values and never print; user mistakes are diagnostics in the result, never exceptions.

`run` and `Flow` submit tasks and look after them (docs/python.md): what goes wrong there is a FlowError.
"""

from flowc.version import VERSION as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any, Unpack

    from flowc.diag.sink import Diagnostic
    from flowc.driver import Result
    from flowc.inputs import Flags, Inputs
    from flowc.sdk.config import Constraints, DataMount, Retries, TaskConfig, TaskConfigBuilder, VolumeSpec
    from flowc.sdk.errors import (
        AuthenticationError,
        ConfigurationError,
        ConflictError,
        FlowcError,
        FlowError,
        InsufficientQuotaError,
        InterruptedSubmissionError,
        NotFoundError,
        ProviderError,
        RateLimitError,
        RemoteError,
        TaskTimeoutError,
        UnavailableError,
        ValidationError,
    )
    from flowc.sdk.fields import RunOptions
    from flowc.sdk.flow import Flow, What
    from flowc.sdk.task import Instance, Task, User
    from flowc.source import Source

__all__ = [
    "AuthenticationError",
    "ConfigurationError",
    "ConflictError",
    "Constraints",
    "DataMount",
    "Diagnostic",
    "Flags",
    "Flow",
    "FlowError",
    "FlowcError",
    "Inputs",
    "Instance",
    "InsufficientQuotaError",
    "InterruptedSubmissionError",
    "NotFoundError",
    "ProviderError",
    "RateLimitError",
    "RemoteError",
    "Result",
    "Retries",
    "Source",
    "Task",
    "TaskConfig",
    "TaskConfigBuilder",
    "TaskTimeoutError",
    "UnavailableError",
    "User",
    "ValidationError",
    "VolumeSpec",
    "__version__",
    "check",
    "compile",
    "find_instances",
    "get_task",
    "invoke",
    "list_tasks",
    "run",
]

# Each is imported when it is first asked for: a check needs none of them.
_ERRORS = (
    *("AuthenticationError", "ConfigurationError", "ConflictError", "FlowError", "FlowcError"),
    *("InsufficientQuotaError", "InterruptedSubmissionError", "NotFoundError", "ProviderError", "RateLimitError"),
    *("RemoteError", "TaskTimeoutError", "UnavailableError", "ValidationError"),
)
_MODELS = ("Constraints", "DataMount", "Retries", "TaskConfig", "TaskConfigBuilder", "VolumeSpec")
_HOMES = {
    "Diagnostic": "flowc.diag.sink",
    "Flags": "flowc.inputs",
    "Inputs": "flowc.inputs",
    "Result": "flowc.driver",
    "Source": "flowc.source",
    "Flow": "flowc.sdk.flow",
    **dict.fromkeys(("Instance", "Task", "User"), "flowc.sdk.task"),
    **dict.fromkeys(_ERRORS, "flowc.sdk.errors"),
    **dict.fromkeys(_MODELS, "flowc.sdk.config"),
}


def compile(
    source: "Source | str | bytes",
    inputs: "Inputs | None" = None,
    *,
    path: str | None = None,
    emit: str = "mithril",
    frontend: str | None = None,
    strict: bool = False,
) -> "Result":
    """Compile one job description to the artifacts of a target.

    `source` is a text, its bytes or a `Source`; `path` names a text in diagnostics and serves detection, which without
    it goes by what stands in the text; `emit` is one of `flowc.driver.TARGETS` (ValueError otherwise); `frontend` is
    the name of a format and overrides detection (ValueError for no such name); `strict` makes warnings errors.
    """
    from flowc.driver import compile as run

    return run(_source(source, path), inputs or _no_inputs(), emit=emit, frontend=frontend, strict=strict)


def check(
    source: "Source | str | bytes",
    inputs: "Inputs | None" = None,
    *,
    path: str | None = None,
    frontend: str | None = None,
    strict: bool = False,
) -> "Result":
    """The diagnostics of one job description; the same pipeline as `compile`, without artifacts."""
    from flowc.driver import check as run

    return run(_source(source, path), inputs or _no_inputs(), frontend=frontend, strict=strict)


def run(task: "What" = None, /, **options: "Unpack[RunOptions]") -> "Task":
    """Submit a task: `flowc.run("python train.py", gpu="a100")`. As `Flow.run`, with the settings of the command line.
    Raises FlowError."""
    from flowc.sdk.flow import Flow

    return Flow().run(task, **options)


def invoke(module: "str | PathLike[str]", function: str, /, *args: "Any", **kwargs: "Any") -> "Any":
    """As `Flow.invoke`."""
    from flowc.sdk.flow import Flow

    return Flow().invoke(module, function, *args, **kwargs)


def get_task(task_id: str) -> "Task":
    """As `Flow.get_task`."""
    from flowc.sdk.flow import Flow

    return Flow().get_task(task_id)


def list_tasks(limit: int = 100) -> "list[Task]":
    """As `Flow.list_tasks`."""
    from flowc.sdk.flow import Flow

    return Flow().list_tasks(limit)


def find_instances(requirements: "Mapping[str, Any]", limit: int = 10) -> "list[dict[str, Any]]":
    """As `Flow.find_instances`."""
    from flowc.sdk.flow import Flow

    return Flow().find_instances(requirements, limit)


def _source(source: "Source | str | bytes", path: str | None) -> "Source":
    from flowc.source import Source

    if not isinstance(source, (str, bytes)):
        return source
    found = Source.from_bytes(path or "", source) if isinstance(source, bytes) else Source(path or "", source)
    if path is not None:
        return found
    # A script has an interpreter or directives; anything else is a document, in one of several formats.
    script = found.text.startswith("#!") or "\n#SBATCH" in f"\n{found.text}"
    named = "job.sbatch" if script else "job.yaml"
    return Source.from_bytes(named, source) if isinstance(source, bytes) else Source(named, source)


def _no_inputs() -> "Inputs":
    from flowc.inputs import Inputs

    return Inputs()


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(__import__(_HOMES[name], fromlist=[name]), name)
    raise AttributeError(f"module 'flowc' has no attribute {name!r}")
