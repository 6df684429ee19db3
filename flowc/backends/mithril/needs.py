"""What a startup script asks of its machine, for whoever makes machines: he need not read the script."""

from __future__ import annotations

from flowc._compiled.slurm_commands import IMAGE_ROOTS
from flowc.patterns import at_words
from flowc.scripts.ports import opens
from flowc.scripts.storage import arrange, storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.plan import JobPlan
    from flowc.scripts import Startup

# The first part of an absolute path, where a word may begin.
_roots = at_words(r"(?<![\w.$}/*~@:-])/([A-Za-z0-9_][\w.-]*)", ("/",))
_SYSTEM = frozenset(IMAGE_ROOTS)


def needs(job: Job, plan: JobPlan, script: Startup) -> dict[str, Any]:
    """`ports` that are opened; `mounts`: which folder or device of the machine is seen where; `folders` of the root
    that the job names, but for those of every image; `docker`: it may be called. What there is none of is left out."""
    folders = dict.fromkeys(found[1] for text in _texts(job) for found in _roots(text))
    found = {
        "ports": sorted({port.external for port in job.ports if opens(port)}),
        "mounts": _mounts(job, plan) if job.volumes or job.mounts else [],
        "folders": [name for name in folders if name not in _SYSTEM],
        "docker": any("docker" in text for text in (script.plain, *_texts(job))) or b"docker" in (script.whole or b""),
    }
    return {name: value for name, value in found.items() if value}


def _mounts(job: Job, plan: JobPlan) -> list[dict[str, str]]:
    found = storage(job, arrange(job, plan), toolkit=False)
    pairs = [(source, target) for source, target, _ in found.binds]
    pairs += [(f"/dev/{label}", place) for place, label, *_ in found.blocks]
    return [{"source": source, "target": target} for source, target in pairs]


def _texts(job: Job) -> Iterator[str]:
    """All in which the job may name a folder of its machine."""
    run, io = job.run, job.io
    yield from filter(None, (run.text, run.workdir, job.setup, io.stdout, io.stderr, io.stdin))
    for words in (run.argv or (), run.args):
        yield from words
    yield from (value for _, value in job.env)
    yield from (file.path for file in job.all_files())
    for mounts in (job.mounts, *(each.mounts for each in job.containers)):
        for mount in mounts:
            yield from (mount.target, mount.source if mount.kind == "host" else "")
