"""The way to the server: addresses, proxies, certificates; the same for both transports."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowc.providers.mithril.network import (
    AddressError,
    NotSentError,
    Proxy,
    base_of,
    check_certificates,
    proxy_of,
)
from flowc.providers.mithril.pooled import PooledTransport
from flowc.providers.mithril.transport import PlainTransport, Request
from tests.providers.mithril.listening import Server

API = "https://api.mithril.ai"


@pytest.mark.parametrize(
    ("address", "base"),
    [
        (API, API),
        (f"{API}/", API),
        (f"{API}/v2/", API),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://gate.example/mithril", "https://gate.example/mithril"),
    ],
)
def test_addresses_of_a_server(address: str, base: str) -> None:
    assert base_of(address) == base


@pytest.mark.parametrize(
    "address",
    ["api.mithril.ai", "ftp://x", "http://[::1", "http://x:99999999", "http://x:y", "http://x y", "http://", "",
     "https://x?a=b", "https://x#y", "https://ä", "https://x\n"],
)  # fmt: skip
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(AddressError, match="is no address of a server"):
        base_of(address)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"http_proxy": "http://p:1"}, None),
        ({"https_proxy": ""}, None),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://other:1"}, "http://p:1"),
        ({"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ({"ALL_PROXY": "http://p"}, "http://p:80"),
        ({"ALL_PROXY": "http://[::1]:3"}, "http://[::1]:3"),
        ({"ALL_PROXY": "http://p", "no_proxy": "localhost, .mithril.ai"}, None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "*"}, None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "*.mithril.ai"}, None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "ithril.ai,api.mithril.ai:8080,,"}, "http://p:80"),
    ],
)
def test_which_proxy_is_asked(environ: dict[str, str], expected: str | None) -> None:
    found = proxy_of(API, environ)
    assert (None if found is None else found.address) == expected


def test_a_proxy_of_a_cgi_program_is_none_of_ours() -> None:
    assert proxy_of("http://x", {"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}) is None


@pytest.mark.parametrize("proxy", ["socks5://me:hidden@p:1", "https://me:hidden@p:1", "http://", "http://p:x"])
def test_a_proxy_that_is_not_spoken_to_is_told_without_its_login(proxy: str) -> None:
    with pytest.raises(AddressError, match="ALL_PROXY") as caught:
        proxy_of(API, {"ALL_PROXY": proxy})
    assert "hidden" not in str(caught.value)
    assert proxy.partition(":")[0] in str(caught.value)


def test_certificates_that_are_not_there_are_told(tmp_path: Path) -> None:
    check_certificates({"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/"})
    missing = str(tmp_path / "missing.pem")
    with pytest.raises(AddressError, match=f"SSL_CERT_FILE names {missing}"):
        check_certificates({"SSL_CERT_FILE": missing})


class Middle(Server):
    """A proxy: it notes what it is asked, and answers `says` to each."""

    def __init__(self, says: bytes) -> None:
        self.says = says
        self.heard: list[bytes] = []
        super().__init__(self.answer)

    def answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536) or b"\r\n\r\n"
        self.heard.append(data)
        connection.sendall(self.says)


@pytest.fixture
def middle() -> Iterator[Callable[[bytes], Middle]]:
    made: list[Middle] = []

    def make(says: bytes) -> Middle:
        made.append(Middle(says))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(params=[PlainTransport, PooledTransport])
def kind(request: Any) -> Any:
    return request.param


def request(url: str) -> Request:
    headers = (("Authorization", "Bearer k"),)
    return Request(method="POST", url=url, headers=headers, body=b"{}", timeout_s=5, within_s=20)


def test_a_plain_request_is_handed_to_the_proxy(kind: Any, middle: Any) -> None:
    its = middle(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    transport = kind(Proxy(host="127.0.0.1", port=its.port, login="me:hidden"))
    assert transport.send(request("http://api.invalid/v2/me?a=b")).body == b"{}"
    transport.close()
    first, _, rest = its.heard[0].partition(b"\r\n")
    assert first == b"POST http://api.invalid/v2/me?a=b HTTP/1.1"
    assert b"host: api.invalid\r\n" in rest.lower()
    assert b"proxy-authorization: basic bwu6aglkzgvu\r\n" in rest.lower()


def test_with_tls_the_proxy_sees_no_key(kind: Any, middle: Any) -> None:
    its = middle(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    transport = kind(Proxy(host="127.0.0.1", port=its.port, login="me:hidden"))
    with pytest.raises(NotSentError, match=r"the proxy refuses with status 407 \(by the proxy http://127") as caught:
        transport.send(request("https://api.invalid/v2/me"))
    transport.close()
    assert "hidden" not in str(caught.value)
    assert its.heard[0].startswith(b"CONNECT api.invalid:443 HTTP/1.")
    assert b"proxy-authorization: basic bwu6aglkzgvu\r\n" in its.heard[0].lower()
    assert b"bearer" not in its.heard[0].lower()
