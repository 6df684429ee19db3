"""What a container of a Pod is told on a real docker: its program, arguments, variables, user, folders and rights."""

from __future__ import annotations

from typing import Any

import pytest

from .jobs import END, IMAGE, job, sh

pytestmark = pytest.mark.docker

# Prints its own arguments, each in brackets.
SHOW = sh('for each; do printf "[%s]" "$each"; done; echo')


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, "entry command\n"),
        ({"args": ["mine"]}, "entry mine\n"),
        ({"command": ["echo", "own"]}, "own\n"),
        ({"command": ["echo", "own"], "args": ["mine"]}, "own mine\n"),
        ({"command": []}, "entry command\n"),
        ({"args": []}, "entry command\n"),
    ],
)
def test_entrypoint_and_command(docker: Any, fields: dict[str, Any], output: str) -> None:
    docker.image("entry:test", 'ENTRYPOINT ["echo", "entry"]', 'CMD ["command"]')
    assert docker.end(job(image="entry:test", **fields)) == ("COMPLETED", 0, 0)
    assert docker.output() == output


def test_an_image_with_a_command_alone(docker: Any) -> None:
    docker.image("command:test", 'CMD ["echo", "the image\'s"]')
    assert docker.end(job(image="command:test")) == ("COMPLETED", 0, 0)
    assert docker.output() == "the image's\n"
    assert docker.end(job(image="command:test", args=["echo", "the job's"])) == ("COMPLETED", 0, 0)
    assert docker.output() == "the job's\n"


@pytest.mark.long
def test_a_command_of_the_images_shell(docker: Any) -> None:
    docker.image("shell:test", "ENV NAME=image", "CMD echo of $NAME")
    assert docker.end(job(image="shell:test", env=[{"name": "NAME", "value": "the job"}])) == ("COMPLETED", 0, 0)
    assert docker.output() == "of the job\n"


@pytest.mark.parametrize(("fields", "output"), [({}, "[command]"), ({"args": ["a 'b'", "$(U)"]}, "[a 'b'][x-")])
def test_what_only_the_machine_knows_goes_behind_what_the_image_starts(
    docker: Any, fields: dict[str, Any], output: str
) -> None:
    docker.image("entry:test", """ENTRYPOINT ["printf", "[%s]", "it's $HOME"]""", 'CMD ["command"]')
    env = [
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "U", "value": "x-$(IP)"},
    ]
    assert docker.end(job(image="entry:test", env=env, **fields)) == ("COMPLETED", 0, 0)
    assert docker.output().startswith(f"[it's $HOME]{output}")


def test_arguments_come_as_they_are(docker: Any) -> None:
    args = [
        "",
        " ",
        "a b",
        "'",
        '"',
        "\\",
        "\\n",
        "$HOME",
        "${HOME}",
        "$(date)x",
        "`id`",
        "*",
        "~",
        "#",
        "!",
        ";",
        "&&",
    ]
    args += [
        "-x",
        "--",
        "--rm",
        "a\nb",
        "tab\there",
        "ä€😀",
        "$$",
        "%s",
        "{a,b}",
        "<",
        "|",
        "$",
        "$()",
        "$(",
        "a$(b c)d",
    ]
    assert docker.end(job(command=[*SHOW, "sh"], args=args)) == ("COMPLETED", 0, 0)
    # $$ is Kubernetes' own escape of $.
    shown = "".join(f"[{each.replace('$$', '$')}]" for each in args)
    assert docker.output() == f"{shown}\n"


def test_references_to_variables(docker: Any) -> None:
    env = [
        {"name": "A", "value": "one two"},
        {"name": "B", "value": "$(A)/$(LATER)/$$(A)"},
        {"name": "LATER", "value": "late"},
        {"name": "discovery.type", "value": "odd"},
        {"name": "EMPTY", "value": ""},
    ]
    args = ["$(A)", "$(B)", "$(MISSING)", "$$(A)", "$$$(A)", "$(A)$(LATER)", "$(discovery.type)", "$(EMPTY)"]
    assert docker.end(job(command=[*SHOW, "sh"], args=args, env=env)) == ("COMPLETED", 0, 0)
    expanded = ["one two", "one two/$(LATER)/$(A)", "$(MISSING)", "$(A)", "$one two", "one twolate", "odd", ""]
    assert docker.output() == "".join(f"[{each}]" for each in expanded) + "\n"


