"""The task step: the pydantic models of a task become `_compiled/task_fields.py`, a table of shapes like those of the
other formats, so that a check imports no pydantic."""

from __future__ import annotations

import types
from pathlib import Path
from pprint import pformat
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from flowc.ahead.schemas_shapes import ShapeTable
from flowc.frontends.task.fields import EXTRA, Model
from flowc.frontends.task.model import Task

# What YAML's neighbouring types are read as, by kind: see coerce in flowc/yamldoc/shapes.py.
COERCE = {"int": "number float", "number": "number", "bool": "bool"}
SCALARS = {str: "text", int: "int", float: "number", bool: "bool"}


def compile_task(root: Path) -> dict[str, str]:
    """Raises pydantic.ValidationError for a field that no shape can say, KeyError for a type that has none."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    _add(Task, tables)
    checked = ShapeTable.model_validate({"types": tables}).dump()
    return {"task_fields.py": f"TYPES = {pformat(checked['types'], width=110, sort_dicts=False)}\n"}


def _add(model: type[Model], tables: dict[str, dict[str, dict[str, Any]]]) -> None:
    """The table of a model, and of those inside it."""
    if model.__name__ in tables:
        return
    table = tables[model.__name__] = {}
    for name, info in model.model_fields.items():
        table[name] = _field(info, tables)
        choices = getattr(info.validation_alias, "choices", ())
        table.update({older: {**table[name], "alias": name} for older in choices if older != name})
    table.update({name: {"is": "any", "words": words} for name, words in model.RETIRED.items()})
    dropped = {name: {"is": "any", "action": "ignored", "note": note} for name, note in model.DROPPED.items()}
    table.update(dropped)


def _field(info: FieldInfo, tables: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    schema_extra: Any = info.json_schema_extra
    extra: dict[str, Any] = dict(schema_extra[EXTRA])
    shape = _shape(info.annotation, info.metadata, extra, tables)
    extra.pop("rule", None)
    return {**shape, **extra}


def _shape(annotation: Any, metadata: list[Any], extra: dict[str, Any], tables: Any) -> dict[str, Any]:
    """The shape of a type with its bounds; `extra` has the words of a pattern."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *more = arguments
        flat = [
            part for each in (*more, *metadata) for part in (each.metadata if isinstance(each, FieldInfo) else [each])
        ]
        return _shape(inner, flat, extra, tables)
    if origin in (Union, types.UnionType):
        # None is what an absent field is to Python; null is absent in any case.
        shapes = [_shape(each, metadata, extra, tables) for each in arguments if each is not type(None)]
        return {"is": "one", "shapes": shapes} if len(shapes) > 1 else shapes[0]
    if origin is Literal:
        return {"is": "text", "values": list(arguments)}
    if origin is list:
        item = _shape(arguments[0], [], extra, tables)
        if "type_help" in extra:
            item.setdefault("type_help", extra["type_help"])
        return {"is": "list", "of": {**item, "null": False}, **_bounds(metadata, extra)}
    if origin is dict:
        key = _shape(arguments[0], [], extra, tables)
        names = {"names": key["like"], "name_rule": key["rule"]} if "like" in key else {}
        return {"is": "dict", **names, "of": {**_shape(arguments[1], [], {}, tables), "null": False}}
    if annotation is Any:
        return {"is": "any"}
    if isinstance(annotation, type) and issubclass(annotation, Model):
        _add(annotation, tables)
        form = {"type_help": annotation.FORM} if annotation.FORM else {}
        return {"is": "map", "type": annotation.__name__, **form}
    kind = SCALARS[annotation]
    shape = {"is": kind, **_bounds(metadata, extra)}
    return {**shape, "coerce": COERCE[kind]} if kind in COERCE else shape


def _bounds(metadata: list[Any], extra: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in metadata:
        match each:
            case annotated_types.Ge(ge=bound) | annotated_types.MinLen(min_length=bound):
                found["min"] = bound
            case annotated_types.Le(le=bound) | annotated_types.MaxLen(max_length=bound):
                found["max"] = bound
            case annotated_types.Gt(gt=bound):
                found["over"] = bound
            case _ if getattr(each, "pattern", None):
                found["like"] = each.pattern.removeprefix("^").removesuffix("$")
                found["rule"] = extra["rule"]
    return found
