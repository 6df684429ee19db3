"""For each row of the SkyPilot fields that changes a job: where it stands, a value, and what else the task says."""

from __future__ import annotations

import copy
from typing import Any

BASE: dict[str, Any] = {"name": "train", "resources": {"accelerators": "H100:8"}, "run": "python train.py\n"}
BUCKET = {"file_mounts": {"/data": {"source": "s3://bucket/path"}}}
NAMED = {"file_mounts": {"/data": {"name": "bucket", "store": "s3"}}}
GIT = {"workdir": {"url": "https://github.com/org/name"}}
IMAGE = {"resources": {"accelerators": "H100:8", "image_id": "docker:ubuntu:24.04"}}
SCRATCH = {"volumes": {"/scratch": {"size": "10GB"}}}
VOLUME = {"volumes": {"/data": {"name": "data"}}}

# What the reference lists as keys (SkyPilot task reference, 2, 3, 5 and 6), internal ones included.
LISTED = {
    "Task": "name workdir num_nodes resources setup run envs secrets file_mounts volumes config service pool "
    "event_callback inputs outputs managed_secrets api_server_access file_mounts_mapping volume_mounts _metadata "
    "experimental",
    "GitWorkdir": "url ref",
    "Resources": "infra cloud region zone accelerators gpus accelerator_args instance_type cpus memory disk_size "
    "disk_tier network_tier local_disk use_spot max_hourly_cost job_recovery autostop ports image_id labels priority "
    "priority_class ephemeral_storage volumes any_of ordered _docker_login_config",
    "Recovery": "strategy max_restarts_on_errors recover_on_exit_codes",
    "Autostop": "idle_minutes down wait_for hook hook_timeout",
    "Storage": "name source store persistent mode type config",
    "TaskVolume": "name sub_path size host_path",
    "Config": "mithril docker nvidia_gpus ssh kubernetes gcp azure vast slurm active_workspace hooks",
    "Mithril": "limit_price",
    "Docker": "run_options",
}

Example = tuple[str, Any, dict[str, Any]]
EXAMPLES: dict[str, Example] = {
    "Task.name": ("name", "other", {}),
    "Task.workdir": ("workdir", ".", {}),
    "Task.num_nodes": ("num_nodes", 2, {}),
    "Task.setup": ("setup", "true\n", {}),
    "Task.run": ("run", "true\n", {}),
    "Task.envs": ("envs", {"A": 1}, {}),
    "Task.secrets": ("secrets", {"A": None}, {}),
    "Task.managed_secrets": ("managed_secrets", ["A"], {}),
    "ManagedSecret.mount_path": ("managed_secrets", [{"A": {"mount_path": "/secret"}}], {}),
    "Task.file_mounts": ("file_mounts", {"/data": "./data"}, {}),
    "Task.volumes": ("volumes", {"/data": "data"}, {}),
    "GitWorkdir.url": ("workdir.url", "https://github.com/org/other", GIT),
    "GitWorkdir.ref": ("workdir.ref", "v1", GIT),
    "Resources.infra": ("resources.infra", "mithril/us-central1-b", {}),
    "Resources.region": ("resources.region", "us-central1-b", {}),
    "Resources.accelerators": ("resources.accelerators", "H200:8", {}),
    "Resources.gpus": ("resources", {"gpus": "H200:8"}, {}),
    "Resources.instance_type": ("resources.instance_type", "h100-80gb.sxm.8x", {}),
    "Resources.cpus": ("resources.cpus", "4+", {}),
    "Resources.memory": ("resources.memory", "64+", {}),
    "Resources.disk_size": ("resources.disk_size", 100, {}),
    "Resources.network_tier": ("resources.network_tier", "best", {}),
    "Resources.max_hourly_cost": ("resources.max_hourly_cost", 12.5, {}),
    "Resources.autostop": ("resources.autostop", True, {}),
    "Resources.ports": ("resources.ports", 8080, {}),
    "Resources.image_id": ("resources.image_id", "docker:ubuntu:24.04", {}),
    "Resources.labels": ("resources.labels", {"team": "a"}, {}),
    "Resources.use_spot": ("resources.use_spot", False, {}),
    "Resources.any_of": ("resources.any_of", [{"accelerators": "H200:8"}, {}], {}),
    "Resources.ordered": ("resources.ordered", [{"accelerators": "H200:8"}, {}], {}),
    "Recovery.max_restarts_on_errors": ("resources.job_recovery.max_restarts_on_errors", 3, {}),
    "Recovery.recover_on_exit_codes": ("resources.job_recovery.recover_on_exit_codes", [33], {}),
    "Autostop.idle_minutes": ("resources.autostop.idle_minutes", 5, {}),
    "Autostop.down": ("resources.autostop.down", True, {}),
    "Storage.name": ("file_mounts./data.name", "other", NAMED),
    "Storage.source": ("file_mounts./data.source", "s3://other", BUCKET),
    "Storage.store": ("file_mounts./data.store", "gcs", NAMED),
    "Storage.mode": ("file_mounts./data.mode", "COPY", BUCKET),
    "Storage.type": ("file_mounts./data", {"source": "disk", "type": "volume"}, BUCKET),
    "Storage.config": ("file_mounts./data.config", {"mount": {"read_only": True}}, BUCKET),
    "TaskVolume.name": ("volumes./data.name", "other", VOLUME),
    "TaskVolume.sub_path": ("volumes./data.sub_path", "in/it", VOLUME),
    "TaskVolume.size": ("volumes./scratch.size", "20GB", SCRATCH),
    "TaskVolume.type": ("volumes./data.type", "mithril-file-share", VOLUME),
    "Mithril.limit_price": ("config.mithril.limit_price", 12.5, {}),
    "Docker.run_options": ("config.docker.run_options", ["--init"], IMAGE),
}
# What has its effect where a task may run and is seen in another test.
ELSEWHERE = {"Head.name", "Head.execution", "Resources.cloud", "Resources.zone"}


def with_value(path: str, value: Any, more: dict[str, Any]) -> dict[str, Any]:
    """The task of BASE and `more` with one value changed; a path's steps are joined by dots."""
    task = copy.deepcopy({**BASE, **more})
    place = task
    *keys, last = path.split(".")
    for key in keys:
        place = place.setdefault(key, {})
    place[last] = value
    return task
