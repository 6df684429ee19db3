"""`--release machine`: the machines end their bid themselves, when nobody looks any more."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.machines.ordinary import until
from tests.mithril.faults import Fault
from tests.tasks.conftest import Cloud, Person

FEW_S = {"FLOW_RELEASE_AFTER": "1"}
WAITS = "until [ -e /workspace/go ]; do sleep 0.2; done\n"
EVERY_MACHINE = """name: pair
instance_type: 8xh100
num_instances: 2
max_run_time_hours: 1
command: |
  case $(hostname) in *-0) ;; *) until [ -e /run/go ]; do sleep 0.2; done ;; esac
"""


def go(cloud: Cloud) -> None:
    """Lets the job go on to its end, which nobody sees; the machine may be off before it has answered."""
    (machine,) = cloud.machines.running.values()
    machine.put("/workspace/go", "")


def submitted(cloud: Cloud, job: str, *words: str, **environ: str) -> str:
    done = cloud.person.types("submit", job, "--release", "machine", *words, **{**FEW_S, **environ})
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_machine_ends_its_bid_when_nobody_looks(cloud: Cloud) -> None:
    said = submitted(cloud, cloud.person.job(f"{WAITS}exit 3\n"))
    go(cloud)
    assert "an API key is made for the machines of the job, and revoked with its bid" in said
    assert "the machine ends the bill with the job, at the latest 10 min after its start: 1 s after it" in said
    assert "output that nobody has fetched by then is lost" in said.splitlines()[-1]
    until(lambda: cloud.living() == [], "the end of the bid")
    # By nobody else than the machine, and once.
    assert len(cloud.server.log.done("bid cancelled")) == 1
    done = cloud.person.types("wait", "job")
    assert done.returncode == 125, done.stderr
    assert "the bid has ended, by its machine or by somebody; how the job had ended nobody saw" in done.stderr


def test_who_looks_in_time_has_output_and_exit_status(cloud: Cloud) -> None:
    job = cloud.person.job("echo hello; exit 4\n")
    done = cloud.person.types("submit", job, "--release", "machine", "--follow", FLOW_RELEASE_AFTER="60")
    assert (done.returncode, done.stdout) == (4, "hello\n"), done.stderr
    assert "this command ends the bill with the job" in done.stderr
    assert cloud.living() == []


@pytest.mark.slow
def test_the_key_stands_in_no_script_list_of_processes_or_journal(cloud: Cloud) -> None:
    submitted(cloud, cloud.person.job(WAITS))
    (made,) = cloud.state.api_keys.values()
    key = made.secret
    (machine,) = cloud.machines.running.values()
    _, processes = machine.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls -l /run/flowc/release"])
    assert "/run/flowc/release" in processes
    assert "-rw-------" in processes
    assert key not in processes
    assert key in machine.run(["cat", "/run/flowc/release"])[1]
    for path in [Path(machine.spec.disk), cloud.person.home]:
        for file in path.rglob("*"):
            if file.is_file() and not file.is_symlink() and "/run/" not in str(file):
                assert key.encode() not in file.read_bytes(), file
    go(cloud)
    until(lambda: cloud.living() == [], "the end of the bid")


@pytest.mark.slow
def test_it_asks_again_where_the_provider_fails(cloud: Cloud) -> None:
    on = "DELETE /v2/spot/bids/*"
    cloud.server.faults.add(Fault("status", on, status=503))
    cloud.server.faults.add(Fault("drop before", on, nth=2))
    cloud.server.faults.add(Fault("status", on, nth=3, status=401))
    submitted(cloud, cloud.person.job(WAITS))
    go(cloud)
    until(lambda: cloud.living() == [], "the end of the bid")
    assert len(cloud.server.log.sent("DELETE", "/v2/spot/bids/")) == 4


@pytest.mark.slow
def test_of_several_machines_the_first_waits_for_all(cloud: Cloud) -> None:
    submitted(cloud, cloud.person.job(EVERY_MACHINE, "task.yaml", head=""))
    machines = {each.spec.name: each for each in list(cloud.machines.running.values())}
    first, second = (next(each for name, each in machines.items() if name.endswith(end)) for end in ("-0", "-1"))
    until(lambda: '"COMPLETED"' in (first.text("/var/lib/foundry/flowc/status.json") or ""), "the end on the first")
    time.sleep(8)
    assert len(cloud.living()) == 1
    second.run(["touch", "/run/go"])
    until(lambda: cloud.living() == [], "the end of the bid")


@pytest.mark.slow
def test_after_a_preemption_whoever_looks_brings_the_key_again(cloud: Cloud) -> None:
    submitted(cloud, cloud.person.job(f'[ "$SLURM_RESTART_COUNT" ] || sleep infinity\n{WAITS}'))
    (bid,) = cloud.state.bids.values()
    cloud.state.preempt(bid)

    def brought() -> bool:
        cloud.person.types("status", "job", **FEW_S)
        machine = next(iter(cloud.machines.running.values()))
        again = '"starts":2' in (machine.text("/var/lib/foundry/flowc/status.json") or "")
        return again and machine.on and machine.run(["test", "-s", "/run/flowc/release"])[0] == 0

    until(brought, "the key")
    go(cloud)
    until(lambda: cloud.living() == [], "the end of the bid")


def test_what_does_not_go_together_is_refused(there: Person) -> None:
    done = there.types("submit", there.job("true\n"), "--release", "machine", "--keep")
    assert done.returncode == 2
    assert "`--keep` and `--release machine` exclude each other" in done.stderr


def test_on_this_computer_it_says_nothing(here: Person) -> None:
    done = here.types("run", "echo hello", "--provider", "local", "--release", "machine")
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    assert "`--release machine` changes nothing here" in done.stderr


def on_the_machine(cloud: Cloud) -> str:
    (machine,) = cloud.machines.running.values()
    return machine.run(["cat", "/run/flowc/release"])[1]


def test_the_key_is_one_of_its_own_and_gone_with_the_bid(cloud: Cloud) -> None:
    submitted(cloud, cloud.person.job(WAITS))
    (made,) = cloud.state.api_keys.values()
    assert made.secret in on_the_machine(cloud)
    assert cloud.server.key not in on_the_machine(cloud)
    for words in (["status", "job"], ["list"], ["status", "job"]):
        assert cloud.person.types(*words, **FEW_S).returncode == 0
    assert [*cloud.state.api_keys.values()] == [made]
    cloud.person.types("cancel", "job")
    assert cloud.state.api_keys == {}


@pytest.mark.slow
def test_it_is_gone_when_somebody_sees_that_the_machine_has_ended_its_bid(cloud: Cloud) -> None:
    submitted(cloud, cloud.person.job(WAITS))
    go(cloud)
    until(lambda: cloud.living() == [], "the end of the bid")
    assert len(cloud.state.api_keys) == 1
    cloud.person.types("list")
    assert cloud.state.api_keys == {}


@pytest.mark.slow
def test_one_whose_making_got_no_reply_is_gone_too(cloud: Cloud) -> None:
    cloud.server.faults.add(Fault("drop after", "POST /v2/api-keys"))
    said = submitted(cloud, cloud.person.job(WAITS))
    assert len(cloud.server.log.done("api key created")) == 2, said
    assert len(cloud.state.api_keys) == 1
    assert next(iter(cloud.state.api_keys.values())).secret in on_the_machine(cloud)
    cloud.person.types("cancel", "job")
    assert cloud.state.api_keys == {}


@pytest.mark.slow
def test_one_that_somebody_has_revoked_is_made_anew(cloud: Cloud) -> None:
    submitted(cloud, cloud.person.job(WAITS))
    (first,) = cloud.state.api_keys.values()
    del cloud.state.api_keys[first.fid]
    cloud.person.types("status", "job", **FEW_S)
    (second,) = cloud.state.api_keys.values()
    assert second.secret in on_the_machine(cloud)
    go(cloud)
    until(lambda: cloud.living() == [], "the end of the bid")


@pytest.mark.slow
def test_where_the_provider_makes_none_the_users_own_is_brought(cloud: Cloud) -> None:
    cloud.server.faults.add(Fault("status", "POST /v2/api-keys", status=403))
    said = submitted(cloud, cloud.person.job(WAITS))
    assert said.count("the provider makes no key for its machines, your own is brought") == 1
    assert cloud.server.key in on_the_machine(cloud)
    go(cloud)
    until(lambda: cloud.living() == [], "the end of the bid")
