"""Jobs in containers, as emitted, on a machine whose docker tells what it was asked."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowc.ir.job import Container, File, Isolation, Mount, Port, Probe, Retry, Run, Time, Volume
from flowc.ir.unit import Unit
from flowc.scripts import build
from tests.scripts.fakes import Machine
from tests.scripts.jobs import PLAN, unit

ARGV = Run(kind="argv", argv=("python", "-c"), args=("print(1)",))
TEXT = Run(kind="shell", text="echo hi\n", interpreter="/bin/bash")


def contained(**fields: Any) -> Unit:
    return unit("", **{"frontend": "k8s", "image": "img:1", "run": ARGV, "plan": PLAN, **fields})


def docker_run(machine: Machine, job: Unit) -> list[str]:
    """The words of the only `docker run`, in a machine that has the image."""
    (machine.folder / "images").write_text("img:1\n")
    machine.run(job)
    assert len(machine.called("docker run")) == 1
    text = (machine.folder / "words").read_bytes().decode().replace(str(machine.folder), "")
    return text.split("\0")[:-1]


def options(words: list[str]) -> list[str]:
    """What stands between the fixed beginning and the image."""
    return words[2 : words.index("img:1")]


FIXED = ["--label", "flowc", "--log-driver", "none", "--network", "host", "--gpus", "all"]
RUN = ["--rm", "--name", "flowc"]
MAIN = "docker run --label flowc --log-driver none --network host --gpus all --rm --name flowc"
BODY = ["-v", "/body:/flowc-body:ro"]


@pytest.mark.parametrize(
    ("run", "before", "after"),
    [
        (ARGV, ["--entrypoint", "python"], ["-c", "print(1)"]),
        (Run(kind="argv", args=("a", "-b")), [], ["a", "-b"]),
        (Run(kind="argv"), [], []),
        (Run(kind="argv", argv=("only",)), ["--entrypoint", "only"], []),
        (TEXT.replace(args=("x y",)), [*BODY, "--entrypoint", "/flowc-body"], ["x y"]),
        (
            Run(kind="shell", text="echo hi\n"),
            [*BODY, "--entrypoint", "sh"],
            ["-c", 'exec $(command -v bash||echo sh) "$0" "$@"', "/flowc-body"],
        ),
        (
            Run(kind="script", interpreter="/usr/bin/env python3", text="#!/usr/bin/env python3\nprint()\n"),
            [*BODY, "--entrypoint", "/flowc-body"],
            [],
        ),
    ],
)
def test_entrypoint_and_arguments(tmp_path: Path, run: Run, before: list[str], after: list[str]) -> None:
    words = docker_run(Machine(tmp_path), contained(run=run))
    assert words == ["docker", "run", *FIXED, *RUN, *before, "img:1", *after]


def test_the_body_can_be_read_by_any_user_of_the_container(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    docker_run(machine, contained(run=TEXT))
    assert (tmp_path / "body").read_text() == "#!/bin/bash\necho hi\n"
    assert (tmp_path / "body").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("isolation", "words"),
    [
        ({"user": "1000:100"}, ["--user=1000:100"]),
        ({"groups": ("44", "video")}, ["--group-add=44", "--group-add=video"]),
        ({"privileged": True}, ["--privileged"]),
        ({"cap_add": ("IPC_LOCK",), "cap_drop": ("ALL",)}, ["--cap-add=IPC_LOCK", "--cap-drop=ALL"]),
        ({"read_only_root": True}, ["--read-only"]),
        ({"no_new_privileges": True}, ["--security-opt=no-new-privileges"]),
        ({"seccomp": "unconfined"}, ["--security-opt=seccomp=unconfined"]),
        ({"apparmor": "x"}, ["--security-opt=apparmor=x"]),
        ({"ipc_host": True, "pid_host": True}, ["--ipc=host", "--pid=host"]),
        ({"hostname": "h"}, ["--hostname=h"]),
        ({"hosts": (("db", "10.0.0.1"),)}, ["--add-host=db:10.0.0.1"]),
        ({"dns": ("1.1.1.1",), "dns_search": ("a.b",)}, ["--dns=1.1.1.1", "--dns-search=a.b"]),
        ({"dns_options": ("ndots:2",)}, ["--dns-option=ndots:2"]),
        ({"sysctls": (("kernel.msgmax", "9"),)}, ["--sysctl=kernel.msgmax=9"]),
        ({"cpus": "2.5", "memory_bytes": 1 << 30}, ["--cpus=2.5", "--memory=1073741824"]),
        ({"stop_grace_s": 60}, ["--stop-timeout=60"]),
        ({"stop_grace_s": 0, "stop_signal": "SIGUSR1"}, ["--stop-signal=SIGUSR1", "--stop-timeout=0"]),
        ({"options": ("--init", "--ulimit", "memlock=-1")}, ["--init", "--ulimit", "memlock=-1"]),
        ({"network_host": True}, []),
    ],
)
def test_every_field_of_isolation_is_an_option(tmp_path: Path, isolation: dict[str, Any], words: list[str]) -> None:
    found = options(docker_run(Machine(tmp_path), contained(isolation=Isolation(**isolation))))
    expected = [*FIXED[:6], *words, *FIXED[6:], *RUN, "--entrypoint", "python"]
    assert found == expected


def test_another_network_takes_the_place_of_the_hosts(tmp_path: Path) -> None:
    isolation = Isolation(options=("--network=none",), sysctls=(("net.core.somaxconn", "9"),))
    words = docker_run(Machine(tmp_path), contained(isolation=isolation))
    assert "host" not in words
    assert "--sysctl=net.core.somaxconn=9" in words


def test_settings_of_the_hosts_network_are_the_hosts(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    words = docker_run(machine, contained(isolation=Isolation(sysctls=(("net.core.somaxconn", "9"),))))
    assert not [word for word in words if "sysctl" in word]
    assert machine.called("sysctl") == ["sysctl -qw net.core.somaxconn=9"]


@pytest.mark.parametrize(
    ("visible", "words"), [(None, ["--gpus", "all"]), (2, ["--gpus", '"device=0,1"']), (8, ["--gpus", "all"]), (0, [])]
)
def test_gpus(tmp_path: Path, visible: int | None, words: list[str]) -> None:
    found = docker_run(Machine(tmp_path), contained(plan=PLAN.replace(gpus_visible=visible)))
    assert [word for at, word in enumerate(found) if "--gpus" in found[at - 1 : at + 1]] == words


def test_environment_facts_secrets_workdir_and_memory(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run/flowc/secrets").write_text("TOKEN='it'\\''s\nlong'\nOTHER=1\n")
    (tmp_path / "run.docker").write_text(f'printf %s "$TOKEN|$OTHER" >{tmp_path}/seen\n')
    job = contained(
        env=(("A", "x 'y'\n$(z)"), ("my.name", "1")),
        env_facts=(("IP", "private_ip"), ("N", "cpus"), ("M", "memory_bytes"), ("R", "rank"), ("H", "hostname")),
        secrets=("TOKEN",),
        run=ARGV.replace(workdir="~/w"),
        mounts=(Mount(kind="memory", source="m", target="/dev/shm", size_bytes=1 << 20),),
    )
    words = docker_run(machine, job)
    values = [words[at + 1] for at, word in enumerate(words) if word == "-e"]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    facts = ["IP=10.0.0.7", "N=16", f"M={memory}", "R=0", "H=vm"]
    assert values == ["TOKEN", "A=x 'y'\n$(z)", "my.name=1", *facts]
    assert "--shm-size=1048576" in words
    assert words[words.index("-w") + 1] == "/root/w"
    assert (tmp_path / "seen").read_text() == "it's\nlong|"
    assert "it's" not in "".join(machine.calls)


def test_the_same_paths_appear_in_the_container(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "mounted").write_text(f"{tmp_path}/mnt/share\n{tmp_path}/mnt/flowc/data\n")
    (tmp_path / "dev/disk/by-id/virtio-vol_1").touch()
    job = contained(
        volumes=(
            Volume(name="data", mount_path="/data"),
            Volume(name="share", interface="file", mount_path="/share", read_only=True),
        ),
        mounts=(
            Mount(kind="scratch", source="s", target="/a,b"),
            Mount(kind="volume", source="data/sub", target="/sub"),
        ),
        files=(File(path="/etc/x.conf", text="it's\n", mode=0o600),),
    )
    words = docker_run(machine, job)
    assert [words[at + 1] for at, word in enumerate(words) if word == "--mount"] == [
        "type=bind,src=/mnt/flowc/data,dst=/data",
        "type=bind,src=/mnt/share,dst=/share,readonly",
        'type=bind,src=/mnt/flowc/0,"dst=/a,b"',
        "type=bind,src=/mnt/flowc/data/sub,dst=/sub",
        "type=bind,src=/run/flowc/files/0,dst=/etc/x.conf",
    ]
    assert (tmp_path / "run/flowc/files/0").read_text() == "it's\n"
    assert (tmp_path / "run/flowc/files/0").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "mnt/flowc/0").is_dir()


def test_init_containers_in_order_then_sidecars_beside_the_job(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text(
        'case " $* " in\n*" side "*) command sleep 60 ;;\n'
        f'*" img:1 "*) until grep -q flowc-2 {tmp_path}/calls; do command sleep 0.05; done ;;\nesac\n'
    )
    job = contained(
        containers=(
            Container(name="one", role="init", image="busybox", argv=("sh", "-c"), args=("echo 'x'",)),
            Container(name="s", role="sidecar", image="side", env=(("A", "b c"),), gpus=1),
            Container(name="two", role="init", image="busybox", env_facts=(("N", "cpus"),), args=("z",)),
        ),
    )
    assert machine.run(job) == 0
    runs = sorted(machine.called("docker run"), key=lambda call: "--name flowc-2" in call)
    host = "docker run --rm --label flowc --log-driver none --name"
    assert runs == [
        f"{host} flowc-1 --network host --entrypoint sh busybox -c echo\\ \\'x\\'",
        f"{host} flowc-3 --network host -e N=16 busybox z",
        f"{MAIN} --entrypoint python img:1 -c print\\(1\\)",
        f'{host} flowc-2 --network host --gpus \\"device=0\\" -e A=b\\ c side',
    ]
    assert machine.calls[-1].startswith("docker ps -aqf label=flowc")


def test_a_failed_init_container_fails_the_job_or_starts_it_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text('[[ " $* " != *" busybox "* ]] || exit 7\n')
    init = Container(name="one", role="init", image="busybox", args=("z",))
    assert machine.run(contained(containers=(init,), retry=Retry(max_restarts=2, delay_ms=0))) == 7
    assert len(machine.called("docker run --rm --label flowc --log-driver none --name flowc-1")) == 3
    assert machine.called("docker run --label") == []
    assert "flowc: flowc-1 failed with status 7" in machine.output


def test_kept_files_spare_a_restart_the_init_containers(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text('[[ " $* " == *" busybox "* ]] || exit 7\n')
    init = Container(name="one", role="init", image="busybox", args=("z",))
    machine.run(contained(containers=(init,), retry=Retry(max_restarts=2, delay_ms=0, keep_scratch=True)))
    assert len(machine.called("docker run --rm --label flowc --log-driver none --name flowc-1")) == 1
    assert len(machine.called("docker run --label")) == 3


def test_setup_runs_once_in_a_container_whose_image_the_job_gets(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "images").write_text("img:1\n")
    (tmp_path / "run.docker").write_text('[[ " $* " == *flowc-setup* ]] || exit 7\n')
    machine.run(contained(setup="pip install x\n", retry=Retry(max_restarts=1, delay_ms=0)))
    assert (tmp_path / "setup").read_text() == "pip install x\n"
    setup, *rest = machine.called("docker run", "docker commit", "docker rm -v flowc-setup")
    assert setup.endswith("--name flowc-setup -v /setup:/flowc-setup:ro "
                          "--entrypoint bash img:1 /flowc-setup")  # fmt: skip
    assert rest[:2] == ["docker commit flowc-setup flowc", "docker rm -v flowc-setup"]
    assert len(rest) == 4
    assert all(call.endswith("--rm --name flowc --entrypoint python flowc -c print\\(1\\)") for call in rest[2:])


def test_a_failed_setup_fails_the_job_without_a_restart(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text("exit 7\n")
    assert machine.run(contained(setup="x\n", retry=Retry(max_restarts=5, delay_ms=0))) == 1
    assert len(machine.called("docker run")) == 1
    assert machine.output.endswith("flowc: setup failed with status 7\n")


def test_the_status_is_the_containers_and_what_is_left_is_removed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text("exit 42\n")
    assert machine.run(contained()) == 42
    assert '"state":"FAILED"' in machine.status()
    assert '"exit_code":42' in machine.status()


def test_a_stop_asks_the_container_and_starts_afresh_at_the_next_boot(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text(
        f"trap 'exit 143' TERM\n: >{tmp_path}/up\nwhile :; do command sleep 0.05; done\n"
    )
    process = machine.start(contained(isolation=Isolation(stop_grace_s=7, before_stop=("save", "it now"))))
    wait_for(tmp_path / "up")
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=600)
    stops = [call for call in machine.calls if "exec" in call or "stop -t" in call]
    assert stops[:2] == ["docker exec flowc save it\\ now", "docker stop -t 7 flowc"]
    assert '"state":"PENDING"' in machine.status()
    (tmp_path / "run.docker").write_text(":\n")
    assert machine.run() == 0
    assert '"state":"COMPLETED"' in machine.status()
    assert '"starts":2' in machine.status()


def test_what_is_left_of_the_grace_period_does_not_follow_the_clock(tmp_path: Path) -> None:
    """Bash's own count of seconds does, which is not there in this test."""
    machine = Machine(tmp_path)
    wait = f"until [ -e {tmp_path}/stop ]; do command sleep 0.05; done; command sleep 3; exit 143\n"
    machine.program(
        "docker",
        f'case "$1 $2" in\n"ps -qf") echo side ;;\n"stop -t") [ $4 = side ] || : >{tmp_path}/stop ;;\n'
        f'run\\ *) [[ $* = *"--name flowc "* ]] || exit 0\n: >{tmp_path}/up\ntrap "" TERM\n{wait};;\nesac',
    )
    side = Container(name="side", image="img:1", role="sidecar")
    machine.install(contained(isolation=Isolation(stop_grace_s=7), containers=(side,)))
    with (tmp_path / "prelude").open("a") as prelude:
        prelude.write("unset SECONDS\n")
    process = machine.start()
    wait_for(tmp_path / "up")
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=600)
    told, left = machine.called("docker stop -t")
    assert told == "docker stop -t 7 flowc"
    assert left in {f"docker stop -t {seconds} side" for seconds in range(6)}


