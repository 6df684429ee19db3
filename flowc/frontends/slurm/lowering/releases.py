"""What the release that a script was written for tells a job in variables (flowc/data/slurm_releases.yaml)."""

from __future__ import annotations

from flowc._compiled.slurm_releases import GONE, VARIABLES
from flowc.frontends.slurm.values import meaning, tres
from flowc.frontends.slurm.values.state import NULL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Layout

Variables = list[tuple[str, str]]


def of_release(release: str, options: dict[str, str], layout: Layout, found: Variables) -> Variables:
    """The variables of a batch step under a release, of which `found` are those that its options repeat in all."""
    facts = _facts(options, layout)
    kept = [(name, value) for name, value in found if release < GONE.get(name, "~")]
    for row in VARIABLES:
        if row["since"] <= release < (row["until"] or "~"):
            parts = [row["value"]] if row["value"] else _filled(row["all"] or row["first"], facts)
            value = ",".join(parts[:1] if row["first"] else parts)
            kept += [(row["name"], value)] if value else []
    return kept


def _filled(parts: tuple[str, ...], facts: dict[str, str]) -> list[str]:
    """The parts of which the facts are there, with them."""
    found = []
    for part in parts:
        before, _, rest = part.partition("{")
        name, _, after = rest.partition("}")
        if name in facts:
            found.append(before + facts[name] + after)
    return found


def _facts(options: dict[str, str], layout: Layout) -> dict[str, str]:
    facts = {"exclusive": "NODE" if options.get("exclusive") in ("exclusive", "set") else "NO"}
    facts.update({name: options[name] for name in ("gpu-bind", "tres-bind") if name in options})
    if layout.cpus_per_task is not None:
        facts["cpus"] = str(layout.cpus_per_task)
    kinds = _gpus_per_task(options)
    if kinds:
        named = [(f":{kind}" if kind else "", count or 0) for kind, count in kinds]
        facts["gpus"] = ",gres/gpu".join(f"{kind}={count}" for kind, count in named)
        facts["gpus_by_colon"] = ",gres/gpu".join(f"{kind}:{count}" for kind, count in named)
        facts["gpu_count"] = str(sum(count for _, count in named))
    return facts


def _gpus_per_task(options: dict[str, str]) -> list[tuple[str | None, int]]:
    text = options.get("gpus-per-task")
    if text is not None and text != NULL:
        return [(item.type, item.count) for item in meaning.gpu_items(text)]
    items = tres.items(options.get("tres-per-task", ""), tres.GRES)
    return [(kind, count) for name, kind, count in items if name == "gpu"]
