"""What is said to be lowered is: another value of it makes other artifacts, or is told.

Each option and each key that a frontend calls lowered is changed, one at a time, in documents that have them all.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from flowc._compiled import foundry_fields, k8s_fields, skypilot_fields, task_fields
from flowc._compiled.slurm_lowering import LOWERING
from flowc.inputs import Flags, Inputs, Repository
from tests.corpus import CASES, load, told
from tests.frontends.k8s import field_examples, field_examples_pod
from tests.frontends.k8s.kinds import train_examples
from tests.frontends.skypilot import examples as skypilot
from tests.frontends.task.test_fields import HEAD, PLAIN, SAMPLES
from tests.ledger.changes import Made, changes, decided, effect
from tests.ledger.documents import AS_IT_IS, BATCH, FLAGS, FOUNDRY, K8S, K8S_MOVED, SKYPILOT, SLURM, SPREAD, TASKS

Document = tuple[str, str, str | None, Inputs]


def _k8s(documents: Any) -> str:
    each = documents if isinstance(documents, tuple) else (documents,)
    return "\n---\n".join(json.dumps(one) for one in each)


def _documents() -> dict[str, Document]:
    """Name to text, path, frontend and what else a compilation is told."""
    found: dict[str, Document] = {}
    for case in CASES:
        if case.parent.name not in ("slurm", "command-line"):
            source, inputs = load(case)
            found[f"{case.parent.name}/{case.name}"] = (source.text, source.path, None, inputs)
    for name, pair in {**field_examples.EXAMPLES, **field_examples_pod.EXAMPLES, **train_examples.EXAMPLES}.items():
        for side, documents in zip(("without", "with"), pair, strict=True):
            found[f"k8s/{name}/{side}"] = (_k8s(documents), "job.yaml", None, Inputs())
    for name, (path, value, more) in skypilot.EXAMPLES.items():
        text = yaml.safe_dump(skypilot.with_value(path, value, more), sort_keys=False)
        found[f"skypilot/{name}"] = (text, "job.yaml", "skypilot", Inputs())
    for name, (_, sample) in SAMPLES.items():
        text = sample if "command" in sample or HEAD in sample else PLAIN + sample
        found[f"task/{name}"] = (text, "job.yaml", "task-yaml", Inputs())
    for frontend, texts in (*(("foundry-yaml", FOUNDRY), ("k8s", K8S), ("skypilot", SKYPILOT), ("task-yaml", TASKS)),):
        for name, text in texts.items():
            found[f"{frontend}/more/{name}"] = (text, "job.yaml", frontend, Inputs())
    for name, text in K8S_MOVED.items():
        found[f"k8s/moved/{name}"] = (text, "job.yaml", "k8s", Inputs(flags=Flags(move=True)))
    return found


DOCUMENTS = _documents()
# Rows of which the documents show nothing, with the reason.
NOT_SEEN = {
    "PodSpec.restartPolicy": "what it changes shows only where a job starts again and has something to keep",
    "ReplicaSpec.restartPolicy": "the same",
    "AppArmorProfile.localhostProfile": "goes with a type that is refused",
    "SeccompProfile.localhostProfile": "the same",
    "NodeSelectorTerm.matchFields": "refused where it stands",
    "SuccessPolicyRule.succeededCount": "the same",
    "MLPolicy.flux": "the same",
    "MLPolicy.mpi": "the same",
    "MLPolicy.jax": "that it stands there is all it says",
    "MLPolicy.xgboost": "the same",
    "Resources.zone": "the same",
    "GRPCAction.mode": "told of as a part of its probe",
    "HTTPGetAction.host": "the same",
    "HTTPGetAction.protocol": "the same",
    "HTTPGetAction.scheme": "the same",
    "HTTPGetAction.httpHeaders": "the same",
    "HTTPHeader.name": "the same",
    "HTTPHeader.value": "the same",
    "Task.docker_image": "an old spelling, which stands under its new name",
    "Task.environment": "the same",
    "Task.startup_script": "the same",
    "Volume.target": "the same",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_lowered_has_an_effect(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, path, frontend, inputs = DOCUMENTS[name]
    base = Made(text, path, inputs, frontend)
    if base.errors:
        return  # nothing is made of it; each field has a document without errors, see below
    lies = [
        item
        for item in decided(text, path, inputs, frontend, monkeypatch)
        if item.action == "lowered" and item.row not in NOT_SEEN and effect(base, item, inputs, frontend) is None
    ]
    assert lies == []


# Rows of which something is kept though another value makes no other artifact, with the reason.
KEPT_ALL_THE_SAME = {
    "JobSpec.ttlSecondsAfterFinished": "that the machine is given back, whatever the number",
    "VolcanoJobSpec.ttlSecondsAfterFinished": "the same",
    "RunPolicy.ttlSecondsAfterFinished": "the same",
    "MPIJobSpec.ttlSecondsAfterFinished": "the same",
    "MPIJobBeforeSpec.ttlSecondsAfterFinished": "the same",
    "Autostop.idle_minutes": "the same",
    "PodSpec.schedulingGates": "that the bid is placed paused, whatever the gates are called",
    "PodSpecPatch.schedulingGates": "the same",
    "PodSpec.subdomain": "names of the job's pods stand for addresses, with it or without",
    "VolcanoJobSpec.plugins": "some of them set variables",
    "VolcanoTask.policies": "some of them count",
    "PodFailurePolicyRule.onPodConditions": "machines that are taken away never count",
    "PodFailurePolicyOnExitCodesRequirement.containerName": "the main container's exit codes count",
    "SecurityContext.runAsNonRoot": "held against the user that is named",
    "PodSecurityContext.runAsNonRoot": "the same",
    "CompanionMeta.name": "what names the object finds it",
    "Container.startupProbe": "its times delay the liveness probe, its command does nothing",
    "EmptyDirVolumeSource.sizeLimit": "the folder is there; nothing ends a job that writes more",
    "Resources.cpus": "at least so many",
    "Task.min_run_time_hours": "kept as a wish in the plan",
}


def test_of_what_is_approximated_something_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, seen = set[str](), set[str]()
    for text, path, frontend, inputs in DOCUMENTS.values():
        base = Made(text, path, inputs, frontend)
        if base.errors:
            continue
        for item in decided(text, path, inputs, frontend, monkeypatch):
            if item.action == "approximated" and item.row not in kept:
                seen.add(item.row)
                if changes(base, item, inputs, frontend):
                    kept.add(item.row)
    assert seen - kept == KEPT_ALL_THE_SAME.keys()


def test_each_lowered_row_stands_in_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[str]] = {}
    for text, path, frontend, inputs in DOCUMENTS.values():
        if Made(text, path, inputs, frontend).errors:
            continue
        for item in decided(text, path, inputs, frontend, monkeypatch):
            seen.setdefault(item.format, set()).update(item.rows)
    for format, module in (
        ("foundry-yaml", foundry_fields),
        ("k8s", k8s_fields),
        ("skypilot", skypilot_fields),
        ("task-yaml", task_fields),
    ):
        rows = {
            f"{owner}.{key}"
            for owner, fields in module.TYPES.items()
            for key, row in fields.items()
            if row.get("action") == "lowered"
        }
        assert rows - seen[format] - NOT_SEEN.keys() == set(), format


@pytest.mark.parametrize(("given", "before", "others"), SLURM, ids=[row[0] for row in SLURM])
def test_what_is_lowered_of_a_batch_script_has_an_effect(given: str, before: str, others: tuple[str, ...]) -> None:
    def made(option: str) -> Made:
        text = f"#!/bin/bash\n#SBATCH {before or '--comment=y'}\n#SBATCH {option}\nsrun hostname\n"
        return Made(text, "job.sbatch", Inputs())

    base = made(given)
    assert base.errors == []
    (told,) = [each for each in base.outcome if each.input == given]
    if told.action != "lowered" or given in AS_IT_IS:
        assert told.action == LOWERING[given[2:].partition("=")[0]]["action"] or given in AS_IT_IS
        return
    assert others
    for other in others:
        changed = made(other)
        assert (changed.artifacts, changed.said) != (base.artifacts, base.said), other


def test_each_lowered_option_is_among_them() -> None:
    options = {row[0][2:].partition("=")[0] for row in SLURM}
    assert {name for name, row in LOWERING.items() if row["action"] in ("lowered", "approximated")} == options


@pytest.mark.parametrize(("text", "words", "others"), FLAGS, ids=[row[1][0] for row in FLAGS])
def test_what_a_flag_says_has_an_effect(text: str, words: tuple[str, ...], others: tuple[str, ...]) -> None:
    path = "job.sbatch" if text in (BATCH, SPREAD) else "job.yaml"
    first, second = (Made(text, path, told(each)) for each in (words, others))
    assert (first.artifacts, first.said) != (second.artifacts, second.said)


def test_each_job_flag_is_among_them() -> None:
    singular = {"ssh_keys": "ssh_key", "secrets": "secret", "mounts": "mount", "ports": "port", "sets": "set"}
    singular["pull_secrets"] = "pull_secret"
    # `fields` are old spellings; `--code` goes with a submission alone, and is tried below; what `--fill` puts in is a
    # part of the text, which tests/filling tries.
    flags = {singular.get(name, name) for name in Flags.FIELDS if name not in ("fields", "code", "repository", "fill")}
    assert {row[1][0][2:].replace("-", "_") for row in FLAGS} == flags


def test_code_of_a_submission_makes_another_request() -> None:
    commits = [Repository(url="https://h/a.git", commit=each * 40) for each in "12"]
    ways = [
        Flags(),
        *(Flags(code=each) for each in ("./a", "./b")),
        *(Flags(code="git", repository=c) for c in commits),
    ]
    made = [Made(BATCH, "job.sbatch", Inputs(flags=flags)).artifacts for flags in ways]
    assert [each for number, each in enumerate(made) if each in made[:number]] == []
