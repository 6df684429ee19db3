"""Where a type of machine is sold now, at what price, and how much of it a project may still use."""

from __future__ import annotations

from fnmatch import fnmatchcase

from flowc.providers.errors import InsufficientQuotaError
from flowc.providers.mithril.money import dollars
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal
    from typing import Any


class Offer(Record):
    """A type in a region: `fid` is its id there. `capacity`: machines that are free for the asking, `price` USD of one
    for an hour, `left` how many more the project may use; each None where that is not known."""

    fid: str
    region: str
    capacity: int | None
    price: Decimal | None
    left: int | None

    def holds(self, machines: int) -> bool:
        """Whether so many would be given."""
        return (self.capacity is None or self.capacity >= machines) and self.allows(machines)

    def allows(self, machines: int) -> bool:
        """Whether the project may have so many."""
        return self.left is None or self.left >= machines


def offers(
    name: str,
    *,
    types: Iterable[Mapping[str, Any]],
    markets: Iterable[Mapping[str, Any]],
    quotas: Iterable[Mapping[str, Any]],
) -> list[Offer]:
    """The offers of a type by its name. One name may have several ids, one a region."""
    fids = {row["fid"] for row in types if row["name"] == name}
    left = {str(row.get("instance_type")): _left(row) for row in quotas if str(row["product_type"]).lower() == "spot"}
    return [
        Offer(
            fid=row["instance_type"],
            region=str(row["region"]),
            capacity=row["capacity"] if isinstance(row.get("capacity"), int) else None,
            price=dollars(row.get("last_instance_price")),
            left=left.get(row["instance_type"]),
        )
        for row in markets
        if row["instance_type"] in fids
    ]


def best(found: Iterable[Offer], machines: int, *, at_first: str) -> Offer | None:
    """The offer that can give so many machines, for the least money; of equal ones `at_first`, the region that the
    compiler chose."""
    return min(
        found,
        key=lambda each: (
            not each.allows(machines),
            not each.holds(machines),
            each.price is None,
            each.price or 0,
            each.region != at_first,
            each.region,
        ),
        default=None,
    )


def allowed(found: Iterable[Offer], regions: Iterable[str], excluded: Iterable[str]) -> list[Offer]:
    """Those in `regions`, where there are any, and in none of `excluded`, which may be globs."""
    wanted, excluded = set(regions), tuple(excluded)
    return [
        each
        for each in found
        if (not wanted or each.region in wanted) and not any(fnmatchcase(each.region, glob) for glob in excluded)
    ]


def refuse_over_quota(name: str, here: Offer, others: Iterable[Offer], machines: int) -> None:
    """Raises InsufficientQuotaError where the project may not have so many machines of a type in a region."""
    if here.allows(machines):
        return
    regions = sorted({each.region for each in others if each.region != here.region and each.allows(machines)})
    hint = f"try --region {' or '.join(regions)}, or " if regions else ""
    left = max(0, here.left or 0)
    error = InsufficientQuotaError(
        f"quota exceeded in {here.region}: {machines} of {name} at a time asked for, {left} left",
        help=f"{hint}ask the provider for more",
    )
    error.region, error.instance_type, error.regions = here.region, name, tuple(regions)
    error.requested, error.left = machines, left
    raise error


def _left(row: Mapping[str, Any]) -> int | None:
    total, used = row["total_quantity"], row["used_quantity"]
    numbers = isinstance(total, int | float) and isinstance(used, int | float)
    return int(total - used) if numbers else None
