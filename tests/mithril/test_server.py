"""The API as the provider's document and pages describe it."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import pytest

from tests.mithril.parts import world
from tests.mithril.parts.model import Quirks
from tests.mithril.server import Server
from tests.mithril.state import State
from tests.mithril.wire import Api, bid

P = world.PROJECT
VOLUME = {"name": "data", "project": P, "disk_interface": "File", "region": "us-central2-a", "size_gb": 100}


def refused(api: Api, body: dict[str, Any], path: str = "/v2/spot/bids") -> tuple[int, Any]:
    reply = api("POST", path, body)
    assert reply.status >= 400, reply.text
    return reply.status, reply.json["detail"]


def test_a_key_is_asked_for(provider: Server, api: Api) -> None:
    assert api("GET", "/v2/me", headers={"authorization": ""}).status == 401
    assert Api(provider, "fkey_of_nobody0000000000000")("GET", "/v2/me").status == 401
    assert api.get("/v2/me")["email"] == "ada@example.com"


def test_a_project_of_others_is_refused(api: Api) -> None:
    assert api("GET", "/v2/ssh-keys", project=world.FOREIGN_PROJECT).status == 403
    assert api("GET", "/v2/ssh-keys", project="proj_none").status == 404
    assert [each["name"] for each in api.get("/v2/projects")] == ["research", "scratch"]


def test_only_administrators_say_which_keys_are_required(provider: Server) -> None:
    member = Api(provider, world.MEMBER_KEY)
    assert member("PATCH", f"/v2/ssh-keys/{world.OWN_KEY}", {"required": True}).status == 403
    assert Api(provider)("PATCH", f"/v2/ssh-keys/{world.OWN_KEY}", {"required": True}).json["required"] is True


def test_required_keys_must_be_in_a_bid(provider: Server, api: Api) -> None:
    assert refused(api, bid(provider, ssh_keys=[])) == (400, "SSH key required: at least one")
    assert refused(api, bid(provider, ssh_keys=[world.OWN_KEY])) == (400, "SSH key required by the project: team")
    assert refused(api, bid(provider, ssh_keys=["sshkey_none"]))[0] == 404
    assert provider.log.done("bid placed") == []


def test_a_key_made_here_comes_with_its_private_half_once(program: Any, api: Api) -> None:
    program("ssh-keygen", "openssh-client")
    made = api("POST", "/v2/ssh-keys", {"project": P, "name": "made"}).json
    assert made["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert "private_key" not in str(api.get("/v2/ssh-keys", project=P))
    assert refused(api, {"project": P, "name": "made"}, "/v2/ssh-keys")[0] == 400


def test_a_key_that_a_live_bid_uses_stays(provider: Server, api: Api) -> None:
    made = api("POST", "/v2/spot/bids", bid(provider)).json
    assert api("DELETE", f"/v2/ssh-keys/{world.TEAM_KEY}").status == 400
    api("DELETE", f"/v2/spot/bids/{made['fid']}")
    assert api("DELETE", f"/v2/ssh-keys/{world.TEAM_KEY}").status == 204


def test_one_name_may_be_two_types(api: Api) -> None:
    fids = {each["fid"] for each in api.get("/v2/instance-types") if each["name"] == "h100-80gb.sxm.8x"}
    regions = {each["region"] for each in api.get("/v2/spot/availability") if each["instance_type"] in fids}
    assert (len(fids), regions) == (2, {"us-central2-a", "us-central1-b"})


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"name": "Train"}, 400, "Invalid name"),
        ({"name": "a" * 61}, 400, "Invalid name"),
        ({"limit_price": "$0.99"}, 400, "limit price below minimum: $1.00"),
        ({"instance_type": "h100-80gb.sxm.1x"}, 404, "Instance type not found"),
        ({"region": "us-east9-z"}, 404, "Region not found"),
        ({"region": "us-central1-b"}, 400, "Instance type is not offered in us-central1-b"),
        (
            {"startup_script": "#!/bin/bash\n" + "x" * 9_989},
            400,
            "startup_script is 10001 bytes, at most 10000 are allowed",
        ),
        (
            {"startup_script": "#!/bin/bash\n" + "é" * 5_000},
            400,
            "startup_script is 10012 bytes, at most 10000 are allowed",
        ),
        ({"startup_script": "#!/bin/sh\n"}, 400, "startup_script must begin with #!/bin/bash"),
        ({"image_version": "imgver_none"}, 404, "Image version not found"),
        ({"kubernetes_cluster": "clust_none"}, 404, "Kubernetes cluster not found"),
        ({"memory_gb": 64}, 400, "memory_gb cannot be 64 for this instance type"),
        ({"instance_quantity": 65}, 403, "Quota exceeded: 64 instances of h100-80gb.sxm.1x"),
        ({"volumes": ["vol_none"]}, 404, "Volume not found: vol_none"),
        ({"instance_type": "it_2vblKKB0L8sRG8K7"}, 403, "v6e-8 is not enabled for your organization"),
    ],
)
def test_a_bid_is_refused(provider: Server, api: Api, changes: dict[str, Any], status: int, says: str) -> None:
    assert refused(api, bid(provider, **changes)) == (status, says)
    assert provider.state.bids == {}


def test_a_script_of_10000_bytes_is_taken(provider: Server, api: Api) -> None:
    script = "#!/bin/bash\n" + "x" * 9_988
    made = api("POST", "/v2/spot/bids", bid(provider, startup_script=script))
    assert made.json["launch_specification"]["startup_script"] == script


def test_wrong_shapes_are_all_told_at_once(provider: Server, api: Api) -> None:
    body = bid(provider, instance_quantity="4", ssh_keys=[1])
    del body["name"]
    status, detail = refused(api, body)
    assert status == 422
    assert {tuple(each["loc"]) for each in detail} == {
        ("body", "name"),
        ("body", "instance_quantity"),
        ("body", "launch_specification", "ssh_keys", 0),
    }
    assert [refused(api, bid(provider, instance_quantity=each))[0] for each in (True, 0, 1.5, None)] == [422] * 4
    assert refused(api, bid(provider, limit_price="25.60"))[1][0]["loc"] == ["body", "limit_price"]
    assert api("POST", "/v2/spot/bids", b"{").status == 422
    assert api("POST", "/v2/spot/bids", bid(provider), headers={"content-type": "text/plain"}).status == 422
    assert api("POST", "/v2/spot/bids", b"[" * 100_000).status == 422


def test_without_billing_no_bid_is_taken(provider: Server, api: Api) -> None:
    provider.state.billing = False
    assert refused(api, bid(provider))[0] == 402


def test_names_are_not_unique_and_each_post_is_a_bid(provider: Server, api: Api) -> None:
    for _ in range(2):
        assert api("POST", "/v2/spot/bids", bid(provider), headers={"idempotency-key": "one"}).status == 201
    assert len(api.get("/v2/spot/bids", name="train")["data"]) == 2


def test_an_idempotency_key_counts_where_the_provider_honours_it() -> None:
    with Server(State(quirks=Quirks(honours_idempotency_key=True))) as server:
        api = Api(server)
        made = [api("POST", "/v2/spot/bids", bid(server), headers={"idempotency-key": "one"}).json for _ in range(2)]
        assert made[0] == made[1]
        assert len(server.state.bids) == 1


def test_lists_come_in_pages_that_new_rows_do_not_shift(provider: Server, api: Api) -> None:
    made = [api("POST", "/v2/spot/bids", bid(provider, name=f"n{number}")).json["fid"] for number in range(7)]
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        got = api.get("/v2/spot/bids", project=P, limit=3, **cursor)
        seen += [each["fid"] for each in got["data"]]
        api("POST", "/v2/spot/bids", bid(provider, name="late"))
        if got["next_cursor"] is None:
            break
        cursor = {"next_cursor": got["next_cursor"]}
    assert seen == made[::-1]
    by_age = api.get("/v2/spot/bids", sort_by="created_at", sort_dir="asc", limit=1)
    assert [each["fid"] for each in by_age["data"]] == made[:1]
    for query in ({"limit": 0}, {"limit": 101}, {"limit": "all"}, {"next_cursor": "!"}, {"status": "open"}):
        assert api("GET", "/v2/spot/bids", **query).status == 422


def test_volumes(provider: Server, api: Api) -> None:
    made = api("POST", "/v2/volumes", VOLUME).json
    assert (made["capacity_gb"], made["interface"], made["deleted_at"]) == (100, "File", None)
    elsewhere = {**VOLUME, "region": "us-central2-b"}
    assert refused(api, elsewhere, "/v2/volumes") == (400, "Volume name already exists: data")
    assert refused(api, {**VOLUME, "name": "2data"}, "/v2/volumes")[0] == 422
    assert refused(api, {**VOLUME, "name": "x", "region": "us-central1-a"}, "/v2/volumes")[0] == 400
    assert refused(api, bid(provider, volumes=[made["fid"], made["fid"]]))[0] == 400
    placed = api("POST", "/v2/spot/bids", bid(provider, volumes=[made["fid"]])).json
    (listed,) = api.get("/v2/volumes", project=P)
    assert listed["bids"] == [placed["fid"]]
    assert api("DELETE", f"/v2/volumes/{made['fid']}").json == {"detail": "Volume is attached to a bid"}
    assert api("DELETE", f"/v2/spot/bids/{placed['fid']}").status == 204
    assert api("PATCH", f"/v2/volumes/{made['fid']}", {"name": "other"}).json["name"] == "other"
    assert api("DELETE", f"/v2/volumes/{made['fid']}").status == 204
    assert api("DELETE", f"/v2/volumes/{made['fid']}").status == 404
    assert api.get("/v2/volumes", project=P) == []
    assert len(api.get("/v2/volumes", project=P, include_deleted="true")) == 1


def test_block_volumes_hold_one_instance(provider: Server, api: Api) -> None:
    made = api("POST", "/v2/volumes", {**VOLUME, "disk_interface": "Block"}).json["fid"]
    assert refused(api, bid(provider, volumes=[made], instance_quantity=2))[0] == 400
    assert api("POST", "/v2/spot/bids", bid(provider, volumes=[made])).status == 201
    assert refused(api, bid(provider, volumes=[made]))[0] == 400
    far = {"volumes": [made], "region": "us-central2-b", "instance_type": "it_H2001x0000000003"}
    assert "not in us-central2-b" in refused(api, bid(provider, **far))[1]


def test_money_is_text_with_a_dollar_sign_and_whole_cents(provider: Server, api: Api) -> None:
    market = provider.state.market("h100-80gb.sxm.8x", "us-central2-a")
    market.price = 123_456
    (row,) = [each for each in api.get("/v2/spot/availability") if each["fid"] == market.fid]
    assert row["last_instance_price"] == "$1234.56"
    forms: dict[Literal["commas", "bare"], str] = {"commas": "$1,234.56", "bare": "1234.56"}
    for form, text in forms.items():
        provider.state.quirks.money = form
        (row,) = [each for each in api.get("/v2/spot/availability") if each["fid"] == market.fid]
        assert row["last_instance_price"] == text
    now = api.get("/v2/pricing/current", instance_type=market.type.fid, region=market.region)
    assert (now["spot_price_cents"], now["minimum_price_cents"]) == (123_456, 800)


def test_what_is_not_there(api: Api) -> None:
    assert api("GET", "/v2/nothing").json == {"detail": "Not Found"}
    reply = api("PUT", "/v2/spot/bids")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")
    assert api("GET", "/v2/spot/bids/bid_none").json == {"detail": "Bid not found"}
    assert api("HEAD", "/v2/me").status == 405
    assert api.get("/v2/me")["fid"]  # the connection is still in step


def test_every_reply_has_an_id_and_the_log_has_it_too(provider: Server, api: Api) -> None:
    reply = api("GET", "/v2/me", headers={"x-hello": "there"})
    (call,) = provider.log.calls
    assert reply.headers["x-request-id"] == call.request_id
    assert (call.method, call.path, call.status, call.headers["x-hello"]) == ("GET", "/v2/me", 200, "there")
    assert "authorization" not in call.headers


def test_a_key_outside_its_header_is_noticed_and_not_kept(provider: Server, api: Api) -> None:
    api("POST", "/v2/spot/bids", bid(provider, startup_script=f"#!/bin/bash\nexport KEY={provider.key}\n"))
    api("GET", "/v2/spot/bids", name=provider.key)
    assert [each.key_elsewhere for each in provider.log.calls] == [True, True]
    assert provider.key not in repr(provider.log.calls)


def test_the_rate_is_limited_in_both_forms() -> None:
    with Server(State(quirks=Quirks(rate_per_minute=2))) as server:
        api, now = Api(server), 1000.0
        server.provider.monotonic = lambda: now
        assert [api("GET", "/v2/me").status for _ in range(3)] == [200, 200, 429]
        assert api("GET", "/v2/me").headers["retry-after"] == "60"
        server.state.quirks.retry_after = "date"
        wait = parsedate_to_datetime(api("GET", "/v2/me").headers["retry-after"]) - datetime.now(UTC)
        assert 0 < wait.total_seconds() <= 61
        now += 61
        assert api("GET", "/v2/me").status == 200


def test_replies_may_have_more_keys_and_other_statuses() -> None:
    with Server(State(quirks=Quirks(extra_keys=True, words={"Open": "Thinking"}))) as server:
        made = Api(server)("POST", "/v2/spot/bids", bid(server)).json
        assert (made["status"], made["launch_specification"]["x_new_field"]) == ("Thinking", {"a": [1, None]})


def test_times_come_in_two_forms(provider: Server, api: Api) -> None:
    assert api.get("/v2/projects")[0]["created_at"] == "2026-01-01T00:00:00Z"
    provider.state.quirks.times = "offset"
    assert api.get("/v2/projects")[0]["created_at"] == "2026-01-01T00:00:00+00:00"


def test_a_second_delete(provider: Server, api: Api) -> None:
    made = api("POST", "/v2/spot/bids", bid(provider)).json["fid"]
    assert [api("DELETE", f"/v2/spot/bids/{made}").status for _ in range(2)] == [204, 204]
    provider.state.quirks.delete_again = 404
    assert api("DELETE", f"/v2/spot/bids/{made}").status == 404
    assert len(provider.log.done("bid cancelled")) == 1


def test_what_is_for_reserved_instances_only(provider: Server, api: Api) -> None:
    api("POST", "/v2/spot/bids", bid(provider))
    provider.state.settle()
    fid = api.get("/v2/instances", project=P)["data"][0]["fid"]
    assert api("POST", f"/v2/instances/{fid}/restart").status == 501
    assert api("PATCH", "/v2/instances", {"instances": [fid], "status": "STATUS_PAUSED"}).status == 501


def test_two_servers_with_one_state_are_one_provider(provider: Server) -> None:
    Api(provider)("POST", "/v2/spot/bids", bid(provider))
    with Server(provider.state) as second:
        assert json.dumps(Api(second).get("/v2/spot/bids")).count("bid_") == 1


def test_nothing_falls_due_when_the_server_is_closed() -> None:
    begun, done = threading.Event(), []

    def start_a_machine() -> None:
        begun.set()
        time.sleep(0.2)
        done.append("started")

    with Server(speed=400) as server:
        server.state.clock.after(1, start_a_machine)
        assert begun.wait(300)
    assert done == ["started"]
