"""Shapes: what the fields of a format are, as data/*.yaml or a pydantic model says them.

A *shape* is a dict (compiled into `flowc._compiled`), so that a check of a file imports no schema library:

    is        text, int, number, bool, map (known keys), dict (free keys), list, any, one (of several shapes)
    type      map: the name of its type in the format's table {type: {key: field}}; a field is a shape with more keys
    of        list, dict: the shape of an item; dict: `names` is a pattern for its keys, `name_rule` says it in words
    shapes    one: the shapes in order; the first whose kind fits is taken
    values    text, int: the only values; `fold`: case is of no matter
    min, max, over   numbers: bounds (`over`: greater than); text and list: bounds of the length
    like, rule       text: a pattern (full match), and what it asks for in words
    coerce    reads a neighbouring type as well: `number` (a quoted number), `bool`, `text` (any scalar, as written),
              `python` (any value, as Python prints it), `item` (a single value for a list of one), `octal` (an int may
              be octal), `float` (2.0 for an int); several are joined by blanks
    want      what is expected, in words, where the kinds alone do not say it
    null      whether null stands for an absent value; else the format's rule holds
    required, alias (the field that an older spelling means), words (what to say of a key that is no longer known, or
              belongs to a format alike; `alias` is then the field that is meant)
    action, note, quiet   what becomes of it: see `ledger`
"""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.diag.codes.yaml import document as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Shape = dict[str, Any]

# What messages say in place of a secret's value.
HIDDEN = {"value": "…", "found": "a value of another type", "shown": "something else"}
KIND_WORDS = {
    "text": "a text",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "map": "a mapping",
    "dict": "a mapping",
    "list": "a list",
}


class Words:
    """The codes that a format reports with, loaded by the first report. Fields that titles may use: path, key, value,
    found, expected, where. `homes`: types whose keys are often put elsewhere, and where they belong; `brackets`: paths
    say free keys as `limits[cpu]`, not as `limits.cpu`."""

    def __init__(self, homes: tuple[tuple[str, str], ...] = (), *, brackets: bool = False) -> None:
        self.homes = homes
        self.brackets = brackets

    @property
    def unknown_key(self) -> Code:
        return codes.UNKNOWN_KEY

    @property
    def unknown_key_allowed(self) -> Code:
        return codes.UNKNOWN_KEY_IGNORED

    @property
    def missing_key(self) -> Code:
        return codes.MISSING_KEY

    @property
    def wrong_type(self) -> Code:
        return codes.WRONG_TYPE

    @property
    def not_allowed(self) -> Code:
        return codes.VALUE_NOT_ALLOWED

    @property
    def out_of_bounds(self) -> Code:
        return codes.OUT_OF_BOUNDS

    @property
    def wrong_form(self) -> Code:
        return codes.WRONG_FORM

    @property
    def old_key(self) -> Code:
        return codes.OLD_KEY

    @property
    def retired_key(self) -> Code:
        return codes.RETIRED_KEY


def range_text(least: Any, most: Any) -> str:
    if least is not None and most is not None:
        return f"{least} to {most}" if least != most else str(least)
    return f"at least {least}" if least is not None else f"at most {most}"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if '"' in text or "\\" in text else f'"{text}"'
