"""Where a job's volumes, mounts and files are on the machine, and what brings them there.

Without an image a thing is put where the job finds it; with containers it is put below PLACES once, and each container
that asks for it finds it at a path of its own.
"""

from __future__ import annotations

from zlib import crc32

from flowc.body.interpreter import interpreter_package
from flowc.ir.names import variable_name
from flowc.record import Record
from flowc.scripts.delivery import FOLDER
from flowc.scripts.secrets import exporting_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.isolation import Isolation
    from flowc.ir.job import File, Job, Mount, Volume
    from flowc.ir.plan import JobPlan

    Words = list[str]

PLACES = "/mnt/flowc"
# The secret that git reads private repositories with.
GIT_TOKEN = "GIT_TOKEN"
# Files may hold secrets: in memory, written at each start.
FILES = "/run/flowc/files"
# The longest label that ext4 takes.
LABEL = 16
# Schemes that speak S3's protocol; which service is meant is in AWS_ENDPOINT_URL, but for the first.
S3_LIKE = ("s3", "r2", "cos", "oci", "nebius", "cw")
BUCKETS = {**dict.fromkeys(S3_LIKE, ":s3:"), "gs": ":gcs:"}
# What of the job's environment the program that reads buckets understands.
BUCKET_VARIABLES = ("AWS_", "GOOGLE_", "RCLONE_")
ENDPOINT = "AWS_ENDPOINT_URL"


class Tree(Record):
    """A file or folder of the submitter's computer: `source` as it was written, to be found at `path` of the machine,
    whose `marker`, a file, says that it is there as a whole. `ignores`: what its ignore files are called
    where they are not git's. `owner` is `UID` or `UID:GID` of the container that uses it, None for root."""

    source: str
    path: str
    marker: str
    ignores: str | None = None
    owner: str | None = None


class Storage(Record):
    """What templates ask for of what lies where.

    `shares` are folders that the provider mounts, `scratches` folders on the local disk (`cleared`: before each start
    again), `made` and `made_files` what is made where it is missing. Tuples: `memories` (place, options), `blocks`
    (place, label, `ro` or `rw`, id, bytes), `shared_folders` (type, source, options, place), `bucket_mounts` (words,
    place), `bucket_copies` (remote, place, marker), `clones` (url, version, place, marker, options), `binds` (source,
    target, options), `files` (path, text, secret, mode, group), `programs` (program, package). `bucket_environment` are
    words before a program that reads buckets; `shm_remount` is in bytes. `trees` are what the submitter brings (target,
    marker); `git_token`: repositories are read with the secret of that name. `packages`: something is to be installed,
    `sources`: from elsewhere than the image's own sources; `retried`: what may fail is tried again.
    """

    shares: list[str]
    scratches: list[str]
    cleared: list[str]
    memories: list[tuple[str, str]]
    made: list[str]
    made_files: list[str]
    shared_folders: list[tuple[str, str, str, str]]
    bucket_mounts: list[tuple[Words, str]]
    bucket_copies: list[tuple[str, str, str]]
    bucket_environment: Words
    clones: list[tuple[str, str, str, str, tuple[tuple[str, str], ...]]]
    trees: list[tuple[str, str]]
    git_token: bool
    blocks: list[tuple[str, str, str, str, int]]
    block_count: int
    blocks_by_size: bool
    binds: list[tuple[str, str, str]]
    files: list[tuple[str, str, str | None, str, int | None]]
    programs: list[tuple[str, str]]
    shm_remount: int | None
    contained: bool
    places: str
    gcsfuse: bool
    markers: bool
    local_disk: bool
    packages: bool
    sources: bool
    retried: bool


def home(path: str) -> str:
    """The job runs as root."""
    return f"/root/{path[2:]}" if path.startswith("~/") else "/root" if path == "~" else path


def label(volume: Volume) -> str:
    """What a disk is called once we have formatted it: the volume's name, shortened with a checksum where it must."""
    name = volume.name or volume.volume_id or ""
    return name if len(name) <= LABEL else f"{name[:7]}-{crc32(name.encode()):08x}"


