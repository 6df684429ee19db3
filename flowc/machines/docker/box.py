"""A machine as a container: its start, and its power. Whoever runs this talks to it through the engine."""

from __future__ import annotations

import json
import os
import select
import time

from flowc.machines.docker.engine import Engine, EngineError, is_rootless, users_of
from flowc.machines.docker.names import CLIENT, CLIENT_PLACE, CODE, FILES, FOLDERS, MACHINE, TASK, name_of, network_of
from flowc.machines.pipes import send
from flowc.machines.spec import Node, encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from flowc.machines.spec import Spec

# How long an engine that is being started anew is waited for, and the other machines of a task.
ENGINE_S, OTHERS_S = 300.0, 60.0
LOOK_S = 0.2


def run(spec: Spec, orders: int, events: int) -> None:
    """In a child process of its own, which ends with the machine. The end of `orders` is a power cut."""
    from flowc.machines import linux

    linux.be_called("flowc-docker")
    assert spec.box is not None
    engine = Engine(spec.box.engine)
    name = name_of(spec.box, spec.name)
    try:
        begun = _begun(engine, spec, name, orders)
    except EngineError as error:
        _discard(engine, name)
        send(events, {"is": "cannot", "why": f"docker: {error}"})
        return
    if begun is None:
        _see_it_off(engine, name, killed=True)
        return
    stream, said = begun
    if spec.box.jobs:
        from flowc.machines.docker.clients import serve
        from flowc.machines.docker.requests import Machine

        serve(f"{spec.disk}/{CLIENT}", Machine(engine, spec, f"{spec.disk}/{CLIENT}"))
    try:
        off = _relay(stream, orders, events, said)
    finally:
        stream.close()
    _see_it_off(engine, name, killed=not off)
    if off is None:
        send(events, {"is": "lost", "why": _why_lost(engine, name)})


def make_network(path: str, task: str) -> None:
    """The network of a task's machines, at the engine of a socket; one that is there stays. Where it cannot be
    made, none of its machines can be started: each says why."""
    engine = Engine(path)
    try:
        if engine.there(f"/networks/{network_of(task)}") is None:
            engine.call("POST", "/networks/create", {"Name": network_of(task), "Labels": {TASK: task}})
    except EngineError as error:
        os.write(2, f"no network: {error}\n".encode())


def cleared(path: str, task: str, image: str, disks: str) -> str:
    """Remove all that the engine of a socket has of a task, and make what its machines wrote below the folder `disks`
    this user's. Why it could not be done, empty where it was."""
    engine = Engine(path)
    try:
        _clear(engine, task)
        if image and os.geteuid() != 0 and not is_rootless(engine):
            _give_back(engine, image, task, disks)
    except EngineError as error:
        return str(error)
    return ""


def _clear(engine: Engine, task: str) -> None:
    for each in of_label(engine, "containers", f"{TASK}={task}"):
        engine.end("DELETE", f"/containers/{each['Id']}?force=1&v=1")
    for each in of_label(engine, "volumes", f"{TASK}={task}")["Volumes"] or ():
        engine.end("DELETE", f"/volumes/{each['Name']}?force=1")
    for each in of_label(engine, "networks", f"{TASK}={task}"):
        engine.end("DELETE", f"/networks/{each['Id']}")
    for each in of_label(engine, "images", f"{TASK}={task}"):
        engine.end("DELETE", f"/images/{each['Id']}?force=1")


def _give_back(engine: Engine, image: str, task: str, disk: str) -> None:
    """Files of a disk that belong to root of the engine become those of this user."""
    from flowc.machines.docker.image import run as run_once

    owner = f"{os.geteuid()}:{os.getegid()}"
    text = f"chown -Rh {owner} /disk"
    run_once(engine, image, text, label=f"{TASK}={task}", seconds=600.0, bound=disk)


def of_label(engine: Engine, kind: str, label: str) -> Any:
    """Containers (also those that have ended), networks, volumes or images."""
    from urllib.parse import quote

    filters = quote(json.dumps({"label": [label]}))
    path = {"containers": "containers/json?all=1&", "images": "images/json?"}.get(kind, f"{kind}?")
    return engine.call("GET", f"/{path}filters={filters}")


