"""Schemas of the data files about formats in YAML: the fields of each, flowc/data/*_fields.yaml, and the lines of
profiles that flowc knows.

What the keys of a field mean stands in flowc/yamldoc/shapes.py and flowc/yamldoc/ledger.py.
"""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


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


class Strict(BaseModel):
    """Base of the models below."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BringsRow(Strict):
    """The value of a line of a profile's modules."""

    apt: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    shell: str = ""

    @field_validator("apt", "conda", "channels", "pip", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class InsteadRow(Strict):
    """What takes the place of a row where a file calls a program that this does not serve; values of variables that the
    module set, and names of others, as a regular expression: a file that reads one of those is not served at all."""

    brings: BringsRow
    says: str
    variables: dict[str, str] = {}
    sets: str = ""


class KnownModule(Strict):
    """First parts of modules' names or names of programs, what a profile says of it, what a person should know, what
    that rests on, and programs that it does not serve, with what takes its place there."""

    parts: tuple[str, ...]
    brings: Literal["nothing", "docker"] | BringsRow
    says: str
    source: str
    not_for: tuple[str, ...] = ()
    instead: InsteadRow | None = None


class OpenModule(Strict):
    """The same for names that no line is filled in for."""

    parts: tuple[str, ...]
    says: str


class ProfileLines(Strict):
    """flowc/data/profile_lines.yaml."""

    modules: tuple[KnownModule, ...]
    programs: tuple[KnownModule, ...]
    open_programs: tuple[OpenModule, ...]
    open: tuple[OpenModule, ...]
    folders: tuple[str, ...]
    scratch: tuple[str, ...]
    variables: dict[str, str]


class ToolNames(Strict):
    """flowc/data/tool_names.yaml: words in the order of their names, `NAME` or `NAME=PACKAGE`."""

    programs: str
    libraries: str
    bioconda: str
    pip: str
    python: str

    @field_validator("*")
    @classmethod
    def _sorted_and_each_once(cls, text: str) -> str:
        names = [re.sub("[-_.]", "", word.partition("=")[0]) for word in text.split()]
        if names != sorted(set(names)) or text != text.lower():
            raise ValueError("the names are not in order, not each once, or not in small letters")
        return text
