"""The whole of the provider: who, what is sold where, bids, volumes, the clock and the auctions.

A test reads and changes it directly; `with state.lock:` where a server may answer meanwhile. The methods that do more
than look something up take the lock themselves.
"""

from __future__ import annotations

import random
import string
import threading
from fractions import Fraction
from typing import Any

from tests.mithril.auction import Outcome, clear
from tests.mithril.machines import Machines, NoMachines
from tests.mithril.parts import world
from tests.mithril.parts.clock import Clock
from tests.mithril.parts.fleet import Fleet
from tests.mithril.parts.log import Effect, Log
from tests.mithril.parts.model import ApiKey, Bid, Instance, Market, Quirks, Rival, SshKey, Timing, User, Volume


class State:
    """A provider with the types, prices and projects of `world.py`. The ids it makes depend on `seed` alone."""

    def __init__(
        self,
        machines: Machines | None = None,
        *,
        timing: Timing | None = None,
        quirks: Quirks | None = None,
        seed: int = 1,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(self.lock)
        self.log = Log()
        self.calling: int | None = None
        self.timing = timing or Timing()
        self.quirks = quirks or Quirks()
        self.machines = machines or NoMachines()
        self._random = random.Random(seed)
        self._ages = 0
        self.fleet = Fleet(self.clock, self.machines, self.timing, self.quirks, self.note, self.fid)
        self.billing = True
        self.organization = "8d9bd18c-5a4c-4e28-9b1c-6d4f6f1f0f57"
        self.regions = world.regions()
        self.images = world.images()
        self.types = world.instance_types()
        self.markets = world.markets(self.types)
        self.projects = {each.fid: each for each in world.projects(self.clock.now)}
        self.users: dict[str, User] = world.users()
        self.ssh_keys: dict[str, SshKey] = {each.fid: each for each in world.ssh_keys(self.clock.now)}
        self.api_keys: dict[str, ApiKey] = {}
        self.quotas = world.quotas(self.types)
        self.clusters: list[dict[str, Any]] = []
        self.volumes: dict[str, Volume] = {}
        self.bids: dict[str, Bid] = {}
        self.idempotent: dict[str, str] = {}
        for market in self.markets:
            market.history.append((self.clock.now, market.price))
        self.clock.after(self.timing.auction, self._auctions)

    @property
    def key(self) -> str:
        """The key of the first user."""
        return next(iter(self.users))

    def fid(self, prefix: str) -> str:
        return f"{prefix}_{''.join(self._random.choices(string.ascii_letters + string.digits, k=16))}"

    def age(self) -> int:
        self._ages += 1
        return self._ages

    def note(self, what: str, fid: str, **detail: Any) -> None:
        self.log.effects.append(Effect(what, fid, self.clock.now, self.calling, detail))

    # Looking things up.

    def bid_named(self, name: str) -> Bid:
        """The one bid of a name, ended ones included."""
        (found,) = [each for each in self.bids.values() if each.name == name]
        return found

    def live_bids(self) -> list[Bid]:
        return [each for each in self.bids.values() if each.status != "Terminated"]

    def market(self, type_name: str, region: str | None = None) -> Market:
        """By name or FID of the type."""
        return next(
            each
            for each in self.markets
            if type_name in (each.type.name, each.type.fid) and region in (None, each.region)
        )

    def attached(self, volume: Volume) -> list[Bid]:
        return [each for each in self.live_bids() if volume.fid in each.volumes]

    def used(self, type_fid: str, project: str) -> int:
        """Instances that live bids ask for, as the quota of a type counts them."""
        return sum(
            each.quantity for each in self.live_bids() if each.market.type.fid == type_fid and each.project == project
        )

    # What a bid has cost.

    def instances_of(self, bid: Bid) -> list[Instance]:
        """All of them, from the first to the last."""
        return sorted([*bid.past, *bid.instances], key=lambda each: (each.created_at, each.rank))

    def cost(self, bid: Bid) -> Fraction:
        """Dollars that the bid has cost until now, exactly: each instance's hours at what it paid in each of them."""
        with self.lock:
            return self.fleet.cost(self.instances_of(bid))

    def bill(self) -> Fraction:
        """Dollars that all bids have cost until now."""
        with self.lock:
            return sum((self.cost(each) for each in self.bids.values()), Fraction(0))

    # The auction, and what a test does to bids.

    def _auctions(self) -> None:
        for market in self.markets:
            self.auction(market)
        self.clock.after(self.timing.auction, self._auctions)

    def contenders(self, market: Market) -> list[Bid | Rival]:
        return [
            *(
                each
                for each in self.live_bids()
                if each.market is market and each.status != "Paused" and not each.barred
            ),
            *market.rivals,
        ]

    def auction(self, market: Market) -> Outcome[Bid | Rival]:
        """Holds an auction of one market now; it is held every two minutes by the clock."""
        with self.lock:
            outcome = clear(market.capacity, market.floor, self.contenders(market))
            market.price, market.lowest = outcome.price, outcome.lowest
            market.sold = market.capacity - outcome.left
            market.history.append((self.clock.now, market.price))
            for bid in (each for each in outcome.losers if isinstance(each, Bid)):
                if bid.status == "Allocated":
                    self._lose(bid)
            for bid in (each for each in outcome.winners if isinstance(each, Bid)):
                self.fleet.reprice(bid, outcome.pays(bid))
                if bid.status == "Open":
                    self._win(bid)
                elif bid.status == "Preempting":
                    self.note("recalled", bid.fid)
                    self.fleet.recall(bid)
            return outcome

    def _win(self, bid: Bid) -> None:
        bid.status = "Allocated"
        self.event(bid, "Allocated")
        self.note("allocated", bid.fid, cents=bid.price)
        self.fleet.launch(bid)

    def _lose(self, bid: Bid) -> None:
        self.event(bid, "Preempted")
        self.note("preempting", bid.fid)
        self.fleet.give_notice(bid)
        self.fleet.fill(bid.market)

    def change_limit(self, bid: Bid, cents: int) -> None:
        """Counts in the next auction; nobody pays more than their limit meanwhile."""
        with self.lock:
            bid.limit = cents
            self.fleet.reprice(bid, min(bid.price, cents))

    def pause(self, bid: Bid) -> None:
        with self.lock:
            if bid.status != "Paused":
                bid.status, bid.barred = "Paused", False
                self.event(bid, "Paused")
                self.fleet.end(bid, "PAUSED")

    def resume(self, bid: Bid) -> None:
        with self.lock:
            if bid.status == "Paused":
                bid.status = "Open"
                self.event(bid, "Resumed")

    def terminate(self, bid: Bid) -> None:
        with self.lock:
            bid.status, bid.deactivated_at = "Terminated", self.clock.now
            self.event(bid, "Terminated")
            self.note("bid cancelled", bid.fid)
            self.fleet.end(bid, "TERMINATED")

    def event(self, bid: Bid, what: str, **more: Any) -> None:
        """Adds to what `/v2/spot/bids/{fid}/history` tells."""
        bid.events.append({"timestamp": self.clock.now, "event_type": what, **more})

    def rival(self, market: Market, limit: int, quantity: int = 1) -> Rival:
        """Puts in somebody else's bid: `limit` in cents. `market.rivals.remove` takes it out again."""
        with self.lock:
            rival = Rival(limit, quantity, self.age())
            market.rivals.append(rival)
            return rival

    def preempt(self, bid: Bid) -> None:
        """Gives the bid notice now, whatever the auction says; it may win again when the notice is over."""
        with self.lock:
            if bid.status != "Allocated":
                raise ValueError(f"{bid.fid} is {bid.status}: only an allocated bid is preempted")
            bid.barred = True
            self._lose(bid)
            if not bid.instances:  # nothing was up yet, so nothing has to wait for the end of the notice
                bid.barred = False

    def relocate(self, bid: Bid, rank: int = 0) -> None:
        """Moves one of the bid's instances to another machine, with notice."""
        with self.lock:
            (instance,) = [each for each in bid.instances if each.rank == rank]
            self.note("relocating", instance.fid, bid=bid.fid)
            self.fleet.relocate(instance)

    def settle(self, minutes: int = 30) -> None:
        """Turns the clock until each live bid that the auction lets win has all its instances running."""
        for _ in range(minutes * 6):
            self.clock.advance(seconds=10)
            with self.lock:
                live = [each for each in self.live_bids() if each.status in ("Allocated", "Preempting")]
                ready = all(
                    len(each.instances) == each.quantity and all(i.status == "RUNNING" for i in each.instances)
                    for each in live
                )
                if ready and (live or not self.live_bids()):
                    return
