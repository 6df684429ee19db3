"""The output of tasks, as it is shown: where it goes is up to who asks for it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import partial
from itertools import count, takewhile

from flowc.providers.base import ENDS
from flowc.providers.errors import ProviderError
from flowc.submit.ending import KEPT, STATUS, read_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.providers.base import Following, Machine, Provider, Task
    from flowc.remote.tail import Mark
    from flowc.submit.journal import Bid


class Output:
    """The output of tasks, each machine's from where it was left, handed to `write`, by whichever thread it comes.
    `several`: tasks, whose lines come between each other. `node`: that machine's alone, by its place among those of its
    task. `errors`: instead, what went to a file for errors alone. `broken` is why it cannot be shown any more: nothing
    is tried then, and whoever waits for the task finds it there."""

    broken: OSError | None = None

    def __init__(
        self, write: Callable[[bytes], object], *, several: bool, node: int | None = None, errors: bool = False
    ) -> None:
        self.write = write
        self._several = several
        self._node = node
        self._kind = "err" if errors else "log"
        self._path = KEPT[self._kind]
        # By the place of a machine among its task's: another one may boot from the same disk.
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._speakers: dict[str, list[int]] = {}
        self._lock = threading.Lock()
        self._shown = False
        self._news = threading.Event()

    def more(self, provider: Provider, bid: Bid, task: Task) -> bool:
        """Show what there is of a task; where its machines tell of it by themselves, until `last`. Whether there was
        something. Raises ProviderError."""
        return self._each(provider, bid, task, _Stream.more)

    def last(self, provider: Provider, bid: Bid, task: Task) -> None:
        """Show what is left of a task whose job has ended."""
        with suppress(ProviderError):  # what cannot be had must not keep the bill running
            self.all(provider, bid, task)
        for number in range(len(task.machines)):
            stream = self._streams.pop((bid.name, number), None)
            if stream is not None:
                stream.stop()
                if not stream.alone:
                    self._end_line(bid, number, stream)

    def all(self, provider: Provider, bid: Bid, task: Task) -> bool:
        """Show what there is of a task now, and follow it no more. Whether there was something. Raises
        ProviderError."""
        return self._each(provider, bid, task, _Stream.rest)

    def raise_broken(self) -> None:
        """Raises OSError where something could not be shown."""
        if self.broken is not None:
            raise self.broken

    def stop(self) -> None:
        """Follow nothing any more."""
        while self._streams:
            self._streams.popitem()[1].stop()

    def sleep(self, seconds: float) -> None:
        """As `time.sleep`; shorter where a machine says that its job has ended."""
        if self._news.wait(seconds):
            self._news.clear()

    def far(self) -> tuple[int, int]:
        """Bytes that have come of machines, and that these have."""
        marks = [stream.mark for stream in self._streams.values()]
        return sum(each.place for each in marks if each), sum(each.size for each in marks if each)

    def kept(self, folder: str, bid: Bid) -> bool:
        """Show what was brought of a task when its job had ended (`Endings`), from below `folder`. Whether there is
        something of it."""
        bases = (os.path.join(folder, bid.key, f"{bid.name}.{number}.") for number in count())
        paths = [base + self._kind for base in takewhile(lambda base: os.path.exists(base + "log"), bases)]
        for number, path in enumerate(paths):
            if self._node not in (None, number) or not os.path.exists(path):
                continue
            stream = _Stream(alone=self._is_alone(len(paths)))
            with open(path, "rb") as file:
                while self.broken is None and (data := file.read(1 << 20)):
                    self._take(bid, number, stream, data)
            if not stream.alone:
                self._end_line(bid, number, stream)
        return bool(paths)

    def _is_alone(self, machines: int) -> bool:
        """Whether the output of a machine is shown as it is."""
        return not self._several and (machines == 1 or self._node is not None)

    def _each(self, provider: Provider, bid: Bid, task: Task, what: Callable[[_Stream], None]) -> bool:
        """Do this for each machine: one that cannot be reached does not keep the others from it."""
        trouble: ProviderError | None = None
        for stream in self._of(provider, bid, task):
            try:
                what(stream)
            except ProviderError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        shown, self._shown = self._shown, False
        return shown

    def _of(self, provider: Provider, bid: Bid, task: Task) -> list[_Stream]:
        """The streams of a task's machines."""
        found = []
        for number, machine in enumerate(task.machines):
            if self._node not in (None, number) or (machine.address is None and not provider.keeps_tasks):
                continue
            stream = self._streams.get((bid.name, number))
            if stream is None:
                stream = _Stream(alone=self._is_alone(task.machines_wanted))
                self._streams[bid.name, number] = stream
            if not stream.is_of(machine):
                mark = stream.stop()
                took = partial(self._took, bid, number, stream)
                stream.follow(
                    machine,
                    provider.follow(task, machine, self._path, took, mark=mark, status=STATUS, told=self._told),
                )
            found.append(stream)
        return found

    def _told(self, status: bytes) -> None:
        """A machine says how its job is."""
        found = read_status(status)
        if found is not None and found["state"] in ENDS:
            self._news.set()

    def _took(self, bid: Bid, number: int, stream: _Stream, data: bytes, anew: bool) -> None:
        with self._lock:
            self._shown = True
            if anew:
                self._end_line(bid, number, stream)
            self._take(bid, number, stream, data)

    def _take(self, bid: Bid, number: int, stream: _Stream, data: bytes) -> None:
        """Show what has come of a machine."""
        if stream.alone:
            stream.half = data[-1:].strip(b"\n")
            self._show(data)
            return
        *lines, stream.half = (stream.half + data).split(b"\n")
        if lines:
            label = self._label(bid, number).encode()
            self._show(b"".join(label + line + b"\n" for line in lines))

    def _show(self, data: bytes) -> None:
        """It may be a thread of its own that has it: what goes wrong is told to whoever waits."""
        if self.broken is None:
            try:
                self.write(data)
            except OSError as error:
                self.broken = error
                self._news.set()

    def _end_line(self, bid: Bid, number: int, stream: _Stream) -> None:
        """What comes next begins a line."""
        if stream.half:
            self._take(bid, number, stream, b"\n")

    def _label(self, bid: Bid, number: int) -> str:
        """Of the machines of a task often one alone has output: it needs no name."""
        speakers = self._speakers.setdefault(bid.name, [])
        if number not in speakers:
            speakers.append(number)
        name = bid.name if self._several else ""
        return f"{name}({number}): " if speakers.index(number) else f"{name}: " if name else ""


