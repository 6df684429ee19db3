"""The output of tasks, as it is shown: where it goes is up to who asks for it."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count

from flowc.providers.errors import ProviderError
from flowc.submit.ending import OUTPUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.providers.base import Provider, Task
    from flowc.submit.journal import Bid


class Output:
    """The output of tasks, each machine's from where it was left, handed to `write`. `several`: tasks, whose lines
    come between each other."""

    def __init__(self, write: Callable[[bytes], None], *, several: bool) -> None:
        self._write = write
        self._several = several
        # By the place of a machine among its task's: another one may boot from the same disk.
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._speakers: dict[str, list[int]] = {}

    def more(self, provider: Provider, bid: Bid, task: Task) -> bool:
        """Show what there is of a task. Whether there was something. Raises ProviderError."""
        shown = False
        for number, machine in enumerate(task.machines):
            if machine.address is None and not provider.keeps_tasks:
                continue
            stream = self._streams.setdefault((bid.name, number), _Stream())
            while data := provider.read(task, machine, OUTPUT, offset=stream.place):
                stream.place += len(data)
                shown = True
                if not self._several and task.machines_wanted == 1:
                    self._write(data)
                else:
                    self._write_lines(stream.lines(data), self._label(bid, number))
        return shown

    def last(self, provider: Provider, bid: Bid, task: Task) -> None:
        """Show what is left of a task whose job has ended."""
        with suppress(ProviderError):  # what cannot be had must not keep the bill running
            self.more(provider, bid, task)
        for number in range(len(task.machines)):
            stream = self._streams.pop((bid.name, number), None)
            if stream is not None and stream.half:
                self._write_lines([stream.half], self._label(bid, number))

    def kept(self, folder: str, bid: Bid) -> bool:
        """Show what was brought of a task when its job had ended (`Endings`), from below `folder`. Whether there is
        something of it."""
        for number in count():
            try:
                with open(os.path.join(folder, bid.key, f"{bid.name}.{number}.log"), "rb") as file:
                    self._write_lines(file.read().splitlines(), self._label(bid, number))
            except OSError:
                break
        return number > 0

    def _label(self, bid: Bid, number: int) -> str:
        """Of the machines of a task often one alone has output: it needs no name."""
        speakers = self._speakers.setdefault(bid.name, [])
        if number not in speakers:
            speakers.append(number)
        name = bid.name if self._several else ""
        return f"{name}({number}): " if speakers.index(number) else f"{name}: " if name else ""

    def _write_lines(self, lines: list[bytes], label: str) -> None:
        self._write(b"".join(label.encode() + line + b"\n" for line in lines))


class _Stream:
    """Where one machine's output was left: the place in its file, and a line without its end."""

    def __init__(self) -> None:
        self.place = 0
        self.half = b""

    def lines(self, data: bytes) -> list[bytes]:
        """The whole lines that there are with some more data."""
        *found, self.half = (self.half + data).split(b"\n")
        return found
