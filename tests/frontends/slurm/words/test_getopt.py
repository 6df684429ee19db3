"""Words against the option table, by the rules of getopt_long."""

from __future__ import annotations

import pytest

from flowc._compiled.slurm_options import OPTIONS
from flowc.frontends.slurm.values.settings import SETTERS
from flowc.frontends.slurm.words.getopt import read_options, release, table_of
from flowc.frontends.slurm.words.tokens import split
from flowc.source import Source

OLD, NEW = table_of((22, 5)), table_of((26, 5))


def read(text: str, new: bool = False) -> tuple[list[tuple[str, str | None]], list[tuple[str, str]]]:
    found, problems, _ = read_options(split(Source("x", text), 0, len(text)).words, NEW if new else OLD)
    return [(each.name, each.text) for each in found], [(each.kind, each.name) for each in problems]


ACCEPTED = {
    "-N2 -n 8": [("nodes", "2"), ("ntasks", "8")],
    "--nodes=2 --ntasks 8": [("nodes", "2"), ("ntasks", "8")],
    "-HN2 -OHk": [("hold", None), ("nodes", "2"), ("overcommit", None), ("hold", None), ("no-kill", None)],
    "-koff -N=2": [("no-kill", "off"), ("nodes", "=2")],
    "--job=x --part=y --out=z": [("job-name", "x"), ("partition", "y"), ("output", "z")],
    "--tasks=4 --tasks-per-node=2": [("ntasks-per-node", "4"), ("ntasks-per-node", "2")],
    "--exclusive --nice=": [("exclusive", None), ("nice", "")],
    "-J -N": [("job-name", "-N")],
    "--time-=5 --": [("time-min", "5")],
}
REFUSED = {
    "--nodez=2": [("unknown", "--nodez")],
    "--node=2": [("ambiguous", "--node")],
    "--hold=yes": [("unwanted", "--hold")],
    "-N2 -J": [("missing", "-J")],
    "--exclusive user -N2": [("operand", "user")],
    "-N2 - -n4": [("operand", "-")],
    "-- a b": [("operand", "a")],
    "-job-name=x": [("unknown", "-job-name=x")],
    "--foo 1 --bar=2 -N2": [("unknown", "--foo"), ("unknown", "--bar")],
    "--ext=2": [],
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    assert read(text) == (ACCEPTED[text], [])


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    assert read(text)[1] == REFUSED[text]


def test_reading_goes_on_behind_a_fault() -> None:
    assert read("--foo=1 stray -N2")[0] == [("nodes", "2")]


def test_prefixes_depend_on_the_release() -> None:
    assert read("--ext=2") == ([("extra-node-info", "2")], [])
    assert read("--ext=2", new=True)[1] == [("ambiguous", "--ext")]
    assert read("--extra=x", new=True) == ([("extra", "x")], [])


def test_newer_options_are_known_by_their_full_names() -> None:
    found, problems, _ = read_options(split(Source("x", "--segment=2"), 0, 11).words, OLD)
    assert [(each.name, each.since) for each in found] == [("segment", "24.05")]
    assert not problems
    assert read("--segmen=2")[1] == [("unknown", "--segmen")]
    assert read("--power=level", new=True)[1] == [("unknown", "--power")]


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_of_the_table_can_be_judged(name: str) -> None:
    row = OPTIONS[name]
    assert row["kind"] in SETTERS
    for column in ("since", "until"):
        assert row[column] is None or len(release(row[column])) == 2
    for table in (OLD, NEW):
        if name in table.longs and row["short"]:
            assert table.shorts[row["short"]] == name
