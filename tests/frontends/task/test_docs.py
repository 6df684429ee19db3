"""The table of docs/task-yaml.md is that of the models (`pytest --update` writes it), its example compiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flowc._compiled.task_fields import TYPES
from flowc.frontends.task.model import json_schema
from flowc.yamldoc.shapes import KIND_WORDS, range_text
from tests.corpus import ROOT
from tests.frontends.task.cases import ids

DOCUMENT = ROOT / "docs" / "task-yaml.md"
BEGIN, END = "<!-- fields -->\n", "<!-- end of fields -->\n"
SCHEMA = json_schema()
PLACES = {
    "Task": ("", SCHEMA),
    **{
        name: (place, SCHEMA["$defs"][name])
        for name, place in (
            *(("Volume", "volumes[]."), ("DataMount", "data_mounts[].")),
            *(("Retries", "retries."), ("Constraints", "constraints.")),
        )
    },
}


def takes(row: dict[str, Any]) -> str:
    """What a field takes, in words."""
    if row["is"] == "one":
        return " or ".join(takes(each) for each in row["shapes"])
    if "values" in row:
        return ", ".join(f"`{each}`" for each in row["values"])
    words = KIND_WORDS[row["is"]]
    if row["is"] == "list":
        return f"a list: {takes(row['of'])}"
    least, most, over = row.get("min"), row.get("max"), row.get("over")
    if row["is"] in ("int", "number"):
        bounds = f"more than {over}" + (f", at most {most}" if most else "") if over is not None else ""
        if not bounds and (least is not None or most is not None):
            bounds = range_text(least, most)
        return f"{words}, {bounds}" if bounds else words
    return row.get("rule") or words


def becomes(row: dict[str, Any]) -> str:
    if "alias" in row:
        return f"old spelling of `{row['alias']}`"
    if "words" in row:
        return f"refused: {row['words']}"
    action = row.get("action", "lowered")
    return f"{action}: {row['note']}" if "note" in row else ""


def table() -> Iterator[str]:
    yield "| field | takes | about |\n| --- | --- | --- |\n"
    for name, (place, schema) in PLACES.items():
        for key, row in TYPES[name].items():
            about = schema["properties"].get(key, {}).get("description", "")
            said = "; ".join(part.rstrip(".") for part in (about, becomes(row)) if part)
            kind = "" if "words" in row or row["is"] == "any" else takes(row)
            yield f"| `{place}{key}` | {kind} | {said} |\n"


def test_table_is_that_of_the_models(golden: Callable[[Path, str], None]) -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    golden(DOCUMENT, before + BEGIN + "".join(table()) + END + rest.partition(END)[2])


def test_example_compiles() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert ids(example) == []
