"""Lets the job of a machine that is a container have containers of its own: beside the machine, on the same engine.

What the machine's docker client says goes through a socket of ours. What it names is the machine's: paths of the
machine become those of this computer, names are put below the machine's own name, lists hold what is the machine's
alone. What would give rights over this computer is refused, in a sentence that the client shows.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from urllib.parse import parse_qsl, quote, unquote, urlencode

from flowc.machines.docker.engine import Engine, EngineError
from flowc.machines.docker.requests import Machine, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PIECE = 65536


def serve(folder: str, machine: Machine) -> None:
    """Listen in `folder` for as long as this process lives, which has it as its working directory from here on: the
    path of a socket must be short."""
    os.chdir(folder)
    name = machine.SOCKET
    if os.path.lexists(name):
        os.unlink(name)
    server = socket.socket(socket.AF_UNIX)
    server.bind(name)
    os.chmod(name, 0o600)
    server.listen(64)
    threading.Thread(target=_accept, args=(server, machine), daemon=True).start()


def _accept(server: socket.socket, machine: Machine) -> None:
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_serve, args=(connection, machine), daemon=True).start()


def _serve(client: socket.socket, machine: Machine) -> None:
    """One call: each has a connection of its own. Whatever it is, it is answered."""
    with client:
        try:
            request = _Request(client)
            _answer(client, request, machine)
        except RefusedError as error:
            _reply(client, error.status, {"message": str(error)})
        except EngineError as error:
            _reply(client, error.status or 503, {"message": str(error)})
        except OSError:
            return
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # What no docker client says.
            _reply(client, 400, {"message": f"a local machine's docker does not understand this: {error}"})


class _Request:
    """The head of a call; its body is read where somebody wants it."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(PIECE)
            if not more:
                raise ValueError("no head")
            data += more
        head, _, self.rest = data.partition(b"\r\n\r\n")
        first, *self.lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = first.split(" ", 2)
        path, _, query = target.partition("?")
        match = re.fullmatch(r"(/v[0-9.]+)?(/.*)", path)
        if match is None:
            raise ValueError(target)
        self.version, self.path = match[1] or "", match[2]
        self.query = dict(parse_qsl(query, keep_blank_values=True))

    @property
    def upgrades(self) -> bool:
        return any(line.lower().startswith("upgrade:") for line in self.lines)

    def body(self) -> Any:
        """As JSON; None where there is none."""
        size = next((int(line.split(":")[1]) for line in self.lines if line.lower().startswith("content-length:")), 0)
        while len(self.rest) < size:
            more = self._client.recv(PIECE)
            if not more:
                raise ValueError("half a body")
            self.rest += more
        return json.loads(self.rest) if self.rest.strip() else None

    def head(self) -> bytes:
        """What the engine is sent before the body, with a path and a query as they are now."""
        query = f"?{urlencode(self.query)}" if self.query else ""
        kept = [line for line in self.lines if not line.lower().startswith(("host:", "connection:"))]
        kept += ["Host: docker", "Connection: " + ("Upgrade" if self.upgrades else "close")]
        return "\r\n".join([f"{self.method} {self.version}{self.path}{query} HTTP/1.1", *kept, "", ""]).encode(
            "latin-1"
        )

    def replace_body(self, values: object) -> None:
        self.rest = json.dumps(values).encode()
        kept = [line for line in self.lines if not line.lower().startswith(("content-length:", "content-type:"))]
        self.lines = [*kept, f"Content-Length: {len(self.rest)}", "Content-Type: application/json"]


def _answer(client: socket.socket, request: _Request, machine: Machine) -> None:
    what = f"{request.method} {request.path}"
    for pattern, change in _CHANGES:
        match = re.fullmatch(pattern, what)
        if match is not None:
            done = change(request, machine, *(unquote(each or "") for each in match.groups()))
            if done is not None:
                _reply(client, 200, done)
                return
            break
    else:
        raise RefusedError(f"a local machine's docker does not know `{what}`")
    _pass_on(client, request, machine.engine)


