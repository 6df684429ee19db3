"""The startup script of one job: rendered from the templates, packed into what is sent."""

from __future__ import annotations

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.record import Record
from flowc.startup.file_names import HOST, expand
from flowc.startup.identity import job_id, task_id
from flowc.startup.pack import pack
from flowc.startup.quote import sh
from flowc.startup.slurm_environment import batch_variables, gpus_per_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

WORKSPACE = "/workspace"
LOG = "/var/log/foundry/job.log"
# Slurm waits so long between TERM and KILL (KillWait).
GRACE_S = 30


class Startup(Record):
    """A startup script. `plain` is for people; `sent` (ASCII) is what the provider gets, packed by
    `encoding`; `payload` is what `sent` unpacks to; `limit` is the most bytes that `sent` may have. Nothing
    is raised when it has more."""

    plain: str
    sent: str
    encoding: str
    payload: bytes
    limit: int
    plain_sections: tuple[tuple[str, int], ...]
    sent_sections: tuple[tuple[str, bytes], ...]

    @property
    def fits(self) -> bool:
        return len(self.sent) <= self.limit


def build(unit: Unit, *, index: int | None) -> Startup:
    """The script of a unit; `index` is the array index that this task has, None outside arrays."""
    variables = _variables(unit, index)
    plain = templates.startup_plain({**variables, "readable": True}, sh)
    small = templates.startup_small({**variables, "readable": False}, sh)
    sections = tuple((name, text.encode("utf-8", "surrogateescape")) for name, text in small if text)
    head = b"".join(text for name, text in sections if name != "body")
    body = sections[-1][1]
    encoding, sent = pack(head, body)
    return Startup(
        plain="".join(text for _, text in plain),
        sent=sent,
        encoding=encoding,
        payload=head + body,
        limit=SCRIPT_BYTES,
        plain_sections=tuple((name, len(text.encode("utf-8", "surrogateescape"))) for name, text in plain),
        sent_sections=sections,
    )


def _variables(unit: Unit, index: int | None) -> dict[str, Any]:
    """Everything that the templates ask for."""
    job, plan = unit.job, unit.plan
    slurm = job.source.frontend == "slurm"
    folder = _folder(job)
    environment = batch_variables(job, plan, index, WORKSPACE) if slurm else []
    if not slurm and plan is not None and plan.gpus_visible is not None and plan.gpus_visible < plan.gpus_per_node:
        ids = ",".join(map(str, range(gpus_per_node(job, plan))))
        environment = [("CUDA_VISIBLE_DEVICES", ids)]
    if job.array is not None and job.array.index_env and index is not None and not slurm:
        environment.append((job.array.index_env, str(index)))
    found: dict[str, Any] = {
        "title": ascii(job.name)[1:-1],
        "slurm": slurm,
        "nodes": plan.nodes if plan else job.resources.nodes or 1,
        "workdir": folder,
        "folders": list(dict.fromkeys((WORKSPACE, folder))) if slurm else [folder],
        "environment": [f"{name}={value}" for name, value in dict([*environment, *job.env]).items()],
        "args": job.run.args,
        "argv": job.run.argv if job.run.kind == "argv" else (),
        "append": job.io.append,
        "requeue": job.retry.requeue is not False,
        "body_name": "slurm_script" if slurm else "body",
    }
    found.update(_files(job, folder, index, slurm))
    found.update(_time(job))
    found.update(_body(job))
    return found


def _folder(job: Job) -> str:
    workdir = job.run.workdir
    if not workdir:
        return WORKSPACE
    return workdir if workdir.startswith("/") else f"{WORKSPACE}/{workdir}"


def _files(job: Job, folder: str, index: int | None, slurm: bool) -> dict[str, Any]:
    """Where the job's input comes from and its output goes, as parts of file names."""
    letters = {
        "j": str(task_id(job, index)),
        "J": str(task_id(job, index)),
        "A": str(job_id(job)),
        "a": str(4294967294 if index is None else index),
        "x": job.name,
        "u": "root",
        "n": "0",
        "t": "0",
        "s": "batch",
    }
    default = (f"{folder}/slurm-%j.out" if index is None else f"{folder}/slurm-%A_%a.out") if slurm else LOG
    stdout = expand(job.io.stdout or default, folder, letters)
    stderr = expand(job.io.stderr, folder, letters) if job.io.stderr else stdout
    return {
        "stdin": expand(job.io.stdin or "/dev/null", folder, letters),
        "stdout": stdout,
        "stderr": stderr if stderr != stdout else None,
        "link_output": stdout != [LOG],
        "make_output_folder": _needs_folder(stdout, folder),
        "make_error_folder": stderr != stdout and _needs_folder(stderr, folder),
    }


def _needs_folder(parts: list[str | None], folder: str) -> bool:
    """Whether the file's folder may be missing: the working directory and the system's are there."""
    name = "".join("host" if part is HOST else part for part in parts)
    return name.rpartition("/")[0] not in (folder.rstrip("/"), "/dev", "/var/log/foundry")


def _time(job: Job) -> dict[str, Any]:
    limit, signal = job.time.limit_s, job.time.signal
    if limit is None:
        return {
            "limit_s": None,
            "kill_at_s": None,
            "signal": None,
            "signal_at_s": None,
            "signal_to_shell": None,
        }
    return {
        "limit_s": limit,
        "kill_at_s": limit + GRACE_S,
        "signal": signal.name if signal else None,
        "signal_at_s": max(0, limit - signal.before_s) if signal else None,
        "signal_to_shell": signal.to == "shell" if signal else None,
    }


def _body(job: Job) -> dict[str, Any]:
    """The body, and a line that stands nowhere in it and ends it. Text of kind `shell` gets an interpreter
    line."""
    text = job.run.text
    if text is None:
        return {"body": None, "body_bytes": None, "delimiter": None}
    if job.run.kind == "shell":
        text = f"#!{job.run.interpreter or '/bin/bash'}\n{text}"
    delimiter = "E"
    if f"\n{delimiter}\n" in f"\n{text}\n":
        lines = set(text.split("\n"))
        delimiter = next(name for name in (f"E{number}" for number in range(len(lines) + 1)) if name not in lines)
    size = len(text.encode("utf-8", "surrogateescape"))
    return {"body": text.removesuffix("\n"), "body_bytes": size, "delimiter": delimiter}
