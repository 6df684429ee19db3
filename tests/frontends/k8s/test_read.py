"""From text to objects: documents, lists, kinds, YAML as Kubernetes reads it, secrets that stay secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowc.diag.render import render
from flowc.diag.suggest import FILL_IN
from flowc.frontends.k8s.read import document
from flowc.yamldoc.node import plain
from tests.frontends.k8s.manifests import CONTAINER, JOB, found, job, messages, read_text

TEXT = json.dumps(JOB)
BLOCK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox:1.36
        env:
        - name: A
          value: VALUE
"""


def names(text: str, **options: Any) -> list[str]:
    tree, sink = read_text(text, **options)
    assert tree is not None
    assert [each.message for each in sink.diagnostics if each.severity == "error"] == []
    return [job.name for job in tree.jobs]


def kind(kind: str, version: str, **more: Any) -> str:
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **more})


def several(*documents: str) -> str:
    return "".join(f"---\n{each}\n" for each in documents)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"\ufeff{BLOCK}",
        BLOCK.replace("\n", "\r\n"),
        f"# comment\n---\n---\n{BLOCK}...\n",
        several("# nothing", "null", TEXT, ""),
        kind("List", "v1", items=[JOB]),
        kind("JobList", "batch/v1", items=[{key: JOB[key] for key in ("metadata", "spec")}]),
        kind("List", "v1", items=[{"apiVersion": "v1", "kind": "List", "items": [JOB]}]),
        several(kind("List", "v1", items=[]), TEXT),
    ],
)
def test_one_job_is_found(text: str) -> None:
    assert names(text) == ["train"]


def test_jobs_keep_the_order_of_the_text() -> None:
    assert names(several(json.dumps(job(metadata={"name": "b"})), TEXT)) == ["b", "train"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"- {TEXT}", "the document is a list, expected an object"),
        ("text", "the document is a text, expected an object"),
        (TEXT.replace('"kind": "Job", ', ""), "`kind` is missing"),
        (TEXT.replace('"apiVersion": "batch/v1", ', ""), "`apiVersion` is missing"),
        (TEXT.replace("Job", "Jobs"), 'no matches for kind "Jobs" in version "batch/v1"'),
        (TEXT.replace("Job", "job"), 'no matches for kind "job" in version "batch/v1"'),
        (TEXT.replace("batch/v1", "apps/v1"), 'no matches for kind "Job" in version "apps/v1"'),
        (
            TEXT.replace("batch/v1", "run.googleapis.com/v1"),
            'no matches for kind "Job" in version "run.googleapis.com/v1"',
        ),
        (TEXT.replace("batch/v1", "batch/v1beta1"), "that version is gone"),
        (kind("Deployment", "apps/v1"), "Deployment is no batch job"),
        (kind("PaddleJob", "kubeflow.org/v1"), "PaddleJob is no batch job: its controller"),
        (kind("RayService", "ray.io/v1"), "RayService is no batch job: Ray"),
        (kind("TrainJob", "trainer.kubeflow.org/v1alpha1"), "spec: Required value"),
        (kind("Widget", "example.com/v1"), 'no matches for kind "Widget"'),
        (kind("Namespace", "v1"), "the file holds no job: there is Namespace"),
        ("# nothing\n", "the file holds no job: all of its documents are empty"),
        (several(TEXT, TEXT), "a Job `train` stands in the file twice"),
        (several(TEXT, kind("Widget", "example.com/v1")), "the Widget `x` is left out"),
        (several(TEXT, kind("Deployment", "apps/v1")), "Deployment is no batch job"),
    ],
)
def test_kind_is_told(text: str, said: str) -> None:
    (message,) = messages(text)
    assert said in message


def test_objects_beside_a_job_are_kept_by_namespace_and_name() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"A": "b"}}
    other = {**config, "metadata": {"name": "c", "namespace": "n"}, "data": {"A": "c"}}
    tree, sink = read_text(
        several(json.dumps(config), json.dumps(other), TEXT, kind("Role", "rbac.authorization.k8s.io/v1"))
    )
    assert tree is not None
    assert sink.diagnostics == []
    assert tree.companions.config_maps["default", "c"].read("data", "A") == "b"
    assert tree.companions.config_maps["n", "c"].read("data", "A") == "c"
    assert tree.jobs[0].namespace == "default"


