"""What the machines of an MPIJob start: workers that wait for what `ssh` brings, and the launcher on the first of them.

A shell of the image writes what the operator mounts at /etc/mpi, keeps the workers' variables for the processes that
`ssh` starts (the machine's, see PEERS), and starts what the machine's rank is to start.
"""

from __future__ import annotations

from flowc.frontends.k8s.container import environment, peers, ranks
from flowc.frontends.k8s.container.expand import IPS, RANK, begun
from flowc.frontends.k8s.kinds import mpi
from flowc.frontends.k8s.kinds.mpi import FOLDER, HOSTFILE, SSHD
from flowc.frontends.k8s.machine import needs
from flowc.ir.job import Mount
from flowc.ir.names import PEERS
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.container.expand import Pieces
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.objects import Part
    from flowc.ir.job import Isolation
    from flowc.yamldoc.node import Mapping

    Words: TypeAlias = tuple[str, ...]

NOTE = "a shell of the image starts it, the launcher beside the first worker"
READY = f"{FOLDER}/ready"
# Until a worker's command has called sshd, ten minutes at most; `ssh` waits as long.
_AWAIT = f"i=0; until [ -e {READY} ] || [ $i -ge 600 ]; do sleep 1; i=$((i + 1)); done"
_STAY = f"exec {SSHD} -D"


def mounts(folder: str) -> tuple[Mount, ...]:
    """What containers that start commands in each other have of their machine, in this folder."""
    sshd = Mount(kind="host", source=f"{PEERS}/sshd", target=SSHD, read_only=True, create="nothing")
    return Mount(kind="host", source=PEERS, target=folder, create="nothing"), sshd


def command(main: Mapping, found: Environment, context: Context) -> tuple[Words, Words]:
    """What the image's entrypoint gives way to, or else gets: the words by which /bin/sh starts what the machine is to
    start. `found` are the variables of the main container."""
    gang, several = context.job.gang, context.shape.nodes > 1
    assert gang is not None
    parts = {each.name: each for each in gang.parts}
    launcher, worker = parts[mpi.LAUNCHER], parts.get(mpi.WORKER)
    head = launcher.container or main
    context.put("run.argv", head.at("args") or head.at("command"))
    needed = set[str]()
    own = _variables(launcher, main, found, context)
    first = [*_started(launcher, main, own, found, context, needed, merged=launcher.count == 0)]
    image_starts = not head.each("args") or str(head.each("args")[0].value or "").startswith("-")
    begins = environment.own_start(head, found, context) if image_starts else None
    first += [begun(begins, ranks.line(_words(launcher, main, own, context)))]
    others = list[str]()
    if worker is not None:
        mine = _variables(worker, main, found, context)
        others = _started(worker, main, mine, found, context, needed)
        others += [f'export PATH="{FOLDER}:$PATH"', f"(umask 77; export -p >{FOLDER}/env)"]
        words = _words(worker, main, mine, context)
        stays, ready = _only_waits(worker, main, words, context), f": >{READY}"
        told = [ready] if not mpi.is_v2(context.job.node) and not stays else []
        stay = [*told, _STAY if stays else f"exec {ranks.line(words)}"]
        if launcher.count:
            first = [ready, *first, "fi", *others, *stay]
        else:
            apart = [ready] if stays else [*told, f"{ranks.line(words)} &", *([] if told else [_AWAIT])]
            rest = [f'if [ "${RANK}" -gt 0 ]; then', *stay, "fi"] if several else []
            first = [*others, *rest, *apart, *first]
    if launcher.count and several:
        first = [f'if [ "${RANK}" -eq 0 ]; then', *first]
    text = [*ranks.addresses(needed), *_files(launcher, worker, context), *first]
    if several:
        found.facts |= {RANK: "rank", IPS: "ips"}
    found.exports.clear()
    _tell(launcher, worker, main, context)
    shell = ("/bin/sh", "-c", "\n".join(text))
    return (shell, ()) if head.each("command") or begins is not None else ((), shell)


