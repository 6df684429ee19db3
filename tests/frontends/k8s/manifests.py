"""Manifests for tests: a Job that is valid, with parts put in; what reading says of one."""

from __future__ import annotations

import copy
import json
from typing import Any

from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends.k8s.objects import Tree
from flowc.frontends.k8s.read import read
from flowc.inputs import Flags, Inputs
from flowc.source import Source

CONTAINER = {"name": "main", "image": "busybox:1.36"}
JOB: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "train"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}},
}


def job(
    spec: dict[str, Any] | None = None,
    pod: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The valid Job with these keys set in its parts; a value of None takes a key out."""
    found = copy.deepcopy(JOB)
    inner = found["spec"]["template"]["spec"]
    for part, more in (
        (inner["containers"][0], container),
        (inner, pod),
        (found["spec"], spec),
        (found["metadata"], metadata),
    ):
        for key, value in (more or {}).items():
            if value is None:
                del part[key]
            else:
                part[key] = value
    return found


def read_text(
    text: str, *, once: bool = False, move: bool = False, sets: tuple[tuple[str, str], ...] = ()
) -> tuple[Tree | None, Sink]:
    sink = Sink()
    return read(Source("job.yaml", text), Inputs(once=once, flags=Flags(move=move, sets=sets)), sink), sink


def found(document: dict[str, Any] | str) -> list[Diagnostic]:
    text = document if isinstance(document, str) else json.dumps(document)
    return read_text(text)[1].diagnostics


def messages(document: dict[str, Any] | str) -> list[str]:
    return [each.message for each in found(document)]
