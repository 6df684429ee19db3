"""Both transports against a server of a few lines: whole replies, and all the ways in which one does not come."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowc.providers.mithril.network import NoReplyError, NotSentError
from flowc.providers.mithril.pooled import PooledTransport
from flowc.providers.mithril.transport import PlainTransport, Request
from tests.providers.mithril.listening import Server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: r1\r\n\r\n{}"


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    servers: list[Server] = []

    def make(talk: Callable[[socket.socket], None]) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture(params=[PlainTransport, PooledTransport])
def transport(request: Any) -> Iterator[Any]:
    made = request.param()
    yield made
    made.close()


def request(
    port: int, method: str = "GET", *, timeout_s: float = 5, within_s: float = 20, scheme: str = "http"
) -> Request:
    return Request(
        method=method, url=f"{scheme}://127.0.0.1:{port}/v2/me?a=b", headers=(("Authorization", "Bearer k"),),
        body=b'{"a": 1}' if method == "POST" else None, timeout_s=timeout_s, within_s=within_s,
    )  # fmt: skip


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    return data


def test_whole_reply_and_one_connection_for_several(transport: Any, serve: Any) -> None:
    heard = []

    def talk(connection: socket.socket) -> None:
        while True:
            asked = read_request(connection)
            if not asked:
                return
            heard.append(asked)
            connection.sendall(OK)

    server = serve(talk)
    for _ in range(3):
        reply = transport.send(request(server.port))
        assert (reply.status, reply.body, reply.headers["x-request-id"]) == (200, b"{}", "r1")
    assert server.connections == 1
    assert heard[0].startswith(b"GET /v2/me?a=b HTTP/1.1\r\n")


def test_chunks_are_put_together(transport: Any, serve: Any) -> None:
    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n")

    assert transport.send(request(serve(talk).port)).body == b"[]"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_whole_reply_may_have_acted(transport: Any, serve: Any, answer: bytes, method: str) -> None:
    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with pytest.raises(NoReplyError):
        transport.send(request(serve(talk).port, method))


def test_slow_reply_is_not_waited_for_without_end(transport: Any, serve: Any) -> None:
    done = threading.Event()

    def silent(connection: socket.socket) -> None:
        read_request(connection)
        done.wait(300)

    def dripping(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not done.wait(0.05):
            connection.sendall(b"x")

    try:
        with pytest.raises(NoReplyError, match="did not answer in time"):
            transport.send(request(serve(silent).port, timeout_s=0.2))
        with pytest.raises(NoReplyError, match="takes too long"):
            transport.send(request(serve(dripping).port, timeout_s=5, within_s=0.4))
    finally:
        done.set()


def test_headers_that_drip_are_not_waited_for_without_end(serve: Any) -> None:
    """The server comes to an end by itself: a client that waits for it fails, and does not hang."""
    parts = 0

    def dripping(connection: socket.socket) -> None:
        nonlocal parts
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: ")
        while parts < 500 and not gone.wait(0.01):
            parts += 1
            connection.sendall(b"x")
        connection.sendall(b"\r\n\r\n{}")

    gone, plain = threading.Event(), PlainTransport()
    with pytest.raises(NoReplyError, match="takes too long"):
        plain.send(request(serve(dripping).port, timeout_s=5, within_s=0.05))
    assert parts < 500
    gone.set()
    plain.close()


def test_nobody_there_is_not_sent(transport: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSentError, match="nobody listens there"):
        transport.send(request(port, "POST"))


def test_redirect_is_not_followed(transport: Any, serve: Any) -> None:
    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    assert transport.send(request(serve(talk).port)).status == 302


def test_kept_connection_that_the_server_closed(transport: Any, serve: Any) -> None:
    """A read is done again on a fresh one; of a write nobody knows whether it was heard."""

    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)

    server = serve(once)
    for _ in range(3):
        try:
            assert transport.send(request(server.port)).status == 200
        except NoReplyError:
            assert isinstance(transport, PooledTransport)  # repeated a level higher, where the pause is


def test_certificate_of_somebody_else_is_refused(transport: Any, serve: Any, tmp_path: Path) -> None:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days",
         "1", "-subj", "/CN=127.0.0.1"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    heard = []

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            heard.append(secure.recv(10))

    with pytest.raises(NotSentError, match="certificate is not good"):
        transport.send(request(serve(talk).port, "POST", scheme="https"))
    assert heard == []
