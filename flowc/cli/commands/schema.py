"""`flowc schema`: the JSON Schema of a format that flowc reads or writes."""

from __future__ import annotations

import sys

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.table import HELP, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.cli.arguments import Words

COMMAND = Command(
    name="schema",
    summary="print the JSON Schema of a format",
    usage=("flowc schema task|profile|ir|config|diagnostics",),
    operand="FORMAT",
    operand_choices=("task", "profile", "ir", "config", "diagnostics"),
    options=(HELP,),
    examples=(
        ("flowc schema task > task.schema.json", "task YAML, for an editor"),
        ("flowc schema profile", ".flowc/profile.yaml, what a cluster had for every job"),
        ("flowc schema ir", "what `flowc compile --emit ir` prints"),
        ("flowc schema config", "~/.flow/config.yaml, and under $defs a project's file"),
        ("flowc schema diagnostics", "what `flowc check --format json` prints"),
    ),
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError for a format that there is no schema of."""
    import json

    known = ", ".join(COMMAND.operand_choices)
    if len(words.operands) != 1 or words.operands[0] not in COMMAND.operand_choices:
        found = f", found `{' '.join(words.operands)}`" if words.operands else ""
        raise UsageError(f"`flowc schema` takes one of {known}{found}", "flowc schema task > task.schema.json")
    text = json.dumps(document(words.operands[0]), indent=2, ensure_ascii=False) + "\n"
    terminal.write(sys.stdout, text, encoding="utf-8")
    return 0


def document(name: str) -> dict[str, Any]:
    """The schema of one of the formats that COMMAND names."""
    if name == "task":
        from flowc.frontends.task.model import json_schema

        return json_schema()
    from flowc.diag.schema import diagnostic_schema, diagnostics_schema
    from flowc.ir.schema import DIALECT, ir_schema

    if name == "profile":
        from flowc.profile.schema import profile_schema

        return profile_schema(DIALECT)
    if name == "config":
        from flowc.settings.schema import config_schema

        return config_schema(DIALECT)
    return ir_schema(diagnostic_schema()) if name == "ir" else diagnostics_schema(DIALECT)
