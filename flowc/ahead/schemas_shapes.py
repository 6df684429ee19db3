"""Schema of the data files that hold the fields of a format in YAML: flowc/data/*_fields.yaml.

What the keys of a field mean stands in flowc/yamldoc/shapes.py and flowc/yamldoc/ledger.py.
"""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Shape(BaseModel):
    """One field, or the shape of an item. Only the keys that are given are compiled."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    is_: Literal["text", "int", "number", "bool", "map", "dict", "list", "any", "one"] = Field(alias="is")
    type: str | None = None
    of: Shape | None = None
    shapes: list[Shape] | None = None
    names: str | None = None
    name_rule: str | None = None
    values: list[str] | list[int] | None = None
    fold: bool | None = None
    min: int | float | None = None
    max: int | float | None = None
    over: int | float | None = None
    like: str | None = None
    rule: str | None = None
    coerce: str | None = None
    want: str | None = None
    null: bool | None = None
    required: bool | None = None
    alias: str | None = None
    words: str | None = None
    help: str | None = None
    type_help: str | None = None
    action: Literal["lowered", "approximated", "ignored", "refused"] | None = None
    note: str | None = None
    quiet: bool | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        wanted = {"map": self.type, "list": self.of, "dict": self.of, "one": self.shapes}
        if self.is_ in wanted and wanted[self.is_] is None:
            raise ValueError(f"a {self.is_} lacks the shape of what is in it")
        if (self.like is None) != (self.rule is None):
            raise ValueError("a pattern needs a rule in words")
        if self.action in ("approximated", "ignored", "refused") and not self.note:
            raise ValueError("what is not lowered in full needs a note")
        for pattern in (self.like, self.names):
            if pattern is not None:
                re.compile(pattern)
        return self

    def types(self) -> set[str]:
        inner = [each for each in (self.of, *(self.shapes or ())) if each is not None]
        own = {self.type} if self.type is not None else set()
        return own.union(*(each.types() for each in inner))


class ShapeTable(BaseModel):
    """`types` maps the name of a type to its fields."""

    model_config = ConfigDict(extra="forbid")

    types: dict[str, dict[str, Shape]]

    @model_validator(mode="after")
    def _types_are_there(self) -> Self:
        for name, fields in self.types.items():
            for key, field in fields.items():
                missing = field.types() - self.types.keys()
                if missing:
                    raise ValueError(f"{name}.{key} names types that are not there: {sorted(missing)}")
                if field.alias is not None and field.alias not in fields:
                    raise ValueError(f"{name}.{key} is an alias of a field that is not there")
        return self

    def dump(self) -> dict[str, Any]:
        return self.model_dump(mode="python", by_alias=True, exclude_unset=True)
