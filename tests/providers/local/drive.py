"""One call of the local provider in a process of its own, as commands make them: FOLDER METHOD, and arguments as JSON
from the standard input."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from flowc.providers.base import Task
from flowc.providers.errors import ProviderError
from flowc.providers.local import Local, Wish
from flowc.shell.quote import sh as quoted
from flowc.submit.journal import OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from flowc.submit.steps import Carrier


def shown(value: object) -> object:
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, Task):
        return {**vars(value), "machines": [vars(machine) for machine in value.machines]}
    return vars(value) if hasattr(value, "__dict__") else value


class Driven(Local):
    def read_text(self, identity: str, path: str, offset: int) -> str | None:
        task = self.get(identity)
        data = self.read(task, task.machines[0], path, offset=offset)
        return None if data is None else data.decode()

    def carry_out(self, document: dict[str, Any], nonce: str) -> list[str | None]:
        """What `flowc submit` does with a request document; the ids of the tasks. Called again it goes on."""
        journal = Journal(f"{sys.argv[1]}/journal")
        submission = Submission(
            key=f"key-{nonce}",
            content=nonce,
            name="job",
            provider=self.name,
            nonce=nonce,
            created_at=time.time(),
            state=OPEN,
            keep=False,
            document=document,
            resolved=self.resolve(document).known,
        )
        journal.begin(submission, steps_of(document, nonce), again=False)
        Carrier(journal, self, now=time.time, sleep=time.sleep).carry_out(submission)
        return [entry.made for entry in journal.entries(submission.key) if entry.kind == "bid"]


def refuse_overlays() -> None:
    """As file systems do that cannot have one."""
    from flowc.machines import linux

    mount = linux.mount

    def refusing(source: str | None, place: str, kind: str | None, flags: int, options: str = "") -> None:
        if kind == "overlay":
            raise OSError(errno.EINVAL, "Invalid argument", place)
        mount(source, place, kind, flags, options)

    linux.mount = refusing


def main() -> None:
    if "NO_OVERLAYS" in os.environ:
        refuse_overlays()
    folder, method = sys.argv[1:3]
    names = os.environ.get("SECRET_NAMES", "").split()
    lines = "".join(f"{name}={quoted(os.environ[name])}\n" for name in names)
    lacks = os.environ.get("LACKS", "").split()
    provider = Driven(
        folder,
        files=lambda _: {"/run/flowc/secrets": lines.encode()} if names else {},
        lacks=lambda _: lacks,
        needs=lambda _: json.loads(os.environ.get("NEEDS", "{}")),
        wish=Wish(
            kind=os.environ.get("LOCAL_MACHINE", "auto"),
            image=os.environ.get("LOCAL_IMAGE"),
            docker_host=os.environ.get("DOCKER_HOST", ""),
        ),
    )
    words = json.load(sys.stdin)
    try:
        result = getattr(provider, method)(*words["args"], **words["options"])
        if method == "logs":
            for text in result:
                print(text, end="", flush=True)
        else:
            json.dump(shown(result), sys.stdout)
    except ProviderError as error:
        json.dump({"error": type(error).__name__, "message": str(error)}, sys.stdout)


main()
