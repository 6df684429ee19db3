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

# What is looked at to see whether a file in a folder is a job script: its directives stand at the top.
_HEAD_BYTES = 64 << 10
_SKIPPED_FOLDERS = ("node_modules", "__pycache__", "venv", "site-packages")


def read(path: str, stdin: str = STDIN) -> Source | Diagnostic:
    """The source, or an FC400. `-` is standard input, which is called `stdin`."""
    name = stdin if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        return _folder(path)
    except FileNotFoundError:
        return _unreadable(name, "no such file", _near(path))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return _unreadable(name, (getattr(error, "strerror", None) or str(error)).lower(), None)
    if len(data) > MAX_BYTES:
        return _unreadable(name, f"it holds more than {MAX_BYTES >> 20} MiB", "is it a job script?")
    return Source.from_bytes(name, data)


def _folder(path: str) -> Diagnostic:
    try:
        os.listdir(path)
    except OSError as error:
        return _unreadable(path, (error.strerror or str(error)).lower(), None)
    return _unreadable(path, "it is a folder", f"`flowc check {path}` checks the jobs in it")


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


def expand(
    operands: tuple[str, ...], *, only_jobs: bool = False, once: bool = False, exclude: tuple[str, ...] = ()
) -> list[str]:
    """The files to check: those named, and the job files below the folders named; each once, in a stable order. What
    cannot be looked into is among them, so that its check says why. `only_jobs`: of the files named too only those that
    a folder would give. `once`: a CronJob is a job. `exclude`: patterns of what a folder does not give."""
    files: dict[str, None] = {}
    for operand in operands:
        if operand != "-" and os.path.isdir(operand):
            files.update(dict.fromkeys(_job_files(operand, once, exclude)))
        elif operand == "-" or not only_jobs or not os.path.exists(operand) or _is_given(operand, once, exclude):
            files[operand] = None
    return list(files)


def _is_given(path: str, once: bool, exclude: tuple[str, ...]) -> bool:
    return not _is_excluded(path, exclude) and _is_job_file(path, once)


def _is_excluded(path: str, patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return False
    from flowc.silence.choice import matches

    return matches(path, patterns)


def _job_files(folder: str, once: bool, exclude: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for place, folders, names in os.walk(folder, onerror=lambda error: found.append(error.filename)):
        folders[:] = sorted(name for name in folders if _is_walked(place, name))
        if exclude:
            folders[:] = [name for name in folders if not _is_excluded(os.path.join(place, name), exclude)]
        for name in sorted(names):
            path = name if place == "." else os.path.join(place, name)
            if not name.startswith(".") and _is_given(path, once, exclude):
                found.append(path)
    return [path.removeprefix("./") for path in found]


def _is_walked(place: str, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED_FOLDERS:
        return False
    return not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))


def _is_job_file(path: str, once: bool) -> bool:
    """By its name, or by what stands in it. One that cannot be opened counts: it may be a job."""
    from flowc.detect.signs import MANIFESTS, is_job, only_jobs

    if not os.path.isfile(path):
        return False
    if only_jobs(path):
        return True
    whole = path.lower().endswith(MANIFESTS)  # a job may stand behind other documents
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(MAX_BYTES if whole else _HEAD_BYTES)
    except OSError:
        return True
    # Nothing but text is a script; most files of a tree are passed over at a glance.
    if not whole and (b"\0" in data or b"#" not in data):
        return False
    return is_job(Source.from_bytes(path, data), once=once)
