"""Calls of Linux that Python does not have."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000

MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(flags: int) -> None:
    """Raises OSError, as all calls here."""
    _checked(_libc.unshare(flags), "unshare")


def set_namespace(file: int) -> None:
    """Enter the namespace that an open file stands for; one of processes holds for children alone."""
    _checked(_libc.setns(ctypes.c_int(file), 0), "setns")


def mount(source: str | None, place: str, kind: str | None, flags: int, options: str = "") -> None:
    """See mount(2)."""
    _checked(
        _libc.mount(
            source and os.fsencode(source),
            os.fsencode(place),
            kind and kind.encode(),
            ctypes.c_ulong(flags),
            os.fsencode(options) or None,
        ),
        f"mount {kind or 'bind'} {place}",
    )


def unmount(place: str, flags: int = 0) -> None:
    """See umount2(2)."""
    _checked(_libc.umount2(os.fsencode(place), flags), f"unmount {place}")


def read_only(place: str) -> None:
    """Make a mount and all below it read-only."""

    # attr_set = MOUNT_ATTR_RDONLY, attr_clr, propagation, userns_fd
    attributes = (ctypes.c_uint64 * 4)(1, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(place),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _checked(result, f"make {place} read-only")


def change_root(folder: str) -> None:
    """Make a mount point the root of this mount namespace; the old one is gone."""
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root is not known on {os.uname().machine}")
    os.chdir(folder)
    _checked(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    unmount(".", MNT_DETACH)
    os.chdir("/")


def set_host_name(name: str) -> None:
    """Of this UTS namespace."""
    data = name.encode()
    _checked(_libc.sethostname(data, ctypes.c_size_t(len(data))), "sethostname")


def die_with_parent() -> None:
    """KILL comes when the parent has died."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(9), 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Processes whose parents die below this one become its children."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0), "prctl")


def be_called(name: str) -> None:
    """The name of this process in lists of processes, 15 characters at most."""
    _checked(_libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0), "prctl")


def be_unreadable() -> None:
    """Nobody without rights over the whole computer may look into the memory of this process."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0), "prctl")
