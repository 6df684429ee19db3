"""What the webhook of Volcano checks, and what its plugins put into the environment of pods."""

from __future__ import annotations

from flowc.frontends.k8s import names
from flowc.frontends.k8s.container.expand import IPS
from flowc.frontends.k8s.findings import int_at, key_span, text_at
from flowc.patterns import at_first_use
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.findings import Findings
    from flowc.frontends.k8s.objects import Gang, Part
    from flowc.yamldoc.node import Mapping, Node

EVENTS = ("*", "PodFailed", "PodEvicted", "PodPending", "Unknown", "TaskCompleted", "TaskFailed", "JobUpdated")
ACTIONS = (
    *("AbortJob", "RestartJob", "RestartTask", "RestartPod", "RestartPartition"),
    *("TerminateJob", "CompleteJob", "ResumeJob"),
)
ENDING = ("AbortJob", "TerminateJob", "CompleteJob", "RestartJob")
PLUGINS = ("env", "svc", "ssh", "pytorch", "tensorflow", "mpi", "ray", "hcclrank")
TORCH_PORT = 23456
HOSTS = "/etc/volcano/"  # where the svc plugin writes the hosts of each task
_launches = at_first_use(r"\b(?:sshd?|pdsh|mpirun|mpiexec|horovodrun|deepspeed)\b", "search")


def check(findings: Findings, node: Mapping) -> None:
    """Check the spec of a job of Volcano, without its pods."""
    tasks = node.each("spec", "tasks")
    if not tasks and (listed := node.at("spec", "tasks")) is not None:
        findings.required(listed, "spec.tasks", "a job has at least one task")
    seen: dict[str, Node] = {}
    for index, task in enumerate(tasks):
        where, name = f"spec.tasks[{index}]", task.at("name")
        if name is not None and isinstance(name.value, str) and name.value:
            if names.dns_label(findings, name, f"{where}.name") and name.value in seen:
                findings.duplicate(name, seen[name.value], f"{where}.name")
            seen.setdefault(name.value, name)
        _pod_name(findings, node, task_name(task, index), index, where)
        least, count = task.at("minAvailable"), int_at(task, "replicas") or 0
        if least is not None and (int_at(least) or 0) > count:
            findings.invalid(least, f"{where}.minAvailable", f"must not be greater than the {count} replicas")
        _policies(findings, task, where)
        for at, each in enumerate(task.each("dependsOn", "name")):
            others = [task_name(other, position) for position, other in enumerate(tasks) if other is not task]
            if isinstance(each.value, str) and each.value not in others:
                findings.unsupported(each, f"{where}.dependsOn.name[{at}]", others or ("another task",))
    _policies(findings, node.at("spec"), "spec")
    for pair in node.pairs_at("spec", "plugins"):
        if pair.key.text not in PLUGINS:
            findings.unsupported(pair.key, "spec.plugins", PLUGINS, value=pair.key.text)
    least = node.at("spec", "minAvailable")
    if least is not None and (int_at(least) or 0) > sum(int_at(task, "replicas") or 0 for task in tasks):
        findings.invalid(least, "spec.minAvailable", "must not be greater than the replicas of all tasks together")


def ends_all(node: Mapping) -> bool:
    """Whether a pod that fails ends the others: Volcano lets them run on where no policy says so."""
    policies = [
        *node.each("spec", "policies"),
        *(each for task in node.each("spec", "tasks") for each in task.each("policies")),
    ]
    return any(
        text_at(each, "action") in ENDING
        and {"*", "PodFailed"} & {text_at(each, "event"), *(event.value for event in each.each("events"))}
        for each in policies
    )


def task_name(task: Node, index: int) -> str:
    """The name of a task; Volcano gives one to a task without."""
    return text_at(task, "name") or f"default{index}"


def completing(tasks: list[Node]) -> list[Node]:
    """The tasks with whose end the job is done."""
    return [
        task
        for task in tasks
        if any(
            text_at(each, "action") == "CompleteJob"
            and "TaskCompleted" in (text_at(each, "event"), *(event.value for event in each.each("events")))
            for each in task.each("policies")
        )
    ]


