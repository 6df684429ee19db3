"""What is sold where and for how much: `/v2/instance-types`, `/v2/spot/availability`, `/v2/pricing/…`."""

from __future__ import annotations

from typing import Any

from tests.mithril import rules
from tests.mithril.auction import winning_limit
from tests.mithril.parts.model import InstanceType, Market
from tests.mithril.routes.base import Reply, Request, time
from tests.mithril.rules import Refused
from tests.mithril.state import State


def _type(each: InstanceType) -> dict[str, Any]:
    return {
        "fid": each.fid,
        "name": each.name,
        "num_cpus": each.cpus,
        "cpu_type": "Intel",
        "ram_gb": each.ram_gb,
        "num_gpus": each.gpus,
        "gpu_type": each.gpu_type,
        "gpu_memory_gb": each.gpu_memory_gb,
        "gpu_socket": each.socket,
        "local_storage_gb": each.disk_gb,
        "network_type": each.network,
        "ib_count": 8 if each.network else 0,
        "bridge_count": 4 if each.gpus == 8 else 0,
        "hourly_price": 0.0,
    }


def instance_types(request: Request) -> Reply:
    """Only those that an auction sells."""
    sold = {market.type.fid for market in request.state.markets}
    return Reply(200, [_type(each) for each in request.state.types.values() if each.fid in sold])


def availability(request: Request) -> Reply:
    """`capacity` counts the machines that no bid has won."""
    state, form = request.state, request.state.quirks.money
    default = next((each.fid for each in state.images if each.stable), None)
    return Reply(
        200,
        [
            {
                "fid": each.fid,
                "instance_type": each.type.fid,
                "region": each.region,
                "capacity": each.capacity - each.sold,
                "last_instance_price": rules.dollars(each.price, form),
                "lowest_allocated_price": None if each.lowest is None else rules.dollars(each.lowest, form),
                "adjustable_memory": each.adjustable_memory,
                "default_image_version": default,
            }
            for each in state.markets
        ],
    )


def _markets(state: State, type_fid: str, region: str | None) -> list[Market]:
    if type_fid not in state.types:
        raise Refused(404, "Instance type not found")
    found = [each for each in state.markets if each.type.fid == type_fid and region in (None, each.region)]
    if not found:
        raise Refused(404, "Instance type is not offered in this region")
    return found


def current(request: Request) -> Reply:
    """Whole cents. Without a region, the market with the lowest price."""
    checks = {
        "instance_type": rules.text(),
        "region": rules.text(),
        "instance_quantity": rules.word_whole(1, 256),
    }
    words = request.words(checks, "instance_type")
    found = _markets(request.state, words["instance_type"], words.get("region"))
    market = min(found, key=lambda each: each.price)
    wins = winning_limit(
        market.capacity, market.floor, request.state.contenders(market), words.get("instance_quantity", 1)
    )
    return Reply(
        200,
        {
            "spot_price_cents": market.price,
            "reserved_price_cents": None,
            "minimum_price_cents": market.floor,
            "lowest_allocated_bid_cents": market.lowest,
            "dynamic_win_price_cents": wins,
            "available_capacity": market.capacity - market.sold,
            "total_capacity": market.capacity,
        },
    )


def history(request: Request) -> Reply:
    """The prices of past auctions, the newest `num_samples` of each market (-1: all)."""
    checks = {"instance_types": rules.text(), "region": rules.text(), "num_samples": rules.word_whole(-1, 1000)}
    words = request.words(checks)
    wanted = words["instance_types"].split(",") if "instance_types" in words else None
    number = words.get("num_samples", 100)
    series = []
    for market in request.state.markets:
        if (wanted is None or market.type.fid in wanted) and words.get("region") in (None, market.region):
            samples = market.history if number == -1 else market.history[len(market.history) - number :]
            series.append(
                {
                    "instance_type": market.type.fid,
                    "region": market.region,
                    "timestamps": [time(when) for when, _ in samples],
                    "spot_prices": [rules.dollars(price, request.state.quirks.money) for _, price in samples],
                    "reserved_prices": [],
                    "region_disabled": False,
                }
            )
    return Reply(200, {"series": series, "complete": True, "show_disabled_regions": False})


ROUTES = {
    ("GET", "/v2/instance-types"): instance_types,
    ("GET", "/v2/spot/availability"): availability,
    ("GET", "/v2/pricing/current"): current,
    ("GET", "/v2/pricing/history"): history,
}
