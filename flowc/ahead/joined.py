"""The small Slurm as one text: the files of templates/slurm/ behind one another.

A function that is called in one place only goes there, without the cost of a call: its caller writes
`name(a, b)` or `x = name(a, b)` with the names that the function has for its parameters and its result, and what it
hands on otherwise it declares `global`. Put into another function, such a name is one of that function. The names
that are its own must mean nothing to others there.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections import Counter
from pathlib import Path
from typing import NamedTuple

# In this order: what comes first defines, the last one runs.
PARTS = (
    *("base", "hostlist", "options", "container", "task", "agent", "pmi", "pmix", "stepd", "job", "scancel"),
    *("scontrol", "columns", "squeue", "sacct", "sinfo", "sbcast", "launchers", "ending", "release", "layout"),
    *("account", "environment", "gres", "multi_prog", "het", "io", "srun"),
)
EMPTY = re.compile(r"^ *#% if \S+\n+ *#% end\n", re.MULTILINE)
COMPREHENSIONS = frozenset(("listcomp", "setcomp", "dictcomp", "genexpr"))
Statement = ast.Expr | ast.Assign


class Call(NamedTuple):
    """A call of a function as a statement, and the top-level statement around it."""

    statement: Statement
    host: ast.stmt


class Apart(NamedTuple):
    """What is known of the program before any function has been put in the place of its call."""

    tables: list[symtable.SymbolTable]
    calls: dict[str, Call]


def joined(folder: Path) -> str:
    """The program; ValueError where the folder has other files than the table, or a part cannot go in its place."""
    found = {path.stem for path in folder.glob("*.py")}
    if found != {*PARTS}:
        raise ValueError(f"{folder}: {sorted(found ^ {*PARTS})} in one of the folder and the table only")
    text = side_by_side(folder)
    origin = Apart(_tables(text), _only_calls(ast.parse(text)))
    while (inlined := _one_in_place(text, origin)) != text:
        text = inlined
    while (fewer := EMPTY.sub("", text)) != text:
        text = fewer
    return text


def side_by_side(folder: Path) -> str:
    """The files behind one another, no function in another's place."""
    return "".join((folder / f"{name}.py").read_text() for name in PARTS)


def _one_in_place(text: str, apart: Apart) -> str:
    """With one more function in the place of its only call, the first that calls none of the others. `apart` is the
    program in which none has been put so."""
    tree = ast.parse(text)
    calls = _only_calls(tree)
    for index, part in enumerate(tree.body):
        if isinstance(part, ast.FunctionDef) and part.name in calls:
            call = calls[part.name]
            if not any(inner.host is part for inner in calls.values()):
                _check(text, apart, part, call)
                return _moved(text.splitlines(), tree.body, index, call)
    return text


def _only_calls(tree: ast.Module) -> dict[str, Call]:
    """The calls of functions that are named nowhere else, and are called with their own names."""
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    named = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    times = Counter(part.name for part in defined)
    once = {part.name: part for part in defined if named[part.name] == times[part.name] == 1}
    found = {}
    for host in tree.body:
        for node in ast.walk(host):
            match node:
                case (
                    ast.Expr(value=ast.Call(func=ast.Name(id=name)))
                    | ast.Assign(value=ast.Call(func=ast.Name(id=name)))
                ) if name in once and _fits(once[name], node):
                    found[name] = Call(node, host)
                case _:
                    pass
    return found


def _fits(part: ast.FunctionDef, statement: Statement) -> bool:
    call = statement.value
    assert isinstance(call, ast.Call)
    parameters = [each.arg for each in part.args.args]
    results = ", ".join(map(ast.unparse, statement.targets)) if isinstance(statement, ast.Assign) else None
    returns = [node for node in ast.walk(part) if isinstance(node, ast.Return) and not _deeper(node, part)]
    given = [node.value and ast.unparse(node.value) for node in returns]
    last = part.body[-1] if results else None
    return (
        ast.unparse(part.args) == ", ".join(parameters)
        and [ast.unparse(each) for each in call.args] == parameters
        and not call.keywords
        and given == ([] if results is None else [results])
        and returns == ([last] if last else [])
    )