def ending(gang: tuple[Part, ...], context: Context) -> tuple[Node, str] | None:
    """What says that the job is done when the first part is: a policy of its task."""
    tasks = context.job.node.each("spec", "tasks")
    own = next((each for at, each in enumerate(tasks) if task_name(each, at) == gang[0].name), None)
    return (own, "policies") if own is not None and own in completing(tasks) else None


def hosts_named(tasks: list[Node]) -> bool:
    """Whether a command reads the list of hosts of a task."""
    words = [HOSTS, *(hosts_variable(task_name(task, index)) for index, task in enumerate(tasks))]
    return any(word in text for word in words for text in _texts(tasks))


def _texts(tasks: list[Node]) -> list[str]:
    """All that the containers of tasks are started with."""
    return [
        str(word.value or "")
        for task in tasks
        for container in task.each("template", "spec", "containers")
        for key in ("command", "args")
        for word in container.each(key)
    ]


def reaches(node: Node) -> bool:
    """Whether machines of a job start commands on each other, by the keys of its plugins."""
    plugins = [pair.key.text for pair in node.pairs_at("spec", "plugins")]
    tasks = node.each("spec", "tasks")
    several = sum(int_at(each, "replicas") or 0 for each in tasks) > 1
    return several and not {"ssh", "mpi"}.isdisjoint(plugins) and any(_launches(text) for text in _texts(tasks))


def hosts_variable(task: str) -> str:
    return f"VC_{task.replace('-', '_').upper()}_HOSTS"


def _pod_name(findings: Findings, node: Mapping, task: str, index: int, path: str) -> None:
    name = node.at("metadata", "name")
    longest = f"{name.value}-{task}-{index}" if name is not None else ""
    if name is not None and len(longest) > names.LABEL_LENGTH:
        detail = f"the pods of {path} would have names of more than {names.LABEL_LENGTH} characters: `{longest}`"
        findings.invalid(name, "metadata.name", detail)


def _policies(findings: Findings, holder: Node | None, path: str) -> None:
    """A policy has an event or an exit code, each once in a list; `*` stands alone."""
    events: dict[str, Node] = {}
    exits: dict[str, Node] = {}
    for index, policy in enumerate(holder.each("policies") if holder is not None else ()):
        where = f"{path}.policies[{index}]"
        code, action = policy.at("exitCode"), policy.at("action")
        listed = [(each, f"{where}.events[{at}]") for at, each in enumerate(policy.each("events"))]
        event = policy.at("event")
        listed += [(event, f"{where}.event")] if event is not None and event.value != "" else []
        if listed and code is not None:
            detail = "must not specify event and exitCode simultaneously"
            findings.forbidden(key_span(policy, "exitCode"), f"{where}.exitCode", detail)
        elif not listed and code is None:
            findings.required(policy, f"{where}.event", "either event or exitCode is needed")
        own = {str(each.value): (each, at) for each, at in listed}
        for word, (each, at) in own.items():
            if word not in EVENTS:
                findings.unsupported(each, at, EVENTS)
            elif word in events:
                findings.duplicate(each, events[word], at)
        events |= {word: each for word, (each, _) in own.items()}
        if listed and (action is None or action.value not in ACTIONS):
            if action is None:
                findings.required(policy, f"{where}.action", "what is to happen then?")
            else:
                findings.unsupported(action, f"{where}.action", ACTIONS)
        if code is not None and isinstance(code.value, int):
            if code.value == 0:
                findings.invalid(code, f"{where}.exitCode", "0 is not a valid error code")
            elif str(code.value) in exits:
                findings.duplicate(code, exits[str(code.value)], f"{where}.exitCode")
            exits.setdefault(str(code.value), code)
    if "*" in events and len(events) > 1:
        detail = "if there's * here, no other policy should be here"
        findings.invalid(events["*"], f"{path}.policies", detail)


