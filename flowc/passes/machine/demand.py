"""What a job needs of each node, for any number of nodes.

Tasks are laid out in blocks of ceil(tasks / nodes), as sites that hand out whole nodes do; CPUs, GPUs and
memory of a node follow from the tasks on it. Every need shrinks or stays as nodes are added, which `resolve`
relies on.
"""

from __future__ import annotations

from flowc._compiled.limits import NODES_PER_BID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job


class Share:
    """The part of a job that falls on the fullest of `nodes` nodes; memory, shared memory and disk in bytes."""

    __slots__ = ("cpus", "disk_bytes", "gpus", "memory_bytes", "nodes", "shm_bytes")

    def __init__(
        self, nodes: int, cpus: int, gpus: int, memory_bytes: int, disk_bytes: int, shm_bytes: int = 0
    ) -> None:
        self.nodes = nodes
        self.cpus = cpus
        self.gpus = gpus
        self.memory_bytes = memory_bytes
        self.disk_bytes = disk_bytes
        self.shm_bytes = shm_bytes


class Demand:
    """`fewest` to `most` nodes are possible; `asks_gpus`: the job asks for at least one GPU. `any_count`: it says
    what kind of GPU it needs and leaves their number open."""

    __slots__ = ("_shares", "any_count", "asks_gpus", "fewest", "gpu_memory_bytes", "job", "most")

    def __init__(self, job: Job) -> None:
        resources, layout = job.resources, job.layout
        self.job = job
        self.gpu_memory_bytes = resources.gpu_memory_bytes or 0
        self.asks_gpus = bool(resources.gpus_per_node or layout.gpus_total or layout.gpus_per_task)
        counts = (resources.gpus_per_node, layout.gpus_total, layout.gpus_per_task)
        described = resources.gpu_memory_bytes is not None or resources.gpu_model is not None
        self.any_count = described and counts == (None, None, None)
        if resources.nodes is None:
            self.fewest, self.most = 1, min(resources.nodes_max or NODES_PER_BID, NODES_PER_BID)
            if resources.gpus_per_node and layout.gpus_total:
                self.fewest = min(-(-layout.gpus_total // resources.gpus_per_node), self.most)
        else:
            self.fewest = max(resources.nodes, 1)
            self.most = max(self.fewest, min(resources.nodes_max or 1, NODES_PER_BID))
        self._shares: dict[int, Share] = {}

    def share(self, nodes: int) -> Share:
        found = self._shares.get(nodes)
        if found is None:
            found = self._shares[nodes] = self._share(nodes)
        return found

    def _share(self, nodes: int) -> Share:
        resources, layout = self.job.resources, self.job.layout
        tasks = -(-layout.tasks // nodes) if layout.tasks else layout.tasks_per_node or 1
        gpus = max(resources.gpus_per_node or 0, tasks * (layout.gpus_per_task or 0))
        if layout.gpus_total:
            gpus = max(gpus, -(-layout.gpus_total // nodes))
        cpus = max(
            tasks * (layout.cpus_per_task or 1),
            resources.cpus_per_node or 0,
            gpus * (resources.cpus_per_gpu or 0),
        )
        memory = max(
            resources.memory_bytes_per_node or 0,
            cpus * (resources.memory_bytes_per_cpu or 0),
            gpus * (resources.memory_bytes_per_gpu or 0),
        )
        return Share(nodes, cpus, gpus, memory, resources.disk_bytes or 0, resources.shm_bytes or 0)
