"""Where machines may be."""

from __future__ import annotations

from flowc._compiled.catalog import REGIONS
from flowc.diag.codes.yaml import task as codes
from flowc.patterns import is_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.yamldoc.node import Mapping


def regions(
    root: Mapping, region: str | None, allowed: tuple[str, ...], excluded: tuple[str, ...], sink: Sink
) -> tuple[str, ...]:
    """The regions that the task's own and those of its constraints leave; patterns stand for known regions. What leaves
    none is reported."""
    if region is None and not allowed:
        return ()
    found = [region] if region is not None else [name for pattern in allowed for name in _meant(pattern)]
    for key, patterns in (("regions", allowed), ("exclude_regions", excluded)):
        node = root.at("constraints", key)
        if not patterns or node is None:
            continue
        wanted = key == "regions"
        kept = [name for name in found if any(_fits(name, pattern) for pattern in patterns) == wanted]
        if not kept:
            what = f"`{region}`" if region is not None else "any region" if not wanted else "any known region"
            help = f"known regions: {', '.join(REGIONS)}"
            sink.report(codes.REGION_CONTRADICTS, node.span, help=help, key=key, what=what)
            return ()
        found = kept
    return tuple(dict.fromkeys(found))


def _meant(pattern: str) -> tuple[str, ...]:
    """The regions of a pattern; a name without `*` is taken as it is, known or not."""
    if not any(char in pattern for char in "*?["):
        return (pattern,)
    return tuple(region for region in REGIONS if _fits(region, pattern))


def _fits(region: str, pattern: str) -> bool:
    return is_like(region, pattern)
