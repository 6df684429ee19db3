"""From a checked object to the job in it: where its pod stands, how many of them run."""

from __future__ import annotations

from flowc.diag.codes.k8s import objects as codes
from flowc.diag.codes.yaml import document as yaml_codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.k8s.findings import int_at, place, text_at
from flowc.frontends.k8s.objects import DEFAULT_NAMESPACE, Gang, JobObject
from flowc.yamldoc import scalars
from flowc.yamldoc.node import Mapping, Scalar, Sequence, plain
from flowc.yamldoc.shapes import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.source import Source
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


def namespace(node: Mapping) -> str:
    found = node.at("metadata", "namespace")
    return found.text if isinstance(found, Scalar) and found.text else DEFAULT_NAMESPACE


def job(node: Mapping, kind: str, source: Source, inputs: Inputs, sink: Sink) -> JobObject | None:
    """The job of an object of one of the kinds in `kinds.JOBS`; None after a report that it cannot be run."""
    if kind == "CronJob" and not inputs.once:
        found = node.at("kind")
        help = "`--once` runs its job once, now; for a schedule, call flowc from cron or CI"
        sink.report(codes.CRON_JOB, place(found or node), help=help)
        return None
    if kind == "VolcanoJob":
        return _volcano(node, sink)
    if kind == "PyTorchJob":
        return _pytorch(node, sink)
    if kind == "JobSet":
        return _job_set(node, sink)
    if kind == "Pod":
        return _made(node, kind, _empty(node), node, "spec")
    spec, path = node.at("spec"), "spec"
    if kind == "CronJob":
        schedule = node.at("spec", "schedule")
        if schedule is not None:
            sink.report(codes.SCHEDULE_IGNORED, place(schedule), schedule=str(schedule.value))
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
    if not _same(tasks, [f"spec.tasks[{index}]" for index in range(len(tasks))], "the first task", sink):
        return None
    return _made(
        node,
        "VolcanoJob",
        node.at("spec"),
        tasks[0].at("template"),
        "spec.tasks[0].template.spec",
        _gang(tasks, absent=0),
    )


def _pytorch(node: Mapping, sink: Sink) -> JobObject | None:
    path = "spec.pytorchReplicaSpecs"
    specs = {name: node.at("spec", "pytorchReplicaSpecs", name) for name in ("Master", "Worker")}
    found = {name: each for name, each in specs.items() if each is not None}
    parts = list(found.values())
    if not _same(parts, [f"{path}.{name}" for name in found], "Master", sink):
        return None
    policy = node.at("spec", "runPolicy")
    slots = node.read("spec", "nprocPerNode")
    gang = _gang(parts, str(slots) if slots is not None else None)
    first = next(iter(found))
    where = f"{path}.{first}.template.spec"
    return _made(node, "PyTorchJob", policy or _empty(node), parts[0].at("template"), where, gang)


def _job_set(node: Mapping, sink: Sink) -> JobObject | None:
    parts, path = node.each("spec", "replicatedJobs"), "spec.replicatedJobs"
    if not parts:
        return None
    replicas = parts[0].at("replicas")
    if len(parts) > 1:
        expected = "one replicated job, since all machines of a bid run the same"
        found = f"there are {len(parts)} replicated jobs"
        sink.report(codes.NOT_ONE_GANG, place(parts[1]), path=path, found=found, expected=expected)
        return None
    if replicas is not None and int_at(replicas) not in (None, 1):
        help = "write the number of machines as `parallelism` and `completions` of its template"
        where, found = f"{path}[0].replicas", f"there are {replicas.value} copies of the job"
        sink.report(codes.NOT_ONE_GANG, place(replicas), help=help, path=where, found=found, expected="1")
        return None
    spec = parts[0].at("template", "spec")
    template = spec.at("template") if spec is not None else None
    return _made(node, "JobSet", spec, template, f"{path}[0].template.spec.template.spec")


def _gang(parts: list[Node], slots: str | None = None, *, absent: int = 1) -> Gang:
    """The pods of all parts together; a part without a number has `absent`."""
    counts = [count if (count := int_at(part, "replicas")) is not None else absent for part in parts]
    places = [(part, node) for part in parts if (node := part.at("replicas")) is not None]
    holder, node = places[-1] if places else (parts[0], None)
    return Gang(nodes=sum(counts), holder=holder, node=node, slots=slots)


def _same(parts: list[Node], paths: list[str], first: str, sink: Sink) -> bool:
    """Whether there are parts, and all of their pods are the same, names of containers aside; reports where not."""
    if not parts:
        return False
    pods = [_pod(part) for part in parts]
    for part, pod, path in zip(parts[1:], pods[1:], paths[1:], strict=True):
        if pod != pods[0]:
            where = _difference(pods[0], pod, "template.spec")
            help = "make the pods the same, with a program that looks at its rank; or write a Job for each"
            expected = f"the same as in {first}"
            sink.report(
                codes.NOT_ONE_GANG, place(part), help=help, path=path, found=f"`{where}` differs", expected=expected
            )
            return False
    return True


def _pod(part: Node) -> object:
    pod = part.at("template", "spec")
    found = plain(pod) if pod is not None else {}
    for container in found.get("containers") or () if isinstance(found, dict) else ():
        if isinstance(container, dict):
            container.pop("name", None)
    return found


def _difference(a: object, b: object, path: str) -> str:
    """The first place at which two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            if a.get(key) != b.get(key):
                return _difference(a.get(key), b.get(key), f"{path}.{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            if one != other:
                return _difference(one, other, f"{path}[{index}]")
    return path
