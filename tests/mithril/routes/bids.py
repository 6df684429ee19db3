"""Spot bids: `/v2/spot/bids`. Names are not unique: a second POST makes a second bid."""

from __future__ import annotations

from typing import Any

from tests.mithril import rules
from tests.mithril.parts.model import Bid, Market
from tests.mithril.routes.base import PAGING, Reply, Request, page, time
from tests.mithril.rules import Refused
from tests.mithril.state import State

STATUSES = ("Open", "Allocated", "Preempting", "Terminated", "Paused")
FIDS = rules.list_of(rules.text())
LAUNCH = rules.record(
    {
        "volumes": (True, FIDS),
        "ssh_keys": (True, FIDS),
        "startup_script": (False, rules.or_null(rules.text())),
        "image_version": (False, rules.or_null(rules.text())),
        "kubernetes_cluster": (False, rules.or_null(rules.text())),
        "memory_gb": (False, rules.or_null(rules.whole())),
    }
)
CREATE = {
    "project": (True, rules.text()),
    "region": (True, rules.text()),
    "instance_type": (True, rules.text()),
    "limit_price": (True, rules.text()),
    "instance_quantity": (True, rules.whole(1)),
    "name": (True, rules.text()),
    "launch_specification": (True, LAUNCH),
    "notification_email": (False, rules.or_null(rules.text())),
}
UPDATE = {
    "limit_price": (False, rules.or_null(rules.text())),
    "paused": (False, rules.or_null(rules.flag)),
    "volumes": (False, rules.or_null(FIDS)),
    "memory_gb": (False, rules.or_null(rules.whole(1))),
}


def show(state: State, bid: Bid) -> dict[str, Any]:
    return {
        "fid": bid.fid,
        "name": bid.name,
        "project": bid.project,
        "created_by": bid.created_by,
        "created_at": time(bid.created_at),
        "deactivated_at": time(bid.deactivated_at),
        "limit_price": rules.dollars(bid.limit, state.quirks.money),
        "instance_quantity": bid.quantity,
        "instance_type": bid.market.type.fid,
        "region": bid.market.region,
        "instances": [each.fid for each in bid.instances],
        "launch_specification": {
            "volumes": bid.volumes,
            "ssh_keys": bid.ssh_keys,
            "startup_script": bid.startup_script,
            "kubernetes_cluster": bid.cluster,
            "image_version": bid.image,
            "memory_gb": bid.memory_gb,
        },
        "status": state.quirks.words.get(bid.status, bid.status),
    }


def bids(request: Request) -> Reply:
    filters = {name: rules.text() for name in ("project", "instance_type", "region", "name")}
    checks = {
        **PAGING,
        **filters,
        "status": rules.one_of(*STATUSES),
        "sort_by": rules.one_of("created_at", "status"),
    }
    words = request.words(checks)
    mine = [request.project(words["project"])] if "project" in words else request.user.projects
    rows = [
        each
        for each in request.state.bids.values()
        if each.project in mine
        and words.get("instance_type") in (None, each.market.type.fid)
        and words.get("region") in (None, each.market.region)
        and words.get("status") in (None, each.status)
        and words.get("name") in (None, each.name)
    ]
    by_status = words.get("sort_by") == "status"
    return Reply(
        200,
        page(
            request,
            rows,
            lambda each: (each.status if by_status else "", each.age),
            lambda each: show(request.state, each),
        ),
    )


