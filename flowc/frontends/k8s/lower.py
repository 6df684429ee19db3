"""Lowering: from the checked objects of a manifest to jobs.

Each object that runs becomes one unit. Mistakes in the manifest have been reported by then; what is reported here is
what a rented machine cannot do, or does in another way than a cluster.
"""

from __future__ import annotations

from flowc._compiled.k8s_gpus import QUEUE_LABELS
from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.digest import sha256_hex
from flowc.frontends.k8s.container import hosts, processes
from flowc.frontends.k8s.container.isolation import isolation_of
from flowc.frontends.k8s.context import LEDGER_CODES, Context, pair_of, text_of
from flowc.frontends.k8s.job import policy
from flowc.frontends.k8s.job.restarts import retry_of
from flowc.frontends.k8s.job.times import time_of
from flowc.frontends.k8s.kinds.known import KUBEFLOW, OF_POLICY
from flowc.frontends.k8s.machine import gpus, needs
from flowc.frontends.k8s.machine.needs import gpus_of
from flowc.frontends.k8s.pod.containers import arrange
from flowc.frontends.k8s.volumes import claims, places
from flowc.frontends.k8s.volumes import lower as volumes
from flowc.ir.job import Conventions, Job, Placement, Port, Resources, Run, SourceInfo
from flowc.ir.unit import Unit
from flowc.yamldoc.ledger import Ledger
from flowc.yamldoc.node import Mapping, Scalar, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.objects import JobObject, Tree
    from flowc.frontends.k8s.pod.containers import Pod
    from flowc.inputs import Inputs
    from flowc.ir.job import Isolation, Mount, Outcome
    from flowc.source import Source, Span

CONVENTIONS = Conventions(mounts_nest=True, fails_together=True)


def lower(tree: Tree, inputs: Inputs, sink: Sink) -> list[Unit]:
    """One unit for each object that runs; objects beside them belong to the first."""
    digest = sha256_hex(tree.source.data)
    beside = _companions(tree, sink)
    units: list[Unit] = []
    for job in tree.jobs:
        unit = _unit(job, tree, inputs, sink, digest, beside if not units else [])
        units += [unit] if unit is not None else []
    return units


def _companions(tree: Tree, sink: Sink) -> list[tuple[Outcome, Span]]:
    """What became of the keys of objects that do not run."""
    running = [each for job in tree.jobs for each in job.written or (job.node,)]
    found: list[tuple[Outcome, Span]] = []
    for each in tree.documents:
        if not any(each is node for node in running):
            ledger = Ledger(LEDGER_CODES, sink)
            _unused(each, tree, ledger)
            outcome = ledger.close(each)
            found += zip(outcome, ledger.spans, strict=True)
    return found


def _unused(document: Mapping, tree: Tree, ledger: Ledger) -> None:
    """What of an object beside the jobs has no effect: all of it where no job names it, the size of a claim that is
    bound already."""
    name, kind = document.read("metadata", "name"), document.read("kind")
    named = pair_of(document.at("metadata"), "name")
    if kind in ("ConfigMap", "Secret"):
        if not any(isinstance(node, Scalar) and node.text == name for job in tree.jobs for node in walk(job.node)):
            for pair in (*(pair_of(document, key) for key in ("data", "binaryData", "stringData")), named):
                ledger.decide(pair, "ignored", "no job of the file names it", quiet=True)
        elif kind == "Secret":
            ledger.decide(named, "approximated", "its keys are looked up by it", quiet=True)
    elif kind in ("ClusterTrainingRuntime", "TrainingRuntime"):
        for pair in (named, pair_of(document, "spec")):
            ledger.decide(pair, "ignored", "no TrainJob of the file names it", quiet=True)
    elif kind == "PersistentVolumeClaim":
        own, volumes_there = document.read("spec", "volumeName"), tree.companions.volumes
        refs = [each.read("spec", "claimRef", "name") for each in volumes_there.values()]
        if own is not None or name in refs:
            pair = pair_of(document.at("spec", "resources"), "requests")
            ledger.decide(pair, "ignored", "it is bound to a volume that is there", quiet=True)
        if own is None and name in refs:
            ledger.decide(named, "ignored", "a volume of the file says whose it is", quiet=True)
        there = volumes_there.get(("", str(own)))
        if there is None or not claims.elsewhere(there):
            note = "the volume has the claim's name"
            ledger.decide(pair_of(document.at("spec"), "volumeName"), "ignored", note, quiet=True)
    elif kind == "PersistentVolume":
        bound = [each.read("spec", "volumeName") for each in tree.companions.claims.values()]
        place = places.of_persistent(document)
        if (name not in bound and document.at("spec", "claimRef") is None) or place is None:
            for pair in (named, pair_of(document, "spec")):
                ledger.decide(pair, "ignored", "no claim of the file leads to a place that it names", quiet=True)
            return
        if name not in bound:
            ledger.decide(named, "ignored", "its `claimRef` says whose it is", quiet=True)
        spec, csi = document.at("spec"), document.at("spec", "csi")
        if csi is not None and csi.read("volumeAttributes", "bucketName"):
            ledger.decide(pair_of(csi, "volumeHandle"), "ignored", "`bucketName` says which bucket it is", quiet=True)
        if place.left_out:
            own = any(each.value in place.left_out for each in document.each("spec", "mountOptions"))
            parent, key = (spec, "mountOptions") if own else (csi, "volumeAttributes")
            ledger.decide(pair_of(parent, key), "approximated", places.but_for(place))


