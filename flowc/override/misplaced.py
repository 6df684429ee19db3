"""Flags that a source of some format has no use for, and flags as earlier tools spelt them."""

from __future__ import annotations

from flowc.diag.codes import command_line as flags
from flowc.diag.codes import override as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs


def report(inputs: Inputs, sink: Sink, *, document: bool, task_fields: bool, objects: bool) -> None:
    """Report them; what the source is: see `override.run`. `objects`: it has Kubernetes' objects."""
    for old in inputs.old_spellings:
        if old.field is not None and not task_fields:
            sink.report(flags.FIELD_OF_TASK_YAML, old.span, flag=old.spelling, field=old.field)
        elif old.instead is not None:
            sink.report(flags.OLD_SPELLING, old.span, old=old.spelling, new=old.instead)
        else:
            sink.report(flags.FLAG_WITHOUT_EFFECT, old.span, flag=old.spelling, why=old.why)
    if not document:
        for index in range(len(inputs.flags.sets)):
            hint = "give sbatch's own options after `--`, such as `-- --cpus-per-task=8`"
            sink.report(codes.SET_WITHOUT_DOCUMENT, inputs.span("sets", index), help=hint)
    elif inputs.args:
        hint = "job flags stand before `--`; `--set PATH=VALUE` sets any key of a YAML file"
        sink.report(codes.SBATCH_OPTIONS_ELSEWHERE, inputs.span("args"), help=hint)
    for index in range(0 if objects else len(inputs.manifests)):
        sink.report(codes.MANIFEST_WITHOUT_USE, inputs.span("manifests", index))
