"""Clusters and requests chosen at random, and what a real slurmctld says of them.

`python -m tests.profile.cluster.requests` asks it and writes the answers that the ordinary tests compare with.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.profile.cluster.controller import head, running

# Seeds of the clusters whose answers are kept.
SAMPLE = (3, 6, 18, 112)
ANSWERS = Path(__file__).parent / "answers.json"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
FEATURES = ("ib", "fast", "old", "big")


def conf(seed: int) -> str:
    rng = random.Random(seed)
    lines = [f"EnforcePartLimits={rng.choice(['NO', 'ANY', 'ALL'])}\n"]
    if rng.random() < 0.3:
        lines.append(rng.choice(["DefMemPerCPU=500\n", "DefMemPerNode=3000\n"]))
    more = random.Random(seed + 5000)
    for line, share in (("MaxArraySize=20", 0.3), ("JobSubmitPlugins=require_timelimit", 0.1), ("Licenses=a:2,b", 0.5)):
        if more.random() < share:
            lines.append(f"{line}\n")
    # Where limits are not enforced, what becomes of several partitions hangs on more than that.
    closed = [] if "NO" in lines[0] else [("ReqResv=YES", 0.05), ("RootOnly=YES", 0.05)]
    names = []
    for group in range(rng.randint(1, 3)):
        name = f"{'abc'[group]}[1-{rng.randint(1, 6)}]"
        memory = rng.choice([4000, 64000, 500000])
        keys = [f"NodeName={name} CPUs={rng.choice([4, 16, 64])} RealMemory={memory} State=CLOUD"]
        if rng.random() < 0.7:
            keys.append("Feature=" + ",".join(rng.sample(FEATURES, rng.randint(1, 2))))
        if rng.random() < 0.6:
            keys.append("Gres=" + rng.choice(["gpu:h100:8", "gpu:4", "gpu:v100:2", "gpu:v100:1,gpu:a100:2"]))
        lines.append(" ".join(keys) + "\n")
        names.append(name)
    for index in range(rng.randint(1, 4)):
        keys = [f"PartitionName=p{index} Nodes={rng.choice(['ALL', rng.choice(names)])}"]
        for key, values, share in (
            ("MaxTime", ["30", "2:00:00", "2-0"], 0.6),
            ("MaxNodes", ["1", "2", "4"], 0.4),
            ("MinNodes", ["1", "2"], 0.2),
            ("MaxCPUsPerNode", ["2", "8"], 0.2),
            ("MaxMemPerNode", ["3000", "32000"], 0.3),
            ("DefMemPerCPU", ["1000"], 0.2),
            ("OverSubscribe", ["EXCLUSIVE", "NO"], 0.3),
            ("State", ["UP", "DOWN", "DRAIN", "INACTIVE"], 0.2),
        ):
            if rng.random() < share:
                keys.append(f"{key}={rng.choice(values)}")
        keys += [
            key for key, share in ((f"MaxMemPerCPU={more.choice([500, 1000])}", 0.1), *closed) if more.random() < share
        ]
        if index == 0:
            keys.append("Default=YES")
        lines.append(" ".join(keys) + "\n")
    return "".join(lines)


def requests(text: str, seed: int, count: int) -> list[str]:
    parts = re.findall(r"PartitionName=(\w+)", text)
    rng, more = random.Random(seed + 1000), random.Random(seed + 6000)
    found = []
    for _ in range(count):
        words = []
        for share, choices in (
            (0.5, [*(f"-p {each}" for each in parts), *(["-p " + ",".join(parts[:2])] if len(parts) > 1 else [])]),
            (0.02, ["-p nosuch"]),
            (0.4, ["-N 1", "-N 1", "-N 2", "-N 3", "-N 9", "-N 1-2", "-N 2-4", "-N 1-20"]),
            (0.4, ["-n 1", "-n 2", "-n 4", "-n 9", "-n 30"]),
            (0.3, ["-c 2", "-c 2", "-c 4", "-c 16"]),
            (0.1, ["--ntasks-per-node=2", "--ntasks-per-node=4"]),
            (0.4, ["-t 10", "-t 10", "-t 1:00:00", "-t 1-0"]),
            (0.3, ["--mem=500", "--mem=1000", "--mem=4001", "--mem=60G", "--mem-per-cpu=900", "--mem-per-cpu=2G"]),
            (0.12, [*(f"-C {each}" for each in FEATURES), "-C ib&fast", "-C ib|old"]),
            (0.12, ["--gres=gpu:1", "--gres=gpu:2", "--gres=gpu:8", "--gres=gpu:h100:2", "--gres=gpu:v100:1"]),
            (0.1, ["--exclusive"]),
        ):
            if rng.random() < share:
                words.append(rng.choice(choices))
        if not any("gres" in each for each in words) and rng.random() < 0.1:
            words.append(rng.choice(["--gpus=1", "--gpus=16", "--gpus-per-node=h100:4", "--gpus-per-task=1"]))
        for share, choices in (
            (0.05, ["-a 1-5", "-a 0-19", "-a 1-20", "-a 1-2000", "-a 1-1001", "-a 0-1000"]),
            (0.05, ["-L a", "-L a:2", "-L a:3", "-L b,a", "-L c"]),
        ):
            if more.random() < share:
                words.append(more.choice(choices))
        found.append(" ".join(words))
    return found


def answered(text: str, asked: list[str]) -> list[str]:
    """For each request "" where it would be taken, else what the real one says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "slurm.conf"
        path.write_text(head(folder) + text)
        with running(path) as environment:
            return [*_ask(asked, environment)]


def _ask(asked: list[str], environment: dict[str, str]) -> Iterator[str]:
    for each in asked:
        argv = [*NOBODY, "sbatch", "--test-only", *each.split(), "--wrap", "true"]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=20, cwd="/")
        yield done.stderr.strip().splitlines()[-1] if done.returncode else ""


def main() -> None:
    stored = []
    for seed in SAMPLE:
        text = conf(seed)
        asked = requests(text, seed, 15)
        stored.append({"conf": text, "answers": dict(zip(asked, answered(text, asked), strict=True))})
    ANSWERS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