def _unit(
    job: JobObject, tree: Tree, inputs: Inputs, sink: Sink, digest: str, beside: list[tuple[Outcome, Span]]
) -> Unit | None:
    context = Context(job, tree.companions, inputs, sink)
    context.shape = policy.shape_of(context)
    pod = arrange(context)
    fields: dict[str, Any] | None = None if pod is None else _fields(pod, context)
    _settings(context)
    context.tell()
    for pair, action, note, quiet in job.decided:
        context.ledger.decide(pair, action, note, quiet=quiet)
    closed = [(context.ledger.close(each), context.ledger.spans) for each in job.written or (job.node,)]
    outcome = (*(told for found, _ in closed for told in found), *(told for told, _ in beside))
    if fields is None:
        return None
    source = SourceInfo(frontend="k8s", path=tree.source.path, sha256=digest)
    conventions = CONVENTIONS
    if job.kind == "VolcanoJob":
        from flowc.frontends.k8s.kinds.volcano import ends_all

        conventions = CONVENTIONS.replace(fails_together=ends_all(job.node))
    built = Job(name=job.name or _stem(tree.source), source=source, conventions=conventions, outcome=outcome, **fields)
    spans = (*(span for _, found in closed for span in found), *(span for _, span in beside))
    text = processes.shell_text(pod.main, built.run.argv, built.run.args) if pod is not None else None
    return Unit(source=tree.source, job=built, origins=context.origins, outcome_spans=spans, shell_text=text)


def _stem(source: Source) -> str:
    return source.path.rpartition("/")[2].partition(".")[0] or "job"


def _fields(pod: Pod, context: Context) -> dict[str, Any]:
    main, metadata = pod.main, context.job.metadata
    _check_system(context)
    context.put("name", metadata.at("name") or metadata.at("generateName"))
    process = processes.process_of(main, context, main=True)
    found = process.environment
    hosts.look_at(main, context, found)
    for each in pod.beside:
        hosts.look_at(each, context)
    storage = volumes.storage_of(pod, context)
    extra = tuple(processes.beside(each, pod, context) for each in pod.beside)
    for number, each in enumerate(pod.beside):
        context.put(f"containers.{number}", each.at("name") or each)
    for number, name in enumerate(found.secrets):
        context.origins[f"secrets.{number}"] = found.spans[name]
    context.put("run.argv", main.at("args") or main.at("command"))
    context.put("image", main.at("image"))
    context.put_key("env", main, "env")
    context.put_key("env", main, "envFrom")
    context.origins.setdefault("env", (main.at("name") or main).span)
    context.origins.setdefault("env_facts", context.origins["env"])
    paused = policy.paused(context)
    return {
        "labels": _labels(context),
        "run": Run(kind="argv", argv=process.argv, args=process.args, workdir=main.read("workingDir") or None),
        "image": str(main.read("image", default="")),
        "isolation": _isolation(main, context),
        "containers": extra,
        "resources": _resources(pod, storage.shm_bytes, context),
        "time": time_of(context),
        "env": found.env(),
        "env_facts": found.env_facts(),
        "secrets": tuple(found.secrets),
        "env_policy": "listed",
        "files": storage.files,
        "volumes": storage.volumes,
        "mounts": (*storage.mounts, *_peers(context)),
        "ports": _ports(pod, context),
        "array": policy.array_of(context),
        "retry": retry_of(main, context),
        "placement": Placement(paused=paused, node_labels=gpus.node_labels(context)),
        "terminate_on_exit": policy.terminate(context),
        "workers_end": policy.workers_end(context),
    }


