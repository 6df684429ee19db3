"""The same bodies under flowc: what it would send, run on as many local machines as it would rent.

Every task of an array gets machines of its own, as it gets a bid of its own. The machines are namespaces (machines.py)
named n1, n2, ... listed in /etc/hosts as the provider lists them, the head last. systemd is played by a small program
that runs a unit's ExecStart. Programs of a local Slurm are taken away first. Needs root; nothing here is changed.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path

from flowc import driver
from flowc.source import Source
from tests.corpus import told
from tests.same_as_slurm.body import Body
from tests.same_as_slurm.machines import NETWORK, PATH, Machine, Machines
from tests.same_as_slurm.outcome import Outcome, files_below

# The one machine for rent is as large as a node of the real cluster.
CATALOG = """\
{"as_of": "2026-09-20", "regions": ["us-central1-a"], "instance_types": [{
    "name": "h100-80gb.sxm.8x", "family": "h100", "gpus": 8, "gpu_memory_gb": 80, "form": "sxm",
    "cpus": 16, "memory_gb": 64, "disk_gb": 100, "former_fids": [],
    "offers": [{"region": "us-central1-a", "fid": "it_testtesttesttest", "minimum_usd": "1.00", "market_usd": "1.00",
        "offered": true}]
}]}
"""
STATUS = "var/lib/foundry/flowc/status.json"
ENDED = {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL"}
SLURM_PROGRAMS = (
    "sacct salloc sattach sbatch sbcast scancel scontrol scrontab sdiag sinfo sprio squeue sreport srun sshare sstat"
)
# As systemd starts a unit: a clean environment, SIGPIPE as usual, a session of its own.
SYSTEMCTL = f"""#!/bin/bash
verb= now= units=()
for word; do
    case $word in
        --now) now=1 ;;
        -*) ;;
        *) if [ -z "$verb" ]; then verb=$word; else units+=("${{word%.service}}"); fi ;;
    esac
done
start() {{
    instance=${{1#*@}}
    file=/etc/systemd/system/${{1/@*/@}}.service
    command=$(sed -n 's/^ExecStart=//p' "$file") || exit 5
    env -i PATH={PATH} LANG=C.UTF-8 setsid -f bash -c "trap - PIPE; exec ${{command//%i/$instance}}" \\
        </dev/null >>"/var/log/unit-$1.log" 2>&1
}}
case $verb in
    enable) [ -z "$now" ] || for unit in "${{units[@]}}"; do start "$unit"; done ;;
    start | restart) for unit in "${{units[@]}}"; do start "$unit"; done ;;
esac
"""
# A job that has not ended by then, in seconds, hangs.
HANGS = 120
HANGS_AFTER_WAIT = 240


class Bid:
    """What one request asks for: machines, and the script that each of them runs."""

    def __init__(self, nodes: int, script: str) -> None:
        self.nodes, self.script = nodes, script


def compile_body(body: Body, release: str | None = None) -> tuple[list[Bid], str]:
    """The bids (none: refused) and the messages, under a release of Slurm."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as catalog:
        catalog.write(CATALOG)
        catalog.flush()
        words = ("--", *body.options, *body.args) if body.options or body.args else ()
        chosen = ("--slurm-version", release) if release else ()
        inputs = told(("--catalog", catalog.name, *chosen, *words))
        result = driver.compile(Source.from_bytes(body.path.name, body.script), inputs)
    said = "\n".join(each.message for each in result.diagnostics)
    texts = {artifact.name: artifact.text for artifact in result.artifacts}
    requests = [each["body"] for each in json.loads(texts.get("request.json", '{"requests": []}'))["requests"]]
    return [
        Bid(each["instance_quantity"], each["launch_specification"]["startup_script"])
        for each in requests
        if "launch_specification" in each
    ], said


def run(body: Body, release: str | None = None, hangs: float | None = None) -> Outcome:
    """Compile and run, under a release of Slurm. A job that has not ended after `hangs` seconds hangs."""
    bids, said = compile_body(body, release)
    if not bids:
        return Outcome([("REFUSED", None)], {}, said=said)
    tasks: list[tuple[str, int | None]] = []
    files: dict[str, bytes] = {}
    ids: set[str] = set()
    later = 0
    for bid in bids:
        task, found, numbers, later = run_bid(body, bid, hangs)
        tasks.append(task)
        ids |= numbers
        for path, content in found.items():
            files.setdefault(path, content)
    return Outcome(tasks, files, ids=ids, later=later)


def run_bid(
    body: Body, bid: Bid, hangs: float | None = None
) -> tuple[tuple[str, int | None], dict[str, bytes], set[str], int]:
    """(state, exit status), files of all nodes, job numbers, and how many components come after the first one."""
    names = [f"n{number}" for number in range(1, bid.nodes + 1)]
    lines = [f"{NETWORK}.{number} {name}" for number, name in enumerate(names, 1)]
    hosts = "\n".join(["127.0.0.1 localhost", *reversed(lines)]) + "\n"
    with Machines(names, hosts=hosts) as machines:
        for name in names:
            _prepare(machines[name], body, bid)
        started = [
            machines[name].start(["bash", "/var/lib/foundry/startup_script.sh"], _log(machines[name])) for name in names
        ]
        head = machines[names[0]]
        task = _wait(head, hangs or (HANGS_AFTER_WAIT if body.waits else HANGS))
        time.sleep(body.settle)
        files: dict[str, bytes] = {}
        for name in names:
            for path, content in files_below(machines[name].root / "workspace").items():
                # Where several nodes have a file of one name, the head's is the one.
                files.setdefault(path, content)
        script = head.root / "var/lib/foundry/flowc/run"
        text = script.read_bytes() if script.exists() else b""
        ids = {number.decode() for number in re.findall(rb"JOB_ID='?(\d{6,})", text)}
        later = len(set(re.findall(rb"JOB_ID_HET_GROUP_([1-9]\d*)=", text)))
    for process in started:
        process.wait()
    return task, files, ids, later


def _log(machine: Machine) -> Path:
    folder = machine.root / "var/log/foundry"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "startup_script.log"


def _prepare(machine: Machine, body: Body, bid: Bid) -> None:
    root = machine.root
    # As many CPUs as the catalog says.
    (root / "etc/cpus").write_text("0-15\n")
    machine.call(["mount", "--bind", "/etc/cpus", "/sys/devices/system/cpu/online"])
    for program in SLURM_PROGRAMS.split():
        (root / "usr/bin" / program).unlink(missing_ok=True)
    machine.without_pmix()
    (root / "usr/local/bin/systemctl").write_text(SYSTEMCTL)
    (root / "usr/local/bin/systemctl").chmod(0o755)
    for folder in body.folders:
        (root / "workspace" / folder).mkdir(parents=True)
    for name, text in body.files.items():
        (root / "workspace" / name).write_text(text)
    place = root / "var/lib/foundry"
    place.mkdir(parents=True, exist_ok=True)
    (place / "startup_script.sh").write_text(bid.script)


def _wait(head: Machine, timeout: float) -> tuple[str, int | None]:
    limit = time.monotonic() + timeout
    while time.monotonic() < limit:
        try:
            status = json.loads((head.root / STATUS).read_text())
        except (OSError, ValueError):
            status = {}
        if status.get("state") in ENDED:
            ended = status["state"] in ("COMPLETED", "FAILED")
            return status["state"], status["exit_code"] if ended else None
        time.sleep(0.1)
    return "HANGS", None
