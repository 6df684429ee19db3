"""Kubernetes Jobs for the tests."""

from __future__ import annotations

from typing import Any

import yaml

IMAGE = "busybox:test"
# The first process of a container hears of TERM only what it asks for.
END = "trap 'exit 9' TERM;"


def job(
    *,
    job: dict[str, Any] | None = None,
    pod: dict[str, Any] | None = None,
    template: dict[str, Any] | None = None,
    objects: list[Any] | None = None,
    **main: Any,
) -> str:
    """A Kubernetes Job of one container; `main` are its fields, `template` the Pod's metadata."""
    limits = {"resources": {"limits": {"nvidia.com/gpu": 8}}}
    container = {"name": "main", "image": IMAGE, **limits, **main}
    spec = {"restartPolicy": "Never", "containers": [container], **(pod or {})}
    document = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"backoffLimit": 0, **(job or {}), "template": {"metadata": template or {}, "spec": spec}},
    }
    return "---\n".join(yaml.safe_dump(each, sort_keys=False) for each in [*(objects or []), document])


def sh(text: str) -> list[str]:
    return ["sh", "-c", text]
