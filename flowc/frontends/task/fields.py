"""What the models of a task are made of: fields with their decision, and types as flowc reads them from YAML.

Imported where the models are compiled or shown (`flowc schema task`), never by a check: see `model`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

# What becomes of a value, and how it is read; never shown in the JSON Schema.
EXTRA = "flowc"


class Model(BaseModel):
    """Base of all models: unknown keys and two spellings of one field are errors, null stands for an absent value.

    `RETIRED` are keys that some tool knew once, with what to write instead; they are errors. `DROPPED` are keys that
    earlier tools took and did nothing with, with what to write instead; they are warnings. `FORM` shows how one is
    written to who wrote something else.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    RETIRED: ClassVar[dict[str, str]] = {}
    DROPPED: ClassVar[dict[str, str]] = {}
    FORM: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for own in cls.model_fields.values():
            if isinstance(own.validation_alias, AliasChoices):
                given = [each for each in own.validation_alias.choices if each in value]
                if len(given) > 1:
                    raise ValueError(f"keep one of {given}: they mean the same")
        return {key: each for key, each in value.items() if each is not None and key not in cls.DROPPED}


def _no_bool(value: Any) -> Any:
    """`true` is 1 to Python, and a mistake to a reader."""
    if isinstance(value, bool):
        raise ValueError("expected a number, not a bool")
    return value


# Whole numbers may be quoted or written with `.0`, other numbers quoted, as in most releases of the format.
Whole = Annotated[int, BeforeValidator(_no_bool)]
Number = Annotated[float, BeforeValidator(_no_bool)]
Flag = StrictBool


def field(
    about: str,
    *examples: Any,
    action: str | None = "lowered",
    note: str | None = None,
    quiet: bool | None = None,
    rule: str | None = None,
    help: str | None = None,
    type_help: str | None = None,
    spellings: tuple[str, ...] = (),
    required: bool = False,
    default: Any = None,
    **bounds: Any,
) -> Any:
    """A field. `about` and `examples` are for the reader of the schema; `bounds` are pydantic's (`ge`, `pattern`, …).

    `action`, `note` and `quiet` are its decision (see yamldoc/ledger.py); None: its own keys have theirs. `rule` says a
    pattern in words, `help` and `type_help` are as in yamldoc/shapes.py.
    `spellings` are the field's own name and its older ones; `default` is told to the reader.
    """
    extra = {
        "action": action,
        "note": note,
        "quiet": quiet,
        "rule": rule,
        "help": help,
        "type_help": type_help,
        "required": required or None,
    }
    if spellings:
        bounds["validation_alias"] = AliasChoices(*spellings)
    return Field(
        default=... if required else default,
        description=about,
        examples=list(examples) or None,
        json_schema_extra={EXTRA: {key: value for key, value in extra.items() if value is not None}},
        **bounds,
    )
