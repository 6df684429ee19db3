"""What a startup script does without for want of room, and that is told: comments, and PMI beside PMIx."""

from __future__ import annotations

import random

import pytest

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.scripts import Startup, build
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH -N2 --gpus-per-node=h100:8 -t 5\n"
AMBIGUOUS = "srun -n4 python -m mpi4py run.py"
CODE, COMMENTS = "FC859", "FC860"


def source(text: str, digits: int) -> Source:
    """With so many digits of data, of which nothing makes less than half."""
    data = "".join(random.Random(1).choices("0123456789abcdef", k=digits))
    return Source.from_bytes("job.sbatch", f"{HEAD}{text}\n: {data}\n".encode())


def told(found: driver.Result) -> set[str]:
    return {each.code.id for each in found.diagnostics} & {CODE, COMMENTS, "FC801", "FC822"}


def script(found: driver.Result) -> Startup:
    (one,) = found.units
    return build(one, index=None)


@pytest.mark.parametrize(
    ("text", "digits", "codes"),
    [
        (AMBIGUOUS, 1500, {CODE}),
        (AMBIGUOUS, 6000, {"FC801"}),
        (f"module load openmpi\n{AMBIGUOUS}", 1500, set[str]()),
        (f"module load mpich\n{AMBIGUOUS}", 1500, set[str]()),
        ("srun --mpi=pmi2 -n4 ./a --of openmpi", 1500, {CODE}),
        ("srun -n4 python run.py", 1500, set[str]()),
    ],
)
def test_check_and_compilation_tell_it(text: str, digits: int, codes: set[str]) -> None:
    job, inputs = source(text, digits), Inputs(flags=Flags(budget="99"))
    assert told(driver.check(job, inputs)) == codes
    assert told(driver.compile(job, inputs, emit="mithril")) == codes


def test_it_has_pmix_alone_and_says_so() -> None:
    inputs = Inputs(flags=Flags(budget="99"))
    made = driver.compile(source(AMBIGUOUS, 1500), inputs, emit="mithril")
    report = next(each for each in made.artifacts if each.name == "report.txt").text
    assert "PMI, by which MPICH and Intel MPI start" in report
    short = script(driver.compile(source(AMBIGUOUS, 1500), inputs, emit="plan"))
    assert (short.has_pmi, short.has_comments, short.fits) == (False, True, True)
    assert {word: word in short.payload for word in (b"PMI_FD", b"PMIx_server_init", b"kvs-fence")} == {
        b"PMI_FD": True,
        b"PMIx_server_init": True,
        b"kvs-fence": False,
    }


def test_what_has_more_room_has_both() -> None:
    """User data takes more; over SSH comes all."""
    inputs = Inputs(flags=Flags(budget="99"))
    one = driver.compile(source(AMBIGUOUS, 1500), inputs, emit="plan").units[0]
    assert b"kvs-fence" in build(one, index=None, cut=False).payload
    over_ssh = inputs.replace(defaults=Flags(body="auto"))
    assert told(driver.check(source(AMBIGUOUS, 1500), over_ssh)) == {"FC822"}
    sent = driver.compile(source(AMBIGUOUS, 1500), over_ssh, emit="mithril")
    assert told(sent) == {"FC822"}
    assert any("kvs-fence" in each.text for each in sent.artifacts if each.name not in ("request.json", "startup.sh"))


def remark(digits: int) -> str:
    return "# " + "".join(random.Random(2).choices("0123456789abcdef", k=digits))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"{remark(12_000)}\nnvidia-smi", {COMMENTS}),
        (f"nvidia-smi {remark(12_000)}", {COMMENTS}),
        # What is shorter without them has PMI.
        (f"{remark(1500)}\n{AMBIGUOUS}", {COMMENTS}),
        # Both are too much, one alone is not enough.
        (f"{remark(6000)}\n{AMBIGUOUS} {remark(1500)[2:]}", {COMMENTS, CODE}),
        # The text may read itself, or show itself.
        (f"{remark(12_000)}\ngrep -c '^#' $0", {"FC801"}),
        (f"{remark(12_000)}\ncp ${{BASH_SOURCE[0]}} /data", {"FC801"}),
        (f"{remark(12_000)}\ncat $(scontrol show job $SLURM_JOB_ID | sed -n 's/ *Command=//p')", {"FC801"}),
        (f"{remark(12_000)}\nset -ev\nnvidia-smi", {"FC801"}),
        (f"cat <<E\n{remark(12_000)}\nE", {"FC801"}),
    ],
)
def test_comments_stay_behind_where_the_text_cannot_miss_them(text: str, codes: set[str]) -> None:
    job, inputs = Source.from_bytes("job.sbatch", f"{HEAD}{text}\n".encode()), Inputs(flags=Flags(budget="99"))
    assert told(driver.check(job, inputs)) == codes
    assert told(driver.compile(job, inputs, emit="mithril")) == codes


@pytest.mark.parametrize("first", ["#!/usr/bin/python3", "#!/bin/bash -v", "#!/bin/tcsh"])
def test_other_programs_have_their_own_comments(first: str) -> None:
    text = f"{first}\n{HEAD.partition(chr(10))[2]}{remark(12_000)}\nx=1\n"
    assert told(driver.check(Source.from_bytes("job.sbatch", text.encode()), Inputs(flags=Flags(budget="99")))) == {
        "FC801"
    }


def test_lines_keep_their_numbers_and_the_report_says_so() -> None:
    text = f"{HEAD}{remark(12_000)}\n# a\n  nvidia-smi  # b\nfalse"
    inputs = Inputs(flags=Flags(budget="99", body="auto"))
    made = driver.compile(Source.from_bytes("job.sbatch", text.encode()), inputs, emit="mithril")
    # Nothing goes over SSH for that.
    assert told(made) == {COMMENTS}
    artifacts = {each.name: each.text for each in made.artifacts}
    assert "the comments of the job's own text" in artifacts["report.txt"]
    plain = "#!/bin/bash\n\n\n\n  nvidia-smi  \nfalse\n"
    assert plain in artifacts["startup.plain.sh"]
    assert "#SBATCH -N2" not in artifacts["startup.plain.sh"]