class Arrangement(Record):
    """Where things lie on the machine. `places` maps what is mounted to where it lies, `dev_shm` is
    what half of the memory is, for shared memory without a size (bytes)."""

    places: tuple[tuple[tuple[Any, ...], str], ...]
    dev_shm: int

    def place(self, mount: Mount) -> str:
        return dict(self.places)[identity(mount)]

    def words(
        self, mounts: tuple[Mount, ...], volumes: tuple[Volume, ...], files: tuple[File, ...], first: int = 0
    ) -> list[str]:
        """The options of `docker run` that bring these into the container; `first` is the number of its first file."""
        found = [(volume_place(volume, contained=True), volume.mount_path, volume.read_only) for volume in volumes]
        found += [(self.place(each), each.target, each.read_only) for each in mounts if not in_shm(each)]
        found += [(f"{FILES}/{number}", each.path, each.read_only) for number, each in enumerate(files, first)]
        words = []
        for source, target, read_only in found:
            words += bind_words(source, home(target), read_only=read_only)
        return words

    def shm_of(self, mounts: tuple[Mount, ...]) -> int | None:
        """The size of a container's shared memory where a mount says it."""
        for each in mounts:
            if in_shm(each):
                return each.size_bytes or self.dev_shm
        return None


def bind_words(source: str, target: str, *, read_only: bool) -> list[str]:
    fields = ["type=bind", f"src={source}", f"dst={target}", *(["readonly"] if read_only else [])]
    return ["--mount", ",".join(map(quoted_field, fields))]


def quoted_field(field: str) -> str:
    """A field of docker's comma-separated values."""
    return '"' + field.replace('"', '""') + '"' if '"' in field or "," in field else field


def in_shm(mount: Mount) -> bool:
    return mount.kind == "memory" and mount.target == "/dev/shm"


def identity(mount: Mount) -> tuple[Any, ...]:
    """Mounts of several containers that are one thing on the machine."""
    return (mount.kind, mount.source, mount.copy, mount.options)


def volume_place(volume: Volume, *, contained: bool) -> str:
    if volume.interface == "file" and volume.name:
        return f"/mnt/{volume.name}"
    return f"{PLACES}/{volume.name or volume.volume_id}" if contained else home(volume.mount_path)


