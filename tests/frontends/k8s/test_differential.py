"""What flowc takes, Kubernetes' own schema takes. The reverse does not hold: the schema knows types alone."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flowc._compiled.k8s_fields import TYPES
from tests.corpus import ROOT
from tests.frontends.k8s.manifests import job, read_text
from tests.frontends.k8s.schemas import KINDS, refusals
from tests.frontends.k8s.test_rules import CASES, GOOD, VOLUME

RICH = job(
    spec={"backoffLimit": 2, "parallelism": 2, "completions": 2, "completionMode": "Indexed", "suspend": False},
    pod={
        "terminationGracePeriodSeconds": 30,
        "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "securityContext": {
            "runAsUser": 1000,
            "fsGroup": 1000,
            "supplementalGroups": [1],
            "seccompProfile": {"type": "Unconfined"},
        },
        "imagePullSecrets": [{"name": "registry"}],
        "volumes": [
            VOLUME,
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
            {"name": "claim", "persistentVolumeClaim": {"claimName": "c", "readOnly": True}},
            {"name": "files", "configMap": {"name": "c", "items": [{"key": "a", "path": "b", "mode": 420}]}},
            {"name": "all", "projected": {"sources": [{"secret": {"name": "s"}}]}},
        ],
        "initContainers": [{"name": "first", "image": "busybox", "command": ["true"]}],
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}
                ]
            }
        },
    },
    container={
        "command": ["python"],
        "args": ["train.py"],
        "workingDir": "/app",
        "env": [
            {"name": "A", "value": "b"},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
            {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "c"}}],
        "resources": {
            "requests": {"cpu": 1, "memory": "1Gi"},
            "limits": {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": 1},
        },
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "volumeMounts": [
            {"name": "data", "mountPath": "/data", "subPath": "a"},
            {"name": "shm", "mountPath": "/dev/shm"},
        ],
        "livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 5},
        "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
        "securityContext": {"capabilities": {"add": ["IPC_LOCK"]}, "privileged": False},
    },
    metadata={"labels": {"app": "a"}, "annotations": {"a": "b"}},
)
VALUES = (
    *(None, 0, 1, -1, 2**31, 1.5, 1.0, True, False, "", "x", "1Gi", "100m", "Never", "1"),
    *([], ["x"], [None], [1], {}, {"x": "y"}, {"x": 1}, {"name": "x"}, [{"name": "x"}], [{}]),
)
KEYS = sorted({key for fields in TYPES.values() for key in fields})


def accepted(document: dict[str, Any]) -> bool:
    return not read_text(json.dumps(document), once=True)[1].broken


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each (container, key or index) in a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for step, each in steps:
        found += [(value, step), *places(each)]
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The rich job with a few places changed: another value, a key more or less, a value from elsewhere."""
    document = copy.deepcopy(RICH)
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        holder, step = draw(st.sampled_from(places(document["metadata"]) + places(document["spec"])))
        change = draw(st.sampled_from(("value", "take out", "add", "move")))
        if change == "value":
            holder[step] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif change == "take out":
            del holder[step]
        elif change == "add" and isinstance(holder, dict):
            holder[draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        else:
            other, there = draw(st.sampled_from(places(document["spec"]) or [(holder, step)]))
            holder[step] = copy.deepcopy(other[there])
    return document


def made(shape: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape, now and then something else."""
    kind = shape["is"]
    if kind == "map" and depth < 7:
        fields = TYPES[shape["type"]]
        own = [name for name, field in fields.items() if "words" not in field and field["is"] != "any"]
        needed = [name for name in own if fields[name].get("required")]
        picked = st.lists(st.sampled_from(own), max_size=3, unique=True) if own else st.just([])
        return picked.flatmap(
            lambda names: st.fixed_dictionaries({name: made(fields[name], depth + 1) for name in {*names, *needed}})
        )
    if kind == "list":
        return st.lists(made(shape["of"], depth + 1), max_size=2)
    if kind == "dict":
        return st.dictionaries(st.sampled_from(("a", "b.c", "cpu")), made(shape["of"], depth + 1), max_size=2)
    if kind == "one":
        return st.one_of([made(each, depth + 1) for each in shape["shapes"]])
    scalars = {
        "text": st.sampled_from(shape.get("values") or ("a", "b", "1", "x/y", "")),
        "int": st.integers(max(shape.get("min", 0), 0), min(shape.get("max", 100), 100)),
        "number": st.sampled_from((1, 2.5, 0)),
        "bool": st.booleans(),
    }
    return scalars.get(kind, st.sampled_from(VALUES))


@pytest.mark.parametrize("document", [RICH, *GOOD], ids=lambda each: str(each)[-60:])
def test_good_documents_are_taken_by_both(document: dict[str, Any]) -> None:
    assert accepted(document)
    assert refusals(document) == []


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_what_flowc_takes_of_mutations_the_schema_takes(document: dict[str, Any]) -> None:
    if accepted(document):
        assert refusals(document) == []


@st.composite
def extended(draw: st.DrawFn) -> dict[str, Any]:
    """The rich job with a few fields more, each with a value of its type."""
    document = copy.deepcopy(RICH)
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        holder, fields = draw(st.sampled_from(objects(document["spec"], {"is": "map", "type": "JobSpec"})))
        name = draw(st.sampled_from([key for key, row in fields.items() if "words" not in row and row["is"] != "any"]))
        holder[name] = draw(made(fields[name]))
    return document


def objects(value: Any, shape: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each object in a document, with the fields that it may have."""
    if shape["is"] == "list":
        return [each for item in value for each in objects(item, shape["of"])]
    if shape["is"] != "map":
        return []
    fields = TYPES[shape["type"]]
    below = [each for key, inner in value.items() for each in objects(inner, fields[key])]
    return [(value, fields), *below]


@settings(max_examples=300, deadline=None)
@given(extended())
def test_what_flowc_takes_of_fields_more_the_schema_takes(document: dict[str, Any]) -> None:
    if accepted(document):
        assert refusals(document) == []


@settings(max_examples=100, deadline=None)
@given(mutated())
def test_reading_says_the_same_twice(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    first, second = (read_text(text)[1].diagnostics for _ in range(2))
    assert [(each.code.id, each.message) for each in first] == [(each.code.id, each.message) for each in second]


def test_corpus_is_taken_by_both() -> None:
    count = 0
    for path in sorted((ROOT / "corpus" / "k8s").glob("*/input.yaml")):
        text = path.read_text()
        if read_text(text, once=True)[1].broken:
            continue
        for document in yaml.safe_load_all(text):
            if document is not None and document["kind"] in KINDS and document["apiVersion"] in ("batch/v1", "v1"):
                count += 1
                assert refusals(document) == [], path
    assert count > 3


# What flowc refuses and the schema takes, by rule: nothing else tells these from good documents offline.
def test_the_schema_knows_types_alone() -> None:
    taken = [message for document, message in CASES if not refusals(document)]
    assert len(taken) > len(CASES) // 2