def _isolation(main: Mapping, context: Context) -> Isolation:
    found = isolation_of(main, context, main=True)
    if context.job.kind != "MPIJob":
        return found
    from flowc.frontends.k8s.container import launch

    return launch.room(found, context)


def _peers(context: Context) -> tuple[Mount, ...]:
    """What brings the containers of a job to each other, where they start commands there."""
    node, kind = context.job.node, context.job.kind
    if kind == "MPIJob":
        from flowc.frontends.k8s.kinds.mpi import FOLDER as folder
    elif kind == "VolcanoJob":
        from flowc.frontends.k8s.kinds.volcano import HOSTS as folder
        from flowc.frontends.k8s.kinds.volcano import reaches

        if not reaches(node):
            return ()
    else:
        return ()
    from flowc.frontends.k8s.container import launch

    context.put("mounts", node.at("spec", "mpiReplicaSpecs" if kind == "MPIJob" else "plugins"))
    return launch.mounts(folder.rstrip("/"))


# Whoever runs jobs of a kind where nothing else is said.
OWN_CONTROLLERS = (
    "kubernetes.io/job-controller",
    "jobset.sigs.k8s.io/jobset-controller",
    "kubeflow.org/training-operator",
    "ray.io/kuberay-operator",
    "kubeflow.org/mpi-operator",
    "trainer.kubeflow.org/trainjob-controller",
)


def _check_system(context: Context) -> None:
    """Who runs the job, and on what, where that is more than the cluster itself and Linux with a container runtime."""
    spec, job_spec = context.job.pod_spec, context.job.job_spec
    owner = context.job.node.at("spec") if context.job.kind == "JobSet" else None
    for holder in (owner, job_spec):
        manager = holder.at("managedBy") if holder is not None else None
        if holder is None or manager is None:
            continue
        if str(manager.value).startswith("kueue.x-k8s.io/"):
            context.leave_out(holder, "managedBy", "a queue of the cluster passes it on to another one")
        elif manager.value not in OWN_CONTROLLERS and not context.moves(holder, "managedBy", "a controller's own word"):
            context.refuse(holder, "managedBy", "only that controller knows what to do with the job", "take it out")
    system = spec.at("os", "name")
    if system is not None and system.value == "windows":
        context.refuse(spec.at("os") or spec, "name", "machines run Linux")
    context.moves(spec, "nodeName", "it names a machine of the cluster")
    if any(gpus_of(each) for each in spec.each("containers")):
        for holder, key in ((spec, "resourceClaims"), *((each, "claims") for each in _resources_held(spec))):
            context.moves(holder, key, "the device is the cluster's; the GPUs are asked for beside it")
    runtime = spec.at("runtimeClassName")
    if runtime is not None and not str(runtime.value).startswith("nvidia"):
        reason = "the class is a sandbox of the cluster; containers run in the ordinary way"
        if not context.moves(spec, "runtimeClassName", reason):
            context.refuse(spec, "runtimeClassName", reason, "take it out, or write `nvidia`")


def _resources_held(spec: Mapping) -> list[Mapping]:
    """The `resources` of a pod's containers."""
    containers = [*spec.each("containers"), *spec.each("initContainers")]
    return [found for each in containers if isinstance(found := each.at("resources"), Mapping)]


def _labels(context: Context) -> tuple[tuple[str, str], ...]:
    """The job's own labels, without those by which a queue takes it."""
    found = []
    for pair in context.job.metadata.pairs_at("labels"):
        if pair.key.text in QUEUE_LABELS:
            context.gather(codes.CLUSTER_FIELDS, f"label `{pair.key.text}`", pair.key.span)
        else:
            found.append((pair.key.text, text_of(pair)))
    context.put_key("labels", context.job.metadata, "labels")
    return tuple(found)