def _begun(engine: Engine, spec: Spec, name: str, orders: int) -> tuple[socket.socket, bytes] | None:
    """See `_started`; the engine may be on its way down, or up. None where the power goes meanwhile."""
    until = time.monotonic() + ENGINE_S
    while _engine_answers(engine, orders):
        try:
            return _started(engine, spec, name)
        except EngineError as error:
            if error.status or time.monotonic() > until:
                raise
            time.sleep(LOOK_S)
    return None


def _engine_answers(engine: Engine, orders: int) -> bool:
    """Waits for it; False where the power goes meanwhile. Raises EngineError."""
    until = time.monotonic() + ENGINE_S
    while (why := engine.ping()) is not None:
        if time.monotonic() > until:
            raise EngineError(f"the engine does not answer: {why}")
        if select.select([orders], [], [], LOOK_S)[0]:
            return False
    return True


def _started(engine: Engine, spec: Spec, name: str) -> tuple[socket.socket, bytes]:
    """The stream of a container that was started, and what it is told first."""
    there = engine.there(f"/containers/{name}/json")
    if there is not None and there["State"]["Running"]:
        # Whoever was its power before is gone, and it has not heard of it yet.
        engine.end("POST", f"/containers/{name}/kill")
        engine.call("POST", f"/containers/{name}/wait")
    _folders(spec)
    if there is None:
        _create(engine, spec, name)
    stream = engine.attached(name)
    try:
        engine.call("POST", f"/containers/{name}/start")
        # What the engine gives it needs no mock.
        told = spec.replace(nodes=_nodes(engine, spec), gpus=0 if spec.box is None or spec.box.gpus else spec.gpus)
    except EngineError:
        stream.close()
        raise
    return stream, json.dumps(encoded(told)).encode() + b"\n"


def _folders(spec: Spec) -> None:
    assert spec.box is not None
    for folder in (*FOLDERS, *spec.box.folders):
        path = f"{spec.disk}/root/{folder}"
        if not os.path.isdir(path):
            os.makedirs(path)
            if folder == "tmp":
                os.chmod(path, 0o1777)
    for file in FILES:
        with open(f"{spec.disk}/root/{file}", "ab"):
            pass
    if spec.box.jobs:
        os.makedirs(f"{spec.disk}/{CLIENT}", mode=0o700, exist_ok=True)
    for place, source in spec.box.links:
        # Who reads its files from outside finds them.
        if not os.path.lexists(f"{spec.disk}/root{place}"):
            os.symlink(source, f"{spec.disk}/root{place}")


def _create(engine: Engine, spec: Spec, name: str) -> None:
    box = spec.box
    assert box is not None
    ports = {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}] for port in box.ports}
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    mounts = [_bind(f"{spec.disk}/root/{each}", f"/{each}") for each in (*FOLDERS, *box.folders, *FILES)]
    mounts.append(_bind(package, f"{CODE}/flowc", read_only=True))
    for share in spec.shares:
        mounts.append(_bind(share.source, share.place if share.disk is None else f"/run/disks/{share.disk[:20]}"))
    labels = {TASK: box.task, MACHINE: name}
    network = network_of(box.task) if spec.nodes else "bridge"
    if box.jobs:
        mounts.append(_bind(f"{spec.disk}/{CLIENT}", CLIENT_PLACE))
        if box.client:
            mounts.append(_bind(box.client, f"{CODE}/docker", read_only=True))
        # Secrets that containers of the job get are in memory that the engine can share.
        memory_only = {
            "DriverConfig": {"Name": "local", "Options": {"type": "tmpfs", "device": "tmpfs", "o": "mode=700"}}
        }
        options = {"Labels": {TASK: box.task}, **memory_only}
        mounts.append({"Type": "volume", "Source": f"{name}-run", "Target": "/run/flowc", "VolumeOptions": options})
    memory = int(engine.call("GET", "/info").get("MemTotal") or 0)
    host: dict[str, object] = {
        "Tmpfs": {"/run": "rw,exec,nosuid,nodev,mode=755"},
        "Mounts": mounts,
        "NetworkMode": network,
        "UsernsMode": users_of(engine),
        # Its job's containers may share what one of the host would share.
        "IpcMode": "shareable",
        "PortBindings": ports,
        "LogConfig": {"Type": "none"},
        "SecurityOpt": ["label=disable"],
        # As a machine has it, where docker itself gives 64 MB.
        "ShmSize": memory // 2 or None,
        "RestartPolicy": {"Name": "no"},
    }
    if box.gpus:
        host["DeviceRequests"] = [{"Count": -1, "Capabilities": [["gpu"]]}]
    config = {
        "Image": box.image,
        "Hostname": spec.name,
        "Entrypoint": ["python3", "-B", "-m", "flowc.machines.docker.inside"],
        "Cmd": [],
        "User": "0:0",
        "WorkingDir": "/",
        "Env": [f"PYTHONPATH={CODE}", *(["NVIDIA_DRIVER_CAPABILITIES=all"] if box.gpus else [])],
        "Labels": labels,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Healthcheck": {"Test": ["NONE"]},
        "ExposedPorts": {port: {} for port in ports},
        "HostConfig": host,
    }
    if spec.nodes:
        config["NetworkingConfig"] = {"EndpointsConfig": {network: {"Aliases": [spec.name]}}}
    engine.call("POST", f"/containers/create?name={name}", config)


