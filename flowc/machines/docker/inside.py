"""The first process of a machine that is a container: `python3 -m flowc.machines.docker.inside`. The first line of its
input is the spec as JSON, further ones are orders, its output are events (see `init`)."""

from __future__ import annotations

import json
import os

from flowc.machines.docker.names import CLIENT_PLACE, CODE
from flowc.machines.init import Init
from flowc.machines.spec import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.machines.spec import Spec


def main() -> None:
    """Until the machine is off."""
    orders, events = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    data = b""
    while not data.endswith(b"\n"):
        more = os.read(orders, 65536)
        if not more:
            os._exit(0)  # its power went at once
        data += more
    # Nothing comes after it before we have said that we are up.
    spec = decoded(json.loads(data))
    _devices(spec)
    if spec.box is not None and spec.box.jobs:
        _client()
    init = Init(spec, orders=orders, events=events, base="", kill_all=_kill_all, boxed=True)
    init.tell(**{"is": "up", "kind": "docker", "shared": []})
    init.run()


def _devices(spec: Spec) -> None:
    """What stands for block devices, and for their labels: the machine's own `mount` and `blkid` know them."""
    for share in spec.shares:
        if share.disk is not None:
            os.makedirs("/dev/disk/by-id", exist_ok=True)
            os.makedirs("/run/disks/by-label", exist_ok=True)
            device = f"/dev/disk/by-id/virtio-{share.disk[:20]}"
            with open(device, "w", encoding="utf-8"):
                os.symlink(device, f"/run/disks/by-label/{os.path.basename(share.place)}")


def _client() -> None:
    """This computer's docker client, where it runs here; else the job installs one, as on a rented machine."""
    import subprocess

    for source, place in (
        (f"{CLIENT_PLACE}/docker.sock", "/run/docker.sock"),
        (f"{CODE}/docker", "/usr/local/bin/docker"),
    ):
        if os.path.lexists(place):
            os.unlink(place)
        os.symlink(source, place)
    try:
        subprocess.run([f"{CODE}/docker", "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        os.unlink("/usr/local/bin/docker")
    # The engine gives GPUs to containers by itself.
    hook = "/usr/local/bin/nvidia-container-runtime-hook"
    if not os.path.exists(hook):
        os.symlink("/bin/true", hook)


def _kill_all(number: int) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
