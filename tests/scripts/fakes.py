"""A machine made of programs that only tell what they were asked: the emitted runner runs with them on its PATH."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from flowc.ir.unit import Unit
from flowc.scripts import build

# Each call is a line of words in the file `calls`, quoted as bash would read them back.
TELL = """\
#!/bin/bash
# In one write: several may call at once.
echo "${{0##*/}}$([ $# = 0 ] || printf ' %q' "$@")" >>{folder}/calls
{then}
"""
# What the runner may call that changes a machine, and what it is to answer.
PROGRAMS = {
    "docker": """\
case "$1 $2" in
image\\ inspect) [ -e {folder}/images ] && grep -qxF "${{!#}}" {folder}/images ;;
ps\\ *) ;;
events\\ *) echo start ;;
commit\\ *) echo "${{!#}}" >>{folder}/images ;;
run\\ *)
    printf '%s\\0' docker "$@" >{folder}/words
    . {folder}/run.docker
    ;;
esac""",
    "apt-get": "",
    "mount": "",
    "mountpoint": '[ -e {folder}/mounted ] && grep -qxF "$2" {folder}/mounted',
    "mkfs.ext4": "",
    "blkid": "exit 2",
    "wipefs": 'cat "{folder}/wipefs"',
    "lsblk": 'for word in "${{@:3}}"; do echo "  $(<"$word") $word"; done',
    "cmp": "exit $(<{folder}/cmp)",
    "git": '[ $1 != clone ] || command -p mkdir -p -- "${{!#}}"',
    "rclone": "",
    "s3fs": "",
    "gcsfuse": "",
    "curl": "",
    "systemctl": "",
    "sysctl": "",
    "shutdown": "",
    "nvidia-container-runtime-hook": "",
    "mount.nfs": "",
    "hostname": "echo 10.0.0.7 172.17.0.1",
    "nproc": "echo 16",
}


class Machine:
    """A folder that stands for the machine: `/run/flowc`, `/mnt`, `/dev`, `/root` and the log lie below it."""

    def __init__(self, folder: Path, *, without: tuple[str, ...] = ()) -> None:
        self.folder = folder
        for name in ("bin", "run/flowc", "mnt", "dev/disk/by-id", "root", "log", "etc"):
            (folder / name).mkdir(parents=True)
        for name, then in PROGRAMS.items():
            if name not in without:
                self.program(name, then.format(folder=folder))
        for name, text in {"wipefs": "", "cmp": "0", "run.docker": ":", "calls": "", "status.json": ""}.items():
            (folder / name).write_text(text)

    def program(self, name: str, then: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(TELL.format(folder=self.folder, then=then))
        path.chmod(0o755)

    def moved(self, text: bytes) -> bytes:
        """The script with the machine's folders put below ours."""
        here = str(self.folder).encode()
        for path in (b"/run/flowc", b"/mnt/", b"/dev/disk", b"/dev/vd", b"/dev/xvd", b"/root", b"/etc/", b"/workspace"):
            text = text.replace(path, here + path)
        return text.replace(b"/var/log/foundry", here + b"/log").replace(here + b"/etc/os-release", b"/etc/os-release")

    def install(self, job: Unit, *, index: int | None = None) -> None:
        (self.folder / "run.sh").write_bytes(self.moved(build(job, index=index).payload))
        (self.folder / "prelude").write_text("sleep() { command sleep 0.05; }\nln() { :; }\n")

    def start(self, job: Unit | None = None, *, words: tuple[str, ...] = ("job",)) -> subprocess.Popen[bytes]:
        if job is not None:
            self.install(job)
        environment = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "BASH_ENV": f"{self.folder}/prelude",
            "HOSTNAME": "vm",
        }
        return subprocess.Popen(
            ["/bin/bash", f"{self.folder}/run.sh", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )

    def run(self, job: Unit | None = None) -> int:
        """Exit status of the runner, once it and all that it started have ended."""
        process = self.start(job)
        try:
            process.communicate(timeout=600)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode

    @property
    def calls(self) -> list[str]:
        """The calls in order, with our folder taken out of their words."""
        return (self.folder / "calls").read_text().replace(str(self.folder), "").splitlines()

    def called(self, *beginnings: str) -> list[str]:
        return [call for call in self.calls if call.startswith(beginnings)]

    @property
    def output(self) -> str:
        return (self.folder / "log/job.log").read_text().replace(str(self.folder), "")

    def status(self) -> str:
        return (self.folder / "status.json").read_text()
