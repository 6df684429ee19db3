"""Every case of corpus/ against its golden files. `pytest --update tests/test_corpus.py` accepts what flowc
gives now; read the difference before committing it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from tests.corpus import CASES, load, outputs
from tests.some import some

INPUTS = ("input.", "args", "expect", "profile.yaml")
PROVIDER_LIMIT = 10_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case_matches_its_goldens(
    case: Path, golden: Callable[[Path, str], None], request: pytest.FixtureRequest
) -> None:
    texts = outputs(case)
    for name, text in texts.items():
        golden(case / name, text)
    stale = [each for each in case.iterdir() if each.name not in texts and not each.name.startswith(INPUTS)]
    if request.config.getoption("--update"):
        for each in stale:
            each.unlink()
    else:
        assert stale == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_same_input_gives_same_bytes(case: Path) -> None:
    assert outputs(case) == outputs(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_startup_script_fits_the_provider(case: Path) -> None:
    source, inputs = load(case)
    result = driver.compile(source, inputs)
    scripts = [each.text for each in result.artifacts if each.name.endswith("startup.sh")]
    assert bool(scripts) != result.failed
    for script in scripts:
        assert script.startswith("#!/bin/bash\n")
        assert script.isascii()
        assert len(script) <= PROVIDER_LIMIT


@pytest.mark.parametrize("frontend", some(sorted({case.parent.name for case in CASES}), "skypilot"))
def test_shellcheck_finds_nothing_in_a_script(frontend: str, program: Callable[[str, str], str]) -> None:
    scripts = [path for case in CASES if case.parent.name == frontend for path in case.glob("*startup.plain.sh")]
    assert scripts
    words = [program("shellcheck", "shellcheck"), "--format=gcc", *scripts]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.stdout.decode("utf-8", "replace") == ""
    assert done.returncode == 0


def test_every_input_says_what_it_is_for() -> None:
    for case in CASES:
        for path in case.glob("input.*"):
            assert path.read_bytes().split(b"\n")[1].startswith(b"# "), case.name
        assert load(case)
