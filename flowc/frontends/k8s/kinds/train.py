"""A TrainJob: what it says of its trainer, over the pod of its runtime, is a JobSet. Kubeflow's controller makes that
one too, and gives the trainer the variables of its runtime's policy.

The document stays as it is: the JobSet is made of its nodes, and of those of the runtime.
"""

from __future__ import annotations

from flowc._compiled.k8s_runtimes import RUNTIMES
from flowc.diag.codes.k8s import moved as moved_codes
from flowc.diag.codes.k8s import objects as object_codes
from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.findings import int_at, place, text_at
from flowc.frontends.k8s.kinds.made import Made, listed, put, text, without
from flowc.frontends.k8s.machine import needs
from flowc.record import Record
from flowc.source import Source
from flowc.yamldoc.node import Mapping, Pair, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.objects import Companions, Decision
    from flowc.inputs import Inputs
    from flowc.source import Span
    from flowc.yamldoc.check import Checker
    from flowc.yamldoc.node import Node

TRAINER = "node"  # the job of a runtime, and the container in it, that the trainer is
STEP = "trainer.kubeflow.org/trainjob-ancestor-step"
PORT = "29500"
RANK = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
PODS = ("spec", "template", "spec", "replicatedJobs")
# What of the trainer goes into the container, and what of the TrainJob into the set.
_OF_CONTAINER = {"image": "image", "command": "command", "args": "args", "resourcesPerNode": "resources"}
_OF_SET = ("suspend", "managedBy")
# Lists of a pod whose items a patch finds by a key.
_BY_KEY = {
    **dict.fromkeys(("volumes", "containers", "initContainers", "env", "imagePullSecrets", "schedulingGates"), "name"),
    "volumeMounts": "mountPath",
}
OWN = "the TrainJob says it of its own"
_OLD = "spec.podSpecOverrides"
_MERGED = ("nodeSelector", "securityContext")


class _Runtime(Record):
    """A runtime; `own`: it stands in a file."""

    node: Mapping
    policy: str | None
    own: bool


def job_set(node: Mapping, beside: Companions, checker: Checker, inputs: Inputs, sink: Sink) -> Made | None:
    """None after a report, or where a part that has been reported is missing."""
    runtime = _runtime(node, beside, checker, inputs, sink)
    if runtime is None:
        return None
    if runtime.policy in ("mpi", "flux"):
        reason = f"its runtime starts it by `{runtime.policy}`"
        help = "write an MPIJob, whose launcher and workers say what they start"
        sink.report(object_codes.NOT_A_BATCH_JOB, _ref(node), help=help, kind="TrainJob", reason=reason)
        return None
    jobs = runtime.node.each(*PODS)
    part = next((each for each in jobs if _is_trainer(each, len(jobs))), None)
    pod = part.at("template", "spec", "template", "spec") if part is not None else None
    container = _container(pod) if pod is not None else None
    if not isinstance(part, Mapping) or not isinstance(pod, Mapping) or container is None:
        if jobs:
            reason = f"its runtime has no job `{TRAINER}` with a container `{TRAINER}`, which the trainer would be"
            help = "call them so"
            sink.report(object_codes.NOT_A_BATCH_JOB, _ref(node), help=help, kind="TrainJob", reason=reason)
        return None
    trainer = node.at("spec", "trainer")
    decided: list[Decision] = []
    for patch in _patches(node, text_at(part, "name") or TRAINER, checker, decided):
        pod = _patched(pod, patch)
    container = _container(pod) or container
    made = container
    for pair in node.pairs_at("spec", "trainer"):
        own = _OF_CONTAINER.get(pair.key.text)
        if own is not None and not is_null(pair.value):
            old = container.pair(own)
            decided += [(old, "ignored", OWN, True)] if old is not None else []
            made = put(made, own, pair.value, pair)
    reference = node.at("spec", "runtimeRef")
    if not runtime.own and made.pair("image") is container.pair("image") and isinstance(reference, Mapping):
        note = (
            f"its image is that of Kubeflow's trainer, `{container.read('image')}`; `--with FILE` reads the cluster's"
        )
        said = reference.pair("name")
        decided += [(said, "approximated", note, False)] if said is not None else []
    nodes = _nodes(node, runtime.node, part)
    policy = runtime.node.at("spec", "mlPolicy")
    number = policy.pair("numNodes") if isinstance(policy, Mapping) else None
    if number is not None and number.value is not nodes:
        decided.append((number, "ignored", OWN, True))
    made = _with_env(made, _variables(node, runtime, made, int(nodes.value or 0)), trainer, checker, sink)
    pod = put(pod, "containers", listed([made if each is container else each for each in pod.each("containers")], pod))
    return Made(
        kind="JobSet",
        node=_joined(node, runtime.node, part, pod, nodes),
        written=(node, *([runtime.node] if runtime.own else [])),
        decided=tuple(decided),
    )


