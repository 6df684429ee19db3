"""The API server's rules for objects as a whole: their names and labels, and what is in companions of a job."""

from __future__ import annotations

from flowc.diag.codes.k8s import objects as codes
from flowc.frontends.k8s import names
from flowc.frontends.k8s.job import rules as job_rules
from flowc.frontends.k8s.kinds import cron, mpi, ray, sets, tensorflow, torch, volcano
from flowc.frontends.k8s.kinds.known import ROLES
from flowc.frontends.k8s.pod import rules as pod_rules
from flowc.frontends.k8s.pod import selectors
from flowc.frontends.k8s.volumes import rules as volume_rules
from flowc.yamldoc import scalars
from flowc.yamldoc.node import Mapping, Scalar, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node, Pair

MOST_NOTES = 256 << 10  # characters of all annotations together
# The longest names: of a Job it becomes a label, of a CronJob a time is put behind it.
_LONGEST_NAME = {"Pod": names.SUBDOMAIN_LENGTH, "CronJob": 52}
_KINDS_OF_VALUES = {"bool": "a bool", "int": "a number", "float": "a number"}


def job(findings: Findings, node: Mapping, kind: str) -> None:
    """Check an object of one of the kinds in `kinds.JOBS`."""
    name = _metadata(findings, node, _LONGEST_NAME.get(kind, names.LABEL_LENGTH))
    if kind == "VolcanoJob":
        for index, task in enumerate(node.each("spec", "tasks")):
            _template(findings, task.at("template"), f"spec.tasks[{index}].template")
        volcano.check(findings, node)
    elif kind in ROLES:
        key = ROLES[kind][0]
        for pair in node.pairs_at("spec", key):
            _template(findings, pair.value.at("template"), f"spec.{key}.{pair.key.text}.template")
        if kind in ("TFJob", "MPIJob"):
            {"TFJob": tensorflow, "MPIJob": mpi}[kind].check(findings, node)
        else:
            torch.check(findings, node, kind)
    elif kind == "MPIJobBefore":
        from flowc.frontends.k8s.kinds import mpi_before

        mpi_before.check(findings, node)  # the rest is that of the MPIJob that comes of it
    elif kind == "TrainJob":
        torch.service_name(findings, node)  # its pods are those of the JobSet that comes of it
    elif kind == "RayJob":
        cluster = node.at(*ray.CLUSTER)
        groups = [("headGroupSpec", cluster.at("headGroupSpec"))] if cluster is not None else []
        workers = cluster.each("workerGroupSpecs") if cluster is not None else []
        groups += [(f"workerGroupSpecs[{index}]", each) for index, each in enumerate(workers)]
        for where, group in groups:
            if group is not None:
                _template(findings, group.at("template"), f"{'.'.join(ray.CLUSTER)}.{where}.template")
        ray.check(findings, node)
    elif kind == "JobSet":
        for index, part in enumerate(node.each("spec", "replicatedJobs")):
            where = f"spec.replicatedJobs[{index}].template.spec"
            _job_spec(findings, node, part.at("template", "spec"), where, None, of_set=True)
        sets.check(findings, node)
    elif kind == "CronJob":
        cron.check(findings, node)
        _job_spec(findings, node, node.at("spec", "jobTemplate", "spec"), "spec.jobTemplate.spec", None)
    elif kind == "Pod":
        if isinstance(node.at("spec"), Mapping):
            _pod(findings, node.at("spec"), "spec")
    else:
        _job_spec(findings, node, node.at("spec"), "spec", name)


def _job_spec(
    findings: Findings, node: Mapping, spec: Node | None, path: str, name: Node | None, *, of_set: bool = False
) -> None:
    if isinstance(spec, Mapping):
        job_rules.check(findings, spec, path, name, of_set=of_set)
        own = name.value if name is not None and isinstance(name.value, str) else None
        selectors.generated(findings, node, spec, path, own)
        claims = sets.claims(node) if of_set else None
        _template(findings, spec.at("template"), f"{path}.template", claims)


