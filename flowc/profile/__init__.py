"""The profile of a cluster: a file that says once what jobs find there, so that their own files stay as they are.

`read.py` makes records of the file (`flowc/ir/profile.py`), `kept.py` keeps them, `apply.py` puts modules, paths and
variables into a job, `schema.py` is its JSON Schema. What partitions and the like mean is Slurm's, and done where its
options are lowered.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.profile import Profile

_last: tuple[tuple[object, ...], Profile] | None = None


def load(path: str, sink: Sink, folder: str | None = None) -> Profile | None:
    """The profile of a file, as it is now: read once for all sources of a run, and once for all runs where there is a
    `folder` to keep it in. Reports what is wrong and returns None."""
    global _last
    key = _stamp(path)
    if _last is not None and key is not None and _last[0] == key:
        return _last[1]
    from flowc.profile.base import content, reason
    from flowc.source import Source, Span

    try:
        data = content(path)
    except (OSError, ValueError) as error:
        from flowc.diag.codes.input import PROFILE_UNREADABLE

        sink.report(PROFILE_UNREADABLE, Span(Source(path, ""), 0, 0), path=path, reason=reason(error))
        return None
    found = None
    if folder is not None:
        from flowc.profile import kept

        found = kept.get(folder, path, data)
    if found is None:
        from flowc.profile.read import read

        source, before = Source.from_bytes(path, data), sink.heard
        found = read(source, sink)
        if found is not None and folder is not None and sink.heard == before:
            kept.put(folder, found, source)
    # Files that it names may change while it does not.
    if key is not None and found is not None and not found.files:
        _last = key, found
    return found


def _stamp(path: str) -> tuple[object, ...] | None:
    try:
        now = os.stat(path)
    except (OSError, ValueError):
        return None  # reading it says why
    return path, now.st_ino, now.st_mtime_ns, now.st_size
