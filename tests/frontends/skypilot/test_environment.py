"""SkyPilot tasks: variables, secrets, several tasks in one file."""

from __future__ import annotations

import json

import pytest
import yaml

from flowc import driver
from flowc.diag.render import render
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from flowc.submit.delivery import files_for, missing_secrets
from tests.frontends.skypilot.examples import BASE
from tests.frontends.skypilot.reading import checked, compiled, jobs, names

LOGIN = ("SKYPILOT_DOCKER_USERNAME", "SKYPILOT_DOCKER_PASSWORD", "SKYPILOT_DOCKER_SERVER")


def test_values_of_variables_are_what_python_prints() -> None:
    (job,) = jobs("envs: {A: true, B: 1.50, C: text, D: 010}\nrun: 'true'\n")
    assert job["env"] == [["A", "True"], ["B", "1.5"], ["C", "text"], ["D", "8"]]


def test_variables_without_a_value_are_given_on_the_command_line() -> None:
    task = "envs: {A: null, B: null}\nrun: 'true'\n"
    assert names(task) == ["skypilot-empty-env"] * 2
    assert jobs(task, Flags(env=(("A", "1"),), secrets=("B",)))[0]["env"] == [["A", "1"]]


@pytest.mark.parametrize(
    ("value", "code"),
    [("${HF_TOKEN}", "env-not-expanded"), ("$HF_TOKEN", "env-not-expanded"), ("hf_1", "skypilot-env-secret")],
)
def test_variables_that_look_like_secrets(value: str, code: str) -> None:
    assert names({**BASE, "envs": {"HF_TOKEN": value}}) == [code]
    assert names({**BASE, "envs": {"HF_TOKEN": value}}, Flags(secrets=("HF_TOKEN",))) == []


@pytest.mark.parametrize("name", ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "SEARCH_KEYWORD"])
def test_variables_that_only_look_like_secrets(name: str) -> None:
    assert names({**BASE, "envs": {name: "512"}}) == []


@pytest.mark.parametrize("key", ["secrets", "envs"])
def test_values_of_secrets_go_nowhere(key: str) -> None:
    values = dict.fromkeys(LOGIN, "hidden-value") if key == "envs" else {"TOKEN": "hidden-value"}
    task = {**BASE, key: values, "resources": {"image_id": "docker:ubuntu:24.04"}}
    if key == "envs":
        task["envs"] |= {"SKYPILOT_DOCKER_SERVER": "registry.example.com", "SKYPILOT_DOCKER_USERNAME": "$oauthtoken"}
    result = compiled(task)
    assert "hidden-value" not in result.artifacts[0].text
    assert "hidden-value" not in repr(result.diagnostics)


def test_a_login_for_a_registry() -> None:
    task = {
        **BASE,
        "resources": {"image_id": "docker:team/train:1"},
        "envs": {"A": "1", **dict.fromkeys(LOGIN, "registry.example.com")},
    }
    (job,) = jobs(task)
    assert (job["image"], job["env"]) == ("registry.example.com/team/train:1", [["A", "1"]])
    assert job["isolation"]["pull_secrets"] == ["SKYPILOT_DOCKER"]
    assert names(task) == ["docker-login"]
    del task["envs"]["SKYPILOT_DOCKER_SERVER"]
    assert "skypilot-conflict" in names(task)


def test_what_of_a_login_is_no_secret_is_kept() -> None:
    values = dict(zip(LOGIN, ("$oauthtoken", "hidden", "nvcr.io"), strict=True))
    task = {**BASE, "resources": {"image_id": "docker:nvidia/pytorch:1"}, "envs": values}
    found = driver.compile(Source("job.yaml", yaml.safe_dump(task)), Inputs(), emit="mithril", frontend="skypilot")
    document = json.loads(found.artifacts[0].text)
    (sent,) = [each for each in document["deliver"] if "logins" in each]
    assert sent["parts"] == {"SKYPILOT_DOCKER_USERNAME": "$oauthtoken", "SKYPILOT_DOCKER_SERVER": "nvcr.io"}
    assert "hidden" not in json.dumps(document)
    # The rest is the environment's.
    assert missing_secrets(document, {}) == ["SKYPILOT_DOCKER_PASSWORD"]
    assert missing_secrets(document, {"SKYPILOT_DOCKER_PASSWORD": "p"}) == []
    (to,) = sent["to"]
    (text,) = files_for(document, to, {"SKYPILOT_DOCKER_PASSWORD": "p"}).values()
    assert b'"nvcr.io": {"auth": "JG9hdXRodG9rZW46cA=="}' in text