def test_variables_and_their_sources(docker: Any) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {"key": "of a map", "k": "v w"},
    }
    env = [
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "key"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "t"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "odd.name", "value": 'a\'b "c" $d\nlast'},
    ]
    text = job(
        objects=[config],
        template={"labels": {"app": "trainer"}},
        env=env,
        envFrom=[{"configMapRef": {"name": "c"}, "prefix": "C_"}],
        command=sh(
            'echo "$KEY,$C_k,$POD,$TOKEN"; tr "\\0" "\\n" </proc/1/environ | grep -A1 "^odd"',
        ),
    )
    docker.start(text, secrets={"TOKEN": "it's se\"cret $x"})
    docker.wait()
    first, *odd = docker.output().splitlines()
    assert first == "of a map,v w,trainer,it's se\"cret $x"
    assert odd == ['odd.name=a\'b "c" $d', "last"]
    assert docker.run("grep -rls 'se.cret' /var/lib/foundry /var/log/foundry/[0-9]* /etc/systemd").stdout == ""


@pytest.mark.long
@pytest.mark.parametrize(
    ("image_user", "pod", "own", "output"),
    [
        ("root", {}, {}, "0 0 0"),
        ("1000", {}, {}, "1000 1000 1000"),
        ("user", {}, {}, "1000 1000 1000"),
        ("user", {"runAsUser": 0}, {}, "0 0 0"),
        ("root", {"runAsUser": 1000, "runAsGroup": 3000}, {}, "1000 3000 3000"),
        ("root", {"runAsUser": 1000}, {"runAsUser": 5, "runAsGroup": 6}, "5 6 6"),
        ("root", {"runAsUser": 7, "runAsGroup": 8, "supplementalGroups": [9, 10]}, {}, "7 8 8 9 10"),
    ],
)
def test_users(docker: Any, image_user: str, pod: dict[str, Any], own: dict[str, Any], output: str) -> None:
    docker.image("user:test", f"USER {image_user}")
    text = job(
        image="user:test",
        pod={"securityContext": pod},
        securityContext=own,
        command=sh("echo $(id -u) $(id -g) $(id -G)"),
    )
    assert docker.end(text) == ("COMPLETED", 0, 0)
    assert docker.output() == f"{output}\n"


def test_a_root_user_is_refused_where_none_may_be(docker: Any) -> None:
    docker.image("user:test", "USER 1000")
    text = job(image="user:test", securityContext={"runAsNonRoot": True}, command=sh("id -u"))
    assert docker.end(text) == ("COMPLETED", 0, 0)
    assert docker.output() == "1000\n"


@pytest.mark.long
@pytest.mark.parametrize(
    ("context", "command", "output"),
    [
        ({"readOnlyRootFilesystem": True}, "touch /x 2>/dev/null || echo refused", "refused"),
        ({"readOnlyRootFilesystem": True}, "touch /dev/shm/x && echo taken", "taken"),
        ({"allowPrivilegeEscalation": False}, "awk '/NoNewPrivs/ {print $2}' /proc/self/status", "1"),
        ({}, "awk '/NoNewPrivs/ {print $2}' /proc/self/status", "0"),
        ({"capabilities": {"drop": ["ALL"]}}, "awk '/CapEff/ {print $2}' /proc/self/status", f"{0:016x}"),
        (
            {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}},
            "awk '/CapEff/ {print $2}' /proc/self/status",
            f"{1:016x}",
        ),
        ({"capabilities": {"drop": ["CHOWN"]}}, "chown 5 /tmp 2>/dev/null || echo refused", "refused"),
        ({"privileged": True}, "mount -t tmpfs x /tmp && echo mounted", "mounted"),
        ({}, "mount -t tmpfs x /tmp 2>/dev/null || echo refused", "refused"),
    ],
)
def test_rights(docker: Any, context: dict[str, Any], command: str, output: str) -> None:
    assert docker.end(job(securityContext=context, command=sh(command)))[0] == "COMPLETED", docker.output()
    assert docker.output() == f"{output}\n"


