"""Which findings comments hide, and what is said of comments."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import driver
from flowc.cli.checking.adopting import with_ignores
from flowc.cli.checking.fix import apply_fixes
from flowc.inputs import Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --gpus=h100:8\n"
TASK = "name: train\ninstance_type: 8xh100\nmax_run_time_hours: 2\n{}command: python /scratch/me/train.py\n"


def found(text: str, path: str = "job.sbatch", *, strict: bool = False) -> list[tuple[str, int | None]]:
    result = driver.check(Source(path, text), Inputs(), strict=strict)
    return [(each.code.id, each.span.line if each.span is not None else None) for each in result.diagnostics]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("ls /scratch/run\n", [("FC820", 3)]),
        ("ls /scratch/run  # flowc: ignore[FC820]\n", []),
        ("ls /scratch/run  #flowc:ignore[ fc820 ] made by the setup\n", []),
        ("ls /scratch/run  # flowc: ignore[cluster-path]\n", []),
        ("# flowc: ignore[FC820]\nls /scratch/run\n", []),
        ("  # flowc: ignore[FC820]\n\n# another comment\nls /scratch/run\n", [("FC010", 3), ("FC820", 6)]),
        ("# flowc: ignore[FC820]\n# flowc: ignore[FC817]\nls /scratch/run\n", [("FC010", 4)]),
        ("hostname\n# flowc: ignore-file[FC820]\nls /scratch/run\n", []),
        ("ls /scratch/run\n# flowc: ignore[FC820]\nhostname\n", [("FC010", 4), ("FC820", 3)]),
        # One finding speaks of several lines: the one that is ignored leaves it.
        ("ls /scratch/run  # flowc: ignore[FC820]\nls /scratch/other\n", [("FC820", 4)]),
        ("ls /scratch/run\nls /scratch/other  # flowc: ignore[FC820]\n", [("FC820", 3)]),
        ("hostname  # flowc: ignored[FC820]\n", []),
        ("hostname  # flowc: ignore[]\n", [("FC012", 3)]),
        ("hostname  # flowc: ignore\n", [("FC012", 3)]),
        ("hostname  # flowc: ignore[FC999]\n", [("FC011", 3)]),
        ("hostname  # flowc: ignore[cluster-paht]\n", [("FC011", 3)]),
    ],
)
def test_lines(body: str, left: list[tuple[str, int | None]]) -> None:
    assert sorted(found(HEAD + body)) == sorted(left)
    assert sorted(found(HEAD + body, strict=True)) == sorted(left)


def test_at_the_head_it_is_for_all_of_the_file() -> None:
    head = "#!/bin/bash\n# a job of mine\n# flowc: ignore[FC820]\n#SBATCH --time=1:00:00 --gpus=h100:8\n"
    assert found(f"{head}ls /scratch/run\nhostname\nls /scratch\n") == []
    assert found(f"{HEAD}hostname\n# flowc: ignore[FC820]\nls /scratch/run\nsrun ls /scratch/b\n") == [("FC820", 6)]


def test_a_warning_that_is_ignored_is_none_under_strict_and_an_error_is_none_in_check_alone() -> None:
    text = HEAD + "ls /scratch/run  # flowc: ignore[FC820]\n"
    strict = driver.compile(Source("job.sbatch", text), Inputs(), strict=True)
    assert not strict.failed
    assert strict.artifacts
    wrong = "#!/bin/bash\n#SBATCH --time=1:00:00 --gpus=h100:8\n#SBATCH --nodes=x  # flowc: ignore-file[{}]\nhostname\n"
    (code,) = {code for code, _ in found(wrong.format("FC820")) if code != "FC010"}
    assert found(wrong.format(code)) == []
    emitted = driver.compile(Source("job.sbatch", wrong.format(code)), Inputs())
    assert emitted.failed
    assert [each.code.id for each in emitted.diagnostics] == [code]
    assert emitted.artifacts == ()


def test_yaml() -> None:
    assert found(TASK.format(""), "task.yaml") == [("FC820", 4)]
    assert found(TASK.format("# flowc: ignore[FC820]\n"), "task.yaml") == []
    assert found("# flowc: ignore[FC820]\n" + TASK.format(""), "task.yaml") == []


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("hostname  # flowc: ignore[FC820] why\n", "hostname\n"),
        ("# flowc: ignore[FC820]\nhostname\n", "hostname\n"),
        ("# flowc: ignore[FC820]", ""),
        ("ls /scratch/run  # flowc: ignore[FC817, FC820] why\n", "ls /scratch/run  # flowc: ignore[FC820] why\n"),
    ],
)
def test_what_is_unused_is_removed(body: str, mended: str) -> None:
    source = Source("job.sbatch", f"{HEAD}true\n{body}")
    result = driver.check(source, Inputs())
    assert [each.code.id for each in result.diagnostics] == ["FC010"]
    after, number = apply_fixes(source, result.diagnostics)
    assert (after.text, number) == (f"{HEAD}true\n{mended}", 1)


def test_where_not_all_was_looked_at_nothing_is_unused() -> None:
    text = "#!/bin/bash\n#SBATCH --nodes=x\nls /scratch/run  # flowc: ignore[FC820]\n"
    assert "FC010" not in {code for code, _ in found(text)}


FIRST = st.sampled_from(["#!/bin/bash\n", "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n", "#!/bin/bash\r\n"])
LINES = st.lists(
    st.sampled_from(
        [
            *(
                "#SBATCH --gpus=h100:8",
                "#SBATCH --mail-type=END",
                "#SBATCH -p long",
                "# a comment",
                "",
                "module load cuda",
            ),
            *("cd /scratch/x", "cat <<EOF", "EOF", "python a.py \\", "  --flag", "srun hostname", "ssh node1 ls"),
        ]
    ),
    max_size=12,
)


def without_notes(document: str) -> str:
    """The jobs of `flowc.ir/1`, but for the digests of their sources and the numbers of lines."""
    return re.sub(r'"sha256": "\w+"|"(?:end_)?line": \d+', "", document.partition('"diagnostics"')[0])


@given(FIRST, LINES)
def test_what_is_adopted_is_silent_and_the_same_job(first: str, lines: list[str]) -> None:
    source = Source("job.sbatch", first + "#SBATCH --time=10\n" + "".join(f"{line}\n" for line in lines))
    result = driver.check(source, Inputs())
    adopted = with_ignores(source, result.diagnostics)
    left = driver.check(adopted, Inputs()).diagnostics
    assert {each.code.id for each in left} <= {each.code.id for each in result.diagnostics if each.severity == "error"}
    with_it, before = (
        [without_notes(each.text) for each in driver.compile(text, Inputs(), emit="ir").artifacts]
        for text in (adopted, source)
    )
    (comment,) = [line for line in adopted.text.splitlines() if "flowc: ignore-file" in line] or [""]
    end = "\\r\\n" if "\r\n" in first else "\\n"
    assert [text.replace(f"{comment}{end}", "") if comment else text for text in with_it] == before
