"""The JSON of jobs and plans: keys and order of the formats, and a writer that agrees with `json`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.ir.encode import dumps, ir_document, job_document, plan_document
from flowc.ir.job import (
    Array,
    Dependency,
    Isolation,
    Job,
    Mount,
    Outcome,
    Port,
    Run,
    SourceInfo,
    StopSignal,
    Time,
    Volume,
)
from tests.passes.units import run, unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)

# Every key of a JOB in `flowc.ir/1`, in its order, with the keys inside.
JOB_KEYS: dict[str, tuple[str, ...] | None] = {
    "name": None,
    "labels": None,
    "source": ("frontend", "path", "sha256", "variables", "release"),
    "conventions": (
        "runs_on",
        "commands",
        "variables",
        "output",
        "file_name",
        "workdir_on",
        "mounts_nest",
        "reads_profile",
        "fails_together",
    ),
    "run": ("kind", "interpreter", "text", "args", "workdir", "commands", "delivery"),
    "setup": None,
    "modules": None,
    "programs": None,
    "environments": None,
    "venvs": None,
    "image_files": None,
    "image": None,
    "isolation": Isolation.FIELDS,
    "containers": None,
    "resources": (
        "nodes",
        "nodes_max",
        "gpus_per_node",
        "gpu_model",
        "gpu_memory_bytes",
        "cpus_per_node",
        "cpus_per_gpu",
        "memory_bytes_per_node",
        "memory_bytes_per_cpu",
        "memory_bytes_per_gpu",
        "disk_bytes",
        "shm_bytes",
        "exclusive",
        "features",
        "alternatives",
        "choices",
        "choices_ordered",
    ),
    "layout": ("tasks", "tasks_per_node", "cpus_per_task", "gpus_per_task", "gpus_total"),
    "groups": None,
    "time": ("limit_s", "min_s", "attempt_limit_s", "begin", "deadline", "signal"),
    "env": None,
    "env_facts": None,
    "secrets": None,
    "env_policy": None,
    "files": None,
    "volumes": None,
    "mounts": None,
    "ports": None,
    "io": ("stdout", "stderr", "stdin", "append"),
    "array": None,
    "depends_on": None,
    "kill_on_invalid_dep": None,
    "retry": (
        "max_restarts",
        "requeue",
        "keep_scratch",
        "delay_ms",
        "delay_factor",
        "max_delay_ms",
        "exit_rules",
        "from_within",
    ),
    "pricing": ("max_usd_per_instance_hour", "priority", "budget_usd"),
    "placement": (
        "regions",
        "exclude_regions",
        "clouds",
        "node_labels",
        "interconnect",
        "paused",
        "kubernetes_cluster",
        "reservation",
        "preemptible",
    ),
    "identity": ("project", "ssh_keys"),
    "notify": ("email", "events"),
    "terminate_on_exit": None,
    "workers_end": None,
    "outcome": None,
}
PLAN_KEYS = [
    "name",
    "instance_type",
    "fid",
    "region",
    "nodes",
    "gpus_per_node",
    "market_usd_per_instance_hour",
    "limit_usd_per_instance_hour",
    "hours_bound",
    "count",
    "worst_case_usd",
    "expected_usd",
    "candidates",
    "catalog",
]


def read_back(document: Any) -> Any:
    return json.loads(dumps(document))


@given(JSON)
def test_writer_agrees_with_json(value: Any) -> None:
    assert dumps(value) == json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@given(st.text(alphabet=st.characters(), max_size=30))
def test_any_text_gives_utf_8_and_reads_back(text: str) -> None:
    written = dumps({text: [text]})
    assert json.loads(written.encode("utf-8")) == {text: [text]}


@given(st.binary(max_size=30))
def test_bytes_that_are_no_utf_8_are_kept(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert json.loads(dumps([text]))[0].encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize("value", [1.5, b"x", {1}, object()])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dumps([value])


def test_job_has_every_key_in_order() -> None:
    document = read_back(job_document(unit().job))
    assert list(document) == list(JOB_KEYS)
    for key, inner in JOB_KEYS.items():
        if inner is not None:
            assert tuple(document[key]) == inner


def test_every_field_of_a_job_has_its_key() -> None:
    assert set(JOB_KEYS) == set(Job.FIELDS) - {*Job.UNTOLD}


def test_argv_takes_the_place_of_text() -> None:
    job = unit().job.replace(run=Run(kind="argv", argv=("python", "train.py"), args=("x",), workdir="/w"))
    assert read_back(job_document(job))["run"] == {
        "kind": "argv",
        "interpreter": None,
        "argv": ["python", "train.py"],
        "args": ["x"],
        "workdir": "/w",
        "commands": [],
        "delivery": "script",
    }


def test_records_inside_a_job_are_written_out() -> None:
    job = unit().job.replace(
        source=SourceInfo(frontend="slurm", path="a b", sha256="00", variables=(("SLURM_GPUS", "h100:2"),)),
        labels=(("team", "x"),),
        env=(("B", "1"), ("A", "2")),
        time=Time(limit_s=60, signal=StopSignal(name="USR1", before_s=5, to="steps")),
        volumes=(Volume(name="v", size_bytes=1, interface="block", mount_path="/v", create=True, read_only=False),),
        mounts=(Mount(kind="bucket", source="s3://b", target="/d", read_only=True),),
        ports=(Port(external=80, internal=8080, protocol="tcp"),),
        array=Array(indices=(1, 2), max_concurrent=1, index_env="I"),
        depends_on=(Dependency(kind="singleton", on=None),),
        outcome=(Outcome(input="--time=1", line=2, action="lowered", code=None, note="n"),),
    )
    document = read_back(job_document(job))
    assert document["source"]["variables"] == [["SLURM_GPUS", "h100:2"]]
    assert document["labels"] == [["team", "x"]]
    assert document["env"] == [["B", "1"], ["A", "2"]]
    assert document["time"]["signal"] == {"name": "USR1", "before_s": 5, "to": "steps"}
    assert document["volumes"][0]["mount_path"] == "/v"
    assert document["mounts"][0]["source"] == "s3://b"
    assert document["ports"][0] == {"external": 80, "internal": 8080, "protocol": "tcp"}
    assert document["array"] == {"indices": [1, 2], "max_concurrent": 1, "index_env": "I"}
    assert document["depends_on"] == [{"kind": "singleton", "on": None, "minutes": 0, "any": False}]
    assert document["outcome"][0]["action"] == "lowered"


def test_documents_carry_their_format() -> None:
    done, _ = run(unit(gpus_per_node=8, gpu_model="h100"))
    ir = read_back(ir_document([done], [{"code": "FC000"}]))
    assert list(ir) == ["format", "jobs", "diagnostics"]
    assert (ir["format"], ir["diagnostics"]) == ("flowc.ir/1", [{"code": "FC000"}])
    plan = read_back(plan_document([done]))
    assert plan["format"] == "flowc.plan/1"
    (job,) = plan["jobs"]
    assert [key for key in job if key in PLAN_KEYS] == PLAN_KEYS
    assert job["catalog"] == {"source": "bundled", "as_of": "2026-09-20"}
    assert job["candidates"][0]["chosen"] is True
