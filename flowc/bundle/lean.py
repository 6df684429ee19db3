"""Code as it runs: without what stands in a source for its readers and for type checkers alone."""

from __future__ import annotations

import _ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_FUNCTIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef)
_LATE = 0x1000000  # `from __future__ import annotations`, as `compile` knows it


def lean(source: bytes, path: str) -> CodeType:
    """The code of a module that defers its annotations: no docstrings of functions and none of its own, no annotations
    of functions that nobody decorates, nothing under `if TYPE_CHECKING`. Classes keep theirs, of which records and
    schemas are made. Lines and columns are those of the source. Raises ValueError and SyntaxError."""
    tree: Any = compile(source, path, "exec", _ast.PyCF_ONLY_AST | _LATE, dont_inherit=True)
    late = [at for at, each in enumerate(tree.body) if _defers(each)]
    if not late:
        raise ValueError(path)
    tree.body[late[0]] = _pass(tree.body[late[0]])  # the flag says so too, without a module to load
    _drop_docstring(tree)
    _strip(tree.body, checks=not any(map(_says_no, tree.body)))
    code: CodeType = compile(tree, path, "exec", _LATE, dont_inherit=True)
    return code


def _strip(statements: list[Any], *, checks: bool) -> None:
    """`checks`: what `TYPE_CHECKING` means here is not known."""
    for statement in statements:
        if isinstance(statement, _FUNCTIONS):
            _drop_docstring(statement)
            if not statement.decorator_list:
                statement.returns = None
                given = statement.args
                for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
                    if each is not None:
                        each.annotation = None
        elif isinstance(statement, _ast.If) and not checks and _is_named(statement.test, "TYPE_CHECKING"):
            statement.body = [_pass(statement)]
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list):  # not that of a lambda or a conditional
                _strip(inner, checks=checks)
        for handler in getattr(statement, "handlers", ()):
            _strip(handler.body, checks=checks)


def _drop_docstring(node: Any) -> None:
    first = node.body[0]
    if isinstance(first, _ast.Expr) and isinstance(first.value, _ast.Constant) and isinstance(first.value.value, str):
        node.body[:1] = [] if node.body[1:] else [_pass(first)]


def _defers(statement: Any) -> bool:
    return (
        isinstance(statement, _ast.ImportFrom)
        and statement.module == "__future__"
        and [each.name for each in statement.names] == ["annotations"]
    )


def _says_no(statement: Any) -> bool:
    """`TYPE_CHECKING = False`."""
    return (
        isinstance(statement, _ast.Assign)
        and _is_named(statement.targets[0], "TYPE_CHECKING")
        and isinstance(statement.value, _ast.Constant)
        and statement.value.value is False
    )


def _is_named(node: Any, name: str) -> bool:
    return isinstance(node, _ast.Name) and node.id == name


def _pass(node: Any) -> Any:
    """In its place."""
    line = node.lineno
    return _ast.Pass(lineno=line, col_offset=node.col_offset, end_lineno=line, end_col_offset=node.col_offset)
