"""The server against the provider's own document, by another tool and by itself."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mithril import document
from tests.mithril.parts import world
from tests.mithril.routes.answer import ROUTES, Answer
from tests.mithril.server import Server
from tests.mithril.wire import Api, bid

pytestmark = pytest.mark.skipif(not document.PATH.exists(), reason="the provider's document is not beside the project")

VOLUME = {"project": world.PROJECT, "disk_interface": "File", "region": "us-central2-a", "size_gb": 100}
# Not served, and why a client of ours has no use for them.
NOT_SERVED = {
    "/v2/me/teammates": "nobody else is asked for",
    "/v2/lifecycle-scripts": "a bid cannot name one",
    "/v2/reservation": "flowc bids, it does not reserve",
    "/v2/organizations": "quotas are asked for by project",
    "/v2/cpu": "they take no startup script",
    "/v2/kubernetes": "clusters are named, not made",
    "/v2/mcc-image-versions": "of another product",
}


def test_every_route_is_in_the_document_and_what_is_not_served_is_known() -> None:
    declared = {(method.upper(), path) for path, each in document.document()["paths"].items() for method in each}
    assert set(ROUTES) <= declared
    missing = {path for _, path in declared - set(ROUTES)}
    assert {path for path in missing if not path.startswith(tuple(NOT_SERVED))} == set()


def test_null_is_read_as_the_document_means_it() -> None:
    assert document.meant({"type": "string", "nullable": True}) == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert document.meant({"items": [{"nullable": True, "title": "Cursor"}]}) == {"items": [{"title": "Cursor"}]}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(200, {"bid_fid": "bid_1", "status": "Lost"}), "'Lost' is not one of"),
        (Answer(200, {"status": "Open"}), "'bid_fid' is a required property"),
        (Answer(418, {"detail": "tea"}), "no such reply is declared"),
        (Answer(404, {"detail": ["list"]}), "is not of type 'string'"),
    ],
)
def test_a_wrong_reply_is_seen(provider: Server, answer: Answer, says: str) -> None:
    Api(provider)("GET", "/v2/spot/bids/bid_1/status")
    with pytest.raises(AssertionError, match=says):
        document.judge(provider.log.calls[-1], answer)


def test_a_request_that_the_document_does_not_know_is_seen(provider: Server) -> None:
    Api(provider)("GET", "/v2/spot/availability")
    (call,) = provider.log.calls
    call.query["project"] = "proj_x"
    with pytest.raises(AssertionError, match=r"\['project'\] is in no document"):
        document.judge(call, Answer(200, []))
    call.path, call.method, call.body = "/v2/spot/bids", "POST", {**bid(provider), "instance_quantity": "4"}
    with pytest.raises(AssertionError, match="'4' is not of type 'integer'"):
        document.accepted(call)


# Not asked for: that whatever fits the schema is accepted, where names and money are only `string`, and that a deleted
# bid is gone, where it is Terminated. The others are named, so that none is taken on unseen.
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance"),
    *("ignored_auth", "ensure_resource_availability"),
)
SETTINGS = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 501]
"""


def narrowed(found: dict[str, Any], ids: dict[str, list[str]], spare: dict[str, list[str]]) -> dict[str, Any]:
    """The document where ids are those that there are, so that requests reach what the server does: for DELETE the
    `spare` ones."""
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            for each in operation.get("parameters", []):
                known = (spare if method == "delete" else ids).get(each["name"])
                if known and (each["name"] not in ("region", "instance_type") or path == "/v2/pricing/current"):
                    each["schema"] = {"type": "string", "enum": known}
    schemas = found["components"]["schemas"]
    for name in ("CreateBidRequest", "CreateVolumeRequest", "CreateSshKeyRequest", "CreateApiKeyRequest"):
        for field, kept in schemas[name]["properties"].items():
            if field in ids:
                schemas[name]["properties"][field] = {**kept, "enum": ids[field]}
    schemas["CreateApiKeyRequest"]["properties"]["name"] |= {"minLength": 1, "maxLength": 59}
    create, launch = schemas["CreateBidRequest"]["properties"], schemas["LaunchSpecificationModel"]["properties"]
    create["name"]["pattern"] = "^[a-z][a-z0-9]{0,20}$"
    create["instance_quantity"]["minimum"] = 1
    script = {"type": "string", "pattern": "^#!/bin/bash\\n[a-z \\n]*$", "maxLength": 200}
    launch["startup_script"] = {"anyOf": [script, {"type": "null"}]}
    launch["ssh_keys"] |= {"items": {"enum": ids["ssh_key_fid"]}, "minItems": 1}
    launch["volumes"] |= {"items": {"enum": ids["volume_fid"]}, "uniqueItems": True}
    for field in ("image_version", "kubernetes_cluster", "memory_gb"):
        launch[field] = {"type": "null"}
    return found


def settle_in(server: Server) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Things of each kind; the ids of those that stay, and of those that may go."""
    api = Api(server)
    volumes = [_made(api, "/v2/volumes", {**VOLUME, "name": f"v{number}"}) for number in range(6)]
    keys = [
        _made(
            api,
            "/v2/ssh-keys",
            {"project": world.PROJECT, "name": f"k{number}", "public_key": f"{world.PUBLIC}{number}"},
        )
        for number in range(5)
    ]
    bids = [_made(api, "/v2/spot/bids", bid(server, name=f"b{number}")) for number in range(8)]
    server.state.settle()
    market = server.state.market("h100-80gb.sxm.1x")
    ids = {
        "project": [world.PROJECT],
        "region": [market.region],
        "instance_type": [market.type.fid],
        "limit_price": ["$4.00", "$12.50"],
        "bid_fid": bids[:3],
        "instance_fid": [each.fid for each in server.state.bids[bids[0]].instances],
        "volume_fid": volumes[:1],
        "ssh_key_fid": [world.TEAM_KEY],
        "expires_at": ["2026-06-01T00:00:00Z"],
    }
    lasts = ids["expires_at"][0]
    more = [_made(api, "/v2/api-keys", {"name": f"k{number}", "expires_at": lasts}) for number in range(5)]
    return ids, {"bid_fid": bids[3:], "volume_fid": volumes[1:], "ssh_key_fid": keys, "key_fid": more}


def _made(api: Api, path: str, body: dict[str, Any]) -> str:
    reply = api("POST", path, body)
    assert reply.status == 201, reply.text
    return str(reply.json["fid"])


@pytest.mark.slow
def test_another_tool_finds_nothing(tmp_path: Path) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("needs schemathesis (in the extra `dev`)")
    with Server(judge=document.replied) as server:
        (tmp_path / "openapi.json").write_text(json.dumps(narrowed(document.served(), *settle_in(server))))
        (tmp_path / "schemathesis.toml").write_text(SETTINGS)
        before = len(server.log.calls)
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--no-color"),
            *("--url", server.url, "--header", f"Authorization: Bearer {server.key}", "--checks", ",".join(CHECKS)),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--generation-deterministic"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4000:]
        worked = {
            (each.method, document.template(each.path))
            for each in server.log.calls[before:]
            if each.status is not None and (each.status < 300 or each.status == 501)
        }
        assert set(ROUTES) - worked == set()
