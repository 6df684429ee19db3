"""What the machines of tasks are made of here."""

from __future__ import annotations

import json
import os
import select
import signal
import time

from flowc.machines import boot
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from flowc.machines.spec import Box, Share

AUTO = "auto"
# So long an engine that could not be used is not tried again, unless it is chosen.
AGAIN_S = 600.0


class Wish(Record):
    """What somebody wants machines to be made of: one of LOCAL_MACHINES, and for containers an image, None for an
    ordinary one. `docker_host` and `runtime_folder` are what the environment says of where an engine is (DOCKER_HOST,
    XDG_RUNTIME_DIR)."""

    kind: str = AUTO
    image: str | None = None
    docker_host: str = ""
    runtime_folder: str = ""


class Kind(Record):
    """What they are made of; for containers with the socket of the engine and the image. `why`: why they are no
    containers, where that would have been better."""

    name: str
    engine: str = ""
    image: str = ""
    why: str = ""


# How long an engine is waited for that had the machines of a task before a start of this computer.
PATIENCE_S = 300.0
# Where an engine listens.
PLACES = ("/var/run/docker.sock",)
# Where it is noted why docker was not used.
NOTE = "no-docker"
# What shows that this computer has GPUs, for containers.
GPUS = "/dev/nvidiactl"
# Folders of the root of a container that stand on its disk, and those that are its image's.
USUAL = ("root", "home", "srv", "mnt", "media", "tmp", "workspace")
SYSTEM = frozenset(
    ["bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run", "sbin", "sys", "usr", "var"]
)


class NoKindError(Exception):
    """There can be no machines of the kind that is wanted, in a sentence."""


def of_engine(wish: Wish) -> tuple[str | None, str]:
    """The socket of the docker engine that answers here, and why there is none. Where nobody has docker this costs a
    look for a file."""
    named = wish.docker_host
    # An engine of another computer (tcp, ssh) would see other files.
    places = [named.removeprefix("unix://")] if named.startswith("unix://") else [] if named else [*PLACES]
    if wish.runtime_folder and not named:
        places.append(f"{wish.runtime_folder}/docker.sock")
    there = next((path for path in places if os.path.exists(path)), None)
    if there is None:
        return None, f"DOCKER_HOST={named} is none of this computer" if named else f"there is no {places[0]}"
    from flowc.machines.docker.engine import Engine

    why = Engine(there).ping()
    return (there, "") if why is None else (None, why)


def is_quick(wish: Wish) -> bool:
    """Whether choosing takes no time: no engine is to be asked for anything."""
    return wish.kind not in (AUTO, boot.DOCKER) or of_engine(wish)[0] is None


