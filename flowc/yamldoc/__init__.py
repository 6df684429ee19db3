"""YAML with positions, once for all formats that are written in it.

read.py     text → nodes: exact spans, anchors and merge keys resolved, bounded in size, depth and time
scalars.py  what a plain scalar means to the readers that the formats come from, and what the wanted type makes of it
check.py    nodes held against a shape (the fields of a format, compiled from data): types, unknown keys, bounds
ledger.py   what became of every key
edit.py     `--set path=value` put into the nodes
ast.py      the document of `--emit ast`
"""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
