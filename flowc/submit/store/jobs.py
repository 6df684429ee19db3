"""The jobs of submissions, as the journal keeps them: what others know them by, and what they wait for."""

from __future__ import annotations

import json

from flowc.record import Record
from flowc.submit.store.transaction import parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from sqlite3 import Connection
    from typing import Any

_INSERT = "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class After(Record):
    """What a job waits for: `before` are the bids, by the key of their submission and the id of their request; their
    `indices`, where they are a whole array. The rest as in the IR (`flowc.ir.job.Dependency`)."""

    kind: str
    on: str | None
    before: tuple[tuple[str, str], ...] = ()
    indices: tuple[int, ...] | None = None
    minutes: int = 0
    any: bool = False


class Job(Record):
    """A job of a submission, `number` its place in the document. `bids` are the ids of its requests, `indices` theirs
    in an array; `job_id` is what Slurm's variables tell it; `kill`: it is given up where it can never start."""

    key: str
    number: int
    name: str
    job_id: int | None
    bids: tuple[str, ...]
    indices: tuple[int, ...] | None
    after: tuple[After, ...]
    kill: bool
    max_concurrent: int | None


def insert_jobs(base: Connection, key: str, document: Mapping[str, Any]) -> None:
    """Write down the jobs of a request document. Raises sqlite3.Error."""
    base.executemany(_INSERT, _rows(key, document))


def _rows(key: str, document: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    jobs = document.get("jobs", ())
    # Who has not been told apart (`flowc.tasks.graph.links`) waits for jobs of its own submission by their names.
    by_name = {job["name"]: job for job in jobs}
    for number, job in enumerate(jobs):
        after = []
        for each in job["after"]:
            before = each.get("before")
            if before is None:
                there = by_name.get(each["on"])
                before = [[key, bid] for bid in there["bids"]] if there is not None else []
            after.append({**each, "before": [[of or key, bid] for of, bid in before]})
        yield (
            key,
            number,
            job["name"],
            job.get("job_id"),
            json.dumps(job["bids"]),
            json.dumps(job["indices"]) if "indices" in job else None,
            json.dumps(after),
            job.get("kill_on_invalid_dep", False),
            job["max_concurrent"],
        )


def job_of(row: Any) -> Job:
    """A job of its row."""
    values = dict(zip(row.keys(), row, strict=True))
    after = []
    for each in parsed(row["after"], list):
        before = tuple((key, bid) for key, bid in each.pop("before"))
        indices = each.pop("indices", None)
        after.append(After(**each, before=before, indices=None if indices is None else tuple(indices)))
    indices = None if row["indices"] is None else tuple(parsed(row["indices"], list))
    values.update(bids=tuple(parsed(row["bids"], list)), indices=indices, after=tuple(after), kill=bool(row["kill"]))
    return Job(**values)
