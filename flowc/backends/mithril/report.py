"""`report.txt`: what became of every option of the source, what was chosen, what it may cost, how full the
script is."""

from __future__ import annotations

from flowc import scripts
from flowc.backends.mithril import limits
from flowc.diag.codes import emit as codes
from flowc.ir.units import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowc.diag.sink import Diagnostic
    from flowc.ir.job import Job
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit
    from flowc.scripts import Startup
    from flowc.source import Span

# Options may be long (a list of 500 hosts); the table cuts them here. Paths of keys are told in full.
WIDEST = 60
FULL = 1000
MOST_NAMES = 3
# What the worst case rests on: the job's time limit ends the job alone.
ENDED = " if the bid is ended with the job, as `flowc submit` does"
# What is said with these of an option is what became of it, whatever the job's own format could keep.
NOT_KEPT = (
    *(codes.NOT_IN_BID, codes.ORDER_KEPT_BY_SUBMIT, codes.BUCKET_UNREACHABLE, codes.PORT_NOT_OPENED, codes.BID_STAYS),
)


def report_text(unit: Unit, names: list[str], script: Startup, said: Sequence[Diagnostic]) -> str:
    """`names` are those of the unit's bids; `script` is that of the first; `said`: what was reported of the source."""
    job, plan = unit.job, unit.plan
    assert plan is not None, "report: a unit without a plan"
    sections = (
        ("job", _job(job, names)),
        ("machine", _machine(plan)),
        ("price", _price(plan)),
        ("options", _options(unit, said)),
        ("profile", _profile(unit)),
        ("not part of the bid", _left_out(job)),
        ("machines looked at", _candidates(plan)),
        ("startup script", scripts.size_table(script).rstrip("\n").split("\n")),
    )
    return "\n".join(f"{title}\n{_indented(lines)}" for title, lines in sections if lines)


def _indented(lines: list[str]) -> str:
    return "".join(f"  {line}\n" for line in lines)


def _job(job: Job, names: list[str]) -> list[str]:
    shown = ", ".join(names[:MOST_NAMES]) + (f", … ({len(names)} bids)" if len(names) > MOST_NAMES else "")
    return _columns(
        [
            ("name", _printable(job.name)),
            ("source", f"{_printable(job.source.path)} ({job.source.frontend})"),
            ("bids", shown),
        ]
    )


def _machine(plan: JobPlan) -> list[str]:
    gpus = plural(plan.gpus_per_node, f"{(plan.gpu_model or '').upper()} GPU".strip())
    if plan.gpus_visible is not None:
        gpus += f", of which the job sees {plan.gpus_visible}"
    rows = [
        ("type", plan.instance_type),
        ("region", plan.region or ""),
        ("nodes", str(plan.nodes)),
        ("each has", gpus),
        ("catalog", f"{_printable(plan.catalog.source)}, of {plan.catalog.as_of}"),
    ]
    return _columns(rows)


def _price(plan: JobPlan) -> list[str]:
    def usd(text: str | None) -> str:
        return f"${text}" if text is not None else "unknown"

    many = f" for {plural(plan.count, 'bid')} on {plural(plan.nodes, 'node')} each" if plan.count > 1 else ""
    worst = usd(plan.worst_case_usd) if plan.worst_case_usd is not None else "without bound"
    bound = f"{plan.hours_bound} h" if plan.hours_bound is not None else "none"
    return _columns(
        [
            ("limit", f"{usd(plan.limit_usd_per_instance_hour)} per instance and hour"),
            ("market", f"{usd(plan.market_usd_per_instance_hour)} per instance and hour"),
            ("time limit", bound),
            ("at most", f"{worst}{many}{ENDED if plan.worst_case_usd is not None else ''}"),
            ("expected", usd(plan.expected_usd)),
        ]
    )


def _options(unit: Unit, said: Sequence[Diagnostic]) -> list[str]:
    """The outcome of each option; where the bid cannot keep what the frontend lowered, that is its outcome."""
    lost = [each for each in said if each.code in NOT_KEPT and each.span is not None]
    rows = [("line", "option", "became", "code", "note")]
    spans = dict(enumerate(unit.outcome_spans))
    for number, each in enumerate(unit.job.outcome):
        action, code, note, span = each.action, each.code, each.note, spans.get(number)
        if span is not None and action in ("lowered", "approximated"):
            found = next((one for one in lost if one.span is not None and _within(one.span, span)), None)
            if found is not None:
                action, code, note = "approximated", found.code.id, found.message
        line = str(each.line) if each.line is not None else "-"
        widest = WIDEST if each.input.startswith("-") else FULL
        written, why = (unit.source.masked(text) for text in (each.input, note or ""))
        rows.append((line, _printable(written, widest), action, code or "", _printable(why, FULL)))
    return _columns(rows) if len(rows) > 1 else []


def _profile(unit: Unit) -> list[str]:
    """What the job takes of its cluster's profile, each with its line and the finding that it makes needless."""
    if unit.profile is None:
        return []
    rows = [("line", "entry", "brings", "in place of")]
    for use in unit.used:
        line = str(use.entry.span.line)
        rows.append((line, _printable(use.entry.name), _printable(use.what), " ".join(use.instead)))
    return [
        f"{_printable(unit.profile.path, FULL)}{'' if unit.used else ': nothing of it'}",
        *_columns(rows if unit.used else []),
    ]


def _within(inner: Span, outer: Span) -> bool:
    """Whether one lies in the other, as the user wrote them: findings are told of that text."""
    inner, outer = inner.written, outer.written
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


def _left_out(job: Job) -> list[str]:
    every = {**limits.REPORTED, **limits.IN_REPORT}
    return _columns([(path, consequence) for path, consequence in every.items() if limits.lost(job, path)])


def _candidates(plan: JobPlan) -> list[str]:
    rows = [
        ("*" if each.chosen else "", each.instance_type, each.region or "", each.reason) for each in plan.candidates
    ]
    return _columns(rows)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as lines, all columns but the last padded to equal width."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]


def _printable(text: str, widest: int = WIDEST) -> str:
    """One line of text, whatever the user wrote: control characters escaped, cut when long."""
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[: widest + 1])
    return shown if len(text) <= widest else f"{shown[: widest - 1]}…"
