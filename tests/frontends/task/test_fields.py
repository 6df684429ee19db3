"""What becomes of fields: each has a decision, and where that is that it reaches the job, it does."""

from __future__ import annotations

import pytest

from flowc._compiled.task_fields import TYPES
from flowc.yamldoc.ledger import undecided
from tests.frontends.task.cases import HEAD, PLAIN, RUN, job, lowered, meaning

# Every field that releases of the format or the specification have, by the record in which it stands.
KNOWN = {
    "Task": """
        name unique_name idempotency_key instance_type min_gpu_memory_gb min_cpus min_memory_gb command shell script
        image env working_dir volumes data_mounts data ports retries max_price_per_hour max_run_time_hours
        min_run_time_hours deadline_hours placement workload_type preemptible_ok ssh_keys allocation_mode reservation_id
        scheduled_start_time reserved_duration_hours region num_instances priority distributed_mode
        internode_interconnect intranode_interconnect constraints upload_code upload_strategy upload_mode
        upload_timeout code_root runtime_files dev_vm terminate_on_exit k8s min_containers max_containers
        scaledown_window concurrency web_endpoint schedule docker_image startup_script environment append_suffix
        resources storage gpu cpu memory port input output gpu_count gpu_memory_gb timeout mounts
    """,
    "Volume": "name size_gb mount_path target volume_id interface iops throughput_mb_s create_if_missing",
    "DataMount": "source target mount_type options cache_key size_estimate_gb",
    "Retries": "max_retries backoff_coefficient initial_delay max_delay",
    "Constraints": """
        topology regions exclude_regions compliance min_interconnect_gbps min_egress_gbps min_ingress_gbps
        max_startup_minutes min_reliability max_price_per_hour
    """,
    "ImageBuild": "steps",
}

VOLUME = "volumes: [{name: corpus, size_gb: 10, mount_path: /data}]\n"
MOUNT = "data_mounts: [{source: 's3://a/b', target: /data}]\n"
RETRIES = "retries: {max_retries: 5}\n"


def volume(more: str) -> str:
    return VOLUME.replace("}]", f", {more}}}]")


