"""Files and folders of the submitter that a request document names: found when it is submitted, sent when a job waits
for them."""

from __future__ import annotations

import os
import threading
import time

from flowc.listing import some_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flowc.providers.base import Machine, Provider, Task
    from flowc.trees.walk import Tree

# Between two words on how much has been sent.
TELL_S = 10.0
MOST_NAMES = 3


def found(document: Mapping[str, Any], tell: Callable[[str], object]) -> dict[str, Any]:
    """The document with where its trees are on this computer (`from`), and what tells them from others (`digest`).
    `tell` hears what is sent, and what of it will be amiss. Raises TreeError."""
    deliver = []
    for each in document.get("deliver", ()):
        if "tree" in each:
            from flowc.trees.walk import scan, size_text

            tree = scan(each["tree"], each.get("ignores"))
            told = f"{each['tree']}: {tree.files:,} {'file' if tree.files == 1 else 'files'}, {size_text(tree.size)}"
            tell(f"{told}, to {each['path']} of each machine")
            if tree.leading:
                tell(f"warning: {each['tree']}: links lead out of the folder: {_names(tree.leading)}")
            if tree.odd:
                tell(f"warning: {each['tree']}: neither files nor folders, left out: {_names(tree.odd)}")
            each = {**each, "from": os.fsdecode(tree.source), "digest": tree.digest}
        deliver.append(each)
    return {**document, "deliver": deliver} if deliver else dict(document)


def wanted(document: Mapping[str, Any], identity: str) -> list[Mapping[str, Any]]:
    """The trees for the machines of a bid, by the id of its request."""
    return [each for each in document.get("deliver", ()) if "tree" in each and identity in each["to"]]


class Sender:
    """Sends trees to machines that wait for them. `tell` hears how far it is. For several threads."""

    def __init__(self, provider: Provider, tell: Callable[[str], object]) -> None:
        self._provider = provider
        self._tell = tell
        self._lock = threading.Lock()
        self._trees: dict[tuple[str, str | None], tuple[float, Tree]] = {}
        self._told: set[tuple[str, str]] = set()

    def bring(self, name: str, task: Task, machine: Machine, trees: list[Mapping[str, Any]]) -> bool:
        """Whether all of them are there. `name` is the bid's. Raises ProviderError."""
        if not trees:
            return True
        from flowc.trees.send import READY
        from flowc.trees.walk import TreeError

        for each in trees:
            if self._provider.read(task, machine, each["marker"], offset=0) is not None:
                continue
            if self._provider.read(task, machine, READY, offset=0) is None:
                return False
            try:
                if not self._send(name, task, machine, each):
                    return False
            except TreeError as error:
                self._once(name, f"{each['tree']} cannot be sent: {error}")
                return False
        return True

    def _send(self, name: str, task: Task, machine: Machine, each: Mapping[str, Any]) -> bool:
        from flowc.trees.send import send
        from flowc.trees.walk import size_text

        where = name if task.machines_wanted == 1 else f"{name}, {machine.identity}"
        last = time.monotonic()

        def look() -> Tree:
            tree = self._scanned(each["from"], each.get("ignores"))
            if tree.digest != each["digest"]:
                self._once(name, f"{each['tree']} has changed since it was submitted, and is sent as it is now")
            return tree

        def progress(done: int, whole: int) -> None:
            nonlocal last
            if time.monotonic() - last > TELL_S:
                last = time.monotonic()
                self._tell(f"{where}: {size_text(done)} of {size_text(whole)} sent")

        def run(script: str, *words: str, **more: Any) -> Any:
            return self._provider.run(task, machine, script, *words, **more)

        sent = send(look, each["path"], each["marker"], run, owner=each.get("owner"), progress=progress)
        if sent is None:
            return False
        self._tell(f"{where}: has {each['tree']} ({sent.files:,} of {sent.of:,} files sent, {size_text(sent.size)})")
        if sent.gone:
            self._tell(f"{where}: gone meanwhile, and not sent: {_names(sent.gone)}")
        if sent.torn:
            self._tell(f"{where}: changed all the while, and are as they were at some moment: {_names(sent.torn)}")
        return True

    def _scanned(self, source: str, ignores: str | None) -> Tree:
        """The machines of a task wait at about the same time: what is looked at for one is good for the others."""
        from flowc.trees.walk import scan

        with self._lock:
            at, tree = self._trees.get((source, ignores), (0.0, None))
            if tree is None or time.monotonic() - at > TELL_S:
                tree = scan(source, ignores)
                self._trees[source, ignores] = (time.monotonic(), tree)
            return tree

    def _once(self, name: str, text: str) -> None:
        with self._lock:
            new = (name, text) not in self._told
            self._told.add((name, text))
        if new:
            self._tell(f"{name}: {text}")


def _names(paths: tuple[bytes, ...]) -> str:
    return some_of((os.fsdecode(path).encode("utf-8", "backslashreplace").decode() for path in paths), MOST_NAMES)
