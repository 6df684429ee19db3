"""The output of a local task, as it comes."""

from __future__ import annotations

import errno
import os
import time

from flowc.providers.base import ENDED
from flowc.providers.errors import UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flowc.providers.local.tasks import Folder

# Between looks at what a supervisor writes; the pauses grow from one to the other.
SHORT_S, LONG_S = 0.004, 0.2


def output(folder: Folder, node: int, shares: tuple[Any, ...], *, follow: bool) -> Iterator[str]:
    """See `Local.logs`."""
    from codecs import getincrementaldecoder

    from flowc.machines.disk import LOG, outside

    decoder = getincrementaldecoder("utf-8")("replace")
    position = 0
    since = time.monotonic()
    while True:
        # What is written before the end is read after it.
        over = not follow or folder.now().state in ENDED
        try:
            with open(outside(folder.disk(node), LOG, shares), "rb") as file:
                if os.fstat(file.fileno()).st_size < position:
                    position = 0  # it begins anew
                file.seek(position)
                data = file.read()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise UnavailableError(f"{error.filename}: {error.strerror}") from None
            data = b""
        position += len(data)
        text = decoder.decode(data, final=over)
        yield from text.splitlines(keepends=True) if "\r" not in text else [text]
        if over:
            return
        if text:
            since = time.monotonic()
        # The longer nothing comes, the later is what comes next.
        time.sleep(min(LONG_S, max(SHORT_S, (time.monotonic() - since) / 16)))
