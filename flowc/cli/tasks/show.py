"""Tasks for people, and for programs: no keys, whoever says them, and for people nothing that could move a cursor."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flowc.providers.base import Task


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


def accounts(tasks: Iterable[Task]) -> str:
    """Each task, with its machines."""
    from flowc.diag.excerpt import visible
    from flowc.secret import masked

    return masked("".join(f"{visible(line)}\n" for task in tasks for line in _account(task)))


def _account(task: Task) -> list[str]:
    why = f" ({task.reason})" if task.reason else ""
    price = f", at most {task.unit_price} an hour each" if task.unit_price else ""
    lines = [
        f"{task.name}: {task.state}{why}",
        f"  {task.machines_wanted} x {task.instance_type} in {task.region or 'no region'}{price}",
    ]
    if task.exit_status is not None:
        lines.append(f"  exit status {task.exit_status}")
    lines += [f"  not kept apart: {each}" for each in task.shared]
    return lines + [
        f"  {each.identity}  {each.state}" + (f"  {each.address}" if each.address else "") for each in task.machines
    ]


def document(tasks: Iterable[Task], graph: list[dict[str, Any]] | None = None) -> str:
    """`flowc.tasks/1`; `graph` is who waits for whom, where that was asked for."""
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
            }
            for task in tasks
        ],
        **({} if graph is None else {"graph": graph}),
    }
    from flowc.secret import masked

    return masked(json.dumps(found, indent=2, ensure_ascii=False)) + "\n"
