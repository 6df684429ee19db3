"""The file tree of a machine in namespaces of its own: this computer's programs shine through, what is written stays
on the machine's disk."""

from __future__ import annotations

import errno
import os

from flowc.machines import linux
from flowc.machines.disk import OVERLAID, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.machines.spec import Spec

# Links to folders below /usr on most systems, else folders like those.
MAYBE_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Folders that are empty at first, as on a new machine.
OWN = (("root", 0o700), ("home", 0o755), ("srv", 0o755), ("mnt", 0o755), ("media", 0o755), ("tmp", 0o1777))
# Where another job of flowc, or a provider, may have left things on this computer.
HIDDEN = ("var/lib/foundry", "var/log/foundry", "var/lib/cloud", "var/log/cloud-init-output.log", "opt/mithril")
# Where an ordinary user, who is root in the machine, makes files: so many levels of these folders are the machine's
# own, since nobody else may write to what belongs to root of this computer. They stand in a layer that machines share.
WRITABLE = (
    ("usr", 1),
    ("usr/local", 2),
    ("usr/local/lib", 2),
    ("usr/lib/python3", 1),
    ("etc", 1),
    ("etc/systemd", 1),
    ("etc/apt", 1),
    ("etc/ssl", 1),
    ("var", 1),
    ("var/lib", 0),
    ("var/log", 0),
    ("var/cache", 1),
    ("opt", 1),
)
MOST_FOLDERS = 300  # of each of these
# Folders that are made of links where there can be no overlay, and what in them is the machine's own even then.
LINKED = ("etc", "var", "opt")
UNLINKED = ("etc/systemd", "var/lib", "var/log", "opt/mithril")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


class ShutError(Exception):
    """This computer does not let us make such a tree."""


