"""Starts a machine in a child process: in namespaces of its own where the kernel lets an ordinary user have them, else
as a group of processes with paths of its own. Or, where that is wanted, as a container of a docker engine."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.machines.spec import Spec

NAMESPACES, GROUP, DOCKER = "namespaces", "group", "docker"


def run(spec: Spec, kind: str, orders: int, events: int) -> None:
    """In a child process of its own, which ends with the machine. Does not return."""
    if kind == GROUP:
        from flowc.machines import group

        group.run(spec, orders, events)
    elif kind == DOCKER:
        from flowc.machines.docker import box

        box.run(spec, orders, events)
    else:
        _in_namespaces(spec, orders, events)


def _in_namespaces(spec: Spec, orders: int, events: int) -> None:
    # All that the first process needs is imported before its root changes.
    from flowc.machines import linux, rooms
    from flowc.machines.init import Init

    guarded = os.geteuid() == 0
    uid, gid = os.geteuid(), os.getegid()
    try:
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
        _map_users(uid, gid)
        linux.set_host_name(spec.name)
        shared = rooms.build(spec)
        linux.unshare(linux.CLONE_NEWPID)
        first = os.fork()
    except (OSError, rooms.ShutError) as error:
        _cannot(events, str(error))
        return
    if first == 0:
        linux.die_with_parent()
        linux.be_called("flowc-init")
        init = Init(spec, orders=orders, events=events, base="", kill_all=_kill_all)
        try:
            resolver = _resolver()
            rooms.enter(spec, guarded=guarded)
            if resolver is not None:
                init.put("/etc/resolv.conf", 0o644, resolver)
        except (OSError, rooms.ShutError) as error:
            _cannot(events, str(error))
            os._exit(1)
        # The command's environment stands in this process's memory: the job may not look there.
        linux.be_unreadable()
        init.tell(**{"is": "up", "kind": NAMESPACES, "shared": [*shared, *SHARED]})
        try:
            init.run()
        finally:
            # Only by a mistake of ours: its words go to the supervisor's log.
            import traceback

            traceback.print_exc()
            os._exit(1)
    os.close(orders)
    os.close(events)
    os.waitpid(first, 0)


SHARED = (
    "the network is this computer's: a port that the job takes is taken here",
    "the machine has one user, root: what changes to other users fails there, such as apt-get",
    "its GPUs are shown and nothing more: programs that compute on them find none",
)


def refused() -> str | None:
    """Why the kernel gives this user no namespaces, None where it does."""
    from flowc.machines import linux

    uid, gid = os.geteuid(), os.getegid()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
            _map_users(uid, gid)
            linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
            linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID)
        except OSError as error:
            os.write(write, (error.strerror or str(error)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        why = pipe.read().decode()
    os.waitpid(child, 0)
    return why or None


def _map_users(uid: int, gid: int) -> None:
    """The user is root there, and nobody else is there."""
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {uid} 1")
    _write("/proc/self/gid_map", f"0 {gid} 1")


def _write(path: str, text: str) -> None:
    out = os.open(path, os.O_WRONLY)
    try:
        os.write(out, text.encode())
    finally:
        os.close(out)


def _resolver() -> str | None:
    """Who knows names, where the file that says so leads into a folder that the machine has of its own."""
    if not os.path.islink("/etc/resolv.conf"):
        return None
    try:
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _kill_all(number: int) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return


def _cannot(events: int, why: str) -> None:
    import json

    os.write(events, json.dumps({"is": "cannot", "why": why}).encode() + b"\n")