def add_plugins(container: Mapping, found: Environment, gang: Gang, context: Context) -> None:
    """The variables of the plugins `env`, `svc` and `pytorch`; those that the manifest sets itself are kept."""
    job = context.job.node
    plugins = {pair.key.text: pair.value for pair in job.pairs_at("spec", "plugins")}
    known: dict[str, str] = {}
    facts = {"VC_TASK_INDEX": "rank", "VK_TASK_INDEX": "rank"}
    tasks = [(task_name(each, at), int_at(each, "replicas") or 0) for at, each in enumerate(job.each("spec", "tasks"))]
    if plugins.keys() & {"svc", "pytorch", "tensorflow", "mpi", "ray"}:
        for name, count in tasks:
            word = name.replace("-", "_").upper()
            known[f"VC_{word}_NUM"] = str(count)
            if gang.nodes == 1:
                known[f"VC_{word}_HOSTS"] = "localhost"
        if not gang.parts:
            _hosts(container, tasks if gang.nodes > 1 else [], context)
    if "pytorch" in plugins:
        words = [str(each.value) for each in plugins["pytorch"].each()]
        roles = {key: _option(words, key, key) for key in ("master", "worker")}
        if roles["master"] in dict(tasks):
            known["MASTER_PORT"] = _option(words, "port", str(TORCH_PORT))
            known["WORLD_SIZE"] = str(sum(count for name, count in tasks if name in roles.values()))
            if gang.nodes > 1:
                facts |= {"MASTER_ADDR": "head_ip", "RANK": "rank"}
            else:
                known |= {"MASTER_ADDR": "localhost", "RANK": "0"}
    for name, value in known.items():
        if found.lookup(name) is None:
            found.known[name] = value
    for name, fact in facts.items():
        if found.lookup(name) is None:
            found.facts[name] = fact


def host_lists(gang: tuple[Part, ...], context: Context) -> list[str]:
    """Lines of shell that make the lists of hosts as the plugin `svc` gives them, where a command reads one."""
    job = context.job.node
    tasks, reached = job.each("spec", "tasks"), reaches(job)
    if not hosts_named(tasks) and not reached:
        return []
    lines, start = [f"mkdir -p {HOSTS} || exit"], 1
    for part in gang:
        these = f"printf '%s\\n' \"${IPS}\" | sed -n {start},{start + part.count - 1}p"
        lines.append(f"{these} >{HOSTS}{part.name}.host || exit")
        lines.append(f"export {hosts_variable(part.name)}=$({these} | tr '\\n' , | sed 's/,$//')")
        if reached:
            name, numbers = sh(f"{context.job.name}-{part.name}-"), " ".join(map(str, range(part.count)))
            lines.append(f"for i in {numbers}; do echo {name}$i $((i + {start - 1})); done >>{HOSTS}names")
        start += part.count
    return [*lines, *(_ways(job) if reached else [])]


def _ways(job: Node) -> list[str]:
    """How a machine's launcher of MPI reaches the others, and what it is told of them."""
    lines = [f"export {name}={HOSTS}ssh" for name in ("OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent")]
    lines.append(f'export PATH="{HOSTS.rstrip("/")}:$PATH"')
    plugin = job.at("spec", "plugins", "mpi")
    if plugin is not None:
        worker = _option([str(each.value) for each in plugin.each()], "worker", "worker")
        lines.append(f'export MPI_HOST="${hosts_variable(worker)}"')
    return [*lines, f"(umask 77; export -p >{HOSTS}env)"]


def _option(words: list[str], name: str, default: str) -> str:
    """The value of a flag of Go's: `--name=value`, `-name value`."""
    for index, word in enumerate(words):
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key == name:
            return value if equals else (words[index + 1] if index + 1 < len(words) else default)
    return default


def _hosts(container: Mapping, tasks: list[tuple[str, int]], context: Context) -> None:
    """A command that reads the list of hosts would find none: it is refused, for the job would fail when it starts."""
    lists = (HOSTS, *(hosts_variable(name) for name, _ in tasks))
    for key in ("command", "args"):
        for word in container.each(key):
            text = str(word.value or "")
            what = next((each for each in lists if each in text), None)
            if what is None:
                continue
            reason = f"the list of all hosts (`{what}`) that the plugin `svc` makes is not there"
            help = "let the machines meet at the first of them, by the name of its pod or by `MASTER_ADDR`"
            context.refuse(container, key, reason, help)
            return
