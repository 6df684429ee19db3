"""The client against a mock that another tool, Prism, makes of the provider's document: `make test-prism`.

It judges each request (`--errors`), and answers with examples, or with whatever the document allows.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from flowc.providers.errors import AuthenticationError, ValidationError
from flowc.providers.mithril.pooled import PooledTransport
from flowc.providers.mithril.transport import PlainTransport, Reply, Request
from tests.mithril import document
from tests.providers.mithril.operations import OPERATIONS, client

pytestmark = pytest.mark.prism
PACKAGE = "@stoplight/prism-cli@5.14.2"


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """Its address."""
    program = os.environ.get("PRISM") or shutil.which("prism")
    if program is None:
        pytest.skip(f"needs {PACKAGE} (npm); `make test-prism` installs it")
    if not document.PATH.exists():
        pytest.skip("needs the provider's document")
    process = subprocess.Popen(
        [program, "mock", str(document.PATH), "--errors", "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: [lines.put(each) for each in process.stdout or ()], daemon=True)
    reader.start()
    try:
        line = ""
        while "listening on" not in line:
            line = lines.get(timeout=60)
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=20)
        reader.join(timeout=20)
        process.stdout.close()


class Asking:
    """Sends with a header by which Prism is told how to answer."""

    def __init__(self, inner: Any, prefer: str | None = None) -> None:
        self.inner = inner
        self.prefer = prefer
        self.replies: list[Reply] = []

    def send(self, request: Request) -> Reply:
        more = (("Prefer", self.prefer),) if self.prefer else ()
        self.replies.append(self.inner.send(request.replace(headers=(*request.headers, *more))))
        return self.replies[-1]

    def close(self) -> None:
        self.inner.close()


# What has no answer, and those of which the example is a deleted volume, a deactivated key.
NOTHING_TO_READ = ("delete_volume", "cancel_bid", "revoke_key", "volumes", "keys")
TRANSPORTS = {"plain": PlainTransport, "pooled": PooledTransport}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_is_taken_and_its_example_read(mock: str, name: str, transport: str) -> None:
    its = client(TRANSPORTS[transport](), mock)
    found = OPERATIONS[name][0](its)
    assert found or name in NOTHING_TO_READ
    its.close()


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_it_makes_up_is_read(mock: str, name: str) -> None:
    its = client(Asking(PlainTransport(), "dynamic=true"), mock)
    for _ in range(20):
        OPERATIONS[name][0](its)
    its.close()


@pytest.mark.parametrize("name", [each for each in OPERATIONS if each not in ("me", "projects", "instance_types")])
def test_its_422_is_a_sentence(mock: str, name: str) -> None:
    asking = Asking(PlainTransport(), "code=422")
    its = client(asking, mock)
    operation = OPERATIONS[name][1]
    method, _, path = operation.partition(" ")
    if "422" not in document.document()["paths"][path][method.lower()]["responses"]:
        its.close()
        return
    with pytest.raises(ValidationError) as caught:
        OPERATIONS[name][0](its)
    assert [each.status for each in asking.replies] == [422]
    assert len(str(caught.value).splitlines()) == 1
    its.close()


def test_it_would_refuse_what_is_not_declared(mock: str) -> None:
    """So that its silence says something."""
    plain = PlainTransport()
    its = client(plain, mock)
    with pytest.raises(ValidationError):
        its._calls.get("/v2/volumes")
    with pytest.raises(ValidationError):
        its._calls.post("/v2/spot/bids", {"name": "a"})

    class Anonymous:
        def send(self, request: Request) -> Reply:
            return plain.send(request.replace(headers=request.headers[1:]))

        def close(self) -> None:
            plain.close()

    with pytest.raises(AuthenticationError):
        client(Anonymous(), mock).me()
    its.close()
