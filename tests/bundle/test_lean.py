"""Code without what stands in a source for its readers alone does the same, in the same lines."""

from __future__ import annotations
import __future__

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from flowc.bundle.lean import _LATE, lean

ROOT = Path(__file__).resolve().parents[2]
TEXT = '''"""A module."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nowhere import Thing
else:
    Thing = "a thing"
NAME: str = "module"


class One(dict):
    """A class."""

    field: int = 1
    if TYPE_CHECKING:
        other: Thing

    def method(self, given: Thing, *rest: Thing, key: Thing = 3, **more: Thing) -> Thing:
        """A method."""
        if given:

            def inner(word: str) -> str:
                """A function in it."""
                return f"{word}!"

            return inner("yes")
        raise LookupError(key)

    @property
    def shown(self) -> str:
        "Only this."


def empty():
    """Nothing else."""


def says() -> str:
    text = "no docstring"
    """Nor is this."""
    return text
'''


def run(code: CodeType) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "flowc.one"}
    exec(code, names)
    return names


def test_what_is_for_readers_is_left_out_and_nothing_else() -> None:
    usual, made = run(compile(TEXT, "one.py", "exec", dont_inherit=True)), run(lean(TEXT.encode(), "one.py"))
    # `annotations` is not loaded from `__future__`, so it is no name of the module.
    assert usual.keys() - made.keys() <= {"annotations", "__doc__"}
    assert made.keys() <= usual.keys()
    assert made["Thing"] == "a thing"
    one = made["One"]()
    assert (one.method(1), one.shown, made["empty"](), made["says"]()) == ("yes!", None, None, "no docstring")
    assert (made["One"].__doc__, made["One"].__annotations__) == ("A class.", {"field": "int"})
    assert (usual["One"].method.__doc__, made["One"].method.__doc__, made.get("__doc__")) == ("A method.", None, None)
    assert made["One"].method.__annotations__ == made["says"].__annotations__ == {}
    assert made["One"].shown.fget.__annotations__ == {"return": "str"}  # a decorator may ask for it
    assert made["One"].method.__kwdefaults__ == {"key": 3}


def test_tracebacks_are_the_same() -> None:
    found = []
    for code in (compile(TEXT, "one.py", "exec", dont_inherit=True), lean(TEXT.encode(), "one.py")):
        with pytest.raises(LookupError) as caught:
            run(code)["One"]().method(0)
        last = traceback.extract_tb(caught.value.__traceback__)[-1]
        found.append((last.lineno, last.end_lineno, last.colno, last.end_colno, last.name))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "text",
    [
        "VALUE = 1\n",
        "def annotated(value: VALUE): ...\n",
        "from __future__ import annotations, division\n",
    ],
)
def test_other_modules_stay_as_they_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"one\.py"):
        lean(text.encode(), "one.py")


def test_where_type_checking_may_be_true_it_is_asked() -> None:
    text = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    VALUE = 1\n"
    assert "VALUE" in lean(text.encode(), "one.py").co_names


def test_the_flag_is_that_of_the_future() -> None:
    assert __future__.annotations.compiler_flag == _LATE


def functions(code: CodeType) -> Iterator[tuple[str, int, frozenset[int | None]]]:
    yield code.co_qualname, code.co_firstlineno, frozenset(line for *_, line in code.co_lines())
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from functions(each)


def test_modules_of_flowc_keep_their_functions_and_lines() -> None:
    """A sample: that all do the same is what commands show that run so."""
    for path in sorted((ROOT / "flowc").glob("*.py")) + sorted((ROOT / "flowc" / "frontends" / "slurm").rglob("*.py")):
        source = path.read_bytes()
        try:
            made = lean(source, str(path))
        except ValueError:
            assert b"from __future__" not in source
            continue
        usual = compile(source, str(path), "exec", dont_inherit=True)
        for one, other in zip(functions(made), functions(usual), strict=True):
            assert one[:2] == other[:2]
            assert one[2] - {None} <= other[2] | {one[1] + 1}, (path, one[0])
