"""Machines over the system's own ssh."""
