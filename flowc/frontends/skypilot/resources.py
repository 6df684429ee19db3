"""Resources: the keys of one machine, or alternatives of which any will do, as choices of the IR."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.skypilot import accelerators, places, sizes
from flowc.frontends.skypilot.image import PREFIX
from flowc.frontends.skypilot.moving import machine_of
from flowc.frontends.skypilot.places import Place
from flowc.ir.job import Choice
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Mapping, Pair, Sequence, is_null, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.yamldoc.ledger import Ledger

    Keys = dict[str, Pair]

ALTERNATIVES = ("any_of", "ordered")
# What a job has once, whichever machine it gets.
OF_THE_JOB = (
    *("image_id", "disk_size", "disk_tier", "ports", "labels", "autostop", "job_recovery", "max_hourly_cost"),
    "network_tier",
)
# The flag that says what machine it is, whatever the file asks for.
NAMED = "--instance-type"
MOVED = "--move"
_EXACT = "at least so much is asked for, not exactly"


class Wish(Record):
    """One kind of machine that would do, with the places of its parts."""

    choice: Choice
    spans: tuple[tuple[str, Span], ...]


class Wishes(Record):
    """All kinds of machine that would do; `ordered`: the first that can be had is to be taken. `keys` are those of
    OF_THE_JOB. `spot` says whether it may be a spot machine. `clouds`: where it may run, if not anywhere, and
    `cloud_span` where that stands."""

    wishes: tuple[Wish, ...]
    ordered: bool
    keys: dict[str, Pair]
    spot: Pair | None = None
    clouds: tuple[str, ...] = ()
    cloud_span: Span | None = None


class Alternative(Record):
    """The keys of one kind of machine, those around the list included; `item` is what stands in the list."""

    keys: dict[str, Pair]
    place: Place
    item: Mapping | None = None


def wishes(resources: Mapping | None, ledger: Ledger, sink: Sink, *, flag: str | None) -> Wishes:
    """What a task's `resources` ask for. Alternatives on other clouds are left out as long as others stay. `flag`,
    given on the command line, says where the task runs."""
    if resources is None:
        return Wishes(wishes=(Wish(choice=Choice(), spans=()),), ordered=False, keys={})
    found, ordered = _alternatives(resources, sink)
    here = [each for each in found if each.place.is_here]
    elsewhere = [each for each in found if not each.place.is_here]
    pinned = not here and flag is None
    clouds = [each.place.name if pinned else each.place.cloud for each in (elsewhere if pinned else here)]
    named = [each for each in clouds if each]
    cloud_span = (here or elsewhere)[0].place.pairs[0].value.span if named and len(named) == len(clouds) else None
    moved = not here and flag is not None
    if not here:
        if flag is None:
            for each in reversed(elsewhere):
                places.tell_way_here(each.place, sink)
            elsewhere = elsewhere[:1]  # what else there is to say of it
        else:
            _overrule(elsewhere, flag, ledger, sink)
        here = [each.replace(place=Place()) for each in elsewhere]
    elif elsewhere:
        _leave_out(elsewhere, len(found), ledger, sink)
    kinds, in_order, smaller = _kinds(here, ordered, ledger, sink, moving=flag == MOVED)
    if smaller is not None and flag != NAMED and not pinned:
        sink.report(codes.A100_MEANS_40_GB, smaller, help="write `A100-80GB` if that is meant")
    keys = _of_the_job(here, ledger, sink, moved=moved)
    return Wishes(
        wishes=kinds,
        ordered=ordered or in_order,
        keys=keys,
        spot=_spot(here, ledger),
        clouds=tuple(dict.fromkeys(named)) if cloud_span is not None else (),
        cloud_span=cloud_span,
    )


def _spot(here: list[Alternative], ledger: Ledger) -> Pair | None:
    """What `use_spot` says. Spot machines are what there is: an alternative that takes one is met."""
    pairs = [each.keys.get("use_spot") for each in here]
    willing = [pair for pair in pairs if pair is None or pair.value.value is True]
    if not willing:
        return pairs[0]
    for pair in pairs:
        if pair not in willing:
            ledger.decide(pair, "ignored", "every bid is for a spot machine, which another alternative takes")
    return willing[0]


def _kinds(
    here: list[Alternative], ordered: bool, ledger: Ledger, sink: Sink, *, moving: bool
) -> tuple[tuple[Wish, ...], bool, Span | None]:
    """The wishes of all alternatives, each once; whether the accelerators of the only one are in order; and where
    `A100` is not Mithril's own word."""
    kinds: dict[Choice, Wish] = {}
    in_order, smaller = False, None
    for each in here:
        wished, in_order = _wishes_of(each, ledger, sink, moving=moving)
        if ordered and len(wished) > 1 and each.item is not None and each.item.pair("accelerators") is None:
            what = "an alternative of `ordered` names several accelerators"
            help = "write an alternative for each of them"
            sink.report(codes.SKYPILOT_CONFLICT, each.keys["accelerators"].value.span, help=help, what=what)
        for wish in wished:
            kinds.setdefault(wish.choice, wish)
            if wish.choice.gpu_model == "a100" and each.place.cloud != places.HERE:
                smaller = smaller or dict(wish.spans)["gpu_model"]
    return tuple(kinds.values()), in_order and len(here) == 1, smaller


