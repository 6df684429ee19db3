"""Tasks for people, and for programs: no keys, whoever says them, and for people nothing that could move a cursor."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from flowc.providers.base import Task
    from flowc.tasks.inside import Inside


def table(tasks: Iterable[Task]) -> str:
    """A line each, in columns."""
    from flowc.diag.excerpt import visible
    from flowc.secret import masked

    rows = [("NAME", "STATE", "MACHINES", "REGION", "LIMIT/H", "SINCE")]
    rows += [
        (
            visible(task.name),
            task.state if task.exit_status in (None, 0) else f"{task.state} ({task.exit_status})",
            visible(f"{task.machines_wanted} x {task.instance_type}"),
            visible(task.region or "-"),
            visible(task.unit_price or "-"),
            visible(task.created_at[:16].replace("T", " ")),
        )
        for task in tasks
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return masked("".join(f"{line}\n" for line in lines))


def accounts(tasks: Iterable[Task], jobs: Mapping[str, Inside]) -> str:
    """Each task, with its machines; `jobs` is what these say, by the ids of their tasks."""
    from flowc.diag.excerpt import visible
    from flowc.secret import masked

    return masked("".join(f"{visible(line)}\n" for task in tasks for line in _account(task, jobs.get(task.identity))))


def _account(task: Task, job: Inside | None) -> list[str]:
    why = f" ({task.reason})" if task.reason else ""
    price = f", at most {task.unit_price} an hour each" if task.unit_price else ""
    lines = [
        f"{task.name}: {task.state}{why}",
        f"  {task.machines_wanted} x {task.instance_type} in {task.region or 'no region'}{price}",
    ]
    if task.exit_status is not None:
        lines.append(f"  exit status {task.exit_status}")
    if job is not None:
        lines.append(f"  its job {_how(job)}")
    lines += [f"  not kept apart: {each}" for each in task.shared]
    return lines + [
        f"  {each.identity}  {each.state}" + (f"  {each.address}" if each.address else "") for each in task.machines
    ]


def _how(job: Inside) -> str:
    if job.waits_for:
        return f"waits for {' and '.join(job.waits_for)}: `flowc wait` brings that"
    if job.state is None:
        return "has not begun"
    times = f", start {job.starts}" if (job.starts or 0) > 1 else ""
    used = f", {job.used_s} s of its time used" if job.used_s else ""
    how = {"RUNNING": "runs", "PENDING": "is to be started again"}.get(job.state, f"is {job.state}")
    return f"{how}{times}{used}"


def document(
    tasks: Iterable[Task], graph: list[dict[str, Any]] | None = None, jobs: Mapping[str, Inside] | None = None
) -> str:
    """`flowc.tasks/1`; `graph` is who waits for whom, where that was asked for, and `jobs` what machines say."""
    import json

    found = {
        "format": "flowc.tasks/1",
        "tasks": [
            {
                "id": task.identity,
                "name": task.name,
                "state": task.state,
                "reason": task.reason,
                "exit_status": task.exit_status,
                "created_at": task.created_at or None,
                "ended_at": task.ended_at,
                "region": task.region,
                "instance_type": task.instance_type,
                "nodes": task.machines_wanted,
                "shared": list(task.shared),
                "limit_usd_per_instance_hour": (task.unit_price or "").removeprefix("$") or None,
                "machines": [
                    {"id": each.identity, "state": each.state, "address": each.address} for each in task.machines
                ],
                **({} if jobs is None else {"job": _job(jobs.get(task.identity))}),
            }
            for task in tasks
        ],
        **({} if graph is None else {"graph": graph}),
    }
    from flowc.secret import masked

    return masked(json.dumps(found, indent=2, ensure_ascii=False)) + "\n"


def _job(job: Inside | None) -> dict[str, Any] | None:
    if job is None:
        return None
    return {"state": job.state, "starts": job.starts, "used_s": job.used_s, "waits_for": list(job.waits_for)}
