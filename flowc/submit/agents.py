"""The key by which the agents of a job's machines know each other: as long as nobody has brought it they go by where
connections come from, so nothing waits for it.

It is made of chance for the machines of one bid, and is kept on these alone.
"""

from __future__ import annotations

import os

from flowc.submit.ending import AT_ONCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.providers.base import Machine, Provider, Task
    from flowc.submit.journal import Bid, Journal

# Behind the key, once all machines have it: from then on they answer nothing else.
ALONE = b"\n"


def keys_for(document: Mapping[str, Any], identity: str) -> dict[str, bytes]:
    """A new key for the machines of a bid, by the id of its request, where they take one: path to bytes."""
    wanted = [each for each in document.get("deliver", ()) if "key" in each and identity in each["to"]]
    return {each["path"]: _new(each["key"]) + ALONE for each in wanted}


def bring_key(journal: Journal, provider: Provider, bid: Bid, task: Task, how: Mapping[str, Any]) -> bool:
    """Whether all machines of a bid answer nothing but their key; `how` stands in its document under `deliver`. Raises
    ProviderError, JournalError."""
    from concurrent.futures import ThreadPoolExecutor

    path, size = how["path"], how["key"]

    def read(machine: Machine) -> bytes:
        return provider.read(task, machine, path, offset=0) or b""

    # Two that look after one bid would bring two keys.
    with journal.held(f"{bid.name}.key"), ThreadPoolExecutor(AT_ONCE) as pool:

        def write(text: bytes, machines: list[Machine]) -> None:
            list(pool.map(lambda machine: provider.write(task, machine, path, text), machines))

        there = list(zip(task.machines, pool.map(read, task.machines), strict=True))
        # A machine that has come later gets that of the others.
        key = next((text.strip() for _, text in there if len(text.strip()) == size), None) or _new(size)
        write(key, [machine for machine, text in there if text.strip() != key])
        if len(there) < task.machines_wanted:
            return False
        write(key + ALONE, [machine for machine, text in there if text != key + ALONE])
    return True


def _new(size: int) -> bytes:
    return os.urandom(size // 2).hex().encode()