def test_names_of_secrets() -> None:
    task = {**BASE, "secrets": ["secrets:A", "secrets:workspace.B"]}
    task["managed_secrets"] = [{"C": {"mount_path": "/run/c"}}, "D"]
    (job,) = jobs(task)
    assert job["secrets"] == ["A", "B", "D"]
    assert [(file["path"], file["secret"]) for file in job["files"]] == [("/run/c", "C")]


def test_a_pipeline_depends_on_the_task_before() -> None:
    text = "name: all\n---\nname: a\nrun: 'true'\n---\nrun: 'true'\n"
    first, second = jobs(text)
    assert (first["name"], second["name"]) == ("a", "all-1")
    assert "depends_on" not in first or not first["depends_on"]
    assert second["depends_on"] == [{"kind": "afterok", "on": "a", "minutes": 0, "any": False}]
    assert (first["kill_on_invalid_dep"], second["kill_on_invalid_dep"]) == (False, True)
    assert first["outcome"][0]["input"] == "name"


def test_a_group_does_not() -> None:
    text = "name: all\nexecution: parallel\nplacement: SAME_INFRA\n---\nrun: 'true'\n---\nrun: 'true'\n"
    assert [job.get("depends_on", []) for job in jobs(text)] == [[], []]
    assert sorted(names(text)) == ["skypilot-ignored", "skypilot-job-group"]


def test_a_value_that_is_set_reaches_the_tasks_and_not_the_head() -> None:
    text = "name: all\n---\nresources: {infra: aws}\nrun: 'true'\n---\nresources: {infra: aws}\nrun: 'true'\n"
    assert len(jobs(text, Flags(sets=(("resources.infra", "mithril"),)))) == 2


@pytest.mark.parametrize("text", ["setup: true", "run: null", "run:", "name: a"])
def test_a_task_that_runs_nothing(text: str) -> None:
    assert "skypilot-nothing-to-run" in names(text.replace("true", "'true'") + "\n")


def test_a_machine_is_held_by_the_fix() -> None:
    (found,) = compiled("resources:\n  accelerators: H100:8\n").diagnostics
    assert found.fix is not None
    (edit,) = found.fix.edits
    text = "resources:\n  accelerators: H100:8\n"
    fixed = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert jobs(fixed)[0]["run"]["text"] == "sleep infinity"


def test_a_service_says_what_to_do() -> None:
    (found,) = compiled("service: {readiness_probe: /}\nrun: serve\n").diagnostics
    assert found.span is not None
    assert (found.code.name, found.span.text) == ("skypilot-refused", "service")
    assert found.help == "take `service` out: `run` is then one replica, which answers until it is cancelled"


def test_keys_of_formats_alike_are_renamed_by_a_fix() -> None:
    (found,) = compiled("working_dir: .\nrun: 'true'\n").diagnostics
    assert found.fix is not None
    assert [edit.text for edit in found.fix.edits] == ["workdir"]


@pytest.mark.parametrize(
    "text",
    [
        "secrets: {OTHER: hidden-value}\nrun: 'true'\n",
        "secrets:\n  OTHER: hidden-value\n  1A: hidden-value\nrun: 'true'\n",
        "envs:\n  MY_KEY: hidden-value\nrun: 'true'\n",
        "envs: {SKYPILOT_DOCKER_PASSWORD: hidden-value, MY_KEY: 1}\nrun: 'true'\n",
    ],
)
def test_values_of_secrets_are_never_shown(text: str) -> None:
    result = compiled(text)
    assert "hidden-value" not in render("job.yaml", result.diagnostics)


