"""What went wrong outside the sources: wrong usage, a failing world, our own mistakes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.status import BUG, WORLD_FAILED, WRONG_USAGE
from flowc.diag.excerpt import visible
from flowc.secret import masked


def report(error: Exception) -> int:
    """Say on standard error what `error` means for the user, and give the exit status."""
    palette = terminal.palette(sys.stderr, os.environ)
    if isinstance(error, UsageError):
        text = f"{palette.error}error{palette.end}: {visible(error.message)}\n"
        text += f"  {palette.help}help{palette.end}: {visible(error.help)}\n"
        status = WRONG_USAGE
    elif isinstance(error, OSError) and not _raised_by_flowc(error):
        said = str(error) if error.filename else f"nothing can be written: {(error.strerror or str(error)).lower()}"
        text = f"{palette.error}error{palette.end}: {visible(said)}\n"
        status = WORLD_FAILED
    else:
        text = bug(error, palette.error, palette.end)
        status = BUG
    with suppress(OSError):  # it may be the one that cannot be written
        terminal.write(sys.stderr, f"flowc: {text}")
    return status


def bug(error: BaseException, start: str = "", end: str = "") -> str:
    """The message of an internal error; with its traceback when FLOWC_DEBUG is set."""
    text = f"{start}internal error{end}: {type(error).__name__}: {visible(masked(str(error)))[:500]}{_place(error)}\n"
    text += "  This is a mistake in flowc, not in your job: please report it together with the job.\n"
    if os.environ.get("FLOWC_DEBUG", "0") not in ("", "0"):
        from traceback import format_exception

        return text + "".join(format_exception(error))
    return text + "  FLOWC_DEBUG=1 shows where it happened.\n"


def _place(error: BaseException) -> str:
    """The innermost place within flowc, such as ` (in flowc/passes/resolve.py, run)`."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        folder, found, rest = code.co_filename.replace(os.sep, "/").rpartition("/flowc/")
        if found and folder:
            place = f" (in flowc/{rest}, {code.co_name})"
        trace = trace.tb_next
    return place


def _raised_by_flowc(error: OSError) -> bool:
    """Whether an OSError comes from below the command line, where nothing may read or write."""
    return "/cli/" not in _place(error)
