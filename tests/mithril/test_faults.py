"""Each fault does to a client what its table says, and the provider has acted or has not."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.mithril.faults import Fault, Kind, other_types
from tests.mithril.server import Server
from tests.mithril.wire import Answered, Api, bid

POST = "POST /v2/spot/bids"


def post(api: Api, provider: Server, **changes: Any) -> Answered:
    return api("POST", "/v2/spot/bids", bid(provider, **changes))


def placed(provider: Server) -> int:
    return len(provider.log.done("bid placed"))


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("kind", "bids"), [("drop before", 0), ("drop after", 1)])
def test_a_connection_that_drops(provider: Server, api: Api, kind: Kind, bids: int, reset: bool) -> None:
    provider.faults.add(Fault(kind, POST, reset=reset))
    with pytest.raises(ConnectionResetError if reset else http.client.RemoteDisconnected):
        post(api, provider)
    assert placed(provider) == bids
    api.connection.close()
    assert post(api, provider).status == 201
    assert [(each.fault, each.status) for each in provider.log.calls] == [(kind, None), (None, 201)]


@pytest.mark.parametrize(("kind", "bids"), [("status", 0), ("status after", 1)])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_before_and_after_acting(provider: Server, api: Api, kind: Kind, bids: int, status: int) -> None:
    provider.faults.add(Fault(kind, POST, status=status, retry_after="7"))
    reply = post(api, provider)
    assert (reply.status, reply.headers["retry-after"], placed(provider)) == (status, "7", bids)
    gateway = status in (502, 503, 504)
    assert (b"<html>" in reply.text, "x-request-id" in reply.headers) == (gateway, not gateway)


def test_a_provider_that_acts_when_the_client_has_given_up(provider: Server) -> None:
    late = Fault("late", POST)
    provider.faults.add(late)
    hasty = Api(provider, timeout=0.1)
    with pytest.raises(TimeoutError):
        post(hasty, provider)
    hasty.connection.close()
    assert placed(provider) == 0
    late.gate.set()
    until(lambda: placed(provider) == 1)


def test_a_slow_reply_has_acted(provider: Server) -> None:
    provider.faults.add(Fault("slow", POST))
    hasty = Api(provider, timeout=0.1)
    with pytest.raises(TimeoutError):
        post(hasty, provider)
    until(lambda: placed(provider) == 1)


def test_a_reply_that_drips_is_whole(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("drip", "GET /v2/me", seconds=0.0001))
    assert api.get("/v2/me")["user_name"] == "Ada"


@pytest.mark.parametrize("kind", ["garbage", "empty"])
def test_a_body_that_is_no_json(provider: Server, api: Api, kind: Kind) -> None:
    provider.faults.add(Fault(kind, POST))
    reply = post(api, provider)
    assert reply.status == 201
    with pytest.raises(ValueError, match=r"Expecting|decode"):
        json.loads(reply.text)
    assert placed(provider) == 1


def test_values_of_wrong_types(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("wrong types", POST))
    made = post(api, provider).json
    assert (made["instance_quantity"], made["deactivated_at"], made["name"]) == ("1", "maybe", 5)
    assert other_types([True, {"a": [1.5]}]) == {"0": True, "1": {"a": [1.5]}}


def test_half_a_body(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("half", POST))
    with pytest.raises(http.client.IncompleteRead):
        post(api, provider)
    assert placed(provider) == 1


def test_a_length_that_is_too_long(provider: Server) -> None:
    provider.faults.add(Fault("too long", POST))
    hasty = Api(provider, timeout=0.1)
    with pytest.raises(TimeoutError):
        post(hasty, provider)
    assert placed(provider) == 1


def test_a_length_that_is_too_short_leaves_the_rest_on_the_connection(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("too short", "GET /v2/me", bytes=7))
    host, _, port = provider.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        wire.sendall(f"GET /v2/me HTTP/1.1\r\nauthorization: Bearer {provider.key}\r\n\r\n".encode())
        data = b""
        while not data.endswith(b"}"):
            data += wire.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    assert f"content-length: {len(body) - 7}".encode() in head.split(b"\r\n")
    assert json.loads(body) == api.get("/v2/me")


def test_a_connection_that_closes_though_it_said_otherwise(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("close", POST))
    reply = post(api, provider)
    assert (reply.status, reply.headers.get("connection")) == (201, None)
    with pytest.raises((http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)):
        post(api, provider, name="second")
    assert placed(provider) == 1


def test_a_reply_may_be_edited(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("edit", "GET /v2/spot/bids", edit=lambda body: {**body, "next_cursor": "again"}, times=9))
    assert [api.get("/v2/spot/bids", next_cursor="WzFd")["next_cursor"] for _ in range(3)] == ["again"] * 3


def test_the_nth_request_and_some_in_a_row(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("status", "GET /v2/spot/*", nth=2, times=2, status=500))
    assert [api("GET", "/v2/spot/bids").status for _ in range(4)] == [200, 500, 500, 200]
    assert api("GET", "/v2/me").status == 200


def test_the_first_of_two_faults_strikes_and_the_other_has_counted(provider: Server, api: Api) -> None:
    provider.faults.add(Fault("status", "* /v2/me", status=500), Fault("status", "GET *", nth=2, status=503))
    assert [api("GET", "/v2/me").status for _ in range(3)] == [500, 503, 200]


def test_half_a_request_asks_for_nothing(provider: Server, api: Api) -> None:
    """As when the client is killed while it sends."""
    data = json.dumps(bid(provider)).encode()
    api.connection.putrequest("POST", "/v2/spot/bids")
    api.connection.putheader("content-length", str(len(data)))
    api.connection.putheader("content-type", "application/json")
    api.connection.putheader("authorization", f"Bearer {provider.key}")
    api.connection.endheaders(data[:-1])
    api.connection.close()
    assert Api(provider).get("/v2/spot/bids")["data"] == []
    assert provider.log.sent("POST", "/v2/spot/bids") == []


def test_a_closed_server_hangs_up(provider: Server, api: Api) -> None:
    api.get("/v2/me")
    provider.close()
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        api("GET", "/v2/me")


def test_a_wrong_reply_of_the_server_fails_its_close() -> None:
    def judge(*_: object) -> None:
        raise AssertionError("not so")

    server = Server(judge=judge)
    assert Api(server)("GET", "/v2/me").status == 200
    with pytest.raises(ExceptionGroup, match="the server failed"):
        server.close()


def until(true: Callable[[], bool]) -> None:
    """Waits for what another thread is about to do."""
    pause = threading.Event()
    for _ in range(2000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")
