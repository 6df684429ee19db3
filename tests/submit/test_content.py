"""What a submission is about: the same for the same jobs, whatever their numbers are, and for no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from flowc.submit.plan import content_key, number_of
from flowc.tasks.documents import document_of, joined
from tests.corpus import CASES, load

JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nsrun hostname\n"


def document(text: str = JOB, *, number: int | None = 5, **more: Any) -> dict[str, Any]:
    inputs = Inputs(submitted=True, number=number, **more)
    return document_of(driver.compile(Source("job.sbatch", text), inputs).artifacts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_the_number_counts_for_nothing(case: Path) -> None:
    source, inputs = load(case)
    inputs = inputs.replace(submitted=True)
    made = [driver.compile(source, inputs.replace(number=number)).artifacts for number in (7, 70_000_000)]
    if made[0]:
        first, second = map(document_of, made)
        assert content_key(first) == content_key(second)
        told = [job.get("job_id") for job in first["jobs"]]
        assert told[0] in (7, None)
        assert (first["requests"] == second["requests"]) == (set(told) == {None})


def test_all_else_counts() -> None:
    others = [
        document(),
        document(JOB + "true\n"),
        document(JOB.replace("time=10", "time=11")),
        document(JOB.replace("time=10", "time=10 --array=1-2")),
        document(releases=True),
        document(flags=Flags(env=(("A", "1"),))),
        document(flags=Flags(env=(("A", "2"),))),
        document(flags=Flags(secrets=("A",))),
        document(flags=Flags(code="a")),
        document(flags=Flags(code="b")),
        document(flags=Flags(body="ssh")),
        document(flags=Flags(name="other")),
        document(flags=Flags(region="us-central1-b")),
        document(flags=Flags(max_price_per_hour="40")),
        document(flags=Flags(with_commands=("module",))),
        joined([document(), document()]),
        joined([document(), document(JOB + "true\n")]),
        joined([document(JOB + "true\n"), document()]),
    ]
    assert len({content_key(each) for each in others}) == len(others)
    # Where its folders are, and what is in them, is found later.
    tree = document(flags=Flags(code="a"))
    tree["deliver"][0]["digest"] = "x"
    assert content_key(tree) != content_key(document(flags=Flags(code="a")))


def test_numbers_are_as_slurms() -> None:
    found = {number_of(f"nonce{each}") for each in range(1000)}
    assert len(found) == 1000
    assert min(found) > 0
    assert max(found) < 2**31 - (1 << 22)
