"""Names of variables by the rules of who reads them: a container runtime sets any, a shell only some."""

from __future__ import annotations

import json
import subprocess

import flowc
from flowc.inputs import Flags, Inputs
from flowc.scripts.docker import secret_words
from flowc.scripts.secrets import exporting
from flowc.source import Source
from tests.frontends.k8s.lowering import GPU, config_map, ids, one, secret
from tests.frontends.k8s.manifests import job


def script(*documents: dict[str, object]) -> str:
    text = "\n---\n".join(json.dumps(each) for each in documents)
    result = flowc.compile(Source("job.yaml", text), emit="script")
    return "".join(artifact.text for artifact in result.artifacts)


def test_a_name_with_dots_reaches_the_container() -> None:
    env = [{"name": "discovery.type", "value": "single-node"}, {"name": "x-y", "value": "$(discovery.type)!"}]
    document = job({"backoffLimit": 0}, container={"env": env, "args": ["$(discovery.type)"], **GPU})
    found = one(document)
    assert found.env == (("discovery.type", "single-node"), ("x-y", "single-node!"))
    assert found.run.args == ("single-node",)
    assert ids(document) == []
    assert "-e discovery.type=single-node" in script(document)


def test_all_keys_of_a_config_map_are_variables() -> None:
    source = {"envFrom": [{"prefix": "p.", "configMapRef": {"name": "c"}}]}
    found = one(job(container=source), config_map("c", **{"a.b": "1", "c-d": "2", "9": "3"}))
    assert found.env == (("p.a.b", "1"), ("p.c-d", "2"), ("p.9", "3"))


def test_what_the_machine_knows_has_a_name_for_the_shell_as_well() -> None:
    env = [
        {"name": "pod.ip", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "my.url", "value": "http://$(pod.ip)/"},
        {"name": "URL", "value": "$(my.url)x"},
    ]
    found = one(job(container={"env": env, "command": ["serve"], "args": ["$(my.url)", "$(pod.ip)", "$(URL)"]}))
    assert dict(found.env_facts) == {"pod.ip": "private_ip", "pod_ip": "private_ip"}
    show = 'printf "<%s>" "$@"; env | grep -e ^my.url -e ^URL | sort'
    words = [*found.run.argv[:4], *("bash" if each == "serve" else each for each in found.run.argv[4:])]
    # In place of the program, a shell that shows its words and what it finds in its environment.
    place = words.index("bash")
    words[place + 1 : place + 1] = []
    text = words[2].replace('"${5}"', '"${5}" -c "$SHOW" show') if '"${5}"' in words[2] else words[2]
    done = subprocess.run(
        [words[0], words[1], text, *words[3:]],
        env={"PATH": "/usr/bin:/bin", "pod_ip": "10.0.0.7", "pod.ip": "10.0.0.7", "SHOW": show},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "<http://10.0.0.7/><10.0.0.7><http://10.0.0.7/x>" in done.stdout
    assert "URL=http://10.0.0.7/x\nmy.url=http://10.0.0.7/\n" in done.stdout


def test_a_secret_with_a_name_of_its_own() -> None:
    env = [{"name": "db.password", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    found = one(job(container={"env": env}), secret("s", k="x"))
    assert found.secrets == ("db.password",)
    assert secret_words(found.secrets) == ["-e", "db.password", "-e", "db_password"]


def test_it_is_in_the_environment_of_what_starts_the_container(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "secrets").write_text("db_password='a b$'\nPLAIN=c\n")
    words = [*exporting(("db.password", "PLAIN"))]
    words[2] = words[2].replace("/run/flowc/secrets", str(tmp_path / "secrets"))
    done = subprocess.run([*words, "env"], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert {"db.password=a b$", "db_password=a b$", "PLAIN=c"} <= set(lines)
    assert exporting(("PLAIN",))[2] == '. /run/flowc/secrets&&export PLAIN&&exec "$@"'


def test_what_the_command_line_gives_reaches_the_container_that_asks_for_it() -> None:
    sides = [
        {"name": "s", "image": "a:1", "restartPolicy": "Always", "envFrom": [{"secretRef": {"name": "x"}}]},
        {"name": "c", "image": "a:1", "envFrom": [{"configMapRef": {"name": "x"}}]},
        {
            "name": "k",
            "image": "a:1",
            "env": [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k"}}}],
        },
    ]
    flags = Flags(env=(("MODE", "fast"),), secrets=("DB_PASS",))
    found = one(job(pod={"initContainers": sides}), inputs=Inputs(flags=flags))
    assert [(each.env, each.secrets) for each in found.containers] == [
        ((), ("DB_PASS",)),
        ((("MODE", "fast"),), ()),
        ((("MODE", "fast"),), ()),
    ]


def test_the_index_of_a_task_is_put_into_the_command() -> None:
    env = [{"name": "A", "value": "$(JOB_COMPLETION_INDEX)"}]  # the controller appends its variable behind the others
    spec = {"completionMode": "Indexed", "completions": 3, "parallelism": 2}
    document = job(spec, container={"command": ["x"], "args": ["--part=$(JOB_COMPLETION_INDEX)"], "env": env, **GPU})
    found = one(document)
    assert found.env == (("A", "$(JOB_COMPLETION_INDEX)"),)
    assert found.run.argv[:2] == ("/bin/sh", "-c")
    assert '"${2}${JOB_COMPLETION_INDEX}"' in found.run.argv[2]


def test_a_probes_command_has_the_values_that_stand_in_the_manifest() -> None:
    env = [
        {"name": "PORT", "value": "80"},
        {"name": "URL", "value": "http://$(PORT)"},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]
    command = ["curl", "$(URL)", ":$(PORT)", "<$(IP)>", "$(NONE)", "$$(PORT)"]
    probe = one(job(container={"env": env, "livenessProbe": {"exec": {"command": command}}})).isolation.liveness
    assert probe is not None
    assert probe.argv == ("curl", "http://$(PORT)", ":80", "<>", "$(NONE)", "$(PORT)")