def arrange(job: Job, plan: JobPlan | None) -> Arrangement:
    """Decides where everything lies."""
    contained = job.image is not None or bool(job.containers)
    volumes = {volume.name: volume for volume in job.volumes if volume.name}
    places: dict[tuple[Any, ...], str] = {}
    for mount in (*job.mounts, *(mount for each in job.containers for mount in each.mounts)):
        key = identity(mount)
        if in_shm(mount) or key in places:
            continue
        if mount.kind == "host":
            places[key] = home(mount.source)
        elif mount.kind == "volume":
            name, _, rest = mount.source.partition("/")
            folder = volume_place(volumes[name], contained=contained) if name in volumes else f"/mnt/{name}"
            places[key] = f"{folder}/{rest}" if rest else folder
        else:
            apart = contained or mount.kind == "scratch"
            places[key] = f"{PLACES}/{len(places)}" if apart else home(mount.target)
    memory = plan.memory_bytes_per_node if plan else 0
    return Arrangement(places=tuple(places.items()), dev_shm=memory // 2)


class _Found:
    """The lists of `Storage` that volumes and mounts fill, one by one."""

    def __init__(self) -> None:
        self.shares: list[str] = []
        self.scratches: list[str] = []
        self.memories: list[tuple[str, str]] = []
        self.made: list[str] = []
        self.made_files: list[str] = []
        self.shared_folders: list[tuple[str, str, str, str]] = []
        self.bucket_mounts: list[tuple[Words, str]] = []
        self.bucket_copies: list[tuple[str, str, str]] = []
        self.clones: list[tuple[str, str, str, str, tuple[tuple[str, str], ...]]] = []
        self.trees: list[tuple[str, str]] = []
        self.blocks: list[tuple[str, str, str, str, int]] = []
        self.binds: list[tuple[str, str, str]] = []


def storage(job: Job, arranged: Arrangement, *, toolkit: bool) -> Storage:
    """`toolkit`: docker's GPU toolkit is to be installed."""
    contained = job.image is not None or bool(job.containers)
    found = _Found()
    for volume in sorted(job.volumes, key=lambda each: each.volume_id is None):
        add_volume(found, volume, contained=contained)
    for number, (mount, place) in enumerate(distinct(job, arranged), 1):
        add_mount(found, mount, place, job, marker=f"done.{number}")
    if job.image is None:
        for mount in job.mounts:
            place, target = ("", "") if in_shm(mount) else (arranged.place(mount), home(mount.target))
            if place != target:
                found.binds.append((place, target, "ro" if mount.read_only else ""))
    # What has neither an id nor a label is told from others by its size.
    unnamed = [size for *_, id, size in found.blocks if not id]
    gcsfuse = any(words[0] == "gcsfuse" for words, _ in found.bucket_mounts)
    markers = bool(found.clones or found.bucket_copies or found.trees)
    needed = programs(found, gcsfuse=gcsfuse)
    interpreter = interpreter_package(job)
    needed += [] if interpreter is None else [interpreter]
    return Storage(
        **vars(found),
        cleared=[] if job.retry.keep_scratch else found.scratches,
        bucket_environment=bucket_environment(job) if found.bucket_mounts or found.bucket_copies else [],
        block_count=len(found.blocks),
        blocks_by_size=len(found.blocks) > 1 and all(unnamed) and len(set(unnamed)) > 1,
        files=files(job),
        programs=needed,
        shm_remount=(arranged.shm_of(job.mounts) or job.resources.shm_bytes) if job.image is None else None,
        contained=contained,
        places=PLACES,
        gcsfuse=gcsfuse,
        git_token=bool(found.clones) and GIT_TOKEN in job.secrets,
        markers=markers,
        local_disk=bool(found.scratches) or (contained and markers),
        packages=contained or bool(needed),
        sources=toolkit or gcsfuse,
        retried=contained or bool(needed) or bool(found.shared_folders),
    )


def distinct(job: Job, arranged: Arrangement) -> list[tuple[Mount, str]]:
    """The mounts of the job and of its containers that are things of their own on the machine, and where these lie."""
    found: dict[str, Mount] = {}
    for mount in (*job.mounts, *(mount for each in job.containers for mount in each.mounts)):
        if not in_shm(mount):
            found.setdefault(arranged.place(mount), mount)
    return [(mount, place) for place, mount in found.items()]


def trees(job: Job, plan: JobPlan | None) -> list[Tree]:
    """What the submitter has to bring to the machines of a job."""
    contained, arranged = job.image is not None or bool(job.containers), arrange(job, plan)
    return [
        Tree(
            source=mount.source,
            path=place,
            marker=f"{PLACES if contained else FOLDER}/done.{number}",
            ignores=dict(mount.options).get("ignores"),
            owner=owner(job, mount, arranged) if contained else None,
        )
        for number, (mount, place) in enumerate(distinct(job, arranged), 1)
        if mount.kind == "local"
    ]


def owner(job: Job, mount: Mount, arranged: Arrangement) -> str | None:
    """To whom a folder of the submitter is given, as a number: the user of the containers that have it, where these are
    of one mind."""
    if mount.kind != "local":
        return None
    every = ((job.mounts, job.isolation), *((each.mounts, each.isolation) for each in job.containers))
    place = arranged.place(mount)
    users = {
        user_of(isolation)
        for mounts, isolation in every
        if any(each.kind == "local" and arranged.place(each) == place for each in mounts)
    }
    user = users.pop() if len(users) == 1 else ""
    # The last number of 32 bits stands for nobody.
    numbers = [
        int(part) if part.isascii() and part.isdigit() and len(part) <= 10 else -1 for part in user.split(":", 1)
    ]
    return user if numbers[0] and all(0 <= each < 0xFFFFFFFF for each in numbers) else None


def user_of(isolation: Isolation) -> str:
    """As docker is told of it; empty: the image's own."""
    said = [word.partition("=")[2] for word in isolation.options if word.startswith("--user=")]
    return said[-1] if said else isolation.user or ""


def files(job: Job) -> list[tuple[str, str, str | None, str, int | None]]:
    return [
        (
            f"{FILES}/{number}" if job.image is not None or number >= len(job.files) else home(each.path),
            each.text or "",
            variable_name(each.secret) if each.secret is not None else None,
            f"{each.mode:o}",
            each.group,
        )
        for number, each in enumerate(job.all_files())
    ]


def bucket_words(mount: Mount, job: Job) -> list[str]:
    """The command that mounts a bucket, but for the folder at its end. Both programs have written a file when it is
    closed, so the end of the job loses nothing."""
    scheme, _, rest = mount.source.partition("://")
    bucket, _, folder = rest.strip("/").partition("/")
    options = ["allow_other", *(["ro"] if mount.read_only else [])]
    if scheme == "gs":
        words = ["gcsfuse", "--implicit-dirs", "-o", ",".join(options)]
        words += [] if known(job, login_of("gs")) else ["--anonymous-access"]
        return [*words, *(["--only-dir", folder] if folder else []), bucket]
    options += [f"url={url}" for name, url in job.env if name == ENDPOINT]
    options += ["use_path_request_style"] if known(job, ENDPOINT) else []
    options += [] if known(job, login_of("s3")) else ["public_bucket=1"]
    return ["s3fs", "-o", ",".join(options), f"{bucket}:/{folder}" if folder else bucket]


def bucket_environment(job: Job) -> list[str]:
    """Words before a program that reads buckets: credentials are the job's own secrets or variables."""
    found = [f"{name}={value}" for name, value in job.env if name.startswith(BUCKET_VARIABLES)]
    found.append(f"RCLONE_S3_PROVIDER={'Other' if known(job, ENDPOINT) else 'AWS'}")
    found += [f"RCLONE_S3_ENDPOINT={value}" for name, value in job.env if name == ENDPOINT]
    found += ["RCLONE_S3_ENV_AUTH=true"] if known(job, login_of("s3")) else []
    found += [] if known(job, login_of("gs")) else ["RCLONE_GCS_ANONYMOUS=true"]
    return [*exporting_all(job), "env", *found]


def login_of(scheme: str) -> str:
    """The variable that gives a program the login for buckets of this scheme."""
    return "GOOGLE_APPLICATION_CREDENTIALS" if scheme == "gs" else "AWS_ACCESS_KEY_ID"


def known(job: Job, name: str) -> bool:
    """Whether the job has a variable of this name that is not empty."""
    return name in job.secrets or any(name == each and value for each, value in job.env)


def add_volume(found: _Found, volume: Volume, *, contained: bool) -> None:
    place, mode = volume_place(volume, contained=contained), "ro" if volume.read_only else "rw"
    if volume.interface == "block":
        found.blocks.append((place, label(volume), mode, volume.volume_id or "", volume.size_bytes or 0))
        return
    if volume.name:
        found.shares.append(place)
        if not contained and place != home(volume.mount_path):
            found.binds.append((place, home(volume.mount_path), "ro" if volume.read_only else ""))
        return
    found.shared_folders.append(("nfs4", f"fileshare-{volume.volume_id}.mithril.internal:/", mode, place))


def add_mount(found: _Found, mount: Mount, place: str, job: Job, *, marker: str) -> None:
    size = f"size={mount.size_bytes}," if mount.size_bytes else ""
    if mount.kind == "scratch":
        found.scratches.append(place)
    elif mount.kind == "memory":
        found.memories.append((place, f"{size}mode=1777"))
    elif mount.kind == "local":
        found.trees.append((home(mount.target), marker))
    elif mount.kind == "host":
        if mount.create != "nothing":
            (found.made if mount.create == "folder" else found.made_files).append(place)
    elif mount.kind == "volume":
        folder = f"/mnt/{mount.source.partition('/')[0]}"
        if place.startswith("/mnt/") and not place.startswith(PLACES) and folder not in found.shares:
            found.shares.append(folder)
        if "/" in mount.source:
            found.made.append(place)
    elif mount.kind == "nfs":
        options = ",".join(["ro" if mount.read_only else "rw", *(f"{k}={v}" if v else k for k, v in mount.options)])
        found.shared_folders.append(("nfs", mount.source, options, place))
    elif mount.kind == "git":
        url, _, ref = mount.source.partition("#")
        found.clones.append((url, ref, place, marker, mount.options))
    elif mount.kind == "bucket":
        scheme, _, rest = mount.source.partition("://")
        if mount.copy:
            found.bucket_copies.append((f"{BUCKETS.get(scheme, ':s3:')}{rest}", place, marker))
        else:
            found.bucket_mounts.append((bucket_words(mount, job), place))


def programs(found: _Found, *, gcsfuse: bool) -> list[tuple[str, str]]:
    """What the machine may lack for these: program and the package that has it."""
    needed = [("git", "git")] if found.clones else []
    if found.bucket_copies:
        needed.append(("rclone", "rclone"))
    if any(words[0] == "s3fs" for words, _ in found.bucket_mounts):
        needed.append(("s3fs", "s3fs"))
    if gcsfuse:
        needed.append(("curl", "curl"))
    if found.shared_folders:
        needed.append(("mount.nfs", "nfs-common"))
    return needed
