"""What a task finds in its container beside what its image has (sky/provision/docker_utils.py, skylet/constants.py)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.frontends.skypilot.reading import jobs, names

HEAD = "resources: {accelerators: H100:8, image_id: 'docker:nvidia/cuda:12.4.1-devel-ubuntu22.04'}\n"
RUN, SETUP = HEAD + "run: |\n  ", HEAD + "run: 'true'\nsetup: |\n  "


def script(task: str) -> str:
    return str(driver.compile(Source("a.yaml", task), Inputs(), emit="script", frontend="skypilot").artifacts[0].text)


def options(*words: str) -> str:
    return HEAD + f"config: {{docker: {{run_options: {list(words)}}}}}\nrun: python train.py\n"


def test_the_container_has_shared_memory_in_proportion_to_its_machine() -> None:
    """SkyPilot gives a third of what is free: with docker's 64 MiB the first data loader dies of SIGBUS."""
    text = script(RUN + "python train.py\n")
    assert int(text.partition("--shm-size=")[2].split()[0]) > 400 << 30


SAID = ["--shm-size=64g", "--ipc=host", "-v /dev/shm:/dev/shm", "--mount type=tmpfs,target=/dev/shm"]


@pytest.mark.parametrize("word", SAID)
def test_who_says_what_shared_memory_there_is_gets_that(word: str) -> None:
    (job,) = jobs(options(word))
    assert [each for each in job["mounts"] if each["target"] == "/dev/shm"] == []


def test_a_machine_has_its_own_shared_memory() -> None:
    (job,) = jobs("resources: {accelerators: H100:8}\nrun: python train.py\n")
    assert job["mounts"] == []


def test_the_container_may_do_what_skypilots_may() -> None:
    """SYS_ADMIN where a text asks for what takes it: a machine on this computer gives no container that."""
    for text, admin, options in (
        ("python train.py --mount /data", [], []),
        ("sshfs host:/data /data", ["SYS_ADMIN"], ["--device=/dev/fuse"]),
        ("mount -t tmpfs none /data", ["SYS_ADMIN"], []),
    ):
        (job,) = jobs(RUN + text + "\n")
        assert job["isolation"]["cap_add"] == [*admin, "SYS_RESOURCE"]
        assert job["isolation"]["apparmor"] == "unconfined"
        assert job["isolation"]["options"] == options


BROUGHT = [
    (RUN + "sudo ldconfig && python train.py\n", "sudo"),
    (SETUP + "sudo apt-get update && sudo apt-get install -y git\n", "sudo"),
    (SETUP + "wget -q https://a.b/c.tar.gz\n", "wget"),
    (SETUP + "pip install torch\n", "pip"),
    (RUN + "curl -s https://a.b | bash\n", "curl"),
    (SETUP + "apt-get install -y git\n", "apt-get"),
    (SETUP + "DEBIAN_FRONTEND=noninteractive apt install -y git\n", "apt"),
    (SETUP + "uv venv\n", "uv"),
    (RUN + "conda activate base\n", "conda"),
]
LEFT = [
    (RUN + "echo sudo\n", "sudo"),
    (SETUP + "apt-get update && apt-get install -y sudo\n  sudo ldconfig\n", "sudo"),
    (SETUP + "apt update\n  apt install -y git\n", "apt"),
    (SETUP + "pip install uv && uv venv\n", "uv"),
    (RUN + "bash Miniforge3.sh -b && conda activate base\n", "conda"),
    ("resources: {accelerators: H100:8}\n" + "run: sudo apt-get install -y git\n", "sudo"),
    ("resources: {accelerators: H100:8}\n" + "run: sudo apt-get install -y git\n", "apt-get"),
]


@pytest.mark.parametrize(("task", "name"), BROUGHT)
def test_what_skypilot_puts_into_a_container_is_there(task: str, name: str) -> None:
    (job,) = jobs(task)
    assert name in job["programs"]
    assert job["setup"]
    assert "program-installed" in names(task)


@pytest.mark.parametrize(("task", "name"), LEFT)
def test_what_a_task_brings_itself_or_does_not_call_is_not_brought(task: str, name: str) -> None:
    assert name not in jobs(task)[0]["programs"]


def run(job: dict[str, Any], folder: Path, *there: str) -> tuple[int, str, str]:
    """The setup, then the run with the profile that it left, where these programs and apt-get are."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("bash", "timeout", "env", "echo", "cat", "chmod", "ls", "sed", *there):
        if not (programs / name).exists():
            (programs / name).symlink_to(f"/usr/bin/{name}")
    apt = programs / "apt-get"
    words = f'echo "apt-get $*" >>{folder}/calls\n[ "$3" != install ] || for each in wget curl pip; do\n'
    made = f"printf '#!/bin/bash\\necho %s $*\\n' $each >{programs}/$each; chmod 755 {programs}/$each"
    apt.write_text(f"#!/bin/bash\n{words}{made}; done\n")
    apt.chmod(0o755)
    env = {"PATH": str(programs), "HOME": str(folder)}
    said = ""
    for text in (job["setup"], "[ ! -f ~/.bashrc ] || . ~/.bashrc\n" + job["run"]["text"]):
        done = subprocess.run(["/bin/bash", "-c", text], cwd=folder, env=env, capture_output=True, text=True)
        said += done.stdout + done.stderr
    return done.returncode, said, (folder / "calls").read_text() if (folder / "calls").exists() else ""


def test_sudo_is_the_command_itself(tmp_path: Path) -> None:
    (job,) = jobs(HEAD + "setup: sudo echo one\nrun: sudo echo two\n")
    assert run(job, tmp_path) == (0, "one\ntwo\n", "")


def test_packages_come_where_a_program_lacks(tmp_path: Path) -> None:
    (job,) = jobs(HEAD + "setup: wget one\nrun: wget two\n")
    status, said, calls = run(job, tmp_path)
    assert (status, said) == (0, "wget one\nwget two\n")
    assert calls.splitlines()[-1].endswith("rsync curl wget patch openssh-server python3-pip fuse")


def test_nothing_is_fetched_where_all_is_there(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "wget").write_text("#!/bin/bash\necho mine $*\n")
    (tmp_path / "programs" / "wget").chmod(0o755)
    (job,) = jobs(HEAD + "setup: wget one\nrun: wget two\n")
    assert run(job, tmp_path) == (0, "mine one\nmine two\n", "")
