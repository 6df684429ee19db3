"""The world of a command: the flags of its line, the environment of its process, and standard error."""

from __future__ import annotations

import os
import sys

from flowc.tasks import world

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.cli.arguments import Words
    from flowc.cli.tasks.progress import Progress

# Flags that stand for settings, by their keys.
_FLAGS = ("provider", "project", "region", "local_machine")


class World(world.World):
    """`key` is an API key that wins over all others; else as above."""

    def __init__(
        self,
        words: Words,
        *,
        many: bool = False,
        called: Callable[[str, str], None] = lambda method, path: None,
        key: str | None = None,
    ) -> None:
        flags: dict[str, str | tuple[str, ...]] = {} if key is None else {"api_key": key}
        for name in _FLAGS:
            text = words.text(name)
            if text is not None:
                flags[name] = text
        if words.texts("ssh_key"):
            flags["ssh_keys"] = words.texts("ssh_key")
        super().__init__(os.environ, flags=flags, tell=tell, many=many, called=called)
        if sys.stderr.isatty():
            self.coming = self._show_coming
        self._progress: Progress | None = None

    def _show_coming(self, done: int, whole: int) -> None:
        """How much output has been brought, on a line of the terminal that is gone at the end."""
        from flowc.cli.tasks.progress import Progress

        self._far = done, whole
        if self._progress is None:
            self._progress = Progress(lambda: self._far, quiet=True)
        if whole:
            self._progress.step()
        else:
            self._progress.clear()
            self._progress = None


def tell(text: str) -> None:
    """One line for people, on standard error; a disk that is full behind it is no reason to let bids live on. Keys are
    not shown, whoever says them."""
    from flowc.cli import terminal
    from flowc.diag.excerpt import visible
    from flowc.secret import masked

    try:
        terminal.write(sys.stderr, f"flowc: {visible(masked(text))}\n")
    except BrokenPipeError:
        raise
    except OSError:
        pass
