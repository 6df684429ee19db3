"""The provider on a loopback port. Every reply goes through `faults`, and every request into `state.log`.

with Server() as server:
    client(server.url, server.key)
    server.state.clock.advance(minutes=2)
    assert len(server.log.done("bid placed")) == 1
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.mithril.faults import BEFORE, Fault, Plan
from tests.mithril.parts.log import Call, Log
from tests.mithril.routes.answer import Answer, Provider
from tests.mithril.state import State

Judge = Callable[[Call, Answer], None]


class _Connections(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, owner: Server) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.socket.setblocking(False)  # whoever is gone before it is accepted would have it wait for the next one
        self.owner = owner
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no fault of the server; anything else fails the test that closes it."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, ConnectionError | TimeoutError):
            self.owner.errors.append(error)


class Server:
    """`judge` is called with each call and its answer, before that is sent or spoiled; what it raises fails `close`.
    `speed` has the clock go by itself, that many seconds in one."""

    def __init__(
        self, state: State | None = None, *, port: int = 0, speed: float = 0, judge: Judge | None = None
    ) -> None:
        self.state = state or State()
        self.faults = Plan()
        self.errors: list[BaseException] = []
        self.provider = Provider(self.state)
        self.judge = judge
        self.stopped = threading.Event()
        self._connections = _Connections(port, self)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._clock = self.state.clock.run(speed, self.stopped) if speed else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._connections.server_port}"

    @property
    def key(self) -> str:
        return self.state.key

    @property
    def log(self) -> Log:
        return self.state.log

    def _serve(self) -> None:
        """As `serve_forever`, whose `shutdown` waits for ever for a thread that is gone, as after a fork."""
        try:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._connections, selectors.EVENT_READ)
                while not self.stopped.is_set():
                    # Not in `handle_request`, which does not wait at all where the socket does not.
                    if waiting.select(0.02):
                        self._connections.handle_request()
        except BaseException as error:
            self.errors.append(error)

    def look_at(self, call: Call, answer: Answer) -> None:
        if self.judge is not None:
            try:
                self.judge(call, answer)
            except Exception as error:
                self.errors.append(error)

    def close(self) -> None:
        """Ends it, open connections too; raises what went wrong inside it meanwhile. Nothing falls due afterwards."""
        self.stopped.set()
        self.faults.clear()
        if self._clock is not None:
            self._clock.join()
        self._thread.join(60)
        if self._thread.is_alive():
            frame = sys._current_frames().get(self._thread.ident or 0)
            where = "".join(traceback.format_stack(frame)) if frame is not None else "nowhere"
            self.errors.append(RuntimeError(f"the thread that serves does not end: {where}"))
        self._connections.server_close()
        self._connections.hang_up()
        if self.errors:
            raise BaseExceptionGroup("the server failed", self.errors)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Connections
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method: one that is not served is told so as an API would
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: `state.log` has it all."""

    def _serve(self) -> None:
        owner = self.server.owner
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._send(Answer(411, {"detail": "Length Required"}), None, close=True)
            return
        data = self.rfile.read(int(length))
        if len(data) < int(length):  # the client is gone: nobody has asked for anything
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        call = owner.provider.receive(self.command, path, query, dict(self.headers.items()), data)
        call.connection = self.client_address[1]
        fault = owner.faults.take(call.method, call.path)
        call.fault = fault.kind if fault is not None else None
        if fault is not None and fault.kind in BEFORE and self._before(fault, call):
            return
        answer = owner.provider.answer(call)
        owner.look_at(call, answer)
        self._after(fault, answer, call)

    def _before(self, fault: Fault, call: Call) -> bool:
        """Whether the request ends here, before the provider sees it."""
        if fault.kind == "drop before":
            self._drop(fault)
            return True
        if fault.kind == "status":
            self._send(self._failure(fault, call), call)
            return True
        fault.gate.wait(fault.seconds)
        return False

    def _after(self, fault: Fault | None, answer: Answer, call: Call) -> None:
        kind = fault.kind if fault is not None else None
        if fault is None or kind == "late":
            self._send(answer, call)
        elif kind == "drop after":
            self._drop(fault)
        elif kind == "status after":
            self._send(self._failure(fault, call), call)
        elif kind == "slow":
            fault.gate.wait(fault.seconds)
            self._send(answer, call)
        elif kind == "close":
            self._send(answer, call)
            self.close_connection = True
        else:
            self._spoiled(fault, answer, call)

    def _spoiled(self, fault: Fault, answer: Answer, call: Call) -> None:
        spoiled = answer.spoiled(fault)
        body = spoiled.data()
        claimed = len(body) + {"too long": fault.bytes, "too short": -fault.bytes}.get(fault.kind, 0)
        head = self._head(spoiled, max(0, claimed))
        if fault.kind == "drip":
            for byte in head + body:
                self._write(bytes([byte]), call, spoiled.status)
                fault.gate.wait(fault.seconds)
        elif fault.kind == "half":
            self.wfile.write(head + body[: len(body) // 2])
            self.close_connection = True
        else:
            self._write(head + body, call, spoiled.status)
            if fault.kind == "too long":
                fault.gate.wait(fault.seconds)
                self.close_connection = True

    def _failure(self, fault: Fault, call: Call) -> Answer:
        headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
        return Answer.failure(fault.status, headers, call.request_id)

    def _drop(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _head(self, answer: Answer, length: int) -> bytes:
        headers = {"content-type": answer.content_type, **answer.headers, "content-length": str(length)}
        if answer.status == 204:
            del headers["content-type"], headers["content-length"]
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _write(self, data: bytes, call: Call | None, status: int) -> None:
        """The log has the status before the client has the reply, and not where the client is gone."""
        if call is None:
            self.wfile.write(data)
            return
        call.status = status
        try:
            self.wfile.write(data)
        except OSError:
            call.status = None
            raise

    def _send(self, answer: Answer, call: Call | None, close: bool = False) -> None:
        data = answer.data()
        if close:
            answer.headers["connection"] = "close"
            self.close_connection = True
        wire = self._head(answer, len(data)) + (b"" if self.command == "HEAD" else data)
        self._write(wire, call, answer.status)
