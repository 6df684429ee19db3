"""The step of regular expressions: those that stand in flowc's modules and data, as the parser of `re` reads them.

A module has them as calls of `at_first_use` and `at_words` at its top level, data as the texts that a shape or a
grammar gives. This
runs in a process of its own (`python -m flowc.ahead.expressions`), which sees every module load.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
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
    *("_mixing", "expressions", "on_machine"),
}
HEAD = """\
# The numbers of the interpreters that take them. Flags, pattern: flags of what is compiled, groups, their names, the
# code, the words of it that are too large for a byte with their places, in four bytes each, the lowest first.
"""

Expressions = dict[tuple[str, int], None]  # in the order of the modules, then of the data


def compile_expressions(root: Path) -> dict[str, str]:
    """As they stand on disk."""
    done = subprocess.run(
        [sys.executable, "-m", "flowc.ahead.expressions"], cwd=root, check=True, capture_output=True, text=True
    )
    return {"expressions.py": done.stdout}


def collected() -> Expressions:
    """To be called before any other module of flowc is loaded."""
    from flowc import patterns

    found: Expressions = {}
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
        if not ELSEWHERE & {*each.name.split(".")}:
            loaded.append(import_module(each.name))
    for module in loaded:
        if module.__name__.startswith("flowc._compiled."):
            found.update(_in_data([value for name, value in vars(module).items() if name[:2] != "__"]))
    return found


def _in_data(value: Any) -> Iterator[tuple[tuple[str, int], None]]:
    if isinstance(value, dict):
        for key in ("like", "names", "pattern"):
            if isinstance(pattern := value.get(key), str):
                yield (pattern, value.get("flags", 0)), None
        value = list(value.values())
    elif callable(value) and getattr(value, "__module__", "").endswith(".slurm_grammar"):
        value = [value()]
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


def text_of(found: Expressions) -> str:
    lines = [HEAD, f"MAGICS = {MAGICS}\nEXPRESSIONS = {{"]
    for flags in sorted({flags for _, flags in found}):
        lines.append(f"    {flags}: {{")
        for pattern in sorted(pattern for pattern, own in found if own == flags):
            lines.append(f"        {pattern!r}: {row(pattern, flags)!r},")
        lines.append("    },")
    return "\n".join((*lines, "}\n"))


if __name__ == "__main__":
    sys.stdout.write(text_of(collected()))
