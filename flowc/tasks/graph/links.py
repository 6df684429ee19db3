"""What the jobs of a submission wait for, told apart: jobs of the same submission, and tasks of the journal.

A job is known by its name, by a bid's, by its number (SLURM_JOB_ID), and one that was submitted also by its task's name
or id and by the key of its submission; a task of an array by one of these, `_` and its index.
"""

from __future__ import annotations

import os
import re

from flowc._compiled.dependencies import KINDS
from flowc.listing import some_of
from flowc.record import Record
from flowc.submit.plan import number_of
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flowc.submit.journal import Bid, Journal
    from flowc.submit.store.jobs import Job

# Indices of an array, as `--array` takes them.
TASKS = re.compile(r"(.+)_(?:([0-9]+)|(\*)|\[([0-9,:-]+)(?:%[0-9]*)?\])", re.DOTALL)
MOST = 8
MOST_DIGITS = 10


class _Found(Record):
    """Bids by the key of their submission (empty: this one) and the id of their request, `indices` of an array."""

    before: tuple[tuple[str, str], ...]
    indices: tuple[int, ...] | None = None


def linked(document: dict[str, Any], journal: Callable[[], Journal]) -> dict[str, Any]:
    """The document, where each job says what it waits for (`before` of each of its `after`). `journal` is asked for
    where that is not in the document itself. Raises RefusedTaskError for what there is not, for a job that waits for
    itself and for several that wait for each other, JournalError."""
    jobs = document.get("jobs", ())
    if not any(job["after"] for job in jobs):
        return document
    links = _Links(jobs, journal)
    after = [[found for each in job["after"] for found in links.of(number, each)] for number, job in enumerate(jobs)]
    whole = {**document, "jobs": [{**job, "after": its} for job, its in zip(jobs, after, strict=True)]}
    _refuse_circles(whole["jobs"])
    return whole


class _Links:
    def __init__(self, jobs: Sequence[dict[str, Any]], journal: Callable[[], Journal]) -> None:
        self._jobs = jobs
        self._journal = journal

    def of(self, number: int, each: dict[str, Any]) -> list[dict[str, Any]]:
        """One entry of a job's `after`, or one for each task of an array that it names."""
        if each["kind"] not in KINDS:
            raise RefusedTaskError(
                f"{self._jobs[number]['name']}: `{each['kind']}` is no kind of waiting", f"there are {', '.join(KINDS)}"
            )
        if KINDS[each["kind"]]["of"] == "name":
            return [{**each, "before": []}]
        if "before" in each:
            return [each]
        name = each["on"]
        parts = TASKS.fullmatch(name)
        found = None
        for find in (lambda text: self._own(number, text), self._submitted):
            found = find(name)
            if found is None and parts is not None and (whole := find(parts[1])) is not None:
                if not parts[3]:
                    return [{**each, "before": [pair]} for pair in _tasks(parts[1], whole, parts[2] or parts[4])]
                found = whole
            if found is not None:
                break
        if found is None:
            raise self._unknown(number, name)
        indices = {} if found.indices is None else {"indices": list(found.indices)}
        return [{**each, "before": [list(pair) for pair in found.before], **indices}]

    def _own(self, number: int, name: str) -> _Found | None:
        """Of this submission, but the job itself."""
        own = [at for at, job in enumerate(self._jobs) if at != number and _is_job(job, name)]
        if len(own) > 1 and not _are_components(self._jobs, own, name):
            if number - 1 not in own:
                raise RefusedTaskError(
                    f"{self._jobs[number]['name']} waits for `{name}`, and several jobs here are called so",
                    "give them names of their own",
                )
            own = [number - 1]
        if own:
            return self._of_jobs("", [(self._jobs[at]["bids"], self._jobs[at].get("indices")) for at in own])
        for at, job in enumerate(self._jobs):
            if at != number and name in job["bids"]:
                return _Found(before=(("", name),))
        return None

    def _submitted(self, name: str) -> _Found | None:
        """Of several jobs of a name the one that lives, else the last."""
        journal = self._journal()
        bids = journal.bids(name=name) or journal.bids(made=name)
        if bids:
            return _Found(before=tuple((bid.key, bid.identity) for bid in bids))
        jobs = journal.jobs(key=name)
        if jobs:
            return self._of_jobs(name, [(job.bids, job.indices) for job in jobs])
        jobs = journal.jobs(name=name) or [job for job in journal.jobs() if _is_called(job.name, name)]
        if is_number(name):
            jobs = jobs or journal.jobs(job_id=int(name))
            every = [] if jobs else journal.jobs()
            # As an earlier flowc gave numbers, its jobs had others.
            jobs = jobs or [job for job in every if number_of(job.key) == int(name)]
            if not jobs:
                return _task_of_number(every, int(name))
        living = {job.key for job in jobs if any(_may_run(bid) for bid in journal.bids(key=job.key))}
        if len(living) > 1:
            raise RefusedTaskError(f"`{name}` may be several jobs that live", f"name one: {_listed(living)}")
        if not jobs:
            return None
        key = living.pop() if living else jobs[-1].key
        return self._of_jobs(key, [(job.bids, job.indices) for job in jobs if job.key == key])

    def _of_jobs(self, key: str, jobs: Sequence[tuple[Sequence[str], Sequence[int] | None]]) -> _Found:
        indices = jobs[0][1] if len(jobs) == 1 else None
        before = tuple((key, bid) for bids, _ in jobs for bid in bids)
        return _Found(before=before, indices=None if indices is None else tuple(indices))

    def _unknown(self, number: int, name: str) -> RefusedTaskError:
        job = self._jobs[number]
        if _is_job(job, name) or name in job["bids"]:
            return RefusedTaskError(
                f"{job['name']} waits for itself", "for one at a time of a name there is `singleton`"
            )
        if is_number(name.partition("_")[0]):
            return RefusedTaskError(
                f"{job['name']} waits for job {name}, and none of yours has that number: one of another cluster is not "
                "known here",
                "name what it waits for (`flowc list --all` has the tasks), or leave it out: `-- --dependency=0`",
            )
        from flowc.diag.suggest import nearest

        there = [each["name"] for each in self._jobs] + [each.name for each in self._journal().jobs()]
        near = nearest(name, list(dict.fromkeys(there)))
        hint = f"did you mean `{near}`?" if near else "`flowc list --all` has the tasks"
        return RefusedTaskError(f"{job['name']} waits for `{name}`, which is no job of yours", hint)


