"""The target `cloud-init`: the same payload as user data for a plain cloud, unpacked by cloud-init itself."""

from __future__ import annotations

from binascii import b2a_base64

from flowc._compiled.limits import USER_DATA_BYTES
from flowc.backends.artifacts import Artifact
from flowc.backends.base import Backend, checks_nothing
from flowc.scripts import build
from flowc.scripts.packing.pack import deflate, gzip_member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

# Nothing that the user wrote stands here in the clear, so nothing needs quoting.
USER_DATA = """\
#cloud-config
write_files:
- path: /var/lib/foundry/flowc/run
  permissions: '0700'
  encoding: gz+b64
  content: {content}
runcmd:
- [bash, /var/lib/foundry/flowc/run]
"""


def emit(units: list[Unit], sink: Sink, taken: set[str]) -> list[Artifact]:
    """User data for each unit, and for each index of an array: a file for each machine group."""
    found = []
    for place, unit in enumerate(units):
        array, largest = unit.job.array, 0
        for index in array.indices if array else (None,):
            payload = build(unit, index=index, cut=False).payload
            content = b2a_base64(gzip_member(deflate(payload), payload), newline=False).decode("ascii")
            suffix = (f"-{place}" if place else "") + (f"-{index}" if index is not None else "")
            text = USER_DATA.format(content=content)
            largest = max(largest, len(text))
            found.append(Artifact(name=f"user-data{suffix}.yaml", text=text))
        if largest > USER_DATA_BYTES:
            from flowc.diag.codes.emit import USER_DATA_TOO_LARGE

            sink.report(USER_DATA_TOO_LARGE, None, size=largest, limit=USER_DATA_BYTES)
    return found


BACKEND = Backend(check=checks_nothing, emit=emit)
