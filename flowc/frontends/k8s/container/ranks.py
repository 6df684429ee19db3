"""What the machines of a gang start that are not all told the same: a shell of the image chooses by the rank."""

from __future__ import annotations

from flowc.frontends.k8s.container import environment, operators, peers
from flowc.frontends.k8s.container.expand import INDEX, IP, IPS, JOB, RANK, Piece, begun, late_names
from flowc.frontends.k8s.kinds import mpi, parts, ray, sets, tensorflow, volcano
from flowc.ir.names import variable_name
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.container.expand import Pieces
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.objects import Part
    from flowc.yamldoc.node import Mapping

OF_ALL = ("RANK", "PET_NODE_RANK", RANK)  # count all machines, whatever their part
NOTE = "a shell of the image starts it on the machines of its part"


def command(main: Mapping, found: Environment, context: Context) -> tuple[str, ...]:
    """The words by which /bin/sh starts what the machine's part is to start. `found` are the variables of the main
    container; what only a machine knows, and what is secret, all parts are given."""
    gang = context.job.gang
    assert gang is not None
    found.facts[RANK] = "rank"
    peers.look_at(found, context)
    branches, needed = list[list[str]](), set[str]()
    start = 0
    for part in gang.parts:
        context.part = part
        container = part.container or main
        own = environment.read(container, context)
        peers.look_at(own, context)
        join(container, own, found, context)
        lines, late = _branch(part, start, container, own, found, context)
        branches.append(lines)
        needed |= late
        start += part.count
        for key in parts.RANKED if container is not main else ():
            context.decide(container, key, "approximated", NOTE)
    context.part = None
    parts.tell(main, context)
    if context.job.kind == "JobSet":
        sets.tell(context)
    if context.job.kind == "RayJob":
        ray.tell(context)
        found.facts |= ray.FACTS
    text = list[str]()
    reached = addresses(needed)
    lists = volcano.host_lists(gang.parts, context) if context.job.kind == "VolcanoJob" else []
    if reached or lists:
        found.facts[IPS] = "ips"
    text += [*reached, *lists]
    start = 0
    for index, (part, lines) in enumerate(zip(gang.parts, branches, strict=True)):
        start += part.count
        last = index == len(branches) - 1
        text += lines if last else [f'if [ "${RANK}" -lt {start} ]; then', *lines, "fi"]
    found.exports.clear()
    return ("/bin/sh", "-c", "\n".join(text))


def addresses(needed: set[str]) -> list[str]:
    """The lines that set those of the variables that are addresses of machines."""
    ips = sorted(int(name.removeprefix(IP)) for name in needed if name.startswith(IP))
    return [f"{IP}{rank}=$(printf '%s\\n' \"${IPS}\" | sed -n {rank + 1}p)" for rank in ips]


def join(container: Mapping, own: Environment, found: Environment, context: Context) -> None:
    """Give all machines what the part's have that only they know."""
    for name, fact in own.facts.items():
        if found.facts.setdefault(name, fact) != fact:
            reason = f"`{name}` is something else on the machine for each of the parts"
            context.refuse(container, "env", reason, "give them different names")
    found.secrets += [name for name in own.secrets if name not in found.secrets]
    found.spans |= {name: span for name, span in own.spans.items() if name not in found.spans}


def _branch(
    part: Part, start: int, container: Mapping, own: Environment, found: Environment, context: Context
) -> tuple[list[str], set[str]]:
    """The lines of a part, and the variables that only the machine knows in them. `found` are those of all parts."""
    words = [word for key in ("command", "args") for word in peers.words(container, key, own, context)]
    lines, late = settings(part, start, container, own, found, words, context)
    if context.job.kind == "RayJob":
        return [*lines, *ray.lines(part, container, own, context)], late
    return [*lines, begun(environment.own_start(container, found, context), line(words))], late


def settings(
    part: Part,
    start: int,
    container: Mapping,
    own: Environment,
    found: Environment,
    words: list[Pieces],
    context: Context,
    *,
    merged: bool = False,
) -> tuple[list[str], set[str]]:
    """The lines by which a part gets its variables. `merged`: what all parts are given besides stays."""
    texts = [str(node.value or "") for key in ("command", "args") for node in container.each(key)]
    texts += [text for _, text in own.env()]
    exports = dict(own.exports)
    numbered = [name for name, fact in own.facts.items() if fact == "rank" and name not in OF_ALL]
    exports |= {name: (Piece(text=INDEX, late=True),) for name in numbered}
    if context.job.kind == "TFJob" and own.lookup(tensorflow.CONFIG) is None:
        exports[tensorflow.CONFIG] = tensorflow.config(part, context)
    gang = context.job.gang
    if context.job.kind == "XGBoostJob" and gang is not None and own.lookup(operators.WORKERS) is None:
        exports[operators.WORKERS] = operators.workers(gang)
    if any("HOSTNAME" in text for text in texts) and own.lookup("HOSTNAME") is None:
        exports["HOSTNAME"] = (Piece(text=f"{context.job.name}-{part.name}-"), Piece(text=INDEX, late=True))
        if context.job.kind == "MPIJob" and part.name == mpi.LAUNCHER:
            exports["HOSTNAME"] = (Piece(text=f"{context.job.name}-{part.name}"),)
        elif part.each != part.count or context.job.kind == "JobSet":
            before = (Piece(text=JOB, late=True), Piece(text="-"))
            exports["HOSTNAME"] = (exports["HOSTNAME"][0], *before, exports["HOSTNAME"][1])
    lines = []
    late = set(late_names([*words, *exports.values()]))
    count = f"({RANK} - {start})" if start else RANK
    if INDEX in late:
        lines.append(f"{INDEX}=" + ("0" if part.each == 1 else f"$(({_within(count, part)}))"))
    if JOB in late:
        lines.append(f"{JOB}=$(({count} / {part.each}))")
    lines += [f"export {name}={sh(text)}" for name, text in own.env() if found.known.get(name) != text]
    others = [name for name in found.known if own.lookup(name) is None and not merged]
    lines += [f"unset {' '.join(others)}"] if others else []
    for name in (*own.known, *exports, *others):
        if variable_name(name) != name and found.known.get(name) != own.known.get(name):
            context.refuse(container, "env", f"a shell has to set `{name}`, and cannot", "rename it")
    lines += [f"export {name}={_word(pieces)}" for name, pieces in exports.items()]
    return lines, late


def line(words: list[Pieces]) -> str:
    """The words as a shell reads them."""
    return " ".join(map(_word, words))


def _within(count: str, part: Part) -> str:
    """The number of a machine within its Job."""
    return f"{count} % {part.each}" if part.each < part.count else count.strip("()")


def _word(pieces: Pieces) -> str:
    """One word of the shell; what only the machine knows stands in it as a variable."""
    found, texts = list[str](), list[str]()
    for each in (*pieces, None):
        if each is not None and not each.late:
            texts.append(each.text)
            continue
        found += [sh("".join(texts))] if any(texts) else []
        texts.clear()
        found += [f'"${{{variable_name(each.text)}}}"'] if each is not None else []
    return "".join(found) or "''"