def _overrule(elsewhere: list[Alternative], flag: str, ledger: Ledger, sink: Sink) -> None:
    """The command line says where the task runs."""
    first = elsewhere[0].place
    sink.report(codes.PLACE_OVERRULED, first.pairs[0].value.span, place=first.text, flag=flag)
    for each in elsewhere:
        for pair in each.place.pairs:
            ledger.decide(pair, "ignored", f"`{flag}` says where the task runs", codes.PLACE_OVERRULED)


def _leave_out(elsewhere: list[Alternative], total: int, ledger: Ledger, sink: Sink) -> None:
    clouds = ", ".join(dict.fromkeys(f"`{each.place.text}`" for each in elsewhere))
    span = elsewhere[0].place.pairs[0].value.span
    sink.report(codes.CHOICES_DROPPED, span, count=len(elsewhere), total=total, clouds=clouds)
    for each in elsewhere:
        for pair in each.item.pairs if each.item is not None else ():
            ledger.decide(pair, "ignored", "this alternative lies on another cloud", codes.CHOICES_DROPPED)


def _alternatives(resources: Mapping, sink: Sink) -> tuple[list[Alternative], bool]:
    """The keys of each alternative, put over those around the list, and whether they are in order."""
    outer = _keys(resources, sink)
    given = [outer.pop(name) for name in ALTERNATIVES if name in outer]
    if len(given) == 2:
        notes = ((given[0].key.span, "`any_of` is given here"),)
        what = "`any_of` and `ordered` are both given"
        sink.report(codes.SKYPILOT_CONFLICT, given[1].key.span, help="keep one of them", notes=notes, what=what)
    listed = outer.get("accelerators")
    several = listed is not None and isinstance(listed.value, Sequence) and len(listed.value.items) > 1
    if listed is not None and several and given and given[0].key.text == "any_of" and given[0].value.each():
        what = "accelerators in an order stand beside `any_of`, which has none"
        help = "write an alternative for each of them"
        sink.report(codes.SKYPILOT_CONFLICT, listed.value.span, help=help, what=what)
    found = []
    for item in given[0].value.items if given and isinstance(given[0].value, Sequence) else ():
        if not isinstance(item, Mapping):
            continue
        inner = _keys(item, sink)
        for name in ALTERNATIVES:
            if name in inner:
                what = f"`{name}` stands inside another list of alternatives"
                sink.report(codes.SKYPILOT_CONFLICT, inner.pop(name).key.span, help="write one list", what=what)
        named = inner.get("accelerators")
        if named is not None and (
            isinstance(named.value, Sequence) or (isinstance(named.value, Mapping) and len(named.value.pairs) > 1)
        ):
            what = f"an alternative of `{given[0].key.text}` names its accelerators in a list"
            help = "write an alternative for each of them"
            sink.report(codes.SKYPILOT_CONFLICT, named.value.span, help=help, what=what)
        keys = {**outer, **inner}
        found.append(Alternative(keys=keys, place=places.place(keys, sink), item=item))
    if not found:
        return [Alternative(keys=outer, place=places.place(outer, sink))], False
    return found, given[0].key.text == "ordered"


def _keys(node: Mapping, sink: Sink) -> Keys:
    """The pairs of a mapping that say something, `gpus` under its other name."""
    keys = {pair.key.text: pair for pair in node.pairs if not is_null(pair.value)}
    other, named = node.pair("gpus"), node.pair("accelerators")
    keys.pop("gpus", None)
    if other is not None and named is not None:
        notes = ((named.key.span, "`accelerators` is given here"),)
        what = "`gpus` and `accelerators` are both given"
        sink.report(codes.SKYPILOT_CONFLICT, other.key.span, help="keep one of them", notes=notes, what=what)
    elif other is not None and not is_null(other.value):
        keys["accelerators"] = other
    return keys


