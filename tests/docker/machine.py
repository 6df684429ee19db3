"""A machine with real systemd and a real docker of Debian's, in a container of systemd-nspawn: root, no network.

Its root file system is made once and kept (DOCKER_MACHINE_CACHE); what a test does lies in an overlay of its own and is
gone after it. Docker's and containerd's own folders must not lie on an overlay, so they are bound in.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

# What the builder and the machine need on the host, by the program that tells.
PROGRAMS = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "procps", "iproute2", "util-linux", "kmod", "netbase"),
    *("python3", "ca-certificates", "curl", "iptables"),
    *("docker.io", "docker-registry", "tini", "busybox-static"),
)
LEFT_OUT = ("doc", "man", "locale")
ROOT = Path(__file__).resolve().parents[2]
# Where the machine sees flowc itself.
SOURCE = "/opt/flowc-source"
BOOT_S, COMMAND_S = 60, 120
# Makes dockerd take `--gpus`: it looks for the program, and runc calls it before each container.
GPU_HOOK = "/usr/bin/nvidia-container-runtime-hook"
# A host that holds a capability back has none to give to `--privileged`: its containers get what there is, and no limit
# that is higher than the machine's.
RUNC = """\
#!/usr/bin/python3
import json, os, resource, sys
names = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE"
    " NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN"
    " SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE"
    " MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
bound = int(next(line for line in open("/proc/self/status") if line.startswith("CapBnd")).split()[1], 16)
lacking = {"CAP_" + name for number, name in enumerate(names) if not bound >> number & 1}
if "--bundle" in sys.argv and lacking:
    path = os.path.join(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    with open(path) as file:
        config = json.load(file)
    sets = config["process"].get("capabilities") or {}
    for kind, held in sets.items():
        sets[kind] = [name for name in held if name not in lacking]
    if "CAP_SYS_RESOURCE" in lacking:
        for limit in config["process"].get("rlimits") or []:
            hard = resource.getrlimit(getattr(resource, limit["type"]))[1]
            limit["soft"], limit["hard"] = (min(limit[kind], hard) for kind in ("soft", "hard"))
    with open(path, "w") as file:
        json.dump(config, file)
os.execv("/usr/sbin/runc.real", ["runc", *sys.argv[1:]])
"""
# An image of busybox, without a registry: made by a folder that is piped to `docker import`. What stands
# for bash in it is its own shell.
BUSYBOX = """\
set -e
mkdir -p /opt/image/bin /opt/image/tmp /opt/image/etc
cp /bin/busybox /opt/image/bin/
for name in $(/bin/busybox --list); do [ "$name" = busybox ] || ln -sf busybox "/opt/image/bin/$name"; done
printf '#!/bin/sh\\nexec sh "$@"\\n' >/opt/image/bin/bash
chmod 755 /opt/image/bin/bash
printf 'root:x:0:0::/:/bin/sh\\nuser:x:1000:1000::/:/bin/sh\\n' >/opt/image/etc/passwd
printf 'root:x:0:\\nuser:x:1000:\\n' >/opt/image/etc/group
chmod 1777 /opt/image/tmp
tar -C /opt/image -c . | docker import --change 'ENV PATH=/bin' --change 'CMD ["sh"]' - busybox:test
"""


def missing() -> list[str]:
    """Debian packages that the host lacks for such a machine."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [package for name, package in PROGRAMS.items() if shutil.which(name, path=path) is None]


def root_folder() -> Path:
    """The root file system, made at the first call: minutes and 500 MB."""
    cache = Path(os.environ.get("DOCKER_MACHINE_CACHE", "/tmp/flowc-docker-machine"))
    cache.mkdir(parents=True, exist_ok=True)
    stamp = hashlib.sha256(repr((PACKAGES, LEFT_OUT, 1)).encode()).hexdigest()
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / "stamp").exists() or (cache / "stamp").read_text() != stamp:
            shutil.rmtree(cache / "root", ignore_errors=True)
            options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
            words = ["--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}", *options]
            words += ["--dpkgopt=force-unsafe-io", "bookworm", str(cache / "root")]
            subprocess.run(["mmdebstrap", *words], check=True)
            (cache / "stamp").write_text(stamp)
    return cache / "root"


class Machine:
    """Boots in `folder`; `run` and `read` act inside it. Not for two threads at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("upper", "work", "root", "docker", "containerd"):
            (folder / name).mkdir(parents=True)
        lower = f"lowerdir={root_folder()},upperdir={folder}/upper,workdir={folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", lower, str(folder / "root")], check=True)
        self.write(GPU_HOOK, "#!/bin/sh\nexit 0\n", mode=0o755)
        self.write("/etc/hostname", "vm\n")
        self.write("/usr/sbin/runc.real", (folder / "root/usr/sbin/runc").read_bytes(), mode=0o755)
        self.write("/usr/sbin/runc", RUNC, mode=0o755)
        self.nspawn: subprocess.Popen[bytes] | None = None
        self.leader = 0

    def write(self, path: str, text: str | bytes, *, mode: int = 0o644) -> None:
        """A file of the machine, running or not."""
        target = self.folder / "root" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
        target.chmod(mode)

    def read(self, path: str) -> str:
        """What a file of the machine holds, "" where there is none."""
        done = self.run(f"cat {path} 2>/dev/null || true")
        return done.stdout

    def boot(self) -> None:
        """Starts it and waits until docker answers. Raises TimeoutError."""
        environment = {
            **os.environ,
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
        }
        words = ["--quiet", "--register=no", "--keep-unit", "--private-network", "--capability=all", "--console=pipe"]
        words += ["--system-call-filter=add_key keyctl bpf", f"--machine=docker{os.getpid()}"]
        words += [f"--bind-ro={ROOT}:{SOURCE}"]
        words += [f"--bind={self.folder}/{name}:/var/lib/{name}" for name in ("docker", "containerd")]
        console = os.open(self.folder / "console", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", *words, f"--directory={self.folder}/root", "--boot"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        os.close(console)
        until = time.monotonic() + BOOT_S
        while time.monotonic() < until:
            time.sleep(0.3)
            children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
            if not children:
                continue
            self.leader = int(children[0])
            if self.run("docker version >/dev/null 2>&1").returncode == 0:
                return
        raise TimeoutError((self.folder / "console").read_text()[-2000:])

    def run(
        self, script: str, *, input: str | None = None, timeout: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        """A text for the machine's shell."""
        return subprocess.run(
            ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", "/bin/bash", "-c", script],
            input=input,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            env={
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LANG": "C.UTF-8",
            },
        )

    def shut_down(self) -> None:
        """As `poweroff`: systemd stops its units first."""
        assert self.nspawn is not None
        os.kill(self.leader, signal.SIGRTMIN + 4)
        self.nspawn.wait(COMMAND_S)

    def cut_power(self) -> None:
        """Everything in it is gone at once."""
        assert self.nspawn is not None
        os.kill(self.leader, signal.SIGKILL)
        self.nspawn.wait(COMMAND_S)

    def remove(self) -> None:
        if self.nspawn is not None and self.nspawn.poll() is None:
            self.cut_power()
        subprocess.run(["umount", "-l", str(self.folder / "root")], check=False)