def test_a_placeholder_is_no_value_to_hide() -> None:
    """What names it in a message would be stars."""
    text = "secrets: {OTHER_TOKEN: <MY_OTHER_TOKEN>, MORE: <MY_OTHER>}\nrun: echo {{ SAID }}\n"
    flags = Flags(fill=(("SAID", "hello"),))
    result = driver.check(Source("job.yaml", text), Inputs(flags=flags), frontend="skypilot")
    shown = [each.message for each in result.diagnostics if each.code.name == "open-placeholders"]
    assert shown == ["2 placeholders stay open: `MY_OTHER_TOKEN`, `MY_OTHER`"]


def test_values_of_secrets_are_not_in_the_document() -> None:
    text = "secrets: {OTHER: hidden-value}\nrun: 'true'\n"
    result = driver.compile(Source("job.yaml", text), Inputs(), emit="ast", frontend="skypilot")
    assert "hidden-value" not in result.artifacts[0].text


def test_an_unknown_key_hides_nothing_else() -> None:
    text = "working_dir: .\nresources: {infra: aws, accelerators: 8xH100}\n"
    assert names(text) == ["retired-key", "skypilot-nothing-to-run", "accelerators"]
    assert [each.code.name for each in checked(text).diagnostics] == [*names(text), "other-cloud"]
    assert names("comand: x\nresources: {infra: mithril}\n") == ["unknown-key"]


@pytest.mark.parametrize("wanted", ["L4:4", "{L4: 4, L40S: 4}", "[L4:4, L40S:4]"])
def test_a_task_with_alternatives_sees_as_many_gpus_as_it_asked_for(wanted: str) -> None:
    source = Source("job.yaml", f"resources:\n  accelerators: {wanted}\nrun: nvidia-smi\n")
    flags = Inputs(flags=Flags(move=True))
    (script,) = driver.compile(source, flags, emit="script", frontend="skypilot").artifacts
    assert "CUDA_VISIBLE_DEVICES=0,1,2,3 " in script.text


READ = [
    ("run: echo $SKYPILOT_JOBGROUP_NAME\n", "`SKYPILOT_JOBGROUP_NAME`"),
    (
        "setup: |\n  echo ${SKYPILOT_JOB_ID}\nrun: echo $SKYPILOT_CLUSTER_NAME\n",
        "`SKYPILOT_JOB_ID`, `SKYPILOT_CLUSTER_NAME`",
    ),
    ("run: echo ${SKYPILOT_JOBGROUP_NAME:-none} $SKYPILOT_NODE_RANK ${SKYPILOT_JOB_RANK}\n", None),
    ("envs: {SKYPILOT_X: 1}\nsecrets: {SKYPILOT_Y: null}\nrun: echo $SKYPILOT_X $SKYPILOT_Y\n", None),
    ("run: |\n  # $SKYPILOT_A\n  SKYPILOT_B=1\n  echo $SKYPILOT_B\n", None),
]


@pytest.mark.parametrize(("task", "items"), READ)
def test_variables_of_skypilot_that_nothing_sets_are_told(task: str, items: str | None) -> None:
    found = [each.message for each in checked(task).diagnostics if each.code.name == "skypilot-variable-not-set"]
    assert found == ([f"nothing sets {items}"] if items else [])


def test_a_managed_job_is_the_only_one_of_its_kind() -> None:
    """As `sky jobs launch` without `--num-jobs`: what divides the work by these variables does all of it."""
    task = "run: python part.py $SKYPILOT_JOB_RANK $SKYPILOT_NUM_JOBS $SKYPILOT_SERVE_REPLICA_ID\n"
    (script,) = driver.compile(Source("job.yaml", task), Inputs(), emit="script", frontend="skypilot").artifacts
    for word in ("SKYPILOT_JOB_RANK=0", "SKYPILOT_NUM_JOBS=1", "SKYPILOT_SERVE_REPLICA_ID=1"):
        assert word in script.text
