"""The step of regular expressions: those that stand in flowc's modules and data, as the parser of `re` reads them.

A module has them as calls of `at_first_use` and `at_words` at its top level, data as the texts that a shape or a
grammar gives. This runs in a process of its own (`python -m flowc.ahead.expressions`), which sees every module load,
and then compiles the jobs of `ordinary/`: what these ask for stands in tables of its own, so that a command on such a
job reads no other.
"""

from __future__ import annotations

import json
import marshal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

# Interpreters by how their `_sre` is numbered: 3.11, 3.12, 3.13. They take the same code; the tests hold the table
# against the parser of the one that runs them, so another goes in here once they pass on it.
MAGICS = (20220615, 20221023, 20230612)
# What a check and a compilation never load.
ELSEWHERE = {
    *("__main__", "ahead", "cli", "judges", "machines", "providers", "remote", "sdk", "submit", "tasks", "trees"),
    *("_mixing", "on_machine"),
}
# By who asks for them: batch scripts, jobs in YAML, few.
TABLES = ("expressions", "expressions_yaml", "expressions_seldom")
ORDINARY = (("job.sbatch",), ("job.yaml", "task.yaml", "sky.yaml"))
HEAD = """\
# By the place that `flowc.patterns.place` gives to a pattern and its flags, rows that a command unpacks only where it
# needs one (`marshal`): pattern, flags, flags of what is compiled, groups, their names, the code, the words of it that
# are too large for a byte with their places, in four bytes each, the lowest first.
"""
FIRST = """\
# The numbers of the interpreters that take them; by the same kind of place, in which table a pattern is.
MAGICS = {}
TABLES = {}
WHICH = {}
"""

Expressions = dict[tuple[str, int], int]  # to the number of the table


def compile_expressions(root: Path) -> dict[str, str]:
    """As they stand on disk."""
    done = subprocess.run(
        [sys.executable, "-m", "flowc.ahead.expressions"], cwd=root, check=True, capture_output=True, text=True
    )
    texts: dict[str, str] = json.loads(done.stdout)
    return texts


def collected() -> Expressions:
    """To be called before any other module of flowc is loaded."""
    from flowc import patterns

    found: dict[tuple[str, int], None] = {}
    asked: list[dict[tuple[str, int], None]] = [{}]

    def of_table(pattern: str, flags: int) -> None:
        asked[-1][pattern, flags] = None

    patterns._of_table = of_table
    made = patterns.at_first_use

    def at_first_use(pattern: str, method: str, flags: int = 0) -> Any:
        found[pattern, flags] = None
        return made(pattern, method, flags)

    made_of_words = patterns.at_words

    def at_words(pattern: str, words: tuple[str, ...]) -> Any:
        found[pattern, 0] = None
        return made_of_words(pattern, words)

    patterns.at_first_use, patterns.at_words = at_first_use, at_words
    loaded: list[ModuleType] = []
    for each in walk_packages([str(Path(__file__).parents[1])], "flowc."):
        if not ELSEWHERE & {*each.name.split(".")} and each.name.rpartition(".")[2] not in TABLES:
            loaded.append(import_module(each.name))
    for module in loaded:
        if module.__name__.startswith("flowc._compiled."):
            found.update(_in_data([value for name, value in vars(module).items() if name[:2] != "__"]))
    for names in ORDINARY:
        _compile(names)
        asked.append({})
    return {each: next((number for number, some in enumerate(asked) if each in some), len(ORDINARY)) for each in found}


def _compile(names: Iterable[str]) -> None:
    from flowc import driver
    from flowc.diag.render import render
    from flowc.inputs import Inputs
    from flowc.source import Source

    for name in names:
        source = Source.from_bytes(name, (Path(__file__).parent / "ordinary" / name).read_bytes())
        for result in (driver.check(source, Inputs()), driver.compile(source, Inputs())):
            shown = render(name, result.diagnostics)
            if result.failed:
                raise ValueError(shown)


def _in_data(value: Any) -> Iterator[tuple[tuple[str, int], None]]:
    if isinstance(value, dict):
        for key in ("like", "names", "pattern"):
            if isinstance(pattern := value.get(key), str):
                yield (pattern, value.get("flags", 0)), None
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _in_data(each)


def row(pattern: str, flags: int) -> tuple[int, int, tuple[str | None, ...], bytes, bytes]:
    """What `re.compile` gives to `_sre.compile`."""
    parser, compiler = (import_module(f"re.{name}") for name in ("_parser", "_compiler"))
    tree = parser.parse(pattern, flags)
    code = list(map(int, compiler._code(tree, flags)))
    groups, numbers = tree.state.groups - 1, tree.state.groupdict
    names = tuple({number: name for name, number in numbers.items()}.get(each) for each in range(groups + 1))
    small = bytes(word if word < 256 else 0 for word in code)
    large = [number for place, word in enumerate(code) if word > 255 for number in (place, word)]
    return (
        flags | tree.state.flags,
        groups,
        names if numbers else (),
        small,
        b"".join(number.to_bytes(4, "little") for number in large),
    )


def texts_of(found: Expressions) -> dict[str, str]:
    """File names to texts of modules."""
    from flowc.patterns import place

    which = bytearray(len(TABLES) - 1 for _ in range(4 * len(found)))
    rows: list[list[list[Any]]] = [
        [[] for _ in range(count)] for count in map([*found.values()].count, range(len(TABLES)))
    ]
    for pattern, flags in sorted(found):
        number = place(pattern, flags, len(which))
        which[number] = min(which[number], found[pattern, flags])
    for pattern, flags in sorted(found):
        places = rows[which[place(pattern, flags, len(which))]]
        places[place(pattern, flags, len(places))].append((pattern, flags, *row(pattern, flags)))
    texts = {}
    for name, places in zip(TABLES, rows, strict=True):
        # The second version of the format has no references, so that equal rows are equal bytes.
        lines = [f"    {marshal.dumps(tuple(each), 2) if each else b''!r}," for each in places]
        texts[f"{name}.py"] = "\n".join((HEAD + "EXPRESSIONS = (", *lines, ")\n"))
    texts[f"{TABLES[0]}.py"] = FIRST.format(MAGICS, TABLES, bytes(which)) + texts[f"{TABLES[0]}.py"]
    return texts


if __name__ == "__main__":
    json.dump(texts_of(collected()), sys.stdout)
