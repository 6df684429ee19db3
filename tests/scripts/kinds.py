"""Jobs that use every section of the startup script, for the tests of scripts as a whole."""

from __future__ import annotations

from typing import Any

from jobs import PLAN, unit

from flowc.ir.job import (
    Array,
    Container,
    ExitRule,
    File,
    Io,
    Isolation,
    Layout,
    Mount,
    Port,
    Probe,
    Retry,
    Run,
    StopSignal,
    Time,
    Volume,
)
from flowc.ir.unit import Unit

HOSTILE = 'it\'s $(id) `id` "x" \\ \n# -é'
TEXT = Run(kind="shell", text="echo hi\n")
PORTS = tuple(Port(external=outer, internal=inner, protocol="tcp") for outer, inner in ((8080, 8080), (9000, 80)))
DATA = Volume(name="data", mount_path="/data", create=True, size_bytes=10**11)
SIGNAL = StopSignal(name="USR1", before_s=60, to="steps")
FACTS = tuple(
    (f"F_{name}", name)
    for name in ("private_ip", "hostname", "cpus", "memory_bytes", "rank", "entrypoint", "entrypoint_command")
)
EVERYTHING: dict[str, Any] = {
    "setup": "pip install x\n",
    "env": (("A", HOSTILE), ("AWS_ENDPOINT_URL", "https://e")),
    "env_facts": FACTS,
    "secrets": ("TOKEN", "AWS_ACCESS_KEY_ID"),
    "files": (File(path="/etc/" + HOSTILE, text=HOSTILE), File(path="~/key", secret="KEY", mode=0o600)),
    "volumes": (
        DATA,
        Volume(name="a-very-long-name-of-a-volume", mount_path="/more", read_only=True),
        Volume(volume_id="vol_1", mount_path="/old"),
        Volume(name="share", interface="file", mount_path="/share"),
    ),
    "mounts": (
        Mount(kind="scratch", source="s", target="/scratch"),
        Mount(kind="memory", source="m", target="/dev/shm", size_bytes=1 << 30),
        Mount(kind="memory", source="n", target="/memory"),
        Mount(kind="host", source="/opt", target="/host"),
        Mount(kind="volume", source="share/sub", target="/sub"),
        Mount(kind="nfs", source="h:/p", target="/nfs"),
        Mount(kind="bucket", source="s3://b/p", target="/s3"),
        Mount(kind="bucket", source="gs://g/p", target="/gs"),
        Mount(kind="bucket", source="s3://b/" + HOSTILE, target="/copy", copy=True),
        Mount(kind="git", source="https://h/o/n.git#v1", target="/src"),
        Mount(kind="local", source="./d", target="/local"),
    ),
    "ports": PORTS,
    "retry": Retry(max_restarts=3, delay_ms=1000, delay_factor="2", exit_rules=(ExitRule(action="fail", codes=(3,)),)),
    "time": Time(limit_s=600, attempt_limit_s=60, signal=SIGNAL),
    "terminate_on_exit": True,
}
ISOLATION = Isolation(
    user="1000", before_stop=("save", HOSTILE), liveness=Probe(argv=("test", HOSTILE)), pull_secrets=("reg", "other"),
    sysctls=(("net.core.somaxconn", "1"),), hostname=HOSTILE,
)  # fmt: skip
CONTAINERS = (
    Container(name="first", role="init", image="busybox", args=(HOSTILE,), env=(("A", HOSTILE),), secrets=("S",)),
    Container(name="beside", role="sidecar", image="busybox", argv=("sh", "-c"), args=("x",), env_facts=FACTS, gpus=2),
)

KINDS: dict[str, Unit] = {
    "plain": unit(),
    "limit": unit(time=Time(limit_s=60, signal=SIGNAL)),
    "hostile": unit(name=HOSTILE, args=(HOSTILE,), workdir="/" + HOSTILE, env=(("A", HOSTILE),), io=Io(stdout=HOSTILE)),
    "files": unit(io=Io(stdout="%N/%x.out", stderr="err/%j", stdin="%N.in", append=True)),
    "nodes": unit(plan=PLAN.replace(nodes=4), layout=Layout(tasks=10), time=Time(limit_s=60)),
    "python": unit("#!/usr/bin/env python3\nprint('hi')\n"),
    "command": unit(run=Run(kind="argv", argv=("echo", HOSTILE)), frontend="cli"),
    "task": unit(run=TEXT, frontend="task-yaml", ports=PORTS),
    "task-nodes": unit(run=TEXT, frontend="task-yaml", plan=PLAN.replace(nodes=3), env_facts=FACTS),
    "ranks": unit(run=TEXT, frontend="k8s", image="img", plan=PLAN.replace(nodes=3), env_facts=(("RANK", "rank"),)),
    "everything": unit(run=TEXT, frontend="k8s", **EVERYTHING),
    "container": unit(run=TEXT, frontend="k8s", image="img:1", env=(("A", "1"),), volumes=(DATA,), ports=PORTS[:1]),
    "own-entrypoint": unit(run=Run(kind="argv"), frontend="k8s", image="img", setup="x\n", array=Array(indices=(1,))),
    "everything-contained": unit(
        run=TEXT, frontend="k8s", image=HOSTILE, isolation=ISOLATION, containers=CONTAINERS, **EVERYTHING
    ),
    "kept": unit(
        run=TEXT, frontend="k8s", image="img", containers=CONTAINERS, retry=Retry(max_restarts=1, keep_scratch=True)
    ),
    "modules": unit(
        "",
        run=Run(
            text="#!/bin/bash\nsource /x/init/bash\nmodule load cuda python $X\nml a -b\n", interpreter="/bin/bash"
        ),
    ),
    "modules-tcsh": unit(
        "", run=Run(text="#!/bin/tcsh\nmodule load gcc\nml b\n", interpreter="/bin/tcsh"), time=Time(limit_s=60)
    ),
    "over-ssh": unit("", run=Run(text="#!/bin/bash\nsrun a\n", interpreter="/bin/bash", delivery="ssh")),
    "over-ssh-restarts": unit("", run=TEXT.replace(delivery="ssh"), frontend="k8s", retry=Retry(max_restarts=1)),
    "slurm-contained": unit(image="img", env=(("A", "1"),), time=Time(limit_s=60), io=Io(stdin="in", stdout="%N")),
}
