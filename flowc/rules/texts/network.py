"""Variables that name a network interface or card of the old cluster."""

from __future__ import annotations

from flowc._compiled.shell_words import INTERFACES
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.patterns import at_first_use
from flowc.rules.base import texts
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

_sets = at_first_use(rf"(?<![\w$])({'|'.join(INTERFACES)})=[\"']?([\w:.,=^-]+)", "finditer")
_FREE = ("lo", "all", "none", "mlx5")  # NCCL takes all cards whose names begin so


def report(unit: Unit, sink: Sink) -> None:
    """One finding for each variable, at its first value; one that only excludes interfaces is good anywhere."""
    told: set[str] = set()
    for name, value in unit.job.env:
        if name in INTERFACES and _names(value):
            _tell(unit, sink, None, name, value)
            told.add(name)
    for word in () if unit.shell_text is not None else (*unit.job.run.argv, *unit.job.run.args):
        for match in _sets(word):
            if match[1] not in told and _names(match[2]):
                told.add(match[1])
                _tell(unit, sink, None, match[1], match[2], "run.argv")
    for each in texts(unit):
        text = (each.job.run.text or "")[:MOST_TEXT]
        shell = may_be_shell(each.job)
        for match in _sets(text):
            if match[1] in told or not _names(match[2]) or in_comment(text, match.start(), shell=shell):
                continue
            told.add(match[1])
            _tell(each, sink, match.span(), match[1], match[2])


def _names(value: str) -> bool:
    return value[:1] not in ("", "^", "$") and value not in _FREE


def _tell(unit: Unit, sink: Sink, at: tuple[int, int] | None, name: str, value: str, field: str = "") -> None:
    from flowc.diag.codes.texts import NETWORK_OF_CLUSTER

    place = unit.text_span(*at) if at is not None else unit.origin(f"env.{name}", field or "env")
    help = "leave it out: the machine's own are found without it"
    sink.report(NETWORK_OF_CLUSTER, place, help=help, variable=name, value=value)
