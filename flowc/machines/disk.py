"""The disk of a local machine: a folder, and where a path of the machine stands in it.

`root` is the machine's root folder; `upper/NAME` holds what was written below /NAME where this computer's own folder
of that name shines through, `work/NAME` is the kernel's own.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.machines.spec import Share

# Folders of this computer that shine through.
OVERLAID = ("usr", "etc", "var", "opt")

STATUS = "/var/lib/foundry/flowc/status.json"
LOG = "/var/log/foundry/job.log"
NOTICE = "/opt/mithril/MITHRIL_SIGNAL.yml"
UNITS = "/etc/systemd/system"
USER_DATA = "/var/lib/cloud/instance/scripts/part-001"
INSTALL_LOG = "/var/log/cloud-init-output.log"
UNIT_LOG = "/var/log/flowc.log"


def outside(disk: str, path: str, shares: Iterable[Share] = ()) -> str:
    """Where a path of a machine stands on this computer, links followed. What stands in the machine's memory, and what
    it has of this computer unchanged, is not found there."""
    shares = sorted(shares, key=lambda share: -len(share.place))
    left = [part for part in path.split("/") if part]
    done: list[str] = []
    for _ in range(200):
        if not left:
            break
        part = left.pop(0)
        if part == ".":
            continue
        if part == "..":
            del done[-1:]
            continue
        real = _real(disk, [*done, part], shares)
        try:
            target = os.readlink(real)
        except OSError:
            done.append(part)
            continue
        if target == disk or target.startswith(disk + "/"):
            return target + "".join(f"/{each}" for each in left)
        if target.startswith("/"):
            done = []
        left = [each for each in target.split("/") if each] + left
    return _real(disk, done, shares)


def unbooted(disk: str, path: str, shares: Iterable[Share] = ()) -> str:
    """The same for a machine that was never started."""
    top = path.split("/")[1]
    if top in OVERLAID and os.path.isdir(f"/{top}"):
        os.makedirs(f"{disk}/upper/{top}", exist_ok=True)
    return outside(disk, path, shares)


def _real(disk: str, parts: list[str], shares: Iterable[Share]) -> str:
    path = "/" + "/".join(parts)
    for share in shares:
        # A disk of a container is mounted there, and linked to.
        for place in (share.place, *([f"/run/disks/{share.disk[:20]}"] if share.disk is not None else [])):
            if path == place or path.startswith(place + "/"):
                return share.source + path[len(place) :]
    if parts:
        upper = f"{disk}/upper/{parts[0]}"
        if os.path.isdir(upper):
            return "/".join([upper, *parts[1:]])
    return f"{disk}/root{path}" if parts else f"{disk}/root"


def remove(disk: str) -> None:
    """Remove a disk with all on it; folders that nobody may enter are of the kernel's or the job's making. What
    another process removes meanwhile is gone as well."""
    import shutil
    from contextlib import suppress

    for folder, names, _ in os.walk(disk):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                with suppress(FileNotFoundError):
                    os.chmod(path, 0o700)
    shutil.rmtree(disk, ignore_errors=True)
