"""Regular expressions that are compiled, and modules that are loaded, at their first use: a check of one job needs few
of them, and each costs a noticeable part of its start-up. For the same reason nothing here, nor what an ordinary check
or compilation imports, loads `re`, or `functools` and `fnmatch`, which are made of it: they cost as much as the work
itself. What the tables of `_compiled/expressions.py` have needs no parser."""

from __future__ import annotations

import _imp
import _sre  # type: ignore[import-not-found]  # what `re` is made of
import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match, Pattern
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_compiled: dict[tuple[str, int], Pattern[str]] = {}
# With so many calls of a method it is worth looking for the names by which a module knows it.
_OFTEN = 5


def compiled(pattern: str, flags: int = 0) -> Pattern[str]:
    """As `re.compile`, for patterns that stand in the program or its data: what was compiled is kept for good."""
    key = (pattern, flags)
    found = _compiled.get(key)
    if found is None:
        found = _compiled[key] = _of_table(pattern, flags) or _parsed(pattern, flags)
    return found


def _of_table(pattern: str, flags: int) -> Pattern[str] | None:
    """What the parser of `re` would make of it, where it was made ahead and this interpreter reads it."""
    from flowc._compiled import expressions

    if _sre.MAGIC not in expressions.MAGICS or _sre.CODESIZE != 4 or sys.byteorder != "little":
        return None
    rows, which = expressions.EXPRESSIONS, expressions.WHICH
    table = which[place(pattern, flags, len(which))]
    if table:
        rows = __import__(f"flowc._compiled.{expressions.TABLES[table]}", fromlist=["EXPRESSIONS"]).EXPRESSIONS
    packed = rows[place(pattern, flags, len(rows))]
    for found_pattern, found_flags, *row in marshal.loads(packed) if packed else ():
        if found_pattern == pattern and found_flags == flags:
            return _made(pattern, *row)
    return None


def place(pattern: str, flags: int, places: int) -> int:
    """Where the table has a pattern."""
    hash: bytes = _imp.source_hash(flags, pattern.encode())
    return int.from_bytes(hash, "little") % places


def _made(
    pattern: str, all_flags: int, groups: int, names: tuple[str | None, ...], small: bytes, large: bytes
) -> Pattern[str]:
    code = list(small)
    numbers = memoryview(large).cast("I")
    for place, word in zip(numbers[::2], numbers[1::2], strict=True):
        code[place] = word
    by_name = {name: number for number, name in enumerate(names) if name}
    found: Pattern[str] = _sre.compile(pattern, all_flags, code, groups, by_name, names or (None,) * (groups + 1))
    return found


def _parsed(pattern: str, flags: int) -> Pattern[str]:
    import re

    return re.compile(pattern, flags)


def at_first_use(pattern: str, method: str, flags: int = 0) -> Callable[..., Any]:
    """The method (`match`, `search`, `finditer`…) of a compiled pattern; its first call compiles, and a later one puts
    the method itself under the name by which the calling module knows it: some are called a hundred times for a job."""
    bound: Callable[..., Any] | None = None
    calls = 0

    def call(*arguments: Any) -> Any:
        nonlocal bound, calls
        if bound is None:
            bound = getattr(compiled(pattern, flags), method)
        calls += 1
        if calls == _OFTEN:
            names = sys._getframe(1).f_globals
            for name in [name for name, value in names.items() if value is call]:
                names[name] = bound
        return bound(*arguments)

    return call


def at_words(pattern: str, words: tuple[str, ...]) -> Callable[..., Iterator[Match[str]]]:
    """`finditer` of a pattern of which each match begins with one of these words: they are looked for first, which
    costs a fraction of trying the pattern at each character. Takes a text and where to start."""
    match: Callable[[str, int], Match[str] | None] | None = None

    def find(text: str, start: int = 0) -> Iterator[Match[str]]:
        nonlocal match
        places = set()
        for word in words:
            at = text.find(word, start)
            while at >= 0:
                places.add(at)
                at = text.find(word, at + 1)
        if not places:
            return
        if match is None:
            match = compiled(pattern).match
        end = start
        for place in sorted(places):
            found = match(text, place) if place >= end else None
            if found is not None:
                end = found.end()
                yield found

    return find


def function_at_first_use(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is loaded by its first call, which puts the function itself under its name in the
    calling module. An import within a function costs as much each time as a short function does."""

    def call(*arguments: Any, **named: Any) -> Any:
        function = getattr(__import__(module, fromlist=[name]), name)
        names = sys._getframe(1).f_globals
        for own in [own for own, value in names.items() if value is call]:
            names[own] = function
        return function(*arguments, **named)

    return call


def is_like(text: str, glob: str) -> bool:
    """As `fnmatch.fnmatchcase`: whether a glob means this text."""
    if "[" in glob or "?" in glob:
        from fnmatch import fnmatchcase

        return fnmatchcase(text, glob)
    first, *others = glob.split("*")
    if not others:
        return text == glob
    last = others.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in others:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def remembered(most: int) -> Callable[[F], F]:
    """As `functools.lru_cache`, of `most` values to twice as many: with so many new ones, those are forgotten that
    were not asked for since the last time."""

    def around(function: F) -> F:
        known: dict[tuple[object, ...], Any] = {}
        before: dict[tuple[object, ...], Any] = {}

        def call(*words: object) -> Any:
            nonlocal known, before
            try:
                return known[words]
            except KeyError:
                if len(known) >= most:
                    known, before = {}, known
            older = before  # as it is now: another thread may begin anew meanwhile
            found = known[words] = older[words] if words in older else function(*words)
            return found

        call.__doc__ = function.__doc__
        return call  # type: ignore[return-value]

    return around


def modules_at_first_use(package: str) -> Callable[[str], object]:
    """The `__getattr__` of a package whose modules are seldom needed: what `from package import module` gives loads it
    when a name of it is first asked for."""

    def find(name: str) -> object:
        if name[:2] == "__":
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return _Module(f"{package}.{name}")

    return find


class _Module:
    """Stands for a module; has its names once one of them was asked for."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        if name[:2] != "__":
            vars(self).update(vars(__import__(self.__name__, fromlist=["*"])))
        return object.__getattribute__(self, name)
