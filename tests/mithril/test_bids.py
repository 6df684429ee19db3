"""Bids and their instances as the API tells of them over time."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest

from tests.mithril.parts import world
from tests.mithril.server import Server
from tests.mithril.wire import Api, bid

P = world.PROJECT


@pytest.fixture
def fid(provider: Server, api: Api) -> str:
    """A bid that runs."""
    made = api("POST", "/v2/spot/bids", bid(provider)).json["fid"]
    provider.state.settle()
    return str(made)


def patch(api: Api, fid: str, **changes: Any) -> tuple[int, Any]:
    reply = api("PATCH", f"/v2/spot/bids/{fid}", changes)
    return reply.status, reply.json if reply.status == 200 else reply.json["detail"]


def events(api: Api, fid: str) -> list[str]:
    return [each["event_type"] for each in api.get(f"/v2/spot/bids/{fid}/history")["events"]]


def test_from_open_to_terminated(provider: Server, api: Api) -> None:
    made = api("POST", "/v2/spot/bids", bid(provider)).json
    assert (made["status"], made["instances"], made["limit_price"]) == ("Open", [], "$4.00")
    provider.state.settle()
    got = api.get(f"/v2/spot/bids/{made['fid']}")
    (row,) = api.get("/v2/instances", project=P, bid_fid_in=made["fid"])["data"]
    assert (got["status"], got["instances"]) == ("Allocated", [row["fid"]])
    assert (row["status"], row["bid"]) == ("STATUS_RUNNING", made["fid"])
    assert row["ssh_destination"]
    assert row["private_ip"]
    assert api("DELETE", f"/v2/spot/bids/{made['fid']}").status == 204
    assert api.get(f"/v2/instances/{row['fid']}/status")["status"] == "STATUS_STOPPING"
    market = provider.state.market("h100-80gb.sxm.1x")
    assert provider.state.fleet.standing(market) == 1  # its machine is not free yet
    provider.state.clock.advance(seconds=30)
    assert api.get(f"/v2/instances/{row['fid']}/status")["status"] == "STATUS_TERMINATED"
    assert provider.state.fleet.standing(market) == 0
    ended = api.get(f"/v2/spot/bids/{made['fid']}")
    assert (ended["status"], ended["instances"], ended["deactivated_at"]) == ("Terminated", [], "2026-01-01T00:03:30Z")
    assert events(api, made["fid"]) == ["Placed", "Allocated", "Terminated"]


def test_a_paused_bid_has_no_instance_and_costs_nothing(provider: Server, api: Api, fid: str) -> None:
    (first,) = api.get("/v2/instances", project=P)["data"]
    assert patch(api, fid, paused=True)[1]["status"] == "Paused"
    assert api.get(f"/v2/instances/{first['fid']}/status")["status"] == "STATUS_PAUSED"
    spent = provider.state.bill()
    provider.state.clock.advance(hours=3)
    assert (provider.state.bill(), api.get(f"/v2/spot/bids/{fid}")["status"]) == (spent, "Paused")
    assert patch(api, fid, paused=True)[0] == 200
    assert patch(api, fid, paused=False)[1]["status"] == "Open"
    provider.state.settle()
    assert events(api, fid) == ["Placed", "Allocated", "Paused", "Resumed", "Allocated"]


def test_a_limit_may_change_and_an_ended_bid_may_not(provider: Server, api: Api, fid: str) -> None:
    assert patch(api, fid, limit_price="$5.50")[1]["limit_price"] == "$5.50"
    assert patch(api, fid, limit_price="$0.01") == (400, "limit price below minimum: $1.00")
    assert patch(api, fid, limit_price="5")[0] == 422
    assert patch(api, fid, limit_price=None, paused=None)[1]["limit_price"] == "$5.50"
    assert events(api, fid)[2:] == ["Limit Price Changed"]
    api("DELETE", f"/v2/spot/bids/{fid}")
    assert patch(api, fid, limit_price="$6.00") == (409, "Bid is terminated")


def test_volumes_change_while_it_is_paused_only(provider: Server, api: Api, fid: str) -> None:
    body = {"name": "data", "project": P, "disk_interface": "File", "region": "us-central2-a", "size_gb": 1}
    volume = api("POST", "/v2/volumes", body).json["fid"]
    assert patch(api, fid, volumes=[volume]) == (409, "Bid has instances: pause it first")
    assert patch(api, fid, volumes=[volume], paused=True)[1]["launch_specification"]["volumes"] == [volume]
    assert patch(api, fid, volumes=["vol_none"])[0] == 404
    assert patch(api, fid, volumes=[])[1]["launch_specification"]["volumes"] == []
    assert events(api, fid)[-2:] == ["Volumes Attached", "Volumes Removed"]


def test_notice_is_told_with_its_end(provider: Server, api: Api, fid: str) -> None:
    placed = provider.state.bids[fid]
    (row,) = api.get("/v2/instances", project=P)["data"]
    provider.state.preempt(placed)
    status = api.get(f"/v2/instances/{row['fid']}/status")
    assert (status["status"], status["end_time"]) == ("STATUS_PREEMPTING", "2026-01-01T00:08:30Z")
    assert api.get(f"/v2/spot/bids/{fid}/status")["status"] == "Preempting"
    provider.state.clock.advance(minutes=5)
    assert api.get(f"/v2/spot/bids/{fid}/status")["status"] == "Open"
    assert api.get(f"/v2/instances/{row['fid']}/status")["end_time"] is None


def test_relocating_is_a_status_of_its_own_in_one_place(provider: Server, api: Api, fid: str) -> None:
    provider.state.relocate(provider.state.bids[fid])
    assert api.get(f"/v2/spot/bids/{fid}/status")["status"] == "Relocating"
    assert api.get(f"/v2/spot/bids/{fid}")["status"] == "Allocated"
    provider.state.settle()
    rows = api.get("/v2/instances", project=P, sort_by="created_at", sort_dir="asc")["data"]
    assert [each["status"] for each in rows] == ["STATUS_REPLACED", "STATUS_RUNNING"]
    words = api.get("/v2/instances/status/history", project=P, instance_fid=rows[0]["fid"])["instances"][0]["events"]
    assert [each["status"] for each in words][-3:] == ["STATUS_RUNNING", "STATUS_RELOCATING", "STATUS_REPLACED"]


def test_the_prices_told_make_the_bill(provider: Server, api: Api, fid: str) -> None:
    placed = provider.state.bids[fid]
    placed.market.capacity = 1
    for limit in (150, 390, 500, 120):
        rival = provider.state.rival(placed.market, limit)
        provider.state.clock.advance(minutes=17)
        placed.market.rivals.remove(rival)
    api("DELETE", f"/v2/spot/bids/{fid}")
    bill, rates = Fraction(0), set()
    for instance in api.get("/v2/instances/pricing/history", project=P, bid_fid=fid)["instances"]:
        for each in instance["events"]:
            start, end = datetime.fromisoformat(each["start_time"]), datetime.fromisoformat(each["end_time"])
            bill += Fraction(int((end - start).total_seconds()), 3600) * each["price_cents"] / 100
            rates.add(each["price_cents"])
    assert bill == provider.state.cost(placed)
    assert rates == {100, 150, 390, 120}


def test_what_it_takes_to_win_when_all_is_taken(provider: Server, api: Api, fid: str) -> None:
    market = provider.state.bids[fid].market
    market.capacity = 2
    provider.state.rival(market, 700)
    provider.state.clock.advance(minutes=2)
    now = api.get("/v2/pricing/current", instance_type=market.type.fid, region=market.region)
    assert (now["lowest_allocated_bid_cents"], now["dynamic_win_price_cents"], now["available_capacity"]) == (
        400,
        401,
        0,
    )
    assert now["spot_price_cents"] == 100  # which would not win
    two = api.get("/v2/pricing/current", instance_type=market.type.fid, instance_quantity=2)
    assert two["dynamic_win_price_cents"] == 701
    three = api.get("/v2/pricing/current", instance_type=market.type.fid, instance_quantity=3)
    assert three["dynamic_win_price_cents"] is None
    assert api("GET", "/v2/pricing/current", instance_type=market.type.name).status == 404


def test_prices_of_before(provider: Server, api: Api) -> None:
    provider.state.clock.advance(minutes=10)
    fid = provider.state.market("h100-80gb.sxm.8x", "us-central2-a").type.fid
    (series,) = api.get("/v2/pricing/history", instance_types=fid, num_samples=-1)["series"]
    assert series["spot_prices"] == ["$12.03"] + ["$8.00"] * 5
    assert series["timestamps"][:2] == ["2026-01-01T00:00:00Z", "2026-01-01T00:02:00Z"]
    (series,) = api.get("/v2/pricing/history", instance_types=fid, num_samples=0)["series"]
    assert series["timestamps"] == []


def test_quotas_count_live_bids(provider: Server, api: Api, fid: str) -> None:
    def used() -> list[int]:
        rows = api.get("/v2/quotas", project=P)
        return [each["used_quantity"] for each in rows if each["name"] == "Spot h100-80gb.sxm.1x"]

    assert used() == [1]
    api("DELETE", f"/v2/spot/bids/{fid}")
    assert used() == [0]