def _resources(pod: Pod, shm_bytes: int | None, context: Context) -> Resources:
    """What each node must have. A pod without GPUs leaves their number open."""
    gpus.check_resources(pod, context)
    amount = needs.pod_amount(pod, context.job.pod_spec)
    fields: dict[str, Any] = {"nodes": context.shape.nodes}
    cpus = -(-amount.milli_cpus // 1000)
    values = (
        ("gpus_per_node", amount.gpus, needs.gpu_names(pod)),
        ("cpus_per_node", cpus, ("cpu",)),
        ("memory_bytes_per_node", amount.memory_bytes, ("memory",)),
        ("disk_bytes", amount.disk_bytes, ("ephemeral-storage",)),
    )
    for field, value, names in values:
        if value:
            fields[field] = value
            context.put(f"resources.{field}", _largest(pod, names, context))
    if not shm_bytes and context.job.kind == "RayJob":
        from flowc.frontends.k8s.kinds.ray import shared_memory

        shm_bytes = shared_memory(pod.main)
        context.put("resources.shm_bytes", needs.asked(pod.main, "memory"))
    if shm_bytes:
        fields["shm_bytes"] = shm_bytes
    wanted = gpus.wanted(pod, amount.gpus, context)
    if wanted.choices:
        fields |= {"choices": wanted.choices, "choices_ordered": True}
    else:
        fields |= {"gpu_model": wanted.model, "gpu_memory_bytes": wanted.memory_bytes}
    return Resources(**fields)


def _largest(pod: Pod, names: tuple[str, ...], context: Context) -> Any:
    """The place that asks for most of a resource."""
    every = [context.job.pod_spec, pod.main, *pod.beside]
    places = [needs.asked(each, name) for each in every for name in names]
    return max((place for place in places if place is not None), key=needs.scaled, default=None)


def _ports(pod: Pod, context: Context) -> tuple[Port, ...]:
    """The ports of all containers: they share one network."""
    found: dict[tuple[int, str], Port] = {}
    for container in (pod.main, *pod.sidecars):
        for each in container.each("ports"):
            protocol = str(each.read("protocol") or "TCP")
            place = each.at("containerPort")
            if place is None:
                continue
            if protocol == "SCTP":
                context.refuse(each, "protocol", "only TCP is forwarded to a machine")
                continue
            inner = int(place.value)
            outer = int(each.read("hostPort") or inner)
            key = (outer, protocol.lower())
            if key not in found:
                context.put(f"ports.{len(found)}", place)
                found[key] = Port(external=outer, internal=inner, protocol=protocol.lower())
    return tuple(found.values())


def _settings(context: Context) -> None:
    """Fields of the pod that speak of the cluster alone: named together."""
    job, spec = context.job, context.job.pod_spec
    account = spec.at("serviceAccountName") or spec.at("serviceAccount")
    if account is not None and str(account.value) not in ("", "default"):
        context.sink.report(machine_codes.SERVICE_ACCOUNT, account.span, name=str(account.value))
        for key in ("serviceAccountName", "serviceAccount"):
            context.decide(
                spec, key, "ignored", "there is no cluster whose API it could open", machine_codes.SERVICE_ACCOUNT
            )
    elif account is not None:
        for key in ("serviceAccountName", "serviceAccount"):
            context.decide(spec, key, "lowered", "no more rights than any pod has")
    if pair_of(spec, "priorityClassName") is not None:
        note = "classes belong to a cluster; `--priority` says low, med or high"
        context.leave_out(spec, "priorityClassName", note)
    if job.kind in ("TFJob", "PyTorchJob") and job.node.read("apiVersion") != KUBEFLOW:
        for key in OF_POLICY:
            context.decide(job.job_spec, key, "lowered", "as `runPolicy` has it today")
    if pair_of(spec, "subdomain") is not None:
        note = "the first pod's name stands for the first machine's address"
        context.ledger.decide(pair_of(spec, "subdomain"), "approximated", note, quiet=True)
    if not spec.read("shareProcessNamespace") or len(spec.each("containers")) + len(spec.each("initContainers")) < 2:
        note = "there is no other container whose processes it could see"
        context.ledger.decide(pair_of(spec, "shareProcessNamespace"), "ignored", note, quiet=True)
    for volume in spec.each("volumes"):
        if isinstance(volume, Mapping) and not volumes.mounts_named(str(volume.read("name", default="")), context):
            for pair in volume.pairs:
                context.ledger.decide(pair, "ignored", "no container mounts the volume", quiet=True)
    note = "containers share the machine's network anyway"
    context.ledger.decide(pair_of(spec, "hostNetwork"), "ignored", note, quiet=True)
    if pair_of(job.metadata, "generateName") is not None:
        context.decide(job.metadata, "generateName", "lowered", "the prefix is the name")
