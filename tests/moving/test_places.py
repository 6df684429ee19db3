"""`--move`: what pins a task or a Job to another cloud or cluster is told and left out; without the flag it is an
error."""

from __future__ import annotations

import json

import pytest

import flowc
from flowc.inputs import Flags, Inputs

MOVE = Inputs(flags=Flags(move=True))


def codes(text: str, inputs: Inputs) -> tuple[set[str], set[str]]:
    """Those of errors, and those of notes."""
    found = flowc.check(text, inputs, path="job.yaml").diagnostics
    of = {kind: {each.code.id for each in found if each.severity == kind} for kind in ("error", "note")}
    return of["error"], of["note"]


def pod(*lines: str) -> str:
    inner = "".join(f"      {line}\n" for line in lines)
    return f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: a}}
spec:
  template:
    spec:
      restartPolicy: Never
{inner}      containers:
      - name: a
        image: busybox:1
        resources: {{limits: {{nvidia.com/gpu: 8}}}}
"""


def task(resources: str, rest: str = "") -> str:
    return f"resources:\n  accelerators: H100:8\n{resources}{rest}run: nvidia-smi\n"


@pytest.mark.parametrize(
    ("text", "error", "note"),
    [
        (task("  infra: aws/us-east-1/us-east-1a\n"), "FC364", "FC380"),
        (task("  cloud: gcp\n  region: us-central1\n  zone: us-central1-a\n"), "FC364", "FC380"),
        (task("  region: eastus\n"), "FC364", "FC380"),
        (task("  any_of: [{infra: aws}, {infra: gcp}]\n"), "FC364", "FC380"),
        (task("  image_id: ami-0123456789\n"), "FC369", "FC456"),
        (task("  image_id: {us-east-1: ami-0123456789}\n"), "FC369", "FC456"),
        (task("  volumes: [{path: /x}]\n"), "FC362", "FC456"),
        (task("", "service: {readiness_probe: /, replicas: 1}\n"), "FC362", "FC456"),
        (task("", "service: {readiness_probe: /}\n"), "FC362", "FC456"),
        ("resources: {instance_type: p5.48xlarge}\nrun: nvidia-smi\n", "FC601", "FC456"),
        ("resources: {instance_type: gpu_8x_h100_sxm5}\nrun: nvidia-smi\n", "FC601", "FC456"),
        ("resources: {infra: do, instance_type: s-1vcpu-1gb}\nrun: nvidia-smi\n", "FC364", "FC456"),
        ("resources: {infra: oci, instance_type: VM.Standard.E4.Flex$_2_16}\nrun: ls\n", "FC364", "FC456"),
        ("resources: {infra: aws, instance_type: m5.large}\nrun: nvidia-smi\n", "FC364", "FC456"),
        (task("", "file_mounts: {/x: {name: ours}}\n"), "FC371", ""),
    ],
)
def test_tasks(text: str, error: str, note: str) -> None:
    assert codes(text, Inputs())[0] == {error}
    errors, notes = codes(text, MOVE)
    assert errors == set()
    assert not note or note in notes


def test_alternatives_of_other_clouds_may_differ() -> None:
    inner = "[{infra: aws}, {infra: gcp, ports: 80, image_id: projects/p/global/images/i}, {infra: k8s, ports: [81]}]"
    text = task(f"  ordered: {inner}\n")
    assert "FC366" not in codes(text, Inputs())[0]
    errors, notes = codes(text, MOVE)
    assert errors == set()
    assert {"FC380", "FC456"} <= notes
    found = flowc.compile(text, MOVE, path="job.yaml", emit="ir").artifacts[0].text
    assert '"external": 80' in found
    docker = task("  any_of: [{infra: aws, image_id: ami-0123456789}, {infra: gcp, image_id: 'docker:a:1'}]\n")
    assert '"image": "a:1"' in flowc.compile(docker, MOVE, path="job.yaml", emit="ir").artifacts[0].text
    here = task("  any_of: [{infra: mithril, ports: 80}, {infra: mithril}]\n")
    assert codes(here, MOVE)[0] == {"FC366"}


def test_files_of_a_config_map_of_the_other_cluster_are_brought() -> None:
    text = pod("volumes: [{name: v, configMap: {name: settings}}]")
    text += "        volumeMounts: [{name: v, mountPath: /conf}, {name: v, mountPath: /a.py, subPath: a.py}]\n"
    assert codes(text, Inputs())[0] == {"FC336"}
    errors, notes = codes(text, MOVE)
    assert errors == set()
    assert "FC807" in notes
    (job,) = json.loads(flowc.compile(text, MOVE, path="job.yaml", emit="ir").artifacts[0].text)["jobs"]
    assert [(each["source"], each["target"]) for each in job["mounts"]] == [
        ("settings", "/conf"),
        ("settings/a.py", "/a.py"),
    ]
    script = flowc.compile(text, MOVE, path="job.yaml", emit="script").artifacts[0].text
    assert "dst=/a.py,readonly" in script
    beside = text.replace(
        "      containers:",
        "      initContainers:\n      - {name: i, image: b, volumeMounts: "
        "[{name: v, mountPath: /c}]}\n      containers:",
    )
    assert codes(beside, MOVE)[0] == set()


def test_the_token_of_a_dumped_pod_stays_with_its_cluster() -> None:
    text = pod("volumes: [{name: default-token-x, secret: {secretName: default-token-x}}]")
    text += (
        "        volumeMounts: [{name: default-token-x, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]\n"
    )
    for inputs in (Inputs(), MOVE):
        errors, notes = codes(text, inputs)
        assert errors == set()
        assert "FC330" in notes


@pytest.mark.parametrize(
    "source",
    [
        "envFrom: [{configMapRef: {name: settings}}]",
        "envFrom: [{secretRef: {name: keys}}]",
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]",
    ],
)
def test_variables_that_lie_in_the_other_cluster_are_told(source: str) -> None:
    text = pod() + f"        {source}\n"
    assert codes(text, Inputs())[0] <= {"FC335", "FC336"}
    assert codes(text, Inputs())[0]
    assert codes(text, MOVE)[0] == set()
    assert "FC395" in {each.code.id for each in flowc.check(text, MOVE, path="job.yaml").diagnostics}
    (job,) = json.loads(flowc.compile(text, MOVE, path="job.yaml", emit="ir").artifacts[0].text)["jobs"]
    assert [each["action"] for each in job["outcome"] if each.get("code") == "FC395"] == ["ignored"]


@pytest.mark.parametrize(
    "text",
    [
        task("", "pool: {workers: 1}\n"),
        "resources: {infra: gcp, accelerators: tpu-v5e-8}\nrun: x\n",
        "resources: {accelerators: MI300X:8}\nrun: x\n",
        "resources: {instance_type: 4xh100}\nrun: x\n",
    ],
)
def test_tasks_that_stay_refused(text: str) -> None:
    assert codes(text, MOVE)[0]


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("replicas: 2", "`replicas: 2`"),
        ("replica_policy: {min_replicas: 0, max_replicas: 3}", "`min_replicas: 0` and `max_replicas: 3`"),
    ],
)
def test_a_service_of_several_replicas_is_one_of_them(service: str, said: str) -> None:
    text = task("", f"service: {{readiness_probe: /, {service}}}\n")
    assert codes(text, Inputs())[0] == {"FC362"}
    found = flowc.check(text, MOVE, path="job.yaml").diagnostics
    assert not [each for each in found if each.severity == "error"]
    (warning,) = [each for each in found if each.code.id == "FC360"]
    assert f"there are no others ({said})" in warning.message


@pytest.mark.parametrize(
    "text",
    [
        pod("nodeName: n17"),
        pod("resourceClaims: [{name: imex, resourceClaimTemplateName: t}]").replace(
            "resources: {", "resources: {claims: [{name: imex}], "
        ),
    ],
)
def test_what_is_the_clusters_own_of_a_pod(text: str) -> None:
    assert codes(text, Inputs())[0] == {"FC333"}
    errors, notes = codes(text, MOVE)
    assert errors == set()
    assert "FC456" in notes


def test_devices_that_stand_for_gpus_are_not_lost() -> None:
    text = pod("resourceClaims: [{name: gpu, resourceClaimTemplateName: t}]")
    assert codes(text.replace("limits: {nvidia.com/gpu: 8}", "claims: [{name: gpu}]"), MOVE)[0] == {"FC333"}


def test_slices_of_gpus_are_whole_ones() -> None:
    text = pod().replace("nvidia.com/gpu: 8", "nvidia.com/mig-1g.5gb: 2")
    assert codes(text, Inputs())[0] == {"FC346"}
    found = flowc.compile(text, MOVE, path="job.yaml", emit="ir")
    assert '"gpus_per_node": 2' in found.artifacts[0].text
    assert "FC614" in {each.code.id for each in flowc.check(text, MOVE, path="job.yaml").diagnostics}
    memory = pod().replace("nvidia.com/gpu: 8", "nvidia.com/gpumem: 2000")
    assert codes(memory, Inputs())[0] == {"FC346"}
    found = flowc.compile(memory, MOVE, path="job.yaml", emit="ir")
    assert '"gpus_per_node": 1' in found.artifacts[0].text
    assert "FC456" in {each.code.id for each in flowc.check(memory, MOVE, path="job.yaml").diagnostics}


def test_labels_of_nodes_are_in_the_ir() -> None:
    conditions = "[{key: b, operator: In, values: [p, q]}, {key: c, operator: Exists}]"
    required = f"{{nodeSelectorTerms: [{{matchExpressions: {conditions}}}]}}"
    text = pod(
        "nodeSelector: {a: z}",
        f"affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {required}}}}}",
    )
    for inputs, labels in ((Inputs(), [["a", "z"], ["b", "p,q"]]), (MOVE, [])):
        (artifact,) = flowc.compile(text, inputs, path="job.yaml", emit="ir").artifacts
        assert json.loads(artifact.text)["jobs"][0]["placement"]["node_labels"] == labels
    report = next(each for each in flowc.compile(text, path="job.yaml").artifacts if each.name == "report.txt")
    assert "placement.node_labels  labels of another cluster's nodes" in report.text


def test_a_container_is_kept() -> None:
    text = task("  infra: aws\n  image_id: docker:busybox:1\n")
    result = flowc.compile(text, MOVE, path="job.yaml", emit="ir")
    assert '"image": "busybox:1"' in result.artifacts[0].text


@pytest.mark.parametrize(
    ("lines", "error", "note"),
    [
        (["runtimeClassName: gvisor"], "FC333", "FC456"),
        (["nodeSelector: {cloud.google.com/gke-gpu-partition-size: 1g.5gb}"], "FC352", "FC330"),
        (["nodeSelector: {nvidia.com/gpu.product: NVIDIA-A100-SXM4-80GB-SHARED}"], "FC352", "FC330"),
        (["nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4}"], "FC605", "FC626"),
        (
            [
                "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
                "[{matchFields: [{key: metadata.name, operator: In, values: [n1]}]}]}}}"
            ],
            "FC333",
            "FC456",
        ),
    ],
)
def test_pods(lines: list[str], error: str, note: str) -> None:
    assert codes(pod(*lines), Inputs())[0] == {error}
    errors, notes = codes(pod(*lines), MOVE)
    assert errors == set()
    assert note in notes


def test_labels_that_ask_for_the_same_are_one_finding() -> None:
    labels = "cloud.google.com/gke-tpu-topology: 2x4, cloud.google.com/gke-tpu-accelerator: tpu-v5-lite"
    found = flowc.check(pod(f"nodeSelector: {{{labels}}}")).diagnostics
    (told,) = [each.message for each in found if each.code.id == "FC352"]
    assert "`cloud.google.com/gke-tpu-topology`, `cloud.google.com/gke-tpu-accelerator`" in told


@pytest.mark.parametrize(
    "lines",
    [
        ["nodeSelector: {cloud.google.com/gke-tpu-accelerator: tpu-v5-lite}"],
        ["os: {name: windows}"],
    ],
)
def test_pods_that_stay_refused(lines: list[str]) -> None:
    assert codes(pod(*lines), MOVE)[0]


def test_a_cron_job_of_an_old_version_is_read_as_todays() -> None:
    head, _, spec = pod().partition("spec:\n")
    spec = "".join(f"    {line}\n" for line in spec.splitlines())
    head = head.replace("batch/v1", "batch/v1beta1").replace("kind: Job", "kind: CronJob")
    job = f"{head}spec:\n  schedule: '@daily'\n  jobTemplate:\n    spec:\n{spec}"
    inputs = MOVE.replace(once=True)
    assert codes(job, inputs)[0] == set()
    assert "FC456" in codes(job, inputs)[1]
    assert codes(job, Inputs(once=True))[0] == {"FC325"}


def test_keys_that_the_server_does_not_know_are_left_out() -> None:
    stray = pod("ttlSecondsAfterFinished: 60", "colour: blue")
    assert codes(stray, Inputs())[0] == {"FC300"}
    found = flowc.check(stray, MOVE, path="job.yaml").diagnostics
    assert [each.severity for each in found if each.code.id == "FC301"] == ["warning", "warning"]
    assert codes(stray, MOVE)[0] == set()
    assert codes(pod("nodeSelectr: {a: b}"), MOVE)[0] == {"FC300"}
    pods = "{template: {spec: {containers: [{name: tensorflow, image: tf:1, command: [a]}]}}, tfReplicaType: WORKER}"
    head = "apiVersion: kubeflow.org/v1alpha2\nkind: TFJob\nmetadata: {name: t}\n"
    assert codes(f"{head}spec: {{tfReplicaSpecs: {{Worker: {pods}}}}}\n", MOVE)[0] == set()
