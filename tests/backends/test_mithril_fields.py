"""Every field of the IR reaches the bid, or somebody is told: a walk over all of them, one at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowc import rules
from flowc.backends.mithril import BACKEND, limits
from flowc.diag.sink import Sink
from flowc.ir.isolation import Isolation
from flowc.ir.job import (
    Array,
    Choice,
    Container,
    Conventions,
    Dependency,
    ExitRule,
    File,
    Group,
    Job,
    Layout,
    Mount,
    Outcome,
    Port,
    Probe,
    Resources,
    Retry,
    Run,
    SourceInfo,
    StopSignal,
    Volume,
)
from flowc.ir.unit import Unit
from flowc.record import Record
from tests.passes.units import paths, run, unit

GIB = 1 << 30
SOURCE = {"frontend": "slurm", "path": "job.sbatch", "sha256": "ab" * 32}
TEXT = {"interpreter": "/bin/bash", "text": "#!/bin/bash\nhostname\n"}

# A value other than the default for every field, and what else the job must say for the field to matter.
VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "name": ("other", {}),
    "labels": ((("team", "x"),), {}),
    "source.frontend": ("argv", {}),
    "source.path": ("other.sbatch", {}),
    "source.sha256": ("cd" * 32, {}),
    "source.variables": ((("SLURM_JOB_PARTITION", "gpu"),), {}),
    "conventions.runs_on": ("all", {"run": Run(**TEXT, delivery="ssh")}),
    "conventions.commands": (False, {"run": Run(text="#!/bin/bash\nsrun a\n")}),
    "conventions.variables": ((("PYTHONUNBUFFERED", "=1"),), {"conventions": Conventions()}),
    "conventions.output": ("out", {}),
    "conventions.fails_together": (True, {"nodes": 2}),
    "conventions.file_name": ("other", {}),
    "conventions.workdir_on": ("container", {"image": "ubuntu", "run": Run(**TEXT, workdir="/w")}),
    "conventions.mounts_nest": (
        True,
        {"mounts": tuple(Mount(kind="bucket", source="s3://b", target=path) for path in ("/d", "/d/e"))},
    ),
    "conventions.reads_profile": (True, {"run": Run(kind="shell", text="true"), "setup": "true"}),
    "run.kind": ("shell", {}),
    "source.release": ("26.05", {}),
    "number": (77, {}),
    "modules": (("g*",), {"run": Run(text="#!/bin/bash\nmodule load gcc\n")}),
    "programs": (("made",), {"run": Run(text="#!/usr/bin/env made\n1\n", interpreter="/usr/bin/env made")}),
    "image_files": (
        (("*.sqsh", "busybox:1"),),
        {"run": Run(text="#!/bin/bash\nsrun --container-image=a.sqsh ls\n"), "conventions": Conventions(commands=True)},
    ),
    "environments": (("made",), {"run": Run(text="#!/bin/bash\nconda activate made\n")}),
    "venvs": (("~/made",), {"run": Run(text="#!/bin/bash\nsource ~/made/bin/activate\n")}),
    "isolation.pull_parts": (
        (("REGISTRY_SERVER", "r.io"),),
        {"image": "ubuntu", "isolation": Isolation(pull_secrets=("registry",))},
    ),
    "run.interpreter": ("/bin/dash", {"run": Run(kind="shell", **TEXT)}),
    "run.text": ("#!/bin/bash\nother\n", {}),
    "run.argv": (
        ("a",),
        {"run": Run(kind="argv", argv=("b",)), "source": SourceInfo(**{**SOURCE, "frontend": "argv"})},
    ),
    "run.args": (("a",), {}),
    "run.workdir": ("/data", {}),
    "run.commands": (("module",), {}),
    "run.delivery": ("ssh", {}),
    "setup": ("true", {}),
    "image": ("ubuntu", {}),
    "containers": ((Container(name="x", role="init", image="busybox"),), {}),
    **{
        f"isolation.{field}": (value, {"image": "ubuntu"})
        for field, value in {
            "user": "1000:1000",
            "groups": ("44",),
            "privileged": True,
            "cap_add": ("IPC_LOCK",),
            "cap_drop": ("ALL",),
            "read_only_root": True,
            "no_new_privileges": True,
            "seccomp": "unconfined",
            "apparmor": "unconfined",
            "network_host": True,
            "ipc_host": True,
            "pid_host": True,
            "hostname": "trainer",
            "hosts": (("data", "10.0.0.1"),),
            "dns": ("10.0.0.2",),
            "dns_search": ("example.org",),
            "dns_options": ("ndots:2",),
            "sysctls": (("net.core.somaxconn", "1024"),),
            "pull": "always",
            "pull_secrets": ("registry",),
            "cpus": "2.5",
            "memory_bytes": GIB,
            "stop_grace_s": 60,
            "stop_signal": "INT",
            "before_stop": ("sync",),
            "liveness": Probe(argv=("true",)),
            "options": ("--init",),
        }.items()
    },
    "resources.nodes": (2, {}),
    "resources.nodes_max": (4, {"tasks": 600}),
    "resources.gpus_per_node": (2, {}),
    "resources.gpu_model": ("h100", {"gpus_per_node": 1}),
    "resources.gpu_memory_bytes": (100 * GIB, {}),
    "resources.cpus_per_node": (64, {}),
    "resources.cpus_per_gpu": (8, {"gpus_per_node": 1}),
    "resources.memory_bytes_per_node": (300 * GIB, {}),
    "resources.memory_bytes_per_cpu": (300 * GIB, {}),
    "resources.memory_bytes_per_gpu": (300 * GIB, {"gpus_per_node": 1}),
    "resources.disk_bytes": (3 * 10**12, {}),
    "resources.shm_bytes": (GIB, {}),
    "resources.exclusive": (True, {}),
    "resources.features": (("ib",), {}),
    "resources.alternatives": (("8xh100",), {}),
    "resources.choices": ((Choice(gpu_model="h100", gpus_per_node=8),), {}),
    "resources.choices_ordered": (
        True,
        {"choices": (Choice(gpu_model="h100", gpus_per_node=8), Choice(gpu_model="a100", gpus_per_node=1))},
    ),
    "layout.tasks": (3, {}),
    "layout.tasks_per_node": (3, {}),
    "layout.cpus_per_task": (3, {}),
    "layout.gpus_per_task": (2, {}),
    "layout.gpus_total": (4, {}),
    "groups": ((Group(resources=Resources(nodes=1), layout=Layout()),) * 2, {"nodes": 2}),
    "time.limit_s": (60, {}),
    "time.min_s": (30, {}),
    "time.attempt_limit_s": (30, {}),
    "time.begin": ("2030-01-01T00:00:00", {}),
    "time.deadline": ("2030-01-01T00:00:00", {}),
    "time.signal": (StopSignal(name="USR1", before_s=60, to="shell"), {}),
    "env": ((("A", "1"),), {}),
    "env_facts": ((("IP", "private_ip"),), {}),
    "secrets": (("A",), {}),
    "env_policy": ("all", {}),
    "files": ((File(path="/etc/x", text="x"),), {}),
    "volumes": (
        (Volume(name="v", size_bytes=1, interface="block", mount_path="/v", create=True, read_only=False),),
        {},
    ),
    "mounts": ((Mount(kind="bucket", source="s3://b", target="/d", read_only=True),), {}),
    "ports": ((Port(external=8080, internal=80, protocol="tcp"),), {}),
    "io.stdout": ("out.txt", {}),
    "io.stderr": ("err.txt", {}),
    "io.stdin": ("in.txt", {}),
    "io.append": (True, {}),
    "array.indices": ((1, 3), {"array": Array(indices=(1, 2))}),
    "array.max_concurrent": (1, {"array": Array(indices=(1, 2))}),
    "array.index_env": (
        "INDEX",
        {"array": Array(indices=(1, 2)), "source": SourceInfo(**{**SOURCE, "frontend": "k8s"})},
    ),
    "depends_on": ((Dependency(kind="singleton", on=None),), {}),
    "kill_on_invalid_dep": (True, {"depends_on": (Dependency(kind="afterok", on="7"),)}),
    "retry.max_restarts": (3, {}),
    "retry.requeue": (False, {}),
    "retry.keep_scratch": (
        True,
        {"retry": Retry(max_restarts=3), "mounts": (Mount(kind="scratch", source="s", target="/s"),)},
    ),
    "retry.delay_ms": (500, {"retry": Retry(max_restarts=3)}),
    "retry.delay_factor": ("2", {"retry": Retry(max_restarts=3)}),
    "retry.max_delay_ms": (500, {"retry": Retry(max_restarts=3)}),
    "retry.exit_rules": ((ExitRule(action="fail", codes=(3,)),), {"retry": Retry(max_restarts=3)}),
    "retry.from_within": (True, {}),
    "pricing.max_usd_per_instance_hour": ("9", {}),
    "pricing.priority": ("high", {}),
    "pricing.budget_usd": ("0.01", {}),
    "placement.regions": (("us-central2-a",), {}),
    "placement.exclude_regions": (("us-central3-*",), {}),
    "placement.clouds": (("aws/us-east-1",), {}),
    "placement.node_labels": ((("disk", "ssd"),), {}),
    "placement.interconnect": ("InfiniBand", {}),
    "placement.paused": (True, {}),
    "placement.kubernetes_cluster": ("c", {}),
    "placement.reservation": ("r", {}),
    "placement.preemptible": (False, {}),
    "identity.project": ("p", {}),
    "identity.ssh_keys": (("k",), {}),
    "notify.email": ("someone@example.org", {}),
    "notify.events": (("END",), {}),
    "terminate_on_exit": (True, {}),
    "workers_end": ("first", {"nodes": 2}),
    "outcome": ((Outcome(input="-N1", line=1, action="lowered", code=None, note=None),), {}),
}
# What only the report shows: facts about the source, and what `limits` says so of.
REPORT_ONLY = {"source.frontend", "source.path", "outcome", *limits.IN_REPORT}

# What brings these stands in `setup`; the field says of which programs nothing is missing then.
RULES_ONLY = {"programs", "venvs"}


def all_paths() -> list[str]:
    """The IR path of every field of a job, records inside it field by field."""
    sections = {name: type(value) for name, value in Job.DEFAULTS.items() if isinstance(value, Record)}
    sections.update(source=SourceInfo, conventions=Conventions, run=Run, array=Array)
    return [
        path
        for name in Job.FIELDS
        for path in ([f"{name}.{field}" for field in sections[name].FIELDS] if name in sections else [name])
    ]


def changed(base: Unit, path: str, value: Any) -> Unit:
    section, _, field = path.partition(".")
    record = getattr(base.job, section)
    job = base.job.replace(**{section: record.replace(**{field: value}) if field else value})
    origins = dict.fromkeys([*paths(job), *base.origins], base.origins["name"])
    return base.replace(job=job, origins=origins)


def outputs(each: Unit) -> tuple[dict[str, str], list[str]]:
    """The texts of all artifacts, and the diagnostics."""
    done, found = run(each)
    sink = Sink()
    BACKEND.reach([each], sink)
    artifacts = []
    if done.plan is not None:
        BACKEND.check([done], sink)
        artifacts = BACKEND.emit([done], sink, set())
    messages = [diagnostic.message for diagnostic in (*found, *sink.diagnostics)]
    return {artifact.name: artifact.text for artifact in artifacts}, messages


def test_table_has_every_field() -> None:
    assert sorted(VALUES) == sorted(all_paths())


def test_lists_of_the_backend_name_fields() -> None:
    listed = [*limits.REPORTED, *limits.IN_REPORT]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(all_paths())


def judged(each: Unit) -> list[str]:
    sink = Sink()
    rules.run([each], sink)
    return [found.message for found in sink.diagnostics]


@pytest.mark.parametrize("path", sorted(VALUES))
def test_field_reaches_the_bid_or_is_reported(path: str) -> None:
    value, fields = VALUES[path]
    base = unit(**fields)
    before, after = outputs(base), outputs(changed(base, path, value))
    if path in REPORT_ONLY:
        assert before[0]["report.txt"] != after[0]["report.txt"]
        before[0].pop("report.txt")
        after[0].pop("report.txt")
        assert before == after, f"{path} is more than a line of the report: take it off the list"
        return
    if path in RULES_ONLY:
        assert before == after
        assert judged(base) != judged(changed(base, path, value))
        return
    requests = [json.loads(texts["request.json"]) if texts else None for texts, _ in (before, after)]
    assert requests[0] != requests[1] or before[1] != after[1]


@pytest.mark.parametrize("path", sorted(limits.REPORTED))
def test_what_is_listed_as_reported_is(path: str) -> None:
    value, fields = VALUES[path]
    base = unit(**fields)
    told = [each for each in outputs(changed(base, path, "someone" if path == "notify.email" else value))[1]]
    says = "is kept by `flowc submit`" if path in limits.HELD else "a bid cannot say"
    assert any(says in message and limits.REPORTED[path] in message for message in told)
