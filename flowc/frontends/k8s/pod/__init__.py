"""A PodSpec as a whole: its containers in their order, its names and addresses."""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