def create(request: Request) -> Reply:
    body, state = request.body(CREATE), request.state
    limit = rules.cents(body["limit_price"])
    project = request.project(body["project"])
    repeated = request.headers.get("idempotency-key") if state.quirks.honours_idempotency_key else None
    if repeated in state.idempotent and state.idempotent[repeated] in state.bids:
        return Reply(201, show(state, state.bids[state.idempotent[repeated]]))
    if not state.billing:
        raise Refused(402, "Billing is not set up: add a payment method")
    if not rules.BID_NAME.fullmatch(body["name"]):
        raise Refused(400, "Invalid name")
    market = _market(state, body["instance_type"], body["region"])
    if limit < market.floor:
        raise Refused(400, f"limit price below minimum: {rules.dollars(market.floor)}")
    launch = body["launch_specification"]
    _ssh_keys(state, project, launch["ssh_keys"])
    _volumes(state, project, market, body["instance_quantity"], launch["volumes"], None)
    rules.startup_script(launch.get("startup_script"), state.quirks.script_too_long)
    _image(state, market, launch.get("image_version"))
    cluster = launch.get("kubernetes_cluster")
    if cluster is not None and not any(each["fid"] == cluster for each in state.clusters):
        raise Refused(404, "Kubernetes cluster not found")
    _memory(market, launch.get("memory_gb"))
    _quota(state, project, market, body["instance_quantity"])
    bid = Bid(
        state.fid("bid"),
        body["name"],
        project,
        request.user.fid,
        state.clock.now,
        state.age(),
        limit,
        body["instance_quantity"],
        market,
        launch["ssh_keys"],
        launch["volumes"],
        launch.get("startup_script"),
        launch.get("image_version"),
        cluster,
        launch.get("memory_gb"),
    )
    state.bids[bid.fid] = bid
    if "idempotency-key" in request.headers:
        state.idempotent[request.headers["idempotency-key"]] = bid.fid
    state.event(bid, "Placed", limit_price=rules.dollars(limit), user_id=request.user.fid)
    state.note("bid placed", bid.fid, name=bid.name)
    return Reply(201, show(state, bid))


def _market(state: State, type_fid: str, region: str) -> Market:
    if type_fid not in state.types:
        raise Refused(404, "Instance type not found")
    if state.types[type_fid].gated:
        raise Refused(403, f"{state.types[type_fid].name} is not enabled for your organization")
    if region not in state.regions:
        raise Refused(404, "Region not found")
    found = [each for each in state.markets if each.type.fid == type_fid and each.region == region]
    if not found:
        raise Refused(400, f"Instance type is not offered in {region}")
    return found[0]


def _ssh_keys(state: State, project: str, given: list[str]) -> None:
    mine = {fid: each for fid, each in state.ssh_keys.items() if each.project == project}
    for fid in given:
        if fid not in mine:
            raise Refused(404, f"SSH key not found: {fid}")
    if not given:
        raise Refused(400, "SSH key required: at least one")
    missing = [each.name for fid, each in mine.items() if each.required and fid not in given]
    if missing:
        raise Refused(400, f"SSH key required by the project: {', '.join(missing)}")


def _volumes(state: State, project: str, market: Market, quantity: int, given: list[str], own: Bid | None) -> None:
    if len(set(given)) < len(given):
        raise Refused(400, "A volume is named twice")
    for fid in given:
        volume = state.volumes.get(fid)
        if volume is None or volume.deleted_at is not None or volume.project != project:
            raise Refused(404, f"Volume not found: {fid}")
        if volume.region != market.region:
            raise Refused(400, f"Volume {volume.name} is in {volume.region}, not in {market.region}")
        if volume.interface == "Block" and quantity > 1:
            raise Refused(400, f"Block volume {volume.name} can be attached to one instance only")
        if volume.interface == "Block" and any(each is not own for each in state.attached(volume)):
            raise Refused(400, f"Block volume {volume.name} is attached to another bid")


def _image(state: State, market: Market, fid: str | None) -> None:
    if fid is None:
        return
    image = next((each for each in state.images if each.fid == fid), None)
    if image is None:
        raise Refused(404, "Image version not found")
    if market.region not in image.regions:
        raise Refused(400, f"Image version is not available in {market.region}")


def _memory(market: Market, gb: int | None) -> None:
    if gb is not None and not (market.adjustable_memory and 0 < gb <= market.type.ram_gb):
        raise Refused(400, f"memory_gb cannot be {gb} for this instance type")


