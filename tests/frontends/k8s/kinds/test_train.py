"""TrainJobs: what the trainer's controller makes of them and their runtimes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from tests.frontends.k8s.kinds.train_examples import SLOW, override, patch, runtime, train
from tests.frontends.k8s.lowering import ids, lowered, one

MOVED = Inputs(flags=Flags(move=True))
GPUS = {"resourcesPerNode": {"limits": {"nvidia.com/gpu": 8}}}


def seen(*documents: dict[str, Any], inputs: Inputs | None = None) -> dict[str, str]:
    found = one(*documents, inputs=inputs)
    return {**dict(found.env), **dict(found.env_facts)}


def refused(document: dict[str, Any], inputs: Inputs | None = None) -> list[str]:
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(document)), inputs or Inputs(), sink)
    return [each.code.id for each in sink.diagnostics if each.severity == "error"]


def test_the_trainer_runs_on_as_many_machines_as_it_says() -> None:
    job = one(train({"numNodes": 2, **GPUS}))
    assert (job.name, job.image, job.resources.nodes, job.resources.gpus_per_node) == ("t", "a:1", 2, 8)
    assert (*job.run.argv, *job.run.args)[-2:] == ("torchrun", "a.py")
    found = seen(train({"numNodes": 2, **GPUS}))
    assert (found["PET_NNODES"], found["PET_NPROC_PER_NODE"], found["PET_MASTER_PORT"]) == ("2", "auto", "29500")
    assert (found["PET_NODE_RANK"], found["PET_MASTER_ADDR"]) == ("rank", "head_ip")


def test_one_machine_is_its_own_master() -> None:
    found = seen(train(GPUS))
    assert (found["PET_NNODES"], found["PET_NODE_RANK"], found["PET_MASTER_ADDR"]) == ("1", "0", "localhost")


@pytest.mark.parametrize(
    ("trainer", "processes"),
    [
        ({}, "1"),
        ({"resourcesPerNode": {"requests": {"cpu": "2500m"}}}, "3"),
        (GPUS, "auto"),
        ({**GPUS, "numProcPerNode": 4}, "4"),
        ({"numProcPerNode": "gpu"}, "gpu"),
    ],
)
def test_processes_of_a_machine_are_its_gpus_or_its_cpus(trainer: dict[str, Any], processes: str) -> None:
    assert seen(train(trainer))["PET_NPROC_PER_NODE"] == processes


def test_other_policies_have_variables_of_their_own() -> None:
    found = seen(train({"numNodes": 2, **GPUS}, "jax-distributed"))
    assert (found["JAX_NUM_PROCESSES"], found["JAX_PROCESS_ID"]) == ("2", "rank")
    job = one(train({"numNodes": 2, **GPUS}, "xgboost-distributed"))
    assert dict(job.env)["DMLC_NUM_WORKER"] == "16"
    assert dict(job.env_facts)["DMLC_TRACKER_URI"] == "head_ip"


def test_the_runtime_gives_what_the_trainer_does_not_say() -> None:
    volume = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}
    mounts = [{"name": "v", "mountPath": "/data"}]
    own = runtime({"numNodes": 3, "torch": {}}, volume, env=[{"name": "A", "value": "1"}], volumeMounts=mounts)
    document = train({"env": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]}, "r")
    del document["spec"]["trainer"]["command"]
    job = one(document, own)
    assert (job.image, job.resources.nodes) == ("a:1", 3)
    assert [job.run.argv, job.run.args][0] == ("r",)
    assert {key: value for key, value in job.env if key in "AB"} == {"A": "2", "B": "3"}
    assert [each.mount_path for each in job.volumes] == ["/data"]
    outcome = {each.input: (each.action, each.note) for each in job.outcome}
    path = "spec.template.spec.replicatedJobs[0].template.spec.template.spec.containers[0].image"
    assert outcome[path] == ("ignored", "the TrainJob says it of its own")


def test_a_runtime_of_another_file_is_found() -> None:
    text = json.dumps(runtime(name="own"))
    job = one(train(name="own"), inputs=Inputs(manifests=(Source("runtime.yaml", text),)))
    assert dict(job.env)["PET_NNODES"] == "1"


def test_patches_change_the_trainers_pod() -> None:
    plain = one(train()).isolation
    for document in (patch(**SLOW), override("node", **SLOW), override(**SLOW), train(podSpecOverrides=[SLOW])):
        assert one(document).isolation != plain
    for document in (patch("other", **SLOW), override("other", **SLOW)):
        assert one(document).isolation == plain
    mounts = [{"name": "v", "mountPath": "/v"}]
    document = patch(
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
        containers=[{"name": "node", "env": [{"name": "A", "value": "1"}], "volumeMounts": mounts}],
        nodeSelector={"node.kubernetes.io/instance-type": "p5.48xlarge"},
    )
    job = one(document)
    assert dict(job.env)["A"] == "1"
    assert job.image == "a:1"
    assert [each.mount_path for each in job.volumes] == ["/v"]


def test_a_runtime_that_is_not_there_is_told() -> None:
    assert refused(train(name="own")) == ["FC397"]
    assert "FC398" in ids(train(name="own"), inputs=MOVED)
    assert seen(train(name="own"), inputs=MOVED)["PET_NNODES"] == "1"
    assert "JAX_NUM_PROCESSES" in seen(train(name="our-jax"), inputs=MOVED)
    bare = train(name="own")
    del bare["spec"]["trainer"]["image"]
    assert refused(bare, MOVED) == ["FC397"]


def test_the_image_of_a_runtime_that_the_trainer_brings_is_told() -> None:
    document = train()
    del document["spec"]["trainer"]["image"]
    jobs, diagnostics = lowered(document)
    assert jobs[0].image.startswith("pytorch/pytorch:")
    assert any("its image is that of Kubeflow's trainer" in each.message for each in diagnostics)


def test_what_is_no_machine_of_one_bid_is_refused() -> None:
    assert refused(train(name="deepspeed-distributed")) == ["FC318"]
    two = runtime()
    jobs = two["spec"]["template"]["spec"]["replicatedJobs"]
    jobs.append({**jobs[0], "name": "other", "template": {**jobs[0]["template"], "metadata": {}}})
    text = "\n---\n".join(json.dumps(each) for each in (train(name="r"), two))
    sink = Sink()
    FRONTEND.read(Source("job.yaml", text), Inputs(), sink)
    assert [each.code.id for each in sink.diagnostics if each.severity == "error"] == ["FC328"]
    _, diagnostics = lowered(train(initializer={"dataset": {"storageUri": "hf://a/b"}}))
    assert [each.code.id for each in diagnostics if each.severity == "error"] == ["FC333"]


def test_a_runtime_that_no_job_names_has_no_effect() -> None:
    job = one(train(), runtime())
    assert {each.note for each in job.outcome if each.input == "spec"} == {"no TrainJob of the file names it"}
