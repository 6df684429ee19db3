"""A module of ours, and the code that it needs of what stands beside it."""

from __future__ import annotations

import ast
import base64
import os
import sys
from difflib import get_close_matches
from inspect import Parameter, Signature

from flowc.record import Record
from flowc.sdk.errors import ValidationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The most bytes of code, and of arguments, that go with a script.
MOST_BYTES = 1 << 20


class Module(Record):
    """`name` is how it is imported with the folder `root` on the path; `tree` is its text, read."""

    path: str
    name: str
    root: str
    tree: ast.Module


def module_of(module: str) -> Module:
    """A module by its file or its name. Raises ValidationError."""
    path = os.path.abspath(module if module.endswith(".py") else _found(module))
    if not os.path.isfile(path):
        raise ValidationError(f"there is no file '{module}'", field="module")
    folder, file = os.path.split(path)
    parts = [file.removesuffix(".py")]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return Module(path=path, name=".".join(parts), root=folder, tree=_read(path))


def _found(name: str) -> str:
    inside = os.path.join(*name.split("."))
    for folder in sys.path:
        for place in (f"{inside}.py", os.path.join(inside, "__init__.py")):
            if os.path.isfile(os.path.join(folder or ".", place)):
                return os.path.join(folder or ".", place)
    raise ValidationError(
        f"there is no module '{name}'", suggestions=("name its file, such as 'train.py'",), field="module"
    )


def _read(path: str) -> ast.Module:
    try:
        with open(path, "rb") as file:
            return ast.parse(file.read(), path)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValidationError(f"{path} cannot be read as Python: {error}", field="module") from None


def signature_of(module: Module, function: str) -> Signature | None:
    """What a function takes, as far as its text tells. Raises ValidationError where there is none of that name."""
    names = [
        each.name
        for each in module.tree.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    given = [each for node in module.tree.body for each in ast.walk(node) if isinstance(each, ast.Name | ast.alias)]
    others = [each.id if isinstance(each, ast.Name) else (each.asname or each.name) for each in given]
    if function not in names and function not in others and "*" not in others:
        near = get_close_matches(function, names, n=1)
        raise ValidationError(
            f"there is no function '{function}' in {os.path.basename(module.path)}",
            details=(f"Did you mean: '{near[0]}'?",) if near else (),
            field="function",
        )
    bound = [each for each in module.tree.body if function in _binds(each)]
    last = bound[-1] if bound else None
    if isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef) and not last.decorator_list:
        return Signature(list(_parameters(last.args)))
    return None


def _binds(node: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module may bind."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    found |= {each.asname or each.name for each in ast.walk(node) if isinstance(each, ast.alias)}
    return found | {each.name for each in ast.walk(node) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def _parameters(given: ast.arguments) -> Iterator[Parameter]:
    positional = [*given.posonlyargs, *given.args]
    first = len(positional) - len(given.defaults)
    for number, each in enumerate(positional):
        kind = Parameter.POSITIONAL_ONLY if number < len(given.posonlyargs) else Parameter.POSITIONAL_OR_KEYWORD
        yield Parameter(each.arg, kind, default=Parameter.empty if number < first else ...)
    if given.vararg is not None:
        yield Parameter(given.vararg.arg, Parameter.VAR_POSITIONAL)
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield Parameter(each.arg, Parameter.KEYWORD_ONLY, default=Parameter.empty if default is None else ...)
    if given.kwarg is not None:
        yield Parameter(given.kwarg.arg, Parameter.VAR_KEYWORD)


def files_of(module: Module) -> dict[str, str | list[str]]:
    """What goes along: the module's file, or the whole package that it stands in, and what these import that stands
    beside them. Text, or base64 in a list, by paths below the module's root. Raises ValidationError."""
    paths: dict[str, None] = {}
    left = [module.path]
    size = 0
    while left:
        path = left.pop()
        for each in _whole(path, module.root):
            if each in paths:
                continue
            paths[each] = None
            size += os.path.getsize(each)
            if size > MOST_BYTES:
                raise ValidationError(
                    f"the code of {module.name} has more than {MOST_BYTES:,} bytes",
                    suggestions=("keep what is invoked in a module of its own", "code='.' brings a folder of any size"),
                    field="module",
                )
            if each.endswith(".py"):
                left += _beside(each, module.root)
    found: dict[str, str | list[str]] = {}
    for each in sorted(paths):
        with open(each, "rb") as file:
            data = file.read()
        try:
            found[os.path.relpath(each, module.root)] = data.decode()
        except UnicodeDecodeError:
            found[os.path.relpath(each, module.root)] = [base64.b64encode(data).decode()]
    return found


def _whole(path: str, root: str) -> list[str]:
    """A file, or all files of its package."""
    first = os.path.relpath(path, root).split(os.sep)[0]
    if not os.path.isdir(os.path.join(root, first)):
        return [path]
    return [
        os.path.join(folder, name)
        for folder, _, names in os.walk(os.path.join(root, first))
        if "__pycache__" not in folder
        for name in names
        if not name.endswith((".pyc", ".pyo"))
    ]


def _beside(path: str, root: str) -> Iterator[str]:
    """The files of modules that a file imports and that stand in `root`. A text that cannot be read tells nothing."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            base = os.path.join(root, name.split(".")[0])
            for place in (f"{base}.py", os.path.join(base, "__init__.py")):
                if os.path.isfile(place):
                    yield place