def _is_job(job: dict[str, Any], name: str) -> bool:
    return _is_called(job["name"], name) or str(job.get("job_id")) == name


def _is_called(job: str, name: str) -> bool:
    """Whether a job's name, or that of its file, means this. A het job's components have numbers."""
    return name in (job, os.path.splitext(job)[0]) or _is_component(job, name)


def _is_component(name: str, whole: str) -> bool:
    """Whether this is the name of a component of a het job."""
    start, mark, number = name.rpartition("-het")
    return bool(mark) and start == whole and is_number(number)


def _are_components(jobs: Sequence[dict[str, Any]], numbers: Sequence[int], name: str) -> bool:
    return all(_is_component(jobs[at]["name"], name) for at in numbers)


def _tasks(name: str, whole: _Found, wanted: str) -> list[list[str]]:
    """The bids of some tasks of an array. Raises RefusedTaskError where it has not all of them."""
    if whole.indices is None:
        raise RefusedTaskError(f"`{name}` is no array and has no task {wanted}", f"wait for `{name}`")
    found = []
    for part in wanted.split(","):
        span, _, step = part.partition(":")
        first, _, last = span.partition("-")
        if not all(is_number(each) for each in (first, last or first, step or "1")) or step == "0":
            raise RefusedTaskError(f"`{wanted}` are no tasks of an array", "they are such as 1,4-6")
        for index in range(int(first), int(last or first) + 1, int(step or 1) or 1):
            if index not in whole.indices:
                there = f"{whole.indices[0]} to {whole.indices[-1]}"
                raise RefusedTaskError(f"the array `{name}` has no task {index}", f"it has those from {there}")
            found.append(list(whole.before[whole.indices.index(index)]))
    return found


def _task_of_number(jobs: Iterable[Job], number: int) -> _Found | None:
    """Tasks of an array are numbered after the array (`flowc.scripts.identity`)."""
    for job in jobs:
        place = number - (job.job_id or 0) - 1
        if job.job_id is not None and job.indices is not None and 0 <= place < len(job.bids):
            return _Found(before=((job.key, job.bids[place]),))
    return None


def is_number(text: str) -> bool:
    """Whether this may be the number of a job, or of a task."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def _may_run(bid: Bid) -> bool:
    return bid.ended is None and bid.state in ("waiting", "sent", "made")


def _refuse_circles(jobs: Sequence[dict[str, Any]]) -> None:
    of = {bid: number for number, job in enumerate(jobs) for bid in job["bids"]}
    ahead = [
        list(dict.fromkeys(of[bid] for each in job["after"] for key, bid in each["before"] if not key)) for job in jobs
    ]
    done: set[int] = set()
    for start in range(len(jobs)):
        path: list[int] = []
        left = [iter([start])]
        while left:
            number = next(left[-1], None)
            if number is None:
                left.pop()
                if path:
                    done.add(path.pop())
            elif number in path:
                circle = [*path[path.index(number) :], number]
                names = " waits for ".join(jobs[each]["name"] for each in circle)
                raise RefusedTaskError(
                    f"none of these jobs can ever start: {names}", "take one of them out of the circle"
                )
            elif number not in done:
                path.append(number)
                left.append(iter(ahead[number]))


def _listed(names: Iterable[str]) -> str:
    return some_of(sorted(names), MOST)
