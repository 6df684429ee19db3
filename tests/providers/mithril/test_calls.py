"""Calls to the API: what is repeated and what is not, how long is waited, and what errors say."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.providers import errors
from flowc.providers.mithril.calls import ATTEMPTS, Calls, retry_after
from flowc.providers.mithril.client import MOST_PAGES, Client
from flowc.providers.mithril.money import dollars, of_cents, written
from flowc.providers.mithril.pace import BURST, PER_MINUTE, Pace
from flowc.providers.mithril.provider import Mithril
from flowc.providers.mithril.transport import NoReplyError, NotSentError, Reply, Request

KEY = "fkey_aaaaaaaaaaaaaaaaaaaaaaaa"


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=data)


class Scripted:
    """A transport that does what a list says, and the world around it."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.slept: list[float] = []
        self.time = 1_000_000.0

    def send(self, request: Request) -> Reply:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def calls(self, pace: Pace | None = None, random: Callable[[], float] = lambda: 1.0) -> Calls:
        pace = pace or Pace(None, now=lambda: self.time, sleep=self.sleep)
        return Calls(
            self, key=KEY, base="http://api/", timeout_s=7, pace=pace, now=lambda: self.time, sleep=self.sleep,
            random=random,
        )  # fmt: skip


BUSY = reply(429, {"detail": "slow down"})


@pytest.mark.parametrize("trouble", [NotSentError("nobody listens there"), NoReplyError("closed"), BUSY, reply(503)])
def test_reads_are_repeated(trouble: Any) -> None:
    world = Scripted(trouble, trouble, reply(200, {"fid": "user_1"}))
    assert world.calls().get("/v2/me") == {"fid": "user_1"}
    assert len(world.requests) == 3
    assert world.slept == [0.5, 1.0]


@pytest.mark.parametrize("trouble", [NotSentError("nobody listens there"), BUSY])
def test_writes_are_repeated_where_nobody_has_acted(trouble: Any) -> None:
    world = Scripted(trouble, reply(201, {"fid": "bid_1"}))
    assert world.calls().post("/v2/spot/bids", {}) == {"fid": "bid_1"}
    assert len(world.requests) == 2


@pytest.mark.parametrize("trouble", [NoReplyError("closed"), *map(reply, (500, 502, 503, 504)), reply(201, b"<html>")])
def test_write_that_may_have_acted_is_not_repeated(trouble: Any) -> None:
    world = Scripted(trouble, reply(201, {"fid": "bid_1"}))
    with pytest.raises(errors.OutcomeUnknownError):
        world.calls().post("/v2/spot/bids", {})
    assert len(world.requests) == 1


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_what_does_the_same_twice_is_repeated(method: str) -> None:
    world = Scripted(reply(502), reply(204))
    getattr(world.calls(), method)("/v2/spot/bids/bid_1", *([{"paused": True}] if method == "patch" else []))
    assert len(world.requests) == 2


def test_end_of_patience() -> None:
    world = Scripted(NotSentError("nobody listens there"))
    with pytest.raises(errors.UnavailableError, match="http://api cannot be reached: nobody listens there"):
        world.calls().get("/v2/me")
    assert len(world.requests) == ATTEMPTS
    assert len(world.slept) == ATTEMPTS - 1


@given(st.floats(0, 1))
def test_pauses_are_spread_over_all_of_their_length(chance: float) -> None:
    world = Scripted(reply(500))
    with pytest.raises(errors.UnavailableError):
        world.calls(random=lambda: chance).get("/v2/me")
    assert world.slept == [chance * pause for pause in (0.5, 1.0, 2.0, 4.0)]


def test_server_says_how_long() -> None:
    world = Scripted(reply(429, None, retry_after="7"), reply(200, []))
    assert world.calls(random=lambda: 0.25).get("/v2/projects") == []
    assert world.slept == [7.25]
    world = Scripted(reply(503, None, retry_after="3600"))
    with pytest.raises(errors.UnavailableError):
        world.calls().get("/v2/projects")
    assert (len(world.requests), world.slept) == (1, [])


