"""SkyPilot tasks by chance: valid ones lower without errors, broken ones never crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source

ROOT = Path(__file__).resolve().parents[3]


def compiled(text: str) -> driver.Result:
    return driver.compile(Source("job.yaml", text), Inputs(), emit="ir", frontend="skypilot")


ACCELERATORS = st.one_of(
    st.sampled_from(["H100:8", "h200", "A100-80GB:2", "80GB+", "B200:4", "H100:0.5", None]),
    st.lists(st.sampled_from(["H100:8", "H200:8", "A100:1"]), min_size=1, max_size=3, unique=True),
    st.dictionaries(st.sampled_from(["H100", "H200", "A100"]), st.integers(1, 8), min_size=1),
)
AMOUNT = st.one_of(st.integers(1, 512), st.integers(1, 512).map("{}+".format), st.sampled_from([1.5, "0.5+"]))
MACHINE: dict[str, st.SearchStrategy[Any]] = {
    "accelerators": ACCELERATORS,
    "cpus": AMOUNT,
    "memory": st.one_of(AMOUNT, st.sampled_from(["64GB", "1tb+", "512MB"])),
    "infra": st.sampled_from(["mithril", "mithril/us-central1-b", "*", "*/us-central1-b", None]),
}
ONE = st.one_of(
    st.sampled_from(["H100:8", "h200", "H100:0.5", None]),
    st.dictionaries(st.sampled_from(["H100", "H200"]), st.integers(1, 8), min_size=1, max_size=1),
)
RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        **MACHINE,
        "disk_size": st.one_of(st.integers(1, 4096), st.just("1TB")),
        "use_spot": st.booleans(),
        "max_hourly_cost": st.floats(0.5, 100, width=16),
        "job_recovery": st.one_of(
            st.sampled_from(["FAILOVER", "none"]),
            st.fixed_dictionaries(
                {}, optional={"max_restarts_on_errors": st.integers(0, 9), "recover_on_exit_codes": st.just([1, 33])}
            ),
        ),
        "autostop": st.one_of(
            st.booleans(), st.integers(0, 60), st.just("5h"), st.fixed_dictionaries({"down": st.booleans()})
        ),
        "ports": st.one_of(st.integers(1, 65535), st.just("80-90"), st.lists(st.integers(1, 65535), max_size=3)),
        "image_id": st.sampled_from(["docker:ubuntu:24.04", "docker:nvcr.io/nvidia/pytorch:24.07-py3"]),
        "labels": st.just({"team": "a"}),
        "any_of": st.lists(
            st.fixed_dictionaries({}, optional={**MACHINE, "accelerators": ONE}), min_size=1, max_size=3
        ),
    },
).filter(lambda found: not ("any_of" in found and isinstance(found.get("accelerators"), list)))
TASKS = st.fixed_dictionaries(
    {"run": st.sampled_from(["true", "cd a && b\n", "# c\nnvidia-smi\n"])},
    optional={
        "name": st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True),
        "resources": RESOURCES,
        "num_nodes": st.integers(1, 16),
        "setup": st.just("pip install x\n"),
        "workdir": st.sampled_from([".", "~/code", {"url": "https://github.com/a/b", "ref": "v1"}]),
        "envs": st.dictionaries(st.sampled_from(["A", "B"]), st.one_of(st.booleans(), st.integers(), st.just("x"))),
        "secrets": st.sampled_from([{"TOKEN": None}, ["secrets:TOKEN"]]),
        "file_mounts": st.sampled_from([{"/d": "s3://b/p"}, {"/d": {"name": "b", "store": "gcs"}}, {"~/x": "./$A"}]),
        "volumes": st.sampled_from([{"/v": "data"}, {"/v": {"size": "10GB"}}]),
        "config": st.just({"mithril": {"limit_price": 12.5}}),
    },
)


@given(TASKS)
def test_generated_tasks_lower_without_errors(task: dict[str, Any]) -> None:
    if any("$A" in str(each) for each in task.get("file_mounts", {}).values()):
        task = {**task, "envs": {"A": "x"}}
    result = compiled(yaml.safe_dump(task, sort_keys=False))
    assert [each.message for each in result.diagnostics if each.severity == "error"] == []


CASES = [path.read_text() for path in sorted(ROOT.glob("corpus/skypilot/*/input.yaml"))]
PIECES = [
    "",
    "x",
    ":",
    "- ",
    "{",
    "null",
    "\n",
    "[1]",
    "-1",
    "'",
    "&a *a",
    "0",
    "~: ",
    "$A",
    "any_of: [",
    "\n---\n",
    "1e9",
]


@given(st.sampled_from(CASES), st.data())
def test_mutated_tasks_never_crash(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    changed = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    first, second = compiled(changed), compiled(changed)
    assert [each.text for each in first.artifacts] == [each.text for each in second.artifacts]
    assert [each.message for each in first.diagnostics] == [each.message for each in second.diagnostics]
