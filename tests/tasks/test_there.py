"""Jobs at the provider, which is one of ours on a loopback port."""

from __future__ import annotations

import json

from tests.mithril.server import Server
from tests.tasks.conftest import Person


def test_submit_places_one_bid_and_says_who_ends_the_bill(there: Person, provider: Server) -> None:
    done = there.types("submit", there.job("true\n"))
    assert done.returncode == 0, done.stderr
    (placed,) = provider.log.done("bid placed")
    assert done.stdout.split() == [provider.state.bids[placed.fid].name]
    last = done.stderr.splitlines()[-1]
    assert "nobody ends the bill by himself" in last
    assert "at the latest 10 min after its start" in last


def test_keep_is_told_and_kept(there: Person) -> None:
    done = there.types("submit", there.job("true\n"), "--keep")
    assert "nobody ends the bill: it is paid until `flowc cancel" in done.stderr.splitlines()[-1]


def test_dry_run_only_reads(there: Person, provider: Server) -> None:
    done = there.types("submit", there.job("true\n"), "--dry-run")
    (call,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (call["method"], call["body"]["project"][:5]) == ("POST", "proj_")
    assert {each.method for each in provider.log.calls} == {"GET"}


def test_offline_dry_run_needs_no_network_and_no_key(there: Person, provider: Server) -> None:
    done = there.types("submit", there.job("true\n"), "--dry-run", "--offline", MITHRIL_API_KEY="")
    (call,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert call["body"]["project"] == "${project:research}"
    assert not provider.log.calls
    assert there.types("submit", "job.sbatch", "--offline").returncode == 2


def test_without_a_key_the_way_to_one_is_told(there: Person) -> None:
    done = there.types("submit", there.job("true\n"), MITHRIL_API_KEY="")
    assert done.returncode == 4
    assert "MITHRIL_API_KEY" in done.stderr
    assert "--provider local needs none" in done.stderr


def test_list_status_and_cancel(there: Person, provider: Server) -> None:
    (name,) = there.types("submit", there.job("true\n")).stdout.split()
    assert f"{name}  pending" in there.types("list").stdout
    assert "waits for machines" in there.types("status", name).stdout
    assert there.types("cancel", name).returncode == 0
    assert provider.state.bid_named(name).status == "Terminated"
    assert there.types("list").stdout == ""
    assert f"{name}  cancelled (130)" in there.types("list", "--all").stdout
