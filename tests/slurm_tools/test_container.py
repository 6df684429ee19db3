"""`srun --container-image`: what docker is told, and that tasks run among the files of the container. Docker is
played by a program whose container is a process with mounts of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from small import EVERYTHING, install

DOCKER = """#!/bin/bash
printf '%s\\n' "$*" >>FOLDER/calls
case $1 in
    ps) [ ! -e FOLDER/up ] || echo 1 ;;
    run)
        mkdir -p FOLDER/inside
        unshare -m sh -c 'cd FOLDER; mount -t tmpfs none inside && echo in >inside/file && echo $$ >up && sleep 60' \\
            >/dev/null 2>&1 &
        until [ -s FOLDER/up ]; do sleep 0.05; done
        ;;
    inspect)
        echo '[{"State":{"Pid":'$(<FOLDER/up)'},"Config":{"WorkingDir":"FOLDER","Env":["COLOUR=image","KEPT=image"]}}]'
        ;;
    login) echo "$DOCKER_CONFIG $(cat)" >FOLDER/login ;;
    rm) kill $(<FOLDER/up); rm FOLDER/up ;;
esac
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    if os.geteuid():
        pytest.skip("needs root")
    # In a chroot none can be made, or entering it leads out of the chroot.
    entered = ["unshare", "-m", "nsenter", "--mount=/proc/self/ns/mnt", "test", "-e", tmp_path]
    done = subprocess.run(entered, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no namespaces of mounts here: {done.stderr.strip() or 'this is a chroot'}")
    where = install(tmp_path / "bin", EVERYTHING - {"several_nodes", "agent", "rsh"})
    (where / "docker").write_text(DOCKER.replace("FOLDER", str(tmp_path)))
    (where / "docker").chmod(0o755)
    return {
        "PATH": f"{where}:{os.environ['PATH']}", "SLURM_JOB_ID": f"6{os.getpid()}", "SLURM_JOB_NODELIST": "me",
        "SLURM_JOB_CPUS_PER_NODE": "4", "SLURM_TASKS_PER_NODE": "1", "COLOUR": "job", "KEPT": "job",
    }  # fmt: skip


def run(env: dict[str, str], line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_tasks_are_among_its_files(env: dict[str, str], tmp_path: Path) -> None:
    options = "-n 2 --container-image=nvcr.io#nvidia/pytorch:24 --container-env=KEPT"
    options += " --container-mounts=/etc,/usr:/u:ro+rprivate"
    text = "cat inside/file; pwd; echo $COLOUR $KEPT; exit $((SLURM_PROCID * 4))"
    done = run(env, f"srun {options} sh -c '{text}'")
    assert sorted(done.stdout.splitlines()) == sorted(["in", str(tmp_path), "image job"] * 2), done.stderr
    assert done.returncode == 4
    calls = (tmp_path / "calls").read_text().splitlines()
    (started,) = (call for call in calls if call.startswith("run "))
    assert "-v/etc:/etc -v/usr:/u:ro,rprivate" in started
    assert started.endswith("--entrypoint=sleep nvcr.io/nvidia/pytorch:24 infinity")
    assert calls[-1].startswith("rm -fv flowc-")
    assert not (tmp_path / "up").exists()


def test_a_named_one_stays(env: dict[str, str], tmp_path: Path) -> None:
    done = run(
        env, "srun --container-image=ubuntu --container-name=a true; srun --container-name=a cat inside/file; docker rm"
    )
    assert done.stdout == "in\n", done.stderr
    assert (tmp_path / "calls").read_text().count("run -d") == 1


LOGINS = """\
# a comment
machine
machine nvcr.io login $oauthtoken password
machine other.example login me password no
  machine nvcr.io login $oauthtoken password na-pass
machine nvcr.io login second password $(printf 'by %s' "$COLOUR")
machine auth.docker.io login hub password hub-pass more
machine ghcr.io login me account x password no
"""


@pytest.mark.parametrize(
    ("image", "pulled", "login"),
    [
        ("nvcr.io#nvidia/pytorch:24", "nvcr.io/nvidia/pytorch:24", "$oauthtoken na-pass nvcr.io"),
        ("docker://nvcr.io/nvidia/pytorch:24", "nvcr.io/nvidia/pytorch:24", "$oauthtoken na-pass nvcr.io"),
        ("docker://second@nvcr.io:5000#a/b", "nvcr.io:5000/a/b", "second by job nvcr.io:5000"),
        ("ubuntu:24.04", "ubuntu:24.04", "hub hub-pass docker.io"),
        ("library/ubuntu@sha256:12", "library/ubuntu@sha256:12", "hub hub-pass docker.io"),
        ("ghcr.io#a/b@sha256:12", "ghcr.io/a/b@sha256:12", None),
    ],
)
@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME", "ENROOT_CONFIG_PATH"])
def test_credentials_of_enroot_are_used(
    env: dict[str, str], tmp_path: Path, image: str, pulled: str, login: str | None, variable: str
) -> None:
    folder = {"HOME": ".config/enroot", "XDG_CONFIG_HOME": "enroot", "ENROOT_CONFIG_PATH": "."}[variable]
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / ".credentials").write_text(LOGINS)
    place = {"HOME": "/nowhere", variable: str(tmp_path)}
    done = run({**env, **place}, f"srun --container-image='{image}' cat inside/file")
    assert (done.stdout, done.returncode) == ("in\n", 0), done.stderr
    calls = (tmp_path / "calls").read_text()
    assert f"--entrypoint=sleep {pulled} infinity" in calls
    found = [line for line in calls.splitlines() if line.startswith("login")]
    if login is None:
        assert found == []
    else:
        user, *password, registry = login.split()
        assert found == [f"login -u {user} --password-stdin {registry}"]
        assert (tmp_path / "login").read_text() == f"/run/flowc.login {' '.join(password)}\n"


def test_a_user_without_a_password_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    done = run({**env, "ENROOT_CONFIG_PATH": str(tmp_path)}, "srun --container-image=me@ghcr.io#a/b true")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no password of me for ghcr.io in enroot's .credentials on this machine" in done.stderr


@pytest.mark.parametrize("options", ["--container-image=/x/y.sqsh", "--container-image=a --container-mounts=/nowhere"])
def test_refusals(env: dict[str, str], options: str) -> None:
    done = run(env, f"srun {options} echo ran")
    assert done.returncode == 1
    assert "error:" in done.stderr
    assert done.stdout == ""
