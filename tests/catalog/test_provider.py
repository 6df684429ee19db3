"""`flowc catalog` against the loopback provider: whatever goes wrong on the way, the last good copy stays."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowc.cli import main
from flowc.providers.mithril import calls
from tests.mithril import document
from tests.mithril.faults import Fault, other_types
from tests.mithril.server import Server
from tests.providers.mithril.listening import Server as Listener

JOB = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=1:00:00\nhostname\n"

TYPES, MARKETS, PRICE = "GET /v2/instance-types", "GET /v2/spot/availability", "GET /v2/pricing/current"


class Outcome:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(judge=document.JUDGE) as found:
        yield found


@pytest.fixture
def flowc(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Commands of this process, by somebody with a key and a home."""
    for name, value in {
        **{"HOME": str(tmp_path), "MITHRIL_API_URL": server.url, "MITHRIL_API_KEY": server.key},
        **{"MITHRIL_PROJECT": "research", "FLOW_TIMEOUT": "2"},
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Outcome:
        status = main(list(words))
        return Outcome(status, *capfd.readouterr())

    return run


def copy(home: Path) -> Path:
    return home / ".local" / "state" / "flowc" / "catalog.json"


def test_refresh_writes_what_the_provider_sells(flowc: Callable[..., Outcome], server: Server, tmp_path: Path) -> None:
    done = flowc("catalog", "refresh")
    assert (done.status, copy(tmp_path).stat().st_mode & 0o777) == (0, 0o644), done.err
    assert "~ h100-80gb.sxm.8x in us-central1-b: market unknown -> $14.90, minimum unknown -> $8.00" in done.out
    rows = json.loads(flowc("catalog", "list", "--all", "--format", "json").out)
    assert rows["catalog"]["source"] == "refreshed"
    found = {(row["instance_type"], row["region"]): row for row in rows["machines"]}
    assert len(found) == len(server.state.markets)
    for market in server.state.markets:
        row = found[market.type.name, market.region]
        assert row["market_usd_per_instance_hour"] == f"{market.price // 100}.{market.price % 100:02d}"
        assert row["minimum_usd_per_instance_hour"] == f"{market.floor // 100}.{market.floor % 100:02d}"
        assert (row["fid"], row["available"]) == (market.type.fid, market.capacity)
        assert row["source"] == "provider's API"
        assert row["offered"] == (market.type.name != "v6e-8")
    assert "no change since" in flowc("catalog", "refresh").err
    server.state.markets[0].price += 100
    again = flowc("catalog", "refresh")
    assert again.out == "~ h100-80gb.sxm.1x in us-central2-a: market $1.00 -> $2.00\n"


def test_jobs_are_compiled_by_the_copy(flowc: Callable[..., Outcome], tmp_path: Path) -> None:
    (tmp_path / "a.sbatch").write_text(JOB)
    before = json.loads(flowc("price", "a.sbatch", "--format", "json").out)["jobs"][0]
    assert before["catalog"]["source"] == "bundled"
    flowc("catalog", "refresh")
    after = json.loads(flowc("price", "a.sbatch", "--format", "json").out)["jobs"][0]
    assert after["catalog"]["source"] == "refreshed"
    assert after["fid"] == "it_H8central2a00001"
    assert "refreshed catalog, of " in flowc("price", "a.sbatch").out


def test_a_dry_run_writes_nothing(flowc: Callable[..., Outcome], tmp_path: Path) -> None:
    done = flowc("catalog", "refresh", "--dry-run")
    assert (done.status, copy(tmp_path).exists()) == (0, False)
    assert "market" in done.out
    assert "nothing is written" in done.err


@pytest.mark.parametrize(
    ("price", "capacity", "fid"),
    [(100, 5, "it_Twin"), (9900, 5, "it_H8central2a00001"), (100, 0, "it_H8central2a00001")],
)
def test_of_two_markets_of_one_type_in_a_region_one_is_taken_and_told(
    price: int, capacity: int, fid: str, flowc: Callable[..., Outcome], server: Server, tmp_path: Path
) -> None:
    """One name may have several ids."""
    market = server.state.market("h100-80gb.sxm.8x", "us-central2-a")
    twin = replace(market.type, fid="it_Twin")
    server.state.types[twin.fid] = twin
    server.state.markets.append(replace(market, fid="auc_twin", type=twin, price=price, capacity=capacity))
    done = flowc("catalog", "refresh")
    assert done.status == 0, done.err
    assert f"h100-80gb.sxm.8x has several markets in us-central2-a: {fid} at $" in done.err
    rows = json.loads(flowc("catalog", "find", "h100", "--region", "us-central2-a", "--format", "json").out)["machines"]
    assert [row["fid"] for row in rows if row["gpus"] == 8] == [fid]
    for each in ("it_Twin", "it_H8central2a00001"):  # a job may name either
        (tmp_path / "a.sbatch").write_text(JOB)
        plan = json.loads(flowc("price", "a.sbatch", "-i", each, "--format", "json").out)["jobs"][0]
        assert (plan["instance_type"], plan["fid"]) == ("h100-80gb.sxm.8x", each)


def pages(reply: Any) -> Any:
    """A list that says that it goes on."""
    return {"data": reply, "next_cursor": "more"}


def without(key: str) -> Callable[[Any], Any]:
    return lambda reply: [{name: value for name, value in row.items() if name != key} for row in reply]


def changed(key: str, value: object) -> Callable[[Any], Any]:
    return lambda reply: [{**row, key: value} for row in reply]


FAULTS: dict[str, Fault] = {
    **{
        f"{status} of {on.split('/')[-1]}": Fault("status", on, status=status, times=99, retry_after="3600")
        for status in (429, 500, 502, 503, 504)
        for on in (TYPES, MARKETS, PRICE)
    },
    **{
        f"{kind} of {on.split('/')[-1]}": Fault(kind, on, times=99)  # type: ignore[arg-type]
        for kind in ("half", "garbage", "empty", "wrong types", "drop before")
        for on in (TYPES, MARKETS, PRICE)
    },
    "a late half": Fault("half", PRICE, nth=7, times=99),
    "pages of types": Fault("edit", TYPES, times=99, edit=pages),
    "pages of markets": Fault("edit", MARKETS, times=99, edit=pages),
    "no types": Fault("edit", TYPES, times=99, edit=lambda _: []),
    "no markets": Fault("edit", MARKETS, times=99, edit=lambda _: []),
    "types without GPUs": Fault("edit", TYPES, times=99, edit=without("num_gpus")),
    "types of half a GPU": Fault("edit", TYPES, times=99, edit=changed("num_gpus", 0.5)),
    "names of markup": Fault("edit", TYPES, times=99, edit=changed("name", "<b>h100</b>")),
    "a family of a thousand letters": Fault("edit", TYPES, times=99, edit=changed("name", "h" * 1000)),
    "no prices": Fault("edit", MARKETS, times=99, edit=without("last_instance_price")),
    "prices in words": Fault("edit", MARKETS, times=99, edit=changed("last_instance_price", "cheap")),
    "prices below nothing": Fault("edit", MARKETS, times=99, edit=changed("last_instance_price", "$-3")),
    "prices beyond all": Fault("edit", MARKETS, times=99, edit=changed("last_instance_price", "$9e11")),
    "prices that are none": Fault("edit", MARKETS, times=99, edit=changed("last_instance_price", "NaN")),
    "winners in words": Fault("edit", MARKETS, times=99, edit=changed("lowest_allocated_price", "low")),
    "regions of nowhere": Fault("edit", MARKETS, times=99, edit=changed("region", "../../etc")),
    "one region": Fault("edit", MARKETS, times=99, edit=lambda rows: [*rows, rows[0]]),
    "capacity below nothing": Fault("edit", MARKETS, times=99, edit=changed("capacity", -1)),
    "minimum in words": Fault("edit", PRICE, times=99, edit=lambda row: {**row, "minimum_price_cents": "8"}),
    "other types throughout": Fault("edit", TYPES, times=99, edit=other_types),
}


# One of each kind; the others take their time.
ORDINARY = (
    *("429 of current", "503 of availability", "half of instance-types", "garbage of availability"),
    *("wrong types of current", "drop before of current", "a late half", "pages of types", "no markets"),
    *("names of markup", "prices beyond all", "regions of nowhere", "one region", "minimum in words"),
)


@pytest.mark.parametrize(
    "name", [name if name in ORDINARY else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_the_last_good_copy_stays(
    name: str, flowc: Callable[..., Outcome], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "ATTEMPTS", 1)
    assert flowc("catalog", "refresh").status == 0
    before = copy(tmp_path).read_bytes()
    server.faults.add(FAULTS[name])
    done = flowc("catalog", "refresh")
    server.faults.clear()
    assert done.status == 4, done.out
    assert "internal error" not in done.err
    assert "nothing is changed: prices are still of " in done.err
    assert copy(tmp_path).read_bytes() == before, name
    assert [path.name for path in copy(tmp_path).parent.iterdir() if "catalog" in path.name] == ["catalog.json"]


@pytest.mark.slow
@pytest.mark.parametrize("on", [TYPES, MARKETS, PRICE])
def test_a_slow_drip_ends_and_the_copy_stays(
    on: str, flowc: Callable[..., Outcome], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert flowc("catalog", "refresh").status == 0
    before = copy(tmp_path).read_bytes()
    monkeypatch.setenv("FLOW_TIMEOUT", "0.3")
    server.faults.add(Fault("drip", on, times=99, seconds=0.1))
    done = flowc("catalog", "refresh")
    assert done.status == 4
    assert copy(tmp_path).read_bytes() == before


def test_headers_that_drip_are_given_up(
    flowc: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener comes to an end by itself: who waits for that fails, and does not hang."""
    sent, gone = 0, threading.Event()

    def drips(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: ")
        while sent < 2000 and not gone.wait(0.01):
            connection.sendall(b"x")
            sent += 1
        connection.sendall(b"\r\n\r\n[]")

    assert flowc("catalog", "refresh").status == 0
    before = copy(tmp_path).read_bytes()
    listener = Listener(drips)
    monkeypatch.setattr(calls, "ATTEMPTS", 1)
    monkeypatch.setenv("MITHRIL_API_URL", f"http://127.0.0.1:{listener.port}")
    monkeypatch.setenv("FLOW_TIMEOUT", "0.5")
    try:
        done = flowc("catalog", "refresh")
    finally:
        gone.set()
        listener.close()
    assert (done.status, sent < 2000) == (4, True)
    assert "the reply takes too long" in done.err
    assert copy(tmp_path).read_bytes() == before


@pytest.mark.slow
def test_a_provider_that_recovers_is_asked_again(flowc: Callable[..., Outcome], server: Server) -> None:
    server.faults.add(Fault("status", PRICE, nth=3, times=2, status=503), Fault("status", TYPES, status=429))
    assert flowc("catalog", "refresh").status == 0


def test_without_a_key_it_says_what_is_missing(
    flowc: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MITHRIL_API_KEY")
    done = flowc("catalog", "refresh")
    assert (done.status, copy(tmp_path).exists()) == (4, False)
    assert "there is no API key" in done.err


def test_a_damaged_copy_is_made_anew(flowc: Callable[..., Outcome], tmp_path: Path) -> None:
    flowc("catalog", "refresh")
    copy(tmp_path).write_bytes(copy(tmp_path).read_bytes()[:900])
    (tmp_path / "a.sbatch").write_text(JOB)
    for words in (["catalog", "list"], ["check", "a.sbatch"], ["compile", "a.sbatch"], ["price", "a.sbatch"]):
        done = flowc(*words)
        assert done.status == 0
        assert "warning[FC714]" in done.err + done.out
    assert "bundled catalog" in flowc("price", "a.sbatch").out
    assert flowc("price", "a.sbatch", "--catalog", str(copy(tmp_path))).status == 4
    done = flowc("catalog", "refresh")
    assert done.status == 0
    assert "your copy is made anew" in done.err
    assert flowc("catalog", "list").status == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("list",), 0, "h100-80gb.sxm.8x"),
        (("find", "8xh100"), 0, "$12.03"),
        (("find", "h100", "--limit", "1"), 0, "h100-80gb.sxm.1x"),
        (("find", "h200", "-r", "us-east1-a"), 1, "without `--region` there is ccs-h200.sxm.1x in us-central2-b"),
        (("find", "a100x8"), 2, "did you mean `8xa100`?"),
        (("find", "--max-price", "-3"), 2, "is no price"),
        (("list", "h100"), 2, "flowc catalog find h100"),
        (("list", "--dry-run"), 2, "is for refresh"),
        (("refresh", "--gpus", "8"), 2, "it is for list and find"),
        (("look",), 2, "is nothing to do with a catalog"),
        ((), 0, "flowc catalog"),
    ],
)
def test_what_list_and_find_say(flowc: Callable[..., Outcome], words: tuple[str, ...], status: int, said: str) -> None:
    done = flowc("catalog", *words)
    assert said in done.out + done.err
    assert done.status == (2 if not words else status)
