"""Puts the job flags of the command line over a job: they win over the file (contract §1)."""

from __future__ import annotations

import re

from flowc.diag.codes import override as codes
from flowc.inputs import looks_secret
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit
    from flowc.record import Record

PRIORITIES = ("low", "med", "high")
UNITS_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def run(unit: Unit, inputs: Inputs, sink: Sink) -> Unit:
    """The unit with the flags' values in place of the file's; each has its origin on the command line."""
    flags = inputs.flags
    if flags == type(flags)():
        return unit
    over = Override(unit, inputs, sink)
    over.name()
    over.put("resources", "alternatives", (flags.instance_type,) if flags.instance_type else None, "instance_type")
    over.put("resources", "nodes", flags.num_instances, "num_instances")
    if flags.num_instances is not None and unit.job.resources.nodes_max is not None:
        over.put("resources", "nodes_max", flags.num_instances, "num_instances")
    over.put("placement", "regions", (flags.region,) if flags.region else None, "region")
    over.put("pricing", "max_usd_per_instance_hour", over.money("max_price_per_hour"), "max_price_per_hour")
    over.put("pricing", "budget_usd", over.money("budget"), "budget")
    over.put("pricing", "priority", over.priority(), "priority")
    over.put("time", "limit_s", over.duration(), "time")
    over.put("identity", "project", flags.project, "project")
    over.put("identity", "ssh_keys", flags.ssh_keys or None, "ssh_keys")
    over.env()
    return unit.replace(job=over.job, origins=over.origins)


class Override:
    """One unit on its way to be overridden."""

    __slots__ = ("flags", "job", "origins", "sink", "spans")

    def __init__(self, unit: Unit, inputs: Inputs, sink: Sink) -> None:
        self.job: Job = unit.job
        self.origins = dict(unit.origins)
        self.flags = inputs.flags
        self.spans: dict[str, Span] = dict(inputs.flag_spans)
        self.sink = sink

    def put(self, part: str, field: str, value: object, flag: str) -> None:
        """Set `part.field` of the job, unless the flag was not given."""
        if value is None:
            return
        record: Record = getattr(self.job, part)
        self.job = self.job.replace(**{part: record.replace(**{field: value})})
        self._origin(f"{part}.{field}", flag)

    def _origin(self, path: str, flag: str) -> None:
        self.origins[path] = self._span(flag)

    def _span(self, flag: str) -> Span:
        """Where the flag stands; a caller of the Python API has no command line, so one is made up for messages."""
        if flag not in self.spans:
            text = "--" + flag.replace("_", "-")
            self.spans[flag] = Span(Source("<flags>", text), 0, len(text))
        return self.spans[flag]

    def name(self) -> None:
        name = self.flags.name
        if name is None:
            return
        het = self.job.name.rpartition("-het")[2] if "-het" in self.job.name else ""
        self.job = self.job.replace(name=f"{name}-het{het}" if het.isdigit() else name)
        self._origin("name", "name")

    def money(self, flag: str) -> str | None:
        """Decimal text of a price in USD; a leading `$` is let pass."""
        text: str | None = getattr(self.flags, flag)
        if text is None:
            return None
        amount = text.strip().removeprefix("$")
        if not re.fullmatch(r"(\d{1,9})(\.\d{1,6})?", amount) or not amount.strip("0."):
            self._mistake(flag, text, "an amount of US dollars above 0, such as `12.50`")
            return None
        return amount

    def priority(self) -> str | None:
        text = self.flags.priority
        if text is None or text.lower() in PRIORITIES:
            return text.lower() if text else None
        self._mistake("priority", text, "low, med or high")
        return None

    def duration(self) -> int | None:
        text = self.flags.time
        if text is None:
            return None
        seconds = parse_duration(text)
        if not seconds:
            self._mistake("time", text, "a duration above 0, such as `90` (minutes), `1:30:00`, `1-12:00` or `1h30m`")
            return None
        return seconds

    def env(self) -> None:
        if not self.flags.env:
            return
        merged = dict(self.job.env)
        for name, value in self.flags.env:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                self._mistake("env", f"{name}={value}", "NAME=VALUE with a name of letters, digits and underscores")
            if looks_secret(name):
                self.sink.report(codes.ENV_SECRET, self._span("env"), name=name)
            merged[name] = value
        self.job = self.job.replace(env=tuple(merged.items()))
        self._origin("env", "env")

    def _mistake(self, flag: str, value: str, expected: str) -> None:
        shown = "--" + flag.replace("_", "-")
        self.sink.report(codes.FLAG_VALUE, self._span(flag), flag=shown, value=value, expected=expected)


def parse_duration(text: str) -> int | None:
    """Seconds of `90` (minutes), `M:S`, `H:M:S`, `D-H[:M[:S]]` as sbatch reads them, or of `1h30m`; None otherwise."""
    text = text.strip().lower()
    if match := re.fullmatch(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?", text):
        amounts = zip(match.groups(), UNITS_S.values(), strict=True)
        return sum(int(number) * unit for number, unit in amounts if number)
    match = re.fullmatch(r"(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,6}))?(?::(\d{1,6}))?", text)
    if match is None:
        return None
    days, *fields = match.groups()
    given = [int(field) for field in fields if field is not None]
    if days is not None:
        hours, minutes, seconds = [*given, 0, 0][:3]
        return int(days) * 86400 + hours * 3600 + minutes * 60 + seconds
    if len(given) == 3:
        return given[0] * 3600 + given[1] * 60 + given[2]
    return given[0] * 60 + (given[1] if len(given) == 2 else 0)
