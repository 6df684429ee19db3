"""The profile of a cluster: a file that says once what jobs find there, so that their own files stay as they are.

`read.py` makes records of the file (`flowc/ir/profile.py`), `apply.py` puts modules, paths and variables into a job,
`schema.py` is its JSON Schema. What partitions and the like mean is Slurm's, and done where its options are lowered.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.profile import Profile

_last: tuple[tuple[str, int, int, int], Profile] | None = None


def load(path: str, sink: Sink) -> Profile | None:
    """The profile of a file, as it is now: read once for all sources of a run. Reports what is wrong and returns
    None."""
    global _last
    try:
        now = os.stat(path)
    except (OSError, ValueError):
        key = None  # reading it says why
    else:
        key = (path, now.st_ino, now.st_mtime_ns, now.st_size)
    if _last is not None and _last[0] == key:
        return _last[1]
    from flowc.profile.read import read

    found = read(path, sink)
    # Files that it names may change while it does not.
    if key is not None and found is not None and not found.environments:
        _last = key, found
    return found
