"""A job whose own text comes over SSH: what is to be copied, and that the machine waits for just that."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import Machine
from jobs import unit
from local import install, run, start, status

from flowc._compiled.slurm_commands import INTERPRETER_PACKAGES
from flowc.ir.isolation import Isolation
from flowc.ir.job import Container, Io, Mount, Retry, Run
from flowc.ir.unit import Unit
from flowc.scripts import build, parts
from flowc.scripts.delivery import delivery
from flowc.scripts.storage import trees
from tests.machines.ordinary import until

BODY = b"#!/bin/bash\necho \xff$1\n"


def job(folder: Path, body: bytes = BODY, **fields: object) -> Unit:
    text = body.decode("utf-8", "surrogateescape")
    run_ = Run(text=text, interpreter="/bin/bash", args=("x",), workdir=str(folder), delivery="ssh")
    return unit(text, run=run_, io=Io(stdout="out"), **fields)  # type: ignore[arg-type]


def test_the_job_starts_once_its_script_is_there(tmp_path: Path) -> None:
    install(build(job(tmp_path), index=None), tmp_path)
    process = start(tmp_path)
    for _ in range(1200):
        if (tmp_path / "out").exists() and (tmp_path / "out").read_text():
            break
        time.sleep(0.1)
    assert (tmp_path / "out").read_text() == f"flowc: waits for {tmp_path}/slurm_script\n"
    assert (tmp_path / "status.json").read_text() == ""
    (tmp_path / "slurm_script").write_bytes(BODY[:-1])
    time.sleep(0.5)
    assert process.poll() is None, "half of it is not run"
    (tmp_path / "slurm_script").write_bytes(BODY)
    process.communicate(timeout=600)
    assert process.returncode == 0
    assert (tmp_path / "out").read_bytes().splitlines()[1:] == [b"\xffx"]
    assert (status(tmp_path)["state"], status(tmp_path)["starts"]) == ("COMPLETED", 1)


def test_a_later_boot_finds_it_and_does_not_wait(tmp_path: Path) -> None:
    install(build(job(tmp_path), index=None), tmp_path)
    (tmp_path / "slurm_script").write_bytes(BODY)
    assert run(tmp_path) == (0, b"")
    assert (tmp_path / "out").read_bytes() == b"\xffx\n"


@pytest.mark.parametrize("retry", [Retry(), Retry(max_restarts=2)])
def test_nothing_that_comes_is_a_clear_failure(tmp_path: Path, retry: Retry) -> None:
    install(build(job(tmp_path, retry=retry), index=None), tmp_path)
    with (tmp_path / "prelude").open("a") as file:
        file.write("sleep() { :; }\n")
    assert run(tmp_path)[0] == 1
    assert (tmp_path / "out").read_text().splitlines()[-1] == f"flowc: no {tmp_path}/slurm_script after 30 minutes"
    found = status(tmp_path)
    assert (found["state"], found["starts"], found["exit_code"]) == ("FAILED", 0, 1)
    assert found["used_s"] == 0
    assert run(tmp_path) == (0, b""), "a job that has failed is not waited for again"


def test_what_is_delivered_is_what_runs() -> None:
    sent = delivery(unit("echo a", frontend="task-yaml", run=Run(kind="shell", text="echo a", delivery="ssh")).job)
    assert sent is not None
    assert (sent.path, sent.data) == ("/var/lib/foundry/flowc/body", b"#!/bin/bash\necho a")
    assert sent.every_node
    assert delivery(unit("echo a").job) is None
    assert delivery(unit("", run=Run(kind="argv", argv=("true",), delivery="ssh")).job) is None


def test_the_script_is_small_whatever_the_text(tmp_path: Path) -> None:
    found = build(job(tmp_path, b"#!/bin/bash\n" + bytes(range(128, 256)) * 2000), index=None)
    assert found.fits
    assert "await" in {part.name for part in parts(found)}
    assert sum(part.sent_bytes for part in parts(found)) == len(found.sent)


def test_an_interpreter_that_is_missing_is_installed_first(tmp_path: Path) -> None:
    packages = {name: package for name, package in INTERPRETER_PACKAGES.items() if not shutil.which(name)}
    assert packages, "nothing is missing here"
    program = next(iter(packages))
    machine = Machine(tmp_path)
    machine.program("apt-get", f"[[ $* != *install* ]] || cp /bin/cat {tmp_path}/bin/{program}")
    text = f"#!/usr/bin/env {program}\necho x\n"
    run_ = Run(text=text, interpreter=f"/usr/bin/env {program}", workdir=str(tmp_path))
    assert machine.run(unit(text, run=run_, io=Io(stdout="out"))) == 0
    assert (tmp_path / "out").read_text() == f"flowc: installs {packages[program]}\n{text}"
    assert machine.called("apt-get")[-1].endswith(f"install {packages[program]}")


def whole(folder: Path, **fields: object) -> Unit:
    found = job(folder, **fields)
    return found.replace(job=found.job.replace(run=found.job.run.replace(delivery="whole")))


def test_a_whole_script_that_never_comes_is_a_clear_failure(tmp_path: Path) -> None:
    built = build(whole(tmp_path), index=None)
    assert built.fits
    assert len(built.sent) < 2200
    install(built, tmp_path)
    runner = tmp_path / "run"
    runner.write_bytes(runner.read_bytes().replace(b"/var/log/foundry", bytes(tmp_path)))
    with (tmp_path / "prelude").open("a") as file:
        file.write("sleep() { :; }\n")
    assert run(tmp_path)[0] == 1
    assert (tmp_path / "job.log").read_text() == f"flowc: no {tmp_path}/whole after 30 minutes\n"
    found = status(tmp_path)
    assert (found["state"], found["starts"], found["exit_code"]) == ("FAILED", 0, 1)
    assert run(tmp_path) == (0, b""), "a job that has failed is not waited for again"


def test_a_whole_script_has_the_small_slurm_that_knows_everything() -> None:
    text = "#!/bin/bash\nsrun hostname\n"
    small = build(unit(text), index=None)
    large = build(unit(text, run=Run(text=text, interpreter="/bin/bash", delivery="whole")), index=None)
    assert large.whole is not None
    assert "--multi-prog" not in small.plain
    for word in (b"multi-prog", b"kill-on-bad-exit", b"def sacct", b"def scancel", b"def sinfo", b"def squeue"):
        assert word in large.whole, word
    (brought,) = re.findall(rb"^tee ([a-z ]+) <<'E' >/dev/null$", large.whole, re.M)
    assert b"squeue" in brought.split()


@pytest.mark.parametrize(
    ("user", "options", "owner"),
    [
        ("1000", (), "1000"),
        ("1000:2000", (), "1000:2000"),
        ("0:5", (), None),
        ("ubuntu", (), None),
        (None, (), None),
        (None, ("--user=7:8",), "7:8"),
        ("0", ("--user=root:7",), None),
        ("1000:staff", (), None),
        ("4294967296000", (), None),
    ],
)
def test_a_folder_belongs_to_the_user_of_its_container(
    user: str | None, options: tuple[str, ...], owner: str | None
) -> None:
    mount = Mount(source="./code", target="/workspace/code", kind="local", copy=True)
    isolation = Isolation(user=user, options=options)
    found = unit("", frontend="k8s", image="img:1", run=Run(kind="argv", argv=("true",)), isolation=isolation)
    shm = Mount(source="m", target="/dev/shm", kind="memory")
    found = found.replace(job=found.job.replace(mounts=(shm, mount)))
    assert [each.owner for each in trees(found.job, found.plan)] == [owner]
    bare = found.replace(job=found.job.replace(image=None))
    assert [each.owner for each in trees(bare.job, bare.plan)] == [None]


def test_a_folder_of_two_users_is_roots() -> None:
    mount = Mount(source="./code", target="/workspace/code", kind="local", copy=True)
    other = Container(name="other", role="sidecar", image="img:2", mounts=(mount,), isolation=Isolation(user="7"))
    found = unit("", frontend="k8s", image="img:1", run=Run(kind="argv", argv=("true",)), isolation=Isolation(user="8"))
    for mounts, owner in (((mount,), None), ((), "7")):
        job = found.job.replace(mounts=mounts, containers=(other,))
        assert [each.owner for each in trees(job, found.plan)] == [owner]


def waiting(machine: Machine, **fields: object) -> tuple[subprocess.Popen[bytes], Path, Path]:
    """A job that waits for a folder: its process, what says that it waits, and what says that the folder is there."""
    mount = Mount(source="./code", target=f"{machine.folder}/code", kind="local", copy=True)
    found = unit("#!/bin/bash\ncat code/a\n", mounts=(mount,), io=Io(stdout="out"), **fields)  # type: ignore[arg-type]
    run_ = found.job.run.replace(workdir=str(machine.folder))
    found = found.replace(job=found.job.replace(run=run_))
    (marker,) = (Path(tree.marker).name for tree in trees(found.job, found.plan))
    process = machine.start(found)
    ready = machine.folder / "run" / "flowc.trees"
    until(lambda: ready.exists() and "waits for" in (machine.folder / "out").read_text(), "its word")
    return process, ready, machine.folder / marker


def test_the_job_starts_once_its_folder_is_there(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    process, ready, marker = waiting(machine)
    assert (tmp_path / "out").read_text() == f"flowc: waits for the files of {tmp_path}/code\n"
    # It has not waited long enough, and something comes from time to time.
    os.utime(ready, times=(time.time() - 1700,) * 2)
    time.sleep(0.5)
    assert process.poll() is None
    assert str(tmp_path / "out").encode() in ready.read_bytes().split(b"\0"), "what is the job's own is left alone"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a").write_text("brought\n")
    marker.write_bytes(b"")
    process.communicate(timeout=600)
    assert process.returncode == 0
    assert (tmp_path / "out").read_text().splitlines()[1:] == ["brought"]
    assert not ready.exists()


@pytest.mark.parametrize("retry", [Retry(), Retry(max_restarts=2)])
def test_a_folder_that_never_comes_is_a_clear_failure(tmp_path: Path, retry: Retry) -> None:
    machine = Machine(tmp_path)
    process, ready, _ = waiting(machine, retry=retry)
    os.utime(ready, times=(time.time() - 1801,) * 2)
    process.communicate(timeout=600)
    assert process.returncode == 1
    told = (tmp_path / "out").read_text().splitlines()
    assert told[1:] == [f"flowc: no files for {tmp_path}/code: nothing came for 30 minutes"]
    found = status(tmp_path)
    assert (found["state"], found["exit_code"]) == ("FAILED", 1)


@pytest.mark.parametrize(
    ("user", "asked", "opened"),
    [
        (None, "", False),
        (None, "root", False),
        (None, "0:0", False),
        (None, "1000", True),
        (None, "mambauser", True),
        ("ubuntu", "never asked", True),
        ("root:7", "never asked", False),
        ("1000", "never asked", False),  # it is the owner
    ],
)
def test_the_user_of_an_image_may_write_to_what_is_brought(
    user: str | None, asked: str, opened: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    mounts = (
        Mount(source="./code", target="/workspace/code", kind="local", copy=True),
        Mount(source="./data", target="/data", kind="local", copy=True, read_only=True),
    )
    found = unit(
        "", frontend="k8s", image="img:1", run=Run(kind="argv", argv=("true",)), isolation=Isolation(user=user)
    )
    found = found.replace(job=found.job.replace(mounts=mounts))
    places = [each.path for each in trees(found.job, found.plan)]
    text = build(found, index=None).plain
    block = "".join(re.findall(r"^ *case [^\n]*\.Config\.User.*?esac$|^ *chmod -R [^\n]*$", text, re.M | re.S))
    assert places[1] not in block
    docker = f"docker() {{ printf %s {shlex.quote(asked)}; }}\n"
    subprocess.run(["bash", "-euc", docker + block.replace(places[0], str(folder))], check=True)
    assert (folder.stat().st_mode & 0o007 == 0o007) is opened
