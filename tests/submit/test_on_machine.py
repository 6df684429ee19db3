"""The program that ends a bid from its own machine, by itself."""

from __future__ import annotations

import ast
import inspect
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flowc.submit import on_machine
from flowc.submit.journal import Bid
from flowc.submit.on_machine import Machine, nodes_of, state_of
from flowc.submit.release import Releaser
from tests.mithril.faults import Fault
from tests.mithril.server import Server

BID = Bid(
    key="k", number=0, identity="a", name="n", provider="mithril", keep=False, state="made", made="bid_1", ended=None,
    exit_status=None, released_at=None,
)  # fmt: skip
KEY = "fkey_ABCDEFGHIJKLMNOPQRSTUVWX"
# What Ubuntu's images have had since long.
OLDEST = (3, 8)


def machine(url: str = "http://127.0.0.1:9/v2/spot/bids/bid_1", key: str = "fkey_x", nodes: int = 1) -> Machine:
    return Machine(url, key, word=key, nodes=nodes, each=True, wait_s=0, limit_s=None)


def test_it_needs_no_newer_python_and_nothing_of_flowc() -> None:
    tree = ast.parse(inspect.getsource(on_machine), feature_version=OLDEST)
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    assert {str(name).partition(".")[0] for name in names} <= {*sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (204, None),
        (404, None),
        (410, None),
        (401, "the provider does not take the key"),
        (500, "the provider says 500"),
    ],
)
def test_what_the_provider_says(status: int, expected: str | None) -> None:
    with Server() as server:
        server.faults.add(Fault("status", "DELETE *", status=status))
        assert machine(f"{server.url}/v2/spot/bids/bid_1", server.key).end() == expected


def test_a_provider_that_is_not_there_is_trouble_without_the_key() -> None:
    trouble = machine().end()
    assert trouble == "ConnectionRefusedError: Connection refused"


def test_ends_on_other_machines_are_heard_from_those_with_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(on_machine, "PORT", free.getsockname()[1])
    first, second, stranger = machine(nodes=3), machine(nodes=3), machine(key="fkey_other", nodes=3)
    for each in (first, second, stranger):
        each.names = [("job-0", "127.0.0.1"), ("job-1", "127.0.0.2"), ("job-2", "127.0.0.3")]
    assert second.tell(b"job-1") == "the first machine: Connection refused"
    threading.Thread(target=first.listen, daemon=True).start()
    end = time.monotonic() + 300
    while second.tell(b"job-1") is not None:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert stranger.tell(b"job-2") == "the first machine did not understand"
    assert second.tell(b"nobody") == "the first machine did not understand"
    assert first.heard == {b"job-1"}


def test_states_and_nodes_as_the_machine_has_them(tmp_path: Path) -> None:
    status, hosts = tmp_path / "status.json", tmp_path / "hosts"
    assert state_of(str(status)) is None
    for text, state in (("", None), ("[]", None), ('{"state":"FAILED"}', "FAILED"), ('{"state":', None)):
        status.write_text(text)
        assert state_of(str(status)) == state
    hosts.write_text("127.0.0.1 localhost\n::1 ip6\n10.0.0.2 job-1 # second\n10.0.0.1 job-0\n")
    assert nodes_of(str(hosts)) == [("job-0", "10.0.0.1"), ("job-1", "10.0.0.2")]


def test_another_text_takes_the_place_of_the_one_that_runs(tmp_path: Path) -> None:
    text = (
        "machine = Machine('', '', word='', nodes=1, each=True, wait_s=0, limit_s=None)\n"
        "say('begins')\nmachine.until(lambda: False)\n"
    )
    path = tmp_path / "release"
    path.write_text(inspect.getsource(on_machine) + text)
    with subprocess.Popen([sys.executable, "-I", str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "flowc: begins\n"
        (tmp_path / "new").write_text("print('the new one')\n")
        (tmp_path / "new").replace(path)
        try:
            assert process.communicate(timeout=600)[0] == "the new one\n"
        finally:
            process.kill()


def test_another_text_is_noticed_that_came_before_the_first_look(tmp_path: Path) -> None:
    """The interpreter has read the file, and the program has not looked at it yet."""
    path = tmp_path / "release"
    (tmp_path / "new").write_text("print('the new one')\n")
    how = {"word": "", "nodes": 1, "each": True, "wait_s": 0.0, "limit_s": None}
    swap = f"os.replace({str(tmp_path / 'new')!r}, {str(path)!r})\n"
    path.write_text(inspect.getsource(on_machine) + swap + on_machine.last_line("http://127.0.0.1:9/x", KEY, how))
    process = subprocess.Popen([sys.executable, "-I", str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.communicate(timeout=600)[0] == "the new one\n"
    finally:
        process.kill()


def test_what_is_sent_is_known_again(tmp_path: Path) -> None:
    releaser = Releaser(key="fkey_'\"\\\u00e9", api_url="https://x/", wait_s=0.1)
    document = {"jobs": [{"bids": ["a"], "hours_bound": "0.1"}]}
    sent = releaser.program(document, BID, {"nodes": 2, "each": False}, key=KEY).decode()
    seen: list[object] = []
    exec(sent.splitlines()[-1], {"main": lambda *words, **how: seen.extend([*words, how])})
    assert sent.endswith(on_machine.last_line(*seen))  # type: ignore[arg-type]


def test_the_key_is_shown_by_nobody_who_holds_it() -> None:
    releaser = Releaser(key=KEY, api_url="https://x", wait_s=1.0)
    assert KEY not in repr(releaser)
    with pytest.raises(AttributeError) as caught:
        releaser.program({}, None, {}, key=KEY)  # type: ignore[arg-type]
    assert KEY not in str(caught.value)
