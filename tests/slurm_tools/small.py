"""flowc's small Slurm on this machine: its programs in a folder, and agents on addresses of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from jobs import unit

from flowc._compiled.slurm_programs import NAMES, NEEDS
from flowc.body.slurm_features import TABLE
from flowc.ir.job import Job
from flowc.scripts.slurm.tools import closed, program

EVERYTHING = closed(
    {"guarded", "shared", "picks", *NEEDS, *NAMES}
    | {*(f"opt:{entry[2:]}" for entry in TABLE), *" ".join(NEEDS.values()).split()}
)
# Defaults that the text of a job gives, and what all of a job is.
EVERYTHING -= {"pmi_always", "pmix_always", "no_pmi", "pmi_by_pmix", "het_job"}
NODES = 4
# `start("srun", …, env=batch)`: with its output as lines.
Start = Callable[..., subprocess.Popen[str]]
PATIENCE_S = 120
# Its own for each process that runs tests.
PORT = 20000 + os.getpid() % 10000
HOSTS = "".join(f"127.0.0.{number + 1} n{number}.local n{number}\n" for number in (4, 3, 2, 1))


def no_pmix(folder: Path) -> dict[str, str]:
    """The variable with which srun finds no library of PMIx: this machine may have one, and what cannot be loaded is
    found before it."""
    folder.mkdir(exist_ok=True)
    for name in ("libpmix.so.2", "libopen-pal.so.40"):
        (folder / name).touch()
    return {"LD_LIBRARY_PATH": str(folder)}


def install(where: Path, features: set[str], host: str = "n1") -> Path:
    """The programs with these features, as on the machine of this name; their files are in the folder above."""
    where.mkdir(parents=True)
    text = program(features)
    top = where.parent if where.name == "bin" else where.parent.parent
    folder = "/var/lib/foundry/flowc/"
    for path in (
        folder + "nodes",
        folder + "run",
        folder + "key",
        "/etc/hosts",
        "/run/flowc.end",
        "/run/flowc.step.",
        "/run/flowc.ready",
    ):
        text = text.replace(path, str(top / path.rpartition("/")[2]))
    # Here addresses of this machine are those of the nodes.
    text = (
        text.replace('!="127"', '!="0"')
        .replace("=6818", f"={PORT}")
        .replace("socket.gethostname()", repr(host))
        .replace("#!/usr/bin/python3", f"#!{sys.executable}", 1)
    )
    for name in (name for names in NAMES.values() for name in names):
        (where / name).write_text(text)
        (where / name).chmod(0o755)
    return where


def job(text: str) -> Job:
    return unit(text).job


class Cluster:
    """Agents n1 to n4 and the folder of the head's programs. A context manager."""

    def __init__(self, folder: Path) -> None:
        (folder / "hosts").write_text(HOSTS)
        (folder / "run").write_text("the script of the job\n")
        self.folder = folder
        self.bin = install(folder / "bin", EVERYTHING)
        others = {
            f"n{number}": install(folder / "others" / f"n{number}", EVERYTHING, f"n{number}") for number in (2, 3, 4)
        }
        self.agents = [
            subprocess.Popen([where / "agent", str(NODES)], stdin=subprocess.DEVNULL, start_new_session=True)
            for where in others.values()
        ]
        self.head = subprocess.Popen(
            [self.bin / "agent", str(NODES)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        try:
            self.node_list = self.head.communicate(timeout=60)[0].decode()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        # With what they left in the background: the head's agent, and those who serve a step.
        for agent in (*self.agents, self.head):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(agent.pid, signal.SIGKILL)
            agent.wait(timeout=20)


def run(batch: dict[str, str], text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", text], env=batch, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL
    )


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline().strip() for _ in range(count)]


def marked(mark: str) -> list[Path]:
    """The folders in /proc of the programs that have this mark."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"MARK={mark}\0".encode() in (entry / "environ").read_bytes():
                found.append(entry)
    return found
