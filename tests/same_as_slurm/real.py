"""Runs bodies on the real cluster."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.same_as_slurm.body import Body, Plain
from tests.same_as_slurm.cluster import Cluster
from tests.same_as_slurm.compare import loaded

AT_ONCE = 40


def run_slurm(chosen: Sequence[Body]) -> dict[str, Plain]:
    """What each body left behind under Slurm, by name."""
    order = sorted(chosen, key=lambda body: not body.waits)
    with Cluster() as cluster, ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = pool.map(cluster.run, order)
        return {
            body.name: loaded(outcome.plain(ordered=body.ordered))
            for body, outcome in zip(order, outcomes, strict=True)
        }
