"""The process that keeps one task: it starts its machines, sees how its job ends, takes machines away and gives new
ones, and is the last to go. It outlives the command that made it."""

from __future__ import annotations

import json
import os
import select
import signal
import time

from flowc.machines import boot
from flowc.machines.disk import INSTALL_LOG, STATUS, UNIT_LOG, outside
from flowc.machines.gpus import count_of
from flowc.machines.spec import Box, File, Node, Spec
from flowc.providers.base import CANCELLED, COMPLETED, ENDED, ENDS, FAILED, PENDING, PROVISIONING, RUNNING
from flowc.providers.local import kinds
from flowc.providers.local.ends import computer_stops, free_addresses, reason
from flowc.providers.local.tasks import CUT, boot_id, machine_names, stamp, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.machines.machine import Machine
    from flowc.machines.spec import Share
    from flowc.providers.local.kinds import Wish
    from flowc.providers.local.tasks import Folder

# Why machines are away.
PREEMPTED = "preempted"
# What stands for the boot of a computer that was shut down in order, with the task.
GOING_DOWN = "going down"
# As `flowc.machines.docker.box` has it.
TASK_LABEL = "flowc.task"
# How long a job may take to end after TERM when the supervisor itself is told to end.
CANCEL_S = 10.0
# How long a new machine is waited for after a preemption; after a machine was lost, and how often that may happen.
AWAY_S, LOST_S, MOST_LOSSES = 0.1, 1.0, 5
# How long an engine is waited for that is to remove what it has of a task.
CLEAR_S = 60.0


