"""How long a job may run: its deadlines, and the limits by which a queue of the cluster ends it."""

from __future__ import annotations

from flowc.diag.codes.k8s import fields as field_codes
from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.context import pair_of, text_of
from flowc.frontends.k8s.job.restarts import one_run, set_restarts
from flowc.ir.job import Time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Node, Pair

# Kueue ends a workload that has run so long, in seconds; the label stands on the job.
KUEUE_LIMIT = "kueue.x-k8s.io/max-exec-time-seconds"
# What slurm-bridge reads of a job's annotations; it was called by the second prefix before.
SLINKY = ("slurmjob.slinky.slurm.net/", "slinky.slurm.net/")
SLINKY_LIMIT = "timelimit"  # in minutes; 0: none
# What they ask of the machines, in place of what the pods ask for.
SLINKY_RESOURCES = ("constraints", "cpu-per-task", "exclusive", "gres", "max-nodes", "mem-per-node", "min-nodes")
LONGEST = 2**31 - 1


def time_of(context: Context) -> Time:
    """`activeDeadlineSeconds` of the job bounds all its attempts, that of the pod each of them; of several limits of
    the whole job the shortest holds. A Job that a JobSet makes anew has a deadline of its own each time."""
    fields: dict[str, Any] = {}
    places = (("limit_s", context.job.job_spec), ("attempt_limit_s", context.job.pod_spec))
    for field, parent in places:
        node = parent.at("activeDeadlineSeconds")
        if node is None:
            continue
        if node.value < 1:
            context.refuse(parent, "activeDeadlineSeconds", "the job would be ended before it starts")
            continue
        if field == "limit_s" and set_restarts("DeadlineExceeded", context):
            if one_run(context):
                field = "attempt_limit_s"
            else:
                note = "it bounds all runs together; a JobSet would make its Job anew, each with this time"
                context.decide(parent, "activeDeadlineSeconds", "approximated", note)
        if node.value <= fields.get(field, node.value):
            fields[field] = node.value
            context.put(f"time.{field}", node)
    for seconds, pair in _queue_limits(context):
        if seconds < fields.get("limit_s", LONGEST + 1):
            fields["limit_s"] = seconds
            context.origins["time.limit_s"] = pair.value.span
    return Time(**fields)


def _queue_limits(context: Context) -> list[tuple[int, Pair]]:
    """Limits in seconds, each with the label or annotation that says it."""
    holders: list[Node] = [context.job.metadata]
    template = context.job.node.at("spec", "jobTemplate", "metadata") if context.job.kind == "CronJob" else None
    holders += [template] if template is not None else []
    found: list[tuple[int, Pair]] = []
    for holder in holders:
        label = pair_of(holder.at("labels"), KUEUE_LIMIT)
        if label is not None:
            seconds = _number(label, "metadata.labels", 1, context)
            note = f"`{KUEUE_LIMIT}` is a time limit, of which the lowest holds; a bid carries no labels"
            context.ledger.decide(pair_of(holder, "labels"), "approximated", note, quiet=True)
            found += [(seconds, label)] if seconds is not None else []
        for pair in holder.pairs_at("annotations"):
            prefix = next((each for each in SLINKY if pair.key.text.startswith(each)), None)
            if prefix is None:
                continue
            name = pair.key.text.removeprefix(prefix)
            if name == SLINKY_LIMIT:
                minutes = _number(pair, "metadata.annotations", 0, context)
                if minutes != 0:  # which asks for none
                    note = f"`{pair.key.text}` is a time limit, of which the lowest holds; the others are for people"
                    context.ledger.decide(pair_of(holder, "annotations"), "approximated", note, quiet=True)
                found += [(minutes * 60, pair)] if minutes else []
            elif name in SLINKY_RESOURCES:
                reason = "slurm-bridge reads it, which is not here; ask for it in `resources` and `nodeSelector`"
                context.sink.report(codes.FIELD_IGNORED, pair.key.span, path=pair.path, reason=reason)
            else:
                context.gather(codes.CLUSTER_FIELDS, f"annotation `{pair.key.text}`", pair.key.span)
    return found


def _number(pair: Pair, path: str, least: int, context: Context) -> int | None:
    """A whole number as a text; what is none is reported."""
    text = text_of(pair)
    if text.isascii() and text.isdigit() and least <= int(text[:12]) <= LONGEST:
        return int(text)
    expected = f"a whole number, {least} or more, in quotes"
    where = f"{path}[{pair.key.text}]"
    context.sink.report(field_codes.FIELD_FORM, pair.value.span, path=where, value=text, expected=expected)
    return None
