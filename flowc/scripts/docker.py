"""The containers of a job: what images and their isolation are on the command line of `docker run`."""

from __future__ import annotations

from flowc.ir.names import PEERS, variable_name
from flowc.record import Record
from flowc.scripts.facts import fact_pairs, fact_words
from flowc.scripts.secrets import exporting
from flowc.scripts.storage import bind_words, home, owner, user_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Container, Isolation, Job
    from flowc.ir.plan import JobPlan
    from flowc.scripts.facts import Pairs
    from flowc.scripts.storage import Arrangement

    # Its name, whether it comes before the job, when it is restarted, the words before `docker run`, the options,
    # variables with a word of the script each, its process, the file of its output.
    Beside = tuple[str, bool, str, tuple[str, ...], list[str], Pairs, list[str], str]

BODY = "/flowc-body"
# The image that setup leaves behind.
OWN_IMAGE = "flowc"
# What of an image `docker run` has overridden for the setup, and how it is asked for. Docker takes an empty entrypoint
# for none that is told, and keeps the setup's; [""] is none.
KEPT = (
    ("ENTRYPOINT", '{{with .Config.Entrypoint}}{{json .}}{{else}}[""]{{end}}'),
    ("CMD", "{{with .Config.Cmd}}{{json .}}{{else}}[]{{end}}"),
)
# How an image is asked for its volumes.
VOLUMES = "{{range $path, $_ := .Config.Volumes}}{{$path}} {{end}}"
# How it is asked for its user.
USER = "{{.Config.User}}"
# Runs a file under bash, or under sh where the image has no bash.
ANY_SHELL = 'exec $(command -v bash||echo sh) "$0" "$@"'


class Containers(Record):
    """What templates ask for of docker; `image` is None for a job on the machine itself. `flag` stands before each
    variable, `docker_words` are the main container's options but for these, `command` its image and process;
    `kept_settings`: what setup must not change of the image, `volumes_format`: how it is asked for its volumes.
    `images` are pulled `always`, where they are `missing` or `never`. `opened` are places that
    others than root write to: the user of an image, whom `user_format` asks for (empty: one who is known not to be
    root). `before_stop` is done before the container is
    stopped, `stops_beside` before those beside it are; `fabric`: InfiniBand is for them too; `peers` is where the
    main one has the folder PEERS, with the programs of it. Times in seconds."""

    image: str | None = None
    images: tuple[tuple[str, str], ...] = ()
    flag: str = ""
    docker_words: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    kept_settings: tuple[tuple[str, str], ...] = ()
    volumes_format: str = VOLUMES
    user_format: str = USER
    opened: tuple[tuple[str, tuple[str, ...]], ...] = ()
    before_stop: tuple[str, ...] = ()
    stops_beside: tuple[tuple[str, ...], ...] = ()
    host_sysctls: tuple[str, ...] = ()
    fabric: bool = False
    peers: str = ""
    peers_ssh: str = ""
    peers_sshd: str = ""
    peers_program: str = ""
    toolkit: bool = False
    once_per_boot: bool = False
    liveness: tuple[str, ...] = ()
    liveness_delay: int = 0
    liveness_period: int = 0
    liveness_timeout: int = 0
    liveness_failures: int = 0
    containers: tuple[Beside, ...] = ()


NO_CONTAINERS = Containers()


def containers(job: Job, plan: JobPlan | None, arranged: Arrangement, folder: str) -> Containers:
    """`folder` is where a job of Slurm runs."""
    image = OWN_IMAGE if job.setup is not None else job.image
    words = fact_words(plan.nodes if plan else 1)
    gpus = job.image is not None or any(each.gpus for each in job.containers)
    live = job.isolation.liveness
    options = main_words(job, plan, arranged)
    peers = next((each.target for each in job.mounts if each.kind == "host" and each.source == PEERS), "")
    if job.conventions.commands and job.image is not None:
        # A job of Slurm runs where it was submitted, and so does its container.
        options = [*bind_words(folder, folder, read_only=False), "-w", folder, *options]
    return Containers(
        image=job.image,
        images=tuple(images(job)),
        opened=tuple(_opened(job, arranged)),
        flag="-e " if job.image is not None else "",
        docker_words=tuple(options),
        command=tuple(body_words(job, image)) if image is not None else (),
        kept_settings=KEPT if job.run.text is None and not job.run.argv else (),
        before_stop=_before_stop("flowc", job.isolation.before_stop),
        # Those that started last are stopped first.
        stops_beside=tuple(
            _before_stop(f"flowc-{number}", each.isolation.before_stop)
            for number, each in reversed([*enumerate(job.containers, 1)])
            if each.isolation.before_stop
        ),
        host_sysctls=tuple(host_sysctls(job)),
        fabric=(plan.nodes if plan else 1) > 1,
        **(_programs_of_peers(peers) if peers else {}),
        toolkit=gpus and plan is not None and plan.gpus_per_node > 0 and plan.gpus_visible != 0,
        once_per_boot=bool(job.retry.keep_scratch) and any(each.role == "init" for each in job.containers),
        liveness=live.argv if live is not None else (),
        liveness_delay=live.delay_s if live is not None else 0,
        liveness_period=live.period_s if live is not None else 0,
        liveness_timeout=live.timeout_s if live is not None else 0,
        liveness_failures=live.failures if live is not None else 0,
        containers=tuple(
            (
                f"flowc-{number}",
                each.role == "init",
                each.restart,
                exporting(each.secrets),
                side_words(each, plan, arranged, _first_file(job, number)),
                fact_pairs(each.env_facts, words, each.image),
                process_words(each.argv, each.args, each.image),
                f"/var/log/foundry/{number}.log",
            )
            for number, each in enumerate(job.containers, 1)
        ),
    )


