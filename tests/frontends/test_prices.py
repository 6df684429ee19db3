"""Prices of any size, in every format of YAML that has one: read with six places, or told."""

from __future__ import annotations

import pytest

import flowc

FORMATS = {
    "skypilot": "config: {mithril: {limit_price: PRICE}}\nrun: a\n",
    "skypilot-cost": "resources: {max_hourly_cost: PRICE}\nrun: a\n",
    "task-yaml": "name: a\ninstance_type: h100\ncommand: a\nmax_price_per_hour: PRICE\n",
    "foundry-yaml": "name: a\nproject_name: p\nssh_key_name: k\ntask_management: {utility_threshold_price: PRICE}\n"
    "resources_specification: {fcp_instance: h100.8x.SXM5.IB}\nstartup_script: x\n",
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("price", "good"),
    [("0.000000001", False), ("0.0000001", False), ("10000000000", False), ("32.12345678", True), ("1e2", True)],
)
def test_a_price_is_read_or_told(format: str, price: str, good: bool) -> None:
    text = FORMATS[format].replace("PRICE", price)
    result = flowc.check(text, path="job.yaml", frontend=format.removesuffix("-cost"))
    wrong = [each for each in result.diagnostics if each.code.id in ("FC035", "FC037")]
    assert bool(wrong) == (not good)
