"""Where a task may run: `infra`, or the older `cloud`, `region` and `zone`."""

from __future__ import annotations

from flowc.diag.codes import skypilot as codes
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink

HERE = "mithril"
ANY = "*"
_region = at_first_use(r"[a-z]+-[a-z]+[0-9]+-[a-z]", "fullmatch")


class Place(Record):
    """`cloud` None: any. `span` is what to point at when the task cannot run there."""

    cloud: str | None = None
    region: str | None = None
    span: Span | None = None
    region_span: Span | None = None

    @property
    def is_here(self) -> bool:
        """Whether the task may run where flowc bids: a region that is none of the provider's shape lies elsewhere."""
        if self.cloud is not None:
            return self.cloud == HERE
        return self.region is None or bool(_region(self.region))


def place(keys: dict[str, Node], sink: Sink) -> Place:
    """The place that the keys of a `resources` name; reports keys that exclude each other, and zones."""
    infra = keys.get("infra")
    older = [name for name in ("cloud", "region", "zone") if name in keys]
    if infra is not None and older:
        what = f"`infra` and `{older[0]}` are both given"
        other = keys[older[0]]
        sink.report(codes.CONFLICT, other.span, notes=((infra.span, "`infra` is given here"),), what=what)
        return Place()
    if infra is not None and infra.value is not None:
        cloud, _, rest = str(infra.value).strip().partition("/")
        region, _, zone = rest.partition("/") if cloud.lower() not in ("k8s", "kubernetes", "ssh") else ("", "", "")
        found = Place(
            cloud=None if cloud in (ANY, "") else cloud.lower(),
            region=region if region not in ("", ANY) else None,
            span=infra.span,
            region_span=infra.span,
        )
        zone_span = infra.span if zone not in ("", ANY) else None
    else:
        cloud_node, region_node, zone_node = (keys.get(name) for name in ("cloud", "region", "zone"))
        found = Place(
            cloud=str(cloud_node.value).lower() if cloud_node is not None and cloud_node.value else None,
            region=str(region_node.value) if region_node is not None and region_node.value else None,
            span=next((node.span for node in (cloud_node, region_node, zone_node) if node is not None), None),
            region_span=region_node.span if region_node is not None else None,
        )
        zone_span = zone_node.span if zone_node is not None else None
    if zone_span is not None and found.is_here:
        sink.report(codes.CONFLICT, zone_span, help="name the region only", what="the provider has no zones")
    return found
