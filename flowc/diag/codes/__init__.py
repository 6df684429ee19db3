"""The table of diagnostics: a module, or a folder of them, for each stage; loaded by the first finding of its kind."""

from __future__ import annotations

from flowc.patterns import modules_at_first_use

__getattr__ = modules_at_first_use(__name__)
