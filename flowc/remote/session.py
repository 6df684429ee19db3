"""A command, or a shell, in the place of a machine's job, with the streams and the terminal of whoever asks for it."""

from __future__ import annotations

import pkgutil

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Where there is no Python, the command runs as root of the machine.
_PLACE = """command -v python3 >/dev/null && exec python3 -S -c "$@"
shift; case $1 in
login) exec bash ;;
text) exec bash -c "$2" ;;
*) shift; exec "$@" ;;
esac
"""


class Session(Record):
    """`argv` is to be run here. `tell` sends a signal, by its name, to what runs on the machine; `stands` says whether
    the machine is still reached; `beat` tells it that we are here."""

    argv: tuple[str, ...]
    tell: Callable[[str], object]
    stands: Callable[[], bool]
    beat: Callable[[], object]
    pass_fds: tuple[int, ...] = ()


def in_place(words: Sequence[str]) -> list[str]:
    """The words of a command that goes where the job is and runs `words`: none is a shell, one is the text for a shell,
    several are a program and its arguments."""
    text = pkgutil.get_data("flowc.remote", "place.py")
    assert text is not None
    mode = ("login", "text", "words")[min(2, len(words))]
    return ["sh", "-c", _PLACE, "sh", text.decode(), mode, *words]
