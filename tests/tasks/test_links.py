"""What jobs wait for, told apart: names, numbers, tasks of arrays, of this submission and of the journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.submit.journal import OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from flowc.tasks.graph.given import behind
from flowc.tasks.graph.links import linked
from flowc.tasks.refused import RefusedTaskError


def job(name: str, *after: str, indices: tuple[int, ...] = (), job_id: int | None = None) -> dict[str, Any]:
    """`after`: kind:name."""
    bids = [f"{name}-{index}" for index in indices] or [name]
    waits = [{"kind": each.partition(":")[0], "on": each.partition(":")[2] or None} for each in after]
    more = {"indices": list(indices)} if indices else {}
    return {"name": name, "bids": bids, "after": waits, "max_concurrent": None, "job_id": job_id, **more}


def document(*jobs: dict[str, Any]) -> dict[str, Any]:
    return {"jobs": list(jobs)}


def nobody() -> Journal:
    raise AssertionError("the journal is not asked")


@pytest.fixture
def submitted(tmp_path: Path) -> Callable[..., Journal]:
    """A journal with submissions of these documents, `key1`, `key2`, …; bids are called as their jobs, with the key."""
    journal = Journal(str(tmp_path))

    def submitted(*documents: dict[str, Any]) -> Journal:
        for number, each in enumerate(documents, 1):
            requests = [
                {"id": bid, "method": "POST", "path": "/v2/spot/bids", "body": {"name": bid}, "after": []}
                for one in each["jobs"]
                for bid in one["bids"]
            ]
            one = Submission(
                key=f"key{number}", content=str(number), name="x", provider="fake", nonce="n", created_at=number,
                state=OPEN, keep=False, document=each, resolved={},
            )  # fmt: skip
            journal.begin(one, steps_of({**each, "requests": requests}, f"n{number}"), again=True)
        return journal

    return submitted


def before(whole: dict[str, Any], name: str = "x") -> list[list[list[str]]]:
    (one,) = [each for each in whole["jobs"] if each["name"] == name]
    return [each["before"] for each in one["after"]]


def refused(*jobs: dict[str, Any], journal: Callable[[], Journal] = nobody) -> str:
    with pytest.raises(RefusedTaskError) as caught:
        linked(document(*jobs), journal)
    assert caught.value.help
    return str(caught.value)


def test_a_job_of_the_same_submission_comes_first() -> None:
    for name in ("prepare", "prepare.sbatch", "77"):
        whole = linked(document(job("prepare.sbatch", job_id=77), job("x", f"afterok:{name}")), nobody)
        assert before(whole) == [[["", "prepare.sbatch"]]]


def test_tasks_of_an_array() -> None:
    sweep = job("sweep", indices=(0, 2, 4))
    every = [["", "sweep-0"], ["", "sweep-2"], ["", "sweep-4"]]
    for name, found in (
        ("sweep", [every]),
        ("sweep_*", [every]),
        ("sweep_2", [[every[1]]]),
        ("sweep_[0-4:2]", [[each] for each in every]),
        ("sweep_[4,0]", [[every[2]], [every[0]]]),
        ("sweep-2", [[every[1]]]),
    ):
        whole = linked(document(sweep, job("x", f"afterok:{name}")), nobody)
        assert before(whole) == found, name
    assert linked(document(sweep, job("x", "aftercorr:sweep")), nobody)["jobs"][1]["after"][0]["indices"] == [0, 2, 4]


def test_what_there_is_not_is_refused(submitted: Callable[..., Journal]) -> None:
    journal = submitted(document(job("prepare")))
    say = {
        "afterok:4711": "x waits for job 4711, and none of yours has that number: one of another cluster is not known "
        "here",
        "afterok:4711_3": "x waits for job 4711_3, and none of yours has that number: one of another cluster is not "
        "known here",
        "afterok:prepaer": "x waits for `prepaer`, which is no job of yours",
        "afterok:x": "x waits for itself",
        "expand:prepare": "x: `expand` is no kind of waiting",
        "afterok:prepare_3": "`prepare` is no array and has no task 3",
        "afterok:sweep_[1-3]": "the array `sweep` has no task 2",
        "afterok:sweep_[3-99999999999]": "`3-99999999999` are no tasks of an array",
        "afterok:" + "9" * 5000: f"x waits for `{'9' * 5000}`, which is no job of yours",
    }
    found = {each: refused(job("sweep", indices=(1, 3)), job("x", each), journal=lambda: journal) for each in say}
    assert found == say


@pytest.mark.parametrize("names", ["a", "ab", "abc", "abcd"])
def test_circles_are_refused(names: str) -> None:
    jobs = [job(name, f"afterany:{names[number - 1]}") for number, name in enumerate(names)]
    said = refused(job("y"), *jobs, journal=nobody) if len(names) > 1 else None
    if said is not None:
        assert said.startswith("none of these jobs can ever start: ")
        assert said.count(" waits for ") == len(names)


@given(
    st.integers(1, 7).flatmap(lambda n: st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=9))
)
def test_a_circle_is_one_or_is_none(edges: set[tuple[int, int]]) -> None:
    edges = {(one, other) for one, other in edges if one != other}
    names = sorted({each for edge in edges for each in edge})
    waits = {name: [f"after:j{other}" for one, other in sorted(edges) if one == name] for name in names}
    left, more = dict(waits), True
    while more:  # take away what waits for nothing that is left, until nothing more goes
        free = [name for name, its in left.items() if not {int(each[7:]) for each in its} & set(left)]
        more = bool(free)
        for name in free:
            del left[name]
    jobs = [job(f"j{name}", *its) for name, its in waits.items()]
    if left:
        refused(*jobs)
    else:
        linked(document(*jobs), nobody)


def test_of_several_of_a_name_the_one_just_before_is_meant() -> None:
    whole = linked(document(job("a"), job("a"), job("x", "afterok:a")), nobody)
    assert before(whole) == [[["", "a"]]]
    assert "several jobs here are called so" in refused(job("a"), job("a"), job("b"), job("x", "afterok:a"))


def test_a_het_job_is_all_its_components() -> None:
    whole = linked(document(job("mixed-het0"), job("mixed-het1"), job("b"), job("x", "afterok:mixed")), nobody)
    assert before(whole) == [[["", "mixed-het0"], ["", "mixed-het1"]]]


def test_tasks_that_were_submitted_before(submitted: Callable[..., Journal]) -> None:
    journal = submitted(
        document(job("prepare.sbatch", job_id=77), job("other")), document(job("sweep", indices=(3, 5), job_id=100))
    )
    bids = journal.bids()
    journal.made("key2", bids[-1].number, "bid_9")
    first, sweep = [["key1", "prepare.sbatch"]], [["key2", "sweep-3"], ["key2", "sweep-5"]]
    for name, found in (
        ("prepare", first),
        ("prepare.sbatch-n1", first),
        ("77", first),
        ("key1", [*first, ["key1", "other"]]),
        ("sweep", sweep),
        ("100", sweep),
        ("100_5", sweep[1:]),
        ("102", sweep[1:]),
        ("bid_9", sweep[1:]),
        ("sweep-3-n2", sweep[:1]),
    ):
        assert before(linked(document(job("x", f"afterok:{name}")), lambda: journal)) == [found], name


def test_of_several_submissions_the_one_that_lives(submitted: Callable[..., Journal]) -> None:
    journal = submitted(document(job("a")), document(job("a")), document(job("a")))
    assert refused(job("x", "afterok:a"), journal=lambda: journal) == "`a` may be several jobs that live"
    journal.ended("key1", 0, "completed", 0)
    journal.ended("key3", 0, "failed", 1)
    assert before(linked(document(job("x", "afterok:a")), lambda: journal)) == [[["key2", "a"]]]
    journal.ended("key2", 0, "failed", 1)
    assert before(linked(document(job("x", "afterok:a")), lambda: journal)) == [[["key3", "a"]]]
    # Its own name, and not itself.
    assert before(linked(document(job("a", "afterany:a")), lambda: journal), "a") == [[["key3", "a"]]]


def test_after_holds_for_every_source_but_the_one_that_is_named() -> None:
    def given(*texts: str) -> list[list[tuple[Any, ...]]]:
        documents = [document(job("prep")), document(job("train")), document(job("eval", "afterok:train"))]
        behind(documents, ["dir/prepare.sbatch", "dir/train.sbatch", "eval.sbatch"], texts)
        return [
            [(each["kind"], each["on"], each.get("minutes"), each.get("any")) for each in one["jobs"][0]["after"]]
            for one in documents
        ]

    mine = ("afterok", "train", None, None)
    for name in ("prepare", "prep", "prepare.sbatch", "dir/prepare.sbatch"):
        one = ("afterok", name, None, None)
        assert given(f"afterok:{name}") == [[], [one], [mine, one]]
    some = [(kind, name, None, True) for kind, name in (("afterany", "prep"), ("afterok", "train"))]
    assert given("AFTERANY:prep?afterok:train") == [[], [], [mine, *some]]
    late = ("after", "old", 5, None)
    assert given("after:old+5", "singleton")[0] == [late, ("singleton", None, None, None)]
    assert given("afterok: old , afterany: older", "afterok:old")[0] == [
        ("afterok", "old", None, None),
        ("afterany", "older", None, None),
    ]
    five = [("after", name, minutes, None) for name, minutes in (("a", None), ("b", 5), ("c", 5))]
    assert given("after:a:b+5:c")[0] == five


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prep", "`--after prep` does not say how it waits for `prep`"),
        ("afterokay:prep", "`--after afterokay:prep`: `afterokay` is no kind of waiting"),
        ("expand:prep", "`--after expand:prep`: `expand` is no kind of waiting"),
        ("", "`--after `: `` is no kind of waiting"),
        ("afterok", "`--after afterok` does not say after what"),
        ("afterok:a:", "`--after afterok:a:` does not say after what"),
        ("afterok:a,", "`--after afterok:a,`: `` is no kind of waiting"),
        ("singleton:x", "`--after singleton:x`: `singleton` names no job"),
        ("afterok:a,afterok:b?afterok:c", "`--after afterok:a,afterok:b?afterok:c`: `,` (all must hold) and `?` (one "
         "is enough) exclude each other"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(RefusedTaskError) as refused:
        behind([document(job("x"))], ["x.sbatch"], [text])
    assert str(refused.value) == said


def test_one_is_enough_of_one_list_alone() -> None:
    own = document(job("x"))
    for texts in (["afterok:a?afterok:b", "afterok:c?afterok:d"], ["afterok:a?afterok:b"]):
        with pytest.raises(RefusedTaskError, match="x waits for one of several twice"):
            behind([own], ["x.sbatch"], texts)
        own["jobs"][0]["after"] = [{"kind": "afterok", "on": "e", "any": True}]
    behind([own], ["x.sbatch"], ["afterok:c"])


def test_sources_that_are_called_alike() -> None:
    def given(text: str, *paths: str) -> list[list[Any]]:
        documents = [document(job(f"j{at}")) for at in range(len(paths))]
        behind(documents, paths, [text])
        return [[each.get("before", each["on"]) for each in one["jobs"][0]["after"]] for one in documents]

    assert given("afterok:a/x.sh", "a/x.sh", "b/x.sh") == [[], [[["", "j0"]]]]
    with pytest.raises(RefusedTaskError, match="`x` may be several of the sources"):
        given("afterok:x", "a/x.sh", "b/x.sh")
    with pytest.raises(RefusedTaskError, match="names every source"):
        given("afterok:x:y", "x.sh", "y.sh")
    # There is nobody else to wait: an earlier one is meant.
    assert given("afterok:x", "x.sh") == [["x"]]
