"""The auction: blind, second price, all or nothing, older bids first among equals. Pure: it changes nothing.

Bids are taken in the order of their limits, the older first where limits are equal. One that does not fit whole is
passed over, and smaller ones behind it may still win. All winners pay the highest limit that lost, or the minimum where
machines are left over; never more than their own limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Offer(Protocol):
    """What the auction sees of a bid: cents per instance-hour, machines, and its place in time (smaller is older)."""

    @property
    def limit(self) -> int: ...

    @property
    def quantity(self) -> int: ...

    @property
    def age(self) -> int: ...


Bidder = TypeVar("Bidder", bound=Offer)


@dataclass
class Outcome(Generic[Bidder]):
    """`price` is that of the market; what one winner pays is `pays(winner)`. `lowest` is the lowest limit that won."""

    winners: list[Bidder]
    losers: list[Bidder]
    price: int
    lowest: int | None
    left: int

    def pays(self, winner: Bidder) -> int:
        return min(self.price, winner.limit)


def clear(capacity: int, floor: int, offers: Iterable[Bidder]) -> Outcome[Bidder]:
    """Who wins the `capacity` machines, and at what price. Offers below the `floor` lose and move no price."""
    winners: list[Bidder] = []
    losers: list[Bidder] = []
    left = capacity
    for offer in sorted(offers, key=lambda each: (-each.limit, each.age)):
        if offer.limit >= floor and 0 < offer.quantity <= left:
            winners.append(offer)
            left -= offer.quantity
        else:
            losers.append(offer)
    price = floor if left > 0 else max([floor, *(each.limit for each in losers)])
    return Outcome(winners, losers, price, min((each.limit for each in winners), default=None), left)


@dataclass
class _Newest:
    limit: int
    quantity: int
    age: int


def winning_limit(capacity: int, floor: int, offers: Sequence[Offer], quantity: int) -> int | None:
    """The lowest limit at which a new bid for `quantity` machines would win now; `None` where none would."""
    age = max((each.age for each in offers), default=0) + 1
    for limit in sorted({floor, *(each.limit + 1 for each in offers if each.limit + 1 > floor)}):
        new: Offer = _Newest(limit, quantity, age)
        if any(each is new for each in clear(capacity, floor, [*offers, new]).winners):
            return limit
    return None
