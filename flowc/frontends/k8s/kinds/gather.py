"""From a checked object to the job in it: where its pod stands, how many of them run."""

from __future__ import annotations

from flowc.diag.codes.k8s import objects as codes
from flowc.diag.codes.yaml import document as yaml_codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.k8s.findings import int_at, place, text_at
from flowc.frontends.k8s.kinds import mpi, parts, ray, sets, volcano
from flowc.frontends.k8s.kinds.known import KUBEFLOW, ROLES
from flowc.frontends.k8s.kinds.parts import Pods
from flowc.frontends.k8s.objects import DEFAULT_NAMESPACE, Gang, JobObject, Part
from flowc.yamldoc import scalars
from flowc.yamldoc.node import Mapping, Scalar, Sequence
from flowc.yamldoc.shapes import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.yamldoc.node import Node

_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false"))
_LONGEST_WORD = 5


def plain_keys(root: Node, sink: Sink) -> None:
    """Keys are text to Kubernetes, after YAML has read them: `y` becomes "true", `1.10` becomes "1.1"."""
    waiting = [root]
    while waiting:  # not `walk`: most nodes are scalars
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting += [item for item in reversed(node.items) if not isinstance(item, Scalar)]
        if not isinstance(node, Mapping):
            continue
        waiting += [pair.value for pair in reversed(node.pairs) if not isinstance(pair.value, Scalar)]
        for pair in node.pairs:
            key = pair.key
            short = len(key.text) <= _LONGEST_WORD and key.text.lower() in _WORDS
            if key.style is not None or not (short or key.text[:1] in "0123456789+-."):
                continue
            found = scalars.meaning(key, "kubernetes")
            if found.kind not in ("bool", "int", "float"):
                continue
            text = ("true" if found.value else "false") if found.kind == "bool" else str(found.value)
            if text != key.text:
                fix = Fix(title="quote it", edits=(Edit(span=key.span, text=quoted(key.text)),))
                shown = f'the key "{text}"'
                sink.report(
                    yaml_codes.READ_AS_SOMETHING_ELSE, key.span, fix=fix, path="key", value=key.text, shown=shown
                )
                key.text = text
                node.forget()


def role_names(node: Mapping, kind: str) -> None:
    """The training operator takes the names of roles in any case: `Ps` is `PS`."""
    if kind not in ROLES or kind == "MPIJob":
        return
    key, roles = ROLES[kind]
    specs, known = node.at("spec", key), {role.lower(): role for role in roles}
    if not isinstance(specs, Mapping):
        return
    for pair in specs.pairs:
        role = known.get(pair.key.text.lower())
        if role is not None and specs.at(role) is None:
            pair.key.text = role
            specs.forget()


def namespace(node: Mapping) -> str:
    found = node.at("metadata", "namespace")
    return found.text if isinstance(found, Scalar) and found.text else DEFAULT_NAMESPACE


def job(node: Mapping, kind: str, inputs: Inputs, sink: Sink) -> JobObject | None:
    """The job of an object of one of the kinds in `kinds.JOBS`; None after a report that it cannot be run."""
    if kind == "CronJob" and not (inputs.once or inputs.flags.move):
        found = node.at("kind")
        help = "`--once` runs its job once, now, and so does `--move`; for a schedule, call flowc from cron or CI"
        sink.report(codes.CRON_JOB, place(found or node), help=help)
        return None
    if kind == "VolcanoJob":
        return _volcano(node, sink)
    if kind == "MPIJob":
        return _mpi(node, sink)
    if kind in ROLES:
        return _kubeflow(node, kind, sink)
    if kind == "JobSet":
        return _job_set(node, sink)
    if kind == "RayJob":
        return _ray(node, sink)
    if kind == "Pod":
        return _made(node, kind, _empty(node), node, "spec")
    spec, path = node.at("spec"), "spec"
    if kind == "CronJob":
        schedule = node.at("spec", "schedule")
        if schedule is not None and inputs.once:
            sink.report(codes.SCHEDULE_IGNORED, place(schedule), schedule=str(schedule.value))
        elif schedule is not None:
            from flowc.diag.codes.override import LEFT_OUT

            reason = f"the job runs once, now, not by `{schedule.value}`; for a schedule, call flowc from cron or CI"
            sink.report(LEFT_OUT, place(schedule), path="spec.schedule", reason=reason)
        spec, path = node.at("spec", "jobTemplate", "spec"), "spec.jobTemplate.spec"
    return _made(node, kind, spec, spec.at("template") if spec is not None else None, f"{path}.template.spec")


def _made(
    node: Mapping, kind: str, spec: Node | None, template: Node | None, prefix: str, gang: Gang | None = None
) -> JobObject | None:
    """None where a part is missing or no mapping, which was reported."""
    pod = template.at("spec") if template is not None else None
    if not isinstance(spec, Mapping) or not isinstance(template, Mapping) or not isinstance(pod, Mapping):
        return None
    metadata = node.at("metadata")
    prefix_of_name = text_at(node, "metadata", "generateName") or ""
    return JobObject(
        node=node,
        kind=kind,
        name=text_at(node, "metadata", "name") or prefix_of_name.rstrip("-.") or "job",
        namespace=namespace(node),
        metadata=metadata if isinstance(metadata, Mapping) else _empty(node),
        job_spec=spec,
        template=template,
        pod_spec=pod,
        prefix=prefix,
        gang=gang,
    )


def _empty(node: Mapping) -> Mapping:
    return Mapping(node.source, node.start, node.start, [])