@given(st.integers(0, 10**7))
def test_both_forms_of_retry_after(seconds: int) -> None:
    assert retry_after(str(seconds), 0) == seconds
    now = 1_700_000_000
    assert retry_after(formatdate(now + seconds, usegmt=True), now) == seconds
    assert retry_after(formatdate(now - 5, usegmt=True), now) == 0


@given(st.text())
def test_any_retry_after_is_taken(text: str) -> None:
    found = retry_after(text, 0)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reply(401, {"detail": "no"}), errors.AuthenticationError, "does not know this key"),
        (reply(403, {"detail": "TPUs are gated"}), errors.AuthenticationError, "may not do that: TPUs are gated"),
        (reply(403, {"detail": "organization quota"}), errors.InsufficientQuotaError, "quota"),
        (reply(402, {"detail": "no card"}), errors.ValidationError, "billing is not set up: no card"),
        (reply(400, {"detail": "set up billing first"}), errors.ValidationError, "billing is not set up"),
        (reply(404, {"detail": "gone"}), errors.NotFoundError, "there is no bid_1: gone"),
        (reply(409, {"detail": "not ready"}), errors.ConflictError, "not ready"),
        (reply(400, {"detail": "name already used"}), errors.ConflictError, "name already used"),
        (reply(400, b"{]"), errors.ValidationError, "refuses GET /v2/spot/bids/bid_1: {]"),
        (reply(418), errors.ValidationError, "with status 418"),
        (reply(302), errors.ValidationError, "redirect"),
        (reply(501, {"detail": "spot"}), errors.ValidationError, "cannot do GET"),
        (
            reply(422, {"detail": [{"loc": ["body", "limit_price"], "msg": "bad", "type": "x"}, {"loc": ["body", 3]}]}),
            errors.ValidationError,
            "limit_price: bad; 3",
        ),
    ],
)
def test_each_shape_of_an_error_is_a_sentence(answer: Reply, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words.replace("{", r"\{").replace("[", r"\[")):
        Scripted(answer).calls().get("/v2/spot/bids/bid_1")


@given(
    st.one_of(
        st.binary(),
        st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda x: json.dumps({"detail": x}).encode()),
    )
)
def test_any_error_is_told_in_one_line(body: bytes) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        Scripted(reply(400, body)).calls().get("/v2/me")
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600


def test_number_of_the_call_is_told() -> None:
    with pytest.raises(errors.NotFoundError) as caught:
        Scripted(reply(404, None, x_request_id="req-7")).calls().get("/v2/me")
    assert str(caught.value).endswith("(request req-7)")


def test_key_is_in_the_header_and_nowhere_else() -> None:
    world = Scripted(reply(400, {"detail": f"Authorization: Bearer {KEY}"}))
    with pytest.raises(errors.ValidationError) as caught:
        world.calls().post("/v2/spot/bids", {"name": "a"}, key="k-1")
    (request,) = world.requests
    assert dict(request.headers)["Authorization"] == f"Bearer {KEY}"
    assert dict(request.headers)["Idempotency-Key"] == "k-1"
    assert KEY not in repr(request) + str(caught.value) + repr(caught.value)


def test_pages_follow_each_other_to_the_end() -> None:
    row = {"fid": "bid_1", "name": "a", "status": "Open"}
    world = Scripted(reply(200, {"data": [row], "next_cursor": "c1"}), reply(200, {"data": [row], "next_cursor": None}))
    assert len(list(Client(world.calls()).bids(name="a"))) == 2
    assert "limit=100" in world.requests[0].url
    assert "next_cursor=c1" in world.requests[1].url


def test_pages_in_a_circle_and_without_end_are_told() -> None:
    page = {"data": [], "next_cursor": "c1"}
    with pytest.raises(errors.MalformedReplyError, match="circle"):
        list(Client(Scripted(reply(200, page)).calls()).bids())
    endless = Scripted(*(reply(200, {"data": [], "next_cursor": f"c{number}"}) for number in range(MOST_PAGES + 5)))
    with pytest.raises(errors.MalformedReplyError, match="more than"):
        list(Client(endless.calls()).bids())


@pytest.mark.parametrize("body", [None, [], "x", {"data": {}}, {"data": [1]}, {"data": [{"fid": 1}]}, {}])
def test_replies_of_other_shapes_are_told(body: Any) -> None:
    with pytest.raises(errors.MalformedReplyError):
        list(Client(Scripted(reply(200, body)).calls()).bids())


