"""The task YAML as pydantic models: the one place that says which fields there are, what they may hold and what
becomes of them.

`python -m flowc.ahead` compiles the models into the table of shapes that a check uses (`flowc/_compiled/task_fields`),
`json_schema` gives their JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from flowc.frontends.task.fields import EXTRA, Flag, Model, Number, Whole, field
from flowc.frontends.task.parts import ABSOLUTE, ABSOLUTE_RULE, Constraints, DataMount, ImageBuild, Retries, Volume

Text = Annotated[str, Field(min_length=1)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE)]
PathInFolder = Annotated[str, Field(pattern=r"^[^/]+(/[^/]+)*$")]
ImageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/@-]|:[A-Za-z0-9_])*$")]

_HOURS = "write hours as a number alone: `24`, `0.5`"
_SERVERLESS = "it is for serverless functions; flowc makes jobs, so take it out"


class Task(Model):
    """A task: one command on one or more rented machines."""

    RETIRED: ClassVar[dict[str, str]] = {
        "gpu": "write `instance_type`, such as `instance_type: 8xh100`",
        "gpu_type": "write `instance_type`, such as `instance_type: 8xh100`",
        "gpus": "write `instance_type` with the count in it, such as `instance_type: 8xh100`",
        "gpu_count": "the count stands in the instance type: `instance_type: 8xh100`",
        "gpu_memory_gb": "write `min_gpu_memory_gb`",
        "timeout": "write `max_run_time_hours`, in hours",
        "time": "write `max_run_time_hours`, in hours",
        "time_limit": "write `max_run_time_hours`, in hours",
        "secrets": "name them on the command line, `--secret NAME`: values are no part of a bid, which others can read",
        "mounts": "write `data_mounts`, a list of `source` and `target`",
        "storage": "write `volumes: [{name: data, size_gb: 100, mount_path: /data}]`",
        "resources": "its keys are fields of the task: `instance_type`, `min_cpus`, `min_memory_gb`, `volumes`",
        "input": "write `data_mounts: [{source: s3://bucket/path, target: /data}]`",
        "output": "mount the bucket with `data_mounts` and let the command write there",
        "min_containers": _SERVERLESS,
        "max_containers": _SERVERLESS,
        "scaledown_window": _SERVERLESS,
        "concurrency": _SERVERLESS,
        "web_endpoint": _SERVERLESS,
        "topology": "write `constraints: {topology: spread}`, and the network as `internode_interconnect`",
        "schedule": "a job runs once; let cron or a workflow tool call flowc on schedule",
    }
    DROPPED: ClassVar[dict[str, str]] = {
        "cpu": "earlier tools ignored it as well; `min_cpus` asks for CPUs",
        "memory": "earlier tools ignored it as well; `min_memory_gb` asks for memory",
        "allow_docker_cache": "each machine pulls its images anew",
        "port": "earlier tools ignored it as well; `ports: [8080]` opens ports",
    }

    name: str = field(
        "Name of the task.",
        "train-llama",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=200,
        rule="letters, digits, dots, dashes and underscores, a letter or digit first",
        default="flow-task",
    )
    unique_name: Flag | None = field(
        "Whether a random suffix is added to the name.",
        spellings=("unique_name", "append_suffix"),
        action="ignored",
        note="the name stays as it is, so that the same file gives the same request",
    )
    idempotency_key: str | None = field(
        "Names one submission, so that it is not made twice.",
        "run-2024-06-01",
        action="ignored",
        note="the request is made here, who submits it keeps the key",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$",
        rule="up to 128 letters, digits, dots, dashes, colons and underscores, a letter or digit first",
    )

    instance_type: Text | list[Text] | None = field(
        "Machine to rent, or several in order of preference.", "8xh100", "a100-80gb.sxm.4x", ["8xh200", "8xh100"]
    )
    min_gpu_memory_gb: Whole | None = field(
        "Memory of one GPU in GB, at least; instead of `instance_type`, the cheapest such machine is taken.",
        80,
        ge=1,
        le=640,
    )
    min_cpus: Whole | None = field("CPUs of a machine, at least.", 16, ge=1)
    min_memory_gb: Whole | None = field("Memory of a machine in GB, at least.", 64, ge=1)
    num_instances: Whole = field("Number of machines.", 2, ge=1, le=100, default=1)

    command: str | list[str] | None = field(
        "What is run: a text for the shell, or a list of the program and its arguments.",
        "python train.py",
        ["python", "train.py", "--epochs", "3"],
    )
    shell: str | None = field("What is run, as a text for the shell.", "python train.py && echo done")
    script: str | None = field(
        "What is run, as a script; its first line may name an interpreter (`#!/usr/bin/env python3`).",
        "#!/bin/bash\nset -e\npython train.py\n",
        spellings=("script", "startup_script"),
    )
    image: ImageName | ImageBuild | None = field(
        "Container image in which the command runs; without one it runs on the machine itself.",
        "nvcr.io/nvidia/pytorch:24.07-py3",
        spellings=("image", "docker_image"),
        rule="a container image, such as `nvcr.io/nvidia/pytorch:24.07-py3`",
    )
    env: dict[VariableName, str] = field(
        "Environment variables. Values are texts: numbers, `true` and the like need quotes.",
        {"BATCH_SIZE": "64"},
        spellings=("env", "environment"),
        rule="a name of letters, digits and underscores, no digit first",
        type_help='write a mapping: `env: {NAME: "value"}`',
        default={},
    )
    working_dir: str | None = field(
        "Folder in which the command runs.",
        "/workspace",
        pattern=r"^(/.*|~/.*|~)$",
        rule="an absolute path or one below `~/`, such as `/workspace`",
    )

    volumes: list[Volume] = field(
        "Persistent volumes.",
        [{"name": "data", "size_gb": 100}],
        action=None,
        type_help="write a list: `volumes: [{name: data, size_gb: 100, mount_path: /data}]`",
        default=[],
    )
    data_mounts: list[DataMount] = field(
        "Buckets, volumes and folders that the task finds at a path.",
        [{"source": "s3://bucket/data", "target": "/data"}],
        action=None,
        type_help="write a list: `data_mounts: [{source: s3://bucket/path, target: /data}]`",
        default=[],
    )
    data: dict[AbsolutePath, str] = field(
        "The same in short: path to source.",
        {"/datasets": "s3://bucket/data"},
        type_help="write a mapping of paths to sources: `data: {/data: s3://bucket/path}`",
        rule=ABSOLUTE_RULE,
        default={},
    )
    ports: list[Annotated[Whole, Field(ge=1024, le=65535)]] = field(
        "Ports that are reachable from outside.",
        [8080],
        type_help="write a list of numbers: `ports: [8080]`; a port is the same inside and outside",
        default=[],
    )
    runtime_files: dict[PathInFolder, str] = field(
        "Small files that the task finds in its working directory: relative path to text.",
        {"configs/run.json": "{}"},
        rule="a relative path, such as `configs/run.json`",
        default={},
    )

    retries: Retries | None = field("Restarts after failures.", {"max_retries": 3}, action=None)
    max_price_per_hour: Number | None = field(
        "The most that one machine may cost an hour, in US dollars.",
        12.5,
        gt=0,
        le=1_000_000,
        type_help="write the number alone: `12.50`, US dollars for one machine and hour",
    )
    max_run_time_hours: Number | None = field("Time limit in hours; 0 for none.", 24, type_help=_HOURS, ge=0, le=168)
    min_run_time_hours: Number | None = field(
        "Hours for which the machine should be there, at least.",
        1,
        action="approximated",
        note="it is kept as a wish; nobody promises how long a spot machine stays",
        type_help=_HOURS,
        gt=0,
        le=168,
    )
    deadline_hours: Number | None = field(
        "Hours from the submission until the task must be done.", 48, type_help=_HOURS, gt=0, le=720
    )
    priority: Literal["low", "med", "high"] = field(
        "How high the bid is where `max_price_per_hour` is not given.",
        "high",
        help="`standard` and `critical` are Foundry's words: write `med` or `high`",
        default="med",
    )

    region: Text | None = field("Region of the machines.", "us-central1-a")
    constraints: Constraints | None = field(
        "Further conditions on the machines.", {"exclude_regions": ["eu-*"]}, action=None
    )
    preemptible_ok: Flag = field("Whether machines may be taken away (the spot market).", default=True)
    allocation_mode: Literal["spot", "reserved", "auto"] = field(
        "Spot market, or machines of a reservation.", "spot", default="spot"
    )
    reservation_id: Text | None = field("A reservation that is there.", "res_abc123")
    scheduled_start_time: str | None = field(
        "When the task starts, in UTC.",
        "2030-01-31T18:00:00Z",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$",
        rule="a date and time in UTC, such as `2030-01-31T18:00:00Z`",
    )
    reserved_duration_hours: Whole | None = field(
        "Length of a reservation in hours.",
        24,
        action="ignored",
        note="no reservation is bought; one that is there has its own length",
        ge=3,
        le=336,
    )
    placement: Literal["mithril", "auto"] | None = field(
        "Provider.", action="ignored", note="there is one provider", quiet=True
    )
    k8s: Text | None = field("Kubernetes cluster of the provider that the machines join.", "my-cluster")
    distributed_mode: Literal["auto", "manual"] | None = field(
        "How several machines learn of each other.",
        action="ignored",
        note="each machine is told its rank and the others' names in either mode",
        quiet=True,
    )
    internode_interconnect: Text | None = field("Network between the machines.", "InfiniBand")
    intranode_interconnect: Text | None = field(
        "How the GPUs of a machine are connected.",
        "SXM5",
        action="ignored",
        note="the instance type says it: `h100-80gb.sxm.8x`",
    )

    ssh_keys: list[Text] = field(
        "Names or ids of the keys that may log in.",
        ["laptop"],
        type_help="write a list: `ssh_keys: [laptop]`",
        default=[],
    )
    terminate_on_exit: Flag = field("Whether the machines are given back when the command ends.", default=False)
    upload_code: Flag | None = field("Whether the code is copied to the machines.")
    upload_strategy: Literal["auto", "embedded", "scp", "none"] | None = field("How the code is copied.", "auto")
    upload_mode: Literal["scp-background", "scp-before-start"] | None = field(
        "When the code is copied.", action="ignored", note="the code is there before the command starts", quiet=True
    )
    upload_timeout: Whole | None = field(
        "Seconds that copying may take.",
        600,
        action="ignored",
        note="copying the code has no limit of its own",
        quiet=True,
        ge=60,
        le=3600,
    )
    code_root: Text | None = field("Folder with the code, seen from this file.", ".")
    workload_type: Literal["batch", "tinker", "interactive"] = field(
        "What kind of work it is; one that is not `batch` needs no command.",
        action="ignored",
        note="nothing but the command is changed by it",
        quiet=True,
        default="batch",
    )
    dev_vm: Flag | None = field(
        "Whether the machine is for development; then no command is needed.",
        action="ignored",
        note="nothing but the command is changed by it",
        quiet=True,
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a task, for editors and other checkers."""
    schema = Task.model_json_schema()
    _tidy(schema)
    one_of = [{"required": [name]} for name in ("command", "shell", "script")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "flowc.task/1",
        **schema,
        "allOf": [
            {"not": {"required": ["instance_type", "min_gpu_memory_gb"]}},
            *({"not": {"allOf": [first, second]}} for i, first in enumerate(one_of) for second in one_of[i + 1 :]),
        ],
    }


# Bounds of what may be absent, as pydantic leaves them, and what they are called in JSON Schema.
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "le": "maximum", "min_length": "minLength"}


def _tidy(schema: Any) -> None:
    """Take out what is for the compilation of the models only, titles that repeat the key, and that a field may be
    absent."""
    if isinstance(schema, list):
        for each in schema:
            _tidy(each)
    if not isinstance(schema, dict):
        return
    schema.pop(EXTRA, None)
    if {"type": "null"} in schema.get("anyOf", ()):
        schema["anyOf"].remove({"type": "null"})
        if len(schema["anyOf"]) == 1:
            (only,) = schema.pop("anyOf")
            schema.update((_BOUNDS.get(key, key), value) for key, value in only.items())
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
    if "title" in schema and isinstance(schema["title"], str) and "properties" not in schema:
        del schema["title"]
    if "default" in schema and schema["default"] in (None, [], {}):
        del schema["default"]
    for each in schema.values():
        _tidy(each)
