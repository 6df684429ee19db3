"""What an image and its isolation are on the command line of `docker run`."""

from __future__ import annotations

from flowc.ir.names import variable_name
from flowc.scripts.storage import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Container, Isolation, Job
    from flowc.ir.plan import JobPlan
    from flowc.scripts.storage import Storage

BODY = "/flowc-body"
# Runs a file under bash, or under sh where the image has no bash.
ANY_SHELL = 'exec $(command -v bash||echo sh) "$0" "$@"'


def main_words(job: Job, plan: JobPlan | None, storage: Storage) -> list[str]:
    """The options of the main container, but for its environment."""
    count = plan.gpus_per_node if plan else 0
    visible = plan.gpus_visible if plan and plan.gpus_visible is not None else count
    words = [*isolation_words(job.isolation), *gpu_words(visible, count)]
    shm = job.resources.shm_bytes or storage.shm_of(job.mounts)
    words += [f"--shm-size={shm}"] if shm else []
    words += storage.words(job.mounts, job.volumes, job.files)
    if job.run.workdir and job.conventions.workdir_on == "container":
        words += ["-w", home(job.run.workdir)]
    return [*words, *secret_words(job.secrets)]


def side_words(container: Container, plan: JobPlan | None, storage: Storage) -> list[str]:
    """The options of a container beside the main one, its literal environment with them."""
    count = plan.gpus_per_node if plan else 0
    words = [*isolation_words(container.isolation), *gpu_words(min(container.gpus, count), count)]
    shm = storage.shm_of(container.mounts)
    words += [f"--shm-size={shm}"] if shm else []
    words += storage.words(container.mounts, (), ())
    if container.workdir:
        words += ["-w", home(container.workdir)]
    for name, value in container.env:
        words += ["-e", f"{name}={value}"]
    return [*words, *secret_words(container.secrets)]


def secret_words(names: tuple[str, ...]) -> list[str]:
    """Docker takes the value of a bare name from its own environment: it stands on no command line. One that no shell
    can read has a second name, by which a command finds it that is put together on the machine."""
    every = dict.fromkeys(each for name in names for each in (name, variable_name(name)))
    return [word for name in every for word in ("-e", name)]


def gpu_words(wanted: int, there: int) -> list[str]:
    if not wanted:
        return []
    if wanted >= there:
        return ["--gpus", "all"]
    return ["--gpus", f'"device={",".join(map(str, range(wanted)))}"']


def process_words(argv: tuple[str, ...], args: tuple[str, ...], image: str) -> list[str]:
    """`--entrypoint` takes one word: what follows it stands after the image, and so do arguments without one."""
    if not argv:
        return [image, *args]
    return ["--entrypoint", argv[0], image, *argv[1:], *args]


def body_words(job: Job, image: str) -> list[str]:
    """The main container's process: its argv, or its text as a file that the container's own interpreter runs."""
    run = job.run
    if run.text is None:
        return process_words(run.argv, run.args, image)
    if run.kind == "shell" and run.interpreter is None:
        return ["--entrypoint", "sh", image, "-c", ANY_SHELL, BODY, *run.args]
    return ["--entrypoint", BODY, image, *run.args]


def isolation_words(isolation: Isolation) -> list[str]:
    """Host network unless the user's own options choose another: so its ports are the machine's."""
    each = isolation
    words = [] if other_network(each) else ["--network", "host"]
    pairs: list[tuple[str, str | None]] = [("--user", each.user), *(("--group-add", group) for group in each.groups)]
    pairs += [("--cap-add", name) for name in each.cap_add]
    pairs += [("--cap-drop", name) for name in each.cap_drop]
    pairs += [("--security-opt", "no-new-privileges" if each.no_new_privileges else None)]
    pairs += [("--security-opt", f"seccomp={each.seccomp}" if each.seccomp else None)]
    pairs += [("--security-opt", f"apparmor={each.apparmor}" if each.apparmor else None)]
    pairs += [("--ipc", "host" if each.ipc_host else None), ("--pid", "host" if each.pid_host else None)]
    pairs += [("--hostname", each.hostname)]
    pairs += [("--add-host", f"{name}:{address}") for name, address in each.hosts]
    pairs += [("--dns", address) for address in each.dns]
    pairs += [("--dns-search", name) for name in each.dns_search]
    pairs += [("--dns-option", option) for option in each.dns_options]
    pairs += [("--sysctl", f"{name}={value}") for name, value in each.sysctls if not on_host(each, name)]
    pairs += [("--cpus", each.cpus), ("--memory", str(each.memory_bytes) if each.memory_bytes else None)]
    pairs += [("--pull", "never" if each.pull == "never" else None)]
    pairs += [("--stop-signal", each.stop_signal)]
    pairs += [("--stop-timeout", str(each.stop_grace_s) if each.stop_grace_s is not None else None)]
    words += ["--privileged"] if each.privileged else []
    words += ["--read-only"] if each.read_only_root else []
    for option, value in pairs:
        if value is not None:
            words.append(f"{option}={value}")
    return [*words, *each.options]


def other_network(isolation: Isolation) -> bool:
    options = isolation.options
    return not isolation.network_host and any(word.partition("=")[0] in ("--network", "--net") for word in options)


def on_host(isolation: Isolation, name: str) -> bool:
    """Settings of the network belong to the machine when its network is the container's: docker refuses them there."""
    return name.startswith("net.") and not other_network(isolation)


def host_sysctls(job: Job) -> list[str]:
    every = (job.isolation, *(container.isolation for container in job.containers))
    return [f"{name}={value}" for each in every for name, value in each.sysctls if on_host(each, name)]


def images(job: Job) -> list[tuple[str, str]]:
    """Each image with its policy, `always` or `missing`; those that must be there already are not pulled."""
    asked = [(job.image, job.isolation.pull)] if job.image is not None else []
    asked += [(container.image, container.isolation.pull) for container in job.containers]
    found: dict[str, str] = {}
    for image, pull in asked:
        if pull != "never" and found.get(image) != "always":
            found[image] = "always" if pull == "always" else "missing"
    return list(found.items())
