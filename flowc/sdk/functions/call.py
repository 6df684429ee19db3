"""A call of a function as the script of a job."""

from __future__ import annotations

import json
import math
import os

from flowc.sdk.errors import ValidationError
from flowc.sdk.functions.module import MOST_BYTES, files_of, module_of, signature_of
from flowc.sdk.functions.runner import MOST_FILES, MOST_RESULT, MOST_TEXT, PROGRAM
from flowc.sdk.options import How

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from inspect import Signature
    from typing import Any

# Where a job leaves what it returns: a folder of the machine, which a container has too.
RETURNS = "/var/lib/foundry/flowc/result"
RESULT = f"{RETURNS}/result.tar"
# The most bytes that are brought: what an archive may have beside its files is little.
MOST_ARCHIVE = MOST_RESULT + MOST_FILES + (16 << 20)


def script_of(
    module: str | os.PathLike[str], function: str, args: tuple[Any, ...], given: Mapping[str, Any], *, trust: bool
) -> tuple[str, dict[str, Any]]:
    """The script of a job that runs a function, and what of the keywords is for its task: what the function does not
    take, and a task does. Raises ValidationError for what cannot be run or sent."""
    found = module_of(os.fspath(module))
    signature = signature_of(found, function)
    args, kwargs, fields = _parted(signature, args, given)
    if signature is not None:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ValidationError(f"{function}{signature_text(signature)}: {error}", field="function") from None
    for index, value in enumerate(args):
        _check_json(value, f"argument {index + 1}")
    for key, value in kwargs.items():
        _check_json(value, f"argument '{key}'")
    payload = {
        "files": files_of(found),
        "module": found.name,
        "function": function,
        "args": list(args),
        "kwargs": kwargs,
        "trust": trust,
        "result": RESULT,
        "most_result": MOST_RESULT,
        "most_files": MOST_FILES,
        "most_text": MOST_TEXT,
    }
    text = json.dumps(payload)
    if len(text) > MOST_BYTES:
        raise ValidationError(
            f"code and arguments have {len(text):,} bytes, at most {MOST_BYTES:,} go with a function",
            suggestions=("data go by a volume, a bucket or code=",),
        )
    return PROGRAM.replace("PAYLOAD", ascii(text), 1), fields


def signature_text(signature: Signature) -> str:
    """Its parameters, without their defaults."""
    return str(signature).replace("=Ellipsis", "=…")


def _parted(
    signature: Signature | None, args: tuple[Any, ...], given: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    """Arguments, keywords, and fields of the task. What a function takes that is not known takes all."""
    kinds = {} if signature is None else {each.name: each.kind.name for each in signature.parameters.values()}
    if signature is None or "VAR_KEYWORD" in kinds.values():
        return args, dict(given), {}
    taken = {name for name, kind in kinds.items() if kind in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")}
    kwargs = {name: value for name, value in given.items() if name in taken}
    others = {name: value for name, value in given.items() if name not in taken}
    # As earlier tools take them.
    if isinstance(others.get("args"), list | tuple) and not args:
        args = tuple(others.pop("args"))
    if isinstance(others.get("kwargs"), dict):
        kwargs |= others.pop("kwargs")
    fields = {name: others.pop(name) for name in list(others) if name in _of_a_task()}
    return args, kwargs | others, fields


def _of_a_task() -> set[str]:
    """What `run` takes by name."""
    from flowc._compiled.task_fields import TYPES

    return {*TYPES["Task"], *How.FIELDS, "gpu"}


def _check_json(value: Any, what: str) -> None:
    if isinstance(value, list | tuple):
        for each in value:
            _check_json(each, what)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise ValidationError(f"{what} has a key {key!r}, expected a text", field=what)
            _check_json(each, what)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValidationError(f"{what} is {value}, which JSON does not have", field=what)
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise ValidationError(
            f"{what} is a {type(value).__name__}, which JSON does not have",
            suggestions=("pass texts, numbers, lists and mappings; data go by a volume or a bucket",),
            field=what,
        )
