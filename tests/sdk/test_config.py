"""`TaskConfig` and the arguments of `run`: what they are read as, and what is said of mistakes."""

from __future__ import annotations

import pathlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowc
from flowc.frontends.task.model import Task
from flowc.sdk.writing import Written
from tests.sdk.conftest import typed


def test_the_builder_gives_what_the_model_does() -> None:
    built = (
        flowc.TaskConfig.builder()
        .with_gpu("a100")
        .with_command("python train.py")
        .with_volume("data", size_gb=100)
        .with_env("BATCH", "64")
        .build()
    )
    assert built == flowc.TaskConfig(
        instance_type="a100",
        command="python train.py",
        volumes=[flowc.VolumeSpec(name="data", size_gb=100)],
        env={"BATCH": "64"},
    )
    assert (built.region, built.ports, built.name) == (None, [], "flow-task")
    assert flowc.compile(built.to_yaml(), path="task.yaml").failed is False


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        (
            {"instance_type": "a100x8", "command": "x"},
            "instance_type",
            "Invalid instance type 'a100x8': the count comes first\n  Did you mean: '8xa100'?\n"
            "  Valid formats: 'a100', '2xa100', '4xa100', '8xa100'\n  In: instance_type",
        ),
        ({"instance_tpye": "a100", "command": "x"}, "instance_tpye", "Did you mean: 'instance_type'?"),
        ({"instance_type": "a100"}, None, "The task does not say what is run"),
        ({"instance_type": "a100", "command": "x", "script": "y"}, "script", "both say what is run"),
        ({"instance_type": "a100", "command": "x", "max_price_per_hour": -1}, "max_price_per_hour", "more than 0"),
        ({"instance_type": "a100", "command": "x", "env": {"A": 1}}, "env['A']", "expected a text"),
        (
            {"instance_type": "a100", "command": "x", "volumes": [{"name": "data", "size_gb": 0}]},
            "volumes[0].size_gb",
            "expected 1 to 32000",
        ),
        ({"instance_type": "a100", "command": {"x"}}, "command", "command is a set; expected a list"),
        ({"instance_type": "a100", "command": "x", "max_price_per_hour": float("nan")}, "max_price_per_hour", "nan"),
        ({"instance_type": "a100", "command": "\ud800"}, "command", "half of a character"),
    ],
)
def test_a_mistake_names_its_argument(
    fields: dict[str, Any], field: str | None, words: str, offline: flowc.Flow
) -> None:
    with pytest.raises(flowc.ValidationError) as caught:
        flowc.TaskConfig(**fields)
    assert (caught.value.field, words in str(caught.value)) == (field, True), str(caught.value)
    with pytest.raises(flowc.ValidationError) as caught:
        offline.run(**fields)
    assert (caught.value.field, words in str(caught.value)) == (field, True), str(caught.value)


def test_gpu_is_named_as_it_was_written(offline: flowc.Flow) -> None:
    with pytest.raises(flowc.ValidationError, match="'8xa100'") as caught:
        offline.run("python train.py", gpu="a100x8")
    assert caught.value.field == "gpu"
    with pytest.raises(flowc.ValidationError, match="mean the same"):
        offline.run("python train.py", gpu="a100", instance_type="a100")


def test_what_looks_like_a_job_file_is_no_command(offline: flowc.Flow) -> None:
    with pytest.raises(flowc.ValidationError, match=r"pathlib\.Path\('training\.yaml'\)"):
        offline.run("training.yaml", gpu="a100")
    with pytest.raises(flowc.ValidationError, match="cannot be read"):
        offline.run(pathlib.Path("none.yaml"))


def test_without_a_key_the_way_to_one_is_told(offline: flowc.Flow) -> None:
    with pytest.raises(flowc.ConfigurationError, match="MITHRIL_API_KEY"):
        offline.run("true", gpu="a100")


def test_a_config_does_not_change_and_shows_no_values_of_its_environment() -> None:
    config = flowc.TaskConfig(instance_type="a100", command="x", env={"TOKEN": "hunter2-hunter2"})
    assert "hunter2" not in repr(config)
    with pytest.raises(Exception, match="frozen"):
        config.name = "other"
    assert config.replace(name="other").name == "other"
    with pytest.raises(flowc.ValidationError):
        config.replace(command=None)


def test_all_fields_of_a_task_have_a_type_for_callers() -> None:
    assert typed("TaskFields") - {"gpu"} == {*Task.model_fields} - {"idempotency_key"}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.decimals(0, 10**6, places=2))
def test_any_text_and_number_is_read_as_it_was_given(text: str, number: Decimal) -> None:
    import yaml

    written = Written("x", {"a": text, "b": [number, {"c": text}]})
    found = yaml.safe_load(written.source.text)
    assert found["a"] == found["b"][1]["c"] == text
    assert Decimal(str(found["b"][0])) == number
    assert written.label(written.span("a")) == "a"


def test_requirements_are_looked_at(offline: flowc.Flow, caplog: pytest.LogCaptureFixture) -> None:
    found = offline.find_instances({"gpu_memory_gb": 80, "max_price": 15})
    assert found
    assert all(row["gpu_memory_gb"] >= 80 and (row["price_usd_per_hour"] or 0) <= 15 for row in found)
    assert len(offline.find_instances({}, limit=2)) == 2
    assert offline.find_instances({"region": "us-west-2"}) == []
    assert "nothing is sold in us-west-2" in caplog.text
    assert {row["instance_type"] for row in offline.find_instances({"instance_type": "8xh100"})} == {"h100-80gb.sxm.8x"}
    assert offline.find_instances({"gpu": "a100-80gb"})
    assert offline.find_instances({"gpu": "a100-40gb"}) == []
    for wrong, words in (
        ({"gpu_memry_gb": 40}, "Did you mean: 'gpu_memory_gb'?"),
        ({"gpu_memory_gb": "many"}, "expected a number"),
        ({"instance_type": "a100x8"}, "Did you mean: '8xa100'?"),
    ):
        with pytest.raises(flowc.ValidationError) as caught:
            offline.find_instances(wrong)
        assert words in str(caught.value)
