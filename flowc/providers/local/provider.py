"""This computer as a `Provider`."""

from __future__ import annotations

import json
import os
import signal
import time

from flowc.machines.boot import DOCKER
from flowc.providers.base import CANCELLED, ENDED, FAILED, PENDING, RUNNING, Made, Resolution
from flowc.providers.errors import ConflictError, ProviderError, UnavailableError, ValidationError
from flowc.providers.local.following import LONG_S, SHORT_S, output
from flowc.providers.local.kinds import Wish, of_engine
from flowc.providers.local.tasks import CUT, KILLED, TASK, VOLUME, Folder, all_tasks, replace, stamp, was_cut
from flowc.providers.local.volumes import disk_id, label, volume_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import IO, Any

    from flowc.providers.base import Following, Machine, Task
    from flowc.remote.link import Ran
    from flowc.remote.session import Session
    from flowc.remote.tail import Mark

# How long a job may take to end after TERM when its task is cancelled.
CANCEL_S = 10.0
PIECE = 1 << 20  # bytes of a file that are read at once


class Local:
    """`folder` is where tasks and volumes are kept (below the user's state directory). `files` gives what is delivered
    to the machines of a task of a name, by path: that is never written to a disk of this computer, nor stands on a
    command line. `lacks` gives what of it is not at hand, such as names of variables; `trees` what is copied to their
    disks: where it is on this computer, where on the machine, and the file there that says that it is whole. `needs`
    is what its job asks of them, as a request document has it (`machine`). `wish`: what they are to be made of.

    A task that was cut short by a start of this computer goes on when somebody looks at it, as on a rented machine."""

    name = "local"
    look_s = (0.004, 0.2)
    keeps_tasks = True

    def __init__(
        self,
        folder: str,
        *,
        files: Callable[[str], Mapping[str, bytes]] = lambda name: {},
        lacks: Callable[[str], Sequence[str]] = lambda name: (),
        trees: Callable[[str], Sequence[tuple[str, str, str, str | None]]] = lambda name: (),
        needs: Callable[[str], Mapping[str, Any]] = lambda name: {},
        wish: Wish | None = None,
    ) -> None:
        self._folder = os.path.abspath(folder)
        self._files, self._lacks, self._trees, self._needs = files, lacks, trees, needs
        self._wish = wish or Wish()

    def resolve(self, document: Mapping[str, Any]) -> Resolution:
        """See Provider. Here each thing has its own name as its id."""
        known = {}
        for reference in document["unresolved"]:
            kind, _, name = reference[2:-1].partition(":")
            name = name.rpartition("@")[0] if kind == "instance_type" and "@" in name else name
            known[reference] = volume_id(name) if kind == "volume" else name
        return Resolution(document=dict(document), known=known)

    def create(self, kind: str, body: Mapping[str, Any], *, key: str) -> Made:
        """See Provider. A second call with the same key gives what the first one made."""
        try:
            return self._create_volume(body) if kind == "volume" else self._create_task(body, key)
        except OSError as error:
            raise UnavailableError(
                f"{error.filename or self._folder}: {error.strerror}", help="local tasks need room in your state folder"
            ) from None

    def find(self, kind: str, name: str, body: Mapping[str, Any]) -> list[Made]:
        """See Provider."""
        if kind == "volume":
            volume = self._volume(volume_id(name))
            return [volume] if volume is not None else []
        found = []
        for folder in all_tasks(self._folder):
            asked = folder.task()
            if asked["name"] == name and folder.launched:
                found.append(_made(folder, asked))
        return found[::-1]

    def change(self, kind: str, identity: str, changes: Mapping[str, Any]) -> None:
        """See Provider. Prices and the like mean nothing here; a task cannot be paused."""
        folder = Folder(self._folder, identity)
        folder.task()
        if changes.get("paused"):
            raise ValidationError("a local task cannot be paused", help="cancel it: local tasks cost nothing")

    def end(self, kind: str, identity: str) -> None:
        """See Provider. Returns when nothing is left of the task's machines; their disks stay, for its output."""
        if kind == "volume":
            import shutil

            shutil.rmtree(self._volume_path(identity), ignore_errors=True)
            return
        folder = Folder(self._folder, identity)
        folder.task()
        if was_cut(folder.state()) and (lock := folder.lock()) is not None:
            state = folder.state()
            if was_cut(state):
                folder.save(state.replace(state=CANCELLED, reason="cancelled", ended_at=stamp(), on=()))
            os.close(lock)
        self._ask(folder, {"do": "end", "grace": CANCEL_S})
        self._until_gone(folder)

    def preempt(self, identity: str, *, notice_s: float = 10.0) -> None:
        """Take the machines of a task away, after a notice of so many seconds (300 at the real provider), and give it
        new ones. Raises ConflictError for a task that does not run."""
        folder = Folder(self._folder, identity)
        folder.task()
        if (state := folder.now().state) != RUNNING:
            raise ConflictError(f"task {identity} is {state}: only one that runs can be preempted")
        self._ask(folder, {"do": "preempt", "notice_s": notice_s})

    def get(self, identity: str) -> Task:
        """See Provider. A task that has ended knows its job's exit status."""
        return self._seen(Folder(self._folder, identity))

    def read(self, task: Task, machine: Machine, path: str, *, offset: int) -> bytes | None:
        """See Provider. Machines that are off can be read too, as long as their task is not removed."""
        from flowc.machines.disk import outside

        folder = Folder(self._folder, task.identity)
        node = [each.identity for each in task.machines].index(machine.identity)
        try:
            with open(outside(folder.disk(node), path, self._shares(folder)), "rb") as file:
                file.seek(offset)
                return file.read(PIECE)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise UnavailableError(f"{error.filename}: {error.strerror}") from None

    def write(self, task: Task, machine: Machine, path: str, data: bytes) -> None:
        """See Provider. What is to be there is there from the start."""
        raise UnavailableError(f"task {task.identity} has all that it gets")

    def run(
        self,
        task: Task,
        machine: Machine,
        script: str,
        *words: str,
        given: bytes | IO[bytes] | Iterable[bytes] = b"",
        take: Callable[[bytes], object] | None = None,
    ) -> Ran:
        """See Provider."""
        raise UnavailableError(f"task {task.identity} has all that it gets")

    def follow(
        self,
        task: Task,
        machine: Machine,
        path: str,
        take: Callable[[bytes, bool], object],
        *,
        mark: Mark | None = None,
        status: str = "",
        told: Callable[[bytes], object] | None = None,
    ) -> Following:
        """See Provider. Nothing comes by itself here."""
        from flowc.machines.disk import outside
        from flowc.providers.local.growing import Following

        folder = Folder(self._folder, task.identity)
        node = [each.identity for each in task.machines].index(machine.identity)
        disk, shares = folder.disk(node), self._shares(folder)
        return Following(lambda: outside(disk, path, shares), take, mark)

    def session(self, task: Task, machine: Machine, words: Sequence[str], *, terminal: str) -> Session:
        """See Provider."""
        from flowc.providers.local.session import session

        return session(Folder(self._folder, task.identity), machine.identity, words, terminal=terminal)

    def kind(self) -> tuple[str | None, str]:
        """What machines are made of here, None where there can be none; and why it is nothing better."""
        from flowc.providers.local.kinds import told

        return told(self._wish, self._folder)

    def list_tasks(self, *, limit: int) -> Iterable[Task]:
        """See Provider."""
        return [self._seen(folder) for folder in list(all_tasks(self._folder))[:limit]]

    def logs(self, identity: str, *, follow: bool, node: int = 0) -> Iterator[str]:
        """The output of a task on one of its machines, as it comes: lines, or what there is of one. `follow`: until the
        task has ended, through its preemptions."""
        self._go_on(folder := Folder(self._folder, identity))
        return output(folder, node, self._shares(folder), follow=follow)

    def path(self, identity: str, path: str, node: int = 0) -> str:
        """Where a path of a task's machine stands on this computer, such as a result that the job wrote."""
        from flowc.machines.disk import outside

        folder = Folder(self._folder, identity)
        return outside(folder.disk(node), path, self._shares(folder))

    def wait(self, identity: str) -> Task:
        """Until a task has ended."""
        folder = Folder(self._folder, identity)
        self._go_on(folder)
        pause = SHORT_S
        while folder.now().state not in ENDED:
            time.sleep(pause)
            pause = min(LONG_S, pause * 1.5)
        return folder.seen()

    def remove(self, identity: str) -> None:
        """Remove an ended task with the disks of its machines. Raises ConflictError for one that lives."""
        from flowc.machines.disk import remove

        folder = Folder(self._folder, identity)
        folder.task()
        if folder.supervisor() is not None or was_cut(folder.state()):
            raise ConflictError(f"task {identity} still runs", help=f"flowc cancel {identity}")
        self._clear(folder)
        remove(folder.path)

    def _seen(self, folder: Folder) -> Task:
        task = folder.seen()
        if task.reason == KILLED:
            self._clear(folder)
        if task.state != PENDING or task.reason != CUT:
            return task
        lacking = self._go_on(folder)
        if lacking:
            return task.replace(reason=f"{CUT}, and it goes on where somebody looks who has {' and '.join(lacking)}")
        return folder.seen()

    def _clear(self, folder: Folder) -> None:
        """Remove what docker still has of a task that has ended, or whose supervisor was killed."""
        state = folder.state()
        lock = folder.lock() if state.engine else None
        if lock is None:
            return
        try:
            from flowc.machines.docker import box

            why = box.cleared(state.engine, folder.identity, state.image, folder.path)
            if why:
                raise UnavailableError(f"docker has still something of {folder.identity}: {why}")
            state = state.replace(engine="")
            if state.state not in ENDED:
                state = state.replace(state=FAILED, reason=KILLED, ended_at=stamp(), exit_status=1, on=())
            folder.save(state)
        finally:
            os.close(lock)

    def _go_on(self, folder: Folder) -> Sequence[str]:
        """Keep a task again that was cut short by a start of this computer. What is lacking for that. Raises
        NotFoundError."""
        name = folder.task()["name"]
        if not was_cut(folder.state()):
            return ()
        lock = folder.lock()
        if lock is None:
            return ()  # somebody keeps it, or is about to
        try:
            state = folder.state()
            if not was_cut(state):
                return ()
            lacking = self._lacks(name)
            if not lacking:
                folder.save(state.replace(state=PENDING, reason=CUT, on=()))
                from flowc.providers.local import supervisor

                supervisor.launch(folder, lock, self._shares(folder), self._given(name), self._wish)
            return lacking
        finally:
            os.close(lock)

    def _create_task(self, body: Mapping[str, Any], key: str) -> Made:
        from flowc.digest import sha256_hex

        count = body.get("instance_quantity", 1)
        if not 1 <= count <= 64:
            raise ValidationError(f"{count} machines do not fit on this computer", help="64 at most, of one task")
        if self._wish.kind == DOCKER:
            engine, why = of_engine(self._wish)
            if engine is None:
                raise ValidationError(f"docker is wanted, and no engine answers here: {why}", help="flowc doctor")
        folder = Folder(self._folder, TASK + sha256_hex(key.encode())[:12])
        os.makedirs(folder.path, mode=0o700, exist_ok=True)
        pause = SHORT_S
        while (lock := folder.lock()) is None:
            if folder.launched:
                return _made(folder, folder.task())
            time.sleep(pause)  # another process is making it
        try:
            if folder.launched:
                return _made(folder, folder.task())
            launch = body["launch_specification"]
            for identity in launch.get("volumes", ()):
                # What was made elsewhere begins empty here.
                if self._volume(identity) is None:
                    self._make_volume(identity, None)
            with open(folder / "startup.sh", "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(launch.get("startup_script") or "")
            asked = {
                "name": body["name"],
                "created_at": stamp(),
                "instance_type": body.get("instance_type", ""),
                "machine": dict(self._needs(body["name"])),
                "body": {**body, "launch_specification": {**launch, "startup_script": None}},
            }
            replace(folder / "task.json", asked)
            if trees := self._trees(body["name"]):
                from flowc.providers.local.copying import copy_trees

                copy_trees(trees, [folder.disk(rank) for rank in range(count)], self._shares(folder), self._wish)
            from flowc.providers.local import supervisor

            supervisor.launch(folder, lock, self._shares(folder), self._given(body["name"]), self._wish)
            folder.mark_launched()
        finally:
            os.close(lock)
        return _made(folder, asked)

    def _given(self, name: str) -> dict[str, bytes]:
        """What is put into the memory of a task's machines."""
        return {**self._files(name), **{marker: b"" for _, _, marker, _ in self._trees(name)}}

    def _create_volume(self, body: Mapping[str, Any]) -> Made:
        identity = volume_id(body["name"])
        return self._volume(identity) or self._make_volume(identity, body.get("disk_interface"))

    def _make_volume(self, identity: str, interface: str | None) -> Made:
        path = self._volume_path(identity)
        os.makedirs(f"{path}/data", mode=0o700, exist_ok=True)
        name = identity.removeprefix(VOLUME)
        replace(f"{path}/volume.json", {"name": name, "created_at": stamp(), "disk_interface": interface})
        made = self._volume(identity)
        assert made is not None
        return made

    def _volume(self, identity: str) -> Made | None:
        try:
            with open(f"{self._volume_path(identity)}/volume.json", encoding="utf-8") as file:
                body = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Made(identity=identity, name=body["name"], created_at=body["created_at"], body=body)

    def _volume_path(self, identity: str) -> str:
        name = identity.removeprefix(VOLUME)
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise ValidationError(f"`{name}` is no name of a volume", help="letters, digits and hyphens")
        return os.path.join(self._folder, "volumes", name)

    def _shares(self, folder: Folder) -> tuple[Any, ...]:
        """The volumes of a task as its machines see them."""
        from flowc.machines.spec import Share

        found = []
        for identity in folder.task()["body"]["launch_specification"].get("volumes", ()):
            volume = self._volume(identity)
            if volume is None:
                continue
            source = f"{self._volume_path(identity)}/data"
            # Of what was made elsewhere it is not known how it is attached.
            interface = volume.body["disk_interface"]
            if interface != "Block":
                found.append(Share(source=source, place=f"/mnt/{volume.name}"))
            if interface != "File":
                found.append(Share(source=source, place=f"/dev/{label(volume.name)}", disk=disk_id(identity)))
        return tuple(found)

    def _ask(self, folder: Folder, request: Mapping[str, Any]) -> None:
        """Tell a task's supervisor something; nothing where there is none."""
        pause = SHORT_S
        while (process := folder.supervisor()) == 0:
            time.sleep(pause)
        if process is None:
            return
        replace(folder / f"asked.{request['do']}.json", request)
        try:
            os.kill(process, signal.SIGUSR1)
        except ProcessLookupError:
            return
        except PermissionError:
            raise ProviderError(f"task {folder.identity} belongs to another user") from None

    def _until_gone(self, folder: Folder) -> None:
        pause = SHORT_S
        while folder.supervisor() is not None:
            time.sleep(pause)
            pause = min(LONG_S, pause * 1.5)


def _made(folder: Folder, asked: Mapping[str, Any]) -> Made:
    return Made(identity=folder.identity, name=asked["name"], created_at=asked["created_at"], body=asked["body"])