def _pass_on(client: socket.socket, request: _Request, engine: Engine) -> None:
    """The call as it is now, and all that comes from either side until the engine is done."""
    with socket.socket(socket.AF_UNIX) as far:
        try:
            far.connect(engine.path)
            far.sendall(request.head() + request.rest)
        except OSError as error:
            raise EngineError(f"{engine.path}: {error.strerror}") from None
        threading.Thread(target=_copy, args=(client, far), daemon=True).start()
        _copy(far, client)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(PIECE):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _reply(client: socket.socket, status: int, values: object) -> None:
    data = json.dumps(values).encode()
    head = (
        f"HTTP/1.1 {status} {'OK' if status < 400 else 'No'}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    try:
        client.sendall(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    except OSError:
        return


# What is changed of a call; what is given is the answer, None: the engine's.


def _create(request: _Request, machine: Machine) -> None:
    if request.query.get("name"):
        request.query["name"] = machine.name(request.query["name"])
    request.replace_body(machine.container(request.body() or {}))


def _list(request: _Request, machine: Machine) -> Any:
    machine.only_own(request.query)
    found = machine.engine.call("GET", f"{request.version}{request.path}?{urlencode(request.query)}")
    if request.path == "/containers/json":
        own = [each for each in found if f"/{machine.container_name}" not in each["Names"]]
        return [{**each, "Names": [machine.shown(name) for name in each["Names"]]} for each in own]
    if request.path == "/volumes":
        return {**found, "Volumes": [{**each, "Name": machine.shown(each["Name"])} for each in found["Volumes"] or ()]}
    return [{**each, "Name": machine.shown(each["Name"])} for each in found]


def _container(request: _Request, machine: Machine, name: str, rest: str) -> Any:
    there = machine.inspected(name)
    identity = there["Id"]
    if request.method == "GET" and rest == "/json":
        found = machine.engine.call("GET", f"{request.version}/containers/{identity}/json")
        return {**found, "Name": machine.shown(found["Name"])}
    if rest == "/exec":
        body = request.body() or {}
        if body.get("Privileged"):
            raise RefusedError("a local machine gives no privileged process")
        request.replace_body(body)
    if rest == "/rename":
        request.query["name"] = machine.name(request.query.get("name", ""))
    if rest == "/update":
        raise RefusedError("a local machine's containers stay as they are")
    request.path = f"/containers/{identity}{rest}"
    return None


def _events(request: _Request, machine: Machine) -> None:
    machine.only_own(request.query)


def _commit(request: _Request, machine: Machine) -> None:
    request.query["container"] = machine.inspected(request.query.get("container", ""))["Id"]
    if request.query.get("repo"):
        request.query["repo"] = machine.made_image(request.query["repo"])
    body = request.body() or {}
    request.replace_body({**body, "Labels": {**(body.get("Labels") or {}), **machine.labels}})


def _image(request: _Request, machine: Machine, name: str, rest: str) -> None:
    own = machine.image(name)
    if (own == name and request.method == "DELETE") or (request.method == "POST" and not rest):
        raise RefusedError("the images of this computer stay as they are", 409)
    if rest == "/tag" and request.query.get("repo"):
        request.query["repo"] = machine.made_image(request.query["repo"])
    request.path = f"/images/{quote(own, safe='/:@')}{rest}"


def _pull(request: _Request, machine: Machine) -> None:
    if request.query.get("fromSrc"):
        raise RefusedError("a local machine pulls its images")


def _build(request: _Request, machine: Machine) -> None:
    if request.query.get("t"):
        request.query["t"] = machine.made_image(request.query["t"])
    labels = json.loads(request.query.get("labels") or "{}")
    request.query["labels"] = json.dumps({**labels, **machine.labels})
    if request.query.get("networkmode") == "host":
        request.query["networkmode"] = "default"


def _named(request: _Request, machine: Machine, kind: str) -> None:
    body = request.body() or {}
    body["Name"] = machine.name(body.get("Name") or os.urandom(16).hex())
    body["Labels"] = {**(body.get("Labels") or {}), **machine.labels}
    if body.get("Driver", "local") not in ("local", "bridge", "") or body.get("DriverOpts") or body.get("Options"):
        raise RefusedError(f"a local machine's {kind} are plain ones")
    request.replace_body(body)


def _thing(request: _Request, machine: Machine, kind: str, name: str, rest: str) -> None:
    own = machine.name(name)
    if rest in ("/connect", "/disconnect"):
        body = request.body() or {}
        request.replace_body({**body, "Container": machine.inspected(body.get("Container", ""))["Id"]})
    # One that a list has shown by its id.
    path = next(
        (f"/{kind}/{each}" for each in (own, name) if machine.has(f"/{kind}/{quote(each, safe='')}")), f"/{kind}/{own}"
    )
    request.path = path + rest


def _as_it_is(request: _Request, machine: Machine) -> None:
    """Nothing is to be changed."""


_CHANGES: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"POST /containers/create", _create),
    (r"GET /(?:containers/json|volumes|networks)", _list),
    (r"(?:GET|HEAD|POST|PUT|DELETE) /containers/([^/]+)(/.+)?", _container),
    (r"GET /events", _events),
    (r"POST /commit", _commit),
    (r"POST /build", _build),
    (r"POST /images/create", _pull),
    (r"GET /images/(?:json|search)|POST /images/load", _as_it_is),
    (r"(?:GET|POST|DELETE) /images/(.+?)(/json|/history|/tag|/push|/get)?", _image),
    (r"POST /(volumes|networks)/create", _named),
    (r"(?:GET|DELETE|POST) /(volumes|networks)/([^/]+)(/connect|/disconnect)?", _thing),
    (r"(?:GET|HEAD) /(?:_ping|version|info|distribution/.*|exec/[^/]+/json)", _as_it_is),
    (r"POST /(?:auth|session|grpc|exec/[^/]+/(?:start|resize))", _as_it_is),
)
