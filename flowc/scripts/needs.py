"""What of a job goes beyond a script that runs once: containers, storage, setup, secrets, restarts, ports."""

from __future__ import annotations

from flowc.body.commands import interpreter_package
from flowc.ir.names import variable_name
from flowc.scripts import docker
from flowc.scripts.facts import fact_words
from flowc.scripts.restarts import restart_variables, restarts
from flowc.scripts.storage import arrange, bucket_environment, storage_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.job import Job, Port
    from flowc.ir.plan import JobPlan
    from flowc.scripts.storage import Storage

# The lowest port that the provider's tool opens.
LOWEST_PORT = 1024
# Any of these, and what prepares the job runs in one process group with it.
PREPARED = ("setup", "image", "containers", "secrets", "files", "volumes", "mounts")
# The image that setup leaves behind.
OWN_IMAGE = "flowc"

# What of an image `docker run` has overridden for the setup, and how it is asked for.
KEPT = (("ENTRYPOINT", "{{json .Config.Entrypoint}}"), ("CMD", "{{json .Config.Cmd}}"))

# What the templates ask for where there are none.
NO_CONTAINERS: dict[str, Any] = {
    "docker_words": (), "command": (), "kept_settings": (), "before_stop": (), "host_sysctls": (), "toolkit": False,
    "once_per_boot": False, "stops_beside": (), "liveness": (), "containers": (), "bucket_environment": (),
}  # fmt: skip


def prepared(job: Job) -> bool:
    if any(job.__dict__[name] for name in PREPARED):
        return True
    if interpreter_package(job) is not None:
        return True
    return job.resources.shm_bytes is not None or job.time.attempt_limit_s is not None or restarts(job.retry)


def variables(job: Job, plan: JobPlan | None, facts: list[tuple[str, str]]) -> dict[str, Any]:
    """What the templates ask for beside the body, its environment and its files."""
    found: dict[str, Any] = {
        "prepared": prepared(job),
        "image": None,
        "images": [],
        "restarts": restarts(job.retry),
        "needs_ip": needs(job, plan, facts, "private_ip"),
        "needs_ips": needs(job, plan, facts, "node_ips"),
        "flag": "",
        "with_secrets": [],
        **port_units(job),
    }
    if not found["prepared"]:
        return found
    storage = arrange(job, plan)
    found.update(NO_CONTAINERS)
    found.update(storage_variables(job, storage))
    found.update(restart_variables(job.retry))
    found.update(secrets(job))
    if found["bucket_mounts"] or found["bucket_copies"]:
        found["bucket_environment"] = bucket_environment(job, found["all_secrets"])
    if job.image is not None or job.containers:
        found.update(containers(job, plan, storage))
    found["sources"] = found["toolkit"] or found["gcsfuse"]
    found["cleared"] = [] if job.retry.keep_scratch else found["scratches"]
    return found


def needs(job: Job, plan: JobPlan | None, facts: list[tuple[str, str]], name: str) -> bool:
    """Whether a word of the script that is a variable's value uses this variable of the script."""
    words = fact_words(plan.nodes if plan else 1)
    asked = [words[fact] for each in job.containers for _, fact in each.env_facts]
    return any(name in word for word in (*asked, *(word for _, word in facts)))


def secrets(job: Job) -> dict[str, Any]:
    """The names that are waited for, and the words before a command that puts the job's own into its environment."""
    used = [*job.secrets, *(name for each in job.containers for name in each.secrets)]
    pulls = [*job.isolation.pull_secrets, *(name for each in job.containers for name in each.isolation.pull_secrets)]
    every = [*used, *pulls, *(file.secret for file in job.files if file.secret is not None)]
    return {
        "secrets": list(dict.fromkeys(variable_name(name) for name in every)),
        "pull_secrets": list(dict.fromkeys(variable_name(name) for name in pulls)),
        "with_secrets": exporting(job.secrets),
        "all_secrets": exporting(tuple(dict.fromkeys(used))),
    }


def exporting(names: tuple[str, ...]) -> list[str]:
    """Words before a command: the secrets reach its environment and stand in no list of processes."""
    if not names:
        return []
    exported = " ".join(variable_name(name) for name in names)
    # A name that no shell can export is given by `env`, and only to what it starts.
    odd = [name for name in names if variable_name(name) != name]
    by_env = "".join(f' "${{{number}}}=${variable_name(name)}"' for number, name in enumerate(odd, 1))
    start = f'exec env{by_env} "${{@:{len(odd) + 1}}}"' if odd else 'exec "$@"'
    return ["bash", "-c", f". /run/flowc/secrets&&export {exported}&&{start}", "-", *odd]


def containers(job: Job, plan: JobPlan | None, storage: Storage) -> dict[str, Any]:
    image = OWN_IMAGE if job.setup is not None else job.image
    words = fact_words(plan.nodes if plan else 1)
    gpus = job.image is not None or any(each.gpus for each in job.containers)
    liveness = job.isolation.liveness
    found: dict[str, Any] = {
        "image": job.image,
        "images": docker.images(job),
        "flag": "-e " if job.image is not None else "",
        "docker_words": docker.main_words(job, plan, storage),
        "command": docker.body_words(job, image) if image is not None else [],
        "kept_settings": KEPT if job.run.text is None and not job.run.argv else (),
        "before_stop": job.isolation.before_stop,
        # Those that started last are stopped first.
        "stops_beside": [
            (f"flowc-{number}", each.isolation.before_stop)
            for number, each in reversed([*enumerate(job.containers, 1)])
            if each.isolation.before_stop
        ],
        "host_sysctls": docker.host_sysctls(job),
        "toolkit": gpus and plan is not None and plan.gpus_per_node > 0 and plan.gpus_visible != 0,
        "once_per_boot": bool(job.retry.keep_scratch) and any(each.role == "init" for each in job.containers),
        "liveness": liveness.argv if liveness is not None else (),
        "containers": [
            (
                f"flowc-{number}",
                each.role == "init",
                each.restart,
                exporting(each.secrets),
                docker.side_words(each, plan, storage),
                [(name, words[fact]) for name, fact in each.env_facts],
                docker.process_words(each.argv, each.args, each.image),
                f"/var/log/foundry/{number}.log",
            )
            for number, each in enumerate(job.containers, 1)
        ],
    }
    if liveness is not None:
        found.update({f"liveness_{name.removesuffix('_s')}": value for name, value in vars(liveness).items()})
    return found


def port_units(job: Job) -> dict[str, list[str]]:
    """Instances of the units that open ports, and of those that lead a port to another one inside."""
    opened = sorted({port.external for port in job.ports if opens(port)})
    pairs = sorted({(port.external, port.internal) for port in job.ports if opens(port)})
    forwards = [f"flowc-forward@{outer}:{inner}" for outer, inner in pairs if outer != inner]
    return {"port_units": [f"flowc-port@{ports}" for ports in runs(opened)], "forward_units": forwards}


def opens(port: Port) -> bool:
    """Whether the provider's tool can open this port."""
    return port.protocol.lower() == "tcp" and port.external >= LOWEST_PORT


def runs(numbers: list[int]) -> list[str]:
    """Ascending numbers, those in a row as bash's braces write them: `7`, `{10..12}`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(first) if first == last else f"{{{first}..{last}}}" for first, last in found]
