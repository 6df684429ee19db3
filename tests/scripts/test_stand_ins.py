"""Commands of Slurm that the text does not show: each names the flag that brings it, and fails as nothing else does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flowc._compiled.slurm_commands import PROVIDED
from flowc.ir.job import Layout, Resources
from flowc.scripts import build
from flowc.scripts.slurm.tools import ABSENT, choose
from tests.scripts.jobs import PLAN, unit


def stand_ins(text: str, nodes: int = 1, tasks: int | None = None) -> set[str]:
    return {*choose(unit(f"#!/bin/bash\n{text}\n", layout=Layout(tasks=tasks)).job, nodes).stand_ins}


@pytest.mark.parametrize(
    ("text", "nodes", "tasks", "wanted"),
    [
        ("python train.py", 2, None, {*PROVIDED}),
        ("python train.py", 1, 8, {*PROVIDED}),
        ("srun python train.py", 1, 8, {*PROVIDED} - {"srun"}),
        ("scontrol show hostnames; squeue", 2, None, {"srun", "sacct", "scancel", "sinfo", "sbcast"}),
        # One task is all of the job: who looks for a command and does without does it all.
        ("python train.py", 1, None, set()),
        ("python train.py", 1, 1, set()),
        ("python train.py  # requeued by scontrol, else by srun", 1, None, {"scontrol"}),
        ("deepspeed --launcher slurm train.py", 1, None, {*PROVIDED} - {"srun", "scontrol"}),
    ],
)
def test_which(text: str, nodes: int, tasks: int | None, wanted: set[str]) -> None:
    assert stand_ins(text, nodes, tasks) == wanted


def test_none_where_there_is_no_small_slurm() -> None:
    for fields in ({"image": "ubuntu"}, {"frontend": "task-yaml"}):
        assert b"with-commands" not in build(unit("#!/bin/bash\npython a.py\n", **fields), index=None).payload


@pytest.mark.parametrize("text", ["python train.py", "srun python train.py"])
def test_each_names_its_flag_and_fails(tmp_path: Path, text: str) -> None:
    """The part of the startup script that makes them, run here."""
    startup = build(unit(f"#!/bin/bash\n{text}\n", layout=Layout(tasks=8)), index=None)
    made = startup.plain.partition("# ---- the small Slurm")[2].partition("\n# ----")[0].partition("\n")[2]
    subprocess.run(["bash", "-ec", f"state_dir='{tmp_path}'\n{made}"], check=True)
    for name in stand_ins(text, tasks=8):
        ran = subprocess.run([tmp_path / "bin" / name, "show", "x"], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (ABSENT, "")
        assert ran.stderr == f"flowc: {name} is not on this machine: --with-commands {name} brings it\n"
    assert {path.name for path in (tmp_path / "bin").iterdir()} == {*PROVIDED}


def test_what_has_no_room_goes_without() -> None:
    import random

    noise = random.Random(1)
    for size in range(6000, 8000, 20):
        text = "#!/bin/bash\n: " + "".join(chr(noise.randrange(33, 127)) for _ in range(size)) + "\n"
        found = build(unit(text, layout=Layout(tasks=2)), index=None)
        if found.left_out and "Slurm" in found.left_out:
            assert b"with-commands" not in found.payload
            return
        assert b"with-commands" in found.payload
    pytest.fail("none was at the limit")


def test_login_shells_find_the_commands_however_little_room_there_is() -> None:
    """/etc/profile sets PATH anew, so that they must be where it looks."""
    import random

    noise = random.Random(1)
    for size in range(5000, 8000, 20):
        waste = "".join(chr(noise.randrange(33, 127)) for _ in range(size))
        text = f"#!/bin/bash -l\nscontrol show hostnames\n: {waste}\n"
        found = build(unit(text, layout=Layout(tasks=2)), index=None)
        assert b"/usr/local/bin" in found.payload
        if b"with-commands" not in found.payload:
            assert found.fits
            return
    pytest.fail("none was at the limit")


def test_what_guards_the_machines_goes_first() -> None:
    import random
    import string

    noise = "".join(random.Random(1).choices(string.ascii_letters, k=8000))
    for size in range(3000, 8000, 200):
        text = f"#!/bin/bash\nsrun python a.py\n: {noise[:size]}\n"
        found = build(unit(text, plan=PLAN.replace(nodes=2), resources=Resources(nodes=2)), index=None)
        if not found.guarded:
            assert found.fits
            assert b"with-commands" in found.payload
            assert found.left_out
            assert "not on the machine" not in found.left_out
            return
    pytest.fail("none was at the limit")


def test_steps_that_other_machines_start_keep_their_account_before_the_guard() -> None:
    import random
    import string

    noise = "".join(random.Random(1).choices(string.ascii_letters, k=3000))
    inner = "srun -n1 ./a & sleep 9; scancel $SLURM_JOB_ID.1; wait"
    for size in range(0, 3000, 100):
        steps = f"srun -N1 -n1 -w n2 --exact sh -c '{inner}'\nsrun -N1 -n1 -w n1 hostname\n"
        text = f"#!/bin/bash\n{steps}: {noise[:size]}\n"
        found = build(unit(text, plan=PLAN.replace(nodes=2), resources=Resources(nodes=2)), index=None)
        if not found.guarded:
            assert found.fits
            assert found.left_out is not None
            assert "from the agents of srun" in found.left_out
            assert "one account" not in found.left_out
            return
    pytest.fail("none was at the limit")