def launch(folder: Folder, lock: int, shares: tuple[Share, ...], files: Mapping[str, bytes], wish: Wish) -> None:
    """Start the supervisor of a task, which takes over `lock`. Returns at once."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        _leave(folder, lock)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        Supervisor(folder, shares, files, wish).run()
        os._exit(0)
    finally:
        import traceback

        traceback.print_exc()
        os._exit(1)


def _leave(folder: Folder, lock: int) -> None:
    """Let go of all that belongs to the command."""
    os.chdir("/")
    os.umask(0o022)
    null = os.open("/dev/null", os.O_RDONLY)
    log = os.open(folder / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, lock)
    os.closerange(lock + 1, 4096)
    # What is asked for by USR1 before somebody listens is looked at then.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)


class Supervisor:
    """`files` are held in memory, for each boot of a machine. `wish`: what machines are made of, the first time."""

    def __init__(self, folder: Folder, shares: tuple[Share, ...], files: Mapping[str, bytes], wish: Wish) -> None:
        self._folder = folder
        self._asked = folder.task()
        self._shares = shares
        self._put = tuple(
            File(path=path, mode=0o600, text=data.decode("utf-8", "surrogateescape")) for path, data in files.items()
        )
        # Of a task that goes on after a start of this computer there is one.
        self._state = folder.state()
        self._wish = wish
        self._kind = kinds.Kind(name=boot.NAMESPACES)
        self._machines: list[Machine] = []
        # Ranks whose unit has ended since the last start.
        self._ended: dict[int, int] = {}
        self._trouble: str | None = None
        self._notice_until: float | None = None
        self._stopping: str | None = None
        self._terminated = False
        self._losses = 0
        self._why_away = PREEMPTED
        self._read, self._wake = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._wake, False)

    def run(self) -> None:
        """Until the task has ended and nothing is left of it but what stands on its disks."""
        from flowc.machines import linux
        from flowc.machines.machine import Machine

        self._folder.mark_launched()
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        signal.signal(signal.SIGTERM, self._terminate)
        linux.be_called("flowc-local")
        self._choose()
        if self._state.state not in ENDED:
            only = self._wish.kind != kinds.AUTO
            self._machines = [Machine(spec, self._kind.name, only=only) for spec in self._specs()]
            self._start()
            self._look_what_is_asked()
        while self._state.state not in ENDED and self._state.boot != GOING_DOWN:
            self._step()
        for machine in self._machines:
            machine.cut()

    def _choose(self) -> None:
        """Decide what machines are made of: of what they were before, where they were."""
        wish = self._wish
        if self._state.kind:
            wish = wish.replace(kind=self._state.kind)
        try:
            # The engine that had its machines may be on its way up, as this computer is.
            patience_s = kinds.PATIENCE_S if self._state.kind == boot.DOCKER else 0.0
            if not patience_s and kinds.is_quick(wish):
                self._kind = kinds.chosen(wish, self._folder.base, "")
            else:
                engine = kinds.of_engine(wish)[0] or ""
                self._save(state=PROVISIONING, reason="what its machine is made of is got ready", engine=engine)
                label = f"{TASK_LABEL}={self._folder.identity}"
                kind = kinds.chosen_beside(
                    wish, self._folder.base, label, self._read, self._is_asked_to_end, patience_s=patience_s
                )
                if kind is None:
                    self._kind = kinds.Kind(name=boot.DOCKER, engine=engine)
                    self._end(CANCELLED, "cancelled", None)
                    return
                self._kind = kind
        except kinds.NoKindError as error:
            self._end(FAILED, f"no machine can be started here: {error}", None)
            return
        said = [self._kind.why] if self._kind.why else []
        self._state = self._state.replace(kind=self._kind.name, engine=self._kind.engine, image=self._kind.image)
        self._save(shared=tuple(dict.fromkeys([*self._state.shared, *said])))

    def _is_asked_to_end(self) -> bool:
        return self._terminated or self._asked_for("end") is not None

    def _terminate(self, *_: object) -> None:
        self._terminated = True

    def _specs(self) -> list[Spec]:
        names = machine_names(self._asked)
        with open(self._folder / "startup.sh", encoding="utf-8", errors="surrogateescape", newline="") as file:
            script = file.read()
        kind = self._asked["instance_type"]
        box = self._box(count_of(kind)) if self._kind.name == boot.DOCKER else None
        addresses = free_addresses(self._folder.identity, len(names)) if len(names) > 1 else []
        nodes = tuple(Node(name=name, address=address) for name, address in zip(names, addresses, strict=False))
        return [
            Spec(
                disk=self._folder.disk(rank),
                name=name,
                nodes=nodes,
                shares=self._shares,
                files=self._put,
                gpus=count_of(kind),
                instance_type=kind,
                script=script,
                skeleton=self._folder.skeleton,
                # A port of this computer is the head's.
                box=box.replace(ports=()) if box is not None and rank else box,
            )
            for rank, name in enumerate(names)
        ]

    def _box(self, gpus: int) -> Box:
        """What machines are as containers."""
        # A task of an earlier release says nothing.
        asked = self._asked.get("machine") or {}
        folders, links = kinds.places_of(asked, self._shares, ordinary=self._wish.image is None)
        box = Box(
            engine=self._kind.engine,
            image=self._kind.image,
            task=self._folder.identity,
            ports=tuple(asked.get("ports", ())),
            gpus=bool(gpus) and kinds.gives_gpus(self._kind.engine),
            jobs=asked.get("docker", False),
            client=kinds.docker_client() if asked.get("docker") else "",
            folders=folders,
            links=links,
        )
        self._state = self._state.replace(
            shared=tuple(dict.fromkeys([*self._state.shared, *kinds.shared_by_containers(box, gpus)]))
        )
        return box

    def _save(self, **changes: Any) -> None:
        on = tuple(rank for rank, machine in enumerate(self._machines) if machine.on)
        self._state = self._state.replace(on=on, **changes)
        self._folder.save(self._state)

    def _start(self) -> None:
        """Start all machines, at first or again."""
        self._ended, self._stopping, self._notice_until = {}, None, None
        # It stays told: who looks now and then might not see it while it is PENDING.
        reason = (
            f"started again: {self._state.reason or self._why_away}" if self._state.starts else self._kind.why or None
        )
        self._save(state=PROVISIONING, reason=reason, starts=self._state.starts + 1, boot=boot_id())
        if self._kind.name == boot.DOCKER and len(self._machines) > 1:
            from flowc.machines.docker import box

            box.make_network(self._kind.engine, self._folder.identity)
        for machine in self._machines:
            machine.start()
        self._save()

    def _step(self) -> None:
        """Wait for one thing, and do what follows."""
        fds = {machine.events: rank for rank, machine in enumerate(self._machines) if machine.on}
        wait = None if self._notice_until is None else max(0.0, self._notice_until - time.monotonic())
        ready, _, _ = select.select([*fds, self._read], [], [], wait)
        if self._read in ready:
            os.read(self._read, 4096)
            self._look_what_is_asked()
        for fd in ready:
            if fd in fds:
                self._read_events(fds[fd])
        if self._notice_until is not None and time.monotonic() >= self._notice_until:
            self._notice_until = None
            self._stop(PENDING, None)
        self._decide()

    def _read_events(self, rank: int) -> None:
        machine = self._machines[rank]
        for event in machine.read():
            what = event["is"]
            if what == "up":
                self._save(kind=event["kind"], shared=tuple(dict.fromkeys([*self._state.shared, *machine.shared])))
            elif what == "started" and self._state.state == PROVISIONING:
                self._save(state=RUNNING)
            elif what == "ended":
                self._ended[rank] = event["status"]
            elif what == "not installed":
                status = event["status"]
                self._trouble = f"the startup script failed with status {status}: {self._last_line(rank, INSTALL_LOG)}"
            elif what == "no docker":
                self._trouble = "its job needs docker, which only a machine has that is a container itself"
            elif what == "lost":
                self._lose(event["why"])
            elif what == "cannot" and not event.get("again"):
                self._trouble = f"no machine can be started here: {event['why']}"

    def _look_what_is_asked(self) -> None:
        if self._terminated:
            self._terminated = False
            self._stop(GOING_DOWN if computer_stops() else CANCELLED, CANCEL_S)
        asked = self._asked_for("end")
        if asked is not None:
            self._stop(CANCELLED, asked["grace"])
        asked = self._asked_for("preempt")
        if asked is not None and self._stopping is None and self._notice_until is None:
            self._notice_until = time.monotonic() + asked["notice_s"]
            for machine in self._machines:
                machine.order("notice", text="status: STATUS_PREEMPTING\n")
            self._save(reason=f"will be preempted in {asked['notice_s']:g} seconds")

    def _lose(self, why: str) -> None:
        """A machine is gone that nobody has taken away: all are started again, as after a preemption."""
        if self._stopping is not None:
            return
        self._losses += 1
        if self._losses > MOST_LOSSES:
            self._trouble = f"its machine was lost too often: {why}"
            return
        self._why_away = why
        self._stop(PENDING, None)

    def _asked_for(self, what: str) -> dict[str, Any] | None:
        path = self._folder / f"asked.{what}.json"
        try:
            with open(path, encoding="utf-8") as file:
                found: dict[str, Any] = json.load(file)
        except FileNotFoundError:
            return None
        os.unlink(path)
        return found

    def _stop(self, why: str, grace: float | None) -> None:
        """Shut all machines down; `why` is the state that follows."""
        if self._stopping != CANCELLED:
            self._stopping = why
        for machine in self._machines:
            machine.order("stop", **({} if grace is None else {"grace": grace}))

    def _decide(self) -> None:
        """What follows from how the machines are."""
        outcome = None if self._stopping == CANCELLED else self._outcome()
        if outcome is not None:
            # Nothing of the job runs any more, unless on machines that served its steps: `run` takes their power.
            self._end(*outcome)
        elif not any(machine.on for machine in self._machines):
            if self._stopping == CANCELLED:
                self._end(CANCELLED, "cancelled", None)
            elif self._stopping == GOING_DOWN:
                # Whoever looks at it next, after the start of this computer, lets it go on.
                self._save(state=PENDING, reason=CUT, boot=GOING_DOWN)
            elif self._stopping == PENDING:
                self._save(state=PENDING, reason=self._why_away)
                time.sleep(AWAY_S if self._why_away == PREEMPTED else LOST_S)
                self._why_away = PREEMPTED
                self._start()
            else:
                self._end(FAILED, "its machine was shut down", None)

    def _end(self, state: str, reason: str | None, exit_status: int | None) -> None:
        if state == FAILED and exit_status is None:
            exit_status = 1
        if self._kind.name == boot.DOCKER:
            # What is seen of a task that has ended is all that there is.
            for machine in self._machines:
                machine.cut()
            self._clear()
        self._state = self._state.replace(state=state, reason=reason, exit_status=exit_status, ended_at=stamp(), on=())
        self._folder.save(self._state)

    def _clear(self) -> None:
        """Remove what the engine has of the task."""
        from flowc.machines.docker import box

        until = time.monotonic() + CLEAR_S
        while (why := box.cleared(self._kind.engine, self._folder.identity, self._kind.image, self._folder.path)) and (
            time.monotonic() < until
        ):
            time.sleep(LOST_S)
        if not why:
            self._state = self._state.replace(engine="")
        else:
            said = f"what docker still has of it could not be removed: {why}; `flowc local remove` tries again"
            self._state = self._state.replace(shared=(*self._state.shared, said))

    def _outcome(self) -> tuple[str, str | None, int | None] | None:
        """State, reason and exit status of the job, None while it is not over."""
        if self._trouble is not None:
            return FAILED, self._trouble, None
        over = {}
        for rank, unit_status in self._ended.items():
            status = self._status(rank)
            if status is None or status["state"] in ENDS:
                over[rank] = status
            elif self._stopping is None:
                log = self._last_line(rank, UNIT_LOG)
                return FAILED, f"its script was cut short with status {unit_status}" + (f": {log}" if log else ""), None
        several = len(self._machines) > 1
        for rank in sorted(over):
            status = over[rank]
            if status is not None and status["state"] != "COMPLETED":
                where = f" on {self._machines[rank].spec.name}" if several else ""
                return ENDS[status["state"]], reason(status) + where, status["exit_code"]
        if 0 in over:
            if over[0] is None:
                return FAILED, f"its job was not started: {self._last_line(0, UNIT_LOG)}", None
            # Machines that only serve the head's steps do not end by themselves.
            serve = os.path.exists(self._at(0, "/var/lib/foundry/flowc/nodes"))
            if serve or len(over) == len(self._machines):
                return COMPLETED, None, over[0]["exit_code"]
        return None

    def _status(self, rank: int) -> dict[str, Any] | None:
        try:
            with open(self._at(rank, STATUS), encoding="utf-8") as file:
                return status_of(file.read())
        except OSError:
            return None

    def _last_line(self, rank: int, log: str) -> str:
        try:
            with open(self._at(rank, log), encoding="utf-8", errors="replace") as file:
                return (file.read().strip().splitlines() or [""])[-1]
        except OSError:
            return ""

    def _at(self, rank: int, path: str) -> str:
        return outside(self._folder.disk(rank), path, self._shares)
