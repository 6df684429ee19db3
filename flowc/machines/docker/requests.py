"""What the docker client of a machine names, as the engine of this computer is to be told it."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import quote

from flowc.digest import sha256_hex
from flowc.machines.disk import outside
from flowc.machines.docker.engine import Engine, users_of
from flowc.machines.docker.names import FOLDERS, MACHINE, TASK, name_of
from flowc.machines.gpus import nvidia_smi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.machines.spec import Spec

# Capabilities that docker gives by itself, and those that give no rights over this computer.
HARMLESS = frozenset(
    [
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
        "SYS_PTRACE",
        "SYS_NICE",
        "SYS_RESOURCE",
        "IPC_LOCK",
        "NET_ADMIN",
        "IPC_OWNER",
        "LEASE",
    ]
)
DEVICES = re.compile(r"/dev/(infiniband|nvidia|fuse|kfd|dri)[^.]*")
# What a container that shares the network of another one cannot have.
NOT_SHARED = ("Hostname", "Domainname", "ExposedPorts", "MacAddress")
NOT_SHARED_BY_HOST = ("PortBindings", "PublishAllPorts", "Dns", "DnsOptions", "DnsSearch", "Links")
# What is about this computer as a whole, or outlives a task.
LEFT_OUT = ("CgroupParent", "MaskedPaths", "ReadonlyPaths", "Runtime", "OomScoreAdj")
SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")


class RefusedError(Exception):
    """What a local machine's docker does not do, in a sentence; the status is HTTP's."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


