"""Folders and files of this computer on their way to machines: what is in them, what a machine lacks."""
