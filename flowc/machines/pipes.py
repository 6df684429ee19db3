"""Lines of JSON on pipes."""

from __future__ import annotations

import json
import os


def send(fd: int, values: dict[str, object]) -> None:
    """One line, as a whole: a signal may cut a long write short. Raises OSError."""
    data = memoryview(json.dumps(values).encode() + b"\n")
    while data:
        data = data[os.write(fd, data) :]
