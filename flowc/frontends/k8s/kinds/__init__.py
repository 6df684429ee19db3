"""Which objects flowc reads, where the job in each of them stands, and what their own controllers add to it."""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
