"""Volumes and what the containers mount of them."""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