def _ref(node: Mapping) -> Span:
    found = node.at("spec", "runtimeRef", "name") or node.at("kind") or node
    return place(found)


def _runtime(node: Mapping, beside: Companions, checker: Checker, inputs: Inputs, sink: Sink) -> _Runtime | None:
    """The runtime that is named: one of a file, one that the trainer brings, or, under `--move`, a pod that has the
    trainer alone."""
    name = text_at(node, "spec", "runtimeRef", "name")
    if name is None:
        return None
    found = beside.runtimes.get(("", name))
    if found is not None:
        policies = [pair.key.text for pair in found.pairs_at("spec", "mlPolicy") if pair.key.text != "numNodes"]
        return _Runtime(node=found, policy=next(iter(policies), None), own=True)
    image = text_at(node, "spec", "trainer", "image")
    if name in RUNTIMES:
        policy, shipped = RUNTIMES[name]["policy"], RUNTIMES[name]["image"]
    elif inputs.flags.move and image is not None:
        policy, shipped = _guessed(name), image
        sink.report(moved_codes.RUNTIME_NOT_BROUGHT, _ref(node), name=name, policy=policy)
    else:
        help = f"name a file that has it, `--with FILE`: `kubectl get clustertrainingruntime {name} -o yaml` prints it"
        help = f"{help}; `--move` takes the trainer alone" if image is not None else help
        sink.report(moved_codes.RUNTIME_MISSING, _ref(node), help=help, name=name)
        return None
    shown = _SHIPPED.format(policy=policy, step=STEP, trainer=TRAINER, image=shipped)
    made = _read(Source(name, shown), sink)
    if not isinstance(made, Mapping):
        return None
    checker.check(made, {"is": "map", "type": "TrainingRuntime"})
    return _Runtime(node=made, policy=policy, own=False)


_SHIPPED = """\
spec:
  mlPolicy: {{numNodes: 1, {policy}: {{}}}}
  template:
    spec:
      replicatedJobs:
      - name: {trainer}
        template:
          metadata: {{labels: {{{step}: trainer}}}}
          spec:
            template:
              spec:
                containers: [{{name: {trainer}, image: "{image}"}}]
"""


def _read(source: Source, sink: Sink) -> Node | None:
    from flowc.yamldoc.read import read

    roots = read(source, sink)
    return roots[0] if roots else None


def _guessed(name: str) -> str:
    """The policy that a runtime has by its name."""
    return next((policy for policy in ("jax", "xgboost", "mpi", "flux") if policy in name), "torch")


def _is_trainer(part: Node, count: int) -> bool:
    labels = {pair.key.text: pair.value.value for pair in part.pairs_at("template", "metadata", "labels")}
    return labels.get(STEP) == "trainer" or count == 1


def _container(pod: Node) -> Mapping | None:
    found = pod.each("containers")
    own = [each for each in found if text_at(each, "name") == TRAINER] or (found if len(found) == 1 else [])
    return own[0] if own and isinstance(own[0], Mapping) else None


