"""SkyPilot tasks: what their values become, and what is said of those that cannot be had."""

from __future__ import annotations

import pytest

from tests.frontends.skypilot.reading import compiled, jobs, with_resources

GIB = 1 << 30


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
        ("H100x8", "did you mean `H100:8`?"),
        ("A100-80GB * 4", "did you mean `A100-80GB:4`?"),
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


def test_what_its_pods_would_have_is_told() -> None:
    spec = "{containers: [{volumeMounts: [{name: v, mountPath: /shared}, {name: s, mountPath: /dev/shm}], env: "
    text = f"config: {{kubernetes: {{pod_config: {{spec: {spec}[{{name: A, value: b}}]}}]}}}}}}}}\nrun: hostname\n"
    (told,) = [each.message for each in compiled(text).diagnostics if each.code.id == "FC361"]
    assert told.endswith("has not what its pods would: `/shared`, `A`")
