"""`Task`: a handle of something that was submitted. It holds a name, and asks whenever it is asked."""

from __future__ import annotations

import os
import time
from typing import Any, Literal, NoReturn, overload

from flowc.providers.base import CANCELLED, ENDED, FAILED, PENDING
from flowc.record import Record
from flowc.sdk.errors import ConflictError, FlowError, NotFoundError, TaskTimeoutError, UnavailableError
from flowc.sdk.following import following
from flowc.sdk.functions.result import value_of
from flowc.sdk.translate import translated
from flowc.submit.journal import BROKEN, GIVEN_UP, MADE, NEVER, Bid
from flowc.submit.turns import Turns
from flowc.tasks.looking import deliver, look_ahead, looked_after, output_folder
from flowc.tasks.output import Ends, Output
from flowc.tasks.placing import place_more
from flowc.tasks.refused import RefusedTaskError
from flowc.tasks.waiting import Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from flowc.providers.base import Task as Seen
    from flowc.sdk.worlds import Worlds
    from flowc.tasks.world import World

# The key of what somebody else has submitted: it is in no journal of ours.
FOREIGN = "-"


class Instance(Record):
    """One machine of a task. `ssh_host` and `ssh_port` are where it can be reached, None while it cannot."""

    instance_id: str
    status: str
    ssh_host: str | None = None
    ssh_port: int | None = None
    private_ip: str | None = None


class User(Record):
    """Who submitted a task; what the provider does not tell is None."""

    user_id: str
    username: str | None = None
    email: str | None = None