@pytest.mark.parametrize("value", ["y", "N", "yes", "On", "1", "010", "0o10", "0x1f", "1e3", "685e12", "1.10", "1_000"])
def test_what_kubernetes_reads_as_no_text_is_no_value_of_a_variable(value: str) -> None:
    (message,) = messages(BLOCK.replace("VALUE", value))
    assert "spec.template.spec.containers[0].env[0].value: Invalid value: it is the" in message


@pytest.mark.parametrize(
    "value",
    ["12:30", "1:30:00", "2024-01-01", "2024-01-01T10:00:00Z", "08", "=", "<<", "!foo x", "1.2.3", "0b12", "'1'"],
)
def test_what_kubernetes_reads_as_text_is_one(value: str) -> None:
    tree, sink = read_text(BLOCK.replace("VALUE", value))
    assert tree is not None
    assert sink.diagnostics == []
    text = tree.jobs[0].pod_spec.read("containers", 0, "env", 0, "value")
    assert text == value.removeprefix("!foo ").strip("'")


@pytest.mark.parametrize("value", ["~", "null", "", "# nothing"])
def test_null_is_an_absent_value(value: str) -> None:
    tree, sink = read_text(BLOCK.replace("VALUE", value))
    assert tree is not None
    assert sink.diagnostics == []
    assert tree.jobs[0].pod_spec.read("containers", 0, "env", 0, "value") is None


def test_modes_are_octal() -> None:
    volume = "      volumes:\n      - {name: a, secret: {secretName: s, defaultMode: 0400}}\n"
    tree, sink = read_text(BLOCK + volume)
    assert tree is not None
    assert sink.diagnostics == []
    assert tree.jobs[0].pod_spec.read("volumes", 0, "secret", "defaultMode") == 0o400


def test_keys_become_text_as_kubernetes_makes_it() -> None:
    config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {y: a, 1.10: b, 8: c, yes.txt: d}\n"
    tree, sink = read_text(BLOCK + config)
    assert tree is not None
    data = tree.companions.config_maps["default", "c"].at("data")
    assert data is not None
    assert plain(data) == {"true": "a", "1.1": "b", "8": "c", "yes.txt": "d"}
    assert [each.message for each in sink.diagnostics] == [
        '`key: y` is read as the key "true"',
        '`key: 1.10` is read as the key "1.1"',
    ]


def test_what_kubectl_get_prints_is_read_in_silence() -> None:
    metadata = {
        "name": "train",
        "uid": "1",
        "resourceVersion": "2",
        "creationTimestamp": "2024-01-01T00:00:00Z",
        "generation": 1,
        "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {".": {}}}}],
    }
    dump = job(spec={"selector": {"matchLabels": {"controller-uid": "x"}}, "suspend": False}, metadata=metadata)
    dump["status"] = {"active": 1, "conditions": [], "ready": 0}
    dump["spec"]["template"]["metadata"] = {"creationTimestamp": None, "labels": {"controller-uid": "x"}}
    dump["spec"]["template"]["spec"] |= {"serviceAccount": "a", "serviceAccountName": "a", "securityContext": {}}
    assert messages(dump) == []


