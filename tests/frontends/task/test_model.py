"""The models are the schema: the table that is compiled from them judges documents as they do, and so does the JSON
Schema that editors get."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowc._compiled.task_fields import TYPES
from flowc.diag.sink import Sink
from flowc.frontends.task.model import Task, json_schema
from flowc.source import Source
from flowc.yamldoc.check import Checker
from flowc.yamldoc.read import read

SCHEMA = json_schema()
# Texts that are right or wrong for one field or another.
TEXTS = st.sampled_from(
    (
        *("", "a", "train", "my train", "-x", "8xh100", "low", "urgent", "block", "scp", "12.5", "3", "0", "-1"),
        *("/data", "data", "~/x", "s3://a/b", "ubuntu:24.04", "a b", "2030-01-31T18:00:00Z", "true", "x" * 70),
    )
)
NUMBERS = st.one_of(st.integers(-2, 700), st.sampled_from((0.5, 1.5, 2.0, 64000, 65536, 168.5, 10**7)))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)


def values(row: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values for a field: of its own kind more often than not."""
    if row["is"] == "map":
        return st.one_of(documents(row["type"]), SCALARS)
    if row["is"] == "list":
        return st.one_of(st.lists(values(row["of"]), max_size=2), SCALARS)
    if row["is"] == "dict":
        keys = st.sampled_from(("A", "a-b", "/data", "9", "x/y"))
        return st.one_of(st.dictionaries(keys, values(row["of"]), max_size=2), SCALARS)
    if row["is"] == "one":
        return st.one_of(*map(values, row["shapes"]))
    least, most = row.get("min", row.get("over")), row.get("max")
    edges = [edge + step for edge in (least, most) if edge is not None for step in (-1, 0, 1)]
    own = st.sampled_from((*edges, *(str(edge) for edge in edges), *row.get("values", ("a",))))
    return st.one_of(own, SCALARS)


def documents(name: str) -> st.SearchStrategy[dict[str, Any]]:
    rows = {key: row for key, row in TYPES[name].items() if "words" not in row}
    fields = {key: st.deferred(lambda row=row: values(row)) for key, row in rows.items()}
    if not rows:
        return st.just({})
    few = st.lists(st.sampled_from(sorted(rows)), max_size=3, unique=True)
    known = few.flatmap(lambda keys: st.fixed_dictionaries({key: fields[key] for key in keys}))
    return st.one_of(known, known, st.builds(lambda found: {**found, "colour": 1}, known))


def compiled_takes(document: dict[str, Any]) -> bool:
    sink = Sink()
    roots = read(Source("job.yaml", json.dumps(document)), sink)
    assert roots is not None
    return Checker(TYPES, sink).check(roots[0], {"is": "map", "type": "Task"})


def model_takes(document: dict[str, Any]) -> bool:
    try:
        Task.model_validate(document)
    except ValidationError:
        return False
    return True


def differs_for_a_reason(value: Any, keys: tuple[str, ...] = ()) -> bool:
    """Where table and models may differ: `"true"` in quotes for a bool is taken by the table, since flags of the
    command line come as texts; the models want a bool."""
    if isinstance(value, dict):
        return any(differs_for_a_reason(each) for each in value.values())
    if isinstance(value, list):
        return any(differs_for_a_reason(each) for each in value)
    return value == "true"


@given(documents("Task"))
@example({"env": None, "environment": {}})
@example({"image": "a", "docker_image": "b"})
def test_table_and_models_agree(document: dict[str, Any]) -> None:
    if not differs_for_a_reason(document):
        assert compiled_takes(document) == model_takes(document)


@pytest.mark.parametrize("name", sorted(TYPES["Task"]))
def test_table_and_models_agree_on_each_field(name: str) -> None:
    for value in (None, True, 0, 1, 5, 2.0, 0.5, "", "a", "5", "low", "/x", [], ["a"], [None], {}, {"A": "b"}):
        if "words" not in TYPES["Task"][name] or value is None:
            document = {name: value}
            retired = "words" in TYPES["Task"][name]
            assert compiled_takes(document) == (model_takes(document) and not retired), document


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")


def test_schema_helps_an_editor() -> None:
    for place in (SCHEMA, *SCHEMA["$defs"].values()):
        assert place["additionalProperties"] is False
        assert place["description"]
        for name, field in place.get("properties", {}).items():
            assert field["description"], name
    assert SCHEMA["properties"]["priority"]["enum"] == ["low", "med", "high"]
    assert SCHEMA["properties"]["instance_type"]["examples"]
    assert "flowc" not in json.dumps(SCHEMA["properties"]["name"])


def test_examples_are_right() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for name, field in SCHEMA["properties"].items():
        for shown in field.get("examples", ()):
            document = {name: shown}
            assert [each.message for each in validator.iter_errors(document)] == [], name
            assert compiled_takes(document), name
            assert model_takes(document), name


@pytest.mark.parametrize(
    "document",
    [
        {"name": 1},
        {"colour": "blue"},
        {"command": "a", "script": "b"},
        {"instance_type": "a100", "min_gpu_memory_gb": 80},
        {"volumes": [{"size_gb": 0}]},
        {"gpu": "h100"},
        {"env": {"MY-NAME": "a"}},
        {"env": {"A": 1}},
    ],
)
def test_schema_refuses(document: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
