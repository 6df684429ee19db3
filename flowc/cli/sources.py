"""Finds and reads what was named on the command line: files, folders, standard input."""

from __future__ import annotations

import os
import sys

from flowc.diag.codes import command_line as codes
from flowc.diag.sink import Sink
from flowc.inputs import command_line
from flowc.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Diagnostic

STDIN = "<stdin>"
# The largest source that is read. A job script has kilobytes (Slurm's controller takes 4 MiB); what never
# ends, such as /dev/zero, must not fill the memory.
MAX_BYTES = 16 << 20

# Suffixes that other programs use as well: in a folder such a file counts only with a directive in it.
_SHARED_SUFFIXES = (".sh", ".bash", ".job", ".sub", ".batch")
# Suffixes of formats that hold anything at all: such a file counts only when it is plainly a job.
_YAML_SUFFIXES = (".yaml", ".yml")
_SKIPPED_FOLDERS = ("node_modules", "__pycache__", "venv", "site-packages")


def read(path: str) -> Source | Diagnostic:
    """The source, or an FC400. `-` is standard input, which is called `<stdin>`."""
    name = STDIN if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        return _unreadable(name, "it is a folder", f"`flowc check {path}` checks the jobs in it")
    except FileNotFoundError:
        return _unreadable(name, "no such file", _near(path))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return _unreadable(name, (getattr(error, "strerror", None) or str(error)).lower(), None)
    if len(data) > MAX_BYTES:
        return _unreadable(name, f"it holds more than {MAX_BYTES >> 20} MiB", "is it a job script?")
    return Source.from_bytes(name, data)


def _unreadable(path: str, reason: str, help: str | None) -> Diagnostic:
    sink = Sink()
    sink.report(codes.UNREADABLE_SOURCE, None, path=path, reason=reason, help=help)
    return sink.diagnostics[0]


def _near(path: str) -> str | None:
    from flowc.diag.suggest import nearest

    folder, name = os.path.split(path)
    try:
        found = nearest(name, sorted(os.listdir(folder or ".")))
    except (OSError, ValueError):
        found = None
    if found:
        return f"did you mean `{os.path.join(folder, found)}`?"
    if " " in path.strip():
        return f"if it is a command: `flowc compile --command {command_line((path,))[0].text}`"
    return None


def expand(operands: tuple[str, ...]) -> list[str]:
    """The files to check: those named, and the job files below the folders named; each once, in a stable
    order."""
    files: dict[str, None] = {}
    for operand in operands:
        if operand != "-" and os.path.isdir(operand):
            files.update(dict.fromkeys(_job_files(operand)))
        else:
            files[operand] = None
    return list(files)


def _job_files(folder: str) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_walked(place, name))
        for name in sorted(names):
            path = name if place == "." else os.path.join(place, name)
            if not name.startswith(".") and _is_job_file(path):
                found.append(path.removeprefix("./"))
    return found


def _is_walked(place: str, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED_FOLDERS:
        return False
    return not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))


def _is_job_file(path: str) -> bool:
    from flowc.detect import by_suffix, is_job

    if path.lower().endswith(_YAML_SUFFIXES):
        source = read(path) if os.path.isfile(path) else None
        return isinstance(source, Source) and is_job(source)
    entry = by_suffix(path)
    if entry is None or not os.path.isfile(path):
        return False
    if not path.lower().endswith(_SHARED_SUFFIXES):
        return True
    source = read(path)
    return isinstance(source, Source) and any(mark in source.text for mark in entry.marks if mark != "#!")
