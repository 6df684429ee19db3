"""Environment modules that the machine has nothing in place of, and environments of a conda that a line of the
profile brings."""

from __future__ import annotations

from flowc.body.modules import brings_conda, environments, lacking, without_environment
from flowc.diag.lacks import ENVIRONMENT, MODULE
from flowc.rules.base import parts, texts
from flowc.rules.wording import by_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    """One finding for each line that loads modules which the image lacks, and one for each environment that is not in
    a conda which a line brings."""
    for each in texts(unit):
        said: set[str] = set()
        for part in parts(each):
            _report(part, said, sink)
        if unit.job.modules or unit.job.programs or unit.job.environments:
            _report_environments(each, sink)


def _report(unit: Unit, said: set[str], sink: Sink) -> None:
    found = [row for row in lacking(unit.job) if row[0].name not in said]
    said.update(each.name for each, _ in found)
    if not found:
        return
    from flowc.diag.codes.programs import MODULE_MISSING

    text = unit.job.run.text or ""
    lines: dict[int, list[tuple[str, str | None, int, int]]] = {}
    line = place = 0
    for each, package in found:
        line, place = line + text.count("\n", place, each.start), each.start
        lines.setdefault(line, []).append((each.name, package, each.start, each.end))
    for loaded in lines.values():
        help = _help(loaded, unit)
        names = ", ".join(f"`{name}`" for name, *_ in loaded)
        span = unit.text_span(loaded[0][2], loaded[-1][3])
        lacks = [(MODULE, name) for name, *_ in loaded]
        if any(brings_conda(name) for name, *_ in loaded):
            lacks += [(ENVIRONMENT, name) for name in environments(unit.job)]
        sink.report(MODULE_MISSING, span, help=help, lacks=tuple(lacks), modules=names)


def _help(loaded: list[tuple[str, str | None, int, int]], unit: Unit) -> str | None:
    packages = " ".join(dict.fromkeys(package for _, package, *_ in loaded if package))
    brought = by_profile(unit.job)
    if not packages:
        return brought
    help = f"`apt-get install -y {packages}` in the script brings Ubuntu's own"
    own = [f"`{name}`" for name, package, *_ in loaded if package]
    if len(own) == len(loaded) or brought is None:
        return help
    return f"{help} in place of {', '.join(own)}; for the others {brought}"


def _report_environments(unit: Unit, sink: Sink) -> None:
    for name, start in without_environment(unit.job).items():
        from flowc.diag.codes.programs import ENVIRONMENT_MISSING

        span = unit.text_span(start, start + len(name))
        help = by_profile(unit.job)
        sink.report(ENVIRONMENT_MISSING, span, help=help, lacks=((ENVIRONMENT, name),), name=name)
