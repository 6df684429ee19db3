"""What is there before a job starts: volumes, mounts, files, secrets, setup, the formats' variables."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fakes import Machine
from jobs import PLAN, unit

from flowc.ir.job import File, Mount, Retry, Run, Time, Volume
from flowc.ir.unit import Unit
from tests.some import some
from tests.trees.repositories import Quiet, Smart, git, push, repository, serving

DATA = Volume(name="data", mount_path="/mnt/data")


def task(text: str = "echo ran\n", *, frontend: str = "task-yaml", **fields: Any) -> Unit:
    return unit("", frontend=frontend, run=Run(kind="shell", text=text), **fields)


def disk(machine: Machine, name: str) -> None:
    (machine.folder / f"dev/disk/by-id/virtio-{name}").touch()


def test_a_blank_disk_is_formatted_and_mounted(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    disk(machine, "vol_1")
    assert machine.run(task(volumes=(DATA,))) == 0
    device = "/dev/disk/by-id/virtio-vol_1"
    assert machine.called("mkfs", "mount ") == [
        f"mkfs.ext4 -qFL data {device}",
        f"mount -o rw {device} /mnt/data",
    ]
    assert machine.output == "ran\n"


@pytest.mark.parametrize(("found", "zeros"), [("gpt\n", "0"), ("gpt\n", "1"), ("", "1"), (None, "0")])
def test_a_disk_with_anything_on_it_is_never_formatted(tmp_path: Path, found: str | None, zeros: str) -> None:
    """Nor one of which that cannot be told."""
    machine = Machine(tmp_path)
    disk(machine, "vol_1")
    (tmp_path / "wipefs").unlink()
    if found is not None:
        (tmp_path / "wipefs").write_text(found)
    (tmp_path / "cmp").write_text(zeros)
    machine.program("mount", "exit 32")
    assert machine.run(task(volumes=(DATA,))) == 1
    assert machine.called("mkfs") == []
    assert machine.output.endswith("flowc: volume data: cannot mount /dev/disk/by-id/virtio-vol_1\n")


def test_a_disk_that_does_not_come_is_a_clear_failure(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.run(task(volumes=(DATA,), retry=Retry(max_restarts=3))) == 1
    assert machine.output == "flowc: 0 of 1 block volumes after 60 seconds\n"
    assert '"state":"FAILED"' in machine.status()


def test_a_known_id_finds_its_own_disk(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    for name in ("vol_A", "vol_0123456789abcdef"):
        disk(machine, name)
    volume = Volume(volume_id="vol_0123456789abcdefghij", mount_path="/mnt/x", read_only=True)
    machine.run(task(volumes=(volume,)))
    assert machine.called("mount ") == ["mount -o ro /dev/disk/by-id/virtio-vol_0123456789abcdef /mnt/x"]


@pytest.mark.parametrize(
    "disks", some([("vdd",), ("xvdd",), ("vdd", "vde"), ("vdd", "disk/by-id/virtio-vol_other")], ("vdd",))
)
def test_without_any_links_the_one_disk_is_the_volume(tmp_path: Path, disks: tuple[str, ...]) -> None:
    machine = Machine(tmp_path)
    for name in disks:
        (tmp_path / "dev" / name).touch()
    volume = Volume(volume_id="vol_1", mount_path="/mnt/x")
    assert machine.run(task(volumes=(volume,))) == len(disks) - 1
    assert machine.called("mount ") == [f"mount -o rw /dev/{name} /mnt/x" for name in disks if len(disks) == 1]
    if len(disks) > 1:
        assert machine.output == "flowc: volume vol_1: no /dev/disk/by-id/virtio-vol_1 after 60 seconds\n"


def test_a_label_finds_a_disk_again_before_others_are_given_out(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    disk(machine, "vol_1")
    disk(machine, "vol_2")
    machine.program("blkid", f'[ "$2" = LABEL=second ] && echo {tmp_path}/dev/disk/by-id/virtio-vol_1')
    machine.program("mount", f'echo "${{!#}}" >>{tmp_path}/mounted; echo "$3 x" >>{tmp_path}/proc-mounts')
    (tmp_path / "proc-mounts").touch()
    job = task(volumes=(Volume(name="first", mount_path="/mnt/1"), Volume(name="second", mount_path="/mnt/2")))
    machine.install(job)
    text = (tmp_path / "run.sh").read_text().replace("/proc/mounts", f"{tmp_path}/proc-mounts")
    (tmp_path / "run.sh").write_text(text)
    assert machine.run() == 0
    assert machine.called("mount ") == [
        "mount -o rw /dev/disk/by-id/virtio-vol_1 /mnt/2",
        "mount -o rw /dev/disk/by-id/virtio-vol_2 /mnt/1",
    ]


def test_new_disks_are_told_from_each_other_by_their_sizes(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    for name, size in {"vol_1": 3 * 10**11, "vol_2": 5 * 10**9, "vol_3": 10**11}.items():
        (tmp_path / f"dev/disk/by-id/virtio-{name}").write_text(str(size))
    machine.program("mount", f'echo "$3 x" >>{tmp_path}/proc-mounts')
    (tmp_path / "proc-mounts").touch()
    sizes = {"a": 100 << 30, "b": 300 << 30, "c": 5 << 30}
    volumes = tuple(Volume(name=name, size_bytes=size, mount_path=f"/mnt/{name}") for name, size in sizes.items())
    machine.install(task(volumes=volumes))
    text = (tmp_path / "run.sh").read_text().replace("/proc/mounts", f"{tmp_path}/proc-mounts")
    (tmp_path / "run.sh").write_text(text)
    assert machine.run() == 0
    assert machine.called("mkfs") == [
        f"mkfs.ext4 -qFL {name} /dev/disk/by-id/virtio-vol_{number}" for name, number in (("a", 3), ("b", 1), ("c", 2))
    ]


def test_a_shared_volume_is_bound_where_the_job_wants_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "mounted").write_text(f"{tmp_path}/mnt/share\n")
    share = Volume(name="share", interface="file", mount_path="/mnt/elsewhere", read_only=True)
    by_id = Volume(volume_id="vol_1", interface="file", mount_path="/mnt/by-id")
    assert machine.run(task(volumes=(share, by_id))) == 0
    assert machine.called("mount ") == [
        "mount -t nfs4 -o rw -- fileshare-vol_1.mithril.internal:/ /mnt/by-id",
        "mount --bind /mnt/share /mnt/elsewhere",
        "mount -o remount\\,bind\\,ro /mnt/elsewhere",
    ]


def test_every_kind_of_mount(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "mounted").write_text(f"{tmp_path}/mnt/vol\n")
    mounts = (
        Mount(kind="scratch", source="s", target="/mnt/scratch"),
        Mount(kind="memory", source="m", target="/mnt/memory", size_bytes=4096),
        Mount(kind="memory", source="m", target="/dev/shm", size_bytes=8192),
        Mount(kind="host", source="/etc/x", target="/mnt/host", read_only=True),
        Mount(kind="volume", source="vol/sub", target="/mnt/sub"),
        Mount(kind="nfs", source="h:/p", target="/mnt/nfs", read_only=True, options=(("nolock", ""), ("vers", "4"))),
        Mount(kind="git", source="https://h/o/n.git#v1", target="~/src"),
        Mount(kind="local", source="./d", target="/mnt/local-files"),
    )
    (tmp_path / "done.7").touch()
    assert machine.run(task(mounts=mounts)) == 0
    assert machine.called("mount ", "git ") == [
        "mount -t tmpfs -o size=4096\\,mode=1777 flowc /mnt/memory",
        "mount -t nfs -o ro\\,nolock\\,vers=4 -- h:/p /mnt/nfs",
        "git clone -q -- https://h/o/n.git /root/src.new",
        "git -C /root/src.new checkout -q v1 --",
        "mount --bind /mnt/flowc/0 /mnt/scratch",
        "mount --bind /etc/x /mnt/host",
        "mount -o remount\\,bind\\,ro /mnt/host",
        "mount --bind /mnt/vol/sub /mnt/sub",
        "mount -o remount\\,size=8192 /dev/shm",
    ]
    assert (tmp_path / "root/src").is_dir()


@pytest.mark.parametrize(("kind", "filters", "left_out"), [(Smart, "true", 3), (Smart, "false", 0), (Quiet, "", 0)])
def test_of_a_repository_comes_one_commits_files_where_the_server_can_choose(
    tmp_path: Path, kind: type[Quiet], filters: str, left_out: int
) -> None:
    """A commit that no branch has any more comes too, where the server still has it."""
    machine = Machine(tmp_path)
    machine.program("git", f'exec {shutil.which("git")} "$@"')
    (tmp_path / "served").mkdir()
    (tmp_path / "workspace").mkdir(exist_ok=True)
    with serving(tmp_path / "served", kind) as served:
        code, bare = repository(tmp_path / "code", served), served[0] / "code.git"
        git(bare, "config", "uploadpack.allowFilter", filters or "false")
        wanted = first = git(code, "rev-parse", "HEAD")
        for number in range(3):
            (code / "sub" / "train.py").write_text(f"print({number})\n")
            git(code, "commit", "-qam", f"change {number}")
        push(code, bare)
        if kind is Smart:
            wanted = git(code, "commit-tree", "HEAD~1^{tree}", "-p", first, "-m", "of a branch that is away")
            git(code, "push", "-q", str(bare), f"{wanted}:refs/heads/side")
            git(bare, "update-ref", "-d", "refs/heads/side")
        source = f"{served[1]}/code.git#{wanted}"
        mount = Mount(kind="git", source=source, target="/workspace", copy=True, options=(("over", ""),))
        assert machine.run(task(mounts=(mount,))) == 0
    there = tmp_path / "workspace"
    assert (git(there, "status", "--porcelain"), git(there, "rev-parse", "HEAD")) == ("", wanted)
    assert (there / "sub/train.py").read_text() == ("print(1)\n" if kind is Smart else "print('committed')\n")
    assert git(there, "log", "--format=%s", "main").count("change") == 3
    missing = git(there, "rev-list", "--objects", "--all", "--missing=print", "HEAD")
    assert missing.count("\n?") == left_out


def test_buckets(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "run/flowc/secrets").write_text("AWS_ACCESS_KEY_ID=i\nAWS_SECRET_ACCESS_KEY=k\n")
    machine.program("s3fs", f'printf %s "$AWS_ACCESS_KEY_ID$AWS_SECRET_ACCESS_KEY$AWS_REGION" >{tmp_path}/seen')
    machine.program("rclone", f'printf %s "$RCLONE_S3_ENV_AUTH$RCLONE_S3_PROVIDER" >{tmp_path}/seen.too')
    mounts = (
        Mount(kind="bucket", source="s3://b/p/q", target="/mnt/s3", read_only=True),
        Mount(kind="bucket", source="gs://g", target="/mnt/gs"),
        Mount(kind="bucket", source="s3://b/file", target="/mnt/copy/file", copy=True),
    )
    job = task(
        mounts=mounts, env=(("AWS_REGION", "r"),), secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )  # fmt: skip
    assert machine.run(job) == 0
    assert machine.called("s3fs", "gcsfuse", "rclone") == [
        "s3fs -o allow_other\\,ro b:/p/q /mnt/s3",
        "gcsfuse --implicit-dirs -o allow_other --anonymous-access g /mnt/gs",
        "rclone copyto :s3:b/file /mnt/copy/file",
    ]
    assert (tmp_path / "seen").read_text() == "ikr"
    assert (tmp_path / "seen.too").read_text() == "trueAWS"
    (tmp_path / "status.json").write_text("")
    machine.run()
    assert len(machine.called("rclone")) == 1, "what was copied once stays"


def test_an_s3_like_service_and_a_public_bucket(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    job = task(
        mounts=(Mount(kind="bucket", source="r2://b", target="/mnt/r2"),), env=(("AWS_ENDPOINT_URL", "https://e"),)
    )
    machine.run(job)
    assert machine.called("s3fs") == [
        "s3fs -o allow_other\\,url=https://e\\,use_path_request_style\\,public_bucket=1 b /mnt/r2"
    ]


def test_an_empty_variable_is_no_login(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    mounts = (Mount(kind="bucket", source="s3://b", target="/mnt/s3"),)
    machine.run(task(mounts=mounts, env=(("AWS_ACCESS_KEY_ID", ""),)))
    assert machine.called("s3fs") == ["s3fs -o allow_other\\,public_bucket=1 b /mnt/s3"]


def test_what_is_missing_is_installed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, without=("gcsfuse", "s3fs"))
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    mounts = (
        Mount(kind="bucket", source="s3://b", target="/mnt/s3"),
        Mount(kind="bucket", source="gs://g", target="/mnt/gs"),
    )
    machine.run(task(mounts=mounts))
    assert [call.split()[-1] for call in machine.called("apt-get") if "install" in call] == ["s3fs", "gcsfuse"]
    listed = (tmp_path / "etc/apt/sources.list.d/gcsfuse.list").read_text()
    assert "https://packages.cloud.google.com/apt gcsfuse-" in listed


def test_scratch_lies_on_the_machines_own_disk(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "mounted").write_text(f"{tmp_path}/mnt/local\n")
    machine.install(task(mounts=(Mount(kind="scratch", source="s", target="/mnt/s"),)))
    (tmp_path / "prelude").write_text("sleep() { :; }\n")
    machine.run()
    assert (tmp_path / "mnt/local/flowc/0").is_dir()


def test_files_and_secrets(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    files = (
        File(path="/etc/deep/a", text="it's\n$(x)"),
        File(path="~/key", secret="KEY", mode=0o600),
    )
    job = task('printf %s "$TOKEN|$KEY|$A"\n', files=files, secrets=("TOKEN",), env=(("A", "1"),))
    process = machine.start(job)
    wait_for_text(tmp_path / "log/job.log", "waits for secrets")
    (tmp_path / "secrets.new").write_text("TOKEN='a\n'\\''b'\nKEY='line\n'\n")
    (tmp_path / "secrets.new").rename(tmp_path / "run/flowc/secrets")
    process.communicate(timeout=600)
    assert machine.output == "flowc: waits for secrets in /run/flowc/secrets: TOKEN KEY\na\n'b||1"
    assert (tmp_path / "etc/deep/a").read_text() == "it's\n$(x)"
    assert (tmp_path / "etc/deep/a").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "root/key").read_text() == "line\n"
    assert (tmp_path / "root/key").stat().st_mode & 0o777 == 0o600


def test_secrets_that_do_not_come_fail_the_job(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.install(task(secrets=("TOKEN", "HF"), retry=Retry(max_restarts=3)))
    (tmp_path / "prelude").write_text("sleep() { :; }\n")
    (tmp_path / "run/flowc/secrets").write_text("HF=1\n")
    assert machine.run() == 1
    assert machine.output.splitlines()[-1] == "flowc: no secrets after 30 minutes: TOKEN"


def wait_for_text(path: Path, text: str) -> None:
    for _ in range(1200):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} never had {text!r}")


def test_setup_runs_once_with_the_jobs_environment(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    job = task(
        'echo "run $A"; [ -e again ] || { : >again; exit 9; }\n',
        setup='echo "setup $A in $PWD"\n',
        env=(("A", "x"),),
        retry=Retry(max_restarts=1, delay_ms=0),
    )
    assert machine.run(job) == 0
    said = [line for line in machine.output.splitlines() if not line.startswith("flowc")]
    assert said == ["setup x in /workspace", "run x", "run x"]


def test_a_failed_setup_fails_the_job(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.run(task(setup="exit 3\n", retry=Retry(max_restarts=3, delay_ms=0))) == 1
    assert machine.output == "flowc: setup failed with status 3\n"
    assert '"state":"FAILED"' in machine.status()


def test_an_attempt_has_a_limit_of_its_own(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    job = task(
        f"echo on\n[ -e {tmp_path}/again ] && exit 0\n: >{tmp_path}/again\ncommand sleep 300\n",
        time=Time(attempt_limit_s=1),
        retry=Retry(max_restarts=1, delay_ms=0),
    )
    assert machine.run(job) == 0
    assert machine.output == "on\nflowc: exit status 124; starts again after 0 seconds\non\n"


def test_the_time_limit_reaches_what_prepares_the_job(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    job = task(setup="command sleep 300\n", time=Time(limit_s=1), retry=Retry(max_restarts=3))
    assert machine.run(job) == 143
    assert '"state":"TIMEOUT"' in machine.status()


def test_the_machine_shuts_down_after_the_job(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.run(task("exit 3\n", terminate_on_exit=True)) == 3
    assert machine.called("shutdown") == ["shutdown -P +1"]


@pytest.mark.parametrize(
    ("frontend", "text", "said"),
    [
        ("task-yaml", "$NUM_NODES $NODE_RANK $MASTER_ADDR $MASTER_PORT $GPU_COUNT", "1 0 10.0.0.7 29500 8"),
        ("command-line", "$FLOW_TASK_NAME $HEAD_NODE_IP", "train 10.0.0.7"),
        ("skypilot", "$SKYPILOT_NODE_RANK $SKYPILOT_NODE_IPS $SKYPILOT_NUM_GPUS_PER_NODE", "0 10.0.0.7 8"),
        ("skypilot", "$PYTHONUNBUFFERED ${SKYPILOT_CLUSTER_INFO:0:25}", '1 {"cluster_name": "train",'),
        ("k8s", "[$NUM_NODES$SKYPILOT_NODE_RANK]", "[]"),
    ],
)
def test_variables_of_the_formats(tmp_path: Path, frontend: str, text: str, said: str) -> None:
    machine = Machine(tmp_path)
    machine.run(task(f'echo "{text}"\n', frontend=frontend))
    assert machine.output == said + "\n"


@pytest.mark.parametrize(
    ("brought", "nodes", "said"),
    [("", 1, ""), ("# git clone\n", 1, "0 1 8"), ("", 3, "1 3 8")],
)
def test_programs_that_come_with_a_job_find_the_variables_of_skypilot(
    tmp_path: Path, brought: str, nodes: int, said: str
) -> None:
    names = ("NODE_RANK", "NUM_NODES", "NUM_GPUS_PER_NODE")
    text = "".join(f"env | sed -n s/^SKY''PILOT_{name}=//p\n" for name in names)
    machine = Machine(tmp_path)
    machine.install(task(text + brought, frontend="skypilot", plan=PLAN.replace(nodes=nodes)))
    (tmp_path / "etc/hosts").write_text("127.0.0.1 localhost\n10.0.0.1 a.x\n10.0.0.2 b.x\n10.0.0.3 c.x\n")
    (tmp_path / "prelude").write_text("HOSTNAME=b\nsleep() { :; }\nln() { :; }\n")
    machine.run()
    assert machine.output.split() == said.split()


@pytest.mark.parametrize(("host", "rank"), [("a", 2), ("b", 1), ("c", 0)])
def test_each_of_several_nodes_runs_the_job_and_knows_its_rank(tmp_path: Path, host: str, rank: int) -> None:
    machine = Machine(tmp_path)
    text = 'echo "$NODE_RANK $NUM_NODES $MASTER_ADDR $SKYPILOT_NODE_IPS"\n'
    machine.install(task(text, plan=PLAN.replace(nodes=3), env_facts=(("IP", "private_ip"), ("R", "rank"))))
    (tmp_path / "etc/hosts").write_text("127.0.0.1 localhost\n10.0.0.1 a.x\n10.0.0.2 b.x\n10.0.0.3 c.x\n")
    (tmp_path / "prelude").write_text(f"HOSTNAME={host}\nsleep() {{ :; }}\nln() {{ :; }}\n")
    machine.run()
    assert machine.output == f"{rank} 3 10.0.0.3 \n"


def test_what_the_user_sets_wins_over_the_formats_variables(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(task("echo $NODE_RANK $MASTER_PORT\n", env=(("NODE_RANK", "7"), ("MASTER_PORT", "1"))))
    assert machine.output == "7 1\n"
