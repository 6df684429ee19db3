"""`flowc schema`: the JSON Schema of a format that flowc reads or writes."""

from __future__ import annotations

import json
import sys

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.commands import SCHEMA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.cli.arguments import Words


def run(words: Words) -> int:
    """The exit status. Raises UsageError for a format that there is no schema of."""
    known = ", ".join(SCHEMA.operand_choices)
    if len(words.operands) != 1 or words.operands[0] not in SCHEMA.operand_choices:
        found = f", found `{' '.join(words.operands)}`" if words.operands else ""
        raise UsageError(f"`flowc schema` takes one of {known}{found}", "flowc schema task > task.schema.json")
    text = json.dumps(document(words.operands[0]), indent=2, ensure_ascii=False) + "\n"
    terminal.write(sys.stdout, text, encoding="utf-8")
    return 0


def document(name: str) -> dict[str, Any]:
    """The schema of one of the formats that SCHEMA names."""
    if name == "task":
        from flowc.frontends.task.model import json_schema

        return json_schema()
    from flowc.diag.schema import diagnostic_schema, diagnostics_schema
    from flowc.ir.schema import DIALECT, ir_schema

    return ir_schema(diagnostic_schema()) if name == "ir" else diagnostics_schema(DIALECT)
