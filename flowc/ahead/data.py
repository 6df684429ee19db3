"""The data step: each flowc/data/NAME.yaml is checked against its schema and becomes `_compiled/NAME.py`.

The module has one constant a top-level key of the file, in upper case, with the file's values as Python literals.
"""

from __future__ import annotations

from pathlib import Path
from pprint import pformat
from typing import Any

import yaml

from flowc.ahead.schemas import SCHEMAS
from flowc.ahead.schemas_shapes import ShapeTable


def compile_data(root: Path) -> dict[str, str]:
    """Raises pydantic.ValidationError for a file that does not fit its schema, KeyError for one without a schema."""
    modules = {}
    for path in sorted((root / "flowc" / "data").glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        schema = ShapeTable if path.stem.endswith("_fields") else SCHEMAS[path.stem]
        model = schema.model_validate(content)
        checked: dict[str, Any] = model.dump() if isinstance(model, ShapeTable) else model.model_dump(mode="python")
        lines = [f"{key.upper()} = {pformat(value, width=110, sort_dicts=False)}\n" for key, value in checked.items()]
        modules[f"{path.stem}.py"] = "\n".join(lines)
    return modules
