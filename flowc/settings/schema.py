"""JSON Schema (2020-12) of the files that hold settings, made of the table of settings itself."""

from __future__ import annotations

from flowc._compiled.settings import OTHERS, SETTINGS
from flowc.settings.values import project_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PLAIN = {"type": ["string", "number"]}
_KINDS: dict[str, dict[str, Any]] = {
    "text": _PLAIN,
    "list": {"anyOf": [_PLAIN, {"type": "array", "items": _PLAIN}]},
    "seconds": {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 86400}, {"type": "string"}]},
}


def config_schema(dialect: str) -> dict[str, Any]:
    """The schema of `~/.flow/config.yaml`; under `$defs`, that of a project's file, `Project` (`.flowc.toml`, and
    `[tool.flowc]` of a `pyproject.toml`)."""
    user = _object("Settings of a user: ~/.flow/config.yaml. Flags, the environment and a project's file win over it.")
    project = _object("Settings of a project: .flowc.toml, or [tool.flowc] of a pyproject.toml, found upwards.")
    for row in SETTINGS.values():
        _put(user, row["file"], _setting(row))
        for old in row["old_file"]:
            _put(user, old, {**_setting(row), "description": f"An older place of `{row['file']}`.", "deprecated": True})
        if not row["personal"]:
            _put(project, project_place(row), _setting(row))
    for each in OTHERS:
        _put(user, each, {"description": "Of another tool; flowc does not read it."})
    return {"$schema": dialect, "title": "flowc.config/1", **user, "$defs": {"Project": project}}


def _object(description: str) -> dict[str, Any]:
    return {"description": description, "type": "object", "properties": {}, "additionalProperties": False}


def _setting(row: Mapping[str, Any]) -> dict[str, Any]:
    more = {"default": row["default"]} if row["default"] is not None else {}
    about = row["about"][:1].upper() + row["about"][1:]
    return {"description": f"{about}.", **_KINDS[row["kind"]], **more}


def _put(schema: dict[str, Any], place: str, value: dict[str, Any]) -> None:
    """At a place with dots between its keys."""
    *sections, last = place.split(".")
    for section in sections:
        schema = schema["properties"].setdefault(section, _object("A section."))
    schema["properties"].setdefault(last, value)
