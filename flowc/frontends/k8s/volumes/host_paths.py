"""Paths of the node: what is there on any machine, what is made as the kubelet makes it, what can only be missing."""

from __future__ import annotations

from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.volumes.mounts import made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.ir.job import Mount
    from flowc.yamldoc.node import Node

# What every machine has, with all below it.
TREES = ("/dev", "/sys", "/proc", "/usr/share/zoneinfo", "/run/udev")
# What every machine has of its own: that is there, with what this machine has in it.
PLACES = frozenset(
    (
        *("/", "/bin", "/boot", "/etc", "/home", "/lib", "/lib64", "/mnt", "/opt", "/root", "/run", "/sbin", "/srv"),
        *("/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/local", "/usr/share", "/usr/src"),
        *("/var", "/var/lib", "/var/log", "/var/run", "/var/tmp", "/lib/modules", "/etc/ssl", "/etc/ssl/certs"),
        *("/etc/group", "/etc/hostname", "/etc/hosts", "/etc/localtime", "/etc/machine-id", "/etc/os-release"),
        *("/etc/passwd", "/etc/resolv.conf", "/etc/timezone"),
    )
)
# Of these, where people keep files: what the old nodes had there, or kept of what the job wrote, is not here.
_KEPT = ("/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/var/lib", "/var/log", "/var/tmp")
# Sockets of the container runtime, which is set up after the folders of a job are made.
_NAMES = ("docker.sock", "containerd/containerd.sock")
SOCKETS = tuple(f"{run}/{name}" for run in ("/var/run", "/run") for name in _NAMES)
# Types of which the kubelet makes what is missing.
MAKES = {"": "folder", "DirectoryOrCreate": "folder", "FileOrCreate": "file"}


def mount_of(source: Node, mount: Node, context: Context) -> Mount | None:
    """A mount of a path of the machine; None where it can only be missing, after a report."""
    whole, kind = str(source.read("path", default="")), source.read("type", default="")
    path = whole.rstrip("/") or "/"
    if path in SOCKETS:
        if kind not in ("", "Socket", "File", "FileOrCreate"):  # to the kubelet a file is what is no folder
            help = "write `type: Socket`"
            context.refuse(source, "type", "there is a socket at this path, so the pod would not start", help)
            return None
        context.gather(machine_codes.RUNTIME_SOCKET, f"`{path}`", (source.at("path") or source).span)
        return made("host", whole, mount).replace(create="nothing")
    if path in _KEPT:
        context.gather(machine_codes.HOST_PATHS, f"`{whole}` (a folder)", source.span)
    if path in PLACES or path.startswith(tuple(f"{each}/" for each in TREES)) or path in TREES:
        return made("host", whole, mount).replace(create=MAKES.get(kind, "nothing"))
    if kind == "Directory" and context.moves(source, "type", "the folder is made, and has nothing of the old nodes'"):
        kind = "DirectoryOrCreate"
    if kind not in MAKES or path.endswith(".sock"):
        key = "type" if source.at("type") is not None and kind not in MAKES else "path"
        help = "a folder that is made where it is missing is `type: DirectoryOrCreate`, an empty one an emptyDir"
        context.refuse(source, key, "a new machine has nothing at this path, and the kubelet would make nothing", help)
        return None
    what = "folder" if MAKES[kind] == "folder" else "file"
    context.gather(machine_codes.HOST_PATHS, f"`{whole}` (a {what})", source.span)
    return made("host", whole, mount).replace(create=what)
