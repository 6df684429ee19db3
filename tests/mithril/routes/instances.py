"""Instances: `/v2/instances`. Of spot bids only, so what is for reserved ones answers 501."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.mithril import rules
from tests.mithril.parts.model import Instance
from tests.mithril.routes.base import PAGING, Reply, Request, page, time
from tests.mithril.rules import Refused
from tests.mithril.state import State

WORDS = (
    *("NEW", "CONFIRMED", "INITIALIZING", "STARTING", "RUNNING", "STOPPING", "TERMINATED"),
    *("RELOCATING", "PREEMPTING", "PREEMPTED", "REPLACED", "PAUSED", "ERROR"),
)
STATUSES = tuple(f"STATUS_{each}" for each in WORDS)


def _status(state: State, status: str) -> str:
    return state.quirks.words.get(f"STATUS_{status}", f"STATUS_{status}")


def show(state: State, each: Instance) -> dict[str, Any]:
    return {
        "fid": each.fid,
        "name": each.name,
        "project": each.bid.project,
        "created_at": time(each.created_at),
        "created_by": each.bid.created_by,
        "instance_type": each.bid.market.type.fid,
        "region": each.bid.market.region,
        "bid": each.bid.fid,
        "reservation": None,
        "ssh_destination": each.ssh_destination,
        "private_ip": None if each.status in ("NEW", "CONFIRMED") else each.private_ip,
        "status": _status(state, each.status),
    }


def instances(request: Request) -> Reply:
    """Ended ones too."""
    checks = {
        **PAGING,
        **{name: rules.text() for name in ("project", "instance_type", "region")},
        "status_in": rules.word_list(rules.one_of(*STATUSES)),
        "order_type_in": rules.word_list(rules.one_of("Bid", "Reservation")),
        "bid_fid_in": rules.word_list(rules.text()),
        "reservation_fid_in": rules.word_list(rules.text()),
        "sort_by": rules.one_of("created_at", "instance_status", "instance_type_fid"),
    }
    words = request.words(checks, "project")
    project, state = request.project(words["project"]), request.state
    rows = [
        each
        for each in state.fleet.instances.values()
        if each.bid.project == project
        and words.get("instance_type") in (None, each.bid.market.type.fid)
        and words.get("region") in (None, each.bid.market.region)
        and f"STATUS_{each.status}" in words.get("status_in", STATUSES)
        and "Bid" in words.get("order_type_in", ["Bid"])
        and each.bid.fid in words.get("bid_fid_in", [each.bid.fid])
        and "reservation_fid_in" not in words
    ]
    sort: Callable[[Instance], str] = {
        "created_at": lambda each: "",
        "instance_status": lambda each: str(each.status),
        "instance_type_fid": lambda each: str(each.bid.market.type.fid),
    }[words.get("sort_by", "created_at")]
    return Reply(
        200,
        page(
            request,
            rows,
            lambda each: (sort(each), str(time(each.created_at)), each.fid),
            lambda each: show(state, each),
        ),
    )


def _found(request: Request) -> Instance:
    instance = request.state.fleet.instances.get(request.path[0])
    if instance is None:
        raise Refused(404, "Instance not found")
    request.project(instance.bid.project)
    return instance


def status(request: Request) -> Reply:
    each = _found(request)
    return Reply(
        200,
        {
            "fid": each.fid,
            "name": each.name,
            "status": _status(request.state, each.status),
            "bid": each.bid.fid,
            "reservation": None,
            "end_time": time(each.end_time),
        },
    )


def _history(request: Request, events: Callable[[Instance, datetime | None, datetime | None], list[Any]]) -> Reply:
    """One of `instance_fid`, `bid_fid` and `reservation_fid` says whose."""
    names = ("instance_fid", "bid_fid", "reservation_fid")
    checks = {
        **PAGING,
        **{name: rules.text() for name in ("project", *names)},
        "start_time": _instant,
        "end_time": _instant,
    }
    words = request.words(checks, "project")
    project, state = request.project(words["project"]), request.state
    if sum(name in words for name in names) != 1:
        raise Refused(400, f"Exactly one of {', '.join(names)} must be given")
    rows = [
        each
        for each in state.fleet.instances.values()
        if each.bid.project == project
        and words.get("instance_fid") in (None, each.fid)
        and words.get("bid_fid") in (None, each.bid.fid)
        and "reservation_fid" not in words
    ]
    shown = page(
        request,
        rows,
        lambda each: (str(time(each.created_at)), each.fid),
        lambda each: {
            "instance_fid": each.fid,
            "bid_fid": each.bid.fid,
            "reservation_fid": None,
            "events": events(each, words.get("start_time"), words.get("end_time")),
        },
    )
    return Reply(200, {"instances": shown["data"], "next_cursor": shown["next_cursor"]})


def _instant(word: str) -> datetime:
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        raise rules.wrong("Input should be a valid datetime", "datetime_parsing") from None
    if found.tzinfo is None:
        raise rules.wrong("Input should have timezone info", "timezone_aware")
    return found


def status_history(request: Request) -> Reply:
    def events(each: Instance, start: datetime | None, end: datetime | None) -> list[Any]:
        return [
            {"timestamp": time(when), "status": _status(request.state, word)}
            for when, word in each.history
            if (start is None or when >= start) and (end is None or when <= end)
        ]

    return _history(request, events)


def pricing_history(request: Request) -> Reply:
    """What each instance has cost, in whole cents per hour: the bill can be made from it."""

    def events(each: Instance, start: datetime | None, end: datetime | None) -> list[Any]:
        return [
            {"price_cents": period.cents, "start_time": time(period.start), "end_time": time(period.end)}
            for period in each.periods
            if (end is None or period.start <= end) and (start is None or period.end is None or period.end >= start)
        ]

    return _history(request, events)


def change(request: Request) -> Reply:
    words = rules.one_of("STATUS_RUNNING", "STATUS_PAUSED")
    body = request.body({"instances": (True, rules.list_of(rules.text())), "status": (True, words)})
    if len(set(body["instances"])) < len(body["instances"]):
        raise Refused(422, [{"loc": ["body", "instances"], "msg": "Items should be unique", "type": "unique"}])
    for fid in body["instances"]:
        _found(Request(request.state, request.user, (fid,), {}, None, {}))
    if body["instances"]:
        raise Refused(501, "Not supported for spot instances")
    return Reply(200, {"instances": {}})


def reserved_only(request: Request) -> Reply:
    _found(request)
    raise Refused(501, "Not supported for spot instances")


ROUTES = {
    ("GET", "/v2/instances"): instances,
    ("PATCH", "/v2/instances"): change,
    ("GET", "/v2/instances/status/history"): status_history,
    ("GET", "/v2/instances/pricing/history"): pricing_history,
    ("GET", "/v2/instances/{instance_fid}/status"): status,
    ("POST", "/v2/instances/{instance_fid}/restart"): reserved_only,
    ("POST", "/v2/instances/{instance_fid}/refresh-boot-disk"): reserved_only,
}
