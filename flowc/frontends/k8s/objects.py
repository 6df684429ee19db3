"""What reading a manifest gives: its jobs as checked nodes, and the objects beside them that jobs refer to."""

from __future__ import annotations

from flowc.record import Record
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from flowc.source import Source
    from flowc.yamldoc.node import Node, Pair

    # What became of a key before it is lowered: lowered, ignored …, why, and whether only the outcome tells.
    Decision: TypeAlias = tuple[Pair, str, str, bool]

DEFAULT_NAMESPACE = "default"


class Part(Record):
    """Machines of a gang that start the same: `count` of them, called `name` with a number (from 0 for every `each` of
    them, where a JobSet makes several Jobs). `container` is the one of their `pod`, None where all parts have the same
    pod."""

    name: str
    count: int
    each: int
    container: Mapping | None
    pod: Node | None


class Gang(Record):
    """The machines of an object that is no Job but says how many pods run together: `nodes` of them, written at `node`
    (None: nothing says so) of the part `holder`. `slots` is the number of processes in each that it gives in words of
    its own. `parts`, in the order of their ranks: where the machines start different things, or are told which part
    they are."""

    nodes: int
    holder: Node
    node: Node | None = None
    slots: str | None = None
    parts: tuple[Part, ...] = ()


class JobObject(Record):
    """One job of a manifest.

    `node` is the whole object and `kind` what it is (Job, CronJob, Pod, JobSet, VolcanoJob, PyTorchJob, TFJob); the
    other nodes lie in it. `metadata` is the object's own; `job_spec` is what holds backoffLimit, activeDeadlineSeconds,
    suspend and the like: the JobSpec, the runPolicy of a PyTorchJob or TFJob, a VolcanoJob's spec, and an empty mapping
    for a Pod. `template` is the pod template (of a Pod the Pod), of which `template.metadata` are the pod's labels;
    `pod_spec` is its spec. `prefix` is the path of the pod spec as messages say it (`spec.template.spec`). `gang` is
    set for a PyTorchJob, a TFJob and a VolcanoJob, and a JobSet of more than one Job. `written`: the objects that
    `node` is made of, where it does not stand in the file itself, and `decided` what became of keys of these.
    """

    node: Mapping
    kind: str
    name: str
    namespace: str
    metadata: Mapping
    job_spec: Mapping
    template: Mapping
    pod_spec: Mapping
    prefix: str
    gang: Gang | None = None
    written: tuple[Mapping, ...] = ()
    decided: tuple[Decision, ...] = ()


TABLES = ("config_maps", "secrets", "claims", "volumes", "services", "runtimes")


class Companions(Record):
    """The other objects of a file, by (namespace, name); a PersistentVolume by ("", name), since it has no namespace,
    and so the runtimes of TrainJobs.
    An object without a namespace is in that of DEFAULT_NAMESPACE."""

    config_maps: dict[tuple[str, str], Mapping]
    secrets: dict[tuple[str, str], Mapping]
    claims: dict[tuple[str, str], Mapping]
    volumes: dict[tuple[str, str], Mapping]
    services: dict[tuple[str, str], Mapping]
    runtimes: dict[tuple[str, str], Mapping]

    @property
    def tables(self) -> tuple[dict[tuple[str, str], Mapping], ...]:
        return tuple(getattr(self, name) for name in TABLES)


class Tree(Record):
    """A manifest: `documents` are the objects of all kinds, those of a List one by one, `jobs` the ones that run."""

    source: Source
    documents: tuple[Mapping, ...]
    jobs: tuple[JobObject, ...]
    companions: Companions
