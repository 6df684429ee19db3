"""Foundry YAML v1.2: every field of the format is decided and has its effect; generated tasks lower, mutated ones never
crash."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowc import driver
from flowc._compiled.foundry_fields import TYPES
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from flowc.yamldoc.ledger import undecided

ROOT = Path(__file__).resolve().parents[3]
BASE: dict[str, Any] = {
    "name": "train",
    "project_name": "research",
    "ssh_key_name": "laptop",
    "task_management": {},
    "resources_specification": {},
    "startup_script": "python train.py\n",
    "version": 1.2,
}
VOLUME = {"volume_name": "data", "size": 10, "mount_point": "/mnt/data"}

# What the reference lists as fields of the format (task YAML reference, B1 and B2), as they are spelt in a file.
LISTED = {
    "Task": "name project_name ssh_key_name task_management num_instances resources_specification ports "
    "persistent_storage ephemeral_storage_config networking resources container_image startup_script version",
    "Management": "priority utility_threshold_price num_instances",
    "Resources": "fcp_instance num_instances num_gpus cluster_id gpu_type intranode_interconnect "
    "internode_interconnect advanced",
    "Advanced": "optimize nearest_estimated_duration",
    "Create": "volume_name storage_type size mount_point region_id disk_interface",
    "Attach": "volume_name mount_point region_id",
    "Storage": "create attach mount_dir",
    "Ephemeral": "type mounts",
    "Networking": "dc_network_class",
    "Machine": "vCPU RAM",
    "Image": "image_name build_context run_options",
    "Port": "external internal protocol",
}

# For each lowered or approximated row: where it stands, a value, and what else the task must say.
EXAMPLES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "Task.name": ("name", "other", {}),
    "Task.project_name": ("project_name", "other", {}),
    "Task.ssh_key_name": ("ssh_key_name", "other", {}),
    "Task.num_instances": ("num_instances", 2, {}),
    "Task.ports": ("ports", [8080], {}),
    "Task.startup_script": ("startup_script", "true\n", {}),
    "Management.priority": ("task_management.priority", "low", {}),
    "Management.utility_threshold_price": ("task_management.utility_threshold_price", 9, {}),
    "Management.num_instances": ("task_management.num_instances", 2, {}),
    "Resources.fcp_instance": ("resources_specification.fcp_instance", "h100.8x.SXM5.IB", {}),
    "Resources.num_instances": ("resources_specification.num_instances", 2, {}),
    "Resources.num_gpus": ("resources_specification.num_gpus", 2, {}),
    "Resources.cluster_id": ("resources_specification.cluster_id", "us-central1-b", {}),
    "Resources.gpu_type": ("resources_specification.gpu_type", "h100", {}),
    "Resources.internode_interconnect": ("resources_specification.internode_interconnect", "IB_1600", {}),
    "Port.external": ("ports", [{"external": 81, "internal": 80}], {"ports": [{"external": 80, "internal": 80}]}),
    "Port.internal": ("ports", [{"external": 80, "internal": 81}], {"ports": [{"external": 80, "internal": 80}]}),
    "Port.protocol": (
        "ports",
        [{"external": 80, "internal": 80, "protocol": "udp"}],
        {"ports": [{"external": 80, "internal": 80}]},
    ),
    "Storage.mount_dir": (
        "persistent_storage.mount_dir",
        "/d",
        {"persistent_storage": {"attach": {"volume_name": "v"}}},
    ),
    "Create.volume_name": ("persistent_storage.create.volume_name", "x", {"persistent_storage": {"create": VOLUME}}),
    "Create.storage_type": (
        "persistent_storage.create.storage_type",
        "nfs",
        {"persistent_storage": {"create": VOLUME}},
    ),
    "Create.size": ("persistent_storage.create.size", 11, {"persistent_storage": {"create": VOLUME}}),
    "Create.size_unit": ("persistent_storage.create.size_unit", "tb", {"persistent_storage": {"create": VOLUME}}),
    "Create.mount_point": ("persistent_storage.create.mount_point", "/x", {"persistent_storage": {"create": VOLUME}}),
    "Create.region_id": (
        "persistent_storage.create.region_id",
        "us-east1-a",
        {"persistent_storage": {"create": VOLUME}},
    ),
    "Create.disk_interface": (
        "persistent_storage.create.disk_interface",
        "File",
        {"persistent_storage": {"create": VOLUME}},
    ),
    "Attach.volume_name": ("persistent_storage.attach", {"volume_name": "v"}, {}),
    "Attach.mount_point": (
        "persistent_storage.attach.mount_point",
        "/x",
        {"persistent_storage": {"attach": {"volume_name": "v"}}},
    ),
    "Attach.region_id": (
        "persistent_storage.attach.region_id",
        "us-east1-a",
        {"persistent_storage": {"attach": {"volume_name": "v"}}},
    ),
    "Attach.storage_type": (
        "persistent_storage.attach.storage_type",
        "nfs",
        {"persistent_storage": {"attach": {"volume_name": "v"}}},
    ),
    "Attach.disk_interface": (
        "persistent_storage.attach.disk_interface",
        "File",
        {"persistent_storage": {"attach": {"volume_name": "v"}}},
    ),
    "Ephemeral.mounts": ("ephemeral_storage_config.mounts", {"/dev/x": "/scratch"}, {}),
    "Image.image_name": ("container_image.image_name", "ubuntu", {}),
    "Image.run_options": ("container_image.run_options", "--init", {"container_image": {"image_name": "ubuntu"}}),
    "Machine.vCPU": ("resources.vCPU", 4, {}),
    "Machine.RAM": ("resources.RAM", 4, {}),
}
# Read for the gate that they are; another value is an error (see test_versions).
GATES = {"Task.version"}


def compiled(task: Any, **options: Any) -> driver.Result:
    text = task if isinstance(task, str) else yaml.safe_dump(task, sort_keys=False)
    return driver.compile(Source("job.yaml", text), Inputs(**options), emit="ir", frontend="foundry-yaml")


def ir(task: Any, **options: Any) -> str:
    result = compiled(task, **options)
    assert [each.message for each in result.diagnostics if each.severity == "error"] == []
    return result.artifacts[0].text.split('"outcome"')[0].split('"run"', 1)[1]


def errors(task: Any) -> list[tuple[str, str]]:
    found = compiled(task).diagnostics
    return [(each.code.name, each.message) for each in found if each.severity == "error"]


def with_value(path: str, value: Any, more: dict[str, Any]) -> dict[str, Any]:
    task = copy.deepcopy({**BASE, **more})
    place = task
    *keys, last = path.split(".")
    for key in keys:
        place = place.setdefault(key, {})
    place[last] = value
    return task


def test_every_field_is_decided() -> None:
    assert undecided(TYPES) == []


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_field_has_a_row(name: str) -> None:
    assert set(LISTED[name].split()) <= set(TYPES[name])


def test_every_lowered_row_has_an_example() -> None:
    rows = {
        f"{name}.{key}"
        for name, fields in TYPES.items()
        for key, field in fields.items()
        if field.get("action") in ("lowered", "approximated")
    }
    assert rows - GATES == set(EXAMPLES)


@pytest.mark.parametrize("row", EXAMPLES)
def test_field_has_its_effect(row: str) -> None:
    path, value, more = EXAMPLES[row]
    changed = compiled(with_value(path, value, more)).artifacts[0].text.split('"outcome"')[0]
    same = compiled({**BASE, **more}).artifacts[0].text.split('"outcome"')[0]
    strip = [line for line in changed.splitlines() if "sha256" not in line]
    assert strip != [line for line in same.splitlines() if "sha256" not in line]


@pytest.mark.parametrize("version", ["1.2", "1.20", "'1.2'"])
def test_versions_that_are_read(version: str) -> None:
    ir(yaml.safe_dump({**BASE, "version": None}).replace("version: null", f"version: {version}"))


def test_other_versions_are_refused() -> None:
    assert errors({**BASE, "version": 1.3}) == [("foundry-version", "the file is of version 1.3, only 1.2 is read")]


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([8080, "8081"], [(8080, 8080), (8081, 8081)]),
        (["6006-6008"], [(6006, 6006), (6007, 6007), (6008, 6008)]),
        (["6006 - 6007"], [(6006, 6006), (6007, 6007)]),
        ([{"external": "90-91", "internal": "80-81"}], [(90, 80), (91, 81)]),
        ([80], [(80, 80)]),
    ],
)
def test_forms_of_ports(ports: list[Any], expected: list[tuple[int, int]]) -> None:
    import json

    (job,) = json.loads(compiled({**BASE, "ports": ports}).artifacts[0].text)["jobs"]
    assert [(each["external"], each["internal"]) for each in job["ports"]] == expected


@pytest.mark.parametrize("port", [0, 65536, 80.5, True, "a", "9-8", "1-5000", {"external": 80}, ["80"]])
def test_what_is_no_port(port: Any) -> None:
    assert errors({**BASE, "ports": [port]})


def test_flags_stand_in_for_project_and_key() -> None:
    task = {key: value for key, value in BASE.items() if key not in ("project_name", "ssh_key_name")}
    assert [code for code, _ in errors(task)] == ["foundry-no-identity"] * 2
    ir(task, flags=Flags(project="p", ssh_keys=("k",)))


@pytest.mark.parametrize(("price", "warned"), [(2.24, True), (17.92, False), (40, False)])
def test_price_that_looks_like_that_of_one_gpu(price: float, warned: bool) -> None:
    task = with_value("task_management.utility_threshold_price", price, {})
    task["resources_specification"]["fcp_instance"] = "h100.8x.SXM5.IB"
    assert ("price-per-gpu" in [each.code.name for each in compiled(task).diagnostics]) is warned


def test_several_documents_are_several_jobs() -> None:
    import json

    text = yaml.safe_dump(BASE) + "---\n" + yaml.safe_dump({**BASE, "name": "second"})
    assert [job["name"] for job in json.loads(compiled(text).artifacts[0].text)["jobs"]] == ["train", "second"]


TASKS = st.fixed_dictionaries(
    {
        **{key: st.just(value) for key, value in BASE.items() if value != {}},
        "name": st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    },
    optional={
        "task_management": st.fixed_dictionaries(
            {"priority": st.sampled_from(["critical", "high", "standard", "low"])},
            optional={"utility_threshold_price": st.integers(1, 500)},
        ),
        "resources_specification": st.fixed_dictionaries(
            {
                "fcp_instance": st.sampled_from(["a100.1x.SXM4.IB", "h100.8x.SXM5.IB"]),
                "num_instances": st.integers(1, 8),
            }
        ),
        "ports": st.lists(st.integers(1, 65535), unique=True, max_size=3),
        "persistent_storage": st.just({"create": VOLUME}),
    },
)


@given(TASKS)
def test_generated_tasks_lower_without_errors(task: dict[str, Any]) -> None:
    assert ir(task) == ir(task)


CASES = [path.read_text() for path in sorted(ROOT.glob("corpus/foundry-yaml/*/input.yaml"))]


@given(st.sampled_from(CASES), st.data())
def test_mutated_tasks_never_crash(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    piece = data.draw(st.sampled_from(["", "x", ":", "- ", "{", "null", "\n", "[1]", "-1", "'", "&a *a", "0", "~: "]))
    changed = text[:start] + piece + text[end:]
    first, second = compiled(changed), compiled(changed)
    assert [each.text for each in first.artifacts] == [each.text for each in second.artifacts]


def test_a_price_with_its_currency_is_told_what_to_write() -> None:
    task = {**BASE, "task_management": {"utility_threshold_price": "$5"}}
    (found,) = driver.check(Source("job.yaml", yaml.safe_dump(task)), Inputs(), frontend="foundry-yaml").diagnostics[:1]
    assert found.help == "write the number alone, US dollars for one machine and hour: `12.50`"
