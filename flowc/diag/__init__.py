"""Diagnostics: the table of codes, their collection, suggestions, and how they are shown."""
