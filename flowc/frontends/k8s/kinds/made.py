"""Nodes that are made of those of a document, which stays as it is: what a kind's controller, or a bid, makes of it."""

from __future__ import annotations

from flowc.record import Record
from flowc.yamldoc.node import Mapping, Pair, Scalar, Sequence, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.objects import Decision
    from flowc.yamldoc.node import Node


class Made(Record):
    """An object that is made of others: its kind, `written` those that it is made of, `decided` what became of their
    keys."""

    kind: str
    node: Mapping
    written: tuple[Mapping, ...]
    decided: tuple[Decision, ...] = ()


def put(holder: Mapping, key: str, value: Node, like: Pair | None = None) -> Mapping:
    """The mapping with another value, said where `like` stands."""
    like = like or holder.pair(key)
    if like is not None and like.value is value and like.key.text == key:
        pair = like
    else:
        pair = Pair(text(key, like.key if like is not None else holder), value)
        if like is not None:
            pair.field, pair.owner, pair.path = like.field, like.owner, like.path
    found = without(holder)
    found.put(pair)
    return found


def without(holder: Mapping, *keys: str) -> Mapping:
    """The mapping without some keys."""
    rest = [pair for pair in holder.pairs if pair.key.text not in keys]
    found = Mapping(holder.source, holder.start, holder.end, rest, flow=holder.flow)
    found.value, found.via = holder.value, holder.via
    return found


def listed(items: list[Node], near: Node) -> Sequence:
    return Sequence(near.source, near.start, near.end, items)


def text(said: str, near: Node, value: object = None) -> Scalar:
    found = Scalar(near.source, near.start, near.end, said, '"', None)
    found.value = said if value is None else value
    return found


def with_items(own: Mapping, other: Node, key: str, name: str) -> Mapping | None:
    """A mapping with the items of the other's list behind its own; None where two of one name are not the same."""
    mine = own.each(key)
    there = {each.read(name): plain(each) for each in mine}
    if any(there.get(each.read(name), plain(each)) != plain(each) for each in other.each(key)):
        return None
    more = [each for each in other.each(key) if each.read(name) not in there]
    like = own.pair(key) or (other.pair(key) if isinstance(other, Mapping) else None)
    return put(own, key, listed([*mine, *more], like.value if like is not None else own), like) if more else own
