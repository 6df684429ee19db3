"""Faults in options as diagnostics: the place inside the value, a help and, where it is certain, a fix. Loaded by the
first fault."""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
