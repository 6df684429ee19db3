"""What only the controller refuses: values that sbatch passes on unread. Such a job would never run anywhere.

Kept apart from reading, because sbatch itself accepts these scripts: `--emit ast` shows their options. The lowering
calls `check` first, also where sbatch would refuse the script anyway, so that one run shows all faults.
"""

from __future__ import annotations

from flowc.diag.codes.slurm import read as codes
from flowc.frontends.slurm.faults import report
from flowc.frontends.slurm.values.meaning import gpu_items, gres_items
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast, Given

# Bytes that the controller takes of a text; 1,024 unless named.
_LONGEST = {
    "array": 4096, "bb": 8192, "dependency": 128 * 1024, "mem-bind": 128 * 1024, "chdir": 4096, "error": 4096,
    "input": 4096, "output": 4096, "wrap": 4 * 1024 * 1024, "export": 1024 * 1024, "nodelist": 64 * 1024,
    "exclude": 64 * 1024,
}  # fmt: skip

_CHECKS: dict[str, Callable[[str], object]] = {
    "gres": gres_items,
    **dict.fromkeys(("gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task"), gpu_items),
}
# The same, by the names of functions in `values/lists.py`.
_CHECKS_OF_LISTS = {
    "array": "array_spec", "dependency": "dependency_items", "constraint": "constraint_names",
    "prefer": "constraint_names", "licenses": "licence_items", "nodelist": "host_names", "exclude": "host_names",
}  # fmt: skip


def check(ast: Ast, sink: Sink, version: tuple[int, ...] = (22, 5)) -> None:
    """Report what the controller of a release would refuse; of the options that sbatch refuses that was done."""
    told: set[int] = set()
    for component in ast.components:
        for name, given in component.given.items():
            text = component.options.get(name)
            if text is None or name in ast.refused or id(given.span) in told:
                continue
            told.add(id(given.span))
            _check_one(name, text, given, sink)
            if name == "dependency" and version >= (25, 11) and "," in text and "?" in text:
                reason = "`,` (all must hold) and `?` (one is enough) exclude each other"
                sink.report(codes.CONTROLLER_REFUSES, given.value_span or given.span, option=f"--{name}", reason=reason)
        if len(ast.components) > 1 and "array" in component.options:
            array = component.given.get("array")
            sink.report(codes.HET_ARRAY, array.span if array else None)
            return


def _check_one(name: str, text: str, given: Given, sink: Sink) -> None:
    longest = _LONGEST.get(name, 1024)
    if len(text) > longest:
        reason = f"{len(text)} characters, the controller takes {longest}"
        sink.report(codes.CONTROLLER_REFUSES, given.value_span or given.span, option=f"--{name}", reason=reason)
        return
    judge = _CHECKS.get(name)
    if name in _CHECKS_OF_LISTS:
        from flowc.frontends.slurm.values import lists

        judge = getattr(lists, _CHECKS_OF_LISTS[name])
    if judge is None:
        return
    try:
        judge(text)
    except ValueMistake as mistake:
        place, placed = given.value_span or given.span, given.placed
        if placed is not None and placed.text == text and mistake.end > mistake.start:
            place = placed.span(mistake.start, mistake.end) or place
        help, fix = report.odd_characters(given.span, given.value) or (None, None)
        sink.report(codes.CONTROLLER_REFUSES, place, help=help, fix=fix, option=f"--{name}", reason=mistake.message)
