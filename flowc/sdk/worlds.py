"""The world of a `Flow`, one for each thread: a journal's connection belongs to the thread that opened it."""

from __future__ import annotations

import logging
import threading

from flowc.diag.excerpt import visible
from flowc.secret import masked
from flowc.tasks.world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOG = logging.getLogger("flowc")
WARNING = "warning: "


class Worlds:
    """`environ` and `flags` as World takes them; what the world tells goes to the log."""

    def __init__(self, environ: Mapping[str, str], flags: Mapping[str, str | tuple[str, ...]]) -> None:
        self._environ = environ
        self._flags = dict(flags)
        self._here = threading.local()

    def now(self) -> World:
        """This thread's."""
        world: World | None = getattr(self._here, "world", None)
        if world is None:
            world = self._here.world = World(self._environ, flags=self._flags, tell=tell, many=True)
        return world


def tell(text: str) -> None:
    """A line of the log, without keys, whoever says them."""
    level = logging.WARNING if text.startswith(WARNING) else logging.INFO
    LOG.log(level, "%s", visible(masked(text.removeprefix(WARNING))))
