"""From text to a checked `Tree`: documents, lists flattened, kinds told apart, each object held against its fields and
then against the API server's further rules. All that is wrong is reported in one run."""

from __future__ import annotations

from flowc.diag.codes.k8s import fields as field_codes
from flowc.diag.codes.k8s import objects as codes
from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import Findings, place, text_at
from flowc.frontends.k8s.kinds import gather
from flowc.frontends.k8s.kinds import known as kinds
from flowc.frontends.k8s.kinds import rules as object_rules
from flowc.frontends.k8s.objects import DEFAULT_NAMESPACE, TABLES, Companions, Tree
from flowc.source import Source, Span
from flowc.yamldoc import edit
from flowc.yamldoc.check import Checker
from flowc.yamldoc.node import Mapping, Scalar, Sequence, is_null
from flowc.yamldoc.read import read as read_yaml
from flowc.yamldoc.shapes import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.objects import JobObject
    from flowc.inputs import Inputs
    from flowc.yamldoc.node import Node

READER = "kubernetes"


class _Words(Words):
    """The codes of what the API server says of fields."""

    @property
    def unknown_key(self) -> Code:
        return field_codes.UNKNOWN_FIELD

    @property
    def unknown_key_allowed(self) -> Code:
        return field_codes.UNKNOWN_FIELD_IGNORED

    @property
    def missing_key(self) -> Code:
        return field_codes.FIELD_REQUIRED

    @property
    def wrong_type(self) -> Code:
        return field_codes.FIELD_TYPE

    @property
    def not_allowed(self) -> Code:
        return field_codes.UNSUPPORTED_VALUE

    @property
    def out_of_bounds(self) -> Code:
        return field_codes.FIELD_BOUNDS

    @property
    def wrong_form(self) -> Code:
        return field_codes.FIELD_FORM

    @property
    def retired_key(self) -> Code:
        return field_codes.UNKNOWN_FIELD


WORDS = _Words(
    (
        ("JobSpec", "the Job's `spec`"),
        ("PodSpec", "the pod's `spec` (`spec.template.spec` of a Job)"),
        ("Container", "a container"),
        ("ObjectMeta", "`metadata`"),
        ("ResourceRequirements", "`resources`"),
        ("Volume", "an item of the pod's `volumes`"),
        ("SecurityContext", "a `securityContext`"),
        ("VolumeMount", "an item of `volumeMounts`"),
        ("EnvVar", "an item of `env`"),
        ("CronJobSpec", "a CronJob's `spec`"),
    ),
    brackets=True,
)
_VALUES_OF_SECRETS = ("data", "stringData")


def read(source: Source, inputs: Inputs, sink: Sink) -> Tree | None:
    roots = read_yaml(source, sink)
    if roots is None:
        return None
    manifest = _Manifest(source, inputs, sink)
    for root in roots:
        gather.plain_keys(root, sink)
        manifest.take(root)
    for each in inputs.manifests:
        manifest.take_beside(each)
    return manifest.tree()


def document(tree: Tree) -> dict[str, Any]:
    """`flowc.ast/1`: the objects as they are read; values of Secrets are left out, and so are their annotations, among
    which kubectl keeps a copy."""
    from flowc.yamldoc.ast import ast_document

    found = ast_document("k8s", list(tree.documents))
    for node, each in zip(tree.documents, found["documents"], strict=True):
        if text_at(node, "kind") == "Secret":
            for key in _VALUES_OF_SECRETS:
                if isinstance(each["value"].get(key), dict):
                    each["value"][key] = dict.fromkeys(each["value"][key])
            if isinstance(each["value"].get("metadata"), dict):
                each["value"]["metadata"].pop("annotations", None)
    return found


