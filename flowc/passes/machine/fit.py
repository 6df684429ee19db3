"""Whether a machine holds a job's share, and on how many nodes."""

from __future__ import annotations

from flowc.ir.units import GIB, plural, size_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import InstanceType
    from flowc.passes.machine.demand import Demand, Share


def holds(machine: InstanceType, share: Share) -> bool:
    """What a machine has unknown holds nothing but the least: one CPU, no memory, no disk."""
    return (
        share.gpus <= machine.gpus
        and (share.cpus <= 1 or share.cpus <= (machine.cpus or 0))
        and (not share.memory_bytes or share.memory_bytes <= machine.memory_bytes)
        and (not share.disk_bytes or share.disk_bytes <= (machine.disk_gb or 0) * 10**9)
        and (not share.shm_bytes or share.shm_bytes <= machine.memory_bytes)
    )


def shortage(machine: InstanceType, share: Share) -> str | None:
    """What a machine is short of, in words; None when it holds the share."""
    if share.gpus > machine.gpus:
        return f"`{machine.name}` has {plural(machine.gpus, 'GPU')}, not {share.gpus}"
    if share.cpus > 1 and share.cpus > (machine.cpus or 0):
        has = plural(machine.cpus, "CPU") if machine.cpus else "an unknown number of CPUs"
        return f"`{machine.name}` has {has}, not {share.cpus}"
    if share.memory_bytes and share.memory_bytes > machine.memory_bytes:
        has = size_text(machine.memory_bytes) if machine.memory_gb else "unknown memory"
        return f"`{machine.name}` has {has}, not {size_text(share.memory_bytes)} of memory"
    if share.disk_bytes and share.disk_bytes > (machine.disk_gb or 0) * 10**9:
        has = f"{machine.disk_gb} GB" if machine.disk_gb else "an unknown amount"
        return f"`{machine.name}` has {has} of local disk, not {size_text(share.disk_bytes)}"
    if share.shm_bytes and share.shm_bytes > machine.memory_bytes:
        has = size_text(machine.memory_bytes) if machine.memory_gb else "unknown memory"
        return f"`{machine.name}` has {has}, not {size_text(share.shm_bytes)} of shared memory"
    return None


def fits(machine: InstanceType, demand: Demand) -> int:
    """The fewest nodes on which this machine holds the job; 0 when no allowed number is enough."""
    if demand.gpu_memory_bytes and machine.gpu_memory_gb * GIB < demand.gpu_memory_bytes:
        return 0
    if holds(machine, demand.share(demand.fewest)):
        return demand.fewest
    low: int = demand.fewest
    high: int = demand.most
    if low == high or not holds(machine, demand.share(high)):
        return 0
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(machine, demand.share(middle)) else (middle, high)
    return high
