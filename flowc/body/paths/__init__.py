"""Paths in the texts of a job that the machine does not have."""
