"""JSON Schema (2020-12) of a profile, made of the table of its fields."""

from __future__ import annotations

from flowc._compiled.profile_fields import TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KINDS = {"text": "string", "int": "integer", "bool": "boolean"}
_ABOUT = (
    "What a cluster had for every job there: .flowc/profile.yaml, found upwards, or the file that `--profile` names."
)


def profile_schema(dialect: str) -> dict[str, Any]:
    definitions = {name: _map(fields) for name, fields in TYPES.items() if name != "Profile"}
    whole = _map(TYPES["Profile"])
    return {"$schema": dialect, "title": "flowc.profile/1", "description": _ABOUT, **whole, "$defs": definitions}


def _map(fields: dict[str, Any]) -> dict[str, Any]:
    properties = {key: _shape(field) for key, field in fields.items()}
    needed = [key for key, field in fields.items() if field.get("required")]
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": needed} if needed else found


def _shape(shape: dict[str, Any]) -> dict[str, Any]:
    kind = shape["is"]
    if kind == "map":
        return {"$ref": f"#/$defs/{shape['type']}"}
    if kind == "one":
        return {"anyOf": [_shape(each) for each in shape["shapes"]]}
    if kind == "dict":
        names = {"propertyNames": {"pattern": f"^(?:{shape['names']})$"}} if "names" in shape else {}
        return {"type": "object", "additionalProperties": _shape(shape["of"]), **names}
    if kind == "list":
        items = {"type": "array", "items": _shape(shape["of"]), "minItems": 1}
        return {"anyOf": [_shape(shape["of"]), items]}
    found: dict[str, Any] = {"type": [_KINDS[kind], "number"] if shape.get("coerce") == "text" else _KINDS[kind]}
    if "values" in shape:
        found["enum"] = shape["values"]
    if "like" in shape:
        found["pattern"] = f"^(?:{shape['like']})$"
    if kind == "int":
        found |= {"minimum": shape["min"], "maximum": shape["max"]}
    return found
