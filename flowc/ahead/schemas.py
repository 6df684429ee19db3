"""The schemas of flowc/data/*.yaml, one pydantic model a file. Unknown keys are errors everywhere."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flowc.ahead.schemas_k8s import KubernetesGpus, KubernetesRuntimes
from flowc.ahead.schemas_shapes import ProfileLines, ToolNames
from flowc.ahead.schemas_slurm import SlurmPrograms, SlurmReleases, SlurmWords
from flowc.catalog.schema import CatalogFile


class Strict(BaseModel):
    """Base of all schema models."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LoweringRow(Strict):
    """What becomes of one sbatch option; the data file explains the columns."""

    action: Literal["lowered", "approximated", "ignored", "refused"]
    note: str
    quiet: bool = False
    variable: str | None = None
    value: str | None = None
    submits: Literal["wait", "dry_run", "parsable"] | None = None


class SlurmLowering(Strict):
    """flowc/data/slurm_lowering.yaml."""

    lowering: dict[str, LoweringRow]
    disk_gres: tuple[str, ...]
    gpu_words: tuple[str, ...]
    gpu_share_gres: tuple[str, ...]


class OptionRow(Strict):
    """One option of sbatch; the data file explains the columns."""

    short: str | None = None
    arg: Literal["none", "required", "optional"]
    kind: str
    het: Literal["carried", "component"]
    category: str
    since: str | None = None
    until: str | None = None
    absent: tuple[str, str] | None = None
    arg_later: tuple[str, str] | None = None
    het_later: tuple[str, str] | None = None
    plugin: str | None = None
    aliases: tuple[str, ...] = ()
    command_line: bool = False
    variables: tuple[str, ...] = ()
    variables_since: str | None = None


class ForeignOptions(Strict):
    """The directives of another batch system that sbatch translates."""

    letters: dict[str, str]
    later: dict[str, str] = {}
    ignored: str = ""
    long: dict[str, str]
    instead: dict[str, str] = {}


class SlurmOptions(Strict):
    """flowc/data/slurm_options.yaml."""

    options: dict[str, OptionRow]
    removed: dict[str, str]
    elsewhere: dict[str, str]
    foreign: dict[str, tuple[str, ...]]
    pbs: ForeignOptions
    bsub: ForeignOptions


class Catalog(CatalogFile, Strict):
    """flowc/data/catalog.yaml: the same form as a user's own catalog file."""


class GpuFamily(Strict):
    """What a GPU family's name leaves unsaid."""

    memory_gb: int
    form: Literal["sxm", "pcie"]
    bare_count: int | None


class GpuModels(Strict):
    """flowc/data/gpu_models.yaml."""

    families: dict[str, GpuFamily]
    vendor_words: tuple[str, ...]
    form_words: tuple[str, ...]
    series: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, ...]]
    makers: dict[str, tuple[str, ...]]


class GpuCapability(Strict):
    """Memory of one GPU, and CUDA's compute capability."""

    memory_gb: int
    capability: str


class GpuCapabilities(Strict):
    """flowc/data/gpu_capabilities.yaml."""

    same_features: dict[str, str]
    models: dict[str, GpuCapability]


class Prices(Strict):
    """flowc/data/prices.yaml; money as decimal text."""

    default_priority: str
    priorities: tuple[str, ...]
    usd_per_gpu_hour: dict[str, dict[str, str]]


class DependencyRow(Strict):
    """One way to wait for another job; the data file explains the columns."""

    until: Literal["started", "ended"]
    ends: Literal["any", "well", "badly"]
    of: Literal["job", "task", "name"]
    minutes: bool = False


class Dependencies(Strict):
    """flowc/data/dependencies.yaml."""

    kinds: dict[str, DependencyRow]


class Limits(Strict):
    """flowc/data/limits.yaml."""

    environment_bytes: int
    nodes_per_bid: int
    bids_per_array: int
    concurrent_tasks: int
    script_bytes: int
    user_data_bytes: int
    name_length: int
    long_job_hours: int
    preemption_notice_s: int
    volumes_per_bid: int
    volume_name_length: int
    volume_gib: int
    file_volume_gib: int
    choices: int


class ModuleRow(Strict):
    """Parts of a module's path, with `*` for any text, the program that they stand for, and its Ubuntu packages."""

    parts: tuple[str, ...]
    program: str
    package: str | None = None


class BehindRow(Strict):
    """A regular expression that finds a program in a text, words of which such a text has one, the commands that
    the program calls, the features of the small Slurm that it needs for them, and what it does without a queue.
    `exact`: srun has no other options there than those of `features`, and what the text names."""

    signs: tuple[str, ...] = Field(min_length=1)
    words: str
    commands: tuple[str, ...]
    features: tuple[str, ...] = ()
    instead: str | None = None
    exact: bool = False


class BroughtRow(Strict):
    """Commands, a regular expression that finds what may bring them, and Ubuntu's packages for them."""

    commands: tuple[str, ...]
    words: str
    package: str | None = None


