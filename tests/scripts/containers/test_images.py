"""How images, docker itself and its GPU toolkit come to the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowc.ir.job import Isolation, Retry
from tests.scripts.containers.test_container import contained
from tests.scripts.fakes import Machine


@pytest.mark.parametrize(
    ("pull", "there", "pulls"),
    [(None, False, 1), (None, True, 0), ("missing", True, 0), ("always", True, 1), ("never", False, 0)],
)
def test_when_an_image_is_pulled(tmp_path: Path, pull: str | None, there: bool, pulls: int) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "images").write_text("img:1\n" if there else "")
    machine.run(contained(isolation=Isolation(pull=pull)))
    assert ("--pull=never" in " ".join(machine.called("docker run"))) == (pull == "never")
    assert machine.called("docker pull") == ["docker pull -q img:1"] * pulls


def test_a_pull_is_tried_five_times_and_its_failure_fails_the_job(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.program("docker", "[ $1 = ps ]")
    assert machine.run(contained(retry=Retry(max_restarts=9))) == 1
    assert len(machine.called("docker pull")) == 5
    assert machine.output == "flowc: five attempts failed: docker pull -q img:1\n"
    assert '"state":"FAILED"' in machine.status()
    assert machine.called("docker run") == []


def test_credentials_of_registries_are_tried_in_turn(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run/flowc/secrets").write_text("reg_a='{\"a\":1}'\nb=2\n")
    refuses = f'[ "$1" != image ] && {{ [ "$2" != {tmp_path}/run/flowc/reg_a ] || {{ echo 401 >&2; false; }}; }}'
    machine.program("docker", refuses)
    machine.run(contained(isolation=Isolation(pull_secrets=("reg-a", "b"))))
    assert "401" not in machine.output
    assert machine.called("docker --config") == [
        "docker --config /run/flowc/reg_a pull -q img:1",
        "docker --config /run/flowc/b pull -q img:1",
    ]
    assert (tmp_path / "run/flowc/reg_a/config.json").read_text() == '{"a":1}'
    assert (tmp_path / "run/flowc/reg_a/config.json").stat().st_mode & 0o777 == 0o600


def test_what_no_credential_can_pull_is_told_with_its_errors(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run/flowc/secrets").write_text("a=1\nb=2\n")
    machine.program("docker", '[ $1 = ps ] || { [ "$1" = image ] || echo "no: ${2##*/}" >&2; false; }')
    assert machine.run(contained(isolation=Isolation(pull_secrets=("a", "b")))) == 1
    assert machine.output.splitlines()[:2] == ["no: a", "no: b"]
    assert machine.output.splitlines()[-1] == "flowc: five attempts failed: pull_image img:1"


def test_docker_and_its_gpu_toolkit_are_installed_where_they_are_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, without=("docker", "nvidia-container-runtime-hook"))
    machine.program("apt-get", f'[ "${{!#}}" != docker.io ] || cp {tmp_path}/bin/mount {tmp_path}/bin/docker')
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    machine.run(contained())
    installs = [call.split()[-1] for call in machine.called("apt-get") if "install" in call]
    assert installs == ["docker.io", "nvidia-container-toolkit"]
    listed = (tmp_path / "etc/apt/sources.list.d/nvidia-container-toolkit.list").read_text()
    assert listed.endswith("https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /\n")
    assert "systemctl restart docker" in machine.calls
    assert "flowc: installs nvidia-container-toolkit" in machine.output