def build(spec: Spec) -> list[str]:
    """Make the tree below DISK/root, in this mount namespace. Gives what could not be kept apart, in sentences. Raises
    ShutError. /proc is for the first process to mount, `enter` makes the tree the root."""
    said: list[str] = []
    root = f"{spec.disk}/root"
    os.makedirs(root, exist_ok=True)
    try:
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        linux.mount(root, root, None, linux.MS_BIND)
        os.chdir(spec.disk)
        _link_skeleton(spec.skeleton or f"{spec.disk}/layer")
        for name in OVERLAID:
            _shine_through(name, said)
        for name in MAYBE_LINKS:
            place = f"root/{name}"
            if os.path.islink(f"/{name}"):
                if not os.path.lexists(place):
                    os.symlink(os.readlink(f"/{name}"), place)
            elif os.path.isdir(f"/{name}"):
                _shine_through(name, said)
        for name, mode in OWN:
            _folder(f"root/{name}", mode)
        for name in ("proc", "sys", "dev", "run"):
            _folder(f"root/{name}", 0o755)
        linux.mount("/sys", "root/sys", None, linux.MS_BIND | linux.MS_REC)
        linux.mount("tmpfs", "root/run", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
        for name in ("run/lock", "run/flowc"):
            _folder(f"root/{name}", 0o700 if name == "run/flowc" else 0o755)
        _devices()
        for share in spec.shares:
            if share.disk is not None:
                # What stands for a block device, and for its label: the machine's own `mount` and `blkid` know them.
                device = f"/dev/disk/by-id/virtio-{share.disk[:20]}"
                for folder in ("dev/disk/by-id", "run/disks/by-label", f"run/disks/{share.disk[:20]}"):
                    os.makedirs(f"root/{folder}", exist_ok=True)
                _empty_file(f"root{device}")
                os.symlink(device, f"root/run/disks/by-label/{os.path.basename(share.place)}")
                linux.mount(share.source, f"root/run/disks/{share.disk[:20]}", None, linux.MS_BIND)
            else:
                os.makedirs(f"root{share.place}", exist_ok=True)
                linux.mount(share.source, f"root{share.place}", None, linux.MS_BIND)
    except OSError as error:
        raise ShutError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")) from None
    return said


def enter(spec: Spec, *, guarded: bool) -> None:
    """Make the tree the root of this process, the first of its PID namespace. `guarded`: the user is root, so what
    belongs to root of the whole computer must not be written. Raises ShutError."""
    try:
        linux.mount("proc", f"{spec.disk}/root/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
        if guarded:
            linux.read_only(f"{spec.disk}/root/sys")
            for name in ("proc/sys", "proc/irq", "proc/bus", "proc/sysrq-trigger"):
                place = f"{spec.disk}/root/{name}"
                if os.path.exists(place):
                    linux.mount(place, place, None, linux.MS_BIND | linux.MS_REC)
                    linux.read_only(place)
        linux.change_root(f"{spec.disk}/root")
    except OSError as error:
        raise ShutError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")) from None


def _shine_through(name: str, said: list[str]) -> None:
    """/NAME of this computer, with what is written on top of it; the working directory is the disk."""
    if not os.path.isdir(f"/{name}"):
        _folder(f"root/{name}", 0o755)
        return
    for folder in (f"upper/{name}", f"work/{name}", f"root/{name}"):
        os.makedirs(folder, exist_ok=True)
    for path in HIDDEN:
        if path.startswith(f"{name}/") and os.path.isdir(f"/{path}") and not os.path.exists(f"upper/{path}"):
            os.makedirs(f"upper/{path}")
            os.setxattr(f"upper/{path}", "user.overlay.opaque", b"y")
    layers = f"skeleton/{name}:/{name}" if os.path.isdir(f"skeleton/{name}") else f"/{name}"
    options = f"lowerdir={layers},upperdir=upper/{name},workdir=work/{name},userxattr"
    try:
        linux.mount("overlay", f"root/{name}", "overlay", 0, options)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EPERM, errno.ENODEV, errno.EOPNOTSUPP, errno.ELOOP, errno.EIO):
            raise
    else:
        return
    # No overlay of this folder (its file system, or the disk's, cannot have one).
    remove(f"upper/{name}")  # with the marks of what is hidden
    if name not in LINKED:
        linux.mount(f"/{name}", f"root/{name}", None, linux.MS_BIND | linux.MS_REC)
        linux.read_only(f"root/{name}")
        if name == "usr" and os.path.isdir("/usr/local/sbin"):
            # Where the machine has programs of its own.
            _folder("sbin", 0o755)
            linux.mount("sbin", "root/usr/local/sbin", None, linux.MS_BIND)
        said.append(f"/{name} is this computer's own and cannot be written")
        return
    lower = f"this-computer-{name}"
    _folder(f"root/{lower}", 0o755)
    linux.mount(f"/{name}", f"root/{lower}", None, linux.MS_BIND | linux.MS_REC)
    linux.read_only(f"root/{lower}")
    for entry in os.listdir(f"/{name}"):
        if f"{name}/{entry}" not in UNLINKED and not os.path.lexists(f"root/{name}/{entry}"):
            os.symlink(f"/{lower}/{entry}", f"root/{name}/{entry}")
    said.append(f"/{name} is this computer's own, seen through links: only new files are the machine's")


def _link_skeleton(path: str) -> None:
    """The layer of folders that are the machine's own, made where it is missing; the working directory is the disk."""
    if not os.path.isdir(path):
        new = f"{path}.{os.getpid()}"
        for name, depth in WRITABLE:
            _own_folders(new, name, depth)
        try:
            os.rename(new, path)
        except OSError:
            remove(new)  # another machine was faster
    if os.path.islink("skeleton"):
        os.unlink("skeleton")
    os.symlink(path, "skeleton")


def _own_folders(layer: str, path: str, depth: int) -> None:
    """Folders of this computer's /PATH in a layer, so many levels deep."""
    level = [path]
    left = MOST_FOLDERS
    for _ in range(depth + 1):
        below = []
        for each in level[:left]:
            try:
                with os.scandir(f"/{each}") as entries:
                    below += [f"{each}/{entry.name}" for entry in entries if entry.is_dir(follow_symlinks=False)]
                mode = os.stat(f"/{each}").st_mode & 0o1777
            except OSError:
                continue
            if not os.path.isdir(f"{layer}/{each}"):
                os.makedirs(f"{layer}/{each}")
                os.chmod(f"{layer}/{each}", mode)
        left -= len(level)
        level = sorted(below)


def _devices() -> None:
    """The devices that do no harm: above all no disks, which a job might format."""
    linux.mount("tmpfs", "root/dev", "tmpfs", linux.MS_NOSUID, "mode=755")
    for name in DEVICES:
        _empty_file(f"root/dev/{name}")
        linux.mount(f"/dev/{name}", f"root/dev/{name}", None, linux.MS_BIND)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ):
        os.symlink(target, f"root/dev/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"root/dev/{name}")
    flags = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("tmpfs", "root/dev/shm", "tmpfs", flags, "mode=1777")
    linux.mount("devpts", "root/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "newinstance,ptmxmode=0666")


def _folder(path: str, mode: int) -> None:
    if not os.path.isdir(path):
        os.mkdir(path)
        if mode != 0o755:
            os.chmod(path, mode)


def _empty_file(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
