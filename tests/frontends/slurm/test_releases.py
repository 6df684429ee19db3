"""Each release from 22.05 on is read as its own sbatch reads it, as far as was recorded."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.inputs import SLURM_RELEASES
from tests.differential import agree, ask_flowc, describe
from tests.frontends.slurm.releases import answers, rows, script

ROWS = rows()


def name(row: dict[str, Any]) -> str:
    return " | ".join([*row["directives"], *row.get("args", []), *(f"{k}={v}" for k, v in row.get("env", {}).items())])


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_row_is_read_as_each_release_reads_it(row: dict[str, Any]) -> None:
    for release, recorded in answers(row).items():
        own = ask_flowc(script(row), release)
        if {"FC112", "FC114"} & own["codes"] and recorded is None:
            continue  # an option of a later release, or of a plugin, is taken and noted
        real: dict[str, Any] = {"ok": recorded is not None, "options": recorded or {}, "error": ""}
        if isinstance(recorded, list):
            real |= {"options": recorded[0], "het": recorded}
        assert agree(real, own), f"{release}: {describe(script(row), real, own)}"


def test_most_releases_changed_something() -> None:
    assert sum(len(row["answers"]) > 1 for row in ROWS) > 100
    assert {release for row in ROWS for release in row["answers"]} == set(SLURM_RELEASES)