class _Manifest:
    """The objects of one source, as they are found."""

    __slots__ = (
        "beside",
        "checker",
        "companions",
        "documents",
        "findings",
        "inputs",
        "jobs",
        "left_out",
        "seen",
        "services",
        "sink",
        "source",
    )

    def __init__(self, source: Source, inputs: Inputs, sink: Sink) -> None:
        from flowc._compiled.k8s_fields import TYPES

        self.source = source
        self.beside = False  # whether the objects are those of another file
        self.inputs = inputs
        self.sink = sink
        self.findings = Findings(sink)
        self.checker = Checker(TYPES, sink, reader=READER, allow_unknown=inputs.allow_unknown, words=WORDS)
        self.checker.allow_stray = inputs.flags.move
        self.documents: list[Mapping] = []
        self.jobs: list[tuple[Mapping, str]] = []
        self.companions = Companions(**{name: {} for name in TABLES})
        self.left_out: list[tuple[Mapping, Scalar, str]] = []
        self.seen: dict[tuple[str, str, str], Scalar] = {}
        self.services: list[Mapping] = []

    def take_beside(self, source: Source) -> None:
        """The objects of another file to which jobs may refer. One without a namespace, as one for a job without, goes
        where the job goes: kubectl would send both to the same."""
        self.sink.sources.append(source)
        own, documents, self.documents, self.seen, self.beside = self.companions, self.documents, [], {}, True
        self.companions = Companions(**{name: {} for name in TABLES})
        for root in read_yaml(source, self.sink) or ():
            gather.plain_keys(root, self.sink)
            self.take(root)
        homes = dict.fromkeys(gather.namespace(node) for node, _ in self.jobs)
        for table, found in zip(own.tables, self.companions.tables, strict=True):
            for (namespace, name), node in found.items():
                if (namespace, name) in table:
                    self._leave_out(node, "the file before has one of this name")
                table.setdefault((namespace, name), node)
                for home in homes if namespace else ():
                    if DEFAULT_NAMESPACE in (home, namespace):
                        table.setdefault((home, name), node)
        self.companions, self.documents = own, documents

    def _leave_out(self, node: Mapping, reason: str) -> None:
        kind, name = self._word(node, "kind") or "", node.at("metadata", "name")
        text = name.text if isinstance(name, Scalar) else "without a name"
        self.sink.report(codes.OBJECT_LEFT_OUT, place(node.at("kind") or node), kind=kind, name=text, reason=reason)

    def take(self, node: Node, kind_of_list: tuple[str, str] = ("", "")) -> None:
        """One object, or all those of a list."""
        if is_null(node):
            return
        if not isinstance(node, Mapping):
            several = isinstance(node, Sequence)
            help = "separate objects by `---` and take the `- ` before each out" if several else None
            span = Span(node.source, node.start, min(node.end, node.start + 1)) if several else node.span
            self.sink.report(codes.NOT_AN_OBJECT, span, help=help, what=node.what)
            return
        kind, version = self._word(node, "kind"), self._word(node, "apiVersion")
        if kind is None and kind_of_list[0]:  # the items of a JobList are known to be Jobs
            kind, version = kind_of_list
        if kind is None or version is None:
            self._without_kind(node, kind, version)
        elif kind.endswith("List") and (kind == "List" or "items" in node):
            inner = kind.removesuffix("List")
            if (listed := node.get("items")) is not None:
                self.checker.check(listed, {"is": "list", "of": {"is": "any"}}, "items")
            for item in node.each("items"):
                self.take(item, (inner, version))
        else:
            self._object(node, kind, version)

    def _word(self, node: Mapping, key: str) -> str | None:
        found = node.at(key)
        return found.text if isinstance(found, Scalar) and found.text else None

    def _without_kind(self, node: Mapping, kind: str | None, version: str | None) -> None:
        known = {"kind": kind, "apiVersion": version}
        from flowc.diag.suggest import nearest

        for key, value in known.items():
            if value is not None:
                continue
            near = nearest(key, [pair.key.text for pair in node.pairs if pair.key.text not in known])
            help = f"write `{key}` where `{near}` stands" if near else None
            if help is None and key == "apiVersion" and kind in kinds.VERSIONS:
                help = f"add `apiVersion: {kinds.VERSIONS[kind]}`"
            if help is None and not kind and not version:
                help = "is it Helm's values, or a part of a manifest? add `apiVersion: batch/v1` and `kind: Job`"
            span = place(node.pairs[0].key) if node.pairs else Span(node.source, node.start, node.end)
            self.sink.report(codes.KIND_MISSING, span, help=help, key=key)
            if not kind and not version:
                return

    def _object(self, node: Mapping, kind: str, version: str) -> None:
        job = kinds.JOBS.get((kind, version)) or self._of_old(node, kind, version)
        companion = kinds.COMPANIONS.get((kind, version))
        if self.beside and (job is not None or kind in kinds.REFUSED):
            self._leave_out(node, "of a file of `--with` only what jobs refer to is read")
        elif job is not None:
            self.documents.append(node)
            gather.role_names(node, job)
            self._set(node)
            self._check(node, job)
            self.jobs.append((node, job))
            object_rules.job(self.findings, node, job)
        elif companion is not None:
            self.documents.append(node)
            self._check(node, companion)
            object_rules.companion(self.findings, node, companion)
            self._keep(node, companion)
        elif kind in kinds.SERVICES:
            self.services.append(node)
        elif kind in kinds.REFUSED:
            reason, help = kinds.REFUSED[kind]
            span = place(node.at("kind") or node)
            self.sink.report(codes.NOT_A_BATCH_JOB, span, help=help, kind=kind, reason=reason)
        elif kind in kinds.BYSTANDERS:
            self.checker.check(node, {"is": "any"})
            self.documents.append(node)
        else:
            self._unknown(node, kind, version)

    def _of_old(self, node: Mapping, kind: str, version: str) -> str | None:
        """The type of a job whose version is gone; `--move` reads it as today's, and tells."""
        if not self.inputs.flags.move or (kind, version) not in kinds.OLD_JOBS:
            return None
        from flowc.diag.codes.override import LEFT_OUT

        reason = f"`{version}` is gone, and read as `{kinds.VERSIONS[kind]}`"
        self.sink.report(LEFT_OUT, place(node.at("apiVersion") or node), path="apiVersion", reason=reason)
        return kinds.OLD_JOBS[kind, version]

    def _beside_a_job(self) -> None:
        """What stays up beside a job belongs to the cluster: `--move` leaves it there, and tells; but not where a job
        names it, or a Service that may be its own."""
        hosts = [name for _, name in self.companions.services]
        texts = [node.source.text[node.start : node.end] for node, _ in self.jobs]
        for node in self.services:
            kind = self._word(node, "kind") or ""
            reason, help = kinds.REFUSED[kind]
            own = node.at("metadata", "name")
            known = [*([own.text] if isinstance(own, Scalar) else []), *hosts]
            named = [name for name in known if name and names.stands_in(texts, name)]
            if self.jobs and named:
                help = (
                    f"the job names `{named[0]}`: start it beside the job, as a sidecar, or name a server that is there"
                )
            elif self.jobs and self.inputs.flags.move:
                self._leave_out(node, "it stays with the cluster")
                continue
            elif self.jobs:
                help = f"{help}; `--move` leaves it out"
            span = place(node.at("kind") or node)
            self.sink.report(codes.NOT_A_BATCH_JOB, span, help=help, kind=kind, reason=reason)

    def _set(self, node: Mapping) -> None:
        """`--set` goes to every job of the file."""
        for index, (path, value) in enumerate(self.inputs.flags.sets):
            span = self.inputs.span("sets", index)
            if span is None:
                source = Source("--set", f"{path}={value}")
                span = Span(source, 0, len(source.text))
            edit.put(node, path, value, span, self.sink)

    def _check(self, node: Mapping, kind: str) -> None:
        self.checker.check(node, {"is": "map", "type": kind})
        name = node.at("metadata", "name")
        if not isinstance(name, Scalar):
            return
        key = (kind, gather.namespace(node), name.text)
        if key in self.seen:
            notes = ((self.seen[key].span, "first given here"),)
            self.sink.report(codes.DUPLICATE_OBJECT, name.span, notes=notes, kind=kind, name=name.text)
        self.seen.setdefault(key, name)

    def _keep(self, node: Mapping, kind: str) -> None:
        name, kept = text_at(node, "metadata", "name"), self.companions
        if name is None:
            return
        namespace = gather.namespace(node)
        if kind == "PersistentVolume":
            kept.volumes["", name] = node
        elif kind == "TrainingRuntime":
            kept.runtimes["", name] = node
        elif kind == "Service":
            kept.services[namespace, name] = node
        elif kind == "ConfigMap":
            kept.config_maps[namespace, name] = node
        elif kind == "Secret":
            kept.secrets[namespace, name] = node
        else:
            kept.claims[namespace, name] = node

    def _unknown(self, node: Mapping, kind: str, version: str) -> None:
        found = node.at("kind")
        assert isinstance(found, Scalar)
        if kind in kinds.VERSIONS:
            wrong = node.at("apiVersion")
            code = codes.OLD_API_VERSION if version in kinds.OLD_VERSIONS else codes.KIND_UNKNOWN
            help = f"write `apiVersion: {kinds.VERSIONS[kind]}`"
            if (kind, version) in kinds.OLD_JOBS:
                help = f"{help}; `--move` reads it as that"
            group = version.partition("/")[0]
            if code is codes.KIND_UNKNOWN and "." in group and not group.endswith(kinds.GROUPS_OF_KUBERNETES):
                help = f"flowc reads {kind} of {kinds.VERSIONS[kind]}; this is another kind of the same name"
                if group.endswith(kinds.VOLCANO) or group == kinds.VOLCANO_BEFORE:
                    help = "Volcano's Job is `apiVersion: batch.volcano.sh/v1alpha1`"
            self.sink.report(code, place(wrong or node), help=help, kind=kind, version=version)
            return
        from flowc.diag.suggest import nearest

        near = nearest(kind, [*kinds.VERSIONS, *kinds.BYSTANDERS, *kinds.REFUSED])
        if near is not None and ("." not in version or near in kinds.VERSIONS):
            help = f"did you mean `{near}`?"
            self.sink.report(codes.KIND_UNKNOWN, found.span, help=help, kind=kind, version=version)
        else:
            self.left_out.append((node, found, version))

    def tree(self) -> Tree:
        """What was found, after what can be said only at the end."""
        self._beside_a_job()
        for node, found, version in self.left_out:
            if self.jobs:
                name = node.at("metadata", "name")
                text = name.text if isinstance(name, Scalar) else "without a name"
                reason = f"kind {found.text} of {version} is not known"
                self.sink.report(codes.OBJECT_LEFT_OUT, found.span, kind=found.text, name=text, reason=reason)
            else:
                known = "Job, CronJob (with `--once`), Pod, JobSet, RayJob, TrainJob"
                help = f"flowc runs {known}, {', '.join(kinds.ROLES)} and Volcano's Job"
                self.sink.report(codes.KIND_UNKNOWN, found.span, help=help, kind=found.text, version=version)
        jobs: list[JobObject] = []
        for node, kind in self.jobs:
            job = self._job(node, kind)
            if job is not None:
                jobs.append(job)
        if not self.jobs and not self.sink.broken:
            self._no_job()
        return Tree(source=self.source, documents=tuple(self.documents), jobs=tuple(jobs), companions=self.companions)

    def _job(self, node: Mapping, kind: str) -> JobObject | None:
        """The job of an object, or of the one that a TrainJob or a version of before stands for."""
        if kind == "TrainJob":
            from flowc.frontends.k8s.kinds import train

            made = train.job_set(node, self.companions, self.checker, self.inputs, self.sink)
        elif kind == "MPIJobBefore":
            from flowc.frontends.k8s.kinds import mpi_before

            made = mpi_before.today(node)
        else:
            return gather.job(node, kind, self.inputs, self.sink)
        if made is None:
            return None
        object_rules.job(self.findings, made.node, made.kind)
        job = gather.job(made.node, made.kind, self.inputs, self.sink)
        return job.replace(written=made.written, decided=made.decided) if job is not None else None

    def _no_job(self) -> None:
        names = dict.fromkeys(self._word(each, "kind") or "" for each in self.documents)
        found = f"there is {', '.join(names)}" if names else "all of its documents are empty"
        node = self.documents[0].at("kind") if self.documents else None
        help = "put the Job that uses it into the same file" if names else "is everything a comment?"
        self.sink.report(codes.JOB_MISSING, place(node) if node is not None else None, help=help, found=found)
