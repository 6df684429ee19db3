"""What `run` and `submit` take by name, for type checkers: the fields of a task YAML (`frontends/task/model.py`) under
the names of Python, and how it is submitted (`options.py`). Tests compare both."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from os import PathLike
    from typing import Any, Literal, TypedDict

    from flowc.frontends.task.parts import Constraints, DataMount, Retries, Volume
    from flowc.sdk.task import Task

    Number = float | Decimal

    class TaskFields(TypedDict, total=False):
        """Fields of a task; `gpu` is another name of `instance_type`."""

        gpu: str | Sequence[str]
        name: str
        unique_name: bool
        instance_type: str | Sequence[str]
        min_gpu_memory_gb: int
        min_cpus: int
        min_memory_gb: int
        num_instances: int
        command: str | Sequence[str]
        shell: str
        script: str
        image: str
        env: Mapping[str, str]
        working_dir: str | PathLike[str]
        volumes: Sequence[Volume | Mapping[str, Any]]
        data_mounts: Sequence[DataMount | Mapping[str, Any]]
        data: Mapping[str, str]
        ports: Sequence[int]
        runtime_files: Mapping[str, str]
        retries: Retries | Mapping[str, Any]
        max_price_per_hour: Number
        max_run_time_hours: Number
        min_run_time_hours: Number
        deadline_hours: Number
        priority: Literal["low", "med", "high"]
        region: str
        constraints: Constraints | Mapping[str, Any]
        preemptible_ok: bool
        allocation_mode: Literal["spot", "reserved", "auto"]
        reservation_id: str
        scheduled_start_time: str
        reserved_duration_hours: int
        placement: Literal["mithril", "auto"]
        k8s: str
        distributed_mode: Literal["auto", "manual"]
        internode_interconnect: str
        intranode_interconnect: str
        ssh_keys: Sequence[str]
        terminate_on_exit: bool
        upload_code: bool
        upload_strategy: Literal["auto", "embedded", "scp", "none"]
        upload_mode: Literal["scp-background", "scp-before-start"]
        upload_timeout: int
        code_root: str | PathLike[str]
        workload_type: Literal["batch", "tinker", "interactive"]
        dev_vm: bool

    class RunOptions(TaskFields, total=False):
        """A task, and how it is submitted: see `Flow.run`."""

        wait: bool
        deliver: bool
        secrets: Sequence[str]
        pull_secrets: Sequence[str]
        budget: Number | str
        after: str | Task | Sequence[str | Task]
        code: str | PathLike[str]
        body: Literal["auto", "script", "ssh"]
        with_commands: Sequence[str]
        set: Mapping[str, str]
        keep: bool
        release: Literal["client", "machine"]
        force_new: bool
        idempotency_key: str
        strict: bool
