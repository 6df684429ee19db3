"""The startup script of one job: rendered from the templates, packed into what is sent."""

from __future__ import annotations

from flowc._compiled import templates
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.body.commands import names_python
from flowc.record import Record
from flowc.scripts import life, needs
from flowc.scripts.delivery import body_name, body_text, delivery
from flowc.scripts.facts import fact_words, format_variables
from flowc.scripts.file_names import HOST, expand
from flowc.scripts.identity import job_id, task_id
from flowc.scripts.modules import module_variables
from flowc.scripts.packing.pack import PLAINEST, pack
from flowc.scripts.slurm import tools
from flowc.scripts.slurm.environment import batch_variables, gpus_per_node, step_gpus
from flowc.scripts.storage import bind_words, home
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

WORKSPACE = "/workspace"
LOG = "/var/log/foundry/job.log"
# Arrays of more tasks are not packed in the form that takes seconds for each.
FEW_TASKS = 8
JOURNAL = "lines in the machine's journal about commands of the script that fail"


class Startup(Record):
    """A startup script. `plain` is for people; `sent` (ASCII) is what the provider gets, packed by
    `encoding`; `payload` is what `sent` unpacks to; `limit` is the most bytes that `sent` may have. Nothing
    is raised when it has more. `left_out`: what the job does without so that it fits, None where that is nothing."""

    plain: str
    sent: str
    encoding: str
    payload: bytes
    limit: int
    plain_sections: tuple[tuple[str, int], ...]
    sent_sections: tuple[tuple[str, bytes], ...]
    left_out: str | None = None

    @property
    def fits(self) -> bool:
        return len(self.sent) <= self.limit


def build(unit: Unit, *, index: int | None) -> Startup:
    """The script of a unit; `index` is the array index that this task has, None outside arrays."""
    variables = _variables(unit, index)
    patient = unit.job.array is None or len(unit.job.array.indices) <= FEW_TASKS
    found = _packed(variables, patient=patient and variables["journal"] is None)
    if variables["journal"] is not None and (found.encoding != PLAINEST or not found.fits):
        # What every image can unpack is worth more than the lines in the journal.
        found = _packed({**variables, "journal": None}, patient=patient).replace(left_out=JOURNAL)
    return found


def _packed(variables: dict[str, Any], *, patient: bool) -> Startup:
    plain = templates.startup_plain({**variables, "readable": True}, sh)
    small = templates.startup_small({**variables, "readable": False}, sh)
    sections = tuple((name, text.encode("utf-8", "surrogateescape")) for name, text in small if text)
    head = b"".join(text for name, text in sections if name != "body")
    body = sections[-1][1]
    encoding, sent = pack(head, body, patient=patient)
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
    slurm = job.conventions.commands
    folder = _folder(job)
    fixed, facts = _environment(unit, index, slurm)
    found: dict[str, Any] = {
        "title": ascii(job.name)[1:-1],
        "slurm": slurm,
        "nodes": plan.nodes if plan else job.resources.nodes or 1,
        "workdir": folder,
        "folders": _folders(job, folder, slurm),
        "environment": [f"{name}={value}" for name, value in fixed.items()],
        "facts": facts,
        "args": job.run.args,
        "argv": (*job.run.argv, *job.run.args) if job.run.kind == "argv" else (),
        "append": job.io.append,
        "requeue": job.retry.requeue is not False,
        "body_name": body_name(job),
        "body_mode": "700" if job.image is None else "755",
        "power_off": bool(job.terminate_on_exit),
        "python": names_python(job),
    }
    found.update(_files(job, folder, index, slurm))
    found.update(life.time_variables(job))
    found.update(life.journal_variables(unit))
    found.update(_body(job))
    parts = (*found["stdin"], *found["stdout"], *(found["stderr"] or ()))
    found["uses_host_name"] = slurm or job.image is None or found["nodes"] > 1 or HOST in parts
    found.update(needs.variables(job, plan, facts))
    found.update(_tools(job, found["nodes"], slurm, step_gpus(job, plan) is not None))
    found.update(life.end_variables(job, found["tools"]))
    found.update(module_variables(unit))
    if slurm and job.image is not None:
        # A job of Slurm runs where it was submitted, and so does its container.
        found["docker_words"] = [*bind_words(folder, folder, read_only=False), "-w", folder, *found["docker_words"]]
    return found


def _tools(job: Job, nodes: int, slurm: bool, confines_steps: bool) -> dict[str, Any]:
    """The small Slurm, where the job may call it; on several nodes with an agent on each."""
    prepared, chosen = needs.prepared(job), None
    if slurm and job.image is None:
        chosen = tools.choose(job, nodes, prepared=prepared, step_gpus=confines_steps)
    names = chosen.names if chosen is not None else ()
    agents = "agent" in names
    return {
        "tools": chosen.text if chosen is not None else None,
        "first_tool": names[0] if names else None,
        "other_tools": names[1:],
        "tool_paths": chosen.paths if chosen is not None else (),
        "agents": agents,
        "others_prepare": agents and prepared,
        "shows_job": chosen is not None and chosen.shows_job,
    }


def _environment(unit: Unit, index: int | None, slurm: bool) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Variables by their values, and those whose value is a word of the script. What the user set comes last."""
    job, plan = unit.job, unit.plan
    fixed = batch_variables(job, plan, index, WORKSPACE) if slurm else []
    facts: list[tuple[str, str]] = list(job.env_facts)
    if not slurm:
        if plan is not None and plan.gpus_visible is not None and plan.gpus_visible < plan.gpus_per_node:
            ids = ",".join(map(str, range(gpus_per_node(job, plan))))
            fixed = [] if job.image is not None else [("CUDA_VISIBLE_DEVICES", ids)]
        if job.array is not None and job.array.index_env and index is not None:
            fixed.append((job.array.index_env, str(index)))
        static, facts = format_variables(job, plan, index)
        fixed += static
    elif facts:
        facts = [(name, fact_words(1)[fact]) for name, fact in facts]
    return dict([*fixed, *job.env]), facts


def _folders(job: Job, folder: str, slurm: bool) -> list[str]:
    """What is made before the job starts; in a container its folder is the container's."""
    found = [WORKSPACE, folder] if slurm else [folder] if job.image is None else []
    if job.image is not None or job.containers or job.secrets or job.files:
        found.append("/run/flowc")
    return list(dict.fromkeys(found))


def _folder(job: Job) -> str:
    workdir = home(job.run.workdir or "")
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
    default = LOG if job.conventions.output is None else f"{folder}/{job.conventions.output}"
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


def _body(job: Job) -> dict[str, Any]:
    """The body and the setup, each with a line that stands nowhere in it and ends it."""
    sent = delivery(job)
    found: dict[str, Any] = {"body_sha256": sent.sha256 if sent is not None else None}
    for name, each, prefix in (("body", body_text(job), ""), ("setup", job.setup, "setup_")):
        found[name] = found[f"{name}_bytes"] = found[f"{prefix}delimiter"] = None
        if each is not None:
            found[name] = each.removesuffix("\n")
            found[f"{name}_bytes"] = len(each.encode("utf-8", "surrogateescape"))
            found[f"{prefix}delimiter"] = _delimiter(each)
    return found


def _delimiter(text: str) -> str:
    if "\nE\n" not in f"\n{text}\n":
        return "E"
    lines = set(text.split("\n"))
    return next(name for name in (f"E{number}" for number in range(len(lines) + 1)) if name not in lines)