def _template(findings: Findings, template: Node | None, path: str, claims: dict[str, Node] | None = None) -> None:
    if template is not None:
        names.labels(findings, template.at("metadata", "labels"), f"{path}.metadata.labels")
        names.labels(findings, template.at("metadata", "annotations"), f"{path}.metadata.annotations", values=False)
        _pod(findings, template.at("spec"), f"{path}.spec", claims)


def _pod(findings: Findings, spec: Node | None, path: str, claims: dict[str, Node] | None = None) -> None:
    if isinstance(spec, Mapping):
        pod_rules.check(findings, spec, path, claims)


def _metadata(findings: Findings, node: Mapping, longest: int) -> Node | None:
    """Check names and labels; gives the name."""
    name, prefix = node.at("metadata", "name"), node.at("metadata", "generateName")
    if name is None and (prefix is None or not prefix.value):
        findings.required(node.at("metadata") or node, "metadata.name", "name or generateName is required")
    elif name is not None and isinstance(name.value, str):
        names.dns_subdomain(findings, name, "metadata.name", longest)
    elif prefix is not None and name is None and not names.is_subdomain(str(prefix.value).rstrip("-.")):
        findings.form(prefix, "metadata.generateName", names.IN_SUBDOMAIN)
    namespace = node.at("metadata", "namespace")
    if namespace is not None and isinstance(namespace.value, str) and namespace.value:
        names.dns_label(findings, namespace, "metadata.namespace")
    names.labels(findings, node.at("metadata", "labels"), "metadata.labels")
    annotations = node.at("metadata", "annotations")
    names.labels(findings, annotations, "metadata.annotations", values=False)
    pairs = node.pairs_at("metadata", "annotations")
    if annotations is not None and sum(len(each.key.text) + len(str(each.value.value)) for each in pairs) > MOST_NOTES:
        findings.too_long(annotations, "metadata.annotations", MOST_NOTES)
    return name


def companion(findings: Findings, node: Mapping, kind: str) -> None:
    """Check an object of one of the kinds in `kinds.COMPANIONS`."""
    _metadata(findings, node, names.SUBDOMAIN_LENGTH)
    if kind == "PersistentVolumeClaim":
        if node.at("spec") is None:
            findings.required(node, "spec")
        volume_rules.claim(findings, node.at("spec"), "spec")
    elif kind == "ConfigMap":
        _keys(findings, node, ("data", "binaryData"))
    elif kind == "Secret":
        _keys(findings, node, ("data", "stringData"))
        for field in ("data", "stringData"):
            for pair in node.pairs_at(field):
                _secret_value(findings, node, pair, field)


def _keys(findings: Findings, node: Mapping, fields: tuple[str, ...]) -> None:
    for field in fields:
        for pair in node.pairs_at(field):
            if not names.is_config_key(pair.key.text):
                findings.form(pair.key, field, "letters, digits, `-`, `_` and `.`, at most 253", value=pair.key.text)


def _secret_value(findings: Findings, node: Mapping, pair: Pair, field: str) -> None:
    """A value that is no text, or not in base64. The report stands at the field, so that its line shows no value."""
    if is_null(pair.value):
        return
    found, expected = None, "a text"
    if not isinstance(pair.value, Scalar):
        found = f"a {pair.value.what}"
    else:
        kind = scalars.meaning(pair.value, "kubernetes").kind
        if kind in _KINDS_OF_VALUES:
            found = _KINDS_OF_VALUES[kind]
        elif field == "data" and not _is_base64(pair.value.text):
            found, expected = "a text that is no base64", "base64"
    if found is not None:
        holder = node.pair(field)
        assert holder is not None
        help = "put it in quotes" if expected == "a text" else "write it as it is below `stringData`"
        findings.sink.report(
            codes.SECRET_DATA, holder.key.span, help=help, path=field, key=pair.key.text, found=found, expected=expected
        )


def _is_base64(text: str) -> bool:
    from binascii import Error, a2b_base64

    try:
        a2b_base64(text.replace("\n", "").replace("\r", ""), strict_mode=True)
    except (Error, ValueError):
        return False
    return True
