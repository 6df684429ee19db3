"""What a bid and its machines mean for a task: the state that the spec knows, and the reason in words."""

from __future__ import annotations

from flowc.providers.base import CANCELLED, PENDING, PROVISIONING, RUNNING, Machine, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# Machines that are gone, or that another one stands for.
_GONE = ("STATUS_TERMINATED", "STATUS_PREEMPTED", "STATUS_REPLACED")


def task_of(bid: Mapping[str, Any], instances: Iterable[Mapping[str, Any]], type_name: str | None = None) -> Task:
    """`instances` are those of the bid. How its job ended is not known to the API: a bid that is terminated counts as
    cancelled until somebody who saw the end knows better. Its machines are in the order of their names, which stay when
    others take their place."""
    machines = tuple(
        Machine(
            identity=each["fid"],
            state=str(each["status"]).removeprefix("STATUS_").lower(),
            address=_text(each.get("ssh_destination")),
            private_ip=_text(each.get("private_ip")),
        )
        for each in sorted(instances, key=lambda each: (str(each.get("name", "")), each["fid"]))
        if each["status"] not in _GONE
    )
    wanted = bid.get("instance_quantity")
    wanted = wanted if isinstance(wanted, int) and wanted > 0 else max(1, len(machines))
    state, reason = _state(str(bid["status"]), machines, wanted)
    return Task(
        identity=bid["fid"],
        name=bid["name"],
        state=state,
        reason=reason,
        created_at=str(bid.get("created_at", "")),
        ended_at=_text(bid.get("deactivated_at")),
        region=_text(bid.get("region")),
        instance_type=type_name or str(bid.get("instance_type", "")),
        machines_wanted=wanted,
        machines=machines,
        unit_price=_text(bid.get("limit_price")),
    )


def _state(status: str, machines: tuple[Machine, ...], wanted: int) -> tuple[str, str | None]:
    if status == "Open":
        return PENDING, "waits for machines at this price"
    if status == "Paused":
        return PENDING, "paused"
    if status == "Terminated":
        return CANCELLED, "the bid has ended"
    if status == "Relocating":
        return PROVISIONING, "moves to another machine"
    running = sum(machine.state == "running" for machine in machines)
    if status == "Preempting":
        return RUNNING, "outbid: its machines stop within 5 minutes; it starts again when the bid wins again"
    if status not in ("Allocated", "Replaced"):
        return (RUNNING if running >= wanted else PROVISIONING), f"the provider says `{status[:40]}`"
    if any(machine.state == "error" for machine in machines):
        return PROVISIONING, "a machine does not start: the provider says `ERROR`"
    if running >= wanted:
        return RUNNING, None
    slow = sorted({machine.state for machine in machines if machine.state != "running"})
    return PROVISIONING, f"{running} of {wanted} machines run" + (f" ({', '.join(slow)})" if slow else "")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