def wait_for(path: Path) -> None:
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} was never there")


def test_a_container_that_is_dead_is_stopped(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.program(
        "docker",
        f"case $1 in\nexec) exit 1 ;;\nstop) : >{tmp_path}/stopped ;;\n"
        f"run) until [ -e {tmp_path}/stopped ]; do command sleep 0.05; done; exit 137 ;;\nesac",
    )
    probe = Probe(argv=("test", "-e", "/x y"), failures=3, period_s=1)
    assert machine.run(contained(isolation=Isolation(liveness=probe))) == 137
    assert machine.called("docker exec")[:3] == ["docker exec flowc test -e /x\\ y"] * 3
    assert "the liveness probe failed 3 times in a row" in machine.output


def test_the_unit_waits_for_a_containers_end_and_ports_are_units_of_their_own(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    ports = [(8080, 8080), (8081, 8081), (9000, 80), (80, 80)]
    job = contained(
        ports=(*(Port(external=outer, internal=inner, protocol="tcp") for outer, inner in ports),
               Port(external=5000, internal=5000, protocol="udp")),
        time=Time(limit_s=60),
    )  # fmt: skip
    machine.start(job, words=()).communicate(timeout=600)
    (started, enabled) = machine.called("systemctl")
    assert enabled == (
        "systemctl enable --now --no-block flowc-port@8080 flowc-port@8081 flowc-port@9000 flowc-forward@9000:80"
    )
    assert started == "systemctl enable --now --no-block flowc"
    service = (tmp_path / "etc/systemd/system/flowc.service").read_text()
    assert "KillMode=mixed\nTimeoutStopSec=90\n" in service
    assert "docker.service\n" in service
    forward = (tmp_path / "etc/systemd/system/flowc-forward@.service").read_text()
    assert "-l $${p%%%%:*} /lib/systemd/systemd-socket-proxyd localhost:$${p#*:}'" in forward


TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(value=TEXTS, image=TEXTS.filter(lambda text: text.strip() != ""), words=st.lists(TEXTS, max_size=3))
def test_what_the_user_wrote_reaches_docker_as_inert_words(
    tmp_path_factory: pytest.TempPathFactory, value: str, image: str, words: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("m")
    machine = Machine(folder)
    (folder / "run.docker").write_text(f"printf '%s\\0' \"$@\" >{folder}/words.${{4/flowc*/}}$BASHPID\n")
    job = contained(
        image=image,
        isolation=Isolation(hostname=value, pull="never", options=(value,)),
        env=(("A", value),),
        run=Run(kind="argv", argv=(value, *words), args=(value,), workdir="/" + value),
        containers=(Container(name=value, role="init", image=image, args=tuple(words), env=(("B", value),)),),
        files=(File(path="/" + value, text=value),),
        mounts=(Mount(kind="scratch", source=value, target="/" + value),),
    )
    assert build(job, index=None).sent.isascii()
    machine.install(job)
    machine.run()
    seen = [path.read_bytes().decode().split("\0")[:-1] for path in folder.glob("words.*")]
    moved = machine.moved(value.encode()).decode()
    (main,) = [call for call in seen if "--rm" not in call[:3]]
    assert f"A={moved}" in main
    assert f"--hostname={moved}" in main
    at = main.index("--entrypoint")
    moved_words = [machine.moved(word.encode()).decode() for word in words]
    assert main[at + 1 :] == [moved, machine.moved(image.encode()).decode(), *moved_words, moved]
    assert (folder / "run/flowc/files/0").read_bytes().decode() == moved


def test_a_job_of_slurm_finds_its_folder_and_its_variables_in_the_container(tmp_path: Path) -> None:
    words = docker_run(Machine(tmp_path), contained(frontend="slurm", run=TEXT.replace(workdir="w")))
    assert words[2:8] == [*FIXED[:4], "--mount", "type=bind,src=/workspace/w,dst=/workspace/w"]
    assert words[words.index("-w") + 1] == "/workspace/w"
    assert "SLURM_JOB_NODELIST=vm" in words
    assert "SLURM_SUBMIT_DIR=/workspace" in words
    assert words.count("-w") == 1