def _variables(part: Part, main: Mapping, found: Environment, context: Context) -> Environment:
    """The variables of a part, with those that the operator gives it."""
    container, node = part.container or main, context.job.node
    context.part = part
    own = environment.read(container, context)
    context.part = None
    if part.name == mpi.LAUNCHER:
        for entry in container.each("env"):
            name = str(entry.read("name", default=""))
            if own.known.get(name, "-").lower() in mpi.HIDING.get(name, ()):
                own.forget(name)
                note = "the launcher has the GPUs of the first machine, on which processes of it run"
                context.decide(entry, "value", "approximated", note)
        for name, value in mpi.variables(node).items():
            own.forget(name)
            own.known[name] = value
        own.known |= {name: value for name, value in mpi.agents(node).items() if own.lookup(name) is None}
    elif mpi.is_v2(node):
        own.forget("K_MPI_JOB_ROLE")
        own.known["K_MPI_JOB_ROLE"] = mpi.WORKER
    peers.look_at(own, context)
    ranks.join(container, own, found, context)
    for name, span in own.spans.items():
        context.origins.setdefault(f"env.{name}", span)
    return own


def _started(
    part: Part,
    main: Mapping,
    own: Environment,
    found: Environment,
    context: Context,
    needed: set[str],
    *,
    merged: bool = False,
) -> list[str]:
    """The lines before what a part starts. `merged`: it also has the variables of the other part."""
    container = part.container or main
    words = _words(part, main, own, context)
    lines, late = ranks.settings(part, 0, container, own, found, words, context, merged=merged)
    needed |= late
    if part.name == mpi.LAUNCHER and (not merged or own.lookup("PATH") is not None):
        lines.append(f'export PATH="{FOLDER}:$PATH"')
    folder = container.at("workingDir")
    if folder is not None and main.at("workingDir") is None:
        place = sh(str(folder.value))
        lines.append(f"mkdir -p {place} && cd {place} || exit")
    return lines


def _words(part: Part, main: Mapping, own: Environment, context: Context) -> list[Pieces]:
    return [word for key in ("command", "args") for word in peers.words(part.container or main, key, own, context)]


def _only_waits(part: Part, main: Mapping, words: list[Pieces], context: Context) -> bool:
    """Whether a worker is there for what is started in it, and does nothing of its own."""
    if not mpi.is_v2(context.job.node):
        return not (part.container or main).each("command")
    return not words or words[0][0].text.rpartition("/")[2] == "sshd"


def _files(launcher: Part, worker: Part | None, context: Context) -> list[str]:
    """What the operator mounts: the hosts, and by which names they are called."""
    node, name = context.job.node, context.job.name
    hosts = f"printf '%s\\n' \"${IPS}\"" if context.shape.nodes > 1 else "echo localhost"
    each = mpi.slots(node)
    ends = f":{each}" if mpi.implementation(node) != "OpenMPI" and mpi.is_v2(node) else f" slots={each}"
    count = worker.count if worker is not None else 0
    if not count and not launcher.count:
        return []
    after = f"$((i + {launcher.count}))" if launcher.count else "$i"
    names = f"i=0; while [ $i -lt {count} ]; do echo {sh(f'{name}-worker-')}$i {after}; i=$((i + 1)); done"
    discover = f"{FOLDER}/discover_hosts.sh"
    return [
        f"{hosts} | sed 's/$/{ends}/' >{HOSTFILE}",
        f"{{ echo {sh(f'{name}-launcher')} 0; {names}; }} >{FOLDER}/names",
        f"{{ echo '#!/bin/sh'; {hosts} | sed 's/^/echo /'; }} >{discover}; chmod +x {discover}",
    ]


def _tell(launcher: Part, worker: Part | None, main: Mapping, context: Context) -> None:
    from flowc.frontends.k8s.kinds.parts import ALIKE, waiting

    if launcher.pod is not None and launcher.count == 0 and launcher.pod.at("initContainers") is not None:
        left = waiting(launcher.pod)
        note = "the launcher waits for workers by itself" if left else "it runs on all machines"
        context.decide(launcher.pod, "initContainers", "ignored" if left else "approximated", note)
    for part in (launcher, worker):
        container = part.container if part is not None else None
        for key in ("command", "args") if container is not None and container is not main else ():
            context.decide(container, key, "approximated", NOTE)
    for holder, key in mpi.differences(launcher, context.job.pod_spec, main):
        context.decide(holder, key, "approximated", ALIKE.format(name=mpi.WORKER))
    spec = context.job.node.at("spec")
    for key, note in mpi.unread(context.job.node).items():
        context.decide(spec, key, "ignored", note)


def room(isolation: Isolation, context: Context) -> Isolation:
    """What the container may use: as much memory as the worker and the launcher in it together."""
    gang = context.job.gang
    launcher = gang.parts[0].container if gang is not None else None
    if gang is None or gang.parts[0].count or launcher is None:
        return isolation
    memory, bound = needs.limits_of(launcher)[1], isolation.memory_bytes
    return isolation.replace(memory_bytes=bound + memory if bound and memory else None)