def _deeper(node: ast.Return, part: ast.FunctionDef) -> bool:
    """Whether it belongs to a function in this one."""
    inner = (each for each in ast.walk(part) if isinstance(each, ast.FunctionDef) and each is not part)
    return any(node in ast.walk(each) for each in inner)


def _check(text: str, apart: Apart, part: ast.FunctionDef, call: Call) -> None:
    """ValueError where a name would mean something else in the place of the call. What two parts use for themselves
    may be called alike: each gives it a value before it reads it."""
    (own,) = (each for each in _tables(text) if each.get_name() == part.name)
    host = _name(call.host)
    (around,) = (each for each in apart.tables if each.get_name() == host)
    beside = {name for name, each in apart.calls.items() if _name(each.host) == host}
    shared = {each.arg for each in part.args.args}
    if isinstance(call.statement, ast.Assign):
        shared |= {node.id for each in call.statement.targets for node in ast.walk(each) if isinstance(node, ast.Name)}
    mine = {each.get_name() for each in own.get_symbols() if each.is_local()} - shared
    captured = {
        each.get_name()
        for table in _within(own)
        for each in table.get_symbols()
        if each.is_free() and table.get_name() not in COMPREHENSIONS
    }
    handed = {each.get_name() for each in own.get_symbols() if each.is_declared_global()}
    kept = {each.get_name() for each in around.get_symbols() if each.is_declared_global()}
    elsewhere = {
        each.get_name()
        for table in apart.tables
        for each in table.get_symbols()
        if each.is_global() and each.is_referenced() and table.get_name() not in {host, *beside}
    }
    wrong = mine & ({each.get_name() for each in around.get_symbols()} | captured)
    wrong -= _caught(part) & _caught(call.host)
    wrong |= mine & elsewhere if host == "top" else (handed - kept) & elsewhere
    if wrong:
        raise ValueError(f"{part.name}: {sorted(wrong)} would mean something else in the place of its call")


def _name(host: ast.stmt) -> str:
    """As tables have it."""
    return host.name if isinstance(host, ast.FunctionDef) else "top"


def _caught(node: ast.stmt) -> set[str]:
    """Names of exceptions, which mean nothing behind the handler."""
    found = {each.name for each in ast.walk(node) if isinstance(each, ast.ExceptHandler) and each.name}
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    return found - {each.id for each in names if isinstance(each.ctx, ast.Store)}


def _tables(text: str) -> list[symtable.SymbolTable]:
    """Of the module and all functions."""
    top = symtable.symtable(text, "slurm", "exec")
    return [top, *_within(top)]


def _within(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    return [inner for each in table.get_children() for inner in (each, *_within(each))]


def _moved(lines: list[str], body: list[ast.stmt], index: int, call: Call) -> str:
    """The text with a function's lines in the place of its call; marks around the two stay where they are."""
    part = body[index]
    assert isinstance(part, ast.FunctionDef)
    start = part.lineno - 1
    end = next((at for at in range(part.end_lineno or 0, len(lines)) if lines[at][:1].strip()), len(lines))
    head = next(at for at in range(start, end) if lines[at].endswith(":")) + 1
    indent = " " * (call.statement.col_offset - 4)
    moved = [indent + line if line else line for line in lines[head:end] if not line.startswith("    global ")]
    if isinstance(call.statement, ast.Assign):
        moved = [line for line in moved if not line.startswith(indent + "    return ")]
    first, last = call.statement.lineno - 1, call.statement.end_lineno or 0
    if start < first:
        return "\n".join([*lines[:start], *lines[end:first], *moved, *lines[last:], ""])
    return "\n".join([*lines[:first], *moved, *lines[last:start], *lines[end:], ""])
