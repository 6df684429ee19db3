"""SkyPilot tasks: what their values become, and what is said of those that cannot be had."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from flowc import driver
from flowc.diag.render import render
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from tests.frontends.skypilot.examples import BASE

GIB = 1 << 30
LOGIN = ("SKYPILOT_DOCKER_USERNAME", "SKYPILOT_DOCKER_PASSWORD", "SKYPILOT_DOCKER_SERVER")


def compiled(task: Any, flags: Flags | None = None) -> driver.Result:
    text = task if isinstance(task, str) else yaml.safe_dump(task, sort_keys=False)
    return driver.compile(Source("job.yaml", text), Inputs(flags=flags or Flags()), emit="ir", frontend="skypilot")


def jobs(task: Any, flags: Flags | None = None) -> list[dict[str, Any]]:
    result = compiled(task, flags)
    assert [each.message for each in result.diagnostics if each.severity == "error"] == []
    found: list[dict[str, Any]] = json.loads(result.artifacts[0].text)["jobs"]
    return found


def told(task: Any, flags: Flags | None = None) -> list[tuple[str, str]]:
    return [(each.code.name, each.message) for each in compiled(task, flags).diagnostics]


def names(task: Any, flags: Flags | None = None) -> list[str]:
    return [name for name, _ in told(task, flags)]


def with_resources(text: str) -> str:
    return f"resources: {{{text}}}\nrun: 'true'\n"


def wanted(text: str) -> list[tuple[str | None, int | None, int | None]]:
    (job,) = jobs(with_resources(f"accelerators: {text}"))
    found = job["resources"].get("choices") or [job["resources"]]
    return [(each.get("gpu_model"), each.get("gpu_memory_bytes"), each.get("gpus_per_node")) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("H100", [("h100", None, 1)]),
        ("h100:8", [("h100", None, 8)]),
        ("'H100: 8'", [("h100", None, 8)]),
        ("{H100: 8}", [("h100", None, 8)]),
        ("{H100: 8, A100-80GB: 4}", [("h100", None, 8), ("a100-80gb", None, 4)]),
        ("{H100:8, A100-80GB:4}", [("h100", None, 8), ("a100-80gb", None, 4)]),
        ("{H100, H200}", [("h100", None, 1), ("h200", None, 1)]),
        ("[H100:8, A100-80GB:8]", [("h100", None, 8), ("a100-80gb", None, 8)]),
        ("[{H100: 8}, {H200: null}]", [("h100", None, 8), ("h200", None, 1)]),
        ("80GB+", [(None, 80 * GIB, 1)]),
        ("80GB:2", [(None, 80 * GIB, 2)]),
        ("80GB+:2", [(None, 80 * GIB, 2)]),
        ("NVIDIA:80GB+:2", [(None, 80 * GIB, 2)]),
        ("H100:0.5", [("h100", None, 1)]),
        ("H100:8.0", [("h100", None, 8)]),
        ("null", [(None, None, None)]),
    ],
)
def test_forms_of_accelerators(text: str, expected: list[tuple[str | None, int | None, int | None]]) -> None:
    assert wanted(text) == expected


@pytest.mark.parametrize(("text", "ordered"), [("[H100:8, H200:8]", True), ("{H100: 8, H200: 8}", False)])
def test_a_list_is_in_order_and_a_mapping_is_not(text: str, ordered: bool) -> None:
    (job,) = jobs(with_resources(f"accelerators: {text}"))
    assert job["resources"].get("choices_ordered", False) is ordered


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("8xH100", "did you mean `H100:8`?"),
        ("8 * h100", "did you mean `h100:8`?"),
        ("H100:0", "write the name and a count: `H100:8`"),
        ("H100:x", "write the name and a count: `H100:8`"),
        ("H100:8:2", "write the name and a count: `H100:8`"),
        ("H100:-1", "write the name and a count: `H100:8`"),
        ("H100:1e3", "write the name and a count: `H100:8`"),
        ("8", "write the name and a count: `H100:8`"),
        ("':8'", "write the name and a count: `H100:8`"),
        ("'H100:8, H200:8'", "alternatives are a list or a mapping: `[H100:8, A100-80GB:8]`"),
        ("[[H100:8]]", "write the name and a count: `H100:8`"),
        ("{H100: [8]}", "write the name and a count: `H100:8`"),
    ],
)
def test_what_is_no_accelerator(text: str, help: str) -> None:
    (found,) = [each for each in compiled(with_resources(f"accelerators: {text}")).diagnostics]
    assert (found.code.name, found.help) == ("accelerators", help)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("memory: 64", 64 * GIB),
        ("memory: 64+", 64 * GIB),
        ("memory: 1.5", 3 * GIB // 2),
        ("memory: 512mb+", GIB // 2),
        ("memory: 1TB", 1024 * GIB),
        ("memory: 64 GB", 64 * GIB),
    ],
)
def test_sizes_are_powers_of_1024(text: str, expected: int) -> None:
    assert jobs(with_resources(text))[0]["resources"]["memory_bytes_per_node"] == expected


@pytest.mark.parametrize(
    "text",
    [
        *("memory: 32GiB", "memory: 0", "memory: 3x", "cpus: 0", "cpus: 4GB", "cpus: -1", "disk_size: 0"),
        *("disk_size: 100.5", f"memory: {'9' * 400}", "disk_tier: fast", "job_recovery: nonexist", "priority: 2000"),
        *("autostop: 5.5", "autostop: 1.5h", "region: [a, b]"),
    ],
)
def test_values_that_are_refused(text: str) -> None:
    assert compiled(with_resources(text)).failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8080", [8080]),
        ("'8080'", [8080]),
        ("6006-6008", [6006, 6007, 6008]),
        ("[8080, 6006-6010, '6008-6012,9000']", [*range(6006, 6013), 8080, 9000]),
    ],
)
def test_ports_are_merged_and_in_order(text: str, expected: list[int]) -> None:
    assert [port["internal"] for port in jobs(with_resources(f"ports: {text}"))[0]["ports"]] == expected


@pytest.mark.parametrize("text", ["0", "70000", "6010-6006", "http", "1-5000", "true", "[8080, [1]]"])
def test_what_is_no_port(text: str) -> None:
    assert compiled(with_resources(f"ports: {text}")).failed


# Places -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("infra: mithril", []),
        ("infra: MITHRIL/us-central1-b", ["us-central1-b"]),
        ("infra: mithril/*", []),
        ("infra: '*'", []),
        ("infra: '*/us-central1-b'", ["us-central1-b"]),
        ("cloud: Mithril, region: us-central1-b", ["us-central1-b"]),
        ("region: us-central1-b", ["us-central1-b"]),
        ("cloud: null, region: null", []),
    ],
)
def test_places_that_can_be_had(text: str, regions: list[str]) -> None:
    assert jobs(with_resources(text))[0].get("placement", {}).get("regions", []) == regions


@pytest.mark.parametrize(
    ("text", "place", "help"),
    [
        ("infra: aws", "aws", "write `infra: mithril`, or give `--set resources.infra=mithril`"),
        ("infra: k8s/a/b", "k8s/a/b", "write `infra: mithril`, or give `--set resources.infra=mithril`"),
        ("infra: mithrill", "mithrill", "did you mean `mithril`?"),
        ("cloud: GCP", "GCP", "write `cloud: mithril`, or give `--set resources.cloud=mithril`"),
        (
            "cloud: aws, region: us-east-1, zone: us-east-1a",
            "aws/us-east-1/us-east-1a",
            "write `cloud: mithril` and a region of Mithril or none, or give a region with `--region`",
        ),
        ("region: eu-north1", "eu-north1", "name a region of Mithril, or give one with `--region`"),
        (
            "any_of: [{infra: aws}, {infra: gcp}]",
            "aws",
            "write `infra: mithril`, or give `--set resources.any_of[0].infra=mithril`",
        ),
    ],
)
def test_places_on_other_clouds(text: str, place: str, help: str) -> None:
    (found,) = compiled(with_resources(text)).diagnostics
    assert found.message == f"the task is pinned to `{place}`: flowc bids at Mithril only"
    assert found.help == help


def test_the_other_cloud_is_taken_out_by_its_fix() -> None:
    text = "resources:\n  cloud: aws\n  region: us-east-1\n  accelerators: H100:8\nrun: 'true'\n"
    (found,) = compiled(text).diagnostics
    assert found.fix is not None
    assert not found.fix.certain
    for edit in sorted(found.fix.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == "resources:\n  cloud: mithril\n  accelerators: H100:8\nrun: 'true'\n"


def test_a_zone_is_refused() -> None:
    assert names(with_resources("infra: mithril/us-central1-b/c")) == ["skypilot-conflict"]
    assert names(with_resources("cloud: mithril, zone: a")) == ["skypilot-conflict"]


@pytest.mark.parametrize("flags", [Flags(region="us-central1-b"), Flags(instance_type="h100-80gb.sxm.8x")])
@pytest.mark.parametrize("text", ["infra: aws/us-east-1", "any_of: [{cloud: aws, region: us-east-1}, {cloud: gcp}]"])
def test_flags_overrule_the_place(text: str, flags: Flags) -> None:
    task = with_resources(f"accelerators: H100:8, {text}")
    assert names(task, flags) == ["place-overruled"]
    (job,) = jobs(task, flags)
    assert job["placement"].get("regions", []) == ([flags.region] if flags.region else [])
    assert [each["action"] for each in job["outcome"] if each["code"] == "FC380"][:1] == ["ignored"]


def test_alternatives_on_other_clouds_are_left_out() -> None:
    task = with_resources("any_of: [{infra: aws, accelerators: A100:8}, {infra: mithril, accelerators: H100:8}]")
    assert told(task) == [("choices-dropped", "1 of 2 alternatives lie on other clouds (`aws`) and are left out")]
    (job,) = jobs(task)
    assert job["resources"]["gpu_model"] == "h100"
    actions = {each["input"]: each["action"] for each in job["outcome"]}
    assert actions["resources.any_of[0].accelerators"] == "ignored"
    assert actions["resources.any_of[1].accelerators"] == "lowered"


def test_alternatives_are_put_over_the_outer_keys() -> None:
    text = "cpus: 8+, infra: aws, ordered: [{infra: mithril, accelerators: H100:8}, {cloud: mithril, memory: 1TB+}]"
    (job,) = jobs(with_resources(text))
    first, second = job["resources"]["choices"]
    assert job["resources"]["choices_ordered"]
    assert (first["gpu_model"], first["cpus_per_node"]) == ("h100", 8)
    assert (second["memory_bytes_per_node"], second["cpus_per_node"]) == (1024 * GIB, 8)


@pytest.mark.parametrize(
    "text",
    [
        "any_of: [{infra: mithril}], ordered: [{infra: mithril}]",
        "any_of: [{any_of: [{infra: mithril}]}]",
        "ordered: [{accelerators: {H100: 8, H200: 8}}, {accelerators: B200:8}]",
        "infra: mithril, region: us-central1-b",
        "gpus: H100:8, accelerators: H100:8",
        "any_of: [{image_id: 'docker:a/b'}, {image_id: 'docker:c/d'}]",
        "any_of: [{ports: 80}, {}]",
    ],
)
def test_keys_that_exclude_each_other(text: str) -> None:
    assert names(with_resources(text)) == ["skypilot-conflict"]


def test_the_largest_disk_of_all_alternatives_is_asked_for() -> None:
    text = "any_of: [{disk_size: 100, accelerators: H100:8}, {disk_size: 1TB, accelerators: H200:8}]"
    assert jobs(with_resources(text))[0]["resources"]["disk_bytes"] == 1024 * GIB
    assert names(with_resources(text)) == ["skypilot-approximated"]


def test_alternatives_that_say_the_same_of_the_job() -> None:
    text = "any_of: [{autostop: 5, accelerators: H100:8}, {autostop: 5, accelerators: H200:8}]"
    assert jobs(with_resources(text))[0]["terminate_on_exit"]


def test_a100_is_no_smaller_part_at_mithril() -> None:
    assert names(with_resources("accelerators: A100:8")) == ["a100-means-40-gb"]
    assert names(with_resources("accelerators: A100:8, infra: mithril")) == []


# Images -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("docker:ubuntu:24.04", "ubuntu:24.04"),
        ("{docker: 'ubuntu:24.04'}", "ubuntu:24.04"),
        ("{us-east-1: ami-1, docker: 'ubuntu:24.04'}", "ubuntu:24.04"),
        ("{us-east-1: 'docker:ubuntu:24.04'}", "ubuntu:24.04"),
    ],
)
def test_images_of_containers(text: str, image: str) -> None:
    assert jobs(with_resources(f"image_id: {text}"))[0]["image"] == image


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("runpod/pytorch:2.4.0-py3.11", "image-without-docker"),
        ("ghcr.io/org/name:latest", "image-without-docker"),
        ("us-central1-docker.pkg.dev/a/b/c:v0.1", "image-without-docker"),
        ("ami-0123456789abcdef0", "vm-image"),
        ("skypilot:cpu-debian-10", "vm-image"),
        ("projects/deeplearning/global/images/family", "vm-image"),
        ("microsoft-dsvm:ubuntu-2004:2004:21.11.04", "vm-image"),
        ("{us-east-1: ami-1}", "vm-image"),
        ("{}", "vm-image"),
    ],
)
def test_images_that_are_none_of_containers(text: str, code: str) -> None:
    assert names(with_resources(f"image_id: {text}")) == [code]


def test_docker_is_written_before_an_image_by_its_fix() -> None:
    (found,) = compiled(with_resources("image_id: rocm/pytorch:latest")).diagnostics
    assert found.fix is not None
    assert [edit.text for edit in found.fix.edits] == ["docker:rocm/pytorch:latest"]


def test_docker_options() -> None:
    task = {**BASE, "config": {"docker": {"run_options": ["-v /tmp:/tmp", "--label='a b'"]}}}
    assert names(task) == ["skypilot-ignored"]
    task["resources"] = {"image_id": "docker:ubuntu:24.04"}
    assert jobs(task)[0]["isolation"]["options"] == ["-v", "/tmp:/tmp", "--label=a b"]
    task["config"] = {"docker": {"run_options": "--label='a"}}
    assert names(task) == ["skypilot-conflict"]


# Variables and secrets ----------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("key", ["secrets", "envs"])
def test_values_of_secrets_go_nowhere(key: str) -> None:
    values = dict.fromkeys(LOGIN, "hidden-value") if key == "envs" else {"TOKEN": "hidden-value"}
    task = {**BASE, key: values, "resources": {"image_id": "docker:ubuntu:24.04"}}
    if key == "envs":
        task["envs"]["SKYPILOT_DOCKER_SERVER"] = "registry.example.com"
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


def test_names_of_secrets() -> None:
    task = {**BASE, "secrets": ["secrets:A", "workspace.B"], "managed_secrets": {"C": {"mount_path": "/run/c"}}}
    (job,) = jobs(task)
    assert job["secrets"] == ["A", "B"]
    assert [(file["path"], file["secret"]) for file in job["files"]] == [("/run/c", "C")]


# Mounts -------------------------------------------------------------------------------------------------------------


def mounts(task: dict[str, Any], flags: Flags | None = None) -> list[tuple[str, str, str, bool]]:
    (job,) = jobs({**BASE, **task}, flags)
    return [(each["kind"], each["source"], each["target"], each["copy"]) for each in job["mounts"]]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"workdir": "."}, ("local", ".", "~/sky_workdir", True)),
        ({"workdir": "~/code"}, ("local", "~/code", "~/sky_workdir", True)),
        ({"workdir": {"url": "https://git.example/a"}}, ("git", "https://git.example/a", "~/sky_workdir", False)),
        ({"workdir": {"url": "git@h.org:a.git", "ref": "v1"}}, ("git", "git@h.org:a.git#v1", "~/sky_workdir", False)),
        ({"workdir": "https://github.com/a/b"}, ("git", "https://github.com/a/b", "~/sky_workdir", False)),
        ({"file_mounts": {"/d": "./d"}}, ("local", "./d", "/d", True)),
        ({"file_mounts": {"~/.netrc": "~/.netrc"}}, ("local", "~/.netrc", "~/.netrc", True)),
        ({"file_mounts": {"d/": "code"}}, ("local", "./code", "~/sky_workdir/d", True)),
        ({"file_mounts": {"/d": "s3://b/p"}}, ("bucket", "s3://b/p", "/d", True)),
        ({"file_mounts": {"/d": {"source": "gs://b"}}}, ("bucket", "gs://b", "/d", False)),
        ({"file_mounts": {"/d": {"source": "gs://b", "mode": "copy"}}}, ("bucket", "gs://b", "/d", True)),
        ({"file_mounts": {"/d": {"name": "b", "store": "R2"}}}, ("bucket", "r2://b", "/d", False)),
        ({"volumes": {"/d": {"name": "v", "sub_path": "/in/it/"}}}, ("volume", "v/in/it", "/d", False)),
        ({"volumes": {"/d": {"size": "1TB", "type": "ephemeral"}}}, ("scratch", "d", "/d", False)),
    ],
)  # fmt: skip
def test_forms_of_mounts(task: dict[str, Any], expected: tuple[str, str, str, bool]) -> None:
    assert mounts(task) == [expected]


@pytest.mark.parametrize(
    "task",
    [
        {"workdir": {"url": "https://user:pass@github.com/a/b"}},
        {"workdir": {"url": "s3://bucket"}},
        {"file_mounts": {"/d": {"name": "b"}}},
        {"file_mounts": {"/d": {"name": "b", "store": "azure"}}},
        {"file_mounts": {"/d": {"mode": "MOUNT"}}},
        {"file_mounts": {"/d": {"name": None}}},
        {"file_mounts": {"/d": {"name": "b", "source": ["a", "b"]}}},
        {"file_mounts": {"/d": "ftp://host/a"}},
        {"file_mounts": {"/d": "s3://${NOWHERE}/a"}},
        {"file_mounts": {"/$NOWHERE": "s3://b"}},
        {"volumes": {"d": "v"}},
        {"volumes": {"/d": {"type": "ephemeral"}}},
        {"volumes": {"/d": "$NOWHERE"}},
    ],
)
def test_what_cannot_be_mounted(task: dict[str, Any]) -> None:
    assert names({**BASE, **task}) == ["skypilot-mount"]


def test_variables_are_put_into_mounts() -> None:
    task = {
        "envs": {"BUCKET": "b", "STORE": "s3", "EMPTY": ""},
        "file_mounts": {"/data/$BUCKET": {"name": "${BUCKET}", "store": "$STORE"}},
        "volumes": {"/v": "${BUCKET}-volume"},
    }
    assert mounts(task) == [("bucket", "s3://b", "/data/b", False)]
    assert mounts(task, Flags(env=(("BUCKET", "c"),))) == [("bucket", "s3://c", "/data/c", False)]
    task["volumes"] = {"/v": "$EMPTY"}
    assert told({**BASE, **task})[0] == (
        "skypilot-mount",
        "`volumes./v` cannot be mounted: the variable `EMPTY` has no value",
    )


def test_a_secret_is_not_put_into_a_mount() -> None:
    task = {**BASE, "secrets": {"PART": "hidden-value"}, "file_mounts": {"/d": "s3://b/$PART"}}
    assert "`PART` is a secret, and would be readable there" in str(told(task))
    assert "hidden-value" not in str(told(task))


def test_a_local_source_of_a_bucket_is_copied_to_the_machine() -> None:
    task = {**BASE, "file_mounts": {"/d": {"name": "b", "store": "s3", "source": "./d"}}}
    assert names(task) == ["skypilot-approximated"]


# Several tasks ------------------------------------------------------------------------------------------------------


def test_a_pipeline_depends_on_the_task_before() -> None:
    text = "name: all\n---\nname: a\nrun: 'true'\n---\nrun: 'true'\n"
    first, second = jobs(text)
    assert (first["name"], second["name"]) == ("a", "all-1")
    assert "depends_on" not in first or not first["depends_on"]
    assert second["depends_on"] == [{"kind": "afterok", "on": "a"}]
    assert first["outcome"][0]["input"] == "name"


def test_a_group_does_not() -> None:
    text = "name: all\nexecution: parallel\nplacement: SAME_INFRA\n---\nrun: 'true'\n---\nrun: 'true'\n"
    assert [job.get("depends_on", []) for job in jobs(text)] == [[], []]
    assert sorted(names(text)) == ["skypilot-ignored", "skypilot-job-group"]


def test_a_value_that_is_set_reaches_the_tasks_and_not_the_head() -> None:
    text = "name: all\n---\nresources: {infra: aws}\nrun: 'true'\n---\nresources: {infra: aws}\nrun: 'true'\n"
    assert len(jobs(text, Flags(sets=(("resources.infra", "mithril"),)))) == 2


@pytest.mark.parametrize("text", ["setup: true", "run: ''", "run: null", "run: ' '", "name: a"])
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


def test_values_of_secrets_are_not_in_the_document() -> None:
    text = "secrets: {OTHER: hidden-value}\nrun: 'true'\n"
    result = driver.compile(Source("job.yaml", text), Inputs(), emit="ast", frontend="skypilot")
    assert "hidden-value" not in result.artifacts[0].text
