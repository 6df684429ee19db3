"""Which machine a job gets: what it needs, what is in question, what is chosen and why."""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
