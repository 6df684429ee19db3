"""A real Slurm 22.05 on this machine: one controller and a few made-up nodes that run jobs for real.

The nodes are namespaces (see machines.py) that claim 16 CPUs, 64 GB and 8 GPUs each (the GPUs are null devices, so that
Slurm counts them and sets CUDA_VISIBLE_DEVICES). Three partitions:

  whole   (the default) a job gets whole nodes, as flowc rents whole machines: tasks are laid out in even blocks
  shared  hands out CPUs and GPUs as asked for, which is what the variables of a job show on most sites
  slow    a node on the side for jobs that wait

Needs root and the Debian packages slurmctld, slurmd and slurm-client; nothing outside its own folder is touched.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from tests.same_as_slurm.body import Body
from tests.same_as_slurm.machines import ENVIRONMENT, Machines
from tests.same_as_slurm.outcome import Outcome, files_below

PROGRAMS = {"sbatch": "slurm-client", "scontrol": "slurm-client", "slurmctld": "slurmctld", "slurmd": "slurmd"}
NODES = ("n1", "n2", "n3", "n4", "s1")
CPUS, MEMORY_MB, GPUS = 16, 65536, 8
# Numbers that stand nowhere else in an output, so that they can be told from others.
FIRST_JOB_ID = 61234001
ENDED = {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"}
CONF = f"""ClusterName=flowc
SlurmctldHost=ctl
SlurmctldPort=6817
SlurmdPort=6818
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation=/cluster/state
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/cluster/slurmctld.log
SlurmdLogFile=/cluster/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
PriorityType=priority/basic
MailProg=/bin/true
GresTypes=gpu
ReturnToService=2
FirstJobId={FIRST_JOB_ID}
KillWait=5
MaxArraySize=1001
MinJobAge=36000
NodeName=n[1-4],s1 CPUs={CPUS} Sockets=2 CoresPerSocket=8 RealMemory={MEMORY_MB} Gres=gpu:{GPUS} State=UNKNOWN
PartitionName=whole Nodes=n[1-4] Default=YES MaxTime=INFINITE OverSubscribe=EXCLUSIVE State=UP
PartitionName=shared Nodes=n[1-4] MaxTime=INFINITE OverSubscribe=NO State=UP
PartitionName=slow Nodes=s1 MaxTime=INFINITE OverSubscribe=NO State=UP
"""
GRES = f"NodeName=n[1-4],s1 Name=gpu File=/cluster/gpus/nvidia[0-{GPUS - 1}] Flags=nvidia_gpu_env\n"


class Cluster:
    """`run(script)` runs a job to its end. A context manager; several threads may use one cluster. `prefix` is where
    another release than Debian's is installed (bin, sbin, lib/slurm)."""

    def __init__(self, prefix: Path | None = None) -> None:
        self.prefix = prefix
        self.folder = Path(tempfile.mkdtemp(prefix="flowc-slurm-"))
        shared = {str(self.folder / "cluster"): "/cluster", str(self.folder / "w"): "/w"}
        if prefix is not None:
            shared[str(prefix)] = str(prefix)
        for place in ("cluster/state", "cluster/gpus", "w"):
            (self.folder / place).mkdir(parents=True)
        self.machines = Machines(["ctl", *NODES], shared)
        self.count = 0
        self.lock, self.alone = threading.Lock(), threading.Lock()
        self.shown: list[dict[str, str]] = []
        self.shown_at = 0.0
        self.environment = {**ENVIRONMENT, "SLURM_CONF": "/cluster/slurm.conf"}
        if prefix is not None:
            self.environment["PATH"] = f"{prefix}/bin:{prefix}/sbin:{ENVIRONMENT['PATH']}"
        self.daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        self.machines.__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.machines.close()
        for daemon in self.daemons:
            daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        place = self.folder / "cluster"
        (place / "slurm.conf").write_text(CONF + (f"PluginDir={self.prefix}/lib/slurm\n" if self.prefix else ""))
        if self.prefix is not None:
            (place / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        (place / "gres.conf").write_text(GRES)
        for number in range(GPUS):
            # Slurm takes only device files for GPUs: these lead to /dev/null.
            os.mknod(place / "gpus" / f"nvidia{number}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        for name in ("ctl", *NODES):
            self.machines[name].without_pmix()
        self._daemon("ctl", "slurmctld", "-D", "-c")
        for name in NODES:
            self.machines[name].call(["mkdir", "-p", "/var/spool/slurmd"])
            self._daemon(name, "slurmd", "-D", "-N", name)
        for _ in range(300):
            shown = self.control("sinfo", "-h", "-N", "-o", "%N %t").stdout.split("\n")
            if len({line for line in shown if line.endswith(" idle")}) == len(NODES):
                return
            time.sleep(0.1)
        logs = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in place.glob("*.log"))
        raise OSError(f"the cluster did not start within 30 seconds: {shown}\n{logs}")

    def _daemon(self, machine: str, *argv: str) -> None:
        log = self.folder / "cluster" / f"{argv[0]}-{machine}.out"
        self.daemons.append(self.machines[machine].start(argv, log, self.environment))

    def control(self, *argv: str, workdir: str = "/") -> subprocess.CompletedProcess[str]:
        """A client program of Slurm, on the machine of the controller."""
        return self.machines["ctl"].call(argv, workdir, self.environment)

    def submit(self, body: Body) -> Submitted:
        """Submit a body in a folder of its own."""
        with self.lock:
            self.count += 1
            number = f"{self.count:04}"
        folder = self.folder / "w" / number
        for each in ("", *body.folders):
            (folder / each).mkdir(parents=True, exist_ok=True)
        for each, text in body.files.items():
            (folder / each).write_text(text)
        source = self.folder / "cluster" / f"submit-{number}"
        source.mkdir()
        (source / body.path.name).write_bytes(body.script)
        argv = [
            "sbatch",
            "--parsable",
            "-p",
            body.partition,
            *body.options,
            f"/cluster/{source.name}/{body.path.name}",
            *body.args,
        ]
        done = self.control(*argv, workdir=f"/w/{number}")
        found = re.match(r"\d+", done.stdout)
        return Submitted(int(found[0]) if found else None, done.stderr, f"/w/{number}", folder)

    def ended(self, job: Submitted) -> list[dict[str, str]] | None:
        """What `scontrol show job` says of every task of the job once all have ended, else None."""
        with self.lock:
            if time.monotonic() - self.shown_at > 0.2:
                text = self.control("scontrol", "-o", "show", "jobs").stdout
                self.shown = [dict(_fields(line)) for line in text.splitlines() if line.startswith("JobId=")]
                self.shown_at = time.monotonic()
        own = (str(job.number),)
        records = [each for each in self.shown if each["JobId"] in own or each.get("ArrayJobId") in own]
        if not records or any(each.get("JobState") not in ENDED for each in records):
            return None
        return sorted(records, key=lambda each: int(each.get("ArrayTaskId", "0")))

    def run(self, body: Body, timeout: float = 240) -> Outcome:
        """Submit a body and wait for its end; one that does not end in time is cancelled."""
        if body.partition == "shared":
            # Side by side on one node, such jobs would get other GPUs than 0, 1, ...
            with self.alone:
                return self._run(body, timeout)
        return self._run(body, timeout)

    def _run(self, body: Body, timeout: float) -> Outcome:
        job = self.submit(body)
        if job.number is None:
            return Outcome([("REFUSED", None)], {}, said=job.said)
        limit = time.monotonic() + timeout
        while (records := self.ended(job)) is None:
            if time.monotonic() > limit:
                self.control("scancel", str(job.number))
                return Outcome([("HANGS", None)], files_below(job.folder), workdir=job.inside, ids=[str(job.number)])
            time.sleep(0.1)
        # Output of the last moment is on its way.
        time.sleep(body.settle)
        numbers = {str(job.number), *(record["JobId"] for record in records)}
        names = {}
        parts = [each for each in self.shown if each.get("HetJobId") == str(job.number)] or records
        for record in parts:
            listed = self.control("scontrol", "show", "hostnames", record.get("NodeList", "")).stdout.split()
            before = len(names) if parts is not records else 0
            names.update({name: f"n{rank}" for rank, name in enumerate(listed, before + 1)})
        tasks = [(record["JobState"], _status(record)) for record in records]
        later = len(parts) - 1 if parts is not records else 0
        return Outcome(tasks, files_below(job.folder), workdir=job.inside, ids=numbers, names=names, later=later)


class Submitted:
    """A job that was handed to sbatch: its number (None: refused), what sbatch said, its folder inside and outside."""

    def __init__(self, number: int | None, said: str, inside: str, folder: Path) -> None:
        self.number, self.said, self.inside, self.folder = number, said, inside, folder


def _status(record: dict[str, str]) -> int | None:
    """The exit status of a job that ended by itself."""
    if record["JobState"] not in ("COMPLETED", "FAILED"):
        return None
    code, _, signal = record.get("ExitCode", "0:0").partition(":")
    return int(code) or (128 + int(signal) if int(signal or 0) else 0)


def _fields(line: str) -> list[tuple[str, str]]:
    return re.findall(r"(?:^| )([A-Z][\w/:.]*)=(.*?)(?= [A-Z][\w/:.]*=| *$)", line)