# For each field that is lowered or approximated: a document without it, and one with it.
SAMPLES = {
    "Task.name": ("", "name: train\n"),
    "Task.instance_type": ("min_cpus: 1\n" + RUN, "min_cpus: 1\n" + RUN + "instance_type: a100\n"),
    "Task.min_gpu_memory_gb": ("min_cpus: 1\n" + RUN, "min_cpus: 1\n" + RUN + "min_gpu_memory_gb: 80\n"),
    "Task.min_cpus": ("", "min_cpus: 16\n"),
    "Task.min_memory_gb": ("", "min_memory_gb: 64\n"),
    "Task.num_instances": ("", "num_instances: 2\n"),
    "Task.command": (HEAD + "command: a\n", HEAD + "command: [a]\n"),
    "Task.shell": (PLAIN, HEAD + "shell: echo\n"),
    "Task.script": (PLAIN, HEAD + "script: |\n  #!/bin/sh\n  echo\n"),
    "Task.startup_script": (PLAIN, HEAD + "startup_script: echo\n"),
    "Task.image": ("", "image: ubuntu:24.04\n"),
    "Task.docker_image": ("", "docker_image: ubuntu:24.04\n"),
    "Task.env": ("", "env: {A: b}\n"),
    "Task.environment": ("", "environment: {A: b}\n"),
    "Task.working_dir": ("", "working_dir: /srv\n"),
    "Task.data": ("", "data: {/data: 's3://a/b'}\n"),
    "Task.ports": ("", "ports: [8080]\n"),
    "Task.runtime_files": ("", "runtime_files: {a.txt: b}\n"),
    "Task.max_price_per_hour": ("", "max_price_per_hour: 12.5\n"),
    "Task.max_run_time_hours": ("", "max_run_time_hours: 1.5\n"),
    "Task.min_run_time_hours": ("", "min_run_time_hours: 1\n"),
    "Task.deadline_hours": ("", "deadline_hours: 48\n"),
    "Task.priority": ("", "priority: high\n"),
    "Task.region": ("", "region: us-central1-a\n"),
    "Task.preemptible_ok": ("", "preemptible_ok: true\n"),
    "Task.allocation_mode": ("", "allocation_mode: spot\n"),
    "Task.reservation_id": ("", "reservation_id: res_1\n"),
    "Task.scheduled_start_time": ("", "scheduled_start_time: '2030-01-31T18:00:00Z'\n"),
    "Task.k8s": ("", "k8s: my-cluster\n"),
    "Task.internode_interconnect": ("", "internode_interconnect: InfiniBand\n"),
    "Task.ssh_keys": ("", "ssh_keys: [laptop]\n"),
    "Task.terminate_on_exit": ("", "terminate_on_exit: true\n"),
    "Task.upload_code": ("", "upload_code: true\n"),
    "Task.upload_strategy": ("", "upload_strategy: scp\n"),
    "Task.code_root": ("", "code_root: src\n"),
    "Volume.name": (VOLUME, VOLUME.replace("corpus", "other")),
    "Volume.size_gb": (VOLUME, VOLUME.replace("10", "20")),
    "Volume.mount_path": (VOLUME, VOLUME.replace("/data", "/mnt/data")),
    "Volume.target": (VOLUME, VOLUME.replace("mount_path: /data", "target: /mnt/data")),
    "Volume.volume_id": (VOLUME, volume("volume_id: vol_1")),
    "Volume.interface": (VOLUME, volume("interface: file")),
    "Volume.iops": (VOLUME, volume("iops: 3000")),
    "Volume.throughput_mb_s": (VOLUME, volume("throughput_mb_s: 250")),
    "Volume.create_if_missing": (VOLUME, volume("create_if_missing: false")),
    "DataMount.source": (MOUNT, MOUNT.replace("s3:", "gs:")),
    "DataMount.target": (MOUNT, MOUNT.replace("/data", "/mnt/data")),
    "Retries.max_retries": (RETRIES, RETRIES.replace("5", "6")),
    "Retries.backoff_coefficient": (RETRIES, "retries: {max_retries: 5, backoff_coefficient: 1.5}\n"),
    "Retries.initial_delay": (RETRIES, "retries: {max_retries: 5, initial_delay: 2.5}\n"),
    "Retries.max_delay": (RETRIES, "retries: {max_retries: 5, max_delay: 60}\n"),
    "Constraints.regions": ("", "constraints: {regions: [us-central1-a]}\n"),
    "Constraints.exclude_regions": ("", "constraints: {exclude_regions: [us-*]}\n"),
    "Constraints.max_price_per_hour": ("", "constraints: {max_price_per_hour: 25}\n"),
}
REACHING = [
    f"{name}.{key}"
    for name, fields in TYPES.items()
    for key, row in fields.items()
    if row.get("action") in ("lowered", "approximated") and f"{name}.{key}" != "Task.append_suffix"
]


def test_every_known_field_has_a_row() -> None:
    for record, names in KNOWN.items():
        assert set(names.split()) - set(TYPES[record]) == set(), record


def test_every_row_is_decided() -> None:
    assert undecided(TYPES) == []


@pytest.mark.parametrize("field", REACHING)
def test_what_is_lowered_reaches_the_job(field: str) -> None:
    without, given = SAMPLES[field]
    first, second = (text if "command" in text or HEAD in text else PLAIN + text for text in (without, given))
    assert meaning(job(first)) != meaning(job(second))


def test_samples_are_for_fields_that_are_there() -> None:
    assert set(SAMPLES) - set(REACHING) == set()


RICH = """\
name: train
unique_name: false
instance_type: [8xh200, 8xh100]
environment: {A: b}
shell: echo
image: null
volumes:
  - {name: corpus, size_gb: 10, target: /data}
  - {volume_id: vol_1, mount_path: /old}
retries: {max_retries: 2}
constraints: {topology: contiguous, exclude_regions: [eu-*]}
cpu: 4
"""


def test_outcome_names_every_key_once() -> None:
    (unit,), _ = lowered(RICH)
    assert [(each.input, each.line, each.action) for each in unit.job.outcome] == [
        ("name", 1, "lowered"),
        ("unique_name", 2, "lowered"),
        ("instance_type", 3, "lowered"),
        ("environment", 4, "lowered"),
        ("shell", 5, "lowered"),
        ("image", 6, "lowered"),
        ("volumes[0].name", 8, "lowered"),
        ("volumes[0].size_gb", 8, "lowered"),
        ("volumes[0].target", 8, "lowered"),
        ("volumes[1].volume_id", 9, "lowered"),
        ("volumes[1].mount_path", 9, "lowered"),
        ("retries.max_retries", 10, "lowered"),
        ("constraints.topology", 11, "ignored"),
        ("constraints.exclude_regions", 11, "lowered"),
        ("cpu", 12, "ignored"),
    ]
