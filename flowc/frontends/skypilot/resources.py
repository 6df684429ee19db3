"""Resources: the keys of one machine, or alternatives of which any will do, as choices of the IR."""

from __future__ import annotations

from flowc.diag.codes import skypilot as codes
from flowc.frontends.skypilot import accelerators, places, sizes
from flowc.frontends.skypilot.places import Place
from flowc.ir.job import Choice
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Mapping, Node, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.yamldoc.ledger import Ledger

ALTERNATIVES = ("any_of", "ordered")


class Wish(Record):
    """One kind of machine that would do, with the places of its parts."""

    choice: Choice
    place: Place
    spans: tuple[tuple[str, Span], ...]


class Wishes(Record):
    """All kinds of machine that would do; `ordered`: the first that can be had is to be taken."""

    wishes: tuple[Wish, ...]
    ordered: bool


def wishes(resources: Mapping | None, ledger: Ledger, sink: Sink) -> Wishes:
    """What a task's `resources` ask for. Alternatives on other clouds are left out as long as others stay; reports a
    task that may only run elsewhere."""
    if resources is None:
        return Wishes(wishes=(Wish(choice=Choice(), place=Place(), spans=()),), ordered=False)
    alternatives, ordered = _alternatives(resources, sink)
    found: list[Wish] = []
    for keys in alternatives:
        each, in_order = _wishes_of(keys, ledger, sink)
        found += each
        ordered = ordered or (in_order and len(alternatives) == 1)
    here = [wish for wish in found if wish.place.is_here]
    elsewhere = [wish for wish in found if not wish.place.is_here]
    if elsewhere and not here:
        place = elsewhere[0].place
        cloud = place.cloud or f"the region `{place.region}` of another cloud"
        help = "take the key out, or write `infra: mithril`"
        sink.report(codes.OTHER_CLOUD, place.span, help=help, cloud=cloud)
    elif elsewhere:
        clouds = ", ".join(dict.fromkeys(wish.place.cloud or "others" for wish in elsewhere))
        span = elsewhere[0].place.span
        sink.report(codes.CHOICES_DROPPED, span, count=len(elsewhere), total=len(found), clouds=clouds)
    return Wishes(wishes=tuple(here), ordered=ordered)


def _alternatives(resources: Mapping, sink: Sink) -> tuple[list[dict[str, Node]], bool]:
    """The keys of each alternative, put over those around the list, and whether they are in order."""
    outer = {pair.key.text: pair.value for pair in resources.pairs if not is_null(pair.value)}
    if "gpus" in outer:
        outer["accelerators"] = outer.pop("gpus")
    outer.setdefault("accelerators", Mapping(resources.source, 0, 0, []))
    given = [name for name in ALTERNATIVES if name in outer]
    if len(given) == 2:
        notes = ((outer[given[0]].span, "`any_of` is given here"),)
        sink.report(codes.CONFLICT, outer[given[1]].span, notes=notes, what="`any_of` and `ordered` are both given")
    if not given:
        return [outer], False
    node = outer.pop(given[0])
    for name in given[1:]:
        outer.pop(name)
    found = []
    for item in node.items if isinstance(node, Sequence) else []:
        if not isinstance(item, Mapping):
            continue
        inner = {pair.key.text: pair.value for pair in item.pairs if not is_null(pair.value)}
        if "gpus" in inner:
            inner["accelerators"] = inner.pop("gpus")
        for name in ALTERNATIVES:
            if name in inner:
                sink.report(
                    codes.CONFLICT, inner.pop(name).span, what=f"`{name}` stands inside another list of alternatives"
                )
        place_keys = ("infra", "cloud", "region", "zone")
        base = (
            outer
            if not any(key in inner for key in place_keys)
            else {k: v for k, v in outer.items() if k not in place_keys}
        )
        found.append({**base, **inner})
    return found or [outer], given[0] == "ordered"


def _wishes_of(keys: dict[str, Node], ledger: Ledger, sink: Sink) -> tuple[list[Wish], bool]:
    """The wishes of one alternative: one for each accelerator that would do."""
    place = places.place(keys, sink)
    base, spans = _base(keys, place)
    node = keys["accelerators"]
    try:
        wanted, ordered = accelerators.wanted(node)
    except accelerators.Mistake as mistake:
        if place.is_here:
            sink.report(codes.ACCELERATORS, mistake.span, help=mistake.help, text=mistake.text, reason=mistake.reason)
        return [Wish(choice=Choice(), place=place, spans=())], False
    if not wanted:
        return [Wish(choice=base, place=place, spans=spans)], False
    found = []
    for each in wanted:
        if each.model == "a100" and place.is_here:
            sink.report(codes.A100_MEANS_40_GB, each.span, help="write `A100-80GB` if that is meant")
        choice = base.replace(gpu_model=each.model, gpu_memory_bytes=each.memory_bytes, gpus_per_node=each.count)
        own = tuple((name, each.span) for name in ("gpu_model", "gpu_memory_bytes", "gpus_per_node"))
        found.append(Wish(choice=choice, place=place, spans=(*spans, *own)))
    return found, ordered


def _base(keys: dict[str, Node], place: Place) -> tuple[Choice, tuple[tuple[str, Span], ...]]:
    """Everything of an alternative but its accelerators."""
    fields: dict[str, object] = {}
    spans: list[tuple[str, Span]] = []
    name = keys.get("instance_type")
    if name is not None and name.value:
        fields["name"] = name.value
        spans.append(("name", name.span))
    for key, field, read in (
        ("cpus", "cpus_per_node", sizes.cpus),
        ("memory", "memory_bytes_per_node", sizes.size_bytes),
    ):
        node = keys.get(key)
        if node is not None and node.value is not None:
            fields[field] = read(node.value)[0]
            spans.append((field, node.span))
    if place.region is not None and place.is_here and place.region_span is not None:
        fields["regions"] = (place.region,)
        spans.append(("regions", place.region_span))
    return Choice(**fields), tuple(spans)  # type: ignore[arg-type]
