"""What a local machine is made of."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Node(Record):
    """One machine of a task among the others: its host name and its address on this computer (127.x.y.z)."""

    name: str
    address: str


class Share(Record):
    """A folder of this computer that is seen in a machine at `place`, an absolute path. `disk`: the id of
    the block device that it is there instead, labelled with the last part of `place`; None for a folder."""

    source: str
    place: str
    disk: str | None = None


class File(Record):
    """A file that is put into a machine at each boot, such as secrets: it may stand in memory there. `text` is bytes
    as text (surrogateescape)."""

    UNSHOWN = ("text",)

    path: str
    mode: int
    text: str


class Box(Record):
    """Where a machine is a container: the socket of the `engine`, the `image` that it is made of, the `task` that it
    belongs to, an id of the local provider. `ports` of it are this computer's too; `gpus`: it gets this computer's;
    `jobs`: its job has containers of its own, `client`: a docker client of this computer for them. Below its root the
    `folders` stand on the disk here, all else that is written in the container; `links` are places where its job mounts
    a volume, with what they lead to."""

    engine: str
    image: str
    task: str
    ports: tuple[int, ...] = ()
    gpus: bool = False
    jobs: bool = False
    client: str = ""
    folders: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


class Spec(Record):
    """A machine. `disk` is the folder that survives its reboots (absolute, made where it is missing), `name` its host
    name, `nodes` all machines of its task, the head first (empty: it is alone), `gpus` how many it shows, of
    `instance_type`; `script` what runs at the first boot of its disk, None: nothing, and always nothing later. A folder
    `skeleton`, made where it is missing, is what machines of one user share (empty: its own); it must stay there.
    `box`: what it is as a container."""

    disk: str
    name: str
    nodes: tuple[Node, ...] = ()
    shares: tuple[Share, ...] = ()
    files: tuple[File, ...] = ()
    gpus: int = 0
    instance_type: str = ""
    script: str | None = None
    skeleton: str = ""
    box: Box | None = None


def encoded(spec: Spec) -> dict[str, Any]:
    """A spec as JSON values."""
    return {
        **vars(spec),
        "nodes": [vars(node) for node in spec.nodes],
        "shares": [vars(share) for share in spec.shares],
        "files": [vars(file) for file in spec.files],
        "box": None if spec.box is None else vars(spec.box),
    }


def decoded(values: Mapping[str, Any]) -> Spec:
    """The spec that `encoded` wrote."""
    return Spec(
        **{
            **values,
            "nodes": tuple(Node(**node) for node in values["nodes"]),
            "shares": tuple(Share(**share) for share in values["shares"]),
            "files": tuple(File(**file) for file in values["files"]),
            "box": None if values["box"] is None else _box(values["box"]),
        }
    )


def _box(values: Mapping[str, Any]) -> Box:
    several = {name: tuple(values[name]) for name in ("ports", "folders")}
    return Box(**{**values, **several, "links": tuple((place, source) for place, source in values["links"])})


def hosts(spec: Spec) -> str:
    """/etc/hosts of a machine: the first of its nodes comes last, as on the provider's machines. Startup scripts pass
    over addresses of 127, which are for one machine alone elsewhere: here they are what tells machines apart, so they
    stand there a second time, spelled in a way that only programs which are given an address understand."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    if not spec.nodes:
        lines.append(f"127.0.1.1 {spec.name}")
    for node in reversed(spec.nodes):
        lines.append(f"{node.address} {node.name}")
        if node.address.startswith("127."):
            lines.append(f"0177{node.address[3:]} {node.name}")
    return "".join(f"{line}\n" for line in lines)