def _quota(state: State, project: str, market: Market, quantity: int) -> None:
    fid = market.type.fid
    quota = next((each.total for each in state.quotas if each.project == project and each.type == fid), None)
    if quota is not None and state.used(fid, project) + quantity > quota:
        raise Refused(403, f"Quota exceeded: {quota} instances of {market.type.name}")


def _found(request: Request) -> Bid:
    bid = request.state.bids.get(request.path[0])
    if bid is None:
        raise Refused(404, "Bid not found")
    request.project(bid.project)
    return bid


def get(request: Request) -> Reply:
    return Reply(200, show(request.state, _found(request)))


def status(request: Request) -> Reply:
    bid, words = _found(request), request.state.quirks.words
    moving = bid.status == "Allocated" and any(each.status == "RELOCATING" for each in bid.instances)
    word = "Relocating" if moving else bid.status
    return Reply(200, {"bid_fid": bid.fid, "status": words.get(word, word)})


def history(request: Request) -> Reply:
    bid = _found(request)
    return Reply(
        200,
        {"bid_fid": bid.fid, "events": [{**each, "timestamp": time(each["timestamp"])} for each in bid.events]},
    )


def update(request: Request) -> Reply:
    """Volumes and memory change while nothing runs only: a client pauses, patches and resumes."""
    body, state = request.body(UPDATE), request.state
    bid = _found(request)
    given = {name: value for name, value in body.items() if value is not None}
    if bid.status == "Terminated":
        raise Refused(409, "Bid is terminated")
    limit = rules.cents(given["limit_price"]) if "limit_price" in given else bid.limit
    if limit < bid.market.floor:
        raise Refused(400, f"limit price below minimum: {rules.dollars(bid.market.floor)}")
    if ("volumes" in given or "memory_gb" in given) and bid.instances and given.get("paused") is not True:
        raise Refused(409, "Bid has instances: pause it first")
    if "volumes" in given:
        _volumes(state, bid.project, bid.market, bid.quantity, given["volumes"], bid)
    _memory(bid.market, given.get("memory_gb"))
    who = {"user_id": request.user.fid}
    if "limit_price" in given and limit != bid.limit:
        state.change_limit(bid, limit)
        state.event(bid, "Limit Price Changed", limit_price=rules.dollars(limit), **who)
    if "paused" in given:
        (state.pause if given["paused"] else state.resume)(bid)
    for fid in (each for each in given.get("volumes", bid.volumes) if each not in bid.volumes):
        state.event(bid, "Volumes Attached", persistent_disk_change={"attached": fid, "removed": None}, **who)
    for fid in (each for each in bid.volumes if each not in given.get("volumes", bid.volumes)):
        state.event(bid, "Volumes Removed", persistent_disk_change={"attached": None, "removed": fid}, **who)
    bid.volumes = given.get("volumes", bid.volumes)
    if "memory_gb" in given:
        bid.memory_gb = given["memory_gb"]
        state.event(bid, "Memory Adjusted", memory_gb=bid.memory_gb, **who)
    state.note("bid changed", bid.fid, **given)
    return Reply(200, show(state, bid))


def cancel(request: Request) -> Reply:
    bid, state = _found(request), request.state
    if bid.status == "Terminated":
        again = state.quirks.delete_again
        if again != 204:
            raise Refused(again, "Bid not found" if again == 404 else "Bid is terminated")
        return Reply(204)
    state.terminate(bid)
    return Reply(204)


ROUTES = {
    ("GET", "/v2/spot/bids"): bids,
    ("POST", "/v2/spot/bids"): create,
    ("GET", "/v2/spot/bids/{bid_fid}"): get,
    ("PATCH", "/v2/spot/bids/{bid_fid}"): update,
    ("DELETE", "/v2/spot/bids/{bid_fid}"): cancel,
    ("GET", "/v2/spot/bids/{bid_fid}/status"): status,
    ("GET", "/v2/spot/bids/{bid_fid}/history"): history,
}
