"""Jobs at the provider, which is one of ours on a loopback port."""

from __future__ import annotations

import json
from dataclasses import replace

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
    *reads, call = [json.loads(line) for line in done.stdout.splitlines()]
    assert (call["method"], call["body"]["project"][:5]) == ("POST", "proj_")
    assert {each.method for each in provider.log.calls} == {"GET"}
    assert [(each["method"], each["path"].partition("?")[0]) for each in reads] == [
        (each.method, each.path) for each in provider.log.calls
    ]


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


def test_what_is_paid_is_listed_behind_however_many_newer_ones(there: Person, provider: Server) -> None:
    (name,) = there.types("submit", there.job("true\n")).stdout.split()
    own = provider.state.bid_named(name)
    for _ in range(100):
        fid = provider.state.fid("bid")
        newer = {"fid": fid, "name": f"of-somebody-{fid}", "age": provider.state.age(), "status": "Terminated"}
        provider.state.bids[fid] = replace(own, **newer)
    done = there.types("list")
    assert (f"{name}  pending" in done.stdout, "only the newest 100" in done.stderr) == (True, True), done.stderr
    chosen = there.types("list", "--limit", "100")
    assert (chosen.stdout, "only the newest" in chosen.stderr) == ("", False)


def test_bids_go_where_there_is_room_at_the_least_price(there: Person, provider: Server) -> None:
    job = there.job("true\n")
    dear, cheap = (market for market in provider.state.markets if market.type.name == "h100-80gb.sxm.8x")
    dear.price, cheap.price = 2500, 900
    assert region_of(there, job) == cheap.region
    assert region_of(there, job, "--region", dear.region) == dear.region
    cheap.capacity = 0
    assert region_of(there, job) == dear.region


def region_of(there: Person, *words: str) -> str:
    done = there.types("submit", *words, "--dry-run")
    assert done.returncode == 0, done.stderr
    found: str = json.loads(done.stdout.splitlines()[-1])["body"]["region"]
    return found


def test_quota_is_looked_at_before_anything_is_made(there: Person, provider: Server) -> None:
    for quota in provider.state.quotas:
        quota.total = 3
    head = "#!/bin/bash\n#SBATCH --array=0-7 --gpus=h100:8 --time=10\n"
    done = there.types("submit", there.job("true\n", head=head))
    assert done.returncode == 4
    assert "quota exceeded in us-central2-a: 8 of h100-80gb.sxm.8x at a time asked for, 3 left" in done.stderr
    assert {each.method for each in provider.log.calls} == {"GET"}
    done = there.types("submit", there.job("true\n", head=head.replace("0-7", "0-7%3")))
    assert done.returncode == 0, done.stderr


def test_limit_below_the_minimum_is_refused_before_anything_is_made(there: Person, provider: Server) -> None:
    for market in provider.state.markets:
        market.floor = 8000
    done = there.types("submit", there.job("true\n"), "-m", "70")
    assert done.returncode == 4
    assert "below the least that is taken" in done.stderr
    assert "raise it: --max-price-per-hour 80" in done.stderr
    assert {each.method for each in provider.log.calls} == {"GET"}


def test_ssh_key_may_be_named_by_its_file(there: Person, provider: Server) -> None:
    laptop = next(key for key in provider.state.ssh_keys.values() if key.name == "laptop")
    (there.home / "id.pub").write_text(f"{laptop.public_key} me@laptop\n")
    (there.home / "other.pub").write_text("ssh-ed25519 AAAAnobody\n")
    job = there.job("true\n")
    done = there.types("submit", job, "--dry-run", "--ssh-key", "./id")
    assert laptop.fid in json.loads(done.stdout.splitlines()[-1])["body"]["launch_specification"]["ssh_keys"]
    for name, words in (("./other", "does not know the SSH key"), ("./none", "cannot be read")):
        done = there.types("submit", job, "--dry-run", "--ssh-key", name)
        assert done.returncode == 4
        assert words in done.stderr


def test_quota_names_the_regions_that_would_do(there: Person, provider: Server) -> None:
    here, other = (market for market in provider.state.markets if market.type.name == "h100-80gb.sxm.8x")
    for quota in provider.state.quotas:
        if quota.type == here.type.fid:
            quota.total = 0
    job = there.job("true\n")
    assert region_of(there, job) == other.region
    done = there.types("submit", job, "--region", here.region)
    assert done.returncode == 4
    assert f"quota exceeded in {here.region}" in done.stderr
    assert f"try --region {other.region}" in done.stderr


def test_budget_is_of_the_whole_submission(there: Person, provider: Server) -> None:
    first, second = there.job("true\n"), there.job("false\n", "second.sbatch")
    done = there.types("submit", first, second, "--budget", "15", "--dry-run", "--offline")
    assert (done.returncode, done.stdout) == (1, "")
    assert there.types("submit", first, second, "--budget", "22", "--dry-run", "--offline").returncode == 0
    assert not provider.log.calls


def test_several_sources_are_one_submission(there: Person, provider: Server) -> None:
    done = there.types("submit", there.job("true\n"), there.job("false\n", "second.sbatch"))
    names = done.stdout.split()
    assert done.returncode == 0, done.stderr
    assert len({name.rpartition("-")[2] for name in names}) == 1
    assert sorted(bid.name for bid in provider.state.bids.values()) == sorted(names)
    assert done.stderr.count("submitted as") == 1
    key = done.stderr.partition("submitted as ")[2].partition(",")[0]
    assert there.types("cancel", key).returncode == 0
    assert {bid.status for bid in provider.state.bids.values()} == {"Terminated"}
