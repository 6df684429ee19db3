"""What a pod may ask about itself: its names and labels, its addresses, its share of the machine."""

from __future__ import annotations

from flowc.digest import sha256_hex
from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.container.expand import JOB
from flowc.frontends.k8s.context import pair_of, text_of
from flowc.patterns import at_first_use
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Mapping, Node

INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
_RANK_LABELS = (INDEX_LABEL, "training.kubeflow.org/replica-index", "volcano.sh/task-index")
_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name", "training.kubeflow.org/job-name", "volcano.sh/job-name")
_OF_SET = "jobset.sigs.k8s.io/"
_MACHINE = {
    "status.hostIP": "private_ip",
    "status.hostIPs": "private_ip",
    "status.podIP": "private_ip",
    "status.podIPs": "private_ip",
    "spec.nodeName": "hostname",
}
_MILLI = quantity.NANO // 1000
_keyed = at_first_use(r"metadata\.(labels|annotations)\['(.*)'\]", "fullmatch", 16)  # re.DOTALL


class Value(Record):
    """A text, or the name of a fact of the machine, or (`variable`) that of a variable which holds it there."""

    text: str = ""
    fact: str | None = None
    variable: str | None = None


def field(path: str, ref: Node, context: Context) -> Value | None:
    """What `fieldPath` stands for; None when it is refused."""
    if path in _MACHINE:
        return Value(fact=_MACHINE[path])
    if path == "metadata.name":
        return Value(text=context.job.name) if _one_pod(context) else Value(fact="hostname")
    if path == "metadata.namespace":
        return Value(text=context.job.namespace)
    if path == "metadata.uid":
        note = "made from the file's content, so it is the same whenever this file is submitted"
        context.decide(ref, "fieldPath", "approximated", note)
        return Value(text=_uid(context))
    if path == "spec.serviceAccountName":
        spec = context.job.pod_spec
        return Value(text=str(spec.read("serviceAccountName") or spec.read("serviceAccount") or "default"))
    found = _keyed(path)
    if found is None:
        context.refuse(ref, "fieldPath", "outside a cluster a pod has no such field")
        return None
    return _from_metadata(found[1], found[2], context)


def _from_metadata(part: str, key: str, context: Context) -> Value:
    """A label or annotation of the pod, empty where it has none of that name, as in Kubernetes."""
    if key in _RANK_LABELS:
        if context.shape.nodes > 1:
            return Value(fact="rank")
        return Value(text="0") if context.shape.tasks is None else Value(variable="JOB_COMPLETION_INDEX")
    if context.job.kind == "JobSet" and key.startswith(_OF_SET):
        return _of_set(key.removeprefix(_OF_SET), context)
    pair = pair_of(context.job.template.at("metadata", part), key)
    if pair is None and part == "labels" and key in _NAME_LABELS:
        return Value(text=context.job.name)
    return Value(text=text_of(pair) if pair is not None else "")


def _of_set(key: str, context: Context) -> Value:
    """What a JobSet writes at its pods; empty where it is not known, as that of a label that is not there."""
    jobs, part = context.job.node.each("spec", "replicatedJobs"), context.part
    name = part.name if part is not None else str(jobs[0].read("name", default=""))
    copies = part.count // part.each if part is not None else 1
    if key == "job-index" and copies > 1:
        return Value(variable=JOB)
    known = {"jobset-name": context.job.name, "replicatedjob-name": name, "replicatedjob-replicas": str(copies)}
    return Value(text={**known, "job-index": "0", "restart-attempt": "0"}.get(key, ""))


def _one_pod(context: Context) -> bool:
    return context.shape.nodes == 1 and context.shape.tasks is None


def _uid(context: Context) -> str:
    digest = sha256_hex(context.job.node.source.data + context.job.name.encode())
    return "-".join((digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:32]))


def resource(ref: Node, container: Mapping, context: Context) -> Value | None:
    """A request or limit of a container in units of `divisor`, rounded up; where no limit is set, the machine's."""
    part, _, name = str(ref.read("resource", default="")).partition(".")
    owner = container
    wanted = ref.read("containerName")
    if wanted is not None and wanted != container.read("name"):
        pods = [*context.job.pod_spec.each("containers"), *context.job.pod_spec.each("initContainers")]
        owner = next((each for each in pods if each.read("name") == wanted), container)  # type: ignore[assignment]
    amount = owner.at("resources", part, name) or (
        owner.at("resources", "limits", name) if part == "requests" else None
    )
    divisor = _parsed(ref.at("divisor")) or quantity.NANO
    if amount is not None:
        value = _parsed(amount)
        if name == "cpu":
            return Value(text=str(-(-quantity.milli_cpus(value) * _MILLI // max(divisor, _MILLI))))
        return Value(text=str(-(-value // divisor)))
    if part == "requests":
        return Value(text="0")
    fact = {"cpu": "cpus", "memory": "memory_bytes"}.get(name)
    if fact is not None and divisor == quantity.NANO:
        return Value(fact=fact)
    help = f"set `resources.limits.{name}`, or leave `divisor` out" if fact else f"set `resources.limits.{name}`"
    context.refuse(ref, "resource", "no limit is set, and what the machine has is not known yet", help)
    return None


def _parsed(node: Node | None) -> int:
    return 0 if node is None else quantity.parse(str(getattr(node, "text", "0")))
