"""Invariants of units: each one can be broken, and is named then."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.ir.job import Array, Io, Pricing, Resources, Retry, Run
from flowc.ir.unit import Unit
from flowc.ir.verify import WITHOUT_ORIGIN, InternalError, verify
from tests.passes.units import paths, run, unit


def planned(**fields: Any) -> Unit:
    return run(unit(gpus_per_node=8, gpu_model="h100", **fields))[0]


def test_sound_units_pass() -> None:
    verify(unit(), after="lowering")
    verify(planned(env=(("A", "1"),), array=Array(indices=(1, 2))), after="price-check")


@pytest.mark.parametrize(
    "fields",
    [
        {"resources": Resources(nodes=1, gpu_model="h100")},
        {"env": (("A", "1"),)},
        {"io": Io(stdin="in.txt")},
        {"retry": Retry(requeue=False)},
        {"array": Array(indices=(1,))},
        {"labels": (("a", "b"),)},
    ],
)
def test_field_without_origin_is_named(fields: dict[str, Any]) -> None:
    whole = unit()
    job = whole.job.replace(**fields)
    (path,) = [each for each in paths(job) if each not in paths(whole.job)]
    with pytest.raises(InternalError, match=f"after lowering: {path} has no origin"):
        verify(whole.replace(job=job), after="lowering")
    origins = {**whole.origins, path: whole.origins["name"]}
    verify(whole.replace(job=job, origins=origins), after="lowering")


def test_origin_of_a_part_covers_the_whole() -> None:
    whole = unit()
    job = whole.job.replace(env=(("A", "1"),))
    verify(whole.replace(job=job, origins={**whole.origins, "env.A": whole.origins["name"]}), after="lowering")


def test_fields_without_origin_are_fields() -> None:
    from flowc.ir.job import Job

    for path in WITHOUT_ORIGIN:
        section, _, field = path.partition(".")
        assert section in Job.FIELDS
        if field and section != "array":
            assert field in Job.DEFAULTS[section].FIELDS


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"resources": Resources(nodes=0)}, "resources.nodes is 0"),
        ({"pricing": Pricing(max_usd_per_instance_hour="inf")}, "'inf' is no price"),
        ({"pricing": Pricing(budget_usd="0.00")}, "'0.00' is no price"),
        ({"pricing": Pricing(priority="critical")}, "pricing.priority is 'critical'"),
        ({"run": Run(kind="magic")}, "run.kind is 'magic'"),
        ({"run": Run(kind="script")}, "run.text is missing"),
        ({"run": Run(kind="argv", text="x")}, "run.text is set"),
        ({"array": Array(indices=())}, "array.indices"),
        ({"array": Array(indices=(2, 1))}, "array.indices"),
        ({"array": Array(indices=(1, 1))}, "array.indices"),
    ],
)
def test_broken_value_is_named(fields: dict[str, Any], named: str) -> None:
    whole = unit()
    job = whole.job.replace(**fields)
    origins = {**whole.origins, **dict.fromkeys(paths(job), whole.origins["name"])}
    with pytest.raises(InternalError, match=named):
        verify(whole.replace(job=job, origins=origins), after="lowering")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"nodes": 0}, "a count below its least"),
        ({"count": 0}, "a count below its least"),
        ({"gpus_visible": 9}, "more GPUs visible"),
    ],
)
def test_broken_plan_is_named(changes: dict[str, Any], named: str) -> None:
    done = planned()
    assert done.plan is not None
    with pytest.raises(InternalError, match=f"after resolve: plan: {named}"):
        verify(done.replace(plan=done.plan.replace(**changes)), after="resolve")


def test_every_pass_names_its_broken_promise() -> None:
    from flowc.passes import PASSES

    done = planned()
    assert done.plan is not None
    broken = {
        "validate": done.replace(job=done.job.replace(env=(("A-B", ""),))),
        "resolve": done.replace(plan=None),
        "policy": done.replace(plan=None),
        "price-check": done.replace(plan=done.plan.replace(limit_usd_per_instance_hour="1.001")),
    }
    for step in PASSES:
        step.ensures(done)
        with pytest.raises(AssertionError, match=f"{step.name}: "):
            step.ensures(broken[step.name])
