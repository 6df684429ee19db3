"""The local provider as an ordinary user has it: `here`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flowc
from tests.machines.ordinary import as_ordinary_user, folder_of_the_user, left_of, python, until

DRIVE = str(Path(__file__).parent / "drive.py")


class Here:
    """Each call is a process of its own, that of an ordinary user."""

    def __init__(self, folder: str, before: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.before = before
        self.secrets: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        # What the job asks of machines, as its request document says.
        self.needs: dict[str, Any] = {}
        self.made: list[str] = []

    def process(self, method: str, *args: object, **options: object) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            # An engine of this computer is none of these tests' business.
            "DOCKER_HOST": "unix:///nonexistent",
            **self.environment,
            **self.secrets,
            "SECRET_NAMES": " ".join(self.secrets),
            "NEEDS": json.dumps(self.needs),
        }
        found = subprocess.Popen(
            [*self.before, python(), "-B", DRIVE, self.folder, method],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env=environment,
            **as_ordinary_user(),  # type: ignore[call-overload]
        )
        assert found.stdin is not None
        found.stdin.write(json.dumps({"args": args, "options": options}))
        found.stdin.close()
        found.stdin = None
        return found

    def text(self, method: str, *args: object, **options: object) -> str:
        out, errors = self.process(method, *args, **options).communicate(timeout=900)
        assert errors == ""
        return out

    def call(self, method: str, *args: object, **options: object) -> Any:
        return json.loads(self.text(method, *args, **options))

    def submit(self, text: str, *, name: str = "job", key: str | None = None, **flags: object) -> str:
        """A task of a batch script; its id."""
        document = requests(text, **flags)
        self.needs = document["jobs"][0].get("machine", {})
        known = self.call("resolve", document)["known"]
        for request in document["requests"]:
            body = json.loads(replaced(json.dumps(request["body"]), known))
            if request["path"].endswith("/volumes"):
                self.call("create", "volume", body, key="v")
            else:
                made = self.call("create", "bid", {**body, "name": name}, key=key or f"key {len(self.made)}")
                self.made.append(made["identity"])
        return self.made[-1]

    def end(self, identity: str) -> Any:
        """The task when it has ended."""
        return self.call("wait", identity)

    def output(self, identity: str, **options: object) -> str:
        return self.text("logs", identity, follow=False, **options)

    def until_it_says(self, identity: str, text: str) -> None:
        until(lambda: text in self.output(identity), f"{text!r} in the output of {identity}")

    def left(self) -> list[str]:
        return left_of(self.folder)

    def is_gone(self) -> None:
        """Nothing of any machine is left; that comes a moment after the end of a task."""
        until(lambda: not self.left(), "the end of all processes")


def requests(text: str, *, path: str | None = None, **flags: object) -> Any:
    """The request document of a job."""
    result = flowc.compile(text, flowc.Inputs(flags=flowc.Flags(**flags)), path=path)  # type: ignore[arg-type]
    assert not result.failed, [each.message for each in result.diagnostics]
    return json.loads(result.artifacts[0].text)


def replaced(text: str, known: dict[str, str]) -> str:
    for reference, value in known.items():
        text = text.replace(reference, value)
    return text


# A user namespace in which no further one can be made, and in which the user is not root.
REFUSED = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
WITHOUT = ("unshare", "-U", "--keep-caps", "--map-user=1000", "--map-group=1000", "sh", "-c", REFUSED, "sh")


@pytest.fixture
def without_namespaces() -> Iterator[Here]:
    """The provider where the kernel gives a user no namespaces."""
    python()
    yield from _provider(WITHOUT)


@pytest.fixture
def here() -> Iterator[Here]:
    python()
    yield from _provider(())


def _provider(before: tuple[str, ...]) -> Iterator[Here]:
    for folder in folder_of_the_user():
        provider = Here(folder, before)
        yield provider
        for identity in provider.made:
            provider.call("end", "bid", identity)
