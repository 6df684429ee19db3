"""Repositories with a server that machines can clone them from."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOKEN = "ghp_hushhush0not0for0anybody"


def git(folder: Path, *words: str) -> str:
    names = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "protocol.file.allow=always",
    )
    environ = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1"}  # nothing of this computer's own git, such as LFS
    return subprocess.run(
        ["git", *names, *words], cwd=folder, check=True, capture_output=True, text=True, env=environ
    ).stdout.strip()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, whose files git can clone; what is private only to who shows the token."""

    def do_GET(self) -> None:
        shown = base64.b64decode(self.headers.get("Authorization", "Basic ").removeprefix("Basic "))
        if "/private.git/" in self.path and not shown.endswith(f":{TOKEN}".encode()):
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=x")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        return


class Smart(Quiet):
    """Serves the repositories by git's own program, which gives what it is asked for and no more."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        size = self.headers.get("Content-Length")
        # A body of a size that is not told comes in pieces.
        data = self.rfile.read(int(size)) if size else self._pieces() if "Transfer-Encoding" in self.headers else b""
        environ = {
            **os.environ,
            "GIT_PROJECT_ROOT": self.directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(data)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=data, env=environ, capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n")]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        self.send_response(int(status[:3]))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _pieces(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found


@contextmanager
def serving(folder: Path, kind: type[Quiet] = Quiet) -> Iterator[tuple[Path, str]]:
    """A folder of repositories, and where it is served."""
    handler = functools.partial(kind, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield folder, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def push(folder: Path, bare: Path) -> None:
    git(folder, "push", "-q", str(bare), "main")
    git(bare, "update-server-info")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")


def repository(folder: Path, served: tuple[Path, str], name: str = "code.git") -> Path:
    git(served[0], "init", "-q", "--bare", name)
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "sub").mkdir()
    (folder / "sub" / "train.py").write_text("print('committed')\n")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "remote", "add", "origin", f"{served[1]}/{name}")
    push(folder, served[0] / name)
    return folder


def with_submodules(tmp_path: Path, served: tuple[Path, str]) -> Path:
    """A repository with a submodule at a relative address, which has one itself; each is behind its branch."""
    inner = repository(tmp_path / "inner", served, "inner.git")
    middle = repository(tmp_path / "middle", served, "middle.git")
    outer = repository(tmp_path / "outer", served)
    for whole, part, address in ((middle, "inner", f"{served[1]}/inner.git"), (outer, "middle", "../middle.git")):
        git(whole, "submodule", "--quiet", "add", address, f"lib/{part}")
        git(whole, "commit", "-qm", f"with {part}")
        push(whole, served[0] / f"{'code' if whole == outer else whole.name}.git")
    for folder in (inner, middle):
        (folder / "later").write_text("later\n")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "later")
        push(folder, served[0] / f"{folder.name}.git")
    git(outer, "submodule", "--quiet", "update", "--init", "--recursive")
    return outer
