"""What a provider is: what `submit`, `list`, `status`, `wait` and `cancel` ask of one."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal
    from typing import IO, Any, Protocol

    from flowc.remote.link import Ran
    from flowc.remote.session import Session
    from flowc.remote.tail import Mark

    class Provider(Protocol):
        """A place where jobs run. Every method may raise ProviderError.

        A kind of resource is `bid`, `volume` or `key`. A `body` is what the request document says, with all references
        replaced.
        """

        name: str
        # Seconds between looks at a task: the pauses grow from one to the other.
        look_s: tuple[float, float]
        # Whether it brings by itself what is to be delivered to its machines, and ends tasks with their jobs: else
        # somebody has to look after them.
        keeps_tasks: bool

        def resolve(self, document: Mapping[str, Any]) -> Resolution:
            """What a request document refers to, and whether it would be taken. Reads only. Raises ValidationError and
            the like for what would be refused."""

        def create(self, kind: str, body: Mapping[str, Any], *, key: str) -> Made:
            """Make a resource, once. Raises OutcomeUnknownError where it may have been made: `find` then tells.
            `key` is the same for each attempt at one resource."""

        def find(self, kind: str, name: str, body: Mapping[str, Any]) -> list[Made]:
            """The resources of that name, where `body` would have made one; oldest first. Bids that have ended are
            among them, volumes that are gone are not. What it gives is complete: a resource that is not among them has
            not been made by any call that has been answered."""

        def change(self, kind: str, identity: str, changes: Mapping[str, Any]) -> None:
            """Change a resource; doing so twice is as once."""

        def end(self, kind: str, identity: str) -> None:
            """End a resource, with the machines of a bid; one that is gone has ended."""

        def get(self, identity: str) -> Task:
            """One task. Raises NotFoundError."""

        def list_tasks(self, *, limit: int) -> Iterable[Task]:
            """The tasks, newest first."""

        def read(self, task: Task, machine: Machine, path: str, *, offset: int) -> bytes | None:
            """A piece of a file of one of the task's machines, from `offset` on: empty at its end, None where there is
            no such file. Raises UnavailableError where the machine cannot be reached."""

        def write(self, task: Task, machine: Machine, path: str, data: bytes) -> None:
            """Put a file on one of the task's machines that root alone may read, as a whole. Raises as `read`."""

        def run(
            self,
            task: Task,
            machine: Machine,
            script: str,
            *words: str,
            given: bytes | IO[bytes] | Iterable[bytes] = b"",
            take: Callable[[bytes], object] | None = None,
        ) -> Ran:
            """Run a script of sh as root on one of the task's machines: see `flowc.remote.link.Link.run`. Raises as
            `read`, and what `given` and `take` raise."""

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
            """A file of one of the task's machines that grows, from where it was left. `take` gets what it has, and
            whether that is the first of another file than was read before, maybe in another thread. So does `told`:
            what the file `status` has whenever that changes, where such things come by themselves. Nothing is done
            before `more` or `rest`. Raises as `read`."""

        def session(self, task: Task, machine: Machine, words: Sequence[str], *, terminal: str) -> Session:
            """A command in the place of the job on one of the task's machines: see `flowc.remote.session.in_place`.
            `terminal`: the kind of terminal that it gets (TERM), empty where it gets none. Raises as `read`."""

    class Following(Protocol):
        """A file that is followed."""

        @property
        def mark(self) -> Mark:
            """Where it was left."""

        def more(self) -> None:
            """Take what there is, now or when it comes. Raises UnavailableError where the machine cannot be reached,
            which is tried again."""

        def rest(self) -> None:
            """Stop, and take what is left now. Raises UnavailableError."""

        def stop(self) -> None:
            """Take nothing more."""


# The states of a task, in the order in which it goes through them; a task that is preempted is PENDING again.
PENDING, PROVISIONING, RUNNING = "pending", "provisioning", "running"
COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
ENDED = (COMPLETED, FAILED, CANCELLED)
# The states of a machine's `status.json` after which a job is not started again, and what they are for its task.
ENDS = {
    "COMPLETED": COMPLETED,
    "FAILED": FAILED,
    "TIMEOUT": FAILED,
    "NODE_FAIL": FAILED,
    "CANCELLED": CANCELLED,
}


class Resolution(Record):
    """What only the provider knows of a request document. `document` may have ids in place of references; `known` are
    ids of those that it still has, but for volumes that are to be made. `warnings` are sentences for the user;
    `market_usd` is what all bids would cost in an hour at today's price, None where that is not known."""

    document: dict[str, Any]
    known: dict[str, str]
    warnings: tuple[str, ...] = ()
    market_usd: Decimal | None = None


class Made(Record):
    """A resource that a provider has. `body` is the provider's own account of it; that of a new API key has the key."""

    UNSHOWN = ("body",)

    identity: str
    name: str
    created_at: str
    body: dict[str, Any]


class Machine(Record):
    """One machine of a task. `address` is `host` or `host:port` where it can be reached by SSH."""

    identity: str
    state: str
    address: str | None = None
    private_ip: str | None = None


class Task(Record):
    """A job that was submitted. `reason` says in words why it is in its state, where that is not plain; `unit_price` is
    what is paid at most for a machine and hour, in USD; times are as the provider writes them (ISO 8601). The
    `exit_status` is the job's, where the provider itself knows it; `shared`: what could not be kept apart from the
    computer that it runs on, in sentences."""

    identity: str
    name: str
    state: str
    reason: str | None
    created_at: str
    ended_at: str | None
    region: str | None
    instance_type: str
    machines_wanted: int
    machines: tuple[Machine, ...]
    unit_price: str | None
    exit_status: int | None = None
    shared: tuple[str, ...] = ()
