"""What SkyPilot 0.14.1's own loader accepts and reads, as recorded by tests/oracle/skypilot_loader.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.skypilot import FRONTEND
from flowc.inputs import Inputs
from flowc.ir.job import Job
from flowc.source import Source

# Text to what was read: None where it was refused; values that are SkyPilot's defaults are left out.
CASES: dict[str, dict[str, Any] | None] = json.loads((Path(__file__).parent / "loader_cases.json").read_text())
GIB = 1 << 30
# Where flowc decides otherwise, and why.
DECIDED = {
    "a zone: Mithril's regions have none": (
        "resources: {infra: mithril/us-central1-b/a}\nrun: echo\n",
        "resources: {zone: a}\nrun: echo\n",
    ),
    "internal to SkyPilot's controller": ("resources: {memory: 3x}\nrun: echo\n",),
    "SkyPilot finds out at launch, or takes it for a name of a GPU": (
        "resources: {accelerators: ''}\nrun: echo\n",
        "resources: {accelerators: 8xH100}\nrun: echo\n",
        "resources: {accelerators: ':8'}\nrun: echo\n",
        "resources: {accelerators: 'H100,A100'}\nrun: echo\n",
        "resources: {accelerators: H100:1e1}\nrun: echo\n",
    ),
    "the client of SkyPilot lets it pass, its server does not": (
        "resources: {job_recovery: NOSUCH}\nrun: echo\n",
        "resources: {job_recovery: ''}\nrun: echo\n",
        "resources: {job_recovery: {strategy: ''}}\nrun: echo\n",
        "resources: {job_recovery: {nosuch: 1}}\nrun: echo\n",
        "config: {nosuch: 1}\nrun: echo\n",
        "config: {mithril: {limit_price: 0}}\nrun: echo\n",
        "config: {mithril: {limit_price: '12.5'}}\nrun: echo\n",
    ),
    "of another cloud": (
        "resources: {image_id: ubuntu:24.04}\nrun: echo\n",
        "resources: {accelerator_args: {}}\nrun: echo\n",
    ),
    "an empty text is most likely a mistake": (
        "resources: {image_id: ''}\nrun: echo\n",
        "resources: {instance_type: ''}\nrun: echo\n",
        "name: ''\nrun: echo\n",
        "file_mounts: {/a: ''}\nrun: echo\n",
        "volumes: {/a: ''}\nrun: echo\n",
        "workdir: ''\nrun: echo\n",
    ),
    "a task that runs nothing only costs": (
        "run: null\n",
        "",
        "{}",
    ),
    "SkyPilot looks at names when it launches": (
        "name: bad name\nrun: echo\n",
        "name: a___b\nrun: echo\n",
        "name: -a\nrun: echo\n",
        "name: a-\nrun: echo\n",
        "name: é\nrun: echo\n",
    ),
    "no variable can have that name": (
        "secrets: {1A: x}\nrun: echo\n",
        "secrets: {team.A: x}\nrun: echo\n",
    ),
    "a hint that is not looked at": (
        "inputs: {a: 1, b: 2}\nrun: echo\n",
        "inputs: null\nrun: echo\n",
        "inputs: {}\nrun: echo\n",
    ),
    "a service, not a task": (
        "service: {readiness_probe: /}\nrun: echo\n",
        "pool: {workers: 1}\nrun: echo\n",
    ),
    "SkyPilot looks at them when it launches": (
        "file_mounts: {/a: {}}\nrun: echo\n",
        "volumes: {/a: {size: 0}}\nrun: echo\n",
        "volumes: {/a: {size: 10GiB}}\nrun: echo\n",
        "volumes: {a: b}\nrun: echo\n",
        "volumes: {/a: null}\nrun: echo\n",
        "volumes: {/a: 5}\nrun: echo\n",
        "volumes: {/a: {}}\nrun: echo\n",
        "workdir: {url: x}\nrun: echo\n",
    ),
    "its keys are not counted": ("managed_secrets: [A, {C: {}, D: {}}]\nrun: a\n",),
}


def read(text: str) -> Job | None:
    """The job of a text; None where it is refused."""
    sink = Sink()
    tree = FRONTEND.read(Source("job.yaml", text), Inputs(), sink)
    units = [] if tree is None or sink.stopped else FRONTEND.lower(tree, Inputs(), sink)
    return None if sink.broken or not units else units[0].job


def test_what_is_refused() -> None:
    decided = {text for texts in DECIDED.values() for text in texts}
    assert {text for text, loaded in CASES.items() if (read(text) is None) != (loaded is None)} == decided


@pytest.mark.parametrize("text", [text for text, loaded in CASES.items() if loaded is not None and read(text)])
def test_what_is_read(text: str) -> None:
    job, loaded = read(text), CASES[text]
    assert job is not None
    assert loaded is not None
    assert dict(job.env) == loaded.get("envs", {})
    assert job.resources.nodes == loaded.get("num_nodes", 1)
    # SkyPilot has alternatives without an order in a set.
    wanted = sorted(loaded.get("resources", [{}]), key=lambda each: str(each.get("accelerators")).lower())
    found = sorted(job.resources.choices or (job.resources,), key=lambda each: f"{{'{each.gpu_model}")
    assert len(found) == len(wanted)
    for choice, each in zip(found, wanted, strict=True):
        (model, count), *others = (each.get("accelerators") or {None: None}).items()
        assert not others
        assert (choice.gpu_model, choice.gpus_per_node) == (
            model and model.strip().lower(),
            count and -int(-count // 1),
        )
        assert choice.cpus_per_node == _least(each.get("cpus"), 1)
        assert choice.memory_bytes_per_node == _least(each.get("memory"), GIB)
    first = wanted[0]
    volumes = sum(mount.size_bytes or 0 for mount in job.mounts)  # in SkyPilot disks of their own
    assert (job.resources.disk_bytes or 0) - volumes == (_least(first.get("disk_size"), GIB) or 0)
    assert {port.external for port in job.ports} == {port for part in first.get("ports", ()) for port in _ports(part)}


def _least(amount: str | int | None, unit: int) -> int | None:
    """A number of SkyPilot's as it is asked for here: at least so much, in whole units."""
    return None if amount is None else -int(-float(str(amount).rstrip("+")) * unit // 1)


def _ports(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
