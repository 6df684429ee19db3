"""What a caller asks to be run, in each of its forms, as a source with what a compilation is told besides."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from flowc.inputs import Flags, Inputs
from flowc.record import Record
from flowc.sdk.errors import ValidationError
from flowc.sdk.writing import Written, number_text, plain
from flowc.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.source import Span

# How files of jobs end: no program is called so.
JOB_FILES = (".sbatch", ".slurm", ".yaml", ".yml", ".json")
# The largest file of a job.
MAX_BYTES = 16 << 20
# Fields of a task that say what its machine is.
_MACHINES = ("instance_type", "min_gpu_memory_gb", "min_cpus", "min_memory_gb")
# Fields of a task that are job flags too, so that they can be set over a file.
_FLAGS = (
    *("name", "instance_type", "num_instances", "region", "max_price_per_hour", "env", "ssh_keys", "priority", "image"),
    *("data", "ports", "max_run_time_hours"),
)


class Asked(Record):
    """What is compiled. `frontend` None: it is found out. `written`: the arguments of the call, as a text."""

    UNSHOWN = ("inputs", "written")

    source: Source
    inputs: Inputs
    written: Written
    frontend: str | None


def asked(what: object, fields: Mapping[str, Any], inputs: Inputs, *, name: str) -> Asked:
    """`what` is a command, a config, fields, a path or a Source; `fields` win over what it says; `name` is the call,
    for messages. Raises ValidationError."""
    fields, labels = _renamed(fields)
    if isinstance(what, Source):
        return _of_file(what, fields, labels, inputs, name)
    if isinstance(what, os.PathLike):
        return _of_file(_read(os.fspath(what)), fields, labels, inputs, name)
    own, own_labels = _renamed(_fields_of(what, fields))
    if not isinstance(plain(what), Mapping) and not any(name in fields for name in _MACHINES):
        own = {**own, "min_cpus": 1}  # as for a command on the command line: the cheapest there is, with a warning
    written = Written(name, {**own, **fields}, {**own_labels, **labels})
    return Asked(source=written.source, inputs=inputs, written=written, frontend="task-yaml")


def _renamed(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """`gpu` is a name that people know; a task has its `instance_type`."""
    if fields.get("gpu") is None:
        return {key: value for key, value in fields.items() if key != "gpu"}, {}
    if fields.get("instance_type") is not None:
        raise ValidationError("'gpu' and 'instance_type' mean the same: keep one", field="gpu")
    return {("instance_type" if key == "gpu" else key): fields[key] for key in fields}, {"instance_type": "gpu"}


def _fields_of(what: object, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if what is None:
        return {}
    value = plain(what)
    if isinstance(value, Mapping):
        return value
    given = [key for key in ("command", "shell", "script") if fields.get(key) is not None]
    if given:
        raise ValidationError(f"the command is given, and '{given[0]}' too: keep one", field=given[0])
    if isinstance(value, str):
        if value.endswith(JOB_FILES) and len(value.split()) == 1:
            raise ValidationError(
                f"'{value}' looks like a job file, and a text is a command",
                suggestions=(f"a file is a path: pathlib.Path({value!r})",),
                field="command",
            )
        return {"command": value}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return {"command": list(value)}
    raise ValidationError(
        f"a {type(what).__name__} is nothing that can be run",
        suggestions=("give a command, a TaskConfig, a mapping of its fields, or the path of a job file",),
        field="command",
    )


def _read(path: str) -> Source:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}", field="path") from None
    if len(data) > MAX_BYTES:
        raise ValidationError(f"{path} has more than {MAX_BYTES >> 20} MiB: is it a job?", field="path")
    return Source.from_bytes(path, data)


def _of_file(source: Source, fields: Mapping[str, Any], labels: dict[str, str], inputs: Inputs, name: str) -> Asked:
    given = {key: value for key, value in fields.items() if value is not None}
    for key in given:
        if key not in _FLAGS:
            known = ", ".join(each for each in _FLAGS)
            raise ValidationError(
                f"'{key}' cannot be set over a file", suggestions=(f"these can: gpu, {known}",), field=key
            )
    written = Written(name, given, labels)
    values: dict[str, Any] = {}
    spans: list[tuple[str, Span]] = list(inputs.flag_spans)
    for key, value in given.items():
        field, values_of = _flag(key, value, labels.get(key, key))
        values[field] = values_of
        place = written.span(key)
        spans.append((field, place))
        if isinstance(values_of, tuple):
            spans += [(f"{field}.{index}", place) for index in range(len(values_of))]
    flags: Flags = inputs.flags.replace(**values)
    inputs = inputs.replace(flags=flags, flag_spans=tuple(spans))
    return Asked(source=source, inputs=inputs, written=written, frontend=None)


def _flag(key: str, value: Any, label: str) -> tuple[str, Any]:
    """A field of a task as a job flag: its name, and its value as the command line has it. Raises ValidationError."""
    value = plain(value)
    try:
        if key == "data":
            return "mounts", tuple(f"{target}={source}" for target, source in dict(value).items())
        if key == "env":
            return key, tuple((str(name), _text(each)) for name, each in dict(value).items())
        if key in ("ports", "ssh_keys"):
            return key, tuple(str(each) for each in value)
        if key == "max_price_per_hour":
            return key, number_text(value)
        if key == "max_run_time_hours":
            seconds = int(float(number_text(value)) * 3600)
            return "time", f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        if key == "num_instances":
            return key, int(number_text(value))
        return key, _text(value)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"{label}: {error}", field=label) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, not {value!r}")
    return value
