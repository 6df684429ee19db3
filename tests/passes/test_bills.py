"""The worst case bounds every bill that an auction with preemptions can make of a job."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

import pytest

from flowc.ir.job import Pricing, Time
from flowc.ir.parts import Thrift
from flowc.ir.plan import JobPlan
from flowc.ir.units import parse_usd
from tests.mithril.auction import clear
from tests.passes.units import plan, run, unit

ROUND_S = 120
# What a machine runs on, and is paid for, after it has lost: it is then within the job's time too.
NOTICE_S = 300
# Rounds after which the others go home, so that every job comes to its end.
LONGEST = 200


@dataclass(eq=False)
class Bid:
    limit: int
    quantity: int
    age: int


def drawn(rng: random.Random) -> tuple[JobPlan, int]:
    """A job as it may come, and its time limit in seconds."""
    limit_s = rng.choice([60, 90, 119, 120, 121, 600, 3600, 3601, rng.randrange(60, 8000)])
    gpus = rng.choice([1, 8])
    if rng.random() < 0.2:  # packed on fewer machines
        spread = {"nodes": rng.choice([2, 4, 8]), "gpus_per_node": 1, "time": Time(limit_s=limit_s)}
        packed = run(unit(gpu_model="h100", **spread).replace(thrift=Thrift()))[0].plan
        assert packed is not None
        return packed, limit_s
    found = plan(gpus_per_node=gpus, gpu_model=rng.choice(["h100", "h200"]), nodes=rng.choice([1, 1, 2, 5]))
    if rng.random() < 0.5:  # with a cap of the user's, in cents
        cap = f"{rng.randrange(1300, 9000) / 100:.2f}"
        pricing = Pricing(max_usd_per_instance_hour=cap)
        found = plan(gpus_per_node=8, gpu_model="h100", nodes=found.nodes, pricing=pricing, time=Time(limit_s=limit_s))
    else:
        found = plan(gpus_per_node=gpus, gpu_model=found.gpu_model, nodes=found.nodes, time=Time(limit_s=limit_s))
    return found, limit_s


def bill_cents(rng: random.Random, mine: Bid, needs_s: int) -> Fraction:
    """What a job pays that runs for `needs_s` seconds in all: it wins and loses as others come and go, and each second
    of each machine costs what its round's auction says."""
    capacity, floor = rng.randrange(mine.quantity, 12), rng.randrange(1, 1200)
    others: list[Bid] = []
    done_s, paid, rounds = 0, Fraction(0), 0
    while done_s < needs_s:
        rounds += 1
        if rounds > LONGEST:
            others = []
            floor = min(floor, mine.limit)
        else:
            others = [each for each in others if rng.random() < 0.7]
            others += [
                Bid(rng.randrange(1, mine.limit * 2 + 2), rng.randrange(1, 5), rng.randrange(10**6))
                for _ in range(rng.randrange(4))
            ]
        outcome = clear(capacity, floor, [*others, mine])
        if not any(each is mine for each in outcome.winners):
            continue
        ran_s = min(ROUND_S, needs_s - done_s)
        if rng.random() < 0.1:  # taken away in the middle
            ran_s = min(ran_s, rng.randrange(1, NOTICE_S))
        done_s += ran_s
        paid += Fraction(outcome.pays(mine) * mine.quantity * ran_s, 3600)
    return paid


def runs(count: int, seed: int) -> None:
    rng = random.Random(seed)
    met = 0
    for _ in range(count):
        found, limit_s = drawn(rng)
        limit = (parse_usd(found.limit_usd_per_instance_hour or "") or 0) // 10_000
        worst = (parse_usd(found.worst_case_usd or "") or 0) // 10_000
        needs_s = limit_s if rng.random() < 0.5 else rng.randrange(1, limit_s + 1)
        paid = bill_cents(rng, Bid(limit, found.nodes * found.count, 10**6), needs_s)
        assert paid <= worst, (found, limit_s, paid)
        exact = Fraction(limit * found.nodes * found.count * limit_s, 3600)
        assert exact <= worst < exact + 1, "the bound is the limit over the time, to the cent"
        met += paid > worst * Fraction(9, 10)
    assert met > count // 100, "bills that come near to the bound were among them"


def test_no_bill_is_above_the_worst_case() -> None:
    runs(300, seed=1)


@pytest.mark.slow
def test_no_bill_of_a_hundred_thousand_is_above_the_worst_case() -> None:
    runs(100_000, seed=2)