@pytest.mark.parametrize("answer", [reply(201), reply(201, []), reply(201, {"fid": 5, "name": 3}), reply(201, {})])
@pytest.mark.parametrize("kind", ["bid", "volume"])
def test_reply_that_does_not_say_what_was_made_leaves_that_open(answer: Reply, kind: str) -> None:
    create = getattr(Client(Scripted(answer).calls()), f"create_{kind}")
    with pytest.raises(errors.OutcomeUnknownError):
        create({"name": "a"}, key="k")


@pytest.mark.parametrize("status", [204, 404, 409])
def test_bid_that_has_ended_can_be_ended_again(status: int) -> None:
    gone = {"fid": "bid_1", "name": "a", "status": "Terminated"}
    Client(Scripted(reply(status), reply(200, gone)).calls()).cancel_bid("bid_1")


def test_bid_that_cannot_be_ended_is_told() -> None:
    alive = {"fid": "bid_1", "name": "a", "status": "Allocated"}
    with pytest.raises(errors.ConflictError):
        Client(Scripted(reply(409), reply(200, alive)).calls()).cancel_bid("bid_1")


def test_bids_that_have_ended_are_found(tmp_path: Path) -> None:
    """One that was made, and ended before its reply was read, must not be made again."""
    row = {"fid": "bid_1", "name": "a", "status": "Terminated", "created_at": "2026-01-01T00:00:00Z"}
    world = Scripted(reply(200, {"data": [row], "next_cursor": None}))
    (found,) = Mithril(Client(world.calls()), keys=str(tmp_path)).find("bid", "a", {"project": "proj_1"})
    assert found.identity == "bid_1"
    assert "status" not in world.requests[0].url


def test_keys_that_nobody_knows_are_passed_over() -> None:
    row = {"fid": "bid_1", "name": "a", "status": "Brand New", "colour": {"x": 1}}
    (found,) = Client(Scripted(reply(200, {"data": [row], "more": 1})).calls()).bids()
    assert found == row


def test_money_is_exact() -> None:
    assert [str(dollars(text)) for text in ("$15.60", "1,015.6", "15", 0.1, 3)] == ["15.60", "1015.6", "15", "0.1", "3"]
    assert [dollars(text) for text in ("", "$", "-1", "1e999999999", "NaN", None, True, [], "ten")] == [None] * 9
    assert str(of_cents(1203)) == "12.03"
    assert [of_cents(value) for value in (None, "1", 1.5, True, -1)] == [None] * 5
    amount = dollars("12.039")
    assert amount is not None
    assert written(amount) == "$12.03"


def test_pace_is_shared_by_processes(tmp_path: Path) -> None:
    """Two of them, by the same file, and a clock that stands still: after the burst each waits for its turn."""
    waits: list[float] = []
    both = [Pace(str(tmp_path / "pace"), now=lambda: 5000.0, sleep=waits.append) for _ in range(2)]
    for number in range(BURST + 10):
        both[number % 2].wait()
    assert waits == [pytest.approx((turn + 1) * 60 / PER_MINUTE) for turn in range(10)]
    assert oct((tmp_path / "pace").stat().st_mode & 0o777) == "0o600"


def test_no_more_than_the_rate_whatever_the_clock_does(tmp_path: Path) -> None:
    clock = [1000.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    pace = Pace(str(tmp_path / "pace"), now=lambda: clock[0], sleep=sleep)
    for _ in range(BURST + PER_MINUTE):
        pace.wait()
    assert clock[0] - 1000.0 >= 59
    (tmp_path / "pace").write_text("garbage")
    pace.wait()
    (tmp_path / "pace").write_text("50 99999999999")
    pace.wait()


def test_pace_without_a_file_is_one_of_its_own(tmp_path: Path) -> None:
    waits: list[float] = []
    pace = Pace(str(tmp_path / "none" / "pace"), now=time.time, sleep=waits.append)
    for _ in range(BURST):
        pace.wait()
    assert waits == []
    assert not os.path.exists(tmp_path / "none")
