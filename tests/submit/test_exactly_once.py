"""Whatever goes wrong, and wherever: each bid once, each volume once, none that the journal does not know."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowc._compiled.limits import NAME_LENGTH
from flowc.submit.journal import BROKEN, DONE, MADE, OPEN, SKIPPED, Journal, Submission
from flowc.submit.plan import content_key, new_nonce, own_name, steps_of
from flowc.submit.steps import Carrier, InterruptedSubmissionError, RefusedError, replaced

sys.path.insert(0, str(Path(__file__).parent))

from worlds import FAULTS, Crash, World


def bid(name: str, volumes: tuple[str, ...] = ()) -> dict[str, Any]:
    body = {
        "project": "${project:default}",
        "name": name,
        "launch_specification": {"volumes": [f"${{volume:{each}}}" for each in volumes], "startup_script": "${x}"},
    }
    after = [f"volume:{each}" for each in volumes]
    return {"id": name, "method": "POST", "path": "/v2/spot/bids", "body": body, "after": after}


def volume(name: str) -> dict[str, Any]:
    body = {"name": name, "project": "${project:default}", "size_gb": 1}
    reference = f"${{volume:{name}}}"
    return {
        "id": f"volume:{name}", "method": "POST", "path": "/v2/volumes", "body": body, "after": [], "unless": reference
    }  # fmt: skip


def pause(name: str) -> dict[str, Any]:
    path = f"/v2/spot/bids/${{bid:{name}}}"
    return {"id": f"pause:{name}", "method": "PATCH", "path": path, "body": {"paused": True}, "after": [name]}


DOCUMENT = {
    "format": "flowc.mithril/1",
    "requests": [volume("data"), bid("train", ("data",)), pause("train"), bid("eval", ("data",))],
}


def submission(document: dict[str, Any] = DOCUMENT, nonce: str = "nonce123") -> Submission:
    content = content_key(document)
    return Submission(
        key=f"{content[:8]}-{nonce}",
        content=content,
        name="train",
        provider="fake",
        nonce=nonce,
        created_at=1.0,
        state=OPEN,
        keep=False,
        document=document,
        resolved={"${project:default}": "proj_1"},
    )


def run(folder: str, world: World) -> bool:
    """One process: True when it came to its end."""
    journal = Journal(folder)
    try:
        (one,) = journal.submissions(state=OPEN) or [None]
        if one is None:
            return True
        Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
        return True
    except (Crash, InterruptedSubmissionError):
        return False
    finally:
        journal.close()


@settings(deadline=None)
@given(st.lists(st.sampled_from(FAULTS), max_size=14).map(tuple))
@example(("lost-after",) * 3)
@example(("ok", "late", "crash-before", "crash-before"))
@example(("ok", "crash-after", "lost-before", "ok", "ok"))
@example(("ok", "ok", "late", "away", "late"))
def test_each_once_whatever_goes_wrong(faults: tuple[str, ...]) -> None:
    world = World(faults)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(folder)
        one = submission()
        assert journal.begin(one, steps_of(DOCUMENT, one.nonce), again=False) is None
        journal.close()
        for _ in range(len(faults) + 2):
            if run(folder, world):
                break
            world.sleep(1)
        world.sleep(1000)
        assert run(folder, world)
        assert sorted(each.name for each in world.alive["bid"]) == ["eval-nonce123", "train-nonce123"]
        assert [each.name for each in world.alive["volume"]] == ["data"]
        journal = Journal(folder)
        known = {entry.made for entry in journal.entries(one.key) if entry.action == "create"}
        assert known == {each.identity for kind in world.alive.values() for each in kind}
        assert {entry.state for entry in journal.entries(one.key)} <= {MADE, SKIPPED}
        assert journal.submissions()[0].state == DONE
        journal.close()
    (of_train,) = (each for each in world.alive["bid"] if each.name.startswith("train"))
    assert world.changed[-1] == (of_train.identity, {"paused": True})
    assert of_train.body["launch_specification"]["volumes"] == [world.alive["volume"][0].identity]
    assert of_train.body["project"] == "proj_1"


def test_volume_that_is_there_is_used(tmp_path: Path) -> None:
    world = World()
    there = world.act("volume", {"name": "data"})
    journal = Journal(str(tmp_path))
    one = submission()
    journal.begin(one, steps_of(DOCUMENT, one.nonce), again=False)
    Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
    first = journal.entries(one.key)[0]
    assert (first.state, first.made) == (SKIPPED, there.identity)
    assert world.alive["volume"] == [there]


def test_what_is_refused_ends_the_submission_and_is_not_tried_again(tmp_path: Path) -> None:
    world = World()
    world.refuses = "eval-nonce123"
    journal = Journal(str(tmp_path))
    one = submission()
    journal.begin(one, steps_of(DOCUMENT, one.nonce), again=False)
    with pytest.raises(RefusedError):
        Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
    assert journal.submissions()[0].state == BROKEN
    assert [entry.state for entry in journal.entries(one.key)] == ["made", "made", "made", "failed"]


def test_of_two_processes_one_is_first(tmp_path: Path) -> None:
    first, second = Journal(str(tmp_path)), Journal(str(tmp_path))
    one, other = submission(), submission(nonce="nonce456")
    assert first.begin(one, steps_of(DOCUMENT, one.nonce), again=False) is None
    found = second.begin(other, steps_of(DOCUMENT, other.nonce), again=False)
    assert found is not None
    assert found.key == one.key
    assert second.begin(other, steps_of(DOCUMENT, other.nonce), again=True) is None
    assert {each.key for each in first.submissions()} == {one.key, other.key}


def test_the_same_content_is_free_again_when_its_bids_have_ended(tmp_path: Path) -> None:
    world, journal, one = World(), Journal(str(tmp_path)), submission()
    journal.begin(one, steps_of(DOCUMENT, one.nonce), again=False)
    Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
    again = submission(nonce="nonce789")
    assert journal.begin(again, steps_of(DOCUMENT, again.nonce), again=False) is not None
    for entry in journal.entries(one.key):
        if entry.kind == "bid" and entry.action == "create":
            journal.ended(one.key, entry.number, "completed", 0)
    assert journal.begin(again, steps_of(DOCUMENT, again.nonce), again=False) is None


@given(st.text("abc-xyz0", min_size=1, max_size=90))
def test_names_keep_their_nonce_and_the_bound(name: str) -> None:
    nonce = new_nonce()
    own = own_name(name, nonce)
    assert own.endswith(f"-{nonce}")
    assert len(own) <= NAME_LENGTH


def test_nothing_in_a_startup_script_is_a_reference() -> None:
    assert replaced({"a": ["${x}"], "startup_script": "${x}"}, {"${x}": "1"}) == {"a": ["1"], "startup_script": "${x}"}
