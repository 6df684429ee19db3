"""The auction alone, and bids over time: what is promised of them under any sequence of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.mithril.auction import clear, winning_limit
from tests.mithril.machines import Handle, NoMachines
from tests.mithril.parts import world
from tests.mithril.parts.model import Bid, Instance, Market, Quirks
from tests.mithril.state import State


@dataclass(eq=False)
class Offered:
    limit: int
    quantity: int
    age: int


OFFERS = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), max_size=12).map(
    lambda rows: [Offered(limit, quantity, age) for age, (limit, quantity) in enumerate(rows)]
)
CAPACITY, FLOOR = st.integers(0, 12), st.integers(1, 6)


@given(CAPACITY, FLOOR, OFFERS)
def test_nobody_pays_more_than_their_limit_or_less_than_the_minimum(
    capacity: int, floor: int, offers: list[Offered]
) -> None:
    outcome = clear(capacity, floor, offers)
    for winner in outcome.winners:
        assert floor <= outcome.pays(winner) <= winner.limit


@given(CAPACITY, FLOOR, OFFERS)
def test_machines_are_neither_made_nor_lost(capacity: int, floor: int, offers: list[Offered]) -> None:
    outcome = clear(capacity, floor, offers)
    assert sum(each.quantity for each in outcome.winners) + outcome.left == capacity
    assert outcome.left >= 0
    assert sorted(each.age for each in [*outcome.winners, *outcome.losers]) == [each.age for each in offers]


@given(CAPACITY, FLOOR, OFFERS)
def test_the_price_is_that_of_the_second(capacity: int, floor: int, offers: list[Offered]) -> None:
    outcome = clear(capacity, floor, offers)
    lost = [each.limit for each in outcome.losers if each.limit >= floor]
    assert outcome.price == (floor if outcome.left or not lost else max(lost))
    assert outcome.lowest == min((each.limit for each in outcome.winners), default=None)


@given(CAPACITY, FLOOR, OFFERS)
def test_a_loser_is_beaten_by_a_higher_limit_an_older_bid_or_its_own_size(
    capacity: int, floor: int, offers: list[Offered]
) -> None:
    outcome = clear(capacity, floor, offers)
    for loser in outcome.losers:
        ahead = [each for each in outcome.winners if (-each.limit, each.age) < (-loser.limit, loser.age)]
        assert loser.limit < floor or loser.quantity > capacity - sum(each.quantity for each in ahead)


@given(CAPACITY, FLOOR, OFFERS)
def test_the_older_of_two_alike_wins(capacity: int, floor: int, offers: list[Offered]) -> None:
    winners = clear(capacity, floor, offers).winners
    for old in offers:
        for new in offers:
            if (old.limit, old.quantity) == (new.limit, new.quantity) and old.age < new.age and new in winners:
                assert old in winners


@given(CAPACITY, FLOOR, OFFERS, st.integers(1, 8))
def test_the_limit_that_wins_is_the_lowest_that_does(
    capacity: int, floor: int, offers: list[Offered], quantity: int
) -> None:
    found = winning_limit(capacity, floor, offers, quantity)

    def wins(limit: int) -> bool:
        new = Offered(limit, quantity, len(offers))
        return new in clear(capacity, floor, [*offers, new]).winners

    assert [limit for limit in range(1, 15) if wins(limit)] == ([] if found is None else list(range(found, 15)))


def place(state: State, limit: int, quantity: int = 1, name: str = "train", type_name: str = "h100-80gb.sxm.1x") -> Bid:
    """A bid as a request would place it, at `limit` cents."""
    market = state.market(type_name)
    bid = Bid(
        *(state.fid("bid"), name, world.PROJECT, "user_x", state.clock.now, state.age(), limit, quantity, market),
        ssh_keys=[world.TEAM_KEY],
        volumes=[],
        startup_script="#!/bin/bash\n",
    )
    state.bids[bid.fid] = bid
    return bid


def statuses(bid: Bid) -> list[str]:
    return [each.status for each in bid.instances]


def asked(state: State) -> list[str]:
    assert isinstance(state.machines, NoMachines)
    return [what for what, _ in state.machines.asked]


def test_a_bid_on_its_way() -> None:
    state = State()
    bid = place(state, 400)
    state.clock.advance(seconds=119)
    assert (bid.status, statuses(bid)) == ("Open", [])
    seen = []
    for seconds in (1, 10, 20, 60):
        state.clock.advance(seconds=seconds)
        seen.append((bid.status, *statuses(bid)))
    words = ["CONFIRMED", "INITIALIZING", "STARTING", "RUNNING"]
    assert seen == [("Allocated", each) for each in words]
    assert bid.instances[0].ssh_destination is not None
    assert asked(state) == ["first start"]


def test_a_bill_counts_running_hours_at_the_price_of_each() -> None:
    state = State()
    bid = place(state, 400, quantity=2)
    state.clock.advance(seconds=210)  # won at 2:00, running at 3:30
    assert (statuses(bid), state.cost(bid)) == (["RUNNING"] * 2, Fraction(0))
    state.clock.advance(seconds=30)
    assert state.cost(bid) == Fraction(2 * 100 * 30, 3600 * 100)
    bid.market.capacity = 2
    state.rival(bid.market, 250)  # loses: from the auction at 6:00 on, its limit is the price
    state.clock.advance(seconds=120)
    at_six = state.cost(bid)
    assert at_six == Fraction(2 * 100 * 150, 3600 * 100)
    state.clock.advance(hours=1)
    assert state.cost(bid) - at_six == 2 * Fraction(250, 100)
    state.terminate(bid)
    done = state.cost(bid)
    state.clock.advance(hours=5)
    assert (state.cost(bid), state.bill(), bid.instances) == (done, done, [])


def test_a_lower_limit_bounds_the_price_at_once() -> None:
    state = State()
    bid = place(state, 900)
    bid.market.capacity = 1
    state.rival(bid.market, 500)
    state.settle()
    assert bid.price == 500
    state.change_limit(bid, 300)
    assert bid.price == 300
    state.clock.advance(minutes=2)
    assert bid.status == "Preempting"


def test_outbid_with_five_minutes_left_then_back_on_the_same_disk() -> None:
    state = State()
    bid = place(state, 400)
    state.settle()
    bid.market.capacity = 1
    first = bid.instances[0]
    rival = state.rival(bid.market, 500)
    state.clock.advance(minutes=2)
    assert (bid.status, first.status) == ("Preempting", "PREEMPTING")
    assert first.end_time == first.history[-1][0] + timedelta(minutes=5)
    state.clock.advance(minutes=5)
    assert (bid.status, first.status, bid.instances) == ("Open", "PREEMPTED", [])
    spent = state.cost(bid)
    state.clock.advance(hours=1)
    assert state.cost(bid) == spent
    bid.market.rivals.remove(rival)
    state.settle()
    (second,) = bid.instances
    assert (second.status, second.disk, second.fid == first.fid) == ("RUNNING", first.disk, False)
    assert second.private_ip != first.private_ip
    assert asked(state) == ["first start", "STATUS_PREEMPTING", "stop", "start"]


def test_a_notice_is_taken_back_when_the_bid_wins_again() -> None:
    state = State()
    bid = place(state, 400)
    state.settle()
    bid.market.capacity = 1
    rival = state.rival(bid.market, 500)
    state.clock.advance(minutes=2)
    bid.market.rivals.remove(rival)
    state.clock.advance(minutes=30)
    assert (bid.status, statuses(bid), len(bid.past)) == ("Allocated", ["RUNNING"], 0)
    assert asked(state) == ["first start", "STATUS_PREEMPTING", "spare"]


def test_preemption_by_hand_lasts() -> None:
    state = State()
    bid = place(state, 400, quantity=3)
    state.settle()
    state.preempt(bid)
    state.clock.advance(minutes=4, seconds=59)
    assert (bid.status, statuses(bid)) == ("Preempting", ["PREEMPTING"] * 3)
    state.clock.advance(seconds=1)
    assert bid.status == "Open"
    state.settle()
    assert (bid.status, statuses(bid)) == ("Allocated", ["RUNNING"] * 3)


@pytest.mark.parametrize("same", [False, True])
def test_the_id_on_return_is_one_that_no_source_states(same: bool) -> None:
    state = State(quirks=Quirks(same_fid_on_return=same))
    bid = place(state, 400)
    state.settle()
    before, spent = bid.instances[0].fid, state.cost(bid)
    state.preempt(bid)
    state.clock.advance(minutes=5)
    state.settle()
    assert (bid.instances[0].fid == before) is same
    assert state.cost(bid) > spent


def test_relocation_is_a_new_instance_on_the_same_disk() -> None:
    state = State()
    bid = place(state, 400, quantity=2)
    state.settle()
    stays, moves = bid.instances
    state.relocate(bid, rank=1)
    assert (bid.status, moves.status) == ("Allocated", "RELOCATING")
    state.clock.advance(minutes=5)
    assert (moves.status, bid.instances[0]) == ("REPLACED", stays)
    state.settle()
    new = bid.instances[1]
    assert (new.status, new.rank, new.disk, new.fid == moves.fid) == ("RUNNING", 1, moves.disk, False)
    assert asked(state) == ["first start"] * 2 + ["STATUS_RELOCATING", "stop", "start"]


def test_winners_wait_for_the_machines_of_those_under_notice() -> None:
    state = State()
    old = place(state, 400, quantity=2)
    state.settle()
    old.market.capacity = 2
    new = place(state, 500, quantity=2, name="new")
    state.clock.advance(minutes=2)
    assert (old.status, new.status, statuses(new)) == ("Preempting", "Allocated", ["NEW", "NEW"])
    state.clock.advance(seconds=210)  # the notice began with the auction at 4:00
    assert (old.status, statuses(new)) == ("Open", ["CONFIRMED", "CONFIRMED"])


def test_a_machine_that_does_not_come_up_is_an_error_of_its_instance() -> None:
    class Broken(NoMachines):
        def start(self, bid: Bid, instance: Instance, startup_script: str | None) -> Handle:
            raise OSError("no room")

    state = State(Broken())
    bid = place(state, 400)
    state.clock.advance(minutes=10)
    assert ([each.status for each in bid.past], len(state.fleet.errors)) == (["ERROR"], 1)


class Bids(RuleBasedStateMachine):
    """Anything may happen to the bids of one market, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.market: Market = self.state.market("h100-80gb.sxm.1x")
        self.spent: dict[str, Fraction] = {}

    @initialize(capacity=st.integers(1, 6))
    def begin(self, capacity: int) -> None:
        self.market.capacity = capacity

    def bid(self, number: int) -> Bid:
        return list(self.state.bids.values())[number % len(self.state.bids)]

    @rule(limit=st.integers(100, 110), quantity=st.integers(1, 4))
    def place(self, limit: int, quantity: int) -> None:
        place(self.state, limit, quantity)

    @rule(limit=st.integers(90, 110), quantity=st.integers(1, 4))
    def rival(self, limit: int, quantity: int) -> None:
        self.state.rival(self.market, limit, quantity)

    @precondition(lambda self: self.market.rivals)
    @rule(number=st.integers(0, 99))
    def rival_leaves(self, number: int) -> None:
        self.market.rivals.pop(number % len(self.market.rivals))

    @rule(seconds=st.sampled_from([1, 15, 60, 120, 299, 300, 700]))
    def wait(self, seconds: int) -> None:
        self.state.clock.advance(seconds=seconds)

    @precondition(lambda self: self.state.bids)
    @rule(number=st.integers(0, 99), what=st.sampled_from(["end", "pause", "resume", "preempt", "relocate", "limit"]))
    def change(self, number: int, what: str) -> None:
        bid = self.bid(number)
        running = [each for each in bid.instances if each.status == "RUNNING"]
        if what == "end" and bid.status != "Terminated":
            self.state.terminate(bid)
        elif what == "pause" and bid.status != "Terminated":
            self.state.pause(bid)
        elif what == "resume":
            self.state.resume(bid)
        elif what == "preempt" and bid.status == "Allocated":
            self.state.preempt(bid)
        elif what == "relocate" and bid.status == "Allocated" and running:
            self.state.relocate(bid, running[0].rank)
        elif what == "limit" and bid.status != "Terminated":
            self.state.change_limit(bid, 100 + number % 12)

    @invariant()
    def no_machine_is_rented_twice(self) -> None:
        assert self.state.fleet.standing(self.market) <= self.market.capacity

    @invariant()
    def all_or_nothing(self) -> None:
        for bid in self.state.bids.values():
            if bid.status == "Allocated":
                assert sorted(each.rank for each in bid.instances) == list(range(bid.quantity))
            elif bid.status in ("Open", "Paused"):
                assert bid.instances == []
            elif bid.status == "Terminated":
                assert {each.status for each in bid.instances} <= {"STOPPING"}

    @invariant()
    def nobody_pays_more_than_their_limit(self) -> None:
        for bid in self.state.bids.values():
            paid = [each.periods[-1] for each in bid.instances if each.periods and each.periods[-1].end is None]
            assert all(each.cents <= bid.limit for each in paid)

    @invariant()
    def bills_only_grow_and_not_for_what_does_not_run(self) -> None:
        for bid in self.state.bids.values():
            cost, before = self.state.cost(bid), self.spent.get(bid.fid, Fraction(0))
            assert cost >= before
            self.spent[bid.fid] = cost
            for each in [*bid.past, *bid.instances]:
                open_ = bool(each.periods) and each.periods[-1].end is None
                assert not open_ or each.status in ("RUNNING", "PREEMPTING", "RELOCATING")

    @invariant()
    def machines_stand_for_instances_that_are_up(self) -> None:
        up = [each for bid in self.state.bids.values() for each in bid.instances if each.handle is not None]
        starts = sum(what.endswith("start") for what in asked(self.state))
        assert starts - asked(self.state).count("stop") == len(up)


Bids.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestBids = Bids.TestCase
