"""The instances of bids over time: from NEW to RUNNING, a notice and its end, relocation, pause, and what each costs.

A market never has more standing instances than machines. Bids that have won while those they displace still have their
notice wait as NEW, and all instances of a bid are confirmed together. Preempting and relocating instances still run:
they go on costing what they last did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from fractions import Fraction

from tests.mithril.machines import Machines, Notice
from tests.mithril.parts.clock import Clock
from tests.mithril.parts.model import BILLED, OVER, STANDING, Bid, Instance, Market, Period, Quirks, Timing

HOUR = timedelta(hours=1)
NOTICES = ("PREEMPTING", "RELOCATING")


class Fleet:
    """Moves instances on. `note` writes a side effect down, `fid` makes an id."""

    def __init__(
        self,
        clock: Clock,
        machines: Machines,
        timing: Timing,
        quirks: Quirks,
        note: Callable[..., None],
        fid: Callable[[str], str],
    ) -> None:
        self.clock, self.machines, self.timing, self.quirks = clock, machines, timing, quirks
        self.note, self.fid = note, fid
        self.instances: dict[str, Instance] = {}
        self.errors: list[Exception] = []
        self._addresses = 0

    # What others ask for.

    def launch(self, bid: Bid) -> None:
        """Makes the instances of a bid that has won. They wait as NEW until the market has machines for all of them."""
        returning = {each.rank: each for each in bid.past if each.rank in bid.disks}
        for rank in range(bid.quantity):
            before = returning.get(rank) if self.quirks.same_fid_on_return else None
            bid.instances.append(self._new(bid, rank, before))
        self.fill(bid.market)

    def give_notice(self, bid: Bid) -> None:
        """The bid has lost its machines: 5 minutes are left to those that run, none to those still waiting."""
        bid.status = "Preempting"
        for instance in list(bid.instances):
            if instance.status == "NEW":
                self._end(instance, "PREEMPTED")
            else:
                self._warn(instance, "STATUS_PREEMPTING")
        if not bid.instances:
            bid.status = "Open"

    def recall(self, bid: Bid) -> None:
        """The bid has won again within its notice: it keeps its machines. Those not yet up go on where they were."""
        bid.status = "Allocated"
        for instance in bid.instances:
            if instance.status == "PREEMPTING":
                instance.end_time = None
                if instance.handle is not None:
                    self.machines.spare(instance.handle)
                was = next(status for _, status in reversed(instance.history) if status not in NOTICES)
                self._move(instance, was)
                self._expect_next(instance)

    def relocate(self, instance: Instance) -> None:
        """Gives notice of a move: after it a new instance, of a new FID, boots from the same disk elsewhere."""
        if instance.status != "RUNNING":
            raise ValueError(f"{instance.fid} is {instance.status}: only a running instance is relocated")
        self._warn(instance, "STATUS_RELOCATING")

    def end(self, bid: Bid, status: str) -> None:
        """Ends all instances of a bid now, as TERMINATED (over STOPPING) or PAUSED."""
        for instance in list(bid.instances):
            if status == "TERMINATED" and instance.status != "NEW":
                self._power_off(instance)
                self._move(instance, "STOPPING")
                self.clock.after(self.timing.stop, self._step(instance, self._terminated))
            else:
                self._end(instance, status)
        if status == "TERMINATED":
            for disk in bid.disks.values():
                self.machines.forget(disk)
        self.fill(bid.market)

    def reprice(self, bid: Bid, cents: int) -> None:
        """What the bid's instances cost from now on."""
        bid.price = cents
        for instance in bid.instances:
            if instance.periods and instance.periods[-1].end is None and instance.periods[-1].cents != cents:
                self._close(instance)
                instance.periods.append(Period(cents, self.clock.now))

    def standing(self, market: Market) -> int:
        """How many machines of the market are taken by instances, those that are on their way out included."""
        return sum(each.bid.market is market and each.status in STANDING for each in self.instances.values())

    def fill(self, market: Market) -> None:
        """Confirms waiting bids, the older first, as far as machines are free for all their instances."""
        waiting = {each.bid.age: each.bid for each in self.instances.values() if each.status == "NEW"}
        for bid in (each for _, each in sorted(waiting.items()) if each.market is market):
            new = [each for each in bid.instances if each.status == "NEW"]
            if len(new) <= market.capacity - self.standing(market):
                for instance in new:
                    self._move(instance, "CONFIRMED")
                    self._expect_next(instance)

    def cost(self, instances: Iterable[Instance]) -> Fraction:
        """Dollars so far, exactly."""
        cents = Fraction(0)
        for period in (each for instance in instances for each in instance.periods):
            took = (period.end or self.clock.now) - period.start
            cents += Fraction(took // timedelta(microseconds=1), HOUR // timedelta(microseconds=1)) * period.cents
        return cents / 100

    # How one instance moves.

    def _new(self, bid: Bid, rank: int, before: Instance | None) -> Instance:
        self._addresses += 1
        fid = before.fid if before is not None else self.fid("inst")
        ip = f"10.0.{self._addresses // 250}.{self._addresses % 250 + 2}"
        name = bid.name if bid.quantity == 1 else f"{bid.name}-{rank}"
        first = rank not in bid.disks
        disk = bid.disks.get(rank) or self.fid("disk")
        instance = Instance(fid, name, bid, rank, disk, ip, self.clock.now, first)
        if before is not None:  # it comes back under its old name, with its bill
            bid.past.remove(before)
            instance.periods, instance.history = before.periods, before.history
            instance.created_at = before.created_at
        self.instances[fid] = instance
        self._move(instance, "NEW")
        self.note("instance", fid, bid=bid.fid, rank=rank)
        return instance

    def _step(self, instance: Instance, action: Callable[[Instance], None]) -> Callable[[], None]:
        """`action` later, unless the instance has gone another way by then."""
        turn = instance.turn

        def act() -> None:
            if instance.turn == turn:
                action(instance)

        return act

    def _move(self, instance: Instance, status: str) -> None:
        instance.turn += 1
        instance.status = status
        instance.history.append((self.clock.now, status))
        paying = bool(instance.periods) and instance.periods[-1].end is None
        if status == "RUNNING" and not paying:
            instance.periods.append(Period(instance.bid.price, self.clock.now))
        elif status not in BILLED and paying:
            self._close(instance)

    def _close(self, instance: Instance) -> None:
        last = instance.periods[-1]
        last.end = self.clock.now
        if last.end == last.start:
            instance.periods.pop()

    def _expect_next(self, instance: Instance) -> None:
        times = self.timing
        steps: dict[str, tuple[int, Callable[[Instance], None]]] = {
            "CONFIRMED": (times.confirm, self._boot),
            "INITIALIZING": (times.initialize, lambda each: self._on(each, "STARTING")),
            "STARTING": (times.start, self._reachable),
        }
        if instance.status in steps:
            seconds, action = steps[instance.status]
            self.clock.after(seconds, self._step(instance, action))

    def _on(self, instance: Instance, status: str) -> None:
        self._move(instance, status)
        self._expect_next(instance)

    def _boot(self, instance: Instance) -> None:
        script = (instance.bid.startup_script or "") if instance.first_boot else None
        try:
            instance.handle = self.machines.start(instance.bid, instance, script)
        except Exception as error:  # a machine that does not come up is a status, as it is for the provider
            self.errors.append(error)
            self._end(instance, "ERROR")
            return
        instance.bid.disks[instance.rank] = instance.disk
        self.note("booted", instance.fid, bid=instance.bid.fid, first=instance.first_boot)
        self._on(instance, "INITIALIZING")

    def _reachable(self, instance: Instance) -> None:
        instance.ssh_destination = instance.handle.ssh_destination
        self._on(instance, "RUNNING")

    def _warn(self, instance: Instance, reason: Notice) -> None:
        if instance.status in ("PREEMPTING", "STOPPING"):
            return
        instance.end_time = self.clock.now + timedelta(seconds=self.timing.notice)
        if instance.handle is not None:
            self.machines.preempt(instance.handle, reason, instance.end_time)
        self._move(instance, reason.removeprefix("STATUS_"))
        act = self._preempted if reason == "STATUS_PREEMPTING" else self._relocated
        self.clock.after(self.timing.notice, self._step(instance, act))

    def _terminated(self, instance: Instance) -> None:
        self._end(instance, "TERMINATED")
        self.fill(instance.bid.market)

    def _preempted(self, instance: Instance) -> None:
        bid = instance.bid
        self._end(instance, "PREEMPTED")
        if not bid.instances:
            bid.status, bid.barred = "Open", False
            self.note("preempted", bid.fid)
        self.fill(bid.market)

    def _relocated(self, instance: Instance) -> None:
        self._end(instance, "REPLACED")
        new = self._new(instance.bid, instance.rank, None)
        instance.bid.instances.append(new)
        instance.bid.instances.sort(key=lambda each: each.rank)
        self._on(new, "CONFIRMED")  # it keeps the place of the one that it stands in for
        self.note("relocated", new.fid, bid=instance.bid.fid, instead_of=instance.fid)

    def _end(self, instance: Instance, status: str) -> None:
        assert status in OVER
        self._power_off(instance)
        self._move(instance, status)
        instance.end_time, instance.ssh_destination = None, None
        instance.bid.instances.remove(instance)
        instance.bid.past.append(instance)

    def _power_off(self, instance: Instance) -> None:
        if instance.handle is not None:
            self.machines.stop(instance.handle)
            instance.handle = None
