"""A key goes into the header of a request, and nowhere else: not into what is shown of an error, nor to others."""

from __future__ import annotations

import json
import os
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flowc.providers.base import Machine, Task
from flowc.providers.errors import ProviderError, UnavailableError
from flowc.providers.mithril.pooled import PooledTransport
from flowc.providers.mithril.provider import Mithril
from flowc.providers.mithril.transport import PlainTransport
from flowc.tasks.world import for_others
from tests.mithril.faults import Fault, Kind
from tests.mithril.server import Server
from tests.providers.mithril.operations import OPERATIONS, client
from tests.some import some

TRANSPORTS = {"plain": PlainTransport, "pooled": PooledTransport}
KINDS: tuple[Kind, ...] = (
    *("drop before", "drop after", "status", "status after", "garbage", "empty", "wrong types", "half"),
    "too long",
)


def shown(error: BaseException) -> str:
    """All that a tool shows of an exception which also shows the variables of each frame, but for those of the test."""
    trace = error.__traceback__
    while trace is not None and "/tests/" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    assert trace is not None
    error = error.with_traceback(trace)
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()) + repr(error)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", some(KINDS, *KINDS[:-1]))
def test_no_error_shows_it(kind: Kind, transport: str) -> None:
    with Server() as server:
        its = client(TRANSPORTS[transport](), server.url, server.key)
        its._calls._timeout_s = 0.3
        for operation in ("projects", "create_bid", "cancel_bid"):
            server.faults.add(Fault(kind, times=9, status=500, seconds=1, reset=kind == "drop after"))
            found = None
            try:
                OPERATIONS[operation][0](its)
            except ProviderError as error:
                found = shown(error)
            assert server.key not in (found or "")
            server.faults.clear()
        assert not any(call.key_elsewhere for call in server.log.calls)
        its.close()


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, key and all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"detail": str(self.headers), "data": str(self.headers)}).encode()
        self.send_response(int(self.path.partition("status=")[2] or "400"))
        self.send_header("X-Request-Id", self.headers["Authorization"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 501, 503])
def test_a_server_that_says_it_again_is_not_repeated(echo: str, status: int, transport: str) -> None:
    key = "fkey_saidbytheserveragain00"
    its = client(TRANSPORTS[transport](), echo, key)
    with pytest.raises(ProviderError) as caught:
        its._calls.get("/v2/projects", {"status": str(status)})
    assert key not in shown(caught.value)
    its.close()


def test_other_programs_are_not_given_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f"#!/bin/sh\ntr '\\0' '\\n' </proc/$$/environ >>{tmp_path}/seen\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:/usr/bin:/bin")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    for name in ("MITHRIL_API_KEY", "FCP_API_KEY", "FOUNDRY_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "fkey_notforotherprograms00")
    task: Any = Task(
        identity="bid_1", name="a", state="running", reason=None, created_at="", ended_at=None, region=None,
        instance_type="x", machines_wanted=1, machines=(), unit_price=None,
    )  # fmt: skip
    machine = Machine(identity="inst_1", state="running", address="127.0.0.1")
    there = Mithril(client(PlainTransport(), "http://127.0.0.1:9"), keys=str(tmp_path), environ=for_others(os.environ))
    with pytest.raises(UnavailableError):
        there.read(task, machine, "/x", offset=0)
    with pytest.raises(UnavailableError):
        there.write(task, machine, "/x", b"y")
    seen = (tmp_path / "seen").read_text()
    assert seen.count("SSH_AUTH_SOCK=/run/agent") == 2
    assert "fkey_" not in seen
