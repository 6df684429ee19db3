"""What a job lacks on any machine: judged once, for all formats and targets, as soon as the plan stands. The tuple is
the registry; a target reports only what it cannot say itself."""

from __future__ import annotations

from flowc.rules.base import Rule, has_mounts, has_secrets, has_text, is_delivered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

RULES = (
    Rule(name="mounts", concerns=has_mounts),
    Rule(name="secrets", concerns=has_secrets),
    Rule(name="nodes", concerns=has_text),
    Rule(name="interpreter", concerns=has_text),
    Rule(name="commands", concerns=has_text),
    Rule(name="reach", concerns=has_text),
    Rule(name="paths", concerns=has_text),
    Rule(name="modules", concerns=has_text),
    Rule(name="slurm_words", concerns=has_text),
    Rule(name="delivery", concerns=is_delivered),
)
_loaded: dict[str, Callable[[Unit, Sink], None]] = {}


def run(units: list[Unit], sink: Sink) -> None:
    """Report what each of these units lacks, whose plans stand."""
    for unit in units:
        for rule in RULES:
            if rule.concerns(unit.job):
                if rule.name not in _loaded:
                    _loaded[rule.name] = rule.load()
                _loaded[rule.name](unit, sink)
