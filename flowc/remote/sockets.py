"""Where the sockets of shared connections are: a folder that is the user's alone, with a name that is short."""

from __future__ import annotations

import os
import stat

# The kernel's limit, less what ssh puts behind a name while it makes a socket.
MOST = 104 - 18


def new_socket(runtime: str | None) -> str | None:
    """A path for a socket, None where there can be none: ssh then makes a connection for each call. `runtime` is the
    user's folder for such things, where he has one (XDG_RUNTIME_DIR)."""
    import secrets
    import tempfile

    for base in (runtime, "/tmp", tempfile.gettempdir()):
        if not base or not base.startswith("/"):
            continue
        folder = os.path.join(base, f"flowc-{os.geteuid()}")
        path = os.path.join(folder, secrets.token_hex(4))
        if len(os.fsencode(path)) <= MOST and _is_ours(folder):
            return path
    return None


def _is_ours(folder: str) -> bool:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
