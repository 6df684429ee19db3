"""The models of what stands inside a task: volumes, mounts, retries, constraints."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from flowc.frontends.task.fields import Model, Number, Whole, field

ABSOLUTE = r"^/.*$"
ABSOLUTE_RULE = "an absolute path, such as `/data`"
VOLUME_NAME = r"^[a-z0-9][a-z0-9-]*[a-z0-9]$"

_NOT_KNOWN = "the catalog says nothing about it, so it cannot be asked for"


class ImageBuild(Model):
    """An image that is built from steps; no machine here builds images."""

    RETIRED: ClassVar[dict[str, str]] = {
        "steps": "build the image beforehand, push it to a registry, and name it: `image: registry/name:tag`",
        "name": "write the name itself, tag included: `image: registry/name:tag`",
    }


class Volume(Model):
    """A persistent volume, which outlives the task."""

    RETIRED: ClassVar[dict[str, str]] = {
        "size": "write `size_gb`, a number of GB: `size_gb: 100`",
        "path": "write `mount_path`",
        "mount": "write `mount_path`",
        "id": "write `volume_id`",
    }
    FORM: ClassVar[str] = "write `{name: data, size_gb: 100, mount_path: /data}`"

    name: str | None = field(
        "Name of the volume. With `size_gb` it is made where there is none of that name.",
        "training-data",
        pattern=VOLUME_NAME,
        min_length=3,
        max_length=64,
        rule="3 to 64 small letters, digits and dashes, neither first nor last a dash",
    )
    size_gb: Whole | None = field("Size in GB of 10⁹ bytes.", 100, ge=1, le=32000)
    mount_path: str | None = field(
        "Where the task finds it; `/volumes/<name>` unless given.",
        "/data",
        spellings=("mount_path", "target"),
        pattern=ABSOLUTE,
        rule=ABSOLUTE_RULE,
    )
    volume_id: str | None = field(
        "The provider's id of a volume that is there, instead of a name.", "vol_abc123", min_length=1
    )
    interface: Literal["block", "file"] = field(
        "`block`: a disk of one machine; `file`: a file share for any number of them.",
        "file",
        help="a volume for several machines (NFS) is `file`",
        default="block",
    )
    iops: Whole | None = field("Operations a second of a new block volume.", 3000, ge=100, le=64000)
    throughput_mb_s: Whole | None = field("Throughput in MB a second of a new block volume.", 250, ge=125, le=1000)
    create_if_missing: bool | None = field("Whether it is made where there is none of that name.", True, strict=True)


class DataMount(Model):
    """Something that the task finds at a path."""

    FORM: ClassVar[str] = "write `{source: s3://bucket/path, target: /data}`"

    source: str = field(
        "What is mounted: a bucket (`s3://…`, `gs://…`), `volume://NAME`, a git repository or a local path.",
        "s3://bucket/data",
        required=True,
        min_length=1,
    )
    target: str = field(
        "Absolute path at which the task finds it.",
        "/data",
        required=True,
        pattern=ABSOLUTE,
        rule=ABSOLUTE_RULE,
    )
    mount_type: Literal["bind", "volume", "s3fs"] = field(
        "How it is mounted.",
        action="ignored",
        note="what the source is says how it is mounted",
        quiet=True,
        default="bind",
    )
    options: dict[str, Any] = field(
        "Options of the mount.", action="ignored", note="options of a mount are not passed on", default={}
    )
    cache_key: str | None = field(
        "Key of a cache.", action="ignored", note="nothing is cached between machines", quiet=True
    )
    size_estimate_gb: Number | None = field(
        "Expected size in GB.", 10, action="ignored", note="nothing is chosen by it", quiet=True, ge=0
    )


class Retries(Model):
    """How often and how soon a failed task starts again."""

    FORM: ClassVar[str] = "write `{max_retries: 3}`"

    max_retries: Whole = field("Restarts after a failure, at most.", 3, ge=0, le=10, default=3)
    backoff_coefficient: Number = field("Each wait is so many times the one before.", 2.0, ge=1, le=10, default=2.0)
    initial_delay: Number = field("Seconds before the first restart.", 1.0, ge=0.1, le=300, default=1.0)
    max_delay: Number | None = field("The longest wait in seconds.", 60.0, ge=1, le=3600)


class Constraints(Model):
    """What the machines must or must not be."""

    regions: list[Annotated[str, Field(min_length=1)]] = field(
        "Regions of which one is taken.", ["us-central1-a"], max_length=100, default=[]
    )
    exclude_regions: list[Annotated[str, Field(min_length=1)]] = field(
        "Regions that are not taken; `*` stands for any text.", ["eu-*"], max_length=100, default=[]
    )
    max_price_per_hour: Number | None = field(
        "As `max_price_per_hour` of the task, where that is not given.", 25.0, gt=0, le=1_000_000
    )
    topology: Literal["contiguous", "spread", "any"] | None = field(
        "How the machines lie to each other.",
        action="ignored",
        note="all machines of a bid are in one region; how they lie there cannot be asked for",
    )
    compliance: list[str] = field(
        "Standards that the data centre must meet.",
        ["soc2"],
        action="refused",
        note="nothing is known about the standards of a data centre; choose a region that you know to meet them",
        default=[],
    )
    min_interconnect_gbps: Number | None = field(
        "Network between the machines, at least.", 400, action="ignored", note=_NOT_KNOWN, gt=0
    )
    min_egress_gbps: Number | None = field("Network outwards, at least.", 10, action="ignored", note=_NOT_KNOWN, gt=0)
    min_ingress_gbps: Number | None = field("Network inwards, at least.", 10, action="ignored", note=_NOT_KNOWN, gt=0)
    max_startup_minutes: Number | None = field(
        "Minutes until the task runs, at most.",
        15,
        action="ignored",
        note="when a bid wins, and how long a machine takes to start, is not known beforehand",
        gt=0,
    )
    min_reliability: Number | None = field(
        "Share of time in which machines are there, at least.", 0.99, action="ignored", note=_NOT_KNOWN, ge=0, le=1
    )
