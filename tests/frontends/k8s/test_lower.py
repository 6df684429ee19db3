"""Lowering: what of a manifest becomes what of a job."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from flowc import driver
from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Flags, Inputs
from flowc.ir.job import Choice, ExitRule, File, Job, Mount, Port, Probe, Volume
from flowc.source import Source
from tests.frontends.k8s.manifests import job

GPU = {"resources": {"limits": {"nvidia.com/gpu": 8}}}
INDEXED = {"completions": 4, "parallelism": 4, "completionMode": "Indexed"}


def lowered(*documents: dict[str, Any], inputs: Inputs | None = None) -> tuple[list[Job], list[Diagnostic]]:
    """The jobs and the findings; the documents must be free of mistakes that reading finds."""
    text = "\n---\n".join(json.dumps(each) for each in documents)
    sink, inputs = Sink(), inputs or Inputs()
    tree = FRONTEND.read(Source("job.yaml", text), inputs, sink)
    assert tree is not None
    assert [each.message for each in sink.diagnostics if each.severity == "error"] == []
    units = FRONTEND.lower(tree, inputs, sink)
    return [unit.job for unit in units], sink.diagnostics


def one(*documents: dict[str, Any], inputs: Inputs | None = None) -> Job:
    jobs, diagnostics = lowered(*documents, inputs=inputs)
    assert [each.message for each in diagnostics if each.severity == "error"] == []
    return jobs[0]


def ids(*documents: dict[str, Any], inputs: Inputs | None = None) -> list[str]:
    """The codes that are reported, but for what the bare example brings along."""
    return sorted({each.code.id for each in lowered(*documents, inputs=inputs)[1]} - {"FC358"})


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def claim(name: str, size: str = "10Gi", mode: str = "ReadWriteOnce") -> dict[str, Any]:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": size}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def with_volume(source: dict[str, Any], *mounts: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """The job with one volume, `v`, mounted at /data or as `mounts` say."""
    found = [{"name": "v", "mountPath": "/data", **each} for each in mounts or ({},)]
    return job(pod={"volumes": [{"name": "v", **source}]}, container={"volumeMounts": found}, **parts)


def required(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [each]} for each in expressions]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


class TestCompletions:
    def test_one_pod_is_one_machine(self) -> None:
        found = one(job())
        assert (found.resources.nodes, found.array) == (None, None)

    def test_ranked_pods_that_all_run_at_once_are_machines_of_one_bid(self) -> None:
        found = one(job(INDEXED))
        assert (found.resources.nodes, found.array) == (4, None)
        assert ("JOB_COMPLETION_INDEX", "rank") in found.env_facts

    def test_more_completions_than_run_at_once_are_an_array(self) -> None:
        found = one(job({**INDEXED, "completions": 10}))
        assert found.array is not None
        assert (found.array.indices, found.array.max_concurrent) == (tuple(range(10)), 4)
        assert found.array.index_env == "JOB_COMPLETION_INDEX"
        assert found.resources.nodes is None

    def test_equal_completions_are_an_array_without_index(self) -> None:
        found = one(job({"completions": 3, "parallelism": 3}))
        assert found.array is not None
        assert (len(found.array.indices), found.array.max_concurrent, found.array.index_env) == (3, None, None)

    def test_a_work_queue_is_one_bid(self) -> None:
        found = one(job({"parallelism": 3}))
        assert (found.resources.nodes, found.array) == (3, None)
        assert ids(job({"parallelism": 3})) == ["FC357"]

    def test_a_single_index_is_known(self) -> None:
        found = one(job({"completions": 1, "completionMode": "Indexed"}))
        assert dict(found.env) == {"JOB_COMPLETION_INDEX": "0"}

    def test_no_parallelism_pauses(self) -> None:
        assert one(job({"parallelism": 0})).placement.paused is True


class TestPolicy:
    def test_restarts(self) -> None:
        found = one(job({"backoffLimit": 3})).retry
        assert (found.max_restarts, found.delay_ms, found.delay_factor, found.max_delay_ms) == (3, 10_000, "2", 360_000)
        assert found.keep_scratch is False

    def test_on_failure_keeps_what_was_written(self) -> None:
        found = one(job({"backoffLimit": 3}, pod={"restartPolicy": "OnFailure"})).retry
        assert (found.keep_scratch, found.max_delay_ms) == (True, 300_000)

    def test_the_cluster_default_is_told(self) -> None:
        jobs, diagnostics = lowered(job())
        assert jobs[0].retry.max_restarts == 6
        assert [each.code.id for each in diagnostics] == ["FC358"]

    def test_a_pod_runs_once(self) -> None:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": job()["spec"]["template"]["spec"]}
        assert one(pod).retry.max_restarts == 0

    def test_exit_rules(self) -> None:
        rules = [
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3, 42]}},
            {"action": "Ignore", "onExitCodes": {"operator": "NotIn", "values": [1]}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
        ]
        found = one(job({"podFailurePolicy": {"rules": rules}})).retry
        assert found.exit_rules == (
            ExitRule(action="fail", codes=(3, 42)),
            ExitRule(action="free", codes=(1,), negate=True),
        )
        assert found.requeue is True

    def test_limits_of_time(self) -> None:
        found = one(job({"activeDeadlineSeconds": 600}, pod={"activeDeadlineSeconds": 60})).time
        assert (found.limit_s, found.attempt_limit_s) == (600, 60)

    def test_a_deadline_of_nothing_is_refused(self) -> None:
        assert "FC333" in ids(job({"activeDeadlineSeconds": 0}))

    def test_suspended_and_queued(self) -> None:
        assert one(job({"suspend": True})).placement.paused is True
        queued = job({"suspend": True}, metadata={"labels": {"kueue.x-k8s.io/queue-name": "q", "team": "a"}})
        assert one(queued).placement.paused is None
        assert one(queued).labels == (("team", "a"),)
        assert ids(queued) == ["FC330"]

    def test_the_first_machine_may_decide(self) -> None:
        policy = {"successPolicy": {"rules": [{"succeededIndexes": "0"}]}}
        assert one(job({**INDEXED, **policy})).workers_end == "first"
        other = {"successPolicy": {"rules": [{"succeededCount": 2}]}}
        assert "FC333" in ids(job({**INDEXED, **other}))

    def test_deleted_after_the_end(self) -> None:
        assert one(job({"ttlSecondsAfterFinished": 0})).terminate_on_exit is True
        assert one(job()).terminate_on_exit is None


class TestProcess:
    def test_command_and_args(self) -> None:
        found = one(job(container={"command": ["python"], "args": ["a b", "$HOME"], "workingDir": "/w"})).run
        assert (found.kind, found.argv, found.args, found.workdir) == ("argv", ("python",), ("a b", "$HOME"), "/w")

    def test_args_alone_go_to_the_entrypoint_of_the_image(self) -> None:
        found = one(job(container={"args": ["--help"]})).run
        assert (found.argv, found.args) == ((), ("--help",))

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("$(A)", "1"),
            ("$$(A)", "$(A)"),
            ("$$", "$"),
            ("a$", "a$"),
            ("$(X)", "$(X)"),
            ("$$$(A)", "$1"),
            ("${A}$A", "${A}$A"),
            ("$(A", "$(A"),
            ("$((1+1))", "$((1+1))"),
            ("$(date)", "$(date)"),
            ("$()", "$()"),
            ("$(B)", "<1>"),
        ],
    )
    def test_variables_in_words(self, written: str, expected: str) -> None:
        env = [{"name": "A", "value": "1"}, {"name": "B", "value": "<$(A)>"}, {"name": "C", "value": "$(D)"}]
        found = one(job(container={"command": ["x", written], "env": [*env, {"name": "D", "value": "4"}]}))
        assert found.run.argv == ("x", expected)
        assert dict(found.env)["C"] == "$(D)"

    def test_what_is_known_late_is_put_in_by_a_shell(self) -> None:
        env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        hostile = "$HOME `id` \"'$(IP)"
        document = job(container={"command": ["run", hostile], "env": [*env, {"name": "U", "value": "http://$(IP)"}]})
        found = one(document)
        script = 'export U="${1}${IP}"\nexec "${2}" "${3}${IP}"'
        assert found.run.argv == ("/bin/sh", "-c", script, "sh", "http://", "run", "$HOME `id` \"'")
        assert found.env_facts == (("IP", "private_ip"),)
        assert ids(document) == ["FC341"]

    def test_late_words_need_a_command(self) -> None:
        env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        assert "FC342" in ids(job(container={"args": ["$(IP)"], "env": env}))
        assert ids(job(container={"env": env})) == []

    def test_the_first_pods_name_is_the_first_machines_address(self) -> None:
        container = {
            "command": ["torchrun", "--master=train-0.svc:29500"],
            "env": [{"name": "MASTER_ADDR", "value": "train-0.svc.default.svc.cluster.local"}],
        }
        found = one(job(INDEXED, container=container))
        assert ("MASTER_ADDR", "head_ip") in found.env_facts
        assert found.run.argv[-2:] == ("--master=", ":29500")
        other = {"command": ["x", "train-1.svc"]}
        assert "FC343" in ids(job(INDEXED, container=other))
        assert one(job(container=container)).env == (("MASTER_ADDR", "train-0.svc.default.svc.cluster.local"),)


class TestEnvironment:
    def test_the_last_of_a_name_wins(self) -> None:
        env = [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]
        assert dict(one(job(container={"env": env})).env) == {"A": "2", "B": ""}

    def test_values_of_secrets_are_nowhere(self) -> None:
        env = [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}}]
        beside = secret("hub", token="hunter2")
        found = one(job(container={"env": env}), beside)
        assert found.secrets == ("T",)
        for emit in ("ir", "mithril"):
            text = "\n---\n".join(json.dumps(each) for each in (job(container={"env": env}), beside))
            result = driver.compile(Source("job.yaml", text), Inputs(), emit=emit)
            assert not result.failed
            shown = [each.text for each in result.artifacts] + [
                f"{each.message} {each.help}" for each in result.diagnostics
            ]
            assert "hunter2" not in "".join(shown)

    def test_all_of_a_secret(self) -> None:
        document = job(container={"envFrom": [{"secretRef": {"name": "hub"}, "prefix": "P_"}]})
        assert one(document, secret("hub", a="1", b="2")).secrets == ("P_a", "P_b")
        assert ids(document) == ["FC335"]
        assert ids(document, inputs=Inputs(flags=Flags(secrets=("P_a",)))) == ["FC338"]

    def test_config_maps(self) -> None:
        env = [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "epochs"}}}]
        document = job(container={"env": env, "envFrom": [{"configMapRef": {"name": "c"}}]})
        assert one(document, config_map("c", epochs="3")).env == (("epochs", "3"), ("E", "3"))
        assert ids(document) == ["FC336"]
        assert ids(document, config_map("c", epoch="3")) == ["FC337"]

    def test_optional_objects_may_be_missing(self) -> None:
        ref = {"name": "c", "key": "k", "optional": True}
        env = [{"name": "E", "valueFrom": {"configMapKeyRef": ref}}, {"name": "S", "valueFrom": {"secretKeyRef": ref}}]
        found = one(job(container={"env": env}))
        assert (found.env, found.secrets) == ((), ())
        assert ids(job(container={"env": env})) == ["FC339"]

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("metadata.name", ("train", None)),
            ("metadata.namespace", ("default", None)),
            ("metadata.labels['app']", ("x", None)),
            ("metadata.labels['job-name']", ("train", None)),
            ("metadata.annotations['none']", ("", None)),
            ("spec.serviceAccountName", ("default", None)),
            ("spec.nodeName", (None, "hostname")),
            ("status.hostIP", (None, "private_ip")),
            ("status.podIPs", (None, "private_ip")),
        ],
    )
    def test_what_a_pod_knows_of_itself(self, path: str, expected: tuple[str | None, str | None]) -> None:
        document = job(container={"env": [{"name": "V", "valueFrom": {"fieldRef": {"fieldPath": path}}}]})
        document["spec"]["template"]["metadata"] = {"labels": {"app": "x"}}
        found = one(document)
        assert (dict(found.env).get("V"), dict(found.env_facts).get("V")) == expected

    @pytest.mark.parametrize(
        ("resource", "divisor", "expected"),
        [
            ("limits.cpu", None, "2"),
            ("limits.cpu", "1m", "1500"),
            ("requests.memory", "1Mi", "1024"),
            ("limits.memory", "1Gi", "1"),
            ("requests.cpu", None, "2"),
            ("requests.ephemeral-storage", None, "0"),
        ],
    )
    def test_shares_of_the_machine(self, resource: str, divisor: str | None, expected: str) -> None:
        ref = {"resource": resource, **({"divisor": divisor} if divisor else {})}
        resources = {"limits": {"cpu": "1500m", "memory": "1Gi"}}
        env = [{"name": "V", "valueFrom": {"resourceFieldRef": ref}}]
        assert dict(one(job(container={"env": env, "resources": resources})).env)["V"] == expected

    def test_without_a_limit_it_is_the_machines(self) -> None:
        env = [{"name": "V", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]
        assert one(job(container={"env": env})).env_facts == (("V", "cpus"),)

    def test_plain_secrets_are_told(self) -> None:
        assert ids(job(container={"env": [{"name": "API_TOKEN", "value": "abc"}]})) == ["FC340"]
        assert ids(job(container={"env": [{"name": "TOKENIZERS_PARALLELISM", "value": "false"}]})) == []


class TestResources:
    def test_requests_and_limits(self) -> None:
        resources = {"requests": {"cpu": "1500m", "memory": "1Gi"}, "limits": {"cpu": 2, "memory": "2Gi"}}
        resources["limits"]["ephemeral-storage"] = "5G"
        found = one(job(container={"resources": resources}))
        asked = found.resources
        assert (asked.cpus_per_node, asked.memory_bytes_per_node, asked.disk_bytes) == (2, 1 << 30, 5 * 10**9)
        assert (found.isolation.cpus, found.isolation.memory_bytes) == ("2", 2 << 30)

    def test_a_limit_that_the_machine_may_not_reach_is_left_out(self) -> None:
        resources = {"requests": {"cpu": 1}, "limits": {"cpu": 64}}
        assert one(job(container={"resources": resources})).isolation.cpus is None

    def test_the_pod_at_its_fullest(self) -> None:
        def needs(cpu: str, **more: Any) -> dict[str, Any]:
            return {"image": "busybox:1.36", "resources": {"requests": {"cpu": cpu}}, **more}

        inits = [
            {"name": "side", **needs("1"), "restartPolicy": "Always"},
            {"name": "init", **needs("7")},
            {"name": "late", **needs("2"), "restartPolicy": "Always"},
        ]
        document = job(pod={"initContainers": inits}, container=needs("4"))
        assert one(document).resources.cpus_per_node == 8
        inits[1]["resources"] = {"requests": {"cpu": "2"}}
        assert one(document).resources.cpus_per_node == 7

    def test_gpus_of_other_makers_and_parts_are_refused(self) -> None:
        for name, code in (("amd.com/gpu", "FC347"), ("nvidia.com/mig-1g.5gb", "FC346"), ("google.com/tpu", "FC347")):
            assert ids(job(container={"resources": {"limits": {name: 1}}})) == [code], name

    def test_a_resource_may_be_called_after_its_model(self) -> None:
        found = one(job(container={"resources": {"limits": {"nvidia.com/a100": 2}}})).resources
        assert (found.gpus_per_node, found.gpu_model) == (2, "a100")


class TestGpus:
    @pytest.mark.parametrize(
        ("key", "value", "model"),
        [
            ("nvidia.com/gpu.product", "NVIDIA-A100-SXM4-40GB", "NVIDIA-A100-SXM4-40GB"),
            ("cloud.google.com/gke-accelerator", "nvidia-tesla-a100", "a100-40gb"),
            ("cloud.google.com/gke-accelerator", "nvidia-h100-mega-80gb", "h100-80gb"),
            ("karpenter.k8s.aws/instance-gpu-name", "h100", "h100"),
            ("karpenter.k8s.aws/instance-family", "p5en", "h200"),
            ("node.kubernetes.io/instance-type", "p4de.24xlarge", "a100-80gb"),
            ("node.kubernetes.io/instance-type", "a3-highgpu-8g", "h100"),
            ("node.kubernetes.io/instance-type", "Standard_ND96isr_H100_v5", "h100"),
            ("node.kubernetes.io/instance-type", "Standard_ND96amsr_A100_v4", "a100-80gb"),
            ("gpu.nvidia.com/class", "H100_NVLINK_80GB", "H100_NVLINK_80GB"),
            ("gpu-type", "a100", "a100"),
            ("gpu", "true", None),
            ("node.kubernetes.io/instance-type", "m5.large", None),
            ("example.com/pool", "blue", None),
        ],
    )
    def test_labels(self, key: str, value: str, model: str | None) -> None:
        document = job(pod={"nodeSelector": {key: value}}, container=GPU)
        found = one(document).resources
        assert (found.gpu_model, found.gpus_per_node, found.choices) == (model, 8, ())
        assert ids(document) == ([] if model else ["FC330"])

    def test_several_values_are_choices_in_order(self) -> None:
        values = ["NVIDIA-H100-80GB-HBM3", "NVIDIA-A100-SXM4-80GB"]
        affinity = required({"key": "nvidia.com/gpu.product", "operator": "In", "values": values})
        found = one(job(pod={"affinity": affinity}, container=GPU)).resources
        assert found.choices == tuple(Choice(gpu_model=each, gpus_per_node=8) for each in values)
        assert found.choices_ordered

    def test_preferred_goes_first_and_may_give_way(self) -> None:
        terms = [
            {
                "weight": 1,
                "preference": {"matchExpressions": [{"key": "gpu-type", "operator": "In", "values": ["a100"]}]},
            },
            {
                "weight": 9,
                "preference": {"matchExpressions": [{"key": "gpu-type", "operator": "In", "values": ["h100"]}]},
            },
        ]
        affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}
        found = one(job(pod={"affinity": affinity}, container=GPU)).resources.choices
        assert [each.gpu_model for each in found] == ["h100", "a100", None]

    def test_memory(self) -> None:
        affinity = required({"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["40960"]})
        found = one(job(pod={"affinity": affinity}, container=GPU)).resources
        assert found.gpu_memory_bytes == 41 << 30

    def test_both_must_hold(self) -> None:
        affinity = required({"key": "gpu-type", "operator": "In", "values": ["h100", "a100"]})
        selector = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
        found = one(job(pod={"affinity": affinity, "nodeSelector": selector}, container=GPU)).resources
        assert found.gpu_model == "NVIDIA-A100-SXM4-80GB"
        assert "FC350" in ids(job(pod={"affinity": affinity, "nodeSelector": {"gpu-type": "b200"}}, container=GPU))

    def test_generations(self) -> None:
        affinity = required({"key": "nvidia.com/gpu.compute.major", "operator": "Gt", "values": ["8"]})
        found = one(job(pod={"affinity": affinity}, container=GPU)).resources.choices
        assert [each.gpu_model for each in found] == ["hopper", "blackwell"]

    def test_spot_and_on_demand(self) -> None:
        assert ids(job(pod={"nodeSelector": {"karpenter.sh/capacity-type": "spot"}})) == []
        assert ids(job(pod={"nodeSelector": {"eks.amazonaws.com/capacityType": "ON_DEMAND"}})) == ["FC353"]


class TestVolumes:
    def test_an_empty_folder(self) -> None:
        found = one(with_volume({"emptyDir": {"sizeLimit": "1Gi"}}, {"subPath": "a"}))
        assert found.mounts == (Mount(kind="scratch", source="v/a", target="/data", size_bytes=1 << 30),)

    def test_memory(self) -> None:
        found = one(with_volume({"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}))
        assert found.mounts == (Mount(kind="memory", source="v", target="/data", size_bytes=1 << 30),)

    def test_shared_memory(self) -> None:
        found = one(with_volume({"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}, {"mountPath": "/dev/shm"}))
        assert (found.mounts, found.resources.shm_bytes) == ((), 1 << 30)
        half = one(with_volume({"emptyDir": {"medium": "Memory"}}, {"mountPath": "/dev/shm"}))
        assert half.mounts == (Mount(kind="memory", source="v", target="/dev/shm"),)

    def test_a_claim_of_the_cluster_is_expected_here(self) -> None:
        document = with_volume({"persistentVolumeClaim": {"claimName": "data"}})
        assert one(document).volumes == (Volume(name="data", mount_path="/data"),)
        assert ids(document) == ["FC354"]

    def test_a_claim_of_the_file_is_made(self) -> None:
        document = with_volume({"persistentVolumeClaim": {"claimName": "data", "readOnly": True}})
        expected = Volume(name="data", mount_path="/data", size_bytes=10 << 30, create=True, read_only=True)
        assert one(document, claim("data")).volumes == (expected,)
        assert ids(document, claim("data")) == []
        shared = one(document, claim("data", mode="ReadWriteMany")).volumes[0]
        assert shared.interface == "file"

    def test_several_machines_share_files_only(self) -> None:
        document = with_volume({"persistentVolumeClaim": {"claimName": "data"}}, spec=INDEXED)
        assert one(document).volumes[0].interface == "file"
        assert "FC355" in ids(document, claim("data"))

    def test_parts_of_a_claim(self) -> None:
        parts = (
            {"subPath": "in", "mountPath": "/in"},
            {"mountPath": "/all"},
            {"mountPath": "/again", "readOnly": True},
        )
        found = one(with_volume({"persistentVolumeClaim": {"claimName": "d"}}, *parts))
        assert found.volumes[0].mount_path == "/all"
        assert found.mounts == (
            Mount(kind="volume", source="d/in", target="/in"),
            Mount(kind="volume", source="d", target="/again", read_only=True),
        )

    def test_files_of_a_config_map(self) -> None:
        items = [{"key": "a", "path": "x/a.yaml", "mode": 0o400}]
        document = with_volume({"configMap": {"name": "c", "items": items}})
        assert one(document, config_map("c", a="1\n", b="2")).files == (
            File(path="/data/x/a.yaml", text="1\n", mode=0o400),
        )
        single = with_volume({"configMap": {"name": "c"}}, {"subPath": "b", "mountPath": "/etc/b.conf"})
        assert one(single, config_map("c", a="1", b="2")).files == (File(path="/etc/b.conf", text="2"),)

    def test_files_of_a_secret(self) -> None:
        document = with_volume({"secret": {"secretName": "ssh", "items": [{"key": "id_rsa", "path": "id"}]}})
        assert one(document).files == (File(path="/data/id", secret="SSH_ID_RSA", mode=0o600),)
        assert ids(document) == ["FC334"]

    def test_what_a_pod_knows_of_itself_as_files(self) -> None:
        items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
        document = with_volume({"downwardAPI": {"items": items}})
        document["spec"]["template"]["metadata"] = {"labels": {"b": "2", "a": "1"}}
        assert one(document).files == (File(path="/data/labels", text='a="1"\nb="2"'),)

    def test_storage_elsewhere(self) -> None:
        nfs = one(with_volume({"nfs": {"server": "s", "path": "/p"}}))
        assert nfs.mounts == (Mount(kind="nfs", source="s:/p", target="/data"),)
        attributes = {"driver": "gcsfuse.csi.storage.gke.io", "volumeAttributes": {"bucketName": "b"}}
        bucket = one(with_volume({"csi": {**attributes, "readOnly": True}}))
        assert bucket.mounts == (Mount(kind="bucket", source="gs://b", target="/data", read_only=True),)
        host = one(with_volume({"hostPath": {"path": "/mnt/x"}}))
        assert host.mounts == (Mount(kind="host", source="/mnt/x", target="/data"),)
        assert ids(with_volume({"hostPath": {"path": "/dev/infiniband"}})) == []
        assert ids(with_volume({"csi": {"driver": "efs.csi.aws.com"}})) == ["FC333"]

    def test_a_bucket_behind_a_claim(self) -> None:
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "pv"},
            "spec": {"csi": {"driver": "s3.csi.aws.com", "volumeAttributes": {"bucketName": "b"}}},
        }
        bound = claim("data")
        bound["spec"]["volumeName"] = "pv"
        found = one(with_volume({"persistentVolumeClaim": {"claimName": "data"}}), bound, volume)
        assert (found.volumes, found.mounts) == ((), (Mount(kind="bucket", source="s3://b", target="/data"),))


class TestContainers:
    def test_before_and_beside(self) -> None:
        inits = [
            {"name": "fetch", "image": "a:1", "command": ["x"], "env": [{"name": "A", "value": "1"}]},
            {"name": "log", "image": "b:1", "restartPolicy": "Always"},
        ]
        found = one(job(pod={"initContainers": inits}))
        assert [(each.name, each.role, each.argv, each.env) for each in found.containers] == [
            ("fetch", "init", ("x",), (("A", "1"),)),
            ("log", "sidecar", (), ()),
        ]

    def test_the_one_with_gpus_is_the_job(self) -> None:
        document = job()
        containers = document["spec"]["template"]["spec"]["containers"]
        containers.append({"name": "gpu", "image": "g:1", **GPU})
        found = one(document)
        assert (found.image, [each.name for each in found.containers]) == ("g:1", ["main"])
        assert ids(document) == ["FC344"]
        containers[0] |= GPU
        assert "FC345" in ids(document)

    def test_the_pod_may_say_which_one_it_is(self) -> None:
        document = job()
        document["spec"]["template"]["spec"]["containers"].append({"name": "b", "image": "b:1"})
        document["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/default-container": "b"}}
        assert one(document).image == "b:1"

    def test_proxies_of_the_cluster_are_left_out(self) -> None:
        document = job()
        document["spec"]["template"]["spec"]["containers"].append({"name": "istio-proxy", "image": "i:1"})
        assert one(document).containers == ()
        assert ids(document) == ["FC330"]

    def test_ports(self) -> None:
        ports = [{"containerPort": 8080, "hostPort": 9090}, {"containerPort": 53, "protocol": "UDP"}]
        assert one(job(container={"ports": ports})).ports == (
            Port(external=9090, internal=8080, protocol="tcp"),
            Port(external=53, internal=53, protocol="udp"),
        )


class TestIsolation:
    def test_security(self) -> None:
        pod = {"runAsUser": 1, "runAsGroup": 2, "supplementalGroups": [3], "fsGroup": 4}
        pod["sysctls"] = [{"name": "net.core.somaxconn", "value": "9"}]
        own = {
            "runAsUser": 7,
            "privileged": True,
            "capabilities": {"add": ["CAP_IPC_LOCK"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "seccompProfile": {"type": "Unconfined"},
        }
        found = one(job(pod={"securityContext": pod}, container={"securityContext": own})).isolation
        assert (found.user, found.groups, found.privileged, found.read_only_root) == ("7:2", ("3", "4"), True, True)
        assert (found.cap_add, found.cap_drop, found.seccomp) == (("IPC_LOCK",), ("ALL",), "unconfined")
        assert found.sysctls == (("net.core.somaxconn", "9"),)

    def test_root_where_it_is_ruled_out(self) -> None:
        assert ids(job(container={"securityContext": {"runAsNonRoot": True, "runAsUser": 0}})) == ["FC333"]

    def test_network_and_names(self) -> None:
        pod = {
            "hostNetwork": True,
            "hostIPC": True,
            "hostname": "h",
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a", "b"]}],
            "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["x"], "options": [{"name": "ndots", "value": "2"}]},
            "imagePullSecrets": [{"name": "reg"}],
        }
        found = one(job(pod=pod)).isolation
        assert (found.network_host, found.ipc_host, found.pid_host, found.hostname) == (True, True, False, "h")
        assert found.hosts == (("a", "10.0.0.1"), ("b", "10.0.0.1"))
        assert (found.dns, found.dns_search, found.dns_options) == (("1.1.1.1",), ("x",), ("ndots:2",))
        assert found.pull_secrets == ("reg",)

    def test_probes_and_stops(self) -> None:
        probe = {"exec": {"command": ["ok"]}, "periodSeconds": 5, "initialDelaySeconds": 3}
        stop = {"preStop": {"exec": {"command": ["bye"]}}}
        found = one(job(container={"livenessProbe": probe, "lifecycle": stop})).isolation
        assert found.liveness == Probe(argv=("ok",), period_s=5, delay_s=3)
        assert found.before_stop == ("bye",)

    def test_sandboxes_are_refused(self) -> None:
        assert ids(job(pod={"runtimeClassName": "nvidia"})) == []
        assert ids(job(pod={"runtimeClassName": "gvisor"})) == ["FC333"]


class TestTelling:
    def test_every_key_has_an_outcome(self) -> None:
        found = one(job(pod={"tolerations": [{"operator": "Exists"}], "serviceAccountName": "s"}, container=GPU))
        assert sorted(each.input for each in found.outcome if each.action == "ignored") == [
            "spec.template.spec.serviceAccountName",
            "spec.template.spec.tolerations",
        ]
        assert {each.input for each in found.outcome} >= {"metadata.name", "spec.template.spec.containers[0].image"}

    def test_one_matter_is_one_finding(self) -> None:
        env = [{"name": f"K{index}_TOKEN", "value": "abc"} for index in range(9)]
        found = [each for each in lowered(job(container={"env": env}))[1] if each.code.id == "FC340"]
        assert len(found) == 1
        assert "and 3 more" in found[0].message

    def test_the_same_bytes_give_the_same_jobs(self) -> None:
        document = job(container={"env": [{"name": "U", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]})
        assert lowered(document)[0] == lowered(yaml.safe_load(json.dumps(document)))[0]
