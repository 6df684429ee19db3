"""The folders of flowc and of the tests: how many modules each holds, and that those of one folder know each other in
one direction only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "flowc"
MOST_MODULES = 15  # `__init__` and `conftest` are not counted: they say what the others are
# Folders that are still to be put in order.
CROWDED: set[str] = set()
CIRCLES: set[tuple[str, ...]] = set()


def folders() -> list[Path]:
    """Those with modules that people write: `_compiled` is generated."""
    found = {path.parent for root in (PACKAGE, ROOT / "tests") for path in root.rglob("*.py")}
    return sorted(folder for folder in found if folder != PACKAGE / "_compiled")


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(text: str, known: set[str]) -> set[str]:
    """The modules among `known` that a text imports when it runs, at whatever depth."""
    tree = ast.parse(text)
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: list[str] = []
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [name if name in known else str(node.module) for name in whole]
    return set(names) & known


def circles(graph: dict[str, set[str]]) -> set[tuple[str, ...]]:
    """The sets of modules of which each reaches each other one."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        found: set[str] = set()
        open_ = [start]
        while open_:
            new = graph[open_.pop()] - found
            found |= new
            open_ += new
        reached[start] = found
    return {
        tuple(sorted({start} | {other for other in reached[start] if start in reached[other]}))
        for start in graph
        if start in reached[start]
    }


def test_no_folder_is_crowded() -> None:
    number = {
        str(folder.relative_to(ROOT)): len({path.stem for path in folder.glob("*.py")} - {"__init__", "conftest"})
        for folder in folders()
    }
    assert {folder for folder, count in number.items() if count > MOST_MODULES} == CROWDED


def test_no_modules_import_each_other() -> None:
    """Nor within functions: what is imported late to start sooner has a place below all the same."""
    known = modules()
    graph = {name: imports(path.read_text(), set(known)) - {name} for name, path in known.items()}
    assert circles(graph) == CIRCLES


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"a": "import b", "b": "def f():\n    from c import x", "c": "import a", "d": "import a"}, {("a", "b", "c")}),
        ({"a": "import b", "b": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import a"}, set()),
        ({"p": "", "p.a": "from p import b", "p.b": "from p.a import name"}, {("p.a", "p.b")}),
    ],
)
def test_a_circle_is_seen(texts: dict[str, str], found: set[tuple[str, ...]]) -> None:
    assert circles({name: imports(text, set(texts)) - {name} for name, text in texts.items()}) == found
