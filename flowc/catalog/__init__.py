"""Instance types, regions and prices; how people spell instance types and GPU models."""

from __future__ import annotations

from flowc.catalog.load import bundled, load

__all__ = ["bundled", "load"]
