"""`Profile`: what a cluster gave to every job there, said once by its users, and what one job takes of it."""

from __future__ import annotations

from flowc.patterns import is_like
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Generic, TypeVar

    from flowc.ir.job import Mount
    from flowc.ir.site import Site
    from flowc.source import Span

    R = TypeVar("R")

    class _Of(Generic[R]):
        pass
else:
    R = None

    class _Of:
        def __class_getitem__(cls, _):
            return cls


class Entry(Record):
    """One line of a profile: the `section` that it stands in, its `key` as written (maybe a glob; empty for
    `defaults`, which has one line), and its place."""

    section: str
    key: str
    span: Span

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}" if self.key else self.section

    @property
    def shown(self) -> str:
        """How notes name it."""
        return f"line {self.span.line} of the profile, `{self.name}`"


class Nodes(Record):
    """What a partition, a constraint, a QoS or an account says of a job's nodes, where the job itself says nothing:
    a GPU model, and for jobs that ask for no GPUs how many each node has; CPUs and memory of each; the time limit; the
    region and the project of the bid, and its priority."""

    entry: Entry
    gpu: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory_bytes: int | None = None
    time_s: int | None = None
    region: str | None = None
    project: str | None = None
    priority: str | None = None


class StandIn(Record):
    """What takes the place of GPUs of the model `entry.key` where they are not sold; None: any that is at least as
    capable."""

    entry: Entry
    model: str | None


class Brought(Record):
    """A module, a program that texts call by its name alone, an environment of conda or of Python, `entry.key`: `setup`
    is shell text that brings it, empty where the machine needs nothing. `by_docker`: the machine's docker answers it,
    and what that takes depends on the job's text."""

    entry: Entry
    setup: str = ""
    by_docker: bool = False


class Image(Record):
    """An image that is a file, or a name of enroot's, `entry.key`, and the image of a registry in its place."""

    entry: Entry
    reference: str


def is_meant(key: str, image: str) -> bool:
    """Whether the name of an image file, or a glob, means an image as a text names it; a bare one does, wherever the
    file lies."""
    return is_like(image, key) or ("/" not in key and is_like(image.rpartition("/")[2], key))


class Place(Record):
    """A path of the cluster's file systems, and what a job finds there."""

    entry: Entry
    mount: Mount


class Variable(Record):
    """A variable that the site sets: `entry.key` is its name."""

    UNSHOWN = ("value",)

    entry: Entry
    value: str


class Lines(_Of[R]):
    """The records of a section's lines, in the order of the file. Of hundreds a job needs few: their `keys` are at
    hand, the record of a line is made when it is asked for."""

    __slots__ = ("_found", "_globs", "_make", "_numbers", "keys")

    def __init__(self, keys: tuple[str, ...], make: Callable[[int], R]) -> None:
        self.keys = keys
        self._make = make
        self._found: dict[int, R] = {}
        self._numbers: dict[str, int] = {}
        self._globs: list[str] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> R:
        if number not in self._found:
            self._found[number] = self._make(number)
        return self._found[number]

    def __iter__(self) -> Iterator[R]:
        return (self[number] for number in range(len(self.keys)))

    def named(self, keys: Iterable[str]) -> list[R]:
        """The lines with these keys. No two lines have the same one."""
        if not self._numbers:
            self._numbers = {key: number for number, key in enumerate(self.keys)}
        return [self[number] for number in sorted(self._numbers[key] for key in keys if key in self._numbers)]

    @property
    def globs(self) -> list[str]:
        """The keys that are meant for several names."""
        if self._globs is None:
            self._globs = [key for key in self.keys if any(sign in key for sign in "*?[")]
        return self._globs

    def where(self, meant: Callable[[str], bool]) -> list[R]:
        """The lines whose keys are meant."""
        return [self[number] for number, key in enumerate(self.keys) if meant(key)]


_NONE: Lines[Any] = Lines((), ().__getitem__)


class Profile(Record):
    """`path` as given or found; `sha256` of the file, in hex; `files`: those whose content became part of it, as it
    names them, with the same of each. `environments` and `places` are its sections `conda` and `paths`; `defaults` has
    one line at most."""

    path: str
    sha256: str
    partitions: Lines[Nodes] = _NONE
    constraints: Lines[Nodes] = _NONE
    qos: Lines[Nodes] = _NONE
    accounts: Lines[Nodes] = _NONE
    defaults: Lines[Nodes] = _NONE
    gpus: Lines[StandIn] = _NONE
    modules: Lines[Brought] = _NONE
    programs: Lines[Brought] = _NONE
    environments: Lines[Brought] = _NONE
    venvs: Lines[Brought] = _NONE
    images: Lines[Image] = _NONE
    places: Lines[Place] = _NONE
    variables: Lines[Variable] = _NONE
    site: Site | None = None
    files: tuple[tuple[str, str], ...] = ()


# The fields of a profile that are lines, in the order of its sections: the section that each stands for, and of what
# records they are.
LINES: dict[str, tuple[str, type[Record]]] = {
    **{name: (name, Nodes) for name in ("partitions", "constraints", "qos", "accounts", "defaults")},
    "gpus": ("gpus", StandIn),
    "modules": ("modules", Brought),
    "programs": ("programs", Brought),
    "environments": ("conda", Brought),
    "venvs": ("venvs", Brought),
    "images": ("images", Image),
    "places": ("paths", Place),
    "variables": ("variables", Variable),
}


class Use(Record):
    """What a job takes of a profile by one line: `what` it brings, and the findings `instead` of which it does, as
    codes."""

    entry: Entry
    what: str
    instead: tuple[str, ...] = ()