def test_a_cron_job_runs_only_on_request() -> None:
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": JOB["spec"]}},
    }
    assert [each.code.id for each in found(cron)] == ["FC319"]
    tree, sink = read_text(json.dumps(cron), once=True)
    assert tree is not None
    assert [each.code.id for each in sink.diagnostics] == ["FC320"]
    (only,) = tree.jobs
    assert (only.kind, only.name, only.prefix) == ("CronJob", "nightly", "spec.jobTemplate.spec.template.spec")
    assert only.pod_spec.read("containers", 0, "image") == CONTAINER["image"]
    tree, sink = read_text(json.dumps(cron), move=True)
    assert tree is not None
    assert len(tree.jobs) == 1
    (told,) = sink.diagnostics
    assert told.code.id == "FC456"
    assert "the job runs once, now, not by `0 3 * * *`" in told.message


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 3 * * *", None),
        ("*/5 0-3,7 * JAN-MAR mon", None),
        ("@daily", None),
        ("0 3 * *", "must be five fields of cron"),
        ("@dayly", "must be five fields of cron"),
        ("TZ=UTC 0 3 * * *", "use timeZone field instead"),
        ("? 0/6 1-31/2 feb *", None),
        ("@every 1h30m", None),
        ("60 * * * *", "`60` is no minute: expected 0 to 59"),
        ("0 24 * * *", "`24` is no hour"),
        ("0 0 0 * *", "`0` is no day of the month"),
        ("0 0 * foo *", "`foo` is no month"),
        ("0 0 * * 7", "7 is no day, Sunday is 0"),
        ("*/0 * * * *", "`*/0` is no minute"),
        ("5-1 * * * *", "`5-1` is no minute"),
        ("1-2-3 * * * *", "`1-2-3` is no minute"),
        ("@every day", "must be five fields of cron"),
    ],
)
def test_a_schedule_has_its_form(schedule: str, said: str | None) -> None:
    spec = {"schedule": schedule, "jobTemplate": {"spec": JOB["spec"]}}
    _, sink = read_text(kind("CronJob", "batch/v1", spec=spec), once=True)
    errors = [each.message for each in sink.diagnostics if each.severity == "error"]
    assert len(errors) == (said is not None)
    assert (said or "") in "".join(errors)


@pytest.mark.parametrize(
    ("zone", "good"), [("Etc/UTC", True), ("Europe/Berlin", True), ("", False), ("Local", False), ("Nowhere/X", False)]
)
def test_a_time_zone_is_one(zone: str, good: bool) -> None:
    spec = {"schedule": "@daily", "timeZone": zone, "jobTemplate": {"spec": JOB["spec"]}}
    _, sink = read_text(kind("CronJob", "batch/v1", spec=spec), once=True)
    assert ["spec.timeZone" in each.message for each in sink.diagnostics if each.severity == "error"] == [True] * (
        not good
    )


def test_a_pod_is_a_job_that_is_never_restarted() -> None:
    tree, sink = read_text(kind("Pod", "v1", spec={"containers": [CONTAINER]}))
    assert tree is not None
    assert sink.diagnostics == []
    (only,) = tree.jobs
    assert only.job_spec.pairs == []
    assert only.prefix == "spec"


POD = {"restartPolicy": "Never", "containers": [CONTAINER]}
OTHER = {"restartPolicy": "Never", "containers": [{**CONTAINER, "image": "other:1"}]}


def volcano(*pods: dict[str, Any]) -> str:
    tasks = [{"name": f"t{index}", "replicas": 2, "template": {"spec": pod}} for index, pod in enumerate(pods)]
    return kind("Job", "batch.volcano.sh/v1alpha1", spec={"tasks": tasks})


def pytorch(**replicas: tuple[int | None, dict[str, Any]]) -> str:
    specs = {
        name: {
            **({"replicas": count} if count is not None else {}),
            "restartPolicy": "OnFailure",
            "template": {"spec": pod},
        }
        for name, (count, pod) in replicas.items()
    }
    return kind("PyTorchJob", "kubeflow.org/v1", spec={"pytorchReplicaSpecs": specs, "nprocPerNode": "8"})


def job_set(*counts: int) -> str:
    pod = {"containers": [CONTAINER]}
    jobs = [
        {"name": f"j{index}", "replicas": count, "template": {"spec": {"parallelism": 2, "template": {"spec": pod}}}}
        for index, count in enumerate(counts)
    ]
    return kind("JobSet", "jobset.x-k8s.io/v1alpha2", spec={"replicatedJobs": jobs})


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (volcano(POD), 2),
        (volcano(POD, POD), 4),
        (pytorch(Master=(1, POD), Worker=(3, POD)), 4),
        (pytorch(Worker=(None, POD)), 1),
        (job_set(1), None),
        (job_set(2), 4),
        (job_set(1, 2), 6),
    ],
)
def test_gangs_of_one_kind_of_pod_are_one_job(text: str, nodes: int | None) -> None:
    tree, sink = read_text(text)
    assert tree is not None
    assert sink.diagnostics == []
    (only,) = tree.jobs
    assert (only.gang.nodes if only.gang else None) == nodes
    assert only.pod_spec.read("containers", 0, "image") == CONTAINER["image"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (volcano(POD, OTHER), "spec.tasks[1]: `template.spec.containers[0].image` differs"),
        (
            pytorch(Master=(1, POD), Worker=(1, OTHER)),
            "spec.pytorchReplicaSpecs.Worker: `template.spec.containers[0].image`",
        ),
    ],
)
def test_gangs_of_several_kinds_of_pods_are_refused(text: str, said: str) -> None:
    (message,) = messages(text)
    assert said in message


SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    last: '{kept}'\n"
    "{field}:\n  TOKEN: {value}\n"
)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("stringData", "hunter2", None),
        ("data", "aHVudGVyMg==", None),
        ("data", "hunter2", "FC329"),
        ("stringData", "12345678", "FC329"),
    ],
)
def test_values_of_secrets_are_never_shown(field: str, value: str, code: str | None) -> None:
    text = BLOCK + "---\n" + SECRET.format(field=field, value=value, kept=value)
    tree, sink = read_text(text)
    assert tree is not None
    assert [each.code.id for each in sink.diagnostics] == ([code] if code else [])
    assert value not in render("job.yaml", tuple(sink.diagnostics))
    shown = json.dumps(document(tree))
    assert value not in shown
    assert "TOKEN" in shown


def test_set_goes_to_every_job() -> None:
    text = several(TEXT, json.dumps(job(metadata={"name": "b"})), kind("ConfigMap", "v1"))
    tree, sink = read_text(
        text, sets=(("spec.backoffLimit", "3"), ("spec.template.spec.containers[0].image", "alpine"))
    )
    assert tree is not None
    assert sink.diagnostics == []
    assert [each.job_spec.read("backoffLimit") for each in tree.jobs] == [3, 3]
    assert [each.pod_spec.read("containers", 0, "image") for each in tree.jobs] == ["alpine", "alpine"]


def test_a_finding_in_a_list_points_at_its_line() -> None:
    text = BLOCK.replace("image:", "picture:").replace("name: A", "name: A=B")
    where = [(each.code.id, each.span.line if each.span else None) for each in found(text)]
    assert where == [("FC300", 11), ("FC302", 10), ("FC307", 13)]


def test_a_misspelt_field_is_not_missing_as_well() -> None:
    text = BLOCK.replace("image:", "imgae:").replace("restartPolicy", "restartpolicy")
    assert [each.code.id for each in found(text)] == ["FC300", "FC300"]


@pytest.mark.parametrize("value", [".inf", "-.Inf", ".nan"])
def test_what_has_no_form_in_json_is_refused(value: str) -> None:
    (message,) = messages(BLOCK.replace("VALUE", value))
    assert message.endswith("expected a text")


def test_items_of_a_list_are_a_list() -> None:
    (message,) = messages(kind("List", "v1", items="x"))
    assert message == "items: Invalid value: it is a text, expected a list"


@pytest.mark.parametrize(
    ("document", "help"),
    [
        (job({"parallelism": "$NODES", "completions": 2}), FILL_IN),
        (
            job(container={"resources": {"limits": {"nvidia.com/gpu": "${GPUS}"}}}),
            "`--fill 'GPUS=VALUE'` puts a value there",
        ),
        (job(pod={"serviceAccountName": "$NAME"}), FILL_IN),
    ],
)
def test_what_a_template_left_to_be_filled_in_is_told_as_that(document: dict[str, Any], help: str) -> None:
    assert [each.help for each in found(document)] == [help]


def test_paths_of_two_fields_can_be_told_apart() -> None:
    resources = {part: {"nvidia.com/gpu": "many"} for part in ("limits", "requests")}
    containers = [{"name": "pytorch", "image": "i:1", "resources": resources}]
    worker = {"template": {"spec": {"containers": containers}}}
    meta = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "t"}}
    told = messages({**meta, "spec": {"pytorchReplicaSpecs": {"Worker": worker}}})
    assert len(told) == 2
    assert all("…" not in each for each in told)
