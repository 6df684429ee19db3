"""SkyPilot tasks: where they may run, alternatives, images."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags
from tests.frontends.skypilot.examples import BASE
from tests.frontends.skypilot.reading import checked, compiled, jobs, names, told, with_resources

GIB = 1 << 30


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
        ("cloud: GCP", "gcp", "write `cloud: mithril`, or give `--set resources.cloud=mithril`"),
        (
            "cloud: aws, region: us-east-1, zone: us-east-1a",
            "aws/us-east-1/us-east-1a",
            "write `cloud: mithril` and a region of Mithril or none, or give a region with `--region`",
        ),
        ("region: eu-north1", "*/eu-north1", "name a region of Mithril, or give one with `--region`"),
        (
            "any_of: [{infra: aws}, {infra: gcp}]",
            "aws or gcp",
            "write `infra: mithril`, or give `--set resources.any_of[0].infra=mithril`",
        ),
    ],
)
def test_places_on_other_clouds(text: str, place: str, help: str) -> None:
    if not help.startswith("did"):  # what is no cloud is refused for every target
        (job,) = jobs(with_resources(text))
        assert " or ".join(job["placement"]["clouds"]) == place
    (found,) = checked(with_resources(text)).diagnostics
    assert found.message == f"the task is pinned to `{place}`: flowc bids at Mithril only"
    move = "" if help.startswith("did") else "; `--move` leaves all out that pins the task to another cloud"
    assert found.help == help + move


def test_the_other_cloud_is_taken_out_by_its_fix() -> None:
    text = "resources:\n  cloud: aws\n  region: us-east-1\n  accelerators: H100:8\nrun: 'true'\n"
    (found,) = checked(text).diagnostics
    assert found.fix is not None
    assert not found.fix.certain
    for edit in sorted(found.fix.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == "resources:\n  cloud: mithril\n  accelerators: H100:8\nrun: 'true'\n"


@pytest.mark.parametrize(
    ("text", "clouds"),
    [
        ("infra: mithril", ["mithril"]),
        ("cloud: Mithril, region: us-central1-b", ["mithril"]),
        ("infra: '*'", []),
        ("region: us-central1-b", []),
        ("any_of: [{infra: mithril}, {infra: aws}]", ["mithril"]),
        ("any_of: [{infra: mithril}, {region: us-central1-b}]", []),
    ],
)
def test_clouds_that_are_named(text: str, clouds: list[str]) -> None:
    (job,) = jobs(with_resources(f"accelerators: H100:8, {text}"))
    assert job["placement"]["clouds"] == clouds
    assert not checked(with_resources(f"accelerators: H100:8, {text}")).failed


def test_another_target_takes_a_job_of_another_cloud() -> None:
    text = "resources: {infra: aws, accelerators: 'H100:8'}\nrun: 'true'\n"
    assert not flowc.compile(text, path="job.yaml", emit="cloud-init").failed
    assert flowc.compile(text, path="job.yaml").failed


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
    text = "cpus: 8+, infra: aws, ordered: [{infra: mithril, accelerators: H100:8}, {infra: mithril, memory: 1TB+}]"
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
        "any_of: [{accelerators: [H100:8]}, {accelerators: H200:8}]",
        "accelerators: [H100:8, H200:8], any_of: [{infra: mithril}]",
        "infra: mithril, any_of: [{region: us-central1-b}]",
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
    ],
)
def test_images_that_are_none_of_containers(text: str, code: str) -> None:
    assert names(with_resources(f"image_id: {text}")) == [code]


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("cloud: kubernetes, image_id: 'nvcr.io/nvidia/pytorch:26.02-py3'", "nvcr.io/nvidia/pytorch:26.02-py3"),
        ("infra: K8s/context, image_id: 'ubuntu:24.04'", "ubuntu:24.04"),
        ("cloud: runpod, region: US, image_id: {US: 'a/b:1'}", "a/b:1"),
        ("infra: ssh/pool, image_id: 'docker:a/b'", "a/b"),
        ("image_id: 'pytorch/pytorch:2.5.1-cuda12.4-cudnn9-devel'", "pytorch/pytorch:2.5.1-cuda12.4-cudnn9-devel"),
        ("cloud: gcp, image_id: 'projects/deeplearning/global/images/family'", None),
        ("cloud: aws, image_id: ami-0123456789abcdef0", None),
        ("cloud: azure, image_id: 'microsoft-dsvm:ubuntu-2004:2004:21.11.04'", None),
        ("cloud: gcp, image_id: 'skypilot:gpu-debian-10'", None),
    ],
)
def test_images_without_docker_that_move(text: str, image: str | None) -> None:
    """Where pods are the machines, an image without `docker:` is a container's."""
    flags = Flags(move=True)
    (job,) = jobs(with_resources(text), flags)
    assert job["image"] == image
    assert ("left-out" in names(with_resources(text), flags)) is (image is None)


def test_docker_is_written_before_an_image_by_its_fix() -> None:
    (found,) = compiled(with_resources("image_id: rocm/pytorch:latest")).diagnostics
    assert found.fix is not None
    assert [edit.text for edit in found.fix.edits] == ["docker:rocm/pytorch:latest"]


def test_docker_options() -> None:
    task = {**BASE, "config": {"docker": {"run_options": ["-v /tmp:/tmp", "--label='a b'"]}}}
    assert names(task) == ["skypilot-ignored"]
    task["resources"] = {"image_id": "docker:ubuntu:24.04"}
    assert jobs(task)[0]["isolation"]["options"] == ["--volume=/tmp:/tmp", "--label=a b"]
    task["config"] = {"docker": {"run_options": "--label='a"}}
    assert names(task) == ["skypilot-conflict"]
