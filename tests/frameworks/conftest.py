"""The real cluster, and the table of what was compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.same_as_slurm import cluster as real
from tests.same_as_slurm.cluster import Cluster

# Name, versions, what Slurm made of it, what flowc did.
ROWS: list[tuple[str, str, str, str]] = []


@pytest.fixture(scope="session")
def cluster(program: Callable[[str, str], str]) -> Iterator[Cluster]:
    if os.geteuid() != 0:
        pytest.skip("needs root for namespaces")
    for name, package in {**real.PROGRAMS, "ip": "iproute2", "unshare": "util-linux"}.items():
        program(name, package)
    with Cluster() as found:
        yield found


@pytest.fixture(scope="session")
def table() -> list[tuple[str, str, str, str]]:
    """Takes a row for each framework; they are printed at the end."""
    return ROWS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    rows = [("framework", "versions", "Slurm 22.05", "flowc"), *sorted(ROWS)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    terminalreporter.section("frameworks")
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line(line.rstrip())
