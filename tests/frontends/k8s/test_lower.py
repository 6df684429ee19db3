"""Lowering: how often a manifest's program runs, what it starts, in which environment."""

from __future__ import annotations

import json

import pytest
import yaml

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.ir.job import ExitRule
from flowc.source import Source
from tests.frontends.k8s.lowering import (
    GPU,
    INDEXED,
    config_map,
    ids,
    lowered,
    one,
    secret,
)
from tests.frontends.k8s.manifests import job


class TestCompletions:
    def test_one_pod_is_one_machine(self) -> None:
        found = one(job())
        assert (found.resources.nodes, found.array) == (1, None)

    def test_ranked_pods_that_all_run_at_once_are_machines_of_one_bid(self) -> None:
        found = one(job(INDEXED))
        assert (found.resources.nodes, found.array) == (4, None)
        assert ("JOB_COMPLETION_INDEX", "rank") in found.env_facts

    def test_more_completions_than_run_at_once_are_an_array(self) -> None:
        found = one(job({**INDEXED, "completions": 10}))
        assert found.array is not None
        assert (found.array.indices, found.array.max_concurrent) == (tuple(range(10)), 4)
        assert found.array.index_env == "JOB_COMPLETION_INDEX"
        assert found.resources.nodes == 1

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

    def test_late_words_are_put_behind_what_the_image_starts(self) -> None:
        env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        assert ids(job(container={"args": ["$(IP)"], "env": env})) == ["FC341"]
        assert ids(job(container={"env": env})) == []

    def test_the_first_pods_name_is_the_first_machines_address(self) -> None:
        container = {
            "command": ["torchrun", "--master=train-0.svc:29500"],
            "env": [{"name": "MASTER_ADDR", "value": "train-0.svc.default.svc.cluster.local"}],
        }
        found = one(job(INDEXED, container=container))
        assert ("MASTER_ADDR", "head_ip") in found.env_facts
        assert found.run.argv[-2:] == ("--master=", ":29500")
        (told,) = [each.message for each in lowered(job(INDEXED, container=container))[1] if each.code.id == "FC341"]
        assert "`train-0.svc" in told  # no name that nobody wrote
        found = one(job(INDEXED, container={"args": ["train-0.svc"]}))
        assert found.run.argv[2].startswith('eval exec "$FLOWC_ENTRYPOINT" ')
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
            shown = [each.text for each in result.artifacts]
            shown += [f"{each.message} {each.help}" for each in result.diagnostics]
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


class TestGangs:
    def test_variables_of_a_pytorch_job(self) -> None:
        template = {"spec": {"containers": [{"name": "pytorch", "image": "a:1", "command": ["x"]}]}}
        replicas = {
            "Master": {"replicas": 1, "restartPolicy": "OnFailure", "template": template},
            "Worker": {"replicas": 3, "restartPolicy": "OnFailure", "template": template},
        }
        inner = {"pytorchReplicaSpecs": replicas, "nprocPerNode": "8", "runPolicy": {"backoffLimit": 2}}
        found = one({"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "t"}, "spec": inner})
        assert found.resources.nodes == 4
        assert dict(found.env)["WORLD_SIZE"] == "32"
        assert {"MASTER_ADDR": "head_ip", "RANK": "rank"}.items() <= dict(found.env_facts).items()
        assert (found.retry.max_restarts, found.retry.keep_scratch) == (1, True)  # two full runs


class TestTelling:
    def test_every_key_has_an_outcome(self) -> None:
        found = one(job(pod={"tolerations": [{"operator": "Exists"}], "serviceAccountName": "s"}, container=GPU))
        assert sorted(each.input for each in found.outcome if each.action == "ignored") == [
            "spec.template.spec.containers[0].name",
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
