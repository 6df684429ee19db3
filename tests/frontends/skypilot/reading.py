"""What the tests of SkyPilot tasks compile and look at."""

from __future__ import annotations

import json
from typing import Any

import yaml

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.source import Source


def compiled(task: Any, flags: Flags | None = None) -> driver.Result:
    text = task if isinstance(task, str) else yaml.safe_dump(task, sort_keys=False)
    return driver.compile(Source("job.yaml", text), Inputs(flags=flags or Flags()), emit="ir", frontend="skypilot")


def checked(task: Any, flags: Flags | None = None) -> driver.Result:
    """All the way to a bid."""
    text = task if isinstance(task, str) else yaml.safe_dump(task, sort_keys=False)
    return driver.check(Source("job.yaml", text), Inputs(flags=flags or Flags()), frontend="skypilot")


def jobs(task: Any, flags: Flags | None = None) -> list[dict[str, Any]]:
    result = compiled(task, flags)
    assert [each.message for each in result.diagnostics if each.severity == "error"] == []
    found: list[dict[str, Any]] = json.loads(result.artifacts[0].text)["jobs"]
    return found


def told(task: Any, flags: Flags | None = None) -> list[tuple[str, str]]:
    return [(each.code.name, each.message) for each in compiled(task, flags).diagnostics]


def names(task: Any, flags: Flags | None = None) -> list[str]:
    return [name for name, _ in told(task, flags)]


def with_resources(text: str) -> str:
    return f"resources: {{{text}}}\nrun: 'true'\n"