def _of_the_job(here: list[Alternative], ledger: Ledger, sink: Sink, *, moved: bool) -> Keys:
    """What all alternatives say of the job itself; reports where they differ. Of disks the largest is taken. `moved`:
    all are other clouds', in which they may well differ; what is said first of a key holds then, and is told."""
    found: Keys = {}
    for key in OF_THE_JOB:
        pairs = [each.keys[key] for each in here if key in each.keys]
        if not pairs:
            continue
        found[key] = pairs[0]
        if key == "disk_size":
            found[key] = max(pairs, key=lambda pair: sizes.size_bytes(pair.value.value))
            for pair in pairs:
                if plain(pair.value) != plain(found[key].value):
                    ledger.decide(pair, "approximated", "the largest disk of all alternatives is asked for")
        elif len(pairs) < len(here) or any(plain(pair.value) != plain(pairs[0].value) for pair in pairs):
            if moved:
                found[key] = next((pair for pair in pairs if str(pair.value.value).startswith(PREFIX)), pairs[0])
                for pair in dict.fromkeys(pairs):
                    note = "it holds whichever alternative is taken" if pair is found[key] else "another one holds"
                    note = f"the alternatives of the other clouds differ in it: {note}"
                    ledger.decide(pair, "approximated", note)
                continue
            other = next((pair for pair in pairs if plain(pair.value) != plain(pairs[0].value)), pairs[0])
            what = f"the alternatives differ in `{key}`, which the job has once"
            help = "write it above the list of alternatives, or make a task of each"
            sink.report(codes.SKYPILOT_CONFLICT, other.key.span, help=help, what=what)
    return found


def _wishes_of(alternative: Alternative, ledger: Ledger, sink: Sink, *, moving: bool) -> tuple[list[Wish], bool]:
    """The wishes of one alternative: one for each accelerator that would do."""
    base, spans = _base(alternative, ledger, moving=moving)
    pair = alternative.keys.get("accelerators")
    if pair is None:
        return [Wish(choice=base, spans=spans)], False
    try:
        wanted, ordered = accelerators.wanted(pair.value)
    except accelerators.Mistake as mistake:
        _report(mistake, sink)
        return [], False
    found = []
    for each in wanted:
        if each.fraction is not None:
            note = f"a machine has whole GPUs: {each.fraction} is taken as {each.count}"
            ledger.decide(pair, "approximated", note)
        choice = base.replace(gpu_model=each.model, gpu_memory_bytes=each.memory_bytes, gpus_per_node=each.count)
        own = tuple((name, each.span) for name in ("gpu_model", "gpu_memory_bytes", "gpus_per_node"))
        found.append(Wish(choice=choice, spans=(*spans, *own)))
    return found or [Wish(choice=base, spans=spans)], ordered


def _report(mistake: accelerators.Mistake, sink: Sink) -> None:
    fix = None
    if mistake.meant is not None and mistake.span.text == mistake.text:
        edit = Edit(span=mistake.span, text=mistake.meant)
        fix = Fix(title=f"write `{mistake.meant}`", edits=(edit,), certain=False)
    sink.report(codes.ACCELERATORS, mistake.span, help=mistake.help, fix=fix, text=mistake.text, reason=mistake.reason)


def _base(alternative: Alternative, ledger: Ledger, *, moving: bool) -> tuple[Choice, tuple[tuple[str, Span], ...]]:
    """Everything of an alternative but its accelerators."""
    keys, place = alternative.keys, alternative.place
    fields: dict[str, object] = {}
    spans: list[tuple[str, Span]] = []
    foreign = machine_of(keys["instance_type"], ledger) if moving and "instance_type" in keys else None
    if foreign is not None:
        fields["gpu_model"], fields["gpus_per_node"] = foreign
        spans += [(name, keys["instance_type"].value.span) for name in ("gpu_model", "gpus_per_node")]
    elif "instance_type" in keys:
        fields["name"] = keys["instance_type"].value.value
        spans.append(("name", keys["instance_type"].value.span))
    for key, field, read in (
        ("cpus", "cpus_per_node", sizes.cpus),
        ("memory", "memory_bytes_per_node", sizes.size_bytes),
    ):
        if key in keys:
            pair = keys[key]
            fields[field] = read(pair.value.value)
            spans.append((field, pair.value.span))
            if not pair.value.value.rstrip().endswith("+"):
                ledger.decide(pair, "approximated", _EXACT)
    if place.region is not None and place.region_span is not None:
        fields["regions"] = (place.region,)
        spans.append(("regions", place.region_span))
    return Choice(**fields), tuple(spans)  # type: ignore[arg-type]