def test_what_is_seen_from_outside_alone(docker: Any) -> None:
    """The machine's own filters of system calls, or kernel, hide these from the container."""
    context = {"seccompProfile": {"type": "Unconfined"}, "appArmorProfile": {"type": "Unconfined"}}
    docker.start(job(securityContext=context, command=sh(f"{END} echo up; sleep 60 & wait")))
    docker.wait_for("up")
    found = docker.run(
        "docker inspect -f '{{json .HostConfig.SecurityOpt}} {{.HostConfig.LogConfig.Type}}' flowc"
    ).stdout
    assert found == '["seccomp=unconfined","apparmor=unconfined"] none\n'


@pytest.mark.long
def test_what_a_pod_shares_with_the_machine(docker: Any) -> None:
    look = (
        "for kind in net ipc pid uts; do readlink /proc/self/ns/$kind; done; hostname; grep known /etc/hosts; sleep 2"
    )
    aliases = [{"ip": "10.1.2.3", "hostnames": ["known.example", "known"]}]
    dns = {"nameservers": ["10.9.8.7"], "searches": ["example.org"], "options": [{"name": "ndots", "value": "3"}]}
    docker.start(job(pod={"hostname": "named", "hostAliases": aliases}, command=sh(look)))
    docker.wait()
    machine = docker.run("for kind in net ipc pid uts; do readlink /proc/1/ns/$kind; done").stdout.split()
    own = docker.output().splitlines()
    assert [a == b for a, b in zip(machine, own, strict=False)] == [True, False, False, False]
    assert own[4] == "named"
    assert {line.split()[1] for line in own[5:]} == {"known.example", "known"}
    docker.start(
        job(
            pod={"hostIPC": True, "hostPID": True, "dnsPolicy": "None", "dnsConfig": dns},
            command=sh(f"{look}; cat /etc/resolv.conf"),
        )
    )
    docker.wait()
    own = docker.output().splitlines()
    assert [a == b for a, b in zip(machine, own, strict=False)] == [True, True, True, False]
    assert {"nameserver 10.9.8.7", "search example.org", "options ndots:3"} <= set(own)


@pytest.mark.long
def test_the_working_folder(docker: Any) -> None:
    docker.image("folder:test", "WORKDIR /of/the/image")
    assert docker.end(job(image="folder:test", command=["pwd"])) == ("COMPLETED", 0, 0)
    assert docker.output() == "/of/the/image\n"
    assert docker.end(job(image="folder:test", command=["pwd"], workingDir="/of/the job")) == ("COMPLETED", 0, 0)
    assert docker.output() == "/of/the job\n"


def test_folders_that_begin_empty(docker: Any) -> None:
    volumes: list[dict[str, Any]] = [
        {"name": "disk", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "128Mi"}},
    ]
    mounts = [
        {"name": "disk", "mountPath": "/a"},
        {"name": "memory", "mountPath": "/b"},
        {"name": "shm", "mountPath": "/dev/shm"},
    ]
    read_only = [{"name": "disk", "mountPath": "/c", "readOnly": True}]
    first = {
        "name": "first",
        "image": IMAGE,
        "command": sh("echo one >/a/one"),
        "volumeMounts": mounts[:1],
    }
    look = "cat /a/one /c/one; touch /c/x 2>/dev/null || echo refused; df -k /b /dev/shm | awk 'NR>1 {print $1, $2}'"
    text = job(
        pod={"volumes": volumes, "initContainers": [first]}, volumeMounts=[*mounts, *read_only], command=sh(look)
    )
    assert docker.end(text) == ("COMPLETED", 0, 0)
    lines = docker.output().splitlines()
    assert lines[:3] == ["one", "one", "refused"]
    assert [line.split()[1] for line in lines[3:]] == ["65536", "131072"]


def test_a_folder_of_a_group(docker: Any) -> None:
    text = job(
        pod={
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 2000},
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        command=sh("touch /v/x && echo taken; id -G"),
    )
    assert docker.end(text) == ("COMPLETED", 0, 0), docker.output()
    assert docker.output() == "taken\n1000 2000\n"
