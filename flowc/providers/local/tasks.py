"""What the local provider has on disk, below the user's state directory:

tasks/ID/task.json      what was asked for, written once
tasks/ID/startup.sh     its startup script
tasks/ID/state.json     how it is, replaced as a whole by its supervisor
tasks/ID/lock           held as long as its supervisor lives, which stands in it
tasks/ID/asked.json     what the supervisor is asked for, with a signal
tasks/ID/machines/N/    the disk of its N-th machine
volumes/NAME/           a volume: volume.json, and data/ with what is in it
"""

from __future__ import annotations

import fcntl
import json
import os
import time

from flowc.providers.base import ENDED, FAILED, PENDING, Machine, Task
from flowc.providers.errors import NotFoundError
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

VOLUME = "vol_"
TASK = "task-"
# Why a task waits that somebody kept before this computer was started anew.
CUT = "this computer was started anew"
# Why one has failed whose supervisor did not live to say it.
KILLED = "its supervisor was killed"


class State(Record):
    """How a task is. `exit_status`: of its job; `starts`: how often its machines were started; `shared`: what could not
    be kept apart from this computer; `on`: which of its machines have power; `boot`: of this computer, in which
    it was kept last; `kind`: what its machines are made of, for all their boots, `engine` and `image`: of
    containers."""

    state: str = PENDING
    reason: str | None = None
    ended_at: str | None = None
    exit_status: int | None = None
    starts: int = 0
    on: tuple[int, ...] = ()
    shared: tuple[str, ...] = ()
    boot: str = ""
    kind: str = ""
    engine: str = ""
    image: str = ""


class Folder:
    """The folder of one task."""

    def __init__(self, base: str, identity: str) -> None:
        self.identity = identity
        self.path = os.path.join(base, "tasks", identity)
        self.base = base
        self.skeleton = os.path.join(base, "skeleton")

    def __truediv__(self, name: str) -> str:
        return f"{self.path}/{name}"

    def disk(self, rank: int) -> str:
        """The folder of a machine's disk."""
        return f"{self.path}/machines/{rank}"

    @property
    def launched(self) -> bool:
        """Whether its supervisor has ever lived: else nobody has been told of it."""
        return os.path.exists(self / "launched")

    def mark_launched(self) -> None:
        """From here on the task is known to everybody."""
        os.close(os.open(self / "launched", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def task(self) -> dict[str, Any]:
        """Raises NotFoundError."""
        try:
            found: dict[str, Any] = json.loads(_read(self / "task.json"))
            return found
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(f"there is no local task {self.identity}", help="`flowc list` shows them") from None

    def state(self) -> State:
        """How it is, whoever wrote it being alive or not."""
        try:
            values = json.loads(_read(self / "state.json"))
        except FileNotFoundError:
            return State()
        return State(**{**values, "on": tuple(values["on"]), "shared": tuple(values["shared"])})

    def now(self) -> State:
        """How it is now. A task whose supervisor is gone has failed, unless the whole computer went down: then it waits
        for a new one."""
        state = self.state()
        if state.state in ENDED or self.supervisor() is not None:
            return state
        state = self.state()  # it may have ended in between
        if state.state in ENDED:
            return state
        if was_cut(state):
            return state.replace(state=PENDING, reason=CUT, on=())
        return state.replace(state=FAILED, reason=KILLED, on=())

    def save(self, state: State) -> None:
        """Replace what stands there."""
        replace(self / "state.json", {name: getattr(state, name) for name in State.FIELDS})

    def lock(self) -> int | None:
        """Take the lock: a file to keep open, None where somebody else holds it."""
        file = os.open(self / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        # Who had it before is nobody any more, and the number may be that of another process.
        os.ftruncate(file, 0)
        return file

    def supervisor(self) -> int | None:
        """The process that keeps the task, None when there is none; 0 while it is being made."""
        try:
            file = os.open(self / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(file, 20)
            return int(text) if text.strip().isdigit() else 0
        finally:
            os.close(file)
        return None

    def seen(self) -> Task:
        """The task as commands know it. Raises NotFoundError."""
        asked, state = self.task(), self.now()
        names = machine_names(asked)
        return Task(
            identity=self.identity,
            name=asked["name"],
            state=state.state,
            reason=state.reason,
            created_at=asked["created_at"],
            ended_at=state.ended_at,
            region="local",
            instance_type=asked["instance_type"],
            machines_wanted=len(names),
            # Those that are off can still be read.
            machines=tuple(
                Machine(identity=name, state="running" if rank in state.on else "off")
                for rank, name in enumerate(names)
                if state.state != PENDING
            ),
            unit_price=None,
            exit_status=state.exit_status,
            shared=state.shared,
        )


def was_cut(state: State) -> bool:
    """Whether this computer was started anew since somebody kept the task, which had not ended."""
    return state.state not in ENDED and bool(state.boot) and state.boot != boot_id()


def boot_id() -> str:
    """Of this computer, another one after each start."""
    if not _BOOT:
        _BOOT.append(_read("/proc/sys/kernel/random/boot_id").strip())
    return _BOOT[0]


_BOOT: list[str] = []


def machine_names(asked: dict[str, Any]) -> list[str]:
    """The host names of a task's machines, the head first."""
    count = asked["body"].get("instance_quantity", 1)
    return [asked["name"]] if count == 1 else [f"{asked['name']}-{rank}" for rank in range(count)]


def stamp() -> str:
    """Now, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def replace(path: str, content: object) -> None:
    """Write JSON as a whole."""
    new = f"{path}.{os.getpid()}"
    with open(new, "w", encoding="utf-8", opener=_private) as file:
        json.dump(content, file)
    os.replace(new, path)


def all_tasks(base: str) -> Iterable[Folder]:
    """The newest first."""
    found = []
    try:
        with os.scandir(os.path.join(base, "tasks")) as entries:
            for entry in entries:
                try:
                    found.append((os.stat(f"{entry.path}/task.json").st_mtime_ns, entry.name))
                except OSError:
                    continue
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Folder(base, name) for _, name in sorted(found, reverse=True)]


def status_of(text: str) -> dict[str, Any] | None:
    """What `status.json` of a machine says; None before the first start."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _read(path: str) -> str:
    """A file as a whole; with less work than `open` has, since there may be a thousand."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = [os.read(descriptor, 65536)]
        while len(parts[-1]) == 65536:
            parts.append(os.read(descriptor, 65536))
        return b"".join(parts).decode()
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