class Task:
    """`task_id` is its name, which nobody else has. Two handles of one task are equal. Every method may raise a
    FlowError; a handle may be used by several threads.

    A bid is paid until it is ended. Whoever sees that the job has ended, ends it: `wait`, `logs(follow=True)`,
    `status`, `flowc watch` or any command that looks at it."""

    def __init__(self, worlds: Worlds, bid: Bid, seen: Seen | None = None) -> None:
        self._worlds = worlds
        self._first = bid
        self._last = seen
        self._state = None if seen is None else seen.state
        self.task_id = bid.name if bid.key != FOREIGN else str(bid.made)
        self.name = bid.name
        self.provider = bid.provider

    @property
    def status(self) -> str:
        """pending, provisioning, running, completed, failed or cancelled; asked anew each time."""
        with translated():
            self._state = self._status()
            return self._state

    @property
    def exit_status(self) -> int | None:
        """The job's, as a shell says it; None before its end."""
        with translated():
            return self._bid(self._worlds.now()).exit_status if self._status() in ENDED else None

    @property
    def instance_type(self) -> str:
        """The machine's type, by the provider's name or, before it is placed, maybe its id."""
        with translated():
            if self._last is None and self._bid(self._worlds.now()).made is None:
                return self._planned("instance_type")
            return (self._last or self._look()).instance_type

    @property
    def region(self) -> str | None:
        """Where it runs, or is to run; None where that is not told yet."""
        with translated():
            if self._last is None and self._bid(self._worlds.now()).made is None:
                return self._planned("region")
            return (self._last or self._look()).region

    @property
    def submission(self) -> str:
        """The key of the submission that it belongs to: commands take it too."""
        return self._first.key

    @overload
    def logs(self, follow: Literal[False] = False) -> str: ...

    @overload
    def logs(self, follow: Literal[True]) -> Generator[str, None, None]: ...

    @overload
    def logs(self, follow: bool) -> str | Generator[str, None, None]: ...

    def logs(self, follow: bool = False) -> str | Generator[str, None, None]:
        """The output so far; with `follow` its lines, without their ends, as they come, until the job has ended and
        its bid with it, through preemptions. `close()` of that, or giving it up, leaves the job alone."""
        return self._follow() if follow else self._output()

    def wait(self, timeout: float | None = None) -> None:
        """Until the job has ended, well or not (`status`, `exit_status`), and its bid with it. Raises TaskTimeoutError
        after `timeout` seconds, and lets KeyboardInterrupt through: the job goes on then."""
        with translated():
            world = self._worlds.now()
            bid = self._bid(world)
            if not self._is_over(bid) and not self._ends(world, bid, timeout):
                raise TaskTimeoutError(
                    f"{self.task_id} has not ended within {timeout:g} seconds; it goes on",
                    suggestions=("wait() again", "cancel() ends it"),
                )
            self._state = self._bid(world).ended or self._state

    def _ends(self, world: World, bid: Bid, timeout: float | None) -> bool:
        """Whether the job ends in time: its machine says so by itself, where it can."""
        heard = Ends()
        try:
            return Waiting(world, [bid], output=heard).run(timeout=timeout)
        finally:
            heard.stop()

    def result(self, timeout: float | None = None, *, trust: bool = False) -> Any:
        """What the function of `Flow.invoke` has given, once the job has ended; raises as that, and ConflictError for
        the task of no function."""
        with translated():
            world = self._worlds.now()
            submission = world.journal.submission(self._first.key)
            if submission is None or "fetch" not in submission.document:
                raise ConflictError(f"{self.task_id} runs no function", suggestions=("logs() has its output",))
        self.wait(timeout)
        path = os.path.join(output_folder(world), self._first.key, f"{self.name}.result")
        if not os.path.exists(path):
            raise self._without_result()
        return value_of(path, trust=trust)

    def _without_result(self) -> FlowError:
        status = self.exit_status
        likely = {127: ("there is no python3 on its machine, or in its image",), 137: ("maybe it had no memory left",)}
        return FlowError(
            f"{self.task_id} has ended without a result: {self.status}, exit status {status}",
            suggestions=(*likely.get(status or 0, ()), f"get_task({self.task_id!r}).logs() says why"),
        )

    def cancel(self, *, now: bool = False) -> None:
        """End the job, and what is paid for it; one that has ended is no error. Its output is brought before, for half
        a minute at most, unless it is to end `now`."""
        from flowc.tasks.cancelling import cancel

        with translated():
            world = self._worlds.now()
            if self._first.key == FOREIGN:
                world.provider(self.provider).end("bid", self.task_id)
            else:
                cancel(world, [self.task_id], now=now)

    def ssh(self, command: str | None = None, *, node: int = 0) -> None:
        """A shell on one of its machines, in this terminal, or a command there, whose output goes to ours. It begins
        where the job is: in its container while that runs, else in its folder, as root. Ctrl-C reaches it, and it ends
        with us. Raises ConflictError where there is no machine, FlowError for a command that fails."""
        from flowc.tasks.entering import enter, machine_of

        with translated():
            world = self._worlds.now()
            bid = self._bid(world)
            if bid.made is None:
                raise ConflictError(f"{self.task_id} has no machine yet: it is {self._status()}")
            provider = world.provider(self.provider)
            try:
                seen, machine = machine_of(provider, bid, node)
            except RefusedTaskError as error:
                raise ConflictError(str(error), suggestions=("logs() has its output so far",)) from None
            terminal = world.environ.get("TERM", "dumb") if command is None and os.isatty(0) and os.isatty(1) else ""
            words = () if command is None else (command,)
            status = enter(provider.session(seen, machine, words, terminal=terminal), terminal=bool(terminal))
        if status and command is not None:
            raise FlowError(f"the command on {self.task_id} ended with status {status}")

    def get_instances(self) -> list[Instance]:
        """Its machines, those that there are now."""
        with translated():
            if self._bid(self._worlds.now()).made is None:
                return []
            found = []
            for each in self._look().machines:
                host, port = _address(each.address)
                found.append(
                    Instance(
                        instance_id=each.identity,
                        status=each.state,
                        ssh_host=host,
                        ssh_port=port,
                        private_ip=each.private_ip,
                    )
                )
            return found

    def get_user(self) -> User:
        """Who submitted it."""
        with translated():
            world = self._worlds.now()
            if self.provider == "local":
                return User(user_id=str(os.getuid()), username=_login(os.getuid()))
            client = world.client()
            me, made = client.me(), self._bid(world).made
            if made is not None:
                author = str(client.bid(made).get("created_by") or me["fid"])
                if author != me["fid"]:
                    return User(user_id=author)
            return User(user_id=me["fid"], username=me.get("user_name"), email=me.get("email"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and (other.provider, other.task_id) == (self.provider, self.task_id)

    def __hash__(self) -> int:
        return hash((self.provider, self.task_id))

    def __reduce__(self) -> NoReturn:
        again = f"Flow().get_task({self.task_id!r}) finds it again"
        raise TypeError(f"a Task is not pickled, since it may hold a key: {again}")

    def __repr__(self) -> str:
        state = "" if self._state is None else f", status={self._state!r}"
        kind = "" if self._last is None else f", instance_type={self._last.instance_type!r}"
        return f"Task({self.task_id!r}, provider={self.provider!r}{state}{kind})"

    def _bid(self, world: World) -> Bid:
        """What the journal knows of it now."""
        if self._first.key == FOREIGN:
            return self._first
        return next((bid for bid in world.journal.bids(name=self.task_id)), self._first)

    @staticmethod
    def _is_over(bid: Bid) -> bool:
        """Whether nothing is left to do about it: nobody needs to be asked."""
        return bid.ended is not None and (bid.keep or bid.released_at is not None)

    def _status(self) -> str:
        world = self._worlds.now()
        bid = self._bid(world)
        if self._is_over(bid):
            return bid.ended or FAILED
        if bid.made is None:
            bid = self._placed(world, bid)
        if bid.made is not None:
            return self._look().state
        if bid.state == GIVEN_UP:
            return CANCELLED
        return FAILED if bid.state == NEVER or bid.submission == BROKEN else PENDING

    def _placed(self, world: World, bid: Bid) -> Bid:
        """As it is once what it waits for was looked at, and it was placed where it has its turn."""
        look_ahead(world, [bid])
        if Turns(world.journal, bid.key, now=time.time()).may_change():
            place_more(world, bid.key)
        return self._bid(world)

    def _look(self) -> Seen:
        """As it is now; what follows from that is done: its bid is ended, its secrets are brought."""
        world = self._worlds.now()
        bid = self._bid(world)
        if bid.made is None:
            raise NotFoundError(f"{self.task_id} has no machines yet: it waits for its turn")
        provider = world.provider(self.provider)
        (self._last,) = looked_after(world, self.provider, [provider.get(bid.made)])
        if bid.key != FOREIGN:
            deliver(world, provider, [bid], [self._last])
        return self._last

    def _planned(self, key: str) -> str:
        """What its bid is to say."""
        world = self._worlds.now()
        entry = next(each for each in world.journal.entries(self._first.key) if each.number == self._first.number)
        text = str(entry.body[key])
        return text[2:-1].partition(":")[2].partition("@")[0] if text.startswith("${") else text

    def _output(self) -> str:
        parts: list[bytes] = []
        with translated():
            world = self._worlds.now()
            bid = self._bid(world)
            output = Output(parts.append, several=False)
            kept = bid.released_at is not None and output.kept(output_folder(world), bid)
            if not kept and bid.made is not None:
                provider = world.provider(self.provider)
                seen = provider.get(bid.made)
                output.more(provider, bid, seen)
                output.last(provider, bid, seen)
        return b"".join(parts).decode("utf-8", "replace")

    def _follow(self) -> Generator[str, None, None]:
        with translated():
            bid = self._bid(self._worlds.now())
            if self._is_over(bid):
                yield from self._output().splitlines()
                return
        yield from following(self._worlds, bid)


def foreign(seen: Seen, provider: str) -> Bid:
    """The bid of somebody else: its job's end is seen like ours, and its bid is left alone."""
    return Bid(
        key=FOREIGN,
        number=-1,
        identity=FOREIGN,
        name=seen.name,
        provider=provider,
        keep=True,
        state=MADE,
        made=seen.identity,
        ended=None,
        exit_status=None,
        released_at=None,
    )


def _address(address: str | None) -> tuple[str | None, int | None]:
    """Raises UnavailableError for an address that is none."""
    if address is None:
        return None, None
    from flowc.remote.ssh import UnreachableError, place_of

    try:
        place = place_of(address, "")
    except UnreachableError as error:
        raise UnavailableError(str(error)) from None
    return place.host, place.port


def _login(number: int) -> str | None:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return None