def places_of(
    asked: Mapping[str, Any], shares: Iterable[Share], *, ordinary: bool
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The folders of a container's root that are to stand on its disk: the usual ones, and, in an ordinary image, those
    that its job names (`asked`, as a request document says it). And where in the root that mounts something, with what
    it mounts: none of these."""
    disks = {share.place: f"/run/disks/{share.disk[:20]}" for share in shares if share.disk is not None}
    links = {}
    for each in asked.get("mounts", ()):
        if each["target"].rfind("/") == 0:
            links[each["target"]] = disks.get(each["source"], each["source"])
    named = asked.get("folders", ()) if ordinary else ()
    folders = dict.fromkeys(each for each in (*USUAL, *named) if each not in SYSTEM and f"/{each}" not in links)
    return tuple(folders), tuple(links.items())


def shared_by_containers(box: Box, gpus: int) -> tuple[str, ...]:
    """What containers do not keep apart from this computer, in sentences; the job wants so many GPUs."""
    said = [
        f"its machines are containers of this computer's docker engine ({box.engine}): the kernel is this computer's",
        "nothing can be mounted there: links stand for volumes, a folder for memory",
    ]
    if box.gpus:
        said.append(f"its GPUs are this computer's own, as many as it has, where {gpus} are asked for")
    elif gpus:
        said.append("its GPUs are shown and nothing more: programs that compute on them find none")
        if os.path.exists(GPUS):
            said.append("this computer has GPUs, which its engine cannot give: NVIDIA's container toolkit is missing")
    if box.jobs:
        said.append(
            "containers of its job run beside it on that engine, which has the rights of root on this computer: they "
            "get files of the machine alone, and nothing privileged"
        )
    return tuple(said)


def gives_gpus(engine: str) -> bool:
    """Whether this computer has GPUs that the engine of a socket can give to containers."""
    from shutil import which

    from flowc.machines.docker.engine import Engine, EngineError

    if not os.path.exists(GPUS):
        return False
    if which("nvidia-container-runtime-hook") is not None or which("nvidia-container-runtime") is not None:
        return True
    try:
        return "nvidia" in (Engine(engine).call("GET", "/info").get("Runtimes") or {})
    except EngineError:
        return False


def docker_client() -> str:
    """The docker client of this computer, empty where there is none."""
    from shutil import which

    path = which("docker")
    return os.path.realpath(path) if path is not None else ""


def chosen(wish: Wish, folder: str, label: str) -> Kind:
    """What the machines of a task are made of. An image for them may have to be made first, in containers of that
    label, which takes a minute, once. `folder` is where it is noted that this could not be done. Raises NoKindError."""
    if wish.kind not in (AUTO, boot.DOCKER):
        return Kind(name=wish.kind)
    engine, why = of_engine(wish)
    note = os.path.join(folder, NOTE)
    if engine is not None:
        before = _noted(note) if wish.kind == AUTO else None
        if before is None:
            from flowc.machines.docker.engine import Engine, EngineError
            from flowc.machines.docker.image import prepared

            try:
                return Kind(name=boot.DOCKER, engine=engine, image=prepared(Engine(engine), wish.image, label=label))
            except EngineError as error:
                why = str(error)
            if wish.kind == AUTO:
                with open(note, "w", encoding="utf-8") as file:
                    file.write(why)
        else:
            why = before
    elif wish.kind == AUTO:
        # Nobody expects docker where there is none.
        return Kind(name=boot.NAMESPACES)
    if wish.kind == boot.DOCKER:
        raise NoKindError(f"docker is wanted, and cannot be used: {why}")
    return Kind(name=boot.NAMESPACES, why=f"docker is here, and is not used: {why}")


def chosen_beside(
    wish: Wish, folder: str, label: str, wake: int, is_ended: Callable[[], bool], *, patience_s: float
) -> Kind | None:
    """As `chosen`, by a child: None where `is_ended`, which is asked whenever there is something in `wake`. An engine
    that does not answer is waited for, for so many seconds. Raises NoKindError."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with open(write, "w", encoding="utf-8") as out:
                until = time.monotonic() + patience_s
                while of_engine(wish)[0] is None and time.monotonic() < until:
                    time.sleep(1)
                try:
                    json.dump(vars(chosen(wish, folder, label)), out)
                except NoKindError as error:
                    json.dump({"error": str(error)}, out)
            os._exit(0)
        finally:
            import traceback

            traceback.print_exc()
            os._exit(1)
    os.close(write)
    while read not in select.select([read, wake], [], [])[0]:
        os.read(wake, 4096)
        if is_ended():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(read)
            return None
    with open(read, encoding="utf-8") as pipe:
        found = json.loads(pipe.read() or '{"error": "see supervisor.log"}')
    os.waitpid(child, 0)
    if "error" in found:
        raise NoKindError(found["error"])
    return Kind(**found)


def told(wish: Wish, folder: str) -> tuple[str | None, str]:
    """What machines would be made of, None where there can be none; and why it is nothing better. An image is neither
    pulled nor made for that."""
    docker = ""
    if wish.kind in (AUTO, boot.DOCKER):
        engine, why = of_engine(wish)
        before = _noted(os.path.join(folder, NOTE)) if wish.kind == AUTO else None
        if engine is not None and before is None:
            from flowc.machines.docker.engine import Engine
            from flowc.machines.docker.image import told as told_image

            return f"containers of the docker engine {engine}, {told_image(Engine(engine), wish.image)}", ""
        docker = f"docker is here, and is not used: {before}" if before else f"no docker engine: {why}"
        if wish.kind == boot.DOCKER:
            return None, f"docker is wanted, and {docker}"
    refused = boot.refused() if wish.kind != boot.GROUP else "they are not wanted"
    if refused is None:
        return f"{boot.NAMESPACES} ({docker})" if docker else boot.NAMESPACES, ""
    if wish.kind == boot.NAMESPACES:
        return None, f"namespaces are wanted, and the kernel gives none ({refused})"
    if os.geteuid() == 0:
        return None, f"the kernel gives no namespaces ({refused}), and without them a job of root could change it"
    return f"a {boot.GROUP} of processes", f"no namespaces ({refused})"


def _noted(note: str) -> str | None:
    """Why the engine could not be used a short while ago."""
    try:
        if time.time() - os.stat(note).st_mtime < AGAIN_S:
            with open(note, encoding="utf-8") as file:
                return file.read()
    except OSError:
        return None
    return None
