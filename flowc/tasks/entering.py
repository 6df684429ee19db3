"""Runs a command on a task's machine with our own input and output, and makes sure that it ends with us."""

from __future__ import annotations

import signal
import subprocess
import time

from flowc.providers.base import ENDED
from flowc.providers.errors import UnavailableError
from flowc.tasks.looking import task_of
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.providers.base import Machine, Provider, Task
    from flowc.remote.session import Session
    from flowc.submit.journal import Bid

# How often the machine hears of us, and how long a command may take to end once it is told to.
PING_S, END_S = 10.0, 10.0
_NAMES = {signal.SIGINT: "INT", signal.SIGTERM: "TERM", signal.SIGHUP: "HUP"}


def machine_of(provider: Provider, bid: Bid, node: int) -> tuple[Task, Machine]:
    """The task of a bid that was placed, and the machine that is entered. Raises RefusedTaskError where there is none
    now, and ProviderError."""
    task = task_of(provider, bid)
    if 0 <= node < len(task.machines) and (task.machines[node].address is not None or provider.keeps_tasks):
        return task, task.machines[node]
    gone = task.state in ENDED or bid.released_at is not None
    why = f" ({task.reason})" if task.reason else ""
    raise RefusedTaskError(
        f"{bid.name} has no machine now: it is {task.state}{why}",
        f"its output is there: flowc logs {bid.name}" if gone else f"flowc status {bid.name}",
    )


def enter(session: Session, *, terminal: bool) -> int:
    """The command's exit status, 128 and the number after death by a signal. Ctrl-C is the command's, as are the
    signals that ask for our end (KeyboardInterrupt with their number): it is killed where it does not end then. Raises
    UnavailableError where the connection was cut."""
    saved = _terminal() if terminal else None
    interrupts = 0
    process = subprocess.Popen(session.argv, preexec_fn=_deaf, pass_fds=session.pass_fds)
    try:
        while True:
            try:
                status = _ended(process, session)
                break
            except KeyboardInterrupt as error:
                asked = error.args[0] if error.args else signal.SIGINT
                interrupts += asked == signal.SIGINT
                session.tell(_NAMES.get(asked, "TERM"))
                # Who asks for the third time means it.
                if interrupts > 2 or (asked != signal.SIGINT and not _ends(process)):
                    session.tell("KILL")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if saved is not None:
            _restore(saved)
    if status in (255, -signal.SIGHUP, -signal.SIGTERM, -signal.SIGKILL) and not session.stands():
        raise UnavailableError("the connection was cut; what ran there is ended, at the latest 10 minutes after")
    return status if status >= 0 else 128 - status


def _ended(process: subprocess.Popen[bytes], session: Session) -> int:
    while True:
        try:
            return process.wait(PING_S)
        except subprocess.TimeoutExpired:
            session.beat()


def _ends(process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + END_S
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    return process.poll() is not None


def _deaf() -> None:
    """Ctrl-C reaches the command on the machine by way of us: ssh itself would leave it there alone."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _terminal() -> list[object] | None:
    import termios

    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def _restore(saved: list[object]) -> None:
    """Whoever was killed may have left the terminal raw."""
    import termios

    old = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        termios.tcsetattr(0, termios.TCSADRAIN, saved)  # type: ignore[arg-type]
    except termios.error:
        return
    finally:
        signal.signal(signal.SIGTTOU, old)
