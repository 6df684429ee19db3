"""A key, and the value of a secret, put wherever they may stand: they are found nowhere else."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flowc.providers.mithril.calls import Calls
from flowc.providers.mithril.client import Client
from flowc.providers.mithril.pace import Pace
from flowc.providers.mithril.transport import PlainTransport, Request
from flowc.settings.lookup import Settings
from tests.mithril.faults import Fault, Kind
from tests.mithril.server import Server
from tests.some import some
from tests.tasks.conftest import Cloud, Person

TOKEN = "hushhush-7f31c0de-not-for-anybody"


@contextmanager
def processes() -> Iterator[set[str]]:
    """The command lines of all processes while this lasts."""
    found: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for process in filter(str.isdigit, os.listdir("/proc")):
                with suppress(OSError):
                    found.add(Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace"))
            over.wait(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def files_with(folder: Path, *values: str) -> list[str]:
    """Files below a folder that hold one of these."""
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file() and any(value.encode() in path.read_bytes() for value in values):
                found.append(str(path.relative_to(folder)))
    return found


def test_a_whole_job_keeps_them_to_itself(cloud: Cloud) -> None:
    person, key = cloud.person, cloud.server.key
    config = person.home / ".flow" / "config.yaml"
    config.parent.mkdir()
    config.write_text(f"api_key: {key}\n")
    config.chmod(0o600)
    del person.environ["MITHRIL_API_KEY"]
    person.environ.update(TOKEN=TOKEN, FLOWC_DEBUG="1")
    job = person.job('echo "${#TOKEN} letters"\n')
    said = []
    with processes() as command_lines:
        for words in (
            ("compile", job, "--secret", "TOKEN", "-o", "out"),
            ("submit", job, "--secret", "TOKEN", "--dry-run"),
            ("submit", job, "--secret", "TOKEN", "--follow"),
            ("list", "--all"),
            ("list", "--all", "--format", "json"),
            ("status", "job-sbatch"),
            ("wait", "job-sbatch"),
            ("cancel", "job-sbatch"),
        ):
            done = person.types(*words)
            assert done.returncode == 0, done.stderr
            said += [done.stdout, done.stderr]
    assert any(text.endswith(f"{len(TOKEN)} letters\n") for text in said)
    assert any("flowc" in line and "submit" in line for line in command_lines)
    for text in (*said, *command_lines):
        assert key not in text
        assert TOKEN not in text
    assert files_with(person.home, key, TOKEN) == [".flow/config.yaml"]
    assert cloud.server.log.calls
    for call in cloud.server.log.calls:
        assert not call.key_elsewhere
        assert TOKEN not in json.dumps([call.path, call.query, call.headers, str(call.body)])


def test_local_jobs_keep_them_to_themselves(here: Person) -> None:
    job = here.job('echo "${#TOKEN} letters"\n')
    with processes() as command_lines:
        done = here.types("submit", job, "--secret", "TOKEN", "--provider", "local", "--follow", TOKEN=TOKEN)
    assert (done.returncode, done.stdout) == (0, f"{len(TOKEN)} letters\n")
    for text in (done.stderr, *command_lines):
        assert TOKEN not in text
    assert files_with(here.home, TOKEN) == []


@pytest.mark.parametrize("kind", some(["drop after", "garbage", "half", "wrong types", "status", "empty"], "garbage"))
def test_whatever_goes_wrong_they_are_not_told(there: Person, provider: Server, kind: Kind) -> None:
    key = there.environ["MITHRIL_API_KEY"]
    there.environ.update(FLOWC_DEBUG="1", FLOW_TIMEOUT="2")
    for words in (("submit", there.job("true\n"), "--dry-run"), ("list", "--all")):
        provider.faults.add(Fault(kind, "GET *", times=8))
        done = there.types(*words)
        assert done.returncode in (0, 4)
        assert key not in done.stdout + done.stderr


class Echo(BaseHTTPRequestHandler):
    """Answers everything with what it was asked, key and all."""

    status = 400

    def do_GET(self) -> None:
        body = json.dumps({"detail": f"bad request: {self.headers}"}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.mark.parametrize("status", some([400, 401, 403, 404, 409, 422, 500], 401, 422))
def test_an_error_that_says_the_key_is_told_without_it(there: Person, status: int) -> None:
    key = there.environ["MITHRIL_API_KEY"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (Echo,), {"status": status}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        for words in (("list",), ("submit", there.job("true\n"))):
            done = there.types(*words, MITHRIL_API_URL=url, FLOWC_DEBUG="1", FLOW_TIMEOUT="1")
            assert done.returncode == 4
            assert key not in done.stdout + done.stderr
            assert "error" in done.stderr
    finally:
        server.shutdown()
        server.server_close()


def test_nothing_that_holds_the_key_shows_it(tmp_path: Path) -> None:
    key = "fkey_nobodyshouldseethisone0"
    calls = Calls(
        PlainTransport(),
        key=key,
        base="http://127.0.0.1:9",
        timeout_s=0.2,
        pace=Pace(None, now=lambda: 0.0, sleep=lambda _: None),
        now=lambda: 0.0,
        sleep=lambda _: None,
        random=lambda: 0.0,
    )
    request = Request(
        method="GET", url="http://x", headers=(("Authorization", key),), body=None, timeout_s=1.0, within_s=1.0
    )
    settings = Settings({"MITHRIL_API_KEY": key}, folder=str(tmp_path), home=None)
    for thing in (calls, Client(calls), request, settings, settings.get("api_key"), settings.all()):
        assert key not in repr(thing) + str(thing)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
        Client(calls).me()
    assert key not in repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