def _nodes(node: Mapping, runtime: Mapping, part: Mapping) -> Node:
    """The number of machines: the trainer's, the policy's, or the runtime's own."""
    for holder, path in (
        (node, ("spec", "trainer", "numNodes")),
        (runtime, ("spec", "mlPolicy", "numNodes")),
        (part, ("template", "spec", "parallelism")),
    ):
        found = holder.at(*path)
        if found is not None and int_at(found) is not None:
            return found
    return text("1", node, 1)


def _patches(node: Mapping, name: str, checker: Checker, decided: list[Decision]) -> list[Mapping]:
    """What is to be changed in the trainer's pod, in the order in which it holds."""
    found: list[Node | None] = []
    for each in node.each("spec", "podSpecOverrides"):
        if isinstance(each, Mapping) and _targets(each, name):
            spec = without(each, "targetJobs")
            found += [spec] if checker.check(spec, {"is": "map", "type": "PodSpecPatch"}, _OLD) else []
    for each in node.each("spec", "podTemplateOverrides"):
        if _targets(each, name):
            found.append(each.at("spec"))
        else:
            _of_another(each, "spec", decided)
            for target in each.each("targetJobs"):
                _of_another(target, "name", decided)
    for each in node.each("spec", "runtimePatches"):
        for job in each.each("trainingRuntimeSpec", "template", "spec", "replicatedJobs"):
            if text_at(job, "name") == name:
                found.append(job.at("template", "spec", "template", "spec"))
            else:
                _of_another(job, "template", decided)
                _of_another(job, "name", decided)
    return [each for each in found if isinstance(each, Mapping)]


def _of_another(holder: Node, key: str, decided: list[Decision]) -> None:
    pair = holder.pair(key) if isinstance(holder, Mapping) else None
    decided += [(pair, "ignored", "it is for another job than the trainer's", False)] if pair is not None else []


def _targets(patch: Node, name: str) -> bool:
    targets = [text_at(each, "name") or getattr(each.at("name"), "text", None) for each in patch.each("targetJobs")]
    return not targets or name in targets


def _patched(own: Mapping, patch: Mapping) -> Mapping:
    """A mapping with what a patch says: items of lists are found by their keys, other values take the place of old."""
    found = own
    for pair in patch.pairs:
        key, old = pair.key.text, own.at(pair.key.text)
        if key in _BY_KEY and isinstance(pair.value, Sequence):
            found = put(found, key, _items(old, pair.value, key), pair)
        elif key in _MERGED and isinstance(old, Mapping) and isinstance(pair.value, Mapping):
            found = put(found, key, _patched(old, pair.value), pair)
        elif key != "name" or old is None:
            found = put(found, key, pair.value, pair)
    return found


def _items(old: Node | None, new: Sequence, of: str) -> Sequence:
    """The items of a list with those of another: a container is changed, of others the new one stands alone."""
    items, key = old.each() if old is not None else [], _BY_KEY[of]
    for each in new.each():
        at = next((index for index, item in enumerate(items) if item.read(key) == each.read(key)), None)
        if at is None:
            items.append(each)
        else:
            before, whole = items[at], of in ("containers", "initContainers")
            mapped = isinstance(each, Mapping) and isinstance(before, Mapping)
            items[at] = _patched(before, each) if whole and mapped else each  # type: ignore[arg-type]  # both mapped
    return listed(items, new)


