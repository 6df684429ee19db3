"""References to variables that nothing sets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.lowering import ids, lowered
from tests.frontends.k8s.manifests import job

HOST = "$(REDIS_SERVICE_HOST)"


@pytest.mark.parametrize(
    "container",
    [
        {"args": [f"--host={HOST}"]},
        {"command": ["run", HOST]},
        {"env": [{"name": "HOST", "value": HOST}]},
        {"env": [{"name": "URL", "value": f"http://{HOST}"}, {"name": "REDIS_SERVICE_HOST", "value": "late"}]},
    ],
)
def test_what_stays_as_it_is_is_told(container: dict[str, Any]) -> None:
    found = [each.message for each in lowered(job(container=container))[1] if each.code.id == "FC389"]
    assert len(found) == 1
    assert f"`{HOST}`" in found[0]


@pytest.mark.parametrize(
    "container",
    [
        {"command": ["sh", "-c", f"echo {HOST}"]},
        {"args": ["$$(REDIS_SERVICE_HOST)", "$(date)", "$()"]},
        {"args": [HOST], "env": [{"name": "REDIS_SERVICE_HOST", "value": "10.0.0.1"}]},
    ],
)
def test_what_is_replaced_or_meant_for_a_shell_is_not(container: dict[str, Any]) -> None:
    assert "FC389" not in ids(job(container=container))