class SlurmCommands(Strict):
    """flowc/data/slurm_commands.yaml."""

    provided: tuple[str, ...]
    modules: tuple[str, ...]
    refused: tuple[str, ...]
    launchers: tuple[str, ...]
    of_sites: tuple[str, ...]
    options_of_sites: tuple[str, ...]
    rare_options_of_sites: tuple[str, ...]
    flags_of_sites: tuple[str, ...]
    mpi_words: tuple[str, ...]
    mpi_programs: tuple[str, ...]
    mpi_packages: tuple[str, ...]
    at_once_words: tuple[str, ...]
    by_srun: tuple[str, ...]
    elsewhere: tuple[str, ...]
    singularity_files: tuple[str, ...]
    enroot_files: tuple[str, ...]
    enroot_values: dict[str, tuple[str, ...]]
    enroot_names: tuple[str, ...]
    step_images: tuple[str, ...]
    missing: tuple[str, ...]
    absent: tuple[str, ...]
    remote: tuple[str, ...]
    brought: tuple[BroughtRow, ...]
    behind: tuple[BehindRow, ...]
    interpreters: tuple[str, ...]
    interpreter_packages: dict[str, str]
    shells: tuple[str, ...]
    programs: tuple[ModuleRow, ...]
    categories: tuple[str, ...]
    on_image: tuple[str, ...]
    image_roots: tuple[str, ...]
    cluster_folders: tuple[str, ...]


# File stem to the model of the whole file; a model's docstring says what the file is for.
class Secrets(Strict):
    """flowc/data/secrets.yaml."""

    words: tuple[str, ...]
    ends: tuple[str, ...]
    harmless: tuple[str, ...]
    keys: tuple[str, ...]
    sections: tuple[str, ...]
    prefixes: tuple[str, ...]


class Promises(Strict):
    """flowc/data/promises.yaml."""

    skypilot: dict[str, str]
    task: dict[str, str]
    programs: dict[str, tuple[str, ...]]


class SkypilotProgram(Strict):
    """A row of flowc/data/skypilot_programs.yaml."""

    where: Literal["machine", "container"]
    names: tuple[str, ...]
    uses: str = "(?!)"
    own: str
    what: str
    unless: str
    brings: str
    then: str = ""


class SkypilotPrograms(Strict):
    """flowc/data/skypilot_programs.yaml."""

    programs: tuple[SkypilotProgram, ...]


class ShellWords(Strict):
    """flowc/data/shell_words.yaml."""

    shells: tuple[str, ...]
    containers: tuple[str, ...]
    elsewhere: tuple[str, ...]
    silent: tuple[str, ...]
    makers: tuple[str, ...]
    copiers: tuple[str, ...]
    writers: tuple[str, ...]
    enters: tuple[str, ...]
    reads: tuple[str, ...]
    installs: tuple[str, ...]
    home_files: tuple[str, ...]
    fetchers: tuple[str, ...]
    code_takers: tuple[str, ...]
    code_names: tuple[str, ...]
    code_suffixes: tuple[str, ...]
    interfaces: tuple[str, ...]
    environment: tuple[str, ...]
    site_variables: tuple[str, ...]
    declarers: tuple[str, ...]
    keepers: tuple[str, ...]
    from_others: tuple[str, ...]
    stand_ins: tuple[str, ...]
    setters: tuple[str, ...]
    removers: tuple[str, ...]
    watchers: tuple[str, ...]


class NodeWord(Strict):
    """A pattern, and what it says of a job."""

    words: str
    says: str


class Packing(Strict):
    """flowc/data/packing.yaml."""

    options: tuple[str, ...]
    variables: tuple[str, ...]
    steps: tuple[str, ...]
    harmless: tuple[str, ...]
    sourced: tuple[str, ...]
    words: tuple[NodeWord, ...]


class DockerOptions(Strict):
    """flowc/data/docker_options.yaml."""

    valued: dict[str, Literal["text", "integer", "natural", "size", "swap", "decimal", "duration"]]
    flags: tuple[str, ...]
    short: dict[str, str]
    same: dict[str, str]
    needless: dict[str, str]
    refused: dict[str, str]
    forms: dict[str, tuple[str, str]]
    choices: dict[str, tuple[str, ...]]
    bounds: dict[str, tuple[int, int]]

    @model_validator(mode="after")
    def _options_are_there(self) -> DockerOptions:
        values = (*self.forms, *self.choices, *self.bounds)
        for name in (*self.short.values(), *self.same.values(), *self.needless, *self.refused, *values):
            if name not in self.valued and name not in self.flags:
                raise ValueError(f"docker has no option {name}")
        return self


class SettingRow(Strict):
    """One setting; the data file explains the columns."""

    about: str
    kind: Literal["text", "list", "seconds"]
    flag: str | None = None
    env: tuple[str, ...]
    old_env: tuple[str, ...] = ()
    file: str
    old_file: tuple[str, ...] = ()
    profile: str | None = None
    default: str | None = None
    secret: bool = False
    personal: bool = False
    strictest: bool = False


class SettingsTable(Strict):
    """flowc/data/settings.yaml."""

    settings: dict[str, SettingRow]
    others: tuple[str, ...]
    gone: dict[str, str]


SCHEMAS: dict[str, type[BaseModel]] = {
    "settings": SettingsTable,
    "docker_options": DockerOptions,
    "slurm_programs": SlurmPrograms,
    "slurm_words": SlurmWords,
    "slurm_releases": SlurmReleases,
    "catalog": Catalog,
    "dependencies": Dependencies,
    "gpu_models": GpuModels,
    "gpu_capabilities": GpuCapabilities,
    "k8s_gpus": KubernetesGpus,
    "k8s_runtimes": KubernetesRuntimes,
    "limits": Limits,
    "packing": Packing,
    "profile_lines": ProfileLines,
    "tool_names": ToolNames,
    "prices": Prices,
    "secrets": Secrets,
    "shell_words": ShellWords,
    "promises": Promises,
    "skypilot_programs": SkypilotPrograms,
    "slurm_commands": SlurmCommands,
    "slurm_lowering": SlurmLowering,
    "slurm_options": SlurmOptions,
}
