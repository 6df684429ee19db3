"""Local machines of an ordinary user."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from flowc.machines.spec import Spec
from tests.machines.fleet import Running
from tests.machines.ordinary import as_ordinary_user, folder_of_the_user, python

Start = Callable[..., Running]


@pytest.fixture
def folder() -> Iterator[str]:
    """A folder of the user."""
    python()
    yield from folder_of_the_user()


@pytest.fixture
def start(folder: str) -> Iterator[Start]:
    """`start(script)` starts a machine, again from the same disk where it was on before; `disk` names another one."""
    found: list[Running] = []

    def begin(script: str | None = None, *, disk: str = "disk", **values: object) -> Running:
        spec = Spec(disk=f"{folder}/{disk}", name="vm", script=script, **values)  # type: ignore[arg-type]
        found.append(Running(spec, "127.0.1.1", python(), as_ordinary_user()))
        return found[-1]

    yield begin
    for machine in found:
        machine.cut()
