"""What a bid cannot carry, brought to machines of the loopback provider and of this computer."""

from __future__ import annotations

import random

from tests.tasks.conftest import Cloud

WHOLE = "/var/lib/foundry/flowc/whole"
FOUR = "#!/bin/bash\n#SBATCH --nodes=4 --gpus-per-node=h100:8 --time=10 --job-name=four\n"


def noise(size: int) -> str:
    """Text that no compressor makes much shorter, as a here-document that does nothing."""
    return f": <<'E'\n{random.Random(1).randbytes(size // 2).hex()}\nE\n"


def test_a_body_of_60_kb_on_four_nodes_with_srun(cloud: Cloud) -> None:
    job = cloud.person.job(noise(60_000) + "srun --label hostname | sort\nsqueue -h -O JobID | wc -l\n", head=FOUR)
    forbidden = cloud.person.types("submit", job, "--body", "script", "--dry-run", "--offline")
    assert (forbidden.returncode, "FC801" in forbidden.stderr) == (1, True)
    done = cloud.person.types("submit", job, "--follow")
    assert done.returncode == 0, done.stderr
    *tasks, jobs = done.stdout.splitlines()
    name = next(iter(cloud.state.bids.values())).name
    assert (tasks, jobs) == ([f"{rank}: {name}-{rank}" for rank in range(4)], "1")
    assert done.stderr.count(WHOLE) == 1
    assert "FC801" not in done.stderr
    assert cloud.living() == []


def test_what_no_bid_has_room_for_is_more_than_a_body(cloud: Cloud) -> None:
    text = f"resources:\n  accelerators: H100:8\nsetup: |\n  true {noise(40_000)[8:39_000]}\nrun: |\n  echo set up\n"
    done = cloud.person.types("submit", cloud.person.job(text, "sky.yaml", head=""), "--follow")
    assert (done.returncode, done.stdout) == (0, "set up\n"), done.stderr
    assert WHOLE in done.stderr
    assert cloud.living() == []
