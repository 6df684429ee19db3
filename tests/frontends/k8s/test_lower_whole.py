"""Manifests through the whole compiler: nothing breaks, whatever they hold; the same bytes give the same jobs."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.frontends.k8s import field_examples, field_examples_pod
from tests.frontends.k8s.kinds import train_examples
from tests.frontends.k8s.lowering import Documents

EXAMPLES = {**field_examples.EXAMPLES, **field_examples_pod.EXAMPLES, **train_examples.EXAMPLES}
EVERY = [documents for pair in EXAMPLES.values() for documents in pair]
ODD: list[Any] = [
    None,
    "",
    "x",
    "$(A)",
    "-1",
    0,
    -1,
    2**40,
    True,
    [],
    {},
    [None],
    {"x": "y"},
    "NVIDIA-A100",
    "1Gi",
    "\n",
]


def text_of(documents: Documents) -> str:
    listed = documents if isinstance(documents, tuple) else (documents,)
    return "\n---\n".join(json.dumps(each) for each in listed)


def compiled(text: str, emit: str = "mithril") -> tuple[list[str], list[str]]:
    result = driver.compile(Source("job.yaml", text), Inputs(), emit=emit, frontend="k8s")
    return [each.text for each in result.artifacts], [each.message for each in result.diagnostics]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        found += places(value, (*path, key))
    return found


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = copy.deepcopy(document)
    node: Any = found
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return found


@pytest.mark.parametrize("row", sorted(EXAMPLES))
def test_examples_go_through_the_whole_compiler(row: str) -> None:
    for documents in EXAMPLES[row]:
        text = text_of(documents)
        assert compiled(text) == compiled(text)


def merged(one: Any, other: Any) -> Any:
    """Both documents in one: lists one after the other, of two values the later."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{key: merged(one[key], value) if key in one else value for key, value in other.items()}}
    if isinstance(one, list) and isinstance(other, list) and one != other:
        pairs = list(zip(one, other, strict=False))
        if all(isinstance(each, dict) for each in (*one, *other)):
            return [merged(*pair) for pair in pairs] + one[len(pairs) :] + other[len(pairs) :]
        return [*one, *(each for each in other if each not in one)]
    return other


JOBS = [each for each in EVERY if isinstance(each, dict) and each["kind"] == "Job" and each["apiVersion"] == "batch/v1"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(JOBS), min_size=2, max_size=6))
def test_fields_of_several_examples_together(found: list[dict[str, Any]]) -> None:
    document = found[0]
    for each in found[1:]:
        document = merged(document, each)
    text = text_of(document)
    assert compiled(text) == compiled(text)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_value_at_any_place(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(JOBS))
    path = data.draw(st.sampled_from(places(document)))
    compiled(text_of(changed(document, path, data.draw(st.sampled_from(ODD)))))
