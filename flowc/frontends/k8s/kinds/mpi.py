"""What the operator of MPIJob checks, and gives to its launcher and workers.

The launcher has no machine of its own: it runs in the container of the first worker, unless it is one of the hosts
itself. The operator of v1 reaches workers by `kubectl exec`, that of v2 by ssh; here both do by PEERS.
"""

from __future__ import annotations

from flowc.frontends.k8s.findings import int_at, text_at
from flowc.frontends.k8s.kinds import parts
from flowc.frontends.k8s.kinds.made import listed, put, with_items
from flowc.frontends.k8s.kinds.parts import Pods
from flowc.frontends.k8s.machine import needs
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.findings import Findings
    from flowc.frontends.k8s.objects import Part
    from flowc.yamldoc.node import Node

PATH = "spec.mpiReplicaSpecs"
V2 = "kubeflow.org/v2beta1"
ALPHA = "kubeflow.org/v1alpha2"  # says in its spec what later ones say in `runPolicy`
LAUNCHER, WORKER = "launcher", "worker"
FOLDER = "/etc/mpi"
HOSTFILE = f"{FOLDER}/hostfile"
SSHD = "/usr/sbin/sshd"
IMPLEMENTATIONS = ("OpenMPI", "Intel", "MPICH")
CLEAN = ("None", "Running", "All")
CONTROLLERS = ("kubeflow.org/mpi-operator", "kueue.x-k8s.io/multikueue")
LONGEST_LABEL = 63
_label = at_first_use(r"[a-z]([-a-z0-9]*[a-z0-9])?", "fullmatch")
# By which the operator's users keep a launcher from the GPUs: here its processes are those of the first machine too.
HIDING = {"CUDA_VISIBLE_DEVICES": ("", "-1", "none"), "NVIDIA_VISIBLE_DEVICES": ("", "none", "void")}
# Of what a launcher's pod and container say, where the workers' do not: what has no meaning beside them.
_ALIKE = "the launcher runs beside the first worker, on the machines that the workers ask for"
_OF_PODS = (
    *("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "schedulerName", "priorityClassName"),
    *("restartPolicy", "serviceAccountName", "serviceAccount", "hostNetwork", "hostPID", "hostIPC", "dnsPolicy"),
    *("enableServiceLinks", "automountServiceAccountToken", "terminationGracePeriodSeconds", "activeDeadlineSeconds"),
    *("runtimeClassName", "hostname", "subdomain", "nodeName", "volumes", "imagePullSecrets"),
)
_OF_CONTAINERS = (
    *("resources", "volumeMounts", "ports", "imagePullPolicy", "tty", "stdin", "name", *parts.RANKED),
    *("livenessProbe", "readinessProbe", "startupProbe", "terminationMessagePath", "terminationMessagePolicy"),
    "workingDir",
)


def check(findings: Findings, node: Mapping) -> None:
    """Check the spec of an MPIJob, without its pods."""
    specs = node.at(*PATH.split("."))
    launcher, worker = (specs.at(role) if specs is not None else None for role in ("Launcher", "Worker"))
    if isinstance(specs, Mapping) and launcher is None:
        findings.required(specs, f"{PATH}.Launcher", "must have Launcher replica spec")
    count = launcher.at("replicas") if launcher is not None else None
    if count is not None and int_at(count) not in (None, 1):
        findings.invalid(count, f"{PATH}.Launcher.replicas", "must be 1")
    count = worker.at("replicas") if worker is not None else None
    if count is not None and int_at(count) == 0 and is_v2(node):
        findings.invalid(count, f"{PATH}.Worker.replicas", "must be greater than or equal to 1")
    name = node.at("metadata", "name")
    number = int_at(count) if count is not None else None
    longest = f"{name.value}-worker-{max(number or 1, 1) - 1}" if name is not None else ""
    fits = _label(longest) is not None and len(longest) <= LONGEST_LABEL
    if name is not None and isinstance(name.value, str) and is_v2(node) and not fits:
        detail = f"its pods would have names such as `{longest}`, which are no label of DNS"
        findings.invalid(name, "metadata.name", detail)
    clean = node.at("spec", "runPolicy", "cleanPodPolicy")
    if clean is not None and clean.value not in (*CLEAN, None):
        findings.unsupported(clean, "spec.runPolicy.cleanPodPolicy", CLEAN)
    manager = node.at("spec", "runPolicy", "managedBy")
    if manager is not None and isinstance(manager.value, str) and manager.value not in CONTROLLERS and is_v2(node):
        findings.unsupported(manager, "spec.runPolicy.managedBy", CONTROLLERS)


def is_v2(node: Node) -> bool:
    """Whether the operator of today runs it: it reaches workers by ssh, and makes a Job of the launcher."""
    return text_at(node, "apiVersion") == V2


def implementation(node: Node) -> str:
    """Of MPI, as v2 writes it."""
    found = text_at(node, "spec", "mpiImplementation") or text_at(node, "spec", "mpiDistribution") or "OpenMPI"
    return "Intel" if found == "IntelMPI" else found


def slots(node: Node) -> int:
    found = int_at(node, "spec", "slotsPerWorker")
    return 1 if found is None else found


def pods(node: Mapping) -> tuple[Pods | None, Pods | None]:
    """Launcher and workers."""
    found = list[Pods | None]()
    for role, absent in (("Launcher", 1), ("Worker", 0)):
        spec = node.at("spec", "mpiReplicaSpecs", role)
        count = int_at(spec, "replicas") if spec is not None else None
        where = f"{PATH}.{role}"
        count = absent if count is None else count
        found.append(Pods(role.lower(), count, spec, spec.at("template"), where) if spec is not None else None)
    return found[0], found[1]


def launcher_is_host(node: Node, launcher: Pods) -> bool:
    """Whether processes run in the launcher's own pod: v2 is told so, v1 looks for GPUs there."""
    if is_v2(node):
        return bool(node.read("spec", "runLauncherAsWorker"))
    containers = launcher.spec.each("containers") if launcher.spec is not None else []
    return any(needs.gpus_of(each) for each in containers if isinstance(each, Mapping))


def beside(launcher: Pods, workers: Pods, sink: Sink) -> tuple[Pods, Mapping] | None:
    """The workers' pods with what the launcher's need beside that, and the container of these; None after a report."""
    one, other = workers.container, launcher.container
    if one is None or other is None or workers.spec is None or launcher.spec is None:
        pods = workers if one is None else launcher
        parts.report(pods, "its pods have several containers", "one in each pod of launcher and workers", sink)
        return None
    inside = "template.spec.containers[0]"
    for own, theirs, free, where in (
        (workers.spec, launcher.spec, (*_OF_PODS, "containers"), "template.spec"),
        (one, other, _OF_CONTAINERS, inside),
    ):
        for pair in theirs.pairs_at():
            found = own.at(pair.key.text)
            said = plain(found) if found is not None else None
            if (
                pair.key.text == "securityContext"
                and theirs is other
                and (_fewer(one, other) or parts.has_more(one, other))
            ):
                continue
            if plain(pair.value) in ([], {}):
                continue
            if pair.key.text == "initContainers" and (parts.waiting(theirs) or (found is None and parts.works(theirs))):
                continue
            if pair.key.text not in free and theirs.at(pair.key.text) is not None and plain(pair.value) != said:
                help = "the launcher runs beside the first worker, in a container of the same image: make them the same"
                parts.report(launcher, f"`{where}.{pair.key.text}` differs", "the same as in `worker`", sink, help)
                return None
    container = with_items(one, other, "volumeMounts", "mountPath")
    container = parts.entitled(container, other) if container is not None else None
    spec = with_items(workers.spec, launcher.spec, "volumes", "name") if isinstance(workers.spec, Mapping) else None
    spec = with_items(spec, launcher.spec, "imagePullSecrets", "name") if spec is not None else None
    if container is None or spec is None:
        what = "volume" if container is not None else "mount"
        parts.report(launcher, f"another {what} of the same name", "one for each name", sink)
        return None
    first = launcher.spec.pair("initContainers") if isinstance(launcher.spec, Mapping) else None
    if first is not None and spec.at("initContainers") is None and not parts.waiting(launcher.spec):
        spec = put(spec, "initContainers", first.value, first)
    spec = put(spec, "containers", listed([container], container))
    template = put(workers.template, "spec", spec) if isinstance(workers.template, Mapping) else workers.template
    return Pods(WORKER, workers.count, workers.holder, template, workers.path), container


def ending(gang: tuple[Part, ...], context: Context) -> tuple[Node, str] | None:
    """What says that the job is done when the launcher is, where there are other machines."""
    roles = context.job.node.at("spec", "mpiReplicaSpecs")
    return (roles, "Launcher") if roles is not None and context.shape.nodes > 1 else None


def _fewer(own: Mapping, other: Mapping) -> bool:
    """Whether all that the other's container says of who it is and may do holds in this one, which may more."""
    mine = {pair.key.text: plain(pair.value) for pair in own.pairs_at("securityContext")}
    theirs = {pair.key.text: plain(pair.value) for pair in other.pairs_at("securityContext")}
    return all(mine.get(key) == value for key, value in theirs.items()) and mine.keys() - theirs.keys() <= parts.RIGHTS


def differences(launcher: Part, spec: Mapping, container: Mapping) -> list[tuple[Node, str]]:
    """What of the launcher's pod gives way to the workers'."""
    found: list[tuple[Node, str]] = []
    own = launcher.container
    if own is None or launcher.pod is None:
        return found
    for mine, theirs, keys in ((launcher.pod, spec, _OF_PODS), (own, container, _OF_CONTAINERS)):
        for key in keys:
            said, other = mine.at(key), theirs.at(key)
            if key in ("volumes", "volumeMounts", "imagePullSecrets", "workingDir", "name", *parts.RANKED):
                continue
            if said is not None and (other is None or plain(other) != plain(said)):
                found.append((mine, key))
    return found


def variables(node: Node) -> dict[str, str]:
    """What the operator gives its launcher, whatever the manifest says of these names; but for the way to workers."""
    each = str(slots(node))
    if not is_v2(node):
        return {"OMPI_MCA_orte_default_hostfile": HOSTFILE}
    found = {"K_MPI_JOB_ROLE": LAUNCHER}
    kind = implementation(node)
    if kind == "Intel":
        return found | {"I_MPI_HYDRA_HOST_FILE": HOSTFILE, "I_MPI_PERHOST": each}
    if kind == "MPICH":
        return found | {"HYDRA_HOST_FILE": HOSTFILE}
    found |= {"OMPI_MCA_orte_keep_fqdn_hostnames": "true", "OMPI_MCA_orte_default_hostfile": HOSTFILE}
    return found | {"OMPI_MCA_orte_set_default_slots": each}


def unread(node: Node) -> dict[str, str]:
    """Keys of the spec that its version of the operator does not read, and why."""
    version = text_at(node, "apiVersion")
    note = "the operator reads it in `runPolicy` alone"
    late = () if version == ALPHA else ("activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    found = dict.fromkeys(late, note)
    if not is_v2(node):
        found |= dict.fromkeys(("runLauncherAsWorker", "mpiImplementation"), "only v2beta1 knows it")
    return found


def agents(node: Node) -> dict[str, str]:
    """How launchers of MPI reach workers, where the manifest names no other way."""
    ssh, exec = f"{FOLDER}/ssh", f"{FOLDER}/kubexec.sh"
    if not is_v2(node):
        return {
            "OMPI_MCA_plm_rsh_agent": exec,
            "I_MPI_HYDRA_BOOTSTRAP": "rsh",
            "I_MPI_HYDRA_BOOTSTRAP_EXEC": exec,
        }
    kind = implementation(node)
    if kind == "OpenMPI":
        return {"OMPI_MCA_plm_rsh_agent": ssh, "PRTE_MCA_plm_ssh_agent": ssh}
    return {"I_MPI_HYDRA_BOOTSTRAP_EXEC" if kind == "Intel" else "HYDRA_LAUNCHER_EXEC": ssh}
