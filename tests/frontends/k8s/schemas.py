"""The JSON schemas of Kubernetes' own API, strict, as the package kubernetes-validate brings them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flowc._compiled.k8s_fields import TYPES

VERSION = "v1.37.0-local-strict"
KINDS = {
    "Job": "io.k8s.api.batch.v1.Job",
    "CronJob": "io.k8s.api.batch.v1.CronJob",
    "Pod": "io.k8s.api.core.v1.Pod",
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "Secret": "io.k8s.api.core.v1.Secret",
    "PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
}


@cache
def definitions() -> dict[str, Any]:
    package = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed (dev dependency)")
    folder = Path(str(package.__file__)).parent / "kubernetes-json-schema" / VERSION
    found: dict[str, Any] = json.loads((folder / "_definitions.json").read_text())["$defs"]
    return found


@cache
def _validator(kind: str) -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{KINDS[kind]}", "$defs": definitions()})


def refusals(document: dict[str, Any]) -> list[str]:
    """What the schema finds in an object, after the known differences are taken out."""
    errors = _validator(document["kind"]).iter_errors(without_differences(document, document["kind"]))
    return [f"{'.'.join(str(step) for step in each.absolute_path)}: {each.message}" for each in errors]


def without_differences(value: Any, type_name: str) -> Any:
    """An object without what flowc takes and the schema does not:

    - null, which the API server takes for an absent value, also where a quantity is expected
    - fields that the server writes or that mean nothing outside a cluster, into which flowc does not look
    """
    found = {}
    for key, each in value.items():
        row = TYPES[type_name].get(key)
        if each is None or (row is not None and row["is"] == "any"):
            continue
        found[key] = _inside(each, row) if row is not None else each
    return found


def _inside(value: Any, shape: dict[str, Any]) -> Any:
    if shape["is"] == "map" and isinstance(value, dict):
        return without_differences(value, shape["type"])
    if shape["is"] == "dict" and isinstance(value, dict):
        return {key: _inside(each, shape["of"]) for key, each in value.items() if each is not None}
    if shape["is"] == "list" and isinstance(value, list):
        return [_inside(each, shape["of"]) for each in value]
    return value
