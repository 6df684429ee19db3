"""Where a task may run: `infra`, or the older `cloud`, `region` and `zone`."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.diag.sink import Edit, Fix
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Pair, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink

HERE = "mithril"
ANY = "*"
KEYS = ("infra", "cloud", "region", "zone")
# Those that SkyPilot 0.14.1 knows.
CLOUDS = frozenset(
    (
        *("aws", "azure", "cudo", "digitalocean", "do", "fluidstack", "gcp", "hyperbolic", "ibm", "k8s", "kubernetes"),
        *("lambda", "mithril", "nebius", "oci", "paperspace", "primeintellect", "runpod", "scp", "seeweb", "shadeform"),
        *("slurm", "ssh", "vast", "verda", "vsphere", "yotta"),
    )
)
# What follows these is no region.
_WITHOUT_REGIONS = ("k8s", "kubernetes", "ssh", "slurm")
_region = at_first_use(r"[a-z]+-[a-z]+[0-9]+-[a-z]", "fullmatch")


class Place(Record):
    """`cloud` and `region` None: any. `text` is the place as the user wrote it, `pairs` the keys that say it."""

    cloud: str | None = None
    region: str | None = None
    region_span: Span | None = None
    text: str = ""
    pairs: tuple[Pair, ...] = ()

    @property
    def name(self) -> str:
        """As the IR has it: `CLOUD[/REGION[/ZONE]]`."""
        cloud, slash, rest = self.text.partition("/")
        if self.cloud is None:
            return self.text if cloud == ANY else f"{ANY}/{self.text}"
        return f"{cloud.lower()}{slash}{rest}"

    @property
    def is_here(self) -> bool:
        """Whether the task may run where flowc bids: a region that is none of the provider's shape lies elsewhere."""
        if self.cloud is not None:
            return self.cloud == HERE
        return self.region is None or bool(_region(self.region))


def place(keys: dict[str, Pair], sink: Sink) -> Place:
    """The place that the keys of a `resources` name; reports keys that exclude each other, and zones."""
    infra = keys.get("infra")
    older = [keys[name] for name in KEYS[1:] if name in keys]
    if infra is not None and older:
        what = f"`infra` and `{older[0].key.text}` are both given"
        notes = ((infra.key.span, "`infra` is given here"),)
        sink.report(codes.SKYPILOT_CONFLICT, older[0].key.span, help="keep one of them", notes=notes, what=what)
        return Place()
    if infra is not None:
        found, zone = _of_infra(infra)
    else:
        cloud, region, zone = (keys.get(name) for name in KEYS[1:])
        found = Place(
            cloud=_text(cloud).lower() if cloud is not None and _text(cloud) != ANY else None,
            region=_text(region) if region is not None and _text(region) != ANY else None,
            region_span=region.value.span if region is not None else None,
            text="/".join(_text(each) for each in older),
            pairs=tuple(older),
        )
    if zone is not None and found.is_here:
        what = "a zone is named: the provider's regions have none"
        sink.report(codes.SKYPILOT_CONFLICT, zone.value.span, help="name the region alone", what=what)
    return found


def _of_infra(infra: Pair) -> tuple[Place, Pair | None]:
    """The place, and the key itself if it names a zone."""
    text = _text(infra)
    cloud, _, rest = text.partition("/")
    if cloud.lower() in _WITHOUT_REGIONS:
        rest = ""
    region, _, zone = (part.strip() for part in rest.partition("/"))
    found = Place(
        cloud=None if cloud in (ANY, "") else cloud.lower(),
        region=region if region not in ("", ANY) else None,
        region_span=infra.value.span,
        text=text,
        pairs=(infra,),
    )
    return found, infra if zone not in ("", ANY) else None


def _text(pair: Pair) -> str:
    return str(pair.value.value).strip()


def tell_way_here(found: Place, sink: Sink) -> None:
    """How a task comes here that may run on other clouds only, for the target that cannot reach them; reports a cloud
    that no target knows."""
    from flowc.diag.suggest import nearest

    first = found.pairs[0]
    key = first.key.text
    if found.cloud is not None and nearest(found.cloud, (HERE,)):
        help = f"did you mean `{HERE}`?"
    elif key not in ("infra", "cloud"):
        help = "name a region of Mithril, or give one with `--region`"
    elif len(found.pairs) > 1:
        help = f"write `{key}: {HERE}` and a region of Mithril or none, or give a region with `--region`"
    else:
        help = f"write `{key}: {HERE}`, or give `--set {first.path}={HERE}`"
    if not help.startswith("did"):
        help += "; `--move` leaves all out that pins the task to another cloud"
    sink.remedy(codes.OTHER_CLOUD, first.value.span, help, _moved(found))
    if found.cloud is not None and found.cloud not in CLOUDS:
        sink.report(codes.OTHER_CLOUD, first.value.span, place=found.name)


def _moved(found: Place) -> Fix | None:
    """The place changed to Mithril, its region and zone taken out."""
    first, *others = found.pairs
    if first.key.text not in ("infra", "cloud") or not isinstance(first.value, Scalar) or first.merged:
        return None
    edits = [Edit(span=first.value.span, text=HERE)]
    for pair in others:
        source = pair.key.source
        start = source.text.rfind("\n", 0, pair.key.start)
        end = source.text.find("\n", pair.value.end)
        if start < 0 or source.text[start : pair.key.start].strip():
            return None  # not on a line of its own
        edits.append(Edit(span=Span(source, start, len(source.text) if end < 0 else end), text=""))
    return Fix(title="run it at Mithril", edits=tuple(edits), certain=False)