def _variables(node: Mapping, runtime: _Runtime, container: Mapping, nodes: int) -> dict[str, str | None]:
    """What the controller gives the trainer; None for its rank."""
    name = text_at(node, "metadata", "name") or (text_at(node, "metadata", "generateName") or "").rstrip("-.")
    first = f"{name}-{TRAINER}-0-0.{name}"
    gpus = needs.gpus_of(container)
    if runtime.policy == "torch":
        asked = node.read("spec", "trainer", "numProcPerNode")
        asked = asked if asked is not None else runtime.node.read("spec", "mlPolicy", "torch", "numProcPerNode")
        each = str(asked) if asked is not None else "auto"
        if each == "auto" and not gpus:
            cpus = quantity.milli_cpus(needs.scaled(needs.asked(container, "cpu")))
            each = str(max(1, -(-cpus // 1000)))
        return {
            "PET_NNODES": str(nodes),
            "PET_NPROC_PER_NODE": each,
            "PET_NODE_RANK": None,
            "PET_MASTER_ADDR": first,
            "PET_MASTER_PORT": PORT,
        }
    if runtime.policy == "jax":
        return {
            "JAX_NUM_PROCESSES": str(nodes),
            "JAX_PROCESS_ID": None,
            "JAX_COORDINATOR_ADDRESS": f"{first}:{PORT}",
        }
    if runtime.policy == "xgboost":
        workers = str(nodes * max(gpus, 1))
        return {
            "DMLC_TRACKER_URI": first,
            "DMLC_TRACKER_PORT": PORT,
            "DMLC_TASK_ID": None,
            "DMLC_NUM_WORKER": workers,
        }
    return {}


def _with_env(
    container: Mapping, own: dict[str, str | None], trainer: Node | None, checker: Checker, sink: Sink
) -> Mapping:
    """The container with the trainer's variables in the place of the runtime's, and with the controller's."""
    import json

    said = trainer.at("env") if trainer is not None else None
    items = container.each("env")
    if isinstance(said, Sequence):
        items = _items(container.at("env"), said, "env").items
    if own and trainer is not None:
        source = {"valueFrom": {"fieldRef": {"fieldPath": RANK}}}
        entries = [{"name": key, **({"value": known} if known is not None else source)} for key, known in own.items()]
        made = _read(Source("env", json.dumps(entries)), sink)
        assert isinstance(made, Sequence)
        checker.check(made, {"is": "list", "of": {"is": "map", "type": "EnvVar"}}, "spec.trainer.env")
        items = [each for each in items if each.read("name") not in own] + made.items
    like = trainer.pair("env") if isinstance(trainer, Mapping) else None
    return put(container, "env", listed(items, container), container.pair("env") or like) if items else container


def _joined(node: Mapping, runtime: Mapping, part: Mapping, pod: Mapping, nodes: Node) -> Mapping:
    """The JobSet: that of the runtime, with the trainer's pod and the TrainJob's own."""
    spec, template = part.at("template", "spec"), part.at("template", "spec", "template")
    assert isinstance(spec, Mapping)
    assert isinstance(template, Mapping)
    spec = put(spec, "template", put(template, "spec", pod))
    number = node.pair("spec")
    trainer = node.at("spec", "trainer")
    if isinstance(trainer, Mapping) and trainer.at("numNodes") is nodes:
        number = trainer.pair("numNodes")
    for key in ("parallelism", "completions"):
        spec = put(spec, key, nodes, number)
    limit = _pair(node, "activeDeadlineSeconds")
    spec = put(spec, "activeDeadlineSeconds", limit.value, limit) if limit is not None else spec
    outer = part.at("template")
    assert isinstance(outer, Mapping)
    made = put(without(part, "replicas"), "template", put(outer, "spec", spec))
    whole = runtime.at("spec", "template", "spec")
    assert isinstance(whole, Mapping)
    jobs = [made if each is part else each for each in whole.each("replicatedJobs")]
    whole = put(whole, "replicatedJobs", listed(jobs, whole))
    for key in _OF_SET:
        pair = _pair(node, key)
        whole = put(whole, key, pair.value, pair) if pair is not None else whole
    return put(node, "spec", whole)


def _pair(node: Mapping, key: str) -> Pair | None:
    spec = node.at("spec")
    return spec.pair(key) if isinstance(spec, Mapping) and spec.at(key) is not None else None
