"""A RayJob: Ray's head and workers are the machines of one bid, and the first of them hands Ray the entrypoint, as the
operator's submitter does."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container import expand
from flowc.frontends.k8s.findings import int_at, text_at
from flowc.frontends.k8s.kinds.parts import Pods
from flowc.frontends.k8s.machine import needs
from flowc.frontends.k8s.quantity import bytes_of, milli_cpus
from flowc.frontends.k8s.volumes.mounts import target_of
from flowc.shell.quote import sh
from flowc.yamldoc.node import Mapping, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.findings import Findings
    from flowc.frontends.k8s.objects import Part
    from flowc.yamldoc.node import Node

HEAD = "head"
PORT = "6379"
SHM = "/dev/shm"
# Facts of the machine for the shell. A machine may have several networks: Ray is told which.
FACTS = {expand.HEAD: "head_ip", "FLOWC_OWN_IP": "private_ip"}
OWN_ADDRESS = '--node-ip-address="$FLOWC_OWN_IP"'
CLUSTER = ("spec", "rayClusterSpec")
# Options of `ray start` that take a value though it is a truth value; others stand without.
_WITH_VALUE = ("log-color", "include-dashboard", "include-log-monitor")
_OWN = ("address", "block", "head", "node-ip-address", "port")  # these flowc sets itself
# What the head runs when Ray is up on all machines: the entrypoint, its output, and its end for the machine's.
_SUBMIT = """\
import asyncio, json, os, sys, time, yaml, ray
from ray.job_submission import JobSubmissionClient
ray.init(address="127.0.0.1:6379", log_to_driver=False)
while sum(n["Alive"] for n in ray.nodes()) < int(sys.argv[1]): time.sleep(2)
ray.shutdown()
while True:
    try: c = JobSubmissionClient("http://127.0.0.1:8265"); break
    except (ConnectionError, RuntimeError): time.sleep(2)
o = json.loads(sys.argv[4])
i = c.submit_job(entrypoint=sys.argv[2], runtime_env=yaml.safe_load(sys.argv[3]) or None, **o)
async def logs():
    async for l in c.tail_job_logs(i): print(l, end="", flush=True)
asyncio.run(logs())
while not c.get_job_status(i).is_terminal(): time.sleep(1)
sys.exit(c.get_job_status(i).value != "SUCCEEDED")"""


def check(findings: Findings, node: Mapping) -> None:
    """Check the spec of a RayJob, without its pods."""
    spec = node.at("spec")
    if spec is not None and spec.at("rayClusterSpec") is None and spec.at("clusterSelector") is None:
        findings.required(spec, "spec.rayClusterSpec", "one of rayClusterSpec or clusterSelector must be set")


def pods(node: Mapping, sink: Sink) -> list[Pods] | None:
    """Head and workers; None after a report that they cannot be run."""
    from flowc.diag.codes.k8s import objects as object_codes
    from flowc.frontends.k8s.findings import place

    spec, cluster = node.at("spec"), node.at(*CLUSTER)
    if spec is None:
        return None
    trouble = None
    if cluster is None:
        trouble = spec.at("clusterSelector") or spec, "it runs on a cluster of Ray that is there already"
    elif not (text_at(spec, "entrypoint") or "").strip():
        trouble = spec.at("submitterPodTemplate") or spec, "it has no `entrypoint`: somebody else submits what it runs"
    if trouble is not None:
        where, reason = trouble
        help = "write what it is to run as `entrypoint`, and its cluster as `rayClusterSpec`"
        sink.report(object_codes.NOT_A_BATCH_JOB, place(where), help=help, kind="RayJob", reason=reason)
        return None
    assert cluster is not None
    path = ".".join(CLUSTER)
    head = cluster.at("headGroupSpec")
    found = [Pods(HEAD, 1, head, head.at("template"), f"{path}.headGroupSpec")] if head is not None else []
    for index, group in enumerate(cluster.each("workerGroupSpecs")):
        least, hosts = int_at(group, "minReplicas"), int_at(group, "numOfHosts")
        count = int_at(group, "replicas")
        count = (least or 0) if count is None else count
        name = _name(group, index)
        at = f"{path}.workerGroupSpecs[{index}]"
        found.append(Pods(name, count * (hosts or 1), group, group.at("template"), at))
    return found


def ending(gang: tuple[Part, ...], context: Context) -> tuple[Node, str] | None:
    """What says that the job is done when the head is: of a cluster of several machines, the entrypoint."""
    spec = context.job.node.at("spec")
    return (spec, "entrypoint") if spec is not None and len(gang) > 1 else None


def lines(part: Part, container: Mapping, own: Environment, context: Context) -> list[str]:
    """What a machine of the part runs."""
    node = context.job.node
    spec = node.at("spec")
    gang = context.job.gang
    assert spec is not None
    assert gang is not None
    if container.each("command") or container.each("args"):
        key = "command" if container.each("command") else "args"
        reason = "the operator starts Ray in its place, or behind it"
        context.refuse(container, key, reason, "take it out")
    group = next(group for name, group in _groups(node) if name == part.name)
    options = " ".join(_options(group, container))
    known = own.known
    files = sh(known.get("RAY_START_ULIMIT_OPEN_FILES", "65536"))
    begin = f"ulimit -n {files}"
    if part.name != HEAD or part is not gang.parts[0]:
        address = f'"${expand.HEAD}:{PORT}"'
        return [
            begin,
            f'export RAY_ADDRESS={address} FQ_RAY_IP="${expand.HEAD}" RAY_IP="${expand.HEAD}"',
            f"until ray health-check --address {address} >/dev/null 2>&1; do sleep 2; done",
            f"exec ray start --address={address} {OWN_ADDRESS} {options} --block",
        ]
    words = {
        "entrypoint_num_cpus": spec.read("entrypointNumCpus"),
        "entrypoint_num_gpus": spec.read("entrypointNumGpus"),
        "metadata": plain(found) if (found := spec.at("metadata")) is not None else None,
        "submission_id": spec.read("jobId") or None,
    }
    import json

    text = spec.read("entrypointResources")
    given = {key: value for key, value in words.items() if value}
    if text:
        try:
            given["entrypoint_resources"] = json.loads(str(text))
        except ValueError:
            context.refuse(spec, "entrypointResources", "it is no JSON", 'write it so: {"name": 1}')
    arguments = (str(gang.nodes), str(spec.read("entrypoint")).strip(), _runtime_env(spec, context))
    submit = " ".join(map(sh, (*arguments, json.dumps(given))))
    if spec.read("submissionMode") == "InteractiveMode":
        context.refuse(spec, "submissionMode", "somebody else submits what it runs", "leave it out")
    return [
        begin,
        f"export RAY_ADDRESS=127.0.0.1:{PORT}",
        f"ray start --head --port={PORT} {OWN_ADDRESS} {options} || exit",
        f"exec python -c {sh(_SUBMIT)} {submit}",
    ]


def _runtime_env(spec: Node, context: Context) -> str:
    """The job's environment in YAML, or, as KubeRay took it before, in JSON in base64."""
    said, before = spec.at("runtimeEnvYAML"), spec.at("runtimeEnv")
    if said is not None or before is None:
        note = "`runtimeEnvYAML` is what the operator reads"
        context.ledger.decide(spec.pair("runtimeEnv") if isinstance(spec, Mapping) else None, "ignored", note)
        return str(said.value or "") if said is not None else ""
    from binascii import Error, a2b_base64

    try:
        return a2b_base64("".join(str(before.value).split()), strict_mode=True).decode()
    except (Error, UnicodeDecodeError):
        context.refuse(spec, "runtimeEnv", "it is no base64", "write it as `runtimeEnvYAML`")
        return ""