class Ends(Output):
    """Hears of the ends of jobs alone, over a connection to each machine that stands: of what they say nothing is
    brought."""

    def __init__(self) -> None:
        super().__init__(lambda data: None, several=True)
        self._path = os.devnull

    def more(self, provider: Provider, bid: Bid, task: Task) -> bool:
        """See Output. Where a machine cannot be reached, whoever waits looks at its job later, and says so then."""
        if not provider.keeps_tasks:
            with suppress(ProviderError):
                super().more(provider, bid, task)
        return False

    def last(self, provider: Provider, bid: Bid, task: Task) -> None:
        """Listen no more."""
        for number in range(len(task.machines)):
            stream = self._streams.pop((bid.name, number), None)
            if stream is not None:
                stream.stop()


class _Stream:
    """One machine's output: who follows it, and what is there of a line without its end. `alone`: it is shown as it
    is."""

    def __init__(self, *, alone: bool) -> None:
        self.alone = alone
        self.half = b""
        self._machine: Machine | None = None
        self._following: Following | None = None

    def is_of(self, machine: Machine) -> bool:
        """Whether it is this machine's."""
        mine = self._machine
        return mine is not None and (mine.identity, mine.address) == (machine.identity, machine.address)

    def follow(self, machine: Machine, following: Following) -> None:
        """From here on it is this machine's."""
        self._machine, self._following = machine, following

    def more(self) -> None:
        """See Following."""
        assert self._following is not None
        self._following.more()

    def rest(self) -> None:
        """See Following."""
        assert self._following is not None
        self._following.rest()

    @property
    def mark(self) -> Mark | None:
        """How far it is."""
        return self._following.mark if self._following is not None else None

    def stop(self) -> Mark | None:
        """Where it was left."""
        if self._following is not None:
            self._following.stop()
        return self.mark
