"""Machines of a catalog by what is wanted of them, and catalogs of other clouds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import catalog
from flowc.catalog.copy import document
from flowc.catalog.find import SORTS, Wanted, find, fits
from flowc.catalog.model import Catalog
from flowc.diag.sink import Sink
from tests.passes.units import run, unit

ELSEWHERE = {
    "cloud": "aws",
    "region": "us-east-1",
    "market_usd": "0.05",
    "source": "price list",
    "as_of": "2026-11-01",
}


def with_another_cloud(folder: Path) -> Catalog:
    content: Any = document(catalog.bundled())
    machine = {"name": "p5.48xlarge", "family": "h100", "gpus": 8, "gpu_memory_gb": 80, "form": "sxm"}
    content["instance_types"].append({**machine, "cpus": 192, "memory_gb": 2048, "disk_gb": 1, "offers": [ELSEWHERE]})
    path = folder / "clouds.json"
    path.write_text(json.dumps(content))
    sink = Sink()
    found = catalog.load(str(path), sink)
    assert found is not None, sink.diagnostics
    return found


def names(wanted: Wanted, **how: Any) -> list[str]:
    return [each.type.name for each in find(catalog.bundled(), wanted, **how)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(names=("8xh100",)), ["h100-80gb.sxm.8x", "h100-80gb.sxm.8x"]),
        (Wanted(names=("h200",)), ["ccs-h200.sxm.1x", "ccs-h200.sxm.8x"]),
        (Wanted(names=("h200.8x", "neb-b200.sxm.8x")), ["ccs-h200.sxm.8x", "neb-b200.sxm.8x"]),
        (Wanted(names=("ccs-*.1x",)), ["ccs-h200.sxm.1x"]),
        (Wanted(names=("it_XqgKWbhZ5gznAYsG",)), ["h100-80gb.sxm.8x"]),
        (Wanted(gpu="H100", gpus=2, regions=("us-*2-a",)), ["h100-80gb.sxm.8x"]),
        (Wanted(gpu_memory_gb=100, most=2_000_000), ["ccs-h200.sxm.1x"]),
        (Wanted(cpus=205), []),
        (Wanted(memory_gb=1800), ["h100-80gb.sxm.8x", "h100-80gb.sxm.8x"]),
        (Wanted(available=1), []),
        (Wanted(clouds=("aws",)), []),
    ],
)
def test_what_is_wanted_is_found_the_cheapest_first(wanted: Wanted, found: list[str]) -> None:
    assert names(wanted) == found


def test_what_is_not_offered_is_shown_to_who_asks() -> None:
    assert "neb-b200.sxm.1x" not in names(Wanted())
    assert "neb-b200.sxm.1x" in names(Wanted(hidden=True))


@given(
    st.builds(
        Wanted,
        gpus=st.integers(0, 9),
        gpu_memory_gb=st.integers(0, 200),
        cpus=st.integers(0, 250),
        most=st.none() | st.integers(0, 10**8),
    ),
    st.sampled_from(SORTS),
)
def test_what_is_found_is_so_and_nothing_else_is(wanted: Wanted, sort: str) -> None:
    found = find(catalog.bundled(), wanted, sort=sort)
    for each in catalog.bundled().offers:
        machine = each.type
        is_so = (
            machine.gpus >= wanted.gpus
            and machine.gpu_memory_gb >= wanted.gpu_memory_gb
            and (machine.cpus or 0) >= wanted.cpus
            and (wanted.most is None or each.rank <= wanted.most)
        )
        assert (each in found) == is_so == fits(each, wanted)


def test_machines_of_other_clouds_are_known_and_no_job_is_put_on_them(tmp_path: Path) -> None:
    table = with_another_cloud(tmp_path)
    assert [each.type.name for each in find(table, Wanted(clouds=("aws",)))] == ["p5.48xlarge"]
    (offer,) = table.elsewhere
    assert (offer.cloud, offer.source, offer.as_of) == ("aws", "price list", "2026-11-01")
    plan = run(unit(gpus_per_node=8, gpu_model="h100"), table=table)[0].plan
    assert plan is not None
    assert plan.instance_type == "h100-80gb.sxm.8x"
    (error,) = run(unit(alternatives=("p5.48xlarge",)), table=table)[1]
    assert error.code.name == "instance-type-not-sold"


def test_every_row_of_the_bundled_catalog_says_who_told_it() -> None:
    assert all(each.source for each in (*catalog.bundled().offers, *catalog.bundled().hidden))