def _programs_of_peers(place: str) -> dict[str, str]:
    from flowc._compiled.shell_programs import PROGRAMS

    texts = {name: "".join(text for _, text in PROGRAMS[name]).strip() for name in ("ssh", "sshd", "peers")}
    sshd = texts["sshd"].replace("PLACE", place)
    return {"peers": place, "peers_ssh": texts["ssh"], "peers_sshd": sshd, "peers_program": texts["peers"]}


def _before_stop(container: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that do what is asked for before a container is stopped. A pause needs no program of the image."""
    pause = len(words) == 2 and words[0] == "sleep" and words[1].isascii() and words[1].isdigit()
    return words if pause or not words else ("docker", "exec", container, *words)


def main_words(job: Job, plan: JobPlan | None, arranged: Arrangement) -> list[str]:
    """The options of the main container, but for its environment."""
    count = plan.gpus_per_node if plan else 0
    visible = plan.gpus_visible if plan and plan.gpus_visible is not None else count
    words = isolation_words(job.isolation)
    words += [] if given(job.isolation, "gpus") else gpu_words(visible, count)
    shm = job.resources.shm_bytes or arranged.shm_of(job.mounts)
    words += [f"--shm-size={shm}"] if shm else []
    words += arranged.words(job.mounts, job.volumes, job.files)
    if job.run.workdir and job.conventions.workdir_on == "container":
        words += ["-w", home(job.run.workdir)]
    return [*words, *secret_words(job.secrets)]


def _first_file(job: Job, number: int) -> int:
    """How many files stand before those of this container."""
    return len(job.files) + sum(len(each.files) for each in job.containers[: number - 1])


def side_words(container: Container, plan: JobPlan | None, arranged: Arrangement, first_file: int) -> list[str]:
    """The options of a container beside the main one, its literal environment with them."""
    count = plan.gpus_per_node if plan else 0
    words = [*isolation_words(container.isolation), *gpu_words(min(container.gpus, count), count)]
    shm = arranged.shm_of(container.mounts)
    words += [f"--shm-size={shm}"] if shm else []
    words += arranged.words(container.mounts, (), container.files, first_file)
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


def given(isolation: Isolation, name: str) -> bool:
    """Whether the user's own words for docker, each with a long name, hold this option."""
    return any(word.startswith(f"--{name}=") for word in isolation.options)


def other_network(isolation: Isolation) -> bool:
    return not isolation.network_host and given(isolation, "network")


def on_host(isolation: Isolation, name: str) -> bool:
    """Settings of the network belong to the machine when its network is the container's: docker refuses them there."""
    return name.startswith("net.") and not other_network(isolation)


def host_sysctls(job: Job) -> list[str]:
    every = (job.isolation, *(container.isolation for container in job.containers))
    return [f"{name}={value}" for each in every for name, value in each.sysctls if on_host(each, name)]


def images(job: Job) -> list[tuple[str, str]]:
    """Each image with its policy: `always`, `missing`, or `never` for those that must be there already."""
    asked = [(job.image, job.isolation.pull)] if job.image is not None else []
    asked += [(container.image, container.isolation.pull) for container in job.containers]
    found: dict[str, str] = {}
    for image, pull in asked:
        policies = (found.get(image, "never"), pull or "missing")
        found[image] = next(each for each in ("always", "missing", "never") if each in policies)
    return list(found.items())


def _opened(job: Job, arranged: Arrangement) -> list[tuple[str, tuple[str, ...]]]:
    """What is brought or cloned belongs to root where nobody else is known by a number to own it."""
    every = [(job.image, job.mounts, job.isolation)] if job.image is not None else []
    every += [(each.image, each.mounts, each.isolation) for each in job.containers]
    found: dict[str, dict[str, None]] = {}
    for image, mounts, isolation in every:
        user = user_of(isolation)
        if user.partition(":")[0] in ("0", "root"):
            continue
        brought = [each for each in mounts if each.kind in ("local", "git") and not each.read_only]
        for place in [arranged.place(each) for each in brought if owner(job, each, arranged) is None]:
            found.setdefault("" if user else image, {})[place] = None
    return [(image, tuple(places)) for image, places in found.items()]
