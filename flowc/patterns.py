"""Regular expressions that are compiled at their first use: a check of one job needs few of them, and each costs a
noticeable part of its start-up."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def at_first_use(pattern: str, method: str, flags: int = 0) -> Callable[..., Any]:
    """The method (`match`, `search`, `finditer`…) of a compiled pattern; its first call compiles."""
    bound: Callable[..., Any] | None = None

    def call(*arguments: Any) -> Any:
        nonlocal bound
        if bound is None:
            bound = getattr(re.compile(pattern, flags), method)
        return bound(*arguments)

    return call
