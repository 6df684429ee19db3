"""A startup script that has no room for PMI beside PMIx: it has PMIx, and that is told."""

from __future__ import annotations

import random

import pytest

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.scripts import Startup, build
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH -N2 --gpus-per-node=h100:8 -t 5\n"
AMBIGUOUS = "srun -n4 python -m mpi4py run.py"
CODE = "FC859"


def source(text: str, digits: int) -> Source:
    """With so many digits of data, of which nothing makes less than half."""
    data = "".join(random.Random(1).choices("0123456789abcdef", k=digits))
    return Source.from_bytes("job.sbatch", f"{HEAD}{text}\n: {data}\n".encode())


def told(found: driver.Result) -> set[str]:
    return {each.code.id for each in found.diagnostics} & {CODE, "FC801", "FC822"}


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
    assert (short.by_pmix, short.fits) == (True, True)
    assert {word: word in short.payload for word in (b"PMI_FD", b"PMIx_server_init", b"kvs-fence")} == {
        b"PMI_FD": True,
        b"PMIx_server_init": True,
        b"kvs-fence": False,
    }


def test_what_has_more_room_has_both() -> None:
    """User data takes more; over SSH comes all."""
    inputs = Inputs(flags=Flags(budget="99"))
    one = driver.compile(source(AMBIGUOUS, 1500), inputs, emit="plan").units[0]
    assert b"kvs-fence" in build(one, index=None, pmi=True).payload
    over_ssh = inputs.replace(defaults=Flags(body="auto"))
    assert told(driver.check(source(AMBIGUOUS, 1500), over_ssh)) == {"FC822"}
    sent = driver.compile(source(AMBIGUOUS, 1500), over_ssh, emit="mithril")
    assert told(sent) == {"FC822"}
    assert any("kvs-fence" in each.text for each in sent.artifacts if each.name not in ("request.json", "startup.sh"))