def _bind(source: str, place: str, *, read_only: bool = False) -> dict[str, object]:
    return {"Type": "bind", "Source": source, "Target": place, "ReadOnly": read_only}


def _nodes(engine: Engine, spec: Spec) -> tuple[Node, ...]:
    """All machines of the task with their addresses, once all have one. Raises EngineError."""
    assert spec.box is not None
    until = time.monotonic() + OTHERS_S
    found = []
    for node in spec.nodes:
        while True:
            there = engine.there(f"/containers/{name_of(spec.box, node.name)}/json")
            networks = there["NetworkSettings"]["Networks"] if there is not None and there["State"]["Running"] else {}
            address = networks.get(network_of(spec.box.task), {}).get("IPAddress")
            if address:
                break
            if time.monotonic() > until:
                raise EngineError(f"the machine {node.name} has no address after {OTHERS_S:g} seconds")
            time.sleep(0.02)
        found.append(Node(name=node.name, address=address))
    return tuple(found)


def _relay(stream: socket.socket, orders: int, events: int, said: bytes) -> bool | None:
    """Until the machine is off (True), its power is gone (False), or it is lost (None)."""
    frames, line, off = b"", b"", False
    sources: list[Any] = [stream]
    try:
        stream.sendall(said)
        up = False
        while True:
            # It is told nothing before it listens.
            ready, _, _ = select.select([*sources, *([orders] if up else [])], [], [], None if up else LOOK_S)
            if not ready and not up and _hung_up(orders):
                return False
            if stream in ready:
                data = stream.recv(65536)
                if not data:
                    return True if off else None
                frames += data
                while len(frames) >= 8 and len(frames) >= 8 + (size := int.from_bytes(frames[4:8], "big")):
                    kind, part, frames = frames[0], frames[8 : 8 + size], frames[8 + size :]
                    if kind != 1:
                        os.write(2, part)
                        continue
                    *lines, line = (line + part).split(b"\n")
                    for each in lines:
                        os.write(events, each + b"\n")
                        up = True
                        off = off or json.loads(each)["is"] == "off"
            if orders in ready:
                data = os.read(orders, 65536)
                if not data:
                    return False
                stream.sendall(data)
    except OSError:
        return True if off else None


def _hung_up(orders: int) -> bool:
    poll = select.poll()
    poll.register(orders, 0)
    return bool(poll.poll(0))


def _see_it_off(engine: Engine, name: str, *, killed: bool) -> None:
    """Nothing of the machine runs any more, nor of what its job has started on the engine."""
    try:
        for each in of_label(engine, "containers", f"{MACHINE}={name}"):
            if each["State"] == "running" and (killed or name not in _names(each)):
                engine.end("POST", f"/containers/{each['Id']}/kill")
        if engine.there(f"/containers/{name}/json") is not None:
            engine.call("POST", f"/containers/{name}/wait")
    except EngineError:
        return


def _names(container: dict[str, Any]) -> list[str]:
    return [name.lstrip("/") for name in container["Names"]]


def _why_lost(engine: Engine, name: str) -> str:
    try:
        there = engine.there(f"/containers/{name}/json")
    except EngineError:
        return "its docker engine went away"
    status = 137 if there is None else there["State"]["ExitCode"]
    # What ends it from outside is KILL; where its power is gone it ends by itself.
    if status in (0, 137):
        return "its container was ended from outside"
    return f"its first process ended with status {status}: see supervisor.log"


def _discard(engine: Engine, name: str) -> None:
    try:
        engine.end("DELETE", f"/containers/{name}?force=1&v=1")
    except EngineError:
        return
