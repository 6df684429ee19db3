"""Regular expressions that are compiled, and modules that are loaded, at their first use: a check of one job needs few
of them, and each costs a noticeable part of its start-up."""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def at_first_use(pattern: str, method: str, flags: int = 0) -> Callable[..., Any]:
    """The method (`match`, `search`, `finditer`…) of a compiled pattern; its first call compiles, and puts the method
    itself under the name by which the calling module knows it: some are called a hundred times for a job."""
    bound: Callable[..., Any] | None = None

    def call(*arguments: Any) -> Any:
        nonlocal bound
        if bound is None:
            bound = getattr(re.compile(pattern, flags), method)
            names = sys._getframe(1).f_globals
            for name in [name for name, value in names.items() if value is call]:
                names[name] = bound
        return bound(*arguments)

    return call


def modules_at_first_use(package: str) -> Callable[[str], object]:
    """The `__getattr__` of a package whose modules are seldom needed: what `from package import module` gives loads it
    when a name of it is first asked for."""

    def find(name: str) -> object:
        if name[:2] == "__":
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return _Module(f"{package}.{name}")

    return find


class _Module:
    """Stands for a module; has its names once one of them was asked for."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        if name[:2] != "__":
            vars(self).update(vars(__import__(self.__name__, fromlist=["*"])))
        return object.__getattribute__(self, name)