class Machine:
    """The machine whose job asks. `folder` is one of this computer that it sees too, with the socket."""

    SOCKET = "docker.sock"

    def __init__(self, engine: Engine, spec: Spec, folder: str) -> None:
        assert spec.box is not None
        self.engine = engine
        self.container_name = name_of(spec.box, spec.name)
        self.labels = {TASK: spec.box.task, MACHINE: self.container_name}
        self._spec = spec
        self._box = spec.box
        self._folder = folder

    # Names.

    def name(self, name: str) -> str:
        """A container, volume or network, below the machine's own name."""
        return f"{self.container_name}.{name}"

    def shown(self, name: str) -> str:
        """As the machine knows it."""
        bare = name.removeprefix("/")
        slash = "/" * (len(name) - len(bare))
        return slash + bare.removeprefix(f"{self.container_name}.")

    def made_image(self, name: str) -> str:
        """The name that an image gets which the job makes."""
        repository, tag = _tagged(name)
        return f"{self.container_name.lower()}/{sha256_hex(repository.encode())[:12]}" + (f":{tag}" if tag else "")

    def image(self, name: str) -> str:
        """One that the job has made, else one of the engine."""
        if "@" in name:
            return name
        own = self.made_image(name)
        return own if self.has(f"/images/{quote(own, safe='/:')}/json") else name

    def has(self, path: str) -> bool:
        """Whether the engine has a thing."""
        return self.engine.there(path) is not None

    def inspected(self, name: str) -> Any:
        """What the engine says of a container of the job. Raises RefusedError for one that is none."""
        for each in (self.name(name), name):
            there = self.engine.there(f"/containers/{quote(each, safe='')}/json") if name else None
            if there is not None and (there["Config"]["Labels"] or {}).get(MACHINE) == self.container_name:
                return there
        raise RefusedError(f"No such container: {name}", 404)

    def only_own(self, query: dict[str, str]) -> None:
        """Restrict the filters of a call to what the machine has."""
        filters = json.loads(query.get("filters") or "{}")
        found = {key: list(values) for key, values in filters.items()}
        found["label"] = [*found.get("label", ()), f"{MACHINE}={self.container_name}"]
        for key in ("container", "volume", "network"):
            if key in found:
                found[key] = [self.name(each) for each in found[key]]
        if "name" in found:
            found["name"] = [
                f"^/?{re.escape(self.container_name)}[.]{each[1:]}" if each.startswith("^") else each
                for each in found["name"]
            ]
        query["filters"] = json.dumps(found)

    # What a container is made of.

    def container(self, config: dict[str, Any]) -> dict[str, Any]:
        """The body of a call that makes one. Raises RefusedError."""
        host = {name: value for name, value in (config.get("HostConfig") or {}).items() if name not in LEFT_OUT}
        self._refuse(host)
        host["Binds"] = [self._bind(each) for each in host.get("Binds") or ()]
        host["Mounts"] = [self._mount(each) for each in host.get("Mounts") or ()]
        if host.get("VolumesFrom"):
            host["VolumesFrom"] = [self._like(each) for each in host["VolumesFrom"]]
        # It must not be started by the engine when nobody keeps the task.
        if (host.get("RestartPolicy") or {}).get("Name") in ("always", "unless-stopped"):
            host["RestartPolicy"] = {"Name": "no"}
        # As the machine's: it may be that of the host where the engine has one of its own.
        host["UsernsMode"] = users_of(self.engine)
        self._gpus(host)
        changed = {**config, "HostConfig": host, "Labels": {**(config.get("Labels") or {}), **self.labels}}
        changed["Image"] = self.image(config.get("Image") or "")
        for kind in ("PidMode", "IpcMode", "UTSMode"):
            host[kind] = self._space(host.get(kind) or "", kind)
        self._network(changed, host)
        return changed

    def _refuse(self, host: dict[str, Any]) -> None:
        if host.get("Privileged"):
            raise RefusedError("a local machine gives no privileged container: it would have this computer")
        for each in host.get("CapAdd") or ():
            if each.upper().removeprefix("CAP_") not in HARMLESS:
                raise RefusedError(f"a local machine gives no container the capability {each}")
        for each in host.get("Devices") or ():
            if not DEVICES.fullmatch(each.get("PathOnHost") or ""):
                raise RefusedError(f"a local machine gives no container the device {each.get('PathOnHost')}")

    def _bind(self, words: str) -> str:
        source, _, rest = words.partition(":")
        return f"{self.path(source) if source.startswith('/') else self._volume(source)}:{rest}"

    def _mount(self, mount: dict[str, Any]) -> dict[str, Any]:
        kind = mount.get("Type")
        if kind == "bind":
            return {**mount, "Source": self.path(mount.get("Source") or "")}
        if kind == "volume" and mount.get("Source"):
            options = mount.get("VolumeOptions") or {}
            if options.get("DriverConfig"):
                raise RefusedError("a local machine's volumes are plain ones")
            return {**mount, "Source": self._volume(mount["Source"])}
        if kind in ("volume", "tmpfs"):
            return mount
        raise RefusedError(f"a local machine knows no mount of type {kind}")

    def _volume(self, name: str) -> str:
        own = self.name(name)
        if not self.has(f"/volumes/{quote(own, safe='')}"):
            self.engine.call("POST", "/volumes/create", {"Name": own, "Labels": self.labels})
        return own

    def _like(self, words: str) -> str:
        name, colon, rest = words.partition(":")
        return f"{self.inspected(name)['Id']}{colon}{rest}"

    def path(self, path: str) -> str:
        """Where a path of the machine stands on this computer. Raises RefusedError where it does not."""
        path = os.path.normpath(path)
        if path in SOCKETS:
            return f"{self._folder}/{self.SOCKET}"
        first = path.split("/")[1]
        places = [*(f"/{each}" for each in FOLDERS), *(share.place for share in self._spec.shares)]
        if (
            first in self._box.folders
            or any(path == f"/{place}" or path.startswith(f"{place}/") for place in places)
            or any(path == place or path.startswith(f"{place}/") for place, _ in self._box.links)
            or path in places
        ):
            return outside(self._spec.disk, path, self._spec.shares)
        there = self.engine.call("GET", f"/containers/{self.container_name}/json")
        for mount in sorted(there["Mounts"], key=lambda each: -len(each["Destination"])):
            if path == mount["Destination"] or path.startswith(mount["Destination"] + "/"):
                return str(mount["Source"] + path[len(mount["Destination"]) :])
        merged = (there.get("GraphDriver") or {}).get("Data") or {}
        if first not in ("dev", "proc", "sys", "run") and path != "/" and merged.get("MergedDir"):
            # The engine would follow a link of the machine to a file of this computer.
            real = self._real(path)
            return f"{merged['MergedDir']}{path}" if real == path else self.path(real)
        raise RefusedError(f"a local machine's containers cannot have {path} of the machine")

    def _real(self, path: str) -> str:
        """A path of the machine without links."""
        body = {"Cmd": ["realpath", "-m", "--", path], "AttachStdout": True, "Tty": True}
        call = self.engine.call("POST", f"/containers/{self.container_name}/exec", body)["Id"]
        return str(self.engine.call("POST", f"/exec/{call}/start", {"Tty": True})).rstrip("\r\n")

    def _gpus(self, host: dict[str, Any]) -> None:
        """Where this computer's are not given to the machine, its mock is shown in the container."""
        asked = host.pop("DeviceRequests", None)
        if not asked:
            return
        if self._box.gpus:
            host["DeviceRequests"] = asked
        elif self._spec.gpus:
            mock = f"{self._folder}/nvidia-smi"
            if not os.path.exists(mock):
                with open(f"{mock}.new", "w", encoding="utf-8") as file:
                    file.write(nvidia_smi(self._spec.instance_type, self._spec.gpus))
                    os.fchmod(file.fileno(), 0o755)
                os.replace(f"{mock}.new", mock)
            host["Binds"].append(f"{mock}:/usr/bin/nvidia-smi:ro")

    def _space(self, mode: str, kind: str) -> str:
        """A namespace: the machine's for the host's, and another container's by its id."""
        if mode == "host":
            # There is no way to have the host name of another container but with its network.
            return "" if kind == "UTSMode" else f"container:{self.container_name}"
        if mode.startswith("container:"):
            return f"container:{self.inspected(mode.partition(':')[2])['Id']}"
        return mode

    def _network(self, config: dict[str, Any], host: dict[str, Any]) -> None:
        mode = host.get("NetworkMode") or "default"
        if mode == "host":
            if host.get("ExtraHosts"):
                raise RefusedError("a local machine's containers that share its network share its /etc/hosts too")
            host["NetworkMode"] = f"container:{self.container_name}"
            for name in NOT_SHARED:
                config.pop(name, None)
            for name in NOT_SHARED_BY_HOST:
                host.pop(name, None)
            config.pop("NetworkingConfig", None)
        elif mode.startswith("container:"):
            host["NetworkMode"] = self._space(mode, "")
        elif mode not in ("default", "bridge", "none"):
            host["NetworkMode"] = self.name(mode)
            ends = (config.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
            config["NetworkingConfig"] = {"EndpointsConfig": {self.name(name): end for name, end in ends.items()}}


def _tagged(name: str) -> tuple[str, str]:
    """A repository, and the tag, empty where there is none."""
    last = name.rpartition("/")[2]
    return (name.rpartition(":")[0], name.rpartition(":")[2]) if ":" in last else (name, "")
