"""The formats that flowc reads. The tuple is the registry, its order is the order of detection."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.base import Frontend


class Entry(Record):
    """A line of the registry. `module` holds `FRONTEND` (or the name after `:`) and is imported only when a source
    needs it. Detection goes by `suffixes`, by `marks` (texts that give the format away) and, for YAML, by `signs`: keys
    at the top of a document that only this format has. `document`: it is one, with places that `--set` can name;
    `task_fields`: those are the fields of a task YAML; `objects`: it refers to objects of other files (`--with`)."""

    name: str
    module: str
    title: str
    suffixes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    document: bool = True
    task_fields: bool = False
    objects: bool = False

    def load(self) -> Frontend:
        path, _, name = self.module.partition(":")
        module = __import__(path, fromlist=["FRONTEND"])
        frontend: Frontend = getattr(module, name or "FRONTEND")
        return frontend


YAML = (".yaml", ".yml", ".json")

FRONTENDS = (
    Entry(
        name="slurm",
        module="flowc.frontends.slurm",
        title="a Slurm batch script",
        suffixes=(".sbatch", ".slurm", ".sh", ".bash", ".job", ".sub", ".slrm", ".batch", ".qsub"),
        marks=("#SBATCH", "#PBS", "#BSUB", "#!"),
        document=False,
    ),
    Entry(
        name="k8s",
        module="flowc.frontends.k8s",
        title="a Kubernetes manifest",
        suffixes=YAML,
        signs=("apiVersion", "kind", "spec"),
        objects=True,
    ),
    Entry(
        name="skypilot",
        module="flowc.frontends.skypilot",
        title="a SkyPilot task",
        suffixes=YAML,
        signs=(
            *("resources", "num_nodes", "setup", "run", "envs", "file_mounts", "workdir", "service", "pool"),
            *("event_callback", "experimental", "managed_secrets", "api_server_access"),
        ),
    ),
    Entry(
        name="foundry-yaml",
        module="flowc.frontends.foundry",
        title="a Foundry task (v1.2)",
        suffixes=YAML,
        signs=(
            *("task_management", "resources_specification", "persistent_storage", "ephemeral_storage_config"),
            *("container_image", "project_name", "ssh_key_name"),
        ),
    ),
    Entry(
        name="task-yaml",
        module="flowc.frontends.task",
        title="a Flow task",
        suffixes=YAML,
        signs=(
            *("instance_type", "min_gpu_memory_gb", "command", "shell", "script", "working_dir", "data_mounts", "data"),
            *("max_price_per_hour", "max_run_time_hours", "min_run_time_hours", "deadline_hours", "num_instances"),
            *("upload_code", "ssh_keys", "allocation_mode", "constraints", "docker_image", "min_cpus", "min_memory_gb"),
        ),
        task_fields=True,
    ),
    Entry(
        name="command-line",
        module="flowc.frontends.task:COMMAND_LINE",
        title="a command line",
        task_fields=True,
    ),
)


def named(name: str) -> Entry:
    """The frontend of this name."""
    return next(entry for entry in FRONTENDS if entry.name == name)


def by_suffix(path: str) -> Entry | None:
    """The frontend to which a file's suffix belongs; None for suffixes that several share."""
    lowered = path.lower()
    found = [entry for entry in FRONTENDS if entry.suffixes and lowered.endswith(entry.suffixes)]
    return found[0] if len(found) == 1 else None
