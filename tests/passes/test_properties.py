"""What holds for all jobs: passes are idempotent, wider requests never get cheaper, refusals are reasoned."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowc import catalog
from flowc.diag.sink import Sink
from flowc.ir.job import Array, Time
from flowc.ir.units import parse_usd
from flowc.passes import PASSES
from flowc.passes.base import Context
from flowc.passes.machine.demand import Demand
from tests.passes.units import run, unit

GIB = 1 << 30
MODELS = st.none() | st.sampled_from(["a100", "h100", "h200", "b200", "v100", "gpu", "odd", "ampere", "a100_1g.5gb"])
COUNTS = st.none() | st.integers(1, 300)
SIZES = st.none() | st.integers(1, 4000).map(lambda gib: gib * GIB)
REQUESTS = st.fixed_dictionaries(
    {
        "nodes": st.none() | st.integers(1, 260),
        "nodes_max": st.none() | st.integers(1, 260),
        "gpus_per_node": st.none() | st.integers(1, 17),
        "gpus_total": st.none() | st.integers(1, 100),
        "gpus_per_task": st.none() | st.integers(1, 9),
        "gpu_model": MODELS,
        "tasks": COUNTS,
        "tasks_per_node": COUNTS,
        "cpus_per_task": st.none() | st.integers(1, 64),
        "cpus_per_node": COUNTS,
        "cpus_per_gpu": st.none() | st.integers(1, 64),
        "memory_bytes_per_node": SIZES,
        "memory_bytes_per_cpu": SIZES,
        "disk_bytes": SIZES,
        "features": st.lists(st.sampled_from(["h100", "ib", "v100"]), max_size=2).map(tuple),
        "alternatives": st.lists(st.sampled_from(["h100", "8xa100", "1xh200", "a100"]), max_size=2).map(tuple),
    }
)


@given(REQUESTS, st.booleans())
def test_every_job_gets_a_plan_or_a_reason(fields: dict[str, Any], bounded: bool) -> None:
    done, found = run(unit(**fields, time=Time(limit_s=60 if bounded else None)))
    errors = [each for each in found if each.severity == "error"]
    assert bool(errors) == (done.plan is None)
    assert len(errors) <= 3
    assert all("{" not in each.message and "None" not in each.message for each in found)


@given(REQUESTS)
def test_plan_holds_what_was_asked_for(fields: dict[str, Any]) -> None:
    each = unit(**fields)
    plan = run(each)[0].plan
    if plan is None:
        return
    share = Demand(each.job).share(plan.nodes)
    assert plan.gpus_per_node >= share.gpus
    assert plan.cpus_per_node >= share.cpus
    assert plan.memory_bytes_per_node >= share.memory_bytes
    visible = plan.gpus_per_node if plan.gpus_visible is None else plan.gpus_visible
    assert visible >= share.gpus
    low = fields["nodes"] or 1
    assert low <= plan.nodes
    if fields["nodes_max"] is not None:
        assert plan.nodes <= max(low, fields["nodes_max"])


@given(REQUESTS)
def test_passes_are_idempotent_and_deterministic(fields: dict[str, Any]) -> None:
    each = unit(**fields)
    done, found = run(each)
    assert run(each)[0] == done
    if any(diagnostic.severity == "error" for diagnostic in found):
        return
    sink = Sink()
    for step in PASSES:
        assert step.run(done, Context(catalog=catalog.bundled()), sink) is done
    assert sink.diagnostics == []


WIDER = st.sampled_from(
    (
        "gpus_per_node",
        "cpus_per_node",
        "cpus_per_task",
        "memory_bytes_per_node",
        "disk_bytes",
        "gpu_memory_bytes",
    )
)


@given(REQUESTS, st.integers(1, 8), WIDER, st.integers(1, 4))
def test_widening_a_request_never_lowers_its_price(fields: dict[str, Any], nodes: int, name: str, factor: int) -> None:
    """With the number of nodes fixed: where it is open, fewer nodes are taken before cheaper ones."""
    fields = {
        **fields,
        "nodes": nodes,
        "nodes_max": None,
        "gpu_model": None,
        "features": (),
        "alternatives": (),
    }
    fields.setdefault("gpu_memory_bytes", None)
    wider = {**fields, name: (fields[name] or 1) * factor + (0 if fields[name] else factor - 1)}
    before, after = run(unit(**fields))[0].plan, run(unit(**wider))[0].plan
    if after is None:
        return
    assert before is not None
    offers = {(offer.type.name, offer.region): offer.rank for offer in catalog.bundled().offers}
    assert offers[before.instance_type, before.region or ""] <= offers[after.instance_type, after.region or ""]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=100, unique=True))
def test_array_multiplies_the_worst_case(indices: list[int]) -> None:
    one = run(unit(gpus_per_node=8, gpu_model="h100"))[0].plan
    many = run(unit(gpus_per_node=8, gpu_model="h100", array=Array(indices=tuple(sorted(indices)))))[0].plan
    assert one is not None
    assert many is not None
    assert many.count == len(indices)
    assert parse_usd(many.worst_case_usd or "") == len(indices) * (parse_usd(one.worst_case_usd or "") or 0)


@given(REQUESTS, st.integers(1, 255))
def test_need_of_a_node_shrinks_as_nodes_are_added(fields: dict[str, Any], nodes: int) -> None:
    demand = Demand(unit(**fields).job)
    fewer, more = demand.share(nodes), demand.share(nodes + 1)
    for field in ("cpus", "gpus", "memory_bytes", "disk_bytes"):
        assert getattr(fewer, field) >= getattr(more, field)
