"""Over catalogs and requests of all kinds: what is chosen satisfies all that was asked and is what trying everything
gives; wider requests cost no less, and the ways that are called cheaper are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowc.catalog.load import make
from flowc.catalog.model import Catalog
from flowc.catalog.prices import default_limit
from flowc.catalog.schema import OfferRow
from flowc.ir.job import Placement
from flowc.ir.parts import Thrift
from flowc.ir.units import parse_usd
from tests.passes.units import run, unit

GIB = 1 << 30
REGIONS = ("us-a1-a", "us-b1-a", "eu-c1-a")
USD = st.none() | st.integers(1, 9000).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    rows = []
    for index in range(draw(st.integers(1, 6))):
        offers = [
            OfferRow(region=region, minimum_usd=draw(USD), market_usd=draw(USD)).model_dump()
            for region in draw(st.sets(st.sampled_from(REGIONS), min_size=1))
        ]
        rows.append(
            {
                "name": f"m{index}",
                "aliases": (),
                "former_fids": (),
                "family": draw(st.sampled_from(["a100", "h100", "h200"])),
                "gpus": draw(st.sampled_from([1, 2, 4, 8])),
                "gpu_memory_gb": draw(st.sampled_from([40, 80, 141])),
                "form": "sxm",
                "cpus": draw(st.sampled_from([8, 32, 128])),
                "memory_gb": draw(st.sampled_from([64, 512, 1800])),
                "disk_gb": 1000,
                "offers": offers,
            }
        )
    return make("test", "2026-01-01", REGIONS, rows)


REQUESTS = st.fixed_dictionaries(
    {
        "nodes": st.integers(1, 4),
        "gpus_per_node": st.none() | st.integers(1, 8),
        "gpu_memory_bytes": st.none() | st.sampled_from([40 * GIB, 80 * GIB]),
        "cpus_per_node": st.none() | st.integers(1, 128),
        "memory_bytes_per_node": st.none() | st.integers(1, 1800).map(lambda gib: gib * GIB),
        "placement": st.sampled_from([Placement(), Placement(regions=REGIONS[:1]), Placement(regions=REGIONS[1:])]),
    }
)


def price(row: Any) -> int:
    """What an offer ranks by, said anew: market, else minimum, else what would be bid."""
    if row.market is not None:
        return int(row.market)
    return int(row.minimum or default_limit(row.type.family, row.type.gpus))


def satisfying(table: Catalog, asked: dict[str, Any]) -> list[Any]:
    """The offers that have all that is asked of each node."""
    return [
        offer
        for offer in table.offers
        if offer.type.gpus >= (asked["gpus_per_node"] or 0)
        and offer.type.gpu_memory_gb * GIB >= (asked["gpu_memory_bytes"] or 0)
        and (offer.type.cpus or 0) >= (asked["cpus_per_node"] or 0)
        and (offer.type.memory_gb or 0) * GIB >= (asked["memory_bytes_per_node"] or 0)
        and (not asked["placement"].regions or offer.region in asked["placement"].regions)
    ]


@given(catalogs(), REQUESTS)
def test_the_choice_is_what_trying_everything_gives(table: Catalog, asked: dict[str, Any]) -> None:
    found = run(unit(**asked), table=table)[0].plan
    fitting = satisfying(table, asked)
    if found is None:
        assert fitting == []
        return
    chosen = next(o for o in fitting if (o.type.name, o.region) == (found.instance_type, found.region))
    assert price(chosen) == min(map(price, fitting))
    assert found.nodes == asked["nodes"]


WIDER = ("gpus_per_node", "gpu_memory_bytes", "cpus_per_node", "memory_bytes_per_node")


@given(catalogs(), REQUESTS, st.sampled_from(WIDER), st.integers(2, 4))
def test_a_wider_request_costs_no_less(table: Catalog, asked: dict[str, Any], name: str, factor: int) -> None:
    wider = {**asked, name: (asked[name] or 1) * factor}
    before, after = run(unit(**asked), table=table)[0].plan, run(unit(**wider), table=table)[0].plan
    if after is None:
        return
    assert before is not None
    ranks = {(offer.type.name, offer.region): price(offer) for offer in table.offers}
    assert ranks[before.instance_type, before.region or ""] <= ranks[after.instance_type, after.region or ""]


@given(catalogs(), REQUESTS, st.none() | st.sampled_from(["a100", "h100"]))
def test_what_is_called_cheaper_is_and_can_be_had(table: Catalog, asked: dict[str, Any], model: str | None) -> None:
    found = run(unit(**asked, gpu_model=model), table=table)[0].plan
    if found is None:
        return
    limit = (parse_usd(found.limit_usd_per_instance_hour or "") or 0) * found.nodes
    market = parse_usd(found.market_usd_per_instance_hour or "")
    gpus = (asked["gpus_per_node"] or 0) * asked["nodes"]
    for way in found.cheaper:
        offer = table.offer(way.instance_type, way.region)
        assert offer is not None
        assert (way.market, way.minimum) == (offer.market, offer.minimum or 0)
        assert way.limit >= max(way.minimum, way.market or 0)
        assert way.limit * way.machines <= limit
        if market is not None and way.market is not None:
            assert way.market * way.machines <= market * found.nodes
            assert (way.limit * way.machines, way.market * way.machines) != (limit, market * found.nodes)
        else:
            assert way.limit * way.machines < limit
        assert offer.type.gpus * way.nodes >= gpus
        assert model is None or not gpus or offer.type.family == model


def limits(offer: Any, nodes: int) -> int:
    return default_limit(offer.type.family, offer.type.gpus) * nodes


def grown(asked: dict[str, Any], factor: int) -> dict[str, Any]:
    """The request with so many of its nodes as one."""
    scaled = ("gpus_per_node", "cpus_per_node", "memory_bytes_per_node")
    return {**asked, **{name: asked[name] * factor for name in scaled if asked[name] is not None}}


def thrifty(table: Catalog, asked: dict[str, Any], bound: str | None, model: str | None = None) -> Any:
    """The plan with `--optimize cost`."""
    each = unit(**asked, gpu_model=model).replace(thrift=Thrift(bound=bound))
    return run(each, table=table)[0].plan


def total(table: Catalog, found: Any) -> tuple[int, int]:
    offer = table.offer(found.instance_type, found.region)
    assert offer is not None
    return price(offer) * found.nodes, limits(offer, found.nodes)


@given(catalogs(), REQUESTS, st.sampled_from([None, "why"]), st.none() | st.sampled_from(["a100", "h100"]))
def test_what_is_optimized_is_what_trying_everything_gives(
    table: Catalog, asked: dict[str, Any], bound: str | None, model: str | None
) -> None:
    plain = run(unit(**asked, gpu_model=model), table=table)[0].plan
    found = thrifty(table, asked, bound, model)
    assert (found is None) == (plain is None)
    if plain is None:
        return
    factors = [1] if bound else [each for each in range(1, asked["nodes"] + 1) if asked["nodes"] % each == 0]
    first, most = total(table, plain)
    every = [
        (price(offer) * nodes, limits(offer, nodes))
        for factor in factors
        for nodes in [asked["nodes"] // factor]
        for offer in satisfying(table, grown(asked, factor))
        if model in (None, offer.type.family)
        if limits(offer, 1) >= max(offer.minimum or 0, offer.market or 0) and limits(offer, nodes) <= most
    ]
    assert total(table, found) == min([(first, most), *every])


@given(catalogs(), REQUESTS, st.none() | st.sampled_from(["a100", "h100"]))
def test_what_is_optimized_has_all_that_was_asked(table: Catalog, asked: dict[str, Any], model: str | None) -> None:
    found = thrifty(table, asked, None, model)
    if found is None:
        return
    (factor, rest), offer = divmod(asked["nodes"], found.nodes), table.offer(found.instance_type, found.region)
    assert rest == 0
    assert offer in satisfying(table, grown(asked, factor))
    assert model in (None, found.gpu_model)


@given(catalogs(), REQUESTS, st.sampled_from((*WIDER, "placement", "bound")))
def test_a_job_that_asks_for_less_never_costs_more(table: Catalog, asked: dict[str, Any], name: str) -> None:
    """Neither by price nor by limits, unless the other one falls for it."""
    wider = asked if name == "bound" else {**asked, name: Placement() if name == "placement" else None}
    before = thrifty(table, asked, "why" if name == "bound" else None)
    after = thrifty(table, wider, None)
    if before is None:
        return
    assert after is not None
    (old, old_limits), (new, new_limits) = total(table, before), total(table, after)
    assert new <= old or new_limits < old_limits
    assert new_limits <= old_limits or new < old
