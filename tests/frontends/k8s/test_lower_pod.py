"""Lowering: what the pod of a manifest has on its machine."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.inputs import Flags, Inputs
from flowc.ir.job import Choice, File, Mount, Port, Probe, Volume
from tests.frontends.k8s.lowering import (
    GPU,
    INDEXED,
    claim,
    config_map,
    ids,
    lowered,
    one,
    required,
    secret,
    with_volume,
)
from tests.frontends.k8s.manifests import job


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
        found = lowered(job(container={"resources": {"limits": {"amd.com/gpu": 8}}}))[1]
        assert "ask for NVIDIA GPUs: `nvidia.com/gpu: 8`" in [each.help for each in found]

    def test_a_misspelt_resource_is_named(self) -> None:
        found = lowered(job(container={"resources": {"limits": {"nvidia.com/gp": 8}}}))[1]
        assert "did you mean `nvidia.com/gpu`?" in [each.help for each in found if each.code.id == "FC349"]

    def test_gpus_by_another_name_are_not_lost(self) -> None:
        names = ("nvidia.com/gpus", "example.com/gpu", "koordinator.sh/gpu")
        for name in names:
            assert ids(job(container={"resources": {"limits": {name: 8}}})) == ["FC392"], name
        beside = {"nvidia.com/gpu": 8, "example.com/gpu-licence": 1}
        assert ids(job(container={"resources": {"limits": beside}})) == ["FC349"]

    def test_their_name_of_old_days_is_one_of_theirs(self) -> None:
        found = one(job(container={"resources": {"limits": {"alpha.kubernetes.io/nvidia-gpu": 2}}}))
        assert found.resources.gpus_per_node == 2

    def test_a_number_that_was_never_written_is_told(self) -> None:
        assert ids(job(container={"resources": {"limits": {"nvidia.com/gpu": None}}})) == ["FC393"]
        told = {"limits": {"nvidia.com/gpu": 2}, "requests": {"nvidia.com/gpu": None}}
        assert "FC393" not in ids(job(container={"resources": told}))

    def test_gpus_of_a_device_class_are_whole_ones(self) -> None:
        prefix = "deviceclass.resource.kubernetes.io"
        assert (
            one(job(container={"resources": {"limits": {f"{prefix}/gpu.nvidia.com": 4}}})).resources.gpus_per_node == 4
        )
        assert ids(job(container={"resources": {"limits": {f"{prefix}/mig.nvidia.com": 4}}})) == ["FC346"]

    def test_shared_gpus_of_a_model_are_parts_and_a_model_behind_a_dash_is_none(self) -> None:
        assert ids(job(container={"resources": {"limits": {"nvidia.com/a100.shared": 4}}})) == ["FC346"]
        assert one(job(container={"resources": {"limits": {"nvidia.com/gpu-h100": 4}}})).resources.gpus_per_node == 4

    def test_a_resource_may_be_called_after_its_model(self) -> None:
        found = one(job(container={"resources": {"limits": {"nvidia.com/a100": 2}}})).resources
        assert (found.gpus_per_node, found.gpu_model) == (2, "a100")


class TestGpus:
    @pytest.mark.parametrize(
        ("limits", "gpus"),
        [
            ({"nvidia.com/gpu": 2, "nvidia.com/gpumem-percentage": 50}, 2),
            ({"nvidia.com/gpu": 1, "nvidia.com/gpumem": 3000, "nvidia.com/gpucores": 30}, 1),
            ({"aliyun.com/gpu-mem": 3}, 1),
            ({"volcano.sh/vgpu-number": 2, "volcano.sh/vgpu-memory": 1024}, 2),
            ({"tencent.com/vcuda-core": 250, "tencent.com/vcuda-memory": 8}, 3),
            ({"k8s.amazonaws.com/vgpu": 1}, 1),
        ],
    )
    def test_parts_of_gpus_become_whole_ones_when_moved(self, limits: dict[str, int], gpus: int) -> None:
        document = job(container={"resources": {"limits": limits}})
        assert set(ids(document)) & {"FC346"}
        move = Inputs(flags=Flags(move=True))
        assert one(document, inputs=move).resources.gpus_per_node == gpus
        assert "FC456" in ids(document, inputs=move)

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
            ("node.example.com/type", "b200-8x", "b200"),
            ("node-pool", "a100-80gb-spot", "a100-80gb"),
            ("cloud.google.com/gke-nodepool", "a4-highgpu-8g-a4-pool", "b200"),
            ("node.kubernetes.io/instance-type", "ml.p5.48xlarge", "h100"),
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

    def test_what_nodes_are_called_gives_way_to_what_speaks_of_gpus(self) -> None:
        selector = {"pool": "a100-pool", "gpu-type": "h100"}
        found = one(job(pod={"nodeSelector": selector}, container=GPU)).resources
        assert found.gpu_model == "h100"
        affinity = required({"key": "gpu-type", "operator": "In", "values": ["h100"]})
        document = job(pod={"affinity": affinity, "nodeSelector": {"pool": "a100", "team": "t4"}}, container=GPU)
        assert one(document).resources.gpu_model == "h100"
        assert one(job(pod={"nodeSelector": {"pool": "a100", "team": "t4"}}, container=GPU)).resources.gpu_model is None
        assert ids(job(pod={"nodeSelector": {"pool": "a100"}})) == ["FC330"]

    def test_several_values_are_choices_in_order(self) -> None:
        values = ["NVIDIA-H100-80GB-HBM3", "NVIDIA-A100-SXM4-80GB"]
        affinity = required({"key": "nvidia.com/gpu.product", "operator": "In", "values": values})
        found = one(job(pod={"affinity": affinity}, container=GPU)).resources
        assert found.choices == tuple(Choice(gpu_model=each, gpus_per_node=8) for each in values)
        assert found.choices_ordered

    def test_preferred_goes_first_and_may_give_way(self) -> None:
        terms = []
        for weight, model in ((1, "a100"), (9, "h100")):
            expressions = [{"key": "gpu-type", "operator": "In", "values": [model]}]
            terms.append({"weight": weight, "preference": {"matchExpressions": expressions}})
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
        again = {"mountPath": "/again", "readOnly": True}
        parts = ({"subPath": "in", "mountPath": "/in"}, {"mountPath": "/all"}, again)
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
            File(path="/data/x/a.yaml", text="1\n", mode=0o400, read_only=True),
        )
        single = with_volume({"configMap": {"name": "c"}}, {"subPath": "b", "mountPath": "/etc/b.conf"})
        assert one(single, config_map("c", a="1", b="2")).files == (File(path="/etc/b.conf", text="2", read_only=True),)

    def test_files_of_a_secret(self) -> None:
        document = with_volume({"secret": {"secretName": "ssh", "items": [{"key": "id_rsa", "path": "id"}]}})
        assert one(document).files == (File(path="/data/id", secret="SSH_ID_RSA", mode=0o644, read_only=True),)
        assert ids(document) == ["FC334"]

    def test_of_two_sources_of_a_volume_the_last_has_the_file(self) -> None:
        sources = [{"configMap": {"name": "c"}}, {"secret": {"name": "s"}}]
        document = with_volume({"projected": {"sources": sources}})
        found = one(document, config_map("c", k="1", own="2"), secret("s", k="x")).files
        assert [(each.path, each.text, each.secret) for each in found] == [
            ("/data/own", "2", None),
            ("/data/k", None, "S_K"),
        ]

    def test_what_is_no_base64_is_no_file(self) -> None:
        broken = {**config_map("c"), "binaryData": {"k": "!!"}}
        assert ids(with_volume({"configMap": {"name": "c"}}), broken) == ["FC333"]

    def test_what_a_pod_knows_of_itself_as_files(self) -> None:
        items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
        document = with_volume({"downwardAPI": {"items": items}})
        document["spec"]["template"]["metadata"] = {"labels": {"b": "2", "a": "1"}}
        assert one(document).files == (File(path="/data/labels", text='a="1"\nb="2"', read_only=True),)

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
            "spec": {"csi": {"driver": "s3.csi.aws.com", "volumeHandle": "h", "volumeAttributes": {"bucketName": "b"}}},
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


@pytest.mark.parametrize(
    "container",
    [
        {"lifecycle": {"postStart": {"exec": {"command": ["warm"]}}}},
        {"lifecycle": {"preStop": {"httpGet": {"port": 80}}}},
        {"livenessProbe": {"tcpSocket": {"port": 80}}},
    ],
)
def test_what_nothing_is_kept_of_is_warned_of(container: dict[str, Any]) -> None:
    """A note would say that something near it is kept."""
    assert ids(job(container=container)) == ["FC332"]


def test_processes_are_shared_only_where_there_are_several_containers() -> None:
    side = {"initContainers": [{"name": "a", "image": "i:1", "restartPolicy": "Always"}]}
    assert "FC332" not in ids(job(pod={"shareProcessNamespace": True}))
    assert "FC332" in ids(job(pod={"shareProcessNamespace": True, **side}))
