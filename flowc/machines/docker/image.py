"""What containers are made of: an ordinary small image of Debian or Ubuntu, and what a rented machine has."""

from __future__ import annotations

from urllib.parse import quote

from flowc.digest import sha256_hex
from flowc.machines.docker.engine import Engine, EngineError, users_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The first of these that the engine has is taken; where it has none, the first is pulled.
BASES = (
    "ubuntu:24.04",
    "ubuntu:22.04",
    "debian:12",
    "debian:bookworm",
    "debian:bookworm-slim",
    "debian:13",
    "ubuntu:latest",
    "debian:latest",
)
NAME = "flowc-machine"
PACKAGES = "python3 ca-certificates curl git hostname iproute2 procps util-linux xz-utils"
PROGRAMS = "bash python3 base64 gunzip flock setsid ps hostname"
CHECK = (
    f"for each in {PROGRAMS}; do command -v $each || exit 1; done >/dev/null && "
    "python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'"
)
INSTALL = (
    "export DEBIAN_FRONTEND=noninteractive && apt-get -qq update && "
    f"apt-get -qqy --no-install-recommends install {PACKAGES} >/dev/null && rm -rf /var/lib/apt/lists/*"
)
PULL_S, INSTALL_S = 300.0, 600.0


def prepared(engine: Engine, wanted: str | None, *, label: str) -> str:
    """The name of an image that machines can be made of, made once where the engine has none: of `wanted`, else of an
    ordinary one, which may be pulled. `label` is that of containers that are needed for that. Raises EngineError, in a
    sentence."""
    base = wanted or next((name for name in BASES if _image(engine, name)), BASES[0])
    found = _image(engine, base)
    if found is None:
        _pull(engine, base)
        found = _image(engine, base)
        if found is None:
            raise EngineError(f"{base} was pulled, and is not there")
    tag = sha256_hex(f"{found['Id']} {PACKAGES} {CHECK}".encode())[:12]
    name = f"{NAME}:{tag}"
    if _image(engine, name) is None:
        # Named for itself, so that it need not be looked at again.
        if run(engine, base, CHECK, label=label, seconds=60.0)[0] == 0:
            engine.call("POST", f"/images/{quote(base, safe='/:')}/tag?repo={NAME}&tag={tag}")
        else:
            _install(engine, base, tag, label)
    return name


def told(engine: Engine, wanted: str | None) -> str:
    """Of which image machines would be made, in words."""
    try:
        base = wanted or next((name for name in BASES if _image(engine, name)), BASES[0])
        return f"made of {base}" + ("" if _image(engine, base) else ", which is pulled first")
    except EngineError as error:
        return f"whose images are not known: {error}"


def _image(engine: Engine, name: str) -> Any:
    return engine.there(f"/images/{quote(name, safe='/:')}/json")


def _pull(engine: Engine, name: str) -> None:
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    try:
        for line in engine.lines(
            "POST", f"/images/create?fromImage={quote(repository, safe='')}&tag={quote(tag)}", seconds=PULL_S
        ):
            if "error" in line:
                raise EngineError(str(line["error"]))
    except EngineError as error:
        raise EngineError(f"the engine has no {name} and cannot pull it: {error}") from None


def _install(engine: Engine, base: str, tag: str, label: str) -> None:
    status, said, container = run(engine, base, INSTALL, label=label, seconds=INSTALL_S, keep=True)
    try:
        if status:
            last = said.strip().splitlines()[-1:] or [f"status {status}"]
            raise EngineError(f"cannot install what a machine needs into {base}: {last[0]}")
        # Not the label of the container: the image stays.
        config = {"Cmd": ["bash"], "Labels": {label.split("=", 1)[0]: ""}}
        engine.call("POST", f"/commit?container={container}&repo={NAME}&tag={tag}", config, seconds=INSTALL_S)
    finally:
        engine.end("DELETE", f"/containers/{container}?force=1&v=1")


def run(
    engine: Engine, image: str, text: str, *, label: str, seconds: float, keep: bool = False, bound: str = ""
) -> tuple[int, str, str]:
    """The status and the last output of a text for the shell of an image, and the container, which is gone unless it is
    to be kept. Raises EngineError."""
    config: dict[str, Any] = {
        "Image": image,
        "Entrypoint": ["sh", "-c", text],
        "Cmd": [],
        "User": "0:0",
        "Tty": True,
        "Labels": dict([label.split("=", 1)]),
        "HostConfig": {"LogConfig": {"Type": "json-file"}, "SecurityOpt": ["label=disable"]},
    }
    if bound:
        mounts = [{"Type": "bind", "Source": bound, "Target": "/disk"}]
        config["HostConfig"] |= {"Mounts": mounts, "UsernsMode": users_of(engine)}
    container = engine.call("POST", "/containers/create", config)["Id"]
    try:
        engine.call("POST", f"/containers/{container}/start")
        status = int(engine.call("POST", f"/containers/{container}/wait", seconds=seconds)["StatusCode"])
        said = str(engine.call("GET", f"/containers/{container}/logs?stdout=1&stderr=1&tail=20"))
    except EngineError:
        keep = False
        raise
    finally:
        if not keep:
            engine.end("DELETE", f"/containers/{container}?force=1&v=1")
    return status, said, container
