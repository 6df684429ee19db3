"""The same job bodies under a real Slurm and under what flowc sends: equal, or different for a stated reason.

What Slurm does is kept in golden.json beside the bodies (`make same-as-slurm` runs it again), so that only flowc's side
runs here: scripts that are unpacked, installed and run on local machines. See README.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.same_as_slurm import cluster
from tests.same_as_slurm.body import THEMES, Body, bodies, read_golden
from tests.same_as_slurm.compare import Report, loaded, run_flowc
from tests.same_as_slurm.known import KNOWN
from tests.same_as_slurm.machines import Machines
from tests.same_as_slurm.real import run_slurm

# Every so many bodies is run on the real cluster, which shows that the golden files are what Slurm says.
SAMPLE = 6
# What srun itself does is a race here and there (the parts of a het step share its environment, busy nodes answer in
# another order): what came out otherwise is run again, with the fewer bodies that are left, so many times in all.
RUNS = 4
# Of so many bodies of a theme one is run by flowc in the ordinary suite, all by the slow one.
ONE_OF = 16


@pytest.fixture(scope="session")
def local_machines(program: Callable[[str, str], str]) -> None:
    """Skips where this machine cannot play others."""
    if os.geteuid() != 0:
        pytest.skip("needs root for namespaces")
    for name in ("unshare", "nsenter", "setpriv"):
        program(name, "util-linux")
    program("ip", "iproute2")
    try:
        with Machines(["n1", "n2"]) as machines:
            assert machines["n2"].call(["hostname"]).stdout == "n2\n"
    except OSError as problem:
        pytest.skip(f"no namespaces here: {problem}")


def few(name: str) -> list[Body]:
    """Those of a theme that the ordinary suite runs: none that waits for its time limit, which takes minutes, or whose
    three machines each unpack the densest form."""
    return [body for body in bodies(theme=name) if not body.waits and not body.long][::ONE_OF]


def report_of(chosen: list[Body], theme: str, program: Callable[[str, str], str]) -> Report:
    for interpreter in sorted({body.interpreter for body in chosen}):
        program(interpreter, interpreter)
    golden = read_golden(theme)
    report = Report(chosen, {body.name: golden[body.name] for body in chosen}, run_flowc(chosen))
    if report.lines:
        pytest.fail("\n".join(report.lines), pytrace=False)
    return report


@pytest.mark.parametrize("name", [name for name in THEMES if few(name)])
def test_flowc_does_what_slurm_does(name: str, local_machines: None, program: Callable[[str, str], str]) -> None:
    report_of(few(name), name, program)


@pytest.mark.slow
@pytest.mark.parametrize("name", THEMES)
def test_flowc_does_all_that_slurm_does(name: str, local_machines: None, program: Callable[[str, str], str]) -> None:
    assert report_of(bodies(theme=name), name, program).unused == []


def test_every_theme_is_complete() -> None:
    assert KNOWN.keys() <= set(THEMES)
    names = [body.name for body in bodies()]
    assert len(names) == len(set(names))
    for each in THEMES:
        assert list(read_golden(each)) == sorted(body.name for body in bodies(theme=each))


@pytest.mark.slow
def test_golden_files_are_what_slurm_says(local_machines: None, program: Callable[[str, str], str]) -> None:
    for name, package in cluster.PROGRAMS.items():
        program(name, package)
    chosen = [body for body in bodies() if not body.waits][::SAMPLE]
    golden = {name: loaded(each) for theme in THEMES for name, each in read_golden(theme).items()}
    for _ in range(RUNS):
        found = run_slurm(chosen)
        chosen = [body for body in chosen if found[body.name] != golden[body.name]]
        if not chosen:
            return
    assert {body.name: found[body.name] for body in chosen} == {body.name: golden[body.name] for body in chosen}
