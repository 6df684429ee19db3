"""What is asked of a task as a whole, and the outcome of values that have two forms."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.skypilot.moving import leave_out_service
from flowc.source import Span
from flowc.yamldoc.check import first_key
from flowc.yamldoc.node import Mapping, Node, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.yamldoc.ledger import Ledger

_INSTEAD = {
    "service": "take `service` out: `run` is then one replica, which answers until it is cancelled",
    "pool": "take `pool` out, and submit each job with a `run` of its own",
}


def check_task(task: Mapping, ledger: Ledger, sink: Sink, *, moving: bool) -> None:
    """That a task runs something, and is one; for `--move` a service is its one replica."""
    kept = moving and leave_out_service(task, ledger)
    refused = [pair for key in _INSTEAD if (pair := task.pair(key)) is not None and task.at(key) is not None]
    if kept:
        refused = [pair for pair in refused if pair.key.text != "service"]
    for pair in refused:
        reason = (pair.field or {})["note"]
        sink.report(codes.SKYPILOT_REFUSED, pair.key.span, help=_INSTEAD[pair.key.text], path=pair.path, reason=reason)
        ledger.decide(pair, "refused", reason, codes.SKYPILOT_REFUSED)
    # A key that was refused may be the one that is missing.
    told = sink.broken and any(pair.field is None or pair.field.get("alias") == "run" for pair in task.pairs)
    if task.at("run") is None and not refused and not told:
        fix = None
        if not task.flow and "run" not in task:
            edit = Edit(span=Span(task.source, task.end, task.end), text="\nrun: sleep infinity")
            fix = Fix(title="hold the machine until it is cancelled", edits=(edit,), certain=False)
        help = "to hold a machine for logging in, write `run: sleep infinity`: it costs until it is cancelled"
        sink.report(codes.SKYPILOT_NOTHING_TO_RUN, first_key(task), help=help, fix=fix)


def close_values(node: Node, ledger: Ledger) -> None:
    """Where a value may be a mapping, whose keys have outcomes of their own, or something plain: decide the latter."""
    if isinstance(node, Sequence):
        for item in node.items:
            close_values(item, ledger)
    elif isinstance(node, Mapping):
        for pair in node.pairs:
            if "action" in (pair.field or {}):
                continue
            if isinstance(pair.value, (Mapping, Sequence)):
                close_values(pair.value, ledger)
            elif id(pair) not in ledger.decisions:
                ledger.decide(pair, "lowered", None)
