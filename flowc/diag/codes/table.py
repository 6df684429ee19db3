"""The whole table of diagnostics. Only what shows or tests all of them imports it: a check loads what it
reports."""

from __future__ import annotations

from pkgutil import walk_packages
from types import ModuleType

from flowc.diag import codes
from flowc.diag.code import Code


def modules() -> tuple[ModuleType, ...]:
    """Every module beside this one and in the folders beside it: one or more for each stage."""
    found = walk_packages(codes.__path__, f"{codes.__name__}.")
    return tuple(__import__(each.name, fromlist=["*"]) for each in found if not each.ispkg)


def all_codes() -> tuple[Code, ...]:
    """All codes, by id. A retired code stays in its module, so that its id is never given to another."""
    found = [value for module in modules() for value in vars(module).values() if isinstance(value, Code)]
    return tuple(sorted(found, key=lambda code: code.id))


def nearest_code(word: str) -> str | None:
    """What a word that is no code and no name of one may have been meant for."""
    from flowc.diag.suggest import nearest

    known = all_codes()
    return nearest(word.lower(), [code.name for code in known] + [code.id for code in known])