def _volcano(node: Mapping, sink: Sink) -> JobObject | None:
    tasks = node.each("spec", "tasks")
    if not tasks:
        return None
    pods = [
        Pods(volcano.task_name(task, at), int_at(task, "replicas") or 0, task, task.at("template"), f"spec.tasks[{at}]")
        for at, task in enumerate(tasks)
    ]
    gang = _gang(tasks, absent=0)
    running = [each for each in pods if each.count] or pods[:1]
    told = gang.nodes > 1 and (volcano.hosts_named(tasks) or volcano.reaches(node))
    if parts.same(running) and not told:
        where = f"{running[0].path}.template.spec"
        return _made(node, "VolcanoJob", node.at("spec"), running[0].template, where, gang)
    # The first machine's end can be the job's; where PyTorch meets at its master, that one is the first.
    ending = volcano.completing(tasks) if node.at("spec", "plugins", "pytorch") is None else []
    found = parts.joined(sorted(running, key=lambda each: each.holder not in ending), sink)
    if found is None:
        return None
    base, ranked = found
    where = f"{base.path}.template.spec"
    return _made(node, "VolcanoJob", node.at("spec"), base.template, where, gang.replace(parts=ranked))


def _kubeflow(node: Mapping, kind: str, sink: Sink) -> JobObject | None:
    """A job of the training operator, whose pods stand by their roles. Those of a TFJob are told theirs."""
    key, roles = ROLES[kind]
    found = {name: each for name in roles if (each := node.at("spec", key, name)) is not None}
    if not found:
        return None
    pods = []
    for name, each in found.items():
        count = int_at(each, "replicas")
        where = f"spec.{key}.{name}"
        pods.append(Pods(name.lower(), 1 if count is None else count, each, each.at("template"), where))
    slots = node.read("spec", "nprocPerNode")
    gang = _gang(list(found.values()), str(slots) if slots is not None else None)
    running = [each for each in pods if each.count] or pods[:1]
    base, ranked = running[0], tuple[Part, ...]()
    if not parts.same(running) or (kind in ("TFJob", "XGBoostJob") and gang.nodes > 1):
        joined = parts.joined(running, sink)
        if joined is None:
            return None
        base, ranked = joined
    old = node.at("spec") if text_at(node, "apiVersion") != KUBEFLOW else None
    policy = old or node.at("spec", "runPolicy") or _empty(node)
    return _made(node, kind, policy, base.template, f"{base.path}.template.spec", gang.replace(parts=ranked))


def _mpi(node: Mapping, sink: Sink) -> JobObject | None:
    launcher, workers = mpi.pods(node)
    if launcher is None:
        return None
    if workers is None or not workers.count:
        base, ranked = launcher, [Part(name=mpi.LAUNCHER, count=1, each=1, container=None, pod=launcher.spec)]
    elif mpi.launcher_is_host(node, launcher):
        joined = parts.joined([launcher, workers], sink, started=True)
        if joined is None:
            return None
        base, ranked = joined[0], [*joined[1]]
    else:
        found = mpi.beside(launcher, workers, sink)
        if found is None:
            return None
        base, container = found
        alone = Part(name=mpi.LAUNCHER, count=0, each=1, container=launcher.container, pod=launcher.spec)
        count = base.count
        ranked = [alone, Part(name=mpi.WORKER, count=count, each=count, container=container, pod=base.spec)]
    holder = workers.holder if workers is not None else launcher.holder
    nodes = sum(each.count for each in ranked)
    gang = Gang(nodes=nodes, holder=holder, node=holder.at("replicas"), parts=tuple(ranked))
    old = node.at("spec") if text_at(node, "apiVersion") == mpi.ALPHA else None
    policy = old or node.at("spec", "runPolicy") or _empty(node)
    return _made(node, "MPIJob", policy, base.template, f"{base.path}.template.spec", gang)


def _job_set(node: Mapping, sink: Sink) -> JobObject | None:
    jobs, path = node.each("spec", "replicatedJobs"), "spec.replicatedJobs"
    if not jobs:
        return None
    if len(jobs) == 1 and int_at(jobs[0], "replicas") in (None, 1):
        spec = jobs[0].at("template", "spec")
        template = spec.at("template") if spec is not None else None
        return _made(node, "JobSet", spec, template, f"{path}[0].template.spec.template.spec")
    pods = sets.pods(node, sink)
    found = parts.joined(pods, sink) if pods else None
    if pods is None or found is None:
        return None
    base, ranked = found
    counted = [(each, number) for each in jobs if (number := each.at("replicas")) is not None]
    holder, number = counted[-1] if counted else (jobs[0], None)
    gang = Gang(nodes=sum(each.count for each in pods), holder=holder, node=number, parts=ranked)
    spec = base.holder.at("template", "spec")
    return _made(node, "JobSet", spec, base.template, f"{base.path}.template.spec.template.spec", gang)


def _ray(node: Mapping, sink: Sink) -> JobObject | None:
    pods = [each for each in ray.pods(node, sink) or () if each.count]
    found = parts.joined(pods, sink, started=True) if pods else None
    if found is None:
        return None
    base, ranked = found
    held = [(each.holder, number) for each in pods if (number := each.holder.at("replicas")) is not None]
    holder, number = held[-1] if held else (pods[0].holder, None)
    gang = Gang(nodes=sum(each.count for each in pods), holder=holder, node=number, parts=ranked)
    return _made(node, "RayJob", node.at("spec"), base.template, f"{base.path}.template.spec", gang)


def _gang(held: list[Node], slots: str | None = None, *, absent: int = 1) -> Gang:
    """The pods of all parts together; a part without a number has `absent`."""
    counts = [count if (count := int_at(part, "replicas")) is not None else absent for part in held]
    places = [(part, node) for part in held if (node := part.at("replicas")) is not None]
    holder, node = places[-1] if places else (held[0], None)
    return Gang(nodes=sum(counts), holder=holder, node=node, slots=slots)
