"""What the profile of the cluster says of a job's nodes, by its partition, constraint, QoS and account. The job's own
options win; of several lines the more special one does, field by field."""

from __future__ import annotations

from flowc._compiled.shell_words import SITE_VARIABLES
from flowc._compiled.slurm_lowering import GPU_WORDS, LOWERING
from flowc.frontends.slurm.lint.body import site_variables
from flowc.frontends.slurm.values.lists import constraint_names
from flowc.ir.job import Identity, Placement, Pricing
from flowc.ir.profile import Use
from flowc.ir.units import size_text
from flowc.patterns import is_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.slurm.ast import Ast
    from flowc.frontends.slurm.lowering.ledger import Ledger
    from flowc.inputs import Inputs
    from flowc.ir.job import Layout, Resources
    from flowc.ir.profile import Lines, Nodes, Profile
    from flowc.source import Span

# The options by which a line is chosen, the most special first.
OPTIONS = ("constraint", "partition", "qos", "account")


class Cluster:
    """The lines of a profile that speak of one job, and what was taken of each."""

    __slots__ = ("ledger", "origins", "profile", "rows", "taken")

    def __init__(self, profile: Profile, options: dict[str, str], ledger: Ledger) -> None:
        self.profile = profile
        self.ledger = ledger
        self.origins: dict[str, Span] = {}
        self.taken: dict[int, list[str]] = {}
        self.rows: list[tuple[str, Nodes]] = []
        lines = (profile.constraints, profile.partitions, profile.qos, profile.accounts)
        for option, section in zip(OPTIONS, lines, strict=True):
            text = options.get(option)
            for name in _names(option, text) if text else ():
                row = _row(section, name)
                if row is not None:
                    self.rows.append((option, row))
        self.rows += [("", each) for each in profile.defaults]

    def take(self, field: str, path: str, shown: str) -> Any:
        """The value of a field, None where no line has one. It is for an IR field, and `shown` names it in notes."""
        for number, (_, row) in enumerate(self.rows):
            value = getattr(row, field)
            if value is not None:
                self.origins[path] = row.entry.span
                told = size_text(value) if field == "memory_bytes" else value
                self.taken.setdefault(number, []).append(shown.format(told))
                return value
        return None

    def fill(self, resources: Resources, layout: Layout, options: dict[str, str], inputs: Inputs) -> Resources:
        """The resources with what the lines say of them."""
        fields: dict[str, Any] = {}
        asks = resources.gpus_per_node or layout.gpus_total
        if not asks and resources.gpus_per_node is None:
            asks = fields["gpus_per_node"] = self.take("gpus", "resources.gpus_per_node", "{} GPUs a node")
        features = constraint_names(options["constraint"]) if options.get("constraint") else ()
        # Words of the constraint, and a flag, choose a model themselves.
        lined = {row.entry.key for option, row in self.rows if option == "constraint" and row.gpu}
        chosen = any(word in name.lower() for name in features if name not in lined for word in GPU_WORDS)
        if asks and resources.gpu_model is None and not chosen and inputs.flags.instance_type is None:
            fields["gpu_model"] = self.take("gpu", "resources.gpu_model", "GPU model {}")
        if resources.cpus_per_node is None and layout.cpus_per_task is None and resources.cpus_per_gpu is None:
            fields["cpus_per_node"] = self.take("cpus", "resources.cpus_per_node", "{} CPUs a node")
        sizes = (resources.memory_bytes_per_node, resources.memory_bytes_per_cpu, resources.memory_bytes_per_gpu)
        if all(size is None for size in sizes):
            fields["memory_bytes_per_node"] = self.take("memory_bytes", "resources.memory_bytes_per_node", "{} a node")
        fields = {name: value for name, value in fields.items() if value is not None}
        return resources.replace(**fields) if fields else resources

    def admit(self, options: dict[str, str]) -> None:
        """Report what the cluster would have refused."""
        if self.profile.site is None:
            return
        from flowc.frontends.slurm.lowering.admission import refusal

        found = refusal(self.profile.site, options)
        if found is not None:
            from flowc.diag.codes.slurm.lower import CLUSTER_REFUSES

            self.ledger.sink.report(CLUSTER_REFUSES, self.ledger.span(found.option), reason=found.why)

    def close(self, fields: dict[str, Any], ast: Ast, origins: dict[str, Span]) -> tuple[Use, ...]:
        """Put into the job's `fields` what else the lines say, where no option does; decide what became of the options
        whose lines brought something, and give what was taken."""
        if fields["time"].limit_s is None and "time" not in self.ledger.given:
            limit = self.take("time_s", "time.limit_s", "a limit of {} s")
            fields["time"] = fields["time"].replace(limit_s=limit)
        region = self.take("region", "placement.regions", "region {}")
        fields["placement"] = Placement(regions=(region,) if region is not None else ())
        fields["identity"] = Identity(project=self.take("project", "identity.project", "project {}"))
        fields["pricing"] = Pricing(priority=self.take("priority", "pricing.priority", "priority {}"))
        origins.update(self.origins)
        used = [*_variables_set(self.profile, ast)]
        for number, (option, row) in enumerate(self.rows):
            what = ", ".join(self.taken.get(number, ()))
            if what:
                used.append(Use(entry=row.entry, what=what))
            if option and option not in self.ledger.decisions and (what or not _says_anything(row)):
                note = f"{what or LOWERING[option]['note']}: {row.entry.shown}"
                self.ledger.decide(option, "lowered" if what else "ignored", note)
        return tuple(used)


_SITE_VARIABLES = frozenset(SITE_VARIABLES)


def _variables_set(profile: Profile, ast: Ast) -> tuple[Use, ...]:
    """The variables without which the text would count on what nothing sets."""
    if ast.body_line is None or _SITE_VARIABLES.isdisjoint(profile.variables.keys):
        return ()
    wanted = {name for name, _ in site_variables(ast, ast.source, ast.source.line_starts[ast.body_line - 1])}
    if not wanted:
        return ()
    from flowc.diag.codes.slurm.body import SITE_VARIABLE

    return tuple(
        Use(entry=each.entry, what=f"{each.entry.key} is set", instead=(SITE_VARIABLE.id,))
        for each in profile.variables.named(wanted)
    )


def _names(option: str, text: str) -> tuple[str, ...]:
    return constraint_names(text) if option == "constraint" else tuple(text.split(","))


def _row(lines: Lines[Nodes], name: str) -> Nodes | None:
    """The line of that name, or the first whose glob fits it."""
    rows = lines.named((name,)) or lines.named([key for key in lines.globs if is_like(name, key)])
    return rows[0] if rows else None


def _says_anything(row: Nodes) -> bool:
    return any(value is not None for name, value in row.__dict__.items() if name != "entry")
