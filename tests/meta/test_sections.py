"""The startup script's templates and the records of their variables know each other: none asks for what no record
declares, none declares what no template asks for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import jinja2
import pytest
from jinja2 import meta

from flowc.ahead.templates import ENTRIES, FILTERS, join_tags
from flowc.record import Record
from flowc.scripts.packing.pack import Packed
from flowc.scripts.script import SECTIONS

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
SCRIPT = sorted(path.name for path in TEMPLATES.glob("*.sh.j2") if ENTRIES.get(path.name.split(".")[0], True))
STUBS = sorted(path.name for path in TEMPLATES.glob("*.sh.j2") if path.name not in SCRIPT)


def asked(name: str) -> set[str]:
    """The variables that a template does not set itself."""
    environment = jinja2.Environment(comment_start_string="[#", comment_end_string="#]")
    environment.filters.update(dict.fromkeys(FILTERS, str))
    return meta.find_undeclared_variables(environment.parse(join_tags((TEMPLATES / name).read_text())))


def faults(names: list[str], records: tuple[type[Record], ...]) -> set[str]:
    declared = Counter(field for record in records for field in record.FIELDS)
    wanted = {variable for name in names for variable in asked(name)}
    return (wanted ^ {*declared}) | {field for field, count in declared.items() if count > 1}


@pytest.mark.parametrize(("names", "records"), [(SCRIPT, SECTIONS), (STUBS, (Packed,))], ids=["script", "stubs"])
def test_variables_are_declared_once_and_read(names: list[str], records: tuple[type[Record], ...]) -> None:
    assert faults(names, records) == set()


def test_a_fault_is_seen() -> None:
    class Odd(Record):
        unheard_of: int
        payload: str

    assert faults(STUBS, (Packed, Odd)) == {"unheard_of", "payload"}
    assert faults(SCRIPT, SECTIONS[1:]) == {*SECTIONS[0].FIELDS}
