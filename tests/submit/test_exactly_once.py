"""Whatever goes wrong, and wherever: each bid once, each volume once, none that the journal does not know."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowc._compiled.limits import NAME_LENGTH
from flowc.providers.base import Made
from flowc.providers.errors import OutcomeUnknownError
from flowc.submit.journal import BROKEN, DONE, MADE, OPEN, SKIPPED, Journal, JournalError, Submission
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
@example(("ok", "lost-after", "odd"))
@example(("ok", "odd", "denied", "denied"))
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


class Jumping(World):
    """Its clock is set while the call for a bid is on its way."""

    def __init__(self, hours: float) -> None:
        super().__init__()
        self.ahead = 0.0
        self.hours = hours

    def now(self) -> float:
        return self.time + self.ahead

    def create(self, kind: str, body: Mapping[str, Any], *, key: str) -> Made:
        if kind == "bid" and not self.ahead:
            self.ahead = self.hours * 3600
            self.coming.append((self.time + 20, kind, body))
            raise OutcomeUnknownError("no reply")
        return super().create(kind, body, key=key)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_set_meanwhile_makes_nothing_twice(tmp_path: Path, hours: float) -> None:
    world, one, journal = Jumping(hours), submission(), Journal(str(tmp_path))
    journal.begin(one, steps_of(one.document, one.nonce))
    journal.close()
    assert run(str(tmp_path), world)
    world.sleep(60)  # what is on its way still comes
    made = [each.name for kind in world.alive.values() for each in kind]
    assert made
    assert len(made) == len({*made}) == world.created


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


def test_a_volume_that_somebody_else_made_in_between_is_used(tmp_path: Path) -> None:
    """Two submissions want the same one, and ask for it before either has made it."""
    world = World()
    journal = Journal(str(tmp_path))
    one = submission()
    journal.begin(one, steps_of(DOCUMENT, one.nonce), again=False)
    create, made = world.create, []

    def slower(kind: str, body: Any, *, key: str) -> Any:
        if kind == "volume":
            made.append(world.act("volume", {"name": "data"}))
        return create(kind, body, key=key)

    world.create = slower  # type: ignore[method-assign]
    Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
    first = journal.entries(one.key)[0]
    assert (first.state, first.made) == (SKIPPED, made[0].identity)


def test_a_bid_that_ended_before_anybody_knew_of_it_is_not_made_again(tmp_path: Path) -> None:
    world = World(("lost-after", "crash-before"))
    document = {"format": "flowc.mithril/1", "requests": [bid("train")]}
    one = submission(document)
    journal = Journal(str(tmp_path))
    journal.begin(one, steps_of(document, one.nonce), again=False)
    journal.close()
    assert not run(str(tmp_path), world)
    (there,) = world.alive["bid"]
    world.end("bid", there.identity)  # by the user, in the provider's console, or by the machine itself
    world.sleep(1000)
    assert run(str(tmp_path), world)
    assert (world.created, world.alive["bid"]) == (1, [])


def test_who_looks_in_vain_gives_nothing_up(tmp_path: Path) -> None:
    """Whatever goes wrong with a look at what exists says nothing about the step."""
    world = World(("lost-after", "denied", "ok", "odd"))
    document = {"format": "flowc.mithril/1", "requests": [bid("train")]}
    one = submission(document)
    journal = Journal(str(tmp_path))
    journal.begin(one, steps_of(document, one.nonce), again=False)
    for _ in range(2):
        with pytest.raises(InterruptedSubmissionError):
            Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
        assert (journal.submissions()[0].state, journal.entries(one.key)[0].state) == (OPEN, "sent")
        world.faults = ["odd"]
    world.faults = []
    Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(one)
    assert world.created == 1


def test_two_processes_do_not_carry_out_the_same_submission(tmp_path: Path) -> None:
    world, one = World(), submission()
    first = Journal(str(tmp_path))
    first.begin(one, steps_of(DOCUMENT, one.nonce), again=False)
    told: list[str] = []

    def other() -> None:
        theirs = Journal(str(tmp_path))
        Carrier(theirs, world, now=world.now, sleep=world.sleep, tell=lambda _: told.append("other")).carry_out(one)
        theirs.close()
        told.append("end of other")

    thread = threading.Thread(target=other)

    def meanwhile(entry: Any) -> None:
        if not told:
            thread.start()
            thread.join(0.2)  # long enough to do it all, were it not held
        told.append("one")

    Carrier(first, world, now=world.now, sleep=world.sleep, tell=meanwhile).carry_out(one)
    thread.join()
    assert told == [*["one"] * 4, "end of other"]
    assert world.created == 3
    assert [name for name in os.listdir(tmp_path) if name.endswith(".lock")] == []


def test_many_begin_a_journal_at_once(tmp_path: Path) -> None:
    """The first use of a new file is where SQLite itself does not wait."""
    troubles = []

    def begin(folder: str, together: threading.Barrier) -> None:
        together.wait()
        try:
            Journal(folder).close()
        except JournalError as error:
            troubles.append(error.message)

    for number in range(30):
        arguments = (str(tmp_path / str(number)), threading.Barrier(8))
        many = [threading.Thread(target=begin, args=arguments) for _ in range(8)]
        for each in many:
            each.start()
        for each in many:
            each.join()
    assert troubles == []


def test_the_folder_of_a_journal_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    Journal(str(tmp_path / "a" / "b")).close()
    assert synced == [str(tmp_path), str(tmp_path / "a")]


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
    # Its jobs are over, its bids are paid until somebody has ended them.
    assert [bid.lives for bid in journal.bids(key=one.key)] == [True] * len(journal.bids(key=one.key))
    assert journal.begin(again, steps_of(DOCUMENT, again.nonce), again=False) is not None
    for bid in journal.bids(key=one.key):
        journal.released(one.key, bid.number, world.now())
    assert journal.begin(again, steps_of(DOCUMENT, again.nonce), again=False) is None


@given(st.text("abc-xyz0", min_size=1, max_size=90))
def test_names_keep_their_nonce_and_the_bound(name: str) -> None:
    nonce = new_nonce()
    own = own_name(name, nonce)
    assert own.endswith(f"-{nonce}")
    assert len(own) <= NAME_LENGTH


def test_nothing_in_a_startup_script_is_a_reference() -> None:
    assert replaced({"a": ["${x}"], "startup_script": "${x}"}, {"${x}": "1"}) == {"a": ["1"], "startup_script": "${x}"}
