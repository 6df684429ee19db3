"""The little of a docker engine's API that is needed here, over its socket: a client's program would cost more than the
whole rest of a short task."""

from __future__ import annotations

import json
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

CALL_S = 60.0
PING_S = 2.0


class EngineError(Exception):
    """The engine says no, with a status of HTTP, or does not answer (0)."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    """`path` is its socket. Every method raises EngineError."""

    def __init__(self, path: str) -> None:
        self.path = path

    def ping(self) -> str | None:
        """Why it does not answer, None where it does."""
        try:
            self.call("GET", "/_ping", seconds=PING_S)
        except EngineError as error:
            return str(error)
        return None

    def call(self, method: str, path: str, body: object = None, *, seconds: float | None = CALL_S) -> Any:
        """What it answers: values of JSON, or text. `seconds`: how long it may be silent, None: for ever."""
        with self._asked(method, path, body, seconds) as connection:
            reply = Reply(connection)
            text = b"".join(reply.pieces()).decode("utf-8", "replace")
        if reply.status >= 400:
            raise EngineError(_message(text) or f"{method} {path}: status {reply.status}", reply.status)
        return json.loads(text) if reply.head("content-type").startswith("application/json") and text else text

    def lines(self, method: str, path: str, *, seconds: float | None) -> Iterator[dict[str, Any]]:
        """What it tells by and by, a value of JSON a line."""
        with self._asked(method, path, None, seconds) as connection:
            reply = Reply(connection)
            rest = b""
            for piece in reply.pieces():
                *whole, rest = (rest + piece).split(b"\n")
                if reply.status < 400:
                    yield from (json.loads(line) for line in whole if line.strip())
                else:
                    rest = b"".join(whole) + rest
        if reply.status >= 400:
            raise EngineError(_message(rest.decode("utf-8", "replace")), reply.status)

    def attached(self, container: str) -> socket.socket:
        """The input and, in frames, the output of a container that is to be started."""
        path = f"/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1"
        connection = self._asked("POST", path, None, CALL_S, upgrade=True)
        reply = Reply(connection)
        if reply.status not in (101, 200):
            text = b"".join(reply.pieces()).decode("utf-8", "replace")
            connection.close()
            raise EngineError(_message(text), reply.status)
        connection.settimeout(None)
        return connection

    def there(self, path: str) -> Any:
        """What it says of a thing, None where there is no such thing."""
        try:
            return self.call("GET", path)
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    def end(self, method: str, path: str) -> None:
        """End a thing; one that is gone, or going, has ended."""
        try:
            self.call(method, path)
        except EngineError as error:
            if error.status not in (304, 404, 409):
                raise

    def _asked(
        self, method: str, path: str, body: object, seconds: float | None, *, upgrade: bool = False
    ) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(seconds)
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: docker", f"Content-Length: {len(data)}"]
        lines += ["Connection: Upgrade", "Upgrade: tcp"] if upgrade else ["Connection: close"]
        if data:
            lines.append("Content-Type: application/json")
        try:
            connection.connect(self.path)
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        except OSError as error:
            connection.close()
            raise EngineError(f"{self.path}: {error.strerror or error}") from None
        return connection


def users_of(engine: Engine) -> str:
    """The user namespace that containers need to write this user's folders: where the engine maps its users (its option
    `userns-remap`), that of the host. Raises EngineError."""
    return "host" if "name=userns" in _options(engine) else ""


def is_rootless(engine: Engine) -> bool:
    """Whether its root is this user. Raises EngineError."""
    return "name=rootless" in _options(engine)


def _options(engine: Engine) -> list[str]:
    return [str(each) for each in engine.call("GET", "/info").get("SecurityOptions") or ()]


class Reply:
    """What comes on a connection: the head is read at once, raising EngineError."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb", buffering=0)
        first, *lines = self._head_lines()
        words = first.split(" ", 2)
        if len(words) < 2 or not words[1].isdigit():
            raise EngineError("it answers, but is no docker engine")
        self.status = int(words[1])
        self._heads = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def head(self, name: str) -> str:
        """A line of the head, empty where there is none."""
        return self._heads.get(name, "")

    def pieces(self) -> Iterator[bytes]:
        """The rest, as it comes."""
        if self.head("transfer-encoding") == "chunked":
            while size := int(self._line().split(b";")[0] or b"0", 16):
                yield self._exactly(size)
                self._exactly(2)
            return
        length = self.head("content-length")
        left = int(length) if length.isdigit() else None
        while left is None or left:
            piece = self._read(65536 if left is None else min(left, 65536))
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece

    def _head_lines(self) -> list[str]:
        found = []
        while line := self._line():
            found.append(line.decode("latin-1"))
        if not found:
            raise EngineError("it closed the connection without an answer")
        return found

    def _line(self) -> bytes:
        # Byte by byte: what follows a head may be the stream of a container.
        found = bytearray()
        while not found.endswith(b"\n"):
            byte = self._read(1)
            if not byte:
                break
            found += byte
        return bytes(found).rstrip(b"\r\n")

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            piece = self._read(size - len(found))
            if not piece:
                raise EngineError("it closed the connection in the middle of an answer")
            found += piece
        return found

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size) or b""
        except OSError as error:
            raise EngineError(f"it does not answer: {error.strerror or error}") from None


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()