def shared_memory(container: Mapping) -> int:
    """Bytes of shared memory, where Ray keeps its objects: the operator gives all that the container may have."""
    if any(target_of(each).rstrip("/") == SHM for each in container.each("volumeMounts")):
        return 0
    return bytes_of(needs.scaled(needs.asked(container, "memory")))


def _groups(node: Mapping) -> list[tuple[str, Node]]:
    """Head and groups of workers, by their names."""
    cluster = node.at(*CLUSTER)
    head = cluster.at("headGroupSpec") if cluster is not None else None
    workers = cluster.each("workerGroupSpecs") if cluster is not None else ()
    found = [(_name(each, index), each) for index, each in enumerate(workers)]
    return [(HEAD, head), *found] if head is not None else found


def _name(group: Node, index: int) -> str:
    return text_at(group, "groupName") or f"group{index}"


def _options(group: Node, container: Mapping) -> list[str]:
    """The options of `ray start`: the group's own, and what the container may use, as the operator gives them."""
    from contextlib import suppress
    from shlex import split

    given = {pair.key.text: str(pair.value.value) for pair in group.pairs_at("rayStartParams")}
    cpu = container.at("resources", "limits", "cpu") or container.at("resources", "requests", "cpu")
    memory = container.at("resources", "limits", "memory")
    if cpu is not None:
        given.setdefault("num-cpus", str(-(-milli_cpus(needs.scaled(cpu)) // 1000)))
    if memory is not None:
        given.setdefault("memory", str(bytes_of(needs.scaled(memory))))
    given.setdefault("num-gpus", str(needs.gpus_of(container)))
    if group.at("groupName") is None:
        given.setdefault("dashboard-host", "0.0.0.0")
    found = []
    for name in sorted(given):
        value = given[name]
        if name in _OWN:
            continue
        if value.lower() in ("true", "false") and name not in _WITH_VALUE:
            found += [f"--{name}"] if value.lower() == "true" else []
            continue
        with suppress(ValueError):
            value = " ".join(split(value))  # the operator's shell reads it as it stands
        found.append(f"--{sh(name)}={sh(value)}")
    return found


def tell(context: Context) -> None:
    """What becomes of what a RayJob says of its cluster."""
    spec = context.job.node.at("spec")
    cluster = context.job.node.at(*CLUSTER)
    if spec is None or cluster is None:
        return
    for group in cluster.each("workerGroupSpecs"):
        if cluster.read("enableInTreeAutoscaling"):
            _told(group, "maxReplicas", "the number of machines of a bid does not change", context)
    for _, group in _groups(context.job.node):
        for pair in group.pairs_at("rayStartParams"):
            if pair.key.text in _OWN:
                note = "the machines meet at the first of them, at Ray's own port"
                context.ledger.decide(pair, "approximated", note, quiet=True)


def _told(holder: Node, key: str, note: str, context: Context) -> None:
    pair = holder.pair(key) if isinstance(holder, Mapping) else None
    if pair is not None:
        context.sink.report(codes.FIELD_IGNORED, pair.key.span, path=pair.path, reason=note)
        context.decide(holder, key, "ignored", note, codes.FIELD_IGNORED)
