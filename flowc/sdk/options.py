"""How a task is submitted: what `run` takes by name and is no field of a task. The names are those of the flags of
`flowc submit`, which a test compares; their types stand in `fields.py`."""

from __future__ import annotations

import os
from difflib import get_close_matches

from flowc._compiled.task_fields import TYPES
from flowc.inputs import Flags, Repository
from flowc.record import Record
from flowc.sdk.errors import ValidationError
from flowc.sdk.writing import number_text
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


class How(Record):
    """As `RunOptions` says it, checked."""

    wait: bool = False
    deliver: bool = True
    secrets: tuple[str, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    budget: str | None = None
    after: tuple[str, ...] = ()
    code: str | None = None
    body: str | None = None
    with_commands: tuple[str, ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    keep: bool = False
    release: str | None = None
    force_new: bool = False
    idempotency_key: str | None = None
    strict: bool = False

    def flags(self) -> Flags:
        """What of it is for the compiler. Raises ValidationError for a repository that machines cannot have."""
        return Flags(
            secrets=self.secrets,
            pull_secrets=self.pull_secrets,
            budget=self.budget,
            code=self.code,
            repository=_checked_out(self.secrets) if self.code == "git" else None,
            body=None if self.body == "auto" else self.body,
            with_commands=self.with_commands,
            sets=self.set,
        )

    def spans(self) -> dict[str, Span]:
        """The places of these flags: findings about them name the keyword."""
        found: dict[str, Span] = {}
        for name in ("secrets", "pull_secrets", "budget", "code", "body", "with_commands", "set"):
            value = getattr(self, name)
            several = value if isinstance(value, tuple) else ()
            place = Span(Source(f"<{name}>", "*"), 0, 1)
            field = "sets" if name == "set" else name
            if value:
                found |= {field: place, **{f"{field}.{index}": place for index in range(len(several))}}
        return found


def parted(options: Mapping[str, Any]) -> tuple[How, dict[str, Any]]:
    """What of a call's keywords says how it is submitted, and what are fields of the task. Raises ValidationError."""
    for name in options:
        near = get_close_matches(name, How.FIELDS, n=1, cutoff=0.8)
        if near and name not in How.FIELDS and name not in TYPES["Task"]:
            raise ValidationError(f"Unknown keyword '{name}'", details=(f"Did you mean: '{near[0]}'?",), field=name)
    given = {name: value for name, value in options.items() if name in How.FIELDS and value is not None}
    how = How(**{name: _READ.get(name, _as_it_is)(name, value) for name, value in given.items()})
    for one, other in (("force_new", "idempotency_key"), ("keep", "release")):
        if getattr(how, one) and getattr(how, other) not in (None, "client"):
            raise ValidationError(f"'{one}' and '{other}' exclude each other", field=one)
    return how, {name: value for name, value in options.items() if name not in How.FIELDS}


def _as_it_is(name: str, value: Any) -> Any:
    expected = bool if isinstance(How.DEFAULTS[name], bool) else str
    if not isinstance(value, expected):
        what = "True or False" if expected is bool else "a text"
        raise ValidationError(f"{name} is {value!r}, expected {what}", field=name)
    return value


def _names(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValidationError(f"{name} is a text, expected a list of names", field=name)
    return tuple(_text(name, each) for each in _each(name, value))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError(f"{name} has {value!r}, expected a text", field=name)
    return value


def _each(name: str, value: Any) -> Iterator[Any]:
    try:
        return iter(value)
    except TypeError:
        raise ValidationError(f"{name} is {value!r}, expected a list", field=name) from None


def _money(name: str, value: Any) -> str:
    try:
        return value if isinstance(value, str) else number_text(value)
    except ValueError as error:
        raise ValidationError(f"{name}: {error}", field=name) from None


def _after(name: str, value: Any) -> tuple[str, ...]:
    """KIND:NAME as on the command line; a task: its success is waited for."""
    from flowc.sdk.task import Task

    several = [value] if isinstance(value, str | Task) else _each(name, value)
    return tuple(f"afterok:{each.task_id}" if isinstance(each, Task) else _text(name, each) for each in several)


def _code(name: str, value: Any) -> str:
    """A path is a folder, also one that is called `git`."""
    if isinstance(value, os.PathLike):
        return os.path.join(".", os.fspath(value))
    return _text(name, value)


def _pairs(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((str(place), _text(name, text)) for place, text in dict(value).items())
    except (TypeError, ValueError):
        raise ValidationError(f"{name} is {value!r}, expected a mapping of places to texts", field=name) from None


def _choice(*known: str) -> Any:
    def read(name: str, value: Any) -> str:
        if value not in known:
            raise ValidationError(f"{name} is {value!r}, expected {' or '.join(map(repr, known))}", field=name)
        return str(value)

    return read


_READ: dict[str, Any] = {
    "secrets": _names,
    "pull_secrets": _names,
    "with_commands": _names,
    "budget": _money,
    "after": _after,
    "code": _code,
    "set": _pairs,
    "body": _choice("auto", "script", "ssh"),
    "release": _choice("client", "machine"),
}


def _checked_out(secrets: tuple[str, ...]) -> Repository:
    """The commit that is checked out here. Raises ValidationError."""
    from flowc.settings import working_folder
    from flowc.trees.commit import commit_here
    from flowc.trees.walk import TreeError

    try:
        return Repository(**vars(commit_here(working_folder(), token="GIT_TOKEN" in secrets)))
    except TreeError as error:
        help = error.help or "code='.' brings the folder as it is"
        raise ValidationError(f"code='git': {error}", suggestions=(help,), field="code") from None
