"""Compiles grammars, templates and data into Python modules (`make generate`). Never imported at run time."""
