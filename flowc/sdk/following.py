"""The lines of a job as they come: a thread looks after the task, so that a line waits for no look."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue

from flowc.sdk.translate import translated
from flowc.tasks.output import Output
from flowc.tasks.waiting import Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from flowc.providers.base import Provider, Task
    from flowc.sdk.worlds import Worlds
    from flowc.submit.journal import Bid

# So soon a thread sees that nobody wants its lines any more.
STEP_S = 0.5


def following(worlds: Worlds, bid: Bid) -> Generator[str, None, None]:
    """The lines, without their ends, until the job has ended. Raises FlowError."""
    said: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
    given_up = threading.Event()

    def work() -> None:
        try:
            with translated():
                Waiting(worlds.now(), [bid], output=_Pushed(Output(said.put, several=False), given_up)).run()
        except _GivenUpError:
            return
        except BaseException as error:  # for who reads the lines
            said.put(error)
            return
        said.put(None)

    threading.Thread(target=work, name=f"flowc: {bid.name}", daemon=True).start()
    half = b""
    try:
        while (data := _next(said)) is not None:
            if isinstance(data, BaseException):
                raise data
            *lines, half = (half + data).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
        if half:
            yield half.decode("utf-8", "replace")
    finally:
        given_up.set()


def _next(said: SimpleQueue[bytes | BaseException | None]) -> bytes | BaseException | None:
    """Waits in steps: a signal that reaches another thread does not wake this one."""
    while True:
        try:
            return said.get(timeout=STEP_S)
        except Empty:
            continue


class _GivenUpError(Exception):
    """Nobody reads the lines any more."""


class _Pushed:
    """An Output of Waiting that ends it when it is given up."""

    def __init__(self, output: Output, given_up: threading.Event) -> None:
        self._output = output
        self._given_up = given_up

    def more(self, provider: Provider, bid: Bid, task: Task) -> bool:
        if self._given_up.is_set():
            raise _GivenUpError
        return self._output.more(provider, bid, task)

    def last(self, provider: Provider, bid: Bid, task: Task) -> None:
        self._output.last(provider, bid, task)

    def raise_broken(self) -> None:
        self._output.raise_broken()

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._given_up.is_set():
            step, begin = min(STEP_S, left), time.monotonic()
            self._output.sleep(step)
            if time.monotonic() - begin < 0.8 * step:  # there is news
                return
