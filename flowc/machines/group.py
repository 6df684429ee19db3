"""A machine without namespaces: a group of processes with paths of its own, for kernels that refuse the rest.

What a startup script has of the machine as a whole is moved below the machine's disk: its text is unpacked and its
paths are put there, those in the job's own text too. Nothing else of it is changed, but for what the machines of a
task know each other by: that would be this text, which is no longer the same on all.
"""

from __future__ import annotations

import os
import re

from flowc.digest import sha256_hex
from flowc.machines import linux
from flowc.machines.init import Init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.machines.spec import Spec

SHARED = (
    "the kernel gives no namespaces of its own to this user: the job sees this computer's files and processes",
    "paths of the machine (/workspace, /root, /mnt, /var/lib/foundry and the like) lead below its disk, also in the "
    "job's own text",
    "the network is this computer's: a port that the job takes is taken here",
)
# Folders and files of a machine that a startup script, or a job, writes to.
_OURS = (
    "var/lib/foundry",
    "var/log/foundry",
    "var/lib/cloud",
    "etc/systemd/system",
    "etc/hosts",
    "opt/mithril",
    "run/flowc",
    "run/init",
    "usr/local/sbin",
    "workspace",
    "mnt",
    "root",
    "data",
)
_PATH = re.compile(r"(?<![\w.$}/*-])/(?=(?:" + "|".join(_OURS) + r")(?![\w-]))")
_SHARED_KEY = re.compile(r'(?<=hmac\.digest\()open\(\w+, ?"rb"\)\.read\(\)')
_HEREDOC = re.compile(r"head -c ([0-9]+) (>[^\n]*<<'([^']+)'[^\n]*\n)(.*?)\n\3\n", re.S)


def run(spec: Spec, orders: int, events: int) -> None:
    """In a child process. Does not return."""
    import json

    if os.geteuid() == 0:
        why = "the kernel gives no namespaces, and without them a job of root could change this computer"
        os.write(events, json.dumps({"is": "cannot", "why": why}).encode() + b"\n")
        os._exit(1)
    base = f"{spec.disk}/root"
    for name in ("run/flowc", "tmp", "root", "workspace", "mnt"):
        os.makedirs(f"{base}/{name}", exist_ok=True)
    for share in spec.shares:
        place = base + share.place
        if share.disk is None and not os.path.islink(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(share.source, place)
    linux.adopt_orphans()
    linux.be_called("flowc-init")
    init = Init(
        spec,
        orders=orders,
        events=events,
        base=base,
        kill_all=_kill_below,
        rewrite=lambda script: moved(script, base, spec.name),
    )
    init.tell(**{"is": "up", "kind": "group", "shared": list(SHARED)})
    init.run()


def moved(script: str, base: str, name: str) -> str:
    """A startup script with the machine's paths below `base`, for a machine called `name`."""
    plain = unpacked(script)
    if plain is None:
        return _moved(script, base, name)
    text = _SHARED_KEY.sub(f'b"{sha256_hex(script.encode())}"', _moved(plain, base, name))
    folder = f"{base}/var/lib/foundry/flowc"
    head = f"#!/bin/bash\nmkdir -p {_quoted(folder)} && cd {_quoted(folder)} && cat >run <<'FLOWC-RUN'\n"
    return f"{head}{text}\nFLOWC-RUN\nexec bash {_quoted(folder)}/run\n"


def unpacked(script: str) -> str | None:
    """The text that a packed startup script unpacks, None where it is no such script."""
    import subprocess
    import tempfile

    lines = script.split("\n")
    if len(lines) < 3 or lines[1] != "d=/var/lib/foundry/flowc":
        return None
    with tempfile.TemporaryDirectory() as folder:
        # It is let unpack itself, elsewhere, and not go on.
        text = script.replace("/var/lib/foundry/flowc", folder).replace("exec bash $d/run", ":")
        done = subprocess.run(["bash"], input=text.encode(), check=False, capture_output=True, cwd=folder)
        try:
            with open(f"{folder}/run", encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read() if done.returncode == 0 else None
        except OSError:
            return None


def _moved(text: str, base: str, name: str) -> str:
    def moved(part: str) -> str:
        return _PATH.sub(lambda _: base + "/", part).replace("socket.gethostname()", repr(name))

    found = []
    end = 0
    for match in _HEREDOC.finditer(text):
        # Such a text is counted, since a here-document cannot do without the end of its last line.
        body = moved(match[4])
        size = int(match[1]) + len(body.encode("utf-8", "surrogateescape"))
        size -= len(match[4].encode("utf-8", "surrogateescape"))
        found += [moved(text[end : match.start()]), f"head -c {size} {match[2]}{body}\n{match[3]}\n"]
        end = match.end()
    return "".join([*found, moved(text[end:])])


def _kill_below(number: int) -> None:
    """All processes below this one: orphans come to it, so none gets away."""
    own = os.getpid()
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parents[int(entry)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    for process in parents:
        ancestor = process
        while ancestor > 1 and ancestor != own:
            ancestor = parents.get(ancestor, 0)
        if ancestor == own and process != own:
            try:
                os.kill(process, number)
            except OSError:
                continue


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"
