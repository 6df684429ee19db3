"""Containers beside the main one, and paths of the machine, on a machine whose docker tells what it was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowc.ir.job import Container, Isolation, Mount
from tests.scripts.containers.test_container import contained
from tests.scripts.fakes import PROGRAMS, Machine


def test_what_follows_a_sidecar_begins_when_it_has_started(tmp_path: Path) -> None:
    """Its process is begun, and then its start is waited for, before the init container that needs it."""
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text(
        f'case " $* " in\n*" side "*) command sleep 0.3; : >{tmp_path}/up; command sleep 60 ;;\n'
        f'*" busybox "*) [ -e {tmp_path}/up ] ;;\nesac\n'
    )
    machine.program(
        "docker",
        PROGRAMS["docker"]
        .format(folder=tmp_path)
        .replace("echo start", f"until [ -e {tmp_path}/up ]; do command sleep 0.05; done; echo start; exec sleep 60"),
    )
    side = Container(name="proxy", role="sidecar", image="side", restart="always")
    init = Container(name="migrate", role="init", image="busybox")
    assert machine.run(contained(containers=(side, init))) == 0
    order = [call.split("--name ")[1].split()[0] for call in machine.called("docker run")]
    assert order == ["flowc-1", "flowc-2", "flowc"]
    (waited,) = machine.called("docker events")
    assert waited.endswith("-f container=flowc-1 -f event=start")


@pytest.mark.parametrize(
    ("restart", "status", "least", "most"),
    [("always", 0, 2, 99), ("always", 3, 2, 99), ("on-failure", 3, 2, 99), ("on-failure", 0, 1, 1), ("never", 3, 1, 1)],
)
def test_a_sidecar_that_ends(tmp_path: Path, restart: str, status: int, least: int, most: int) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run.docker").write_text(
        f'case " $* " in\n*" side "*) exit {status} ;;\n*" img:1 "*)\n'
        f"until (($(grep -c -- '--name flowc-1 ' {tmp_path}/calls) >= {least})); do command sleep 0.1; done\n"
        "command sleep 1 ;;\nesac\n"
    )
    assert machine.run(contained(containers=(Container(name="s", role="sidecar", image="side", restart=restart),))) == 0
    assert least <= len(machine.called("docker run --rm --label flowc --log-driver none --name flowc-1")) <= most


def test_what_a_sidecar_does_before_it_is_stopped(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    stop = [Isolation(before_stop=("drain", name)) for name in ("a", "b c")]
    sides = [Container(name="s", role="sidecar", image="side", isolation=each) for each in stop]
    machine.run(contained(containers=tuple(sides)))
    calls = machine.calls
    hooks = ["docker exec flowc-2 drain b\\ c", "docker exec flowc-1 drain a"]
    assert machine.called("docker exec") == hooks
    ended = max(at for at, call in enumerate(calls) if call.startswith("docker run"))
    gone = [at for at, call in enumerate(calls) if call.startswith("docker ps -qf label=flowc")]
    assert ended < calls.index(hooks[0]) < calls.index(hooks[1]) < gone[-1]


def test_a_pause_before_the_stop_needs_no_program_of_the_image(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    pause = Isolation(before_stop=("sleep", "0"))
    side = Container(name="s", role="sidecar", image="side", isolation=pause)
    machine.run(contained(containers=(side,), isolation=pause))
    assert machine.called("docker exec") == []
    (script,) = (each for each in tmp_path.iterdir() if "timeout 30 sleep 0" in _text(each))
    assert _text(script).count("timeout 30 sleep 0") == 2


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def test_what_is_made_of_a_path_of_the_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "root/w").mkdir()
    paths = {"folder": "~/w/a/b", "file": "~/w/lock", "nothing": "~/w/docker.sock"}
    mounts = [Mount(kind="host", source=path, target=f"/{name}", create=name) for name, path in paths.items()]
    machine.run(contained(mounts=tuple(mounts)))
    assert (tmp_path / "root/w/a/b").is_dir()
    assert (tmp_path / "root/w/lock").is_file()
    assert not (tmp_path / "root/w/docker.sock").exists()
