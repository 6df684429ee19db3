"""What the provider keeps: plain records. Money is whole US cents, prices are cents per instance-hour.

Statuses are the words of the provider's API. A record says nothing about how it changes: `fleet.py` and `state.py` do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

BidStatus = Literal["Open", "Allocated", "Preempting", "Terminated", "Paused"]
Disk = Literal["Block", "File"]
# Instances of these statuses stand on a machine; the others hold none.
STANDING = ("CONFIRMED", "INITIALIZING", "STARTING", "RUNNING", "PREEMPTING", "RELOCATING", "STOPPING")
# Those that cost money: starting, paused and preempted ones do not.
BILLED = ("RUNNING", "PREEMPTING", "RELOCATING")
OVER = ("TERMINATED", "PREEMPTED", "REPLACED", "PAUSED", "ERROR")


@dataclass
class User:
    """Who a key belongs to. `role` is what the organization lets them do: `admin` or `member`."""

    fid: str
    name: str
    email: str
    projects: list[str]
    role: str = "admin"


@dataclass
class ApiKey:
    """One that a user has made by the API. `secret` is what he sends."""

    fid: str
    name: str
    user: str
    secret: str
    created_at: datetime
    expires_at: datetime


@dataclass
class Project:
    fid: str
    name: str
    created_at: datetime


@dataclass
class SshKey:
    fid: str
    name: str
    project: str
    public_key: str
    created_at: datetime
    required: bool = False


@dataclass
class InstanceType:
    """A size of machine. Several may have one name: each region has a FID of its own. A gated one is refused to all but
    invited organizations."""

    fid: str
    name: str
    cpus: int
    ram_gb: int
    gpus: int
    gpu_type: str
    gpu_memory_gb: int
    disk_gb: int
    socket: str = "SXM5"
    network: str | None = None
    gated: bool = False


@dataclass
class Image:
    fid: str
    name: str
    stable: bool
    regions: list[str]


@dataclass
class Region:
    """`file_gb` is the largest file share there, `None` where there are none."""

    id: str
    name: str
    file_gb: int | None
    block: bool = True


@dataclass(eq=False)
class Rival:
    """A bid of somebody else: it takes part in the auction, and no more is known of it."""

    limit: int
    quantity: int
    age: int


@dataclass(eq=False)
class Market:
    """One type in one region. `price` and `lowest` are what the last auction gave; `sold` how many machines won."""

    fid: str
    type: InstanceType
    region: str
    capacity: int
    floor: int
    price: int
    rivals: list[Rival] = field(default_factory=list)
    lowest: int | None = None
    sold: int = 0
    adjustable_memory: bool = False
    history: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass
class Period:
    """A time at one price: `cents` per hour, from `start` to `end` (`None`: still running)."""

    cents: int
    start: datetime
    end: datetime | None = None


@dataclass(eq=False)
class Instance:
    """One machine of a bid. `disk` outlives it: what stands in for it after a preemption boots from the same one."""

    fid: str
    name: str
    bid: Bid = field(repr=False)
    rank: int
    disk: str
    private_ip: str
    created_at: datetime
    first_boot: bool
    status: str = "NEW"
    ssh_destination: str | None = None
    end_time: datetime | None = None
    handle: Any = None
    turn: int = 0
    history: list[tuple[datetime, str]] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)


@dataclass(eq=False)
class Bid:
    """`age` orders bids of one limit: the smaller is the older. `barred` keeps it out of auctions while it is being
    preempted by hand; `price` is what its instances cost now."""

    fid: str
    name: str
    project: str
    created_by: str
    created_at: datetime
    age: int
    limit: int
    quantity: int
    market: Market
    ssh_keys: list[str]
    volumes: list[str]
    startup_script: str | None = None
    image: str | None = None
    cluster: str | None = None
    memory_gb: int | None = None
    status: BidStatus = "Open"
    barred: bool = False
    price: int = 0
    deactivated_at: datetime | None = None
    instances: list[Instance] = field(default_factory=list)
    past: list[Instance] = field(default_factory=list)
    disks: dict[int, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Volume:
    fid: str
    name: str
    project: str
    region: str
    interface: Disk
    gb: int
    created_at: datetime
    deleted_at: datetime | None = None


@dataclass
class Quota:
    """`type` is the FID of an instance type, or `None` for storage (then `total` counts GB)."""

    fid: str
    project: str
    product: str
    total: int
    units: str
    name: str
    type: str | None = None


@dataclass
class Timing:
    """Seconds from one status to the next, of the notice before a preemption, and between two auctions."""

    auction: int = 120
    confirm: int = 10
    initialize: int = 20
    start: int = 60
    run: int = 30
    stop: int = 30
    notice: int = 300


@dataclass
class Quirks:
    """Where no source says what the real provider does, or where it may do either: a client must bear both.

    `rate_per_minute` counts real time; `retry_after` is the form that a 429 carries. `words` renames statuses in
    replies, so that a client meets one that it does not know.
    """

    extra_keys: bool = False
    delete_again: int = 204
    script_too_long: int = 400
    same_fid_on_return: bool = False
    honours_idempotency_key: bool = False
    money: Literal["plain", "commas", "bare"] = "plain"
    times: Literal["Z", "offset"] = "Z"
    page: int = 20
    rate_per_minute: int | None = None
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    words: dict[str, str] = field(default_factory=dict)
