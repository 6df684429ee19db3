"""What is submitted: jobs of each shape that a submission can have, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowc.submit.journal import BROKEN, DONE


@dataclass(frozen=True)
class Shape:
    """A job file, further words of the command, how many bids and volumes it comes to, and how many of the bids may
    live at once (0: all). `completes`: the next ones wait until these have done well, not only until they are gone.
    `others` are further files; the job whose name begins with `fails` does not do well; `state` is what the submission
    comes to."""

    name: str
    file: str
    text: str
    bids: int
    volumes: int = 0
    words: tuple[str, ...] = ()
    at_once: int = 0
    completes: bool = False
    others: tuple[tuple[str, str], ...] = ()
    fails: str = "(none)"
    state: str = DONE

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file, *(name for name, _ in self.others))

    def write(self, folder: Path) -> None:
        for name, text in ((self.file, self.text), *self.others):
            (folder / name).write_text(text)


def slurm(*directives: str) -> str:
    lines = "".join(f"#SBATCH {each}\n" for each in ("--gres=gpu:h100:1", "--time=1:00:00", *directives))
    return f"#!/bin/bash\n{lines}echo hello\n"


VOLUMES = """name: stored
command: echo hello
instance_type: 1xh100
region: us-central2-a
max_price_per_hour: 10
max_run_time_hours: 1
volumes:
  - {name: corpus, size_gb: 10, mount_path: /data, interface: file}
  - {name: results, size_gb: 10, mount_path: /out, interface: file}
"""
HET = """#!/bin/bash
#SBATCH --job-name=mixed --gres=gpu:h100:1 --time=1:00:00
#SBATCH hetjob
#SBATCH --gres=gpu:h100:8 --time=1:00:00
echo hello
"""

PIPELINE = """name: steps
---
name: prepare
resources: {accelerators: "H100:1"}
run: echo hello
---
name: learn
resources: {accelerators: "H100:1"}
run: echo hello
"""

# Four jobs of which the second fails: its cleaner runs, what needs it never does.
GRAPH = tuple(
    (f"{name}.sbatch", slurm(f"--job-name={name}", *waits))
    for name, *waits in (
        ("join", "--dependency=afterok:prepare:left"),
        ("clean", "--dependency=afternotok:left"),
        ("left", "--dependency=afterok:prepare"),
        ("prepare",),
    )
)

SHAPES = (
    Shape("one bid", "one.sbatch", slurm("--job-name=one"), 1),
    Shape("array of 6, two at once", "array.sbatch", slurm("--job-name=sweep", "--array=0-5%2"), 6, at_once=2),
    Shape("array of 4", "four.sbatch", slurm("--job-name=four", "--array=0-3"), 4),
    Shape("het job", "het.sbatch", HET, 2),
    Shape("all of the quota", "many.sbatch", slurm("--job-name=many", "--nodes=64"), 1),
    Shape("volumes to be made", "stored.yaml", VOLUMES, 1, 2),
    Shape("one job after another", "steps.yaml", PIPELINE, 2, at_once=1, completes=True),
    Shape("graph of four, one fails", *GRAPH[0], 3, at_once=1, completes=True, others=GRAPH[1:], fails="left",
          state=BROKEN),
    Shape("SSH keys and project", "keys.sbatch", slurm("--job-name=keyed"), 1,
          words=("--ssh-key", "laptop", "--project", "research")),
)  # fmt: skip
