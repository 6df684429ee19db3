"""What the streams are: how text is written to them, whether they take colours, how wide they are."""

from __future__ import annotations

import os
import sys

from flowc.diag.render import PLAIN, WIDTH, Palette, colours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


def write(stream: TextIO, text: str, *, encoding: str | None = None, errors: str = "backslashreplace") -> None:
    """Write `text`, in the stream's own encoding unless one is given. No character makes it fail:
    `backslashreplace` also turns the lone surrogates of undecodable bytes into what JSON wants,
    `surrogateescape` into the bytes."""
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # a StringIO put in its place
        stream.write(text)
        return
    stream.flush()
    buffer.write(text.encode(encoding or stream.encoding or "utf-8", errors))
    buffer.flush()


def write_bytes(data: bytes) -> None:
    """To standard output, as they are, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def palette(stream: TextIO, environ: Mapping[str, str]) -> Palette:
    """Colours on a terminal only. NO_COLOR (any text) forbids them, then FORCE_COLOR (but `0`) demands
    them."""
    if environ.get("NO_COLOR"):
        return PLAIN
    forced = environ.get("FORCE_COLOR")
    if forced:
        return PLAIN if forced == "0" else colours()
    return colours() if stream.isatty() and environ.get("TERM", "dumb") != "dumb" else PLAIN


def width(stream: TextIO) -> int:
    """The columns of the terminal, within reason; a fixed number elsewhere, so that output is the same
    everywhere."""
    if not stream.isatty():
        return WIDTH
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return WIDTH
    return max(40, columns) if columns else WIDTH


def open_closed() -> None:
    """Take the places of standard streams that whoever started us has closed, before the next file that is opened gets
    one of them, and a journal what is meant for people. There is nothing to read then, errors go nowhere, and what is
    written to standard output fails: somebody wanted it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            assert descriptor == number, f"{name} is {descriptor}"
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
