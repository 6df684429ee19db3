"""How much of the user's script fits beside the emitted runtime. `python tests/scripts/test_room.py` prints
it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jobs import unit

from flowc import driver
from flowc.backends.mithril import limits
from flowc.inputs import Flags, Inputs
from flowc.ir.job import Time
from flowc.scripts import Drafts, build
from flowc.source import Source
from tests.some import some

BASH = Path("/usr/lib/cloud-init/ds-identify")
LARGEST = 60_000


def fits(body: bytes) -> bool:
    return build(unit(body, time=Time(limit_s=3600)), index=None).fits


def noise(size: int) -> bytes:
    """A script of bytes that do not compress: all but NUL, LF and CR, after its first line."""
    draw, first = random.Random(1), b"#!/bin/bash\n"
    values = [value for value in range(1, 256) if value not in (10, 13)]
    return first + bytes(draw.choices(values, k=size - len(first)))


def room(text: bytes) -> int:
    """The length of the longest beginning of `text` that fits, by bisection."""
    low, high = 0, len(text)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle)
    return low


def test_6656_bytes_that_do_not_compress_fit() -> None:
    assert fits(noise(6656))


@pytest.mark.parametrize(
    "commands", ["srun,squeue", "srun,scontrol", "srun,sinfo", "srun,scancel", "squeue,scontrol,sinfo"]
)
@pytest.mark.parametrize("nodes", [1, 2])
def test_commands_that_no_text_shows_fit_together(commands: str, nodes: int) -> None:
    """What few calls ask for stays away where there is no room for it, and the plan says so."""
    flags = Flags(with_commands=(commands,))
    text = f"#!/bin/bash\n#SBATCH -N {nodes}\n./a\n".encode()
    result = driver.compile(Source.from_bytes("job.sbatch", text), Inputs(flags=flags))
    assert [each.message for each in result.diagnostics if each.severity == "error"] == []


@pytest.mark.skipif(not BASH.exists(), reason="needs Debian's package cloud-init")
def test_20480_bytes_of_bash_fit() -> None:
    assert fits(BASH.read_bytes()[:20480])


@pytest.mark.skipif(not BASH.exists(), reason="needs Debian's package cloud-init")
def test_20000_bytes_of_bash_need_no_python_on_the_machine() -> None:
    assert build(unit(BASH.read_bytes()[:20000], time=Time(limit_s=3600)), index=None).encoding == "gzip+base64"


# On four nodes with a time limit and a step: options that scripts commonly have, the bytes that do not compress and the
# bytes of bash that fit beside them. The aim is 4,096 and 12,288; where there is less, it is what there is.
HOSTS = 'export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)\n'
MIXES = {
    "srun": ("srun python train.py\n", 4160, 17_100),
    "label": ("srun --label python train.py\n", 3880, 14_800),
    "signal": ("#SBATCH --signal=B:USR1@60\nsrun python train.py\n", 4080, 15_300),
    "module": ("module load cuda/12.1\nsrun python train.py\n", 3870, 14_700),
    "hostnames": (HOSTS + "srun torchrun train.py\n", 3990, 15_000),
    "tasks": ("#SBATCH --ntasks-per-node=8 --cpus-per-task=4\nsrun python train.py\n", 4120, 15_500),
    "output": ("#SBATCH -o logs/%x-%j.out\nsrun --output=logs/%x-%j-%t.out python train.py\n", 3570, 13_800),
    "gpus": ("#SBATCH --ntasks-per-node=8\nsrun --gpus-per-task=1 python train.py\n", 3640, 13_900),
    "kill": ("srun --kill-on-bad-exit=1 --cpu-bind=none --export=ALL python train.py\n", 3650, 14_000),
    "counts": ("srun -n 8 --ntasks-per-node 2 --label python train.py\n", 3550, 14_000),
    # As public scripts of 7 KB for models on many nodes have it: options in a variable, a program in another.
    "variable": (
        "#SBATCH --ntasks-per-node=1 -c 64 --hint=nomultithread -o %x-%j.out\n"
        + HOSTS
        + 'SRUN_ARGS=" \\\n  --wait=60 \\\n  --kill-on-bad-exit=1 \\\n  "\n'
        + "CMD='train.py --tensor-model-parallel-size 4 -d x'\n"
        + 'srun $SRUN_ARGS --jobid $SLURM_JOB_ID bash -c "torchrun $CMD" 2>&1 | tee -a main.log\n',
        3300,
        13_500,
    ),
    "usual": (
        "#SBATCH --ntasks-per-node=1 -c 8 -o logs/%x-%j.out\nmodule load cuda/12.1\n"
        + HOSTS
        + "srun --label torchrun train.py\n",
        3400,
        13_500,
    ),
    "all": (
        "#SBATCH --ntasks-per-node=1 -c 8 -o logs/%x-%j.out --signal=B:USR1@60\nmodule load cuda/12.1\n"
        + HOSTS
        + "srun --label --output=logs/%x-%j-%t.out --gpus-per-task=1 python train.py\n",
        2660,
        9700,
    ),
}

# Those with the most and with the least, and what scripts commonly have; the others are much alike, and cost seconds.
EACH_MIX = some(MIXES, "srun", "all")


def steps(lines: str, text: str) -> bool:
    """Whether a job of four nodes with a time limit and these lines fits, and this text in it."""
    head = f"#!/bin/bash\n#SBATCH -N 4 --gpus-per-node=h100:8 -t 10\n{lines}"
    found = driver.compile(Source("j.sbatch", head + text), Inputs())
    return any(len(each.text) <= 10_000 for each in found.artifacts if each.name.endswith("startup.sh"))


@pytest.mark.parametrize("mix", EACH_MIX)
def test_bytes_that_do_not_compress_fit_beside_steps_on_four_nodes(mix: str) -> None:
    lines, size, _ = MIXES[mix]
    text = noise(size + 12).partition(b"\n")[2].decode("utf-8", "surrogateescape")
    assert steps(lines, f": <<'EOF'\n{text}\nEOF\n")


@pytest.mark.skipif(not BASH.exists(), reason="needs Debian's package cloud-init")
@pytest.mark.parametrize("mix", some(MIXES, "all"))
def test_bash_fits_beside_steps_on_four_nodes(mix: str) -> None:
    lines, _, size = MIXES[mix]
    assert steps(lines, BASH.read_text()[:size])


def test_what_cannot_fit_says_so_and_is_not_raised() -> None:
    startup = build(unit(noise(200_000)), index=None)
    assert not startup.fits
    assert len(startup.sent) > startup.limit


if __name__ == "__main__":
    print(f"bytes that do not compress: {room(noise(LARGEST))}")
    if BASH.exists():
        print(f"ordinary bash ({BASH.name}): {room(BASH.read_bytes())}")
    else:
        print("ordinary bash: needs Debian's package cloud-init")


BARE = """\
#!/bin/bash
#SBATCH -N 8 --ntasks-per-node=2 --time=1:00:00 --signal=B:USR1@60 --requeue -o %x-%N-%j.out -e /scratch/%u/%A.err
#SBATCH --array=1-9%2 --mem=4G --constraint=a100 --export=A=1,B=2
module purge
module load $TOOLS gcc/12 cuda/12 openmpi/4.1 python/3.11
module list
echo $SLURM_JOB_NODELIST $SLURM_CPUS_PER_TASK $SLURM_ARRAY_TASK_ID
: 'NOISE'
"""


@pytest.mark.parametrize("image", [None, "ubuntu:24.04"])
def test_what_is_said_to_fit_without_looking_does(image: str | None) -> None:
    """A check builds no script that is surely small: a batch script without a small Slurm, and what waits for all."""
    draw = random.Random(2)
    text = BARE.replace("NOISE", "".join(draw.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=3000)))
    flags = Flags(image=image, env=(("X", "1"), ("Y", "/data")), mounts=("/scratch=scratch", "/data=scratch"))
    inputs = Inputs(flags=flags)
    (job,) = driver.compile(Source.from_bytes("job.sbatch", text.encode()), inputs, emit="plan").units
    drafts = Drafts(job, 9)
    assert drafts.is_bare is (image is None)
    if image is None:
        said = [each for name, each in vars(job.job).items() if name not in limits.TOLD_ONLY]
        assert 2500 < limits.packed_bytes(job.job, said) < limits.SURELY_FITS_BARE
        assert len(drafts.startup().sent) < 8000
    assert drafts.startup().encoding == "gzip+base64"
    waiting = Drafts(limits.apart(job, "whole"), 9)
    assert len(waiting.startup().sent) < 3000
    assert limits.fits_as(job, "whole")


SHORT = (
    "module load openmpi\nsrun -l --mpi=pmi2 -m block:cyclic -n 8 ./a &\nsrun --mpi=pmix --overlap -o %t.out ./b\n",
    "module load openmpi mpich\nsrun $OPTIONS ./a &\nsrun -r1 -N1 ./b\nwait\n",
)


@pytest.mark.parametrize("text", SHORT)
def test_a_check_tells_of_short_texts_whose_small_slurm_has_no_room(text: str) -> None:
    source = Source.from_bytes("job.sbatch", f"#!/bin/bash\n#SBATCH -N4 -n8 -t 5\n{text}".encode())
    told = [each for each in driver.check(source, Inputs()).diagnostics if each.severity == "error"]
    assert [each.code.id for each in told] == ["FC801"]
    assert told == [each for each in driver.compile(source, Inputs()).diagnostics if each.severity == "error"]
