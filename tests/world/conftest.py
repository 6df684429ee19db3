"""Whole commands where the world is not as it should be: disks, streams, networks, clocks, signals."""

from __future__ import annotations

from tests.tasks.conftest import Cloud, Person, cloud, here, provider, there

__all__ = ["Cloud", "Person", "cloud", "here", "provider", "there"]
