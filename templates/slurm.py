"""A small Slurm for one job on its own machines: srun, scontrol and friends, and the agent that runs tasks for srun.

One program, called under many names, each the name of a function. Lines between `#% if A|B` and `#% end` go only into
the startup scripts of jobs that may need one of these features (see slurm_features.py); `#% if !A` means
without it. The words of OPTIONS are dropped in the same way, by `opt:NAME`.

What it reads: the SLURM_* variables of the batch step and, with several nodes, STATE: `NAME IP` of each node in the
order of ranks, written by the agent of the same machine.
"""
import os, signal, sys
#% if regex
import re
#% end
#% if choose
import itertools
#% end
#% if agent
import hmac, socket, time
#% end
#% if pipes
from multiprocessing.connection import Connection, Pipe, wait
#% end

#% if container
box = 0
#% end
ENV = os.environ
NAME = os.path.basename(sys.argv[0])
WORDS = sys.argv[1:]
#% if agent
STATE = "/var/lib/foundry/flowc/nodes"
# What only the machines of this job have: the text of their script.
SECRET = "/var/lib/foundry/flowc/run"
PORT = 6818
#% if prepared
# What became of the preparation of this machine: nothing yet, an empty line, or why it failed.
READY = "/run/flowc.ready"
#% end
#% end
#% if srun
# What srun hands on to its tasks.
HEARD = 1, 2, 3, 10, 12, 15, 18
#% end


def say(text):
    os.write(2, (NAME + ": " + text + "\n").encode())


def die(text, code=1):
    say(text)
    os._exit(code)


#% if hostlist
def hosts(text):
    """Names of a host list with brackets, in the order in which they are written."""
    found = []
    for word in re.findall(r"(?:\[[^]]*]|[^][,\s])+", text):
        part = re.match(r"([^[]*)\[([^]]*)](.*)", word)
        if not part:
            found.append(word)
            continue
        for item in part[2].split(","):
            low, _, high = item.partition("-")
            found += [
                part[1] + str(number).zfill(len(low)) + rest
                for number in range(int(low), int(high or low) + 1)
                for rest in hosts(part[3]) or [""]
            ]
    return found


#% end
#% if own_hosts
def hosts(text):
    """The nodes of the job, whose list is the only one with brackets that can be asked for."""
    if text == ENV.get("SLURM_JOB_NODELIST"):
        return open(STATE).read().split()[::2]
    return text.replace(",", " ").split()


#% end
#% if plain_hosts
def hosts(text):
    return text.replace(",", " ").split()


#% end
#% if choose
def short(counts):
    """Numbers per node as Slurm writes them: `4(x2),1`."""
    runs = [(count, len([*same])) for count, same in itertools.groupby(counts)]
    return ",".join(f"{count}(x{times})" if times > 1 else str(count) for count, times in runs)


#% end
#% if show_hostlist
def compress(names):
    """Neighbours whose names end in numbers become `n[1-3]`."""
    groups = []
    for name in names:
        stem = name.rstrip("0123456789")
        digits = name[len(stem) :]
        if not digits or not groups or groups[-1][0] != stem or not groups[-1][1]:
            groups.append((stem, []))
        runs = groups[-1][1]
        if runs and digits == str(int(runs[-1][-1]) + 1).zfill(len(runs[-1][-1])):
            runs[-1][1:] = [digits]
        elif digits:
            runs.append([digits])
    words = []
    for stem, runs in groups:
        text = ",".join(map("-".join, runs))
        words.append(stem + (f"[{text}]" if text.strip("0123456789") else text))
    return ",".join(words)


#% end
#% if time
def seconds(text):
    """A duration as Slurm reads it: minutes, M:S, H:M:S, D-H, D-H:M, D-H:M:S."""
    if text.lower() in ("infinite", "unlimited", "-1"):
        return 0
    days, dash, rest = text.rpartition("-")
    try:
        parts = [int(part) for part in rest.split(":")]
        while dash and len(parts) < 3:
            parts.append(0)
        if len(parts) == 1:
            parts.append(0)
        total = 0
        for part in parts:
            total = total * 60 + part
        return total + int(days or 0) * 86400
    except ValueError:
        die("error: Invalid --time specification", 255)


#% end
#% if srun
#% if container
def enter(options, where, env):
    """Makes the container of a step on this node, or finds the one of that name. All tasks of the node are in it.

    Gives its process, its folder and its variables; OSError or CalledProcessError where that cannot be."""
    import json, subprocess

    def docker(*words):
        return subprocess.run(["docker", *words], check=True, stdout=subprocess.PIPE, stderr=2).stdout

    image = options.get("container-image", "").removeprefix("docker://").replace("#", "/")
    subprocess.run(["flock", "/run/flowc.docker", "bash", "-c", INSTALL], check=True, stdout=2)
    name = "flowc-" + (options.get("container-name", "").split(":")[0] or f"{env['SLURM_JOB_ID']}.{env['SLURM_STEP_ID']}")
    if not docker("ps", "-qf", f"name=^{name}$"):
        if not image:
            raise ValueError(f"there is none of the name {name[6:]}")
        # One from before a reboot has ended.
        subprocess.run(["docker", "rm", "-fv", name], stdout=-3, stderr=-3)
        words = ["--gpus=all"] * os.path.exists("/dev/nvidiactl")
        mounts = options.get("container-mounts", "").split(",") + ["/root"] * ("container-mount-home" in options)
        for mount in filter(None, mounts):
            source, _, rest = mount.partition(":")
            if source == "tmpfs":
                words.append("--tmpfs=" + rest)
                continue
            source = os.path.join(where, source)
            # Docker would make an empty folder of it.
            os.stat(source)
            words.append(f"-v{source}:{rest.replace('+', ',') or source}")
        # Apart from its files it is the machine: tasks are started as other programs are, and get signals.
        for kind in "network", "ipc", "pid", "uts":
            words.append(f"--{kind}=host")
        docker("run", "-d", "--privileged", "--label=flowc", "--name=" + name, *words, "--entrypoint=sleep", image, "infinity")
    (box,) = json.loads(docker("inspect", name))
    image_env = dict(pair.split("=", 1) for pair in box["Config"]["Env"] or ())
    for kept in options.get("container-env", "").split(","):
        image_env.pop(kept, 0)
    return box["State"]["Pid"], options.get("container-workdir") or box["Config"]["WorkingDir"] or "/", image_env


# Docker and, for GPUs, what gives them to containers.
INSTALL = """
add() { command -v $1 >/dev/null||{ apt-get -qq update;DEBIAN_FRONTEND=noninteractive apt-get -qqy --no-install-recommends -o DPkg::Lock::Timeout=600 install $2;};}
add docker docker.io||exit
[ ! -e /dev/nvidiactl ]||command -v nvidia-container-runtime-hook >/dev/null||{
u=https://nvidia.github.io/libnvidia-container k=/usr/share/keyrings/nvidia.asc
add curl curl
curl -fsSLo $k $u/gpgkey&&echo "deb [signed-by=$k] $u/stable/deb/\\$(ARCH) /">/etc/apt/sources.list.d/nvidia.list
add nvidia-container-runtime-hook nvidia-container-toolkit&&systemctl restart docker
}
"""
#% end


def start(argv, env, where, *streams):
    """Starts a program in a session of its own and gives its process id. The caller has blocked HEARD."""
    #% if !pipes
    import ctypes

    parent = os.getpid()
    #% end
    process = os.fork()
    if process:
        # From now on signals reach it.
        while os.getpgid(process) != process:
            pass
        return process

    def complain(text):
        os.write(2, f"slurmstepd-{env['SLURMD_NODENAME']}: error: {text}\n".encode())

    try:
        #% if pipes
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        #% end
        #% if !pipes
        # Nobody else would notice that srun was killed.
        ctypes.CDLL(None).prctl(1, 9)
        if os.getppid() != parent:
            os._exit(9)
        #% end
        os.setsid()
        # What came since the fork is for the program; before, it would have gone to the handlers of srun and be lost.
        for number in 13, *HEARD:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(1, HEARD)
        #% if container
        if box:
            # Into the files of the container.
            import ctypes

            if ctypes.CDLL(None, use_errno=True).setns(os.open(f"/proc/{box}/ns/mnt", 0), 0):
                raise OSError(ctypes.get_errno(), "cannot enter the container")
        #% end
        #% if chdir
        try:
            os.chdir(where)
        except OSError as error:
            complain(f"couldn't chdir to `{where}': {error.strerror}: going to /tmp instead")
            os.chdir("/tmp")
        #% end
        env["SLURM_TASK_PID"] = str(os.getpid())
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        complain(f"execve(): {argv[0]}: {error.strerror}")
        os._exit(error.errno)


def ended(processes):
    """Waits for one of the processes and kills what it left behind; gives its value and exit code, -n for signal n."""
    process = 0
    # Who runs srun by `exec` leaves it children of its own.
    while process not in processes:
        process, status = os.wait()
    deliver([process], 9)
    return processes.pop(process), os.waitstatus_to_exitcode(status)


def deliver(processes, number):
    for process in [*processes]:
        try:
            os.killpg(process, number)
        except OSError:
            pass


#% end
#% if agent
def linked(peer, mine, other):
    """Frames on a connection, after both sides have proved that they know the secret of the job.

    A peer that vanished is noticed after two minutes, also while something is sent to it."""
    for option in (1, 9, 1), (6, 4, 30), (6, 5, 10), (6, 18, 120000):
        peer.setsockopt(*option)
    link = Connection(peer.detach())

    def answer(text):
        return hmac.digest(open(SECRET, "rb").read(), text, "sha256")

    question = os.urandom(32)
    link.send_bytes(question)
    link.send_bytes(answer(mine + link.recv_bytes(99)))
    # The question is new each time: the time that the comparison takes tells nothing.
    if link.recv_bytes(99) != answer(other + question):
        raise OSError("wrong secret")
    return link


def dial(name, address):
    for tries in range(35):
        try:
            peer = socket.create_connection((address, PORT), 9)
            peer.settimeout(None)
            #% if prepared
            link = linked(peer, b"s", b"a")
            # It comes when the machine has prepared itself.
            if text := link.recv():
                die(f"error: {name}: {text}")
            return link
            #% end
            #% if !prepared
            return linked(peer, b"s", b"a")
            #% end
        except (OSError, EOFError) as error:
            if tries == 4:
                say(f"waiting for the agent of {name}: {error}")
        # Ten minutes in all.
        time.sleep(tries)
    die(f"error: {name}: no agent after 10 minutes")


def agent():
    """`agent COUNT` waits until /etc/hosts lists so many nodes, the last one the head, and serves the steps of srun, each
    in a process of its own. On the head it prints the list of nodes and stays in the background; where the others have
    something to prepare it stays there too, and `agent` waits on the head until they have."""
    #% if prepared
    global NAME
    NAME = "flowc"
    if not WORDS:
        for line in open(STATE):
            dial(*line.split())
        return
    #% end
    here = socket.gethostname().split(".")[0]
    for _ in range(120):
        nodes = [line.split()[:2] for line in open("/etc/hosts") if line[:1].isdigit() and line[:3] != "127"][::-1]
        names = [name.split(".")[0] for _, name in nodes]
        if len(nodes) >= int(WORDS[0]) and here in names:
            break
        time.sleep(5)
    else:
        die(f"/etc/hosts does not list {here} and {WORDS[0]} nodes after 10 minutes: {names}")
    open(STATE, "w").writelines(f"{name} {node[0]}\n" for name, node in zip(names, nodes))
    rank = names.index(here)
    door = socket.create_server((nodes[rank][0], PORT), backlog=99)
    #% if prepared
    if rank and os.fork():
        return
    #% end
    if not rank and os.fork():
        # As Slurm writes names with numbers in a row.
        stem = here.rstrip("0123456789")
        low, high = names[0][len(stem) :], names[-1][len(stem) :]
        row = [stem + str(int(low or 0) + place).zfill(len(low)) for place in range(len(names))]
        print(f"{stem}[{low}-{high}]" if names == row else ",".join(names))
        return
    os.dup2(2, 1)
    signal.signal(17, signal.SIG_IGN)
    while 1:
        peer = door.accept()[0]
        if not os.fork():
            try:
                signal.signal(17, signal.SIG_DFL)
                signal.alarm(30)
                link = linked(peer, b"a", b"s")
                signal.alarm(0)
                #% if prepared
                text = ""
                while rank and not (text := open(READY).read()):
                    time.sleep(1)
                link.send(text.strip())
                #% end
                serve(link)
            finally:
                os._exit(0)
        peer.close()


#% end
#% if pipes
def serve(link):
    """Runs the tasks of one node: sends (1 or 2, rank, bytes), (0, rank, exit code) and at last (); is told signals
    as numbers and standard input as (rank or None, bytes)."""
    #% if opt:unbuffered
    chunks = link.recv()
    #% end
    #% if container
    global box
    options = link.recv()
    #% end
    where, tasks = link.recv()
    #% if container
    image_env = None
    if options.get("container-image") or options.get("container-name"):
        import subprocess

        try:
            box, where, image_env = enter(options, where, tasks[0][2])
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            for rank, _, env in tasks:
                link.send((2, rank, f"slurmstepd-{env['SLURMD_NODENAME']}: error: container: {error}\n".encode()))
                link.send((0, rank, 1))
            link.send(())
            return
    #% end
    processes = {}
    #% if agent
    # A machine that is shut down tells all its processes: what the tasks say then is still to be heard.
    signal.pthread_sigmask(0, HEARD)
    #% end
    sources = {}
    #% if stdin
    writers = {}
    #% end
    #% if umask
    os.umask(int(tasks[0][2]["SLURM_UMASK"], 8))
    #% end
    #% if !stdin
    feed = [os.open("/dev/null", 0)]
    #% end
    for rank, argv, env in tasks:
        #% if stdin
        feed = os.pipe()
        writers[rank] = feed[1]
        #% end
        output, errors = os.pipe(), os.pipe()
        #% if container
        # What the image says goes before what the machine says.
        env.update(image_env or {})
        #% end
        process = start(argv, env, where, feed[0], output[1], errors[1])
        os.close(output[1])
        os.close(errors[1])
        #% if stdin
        os.close(feed[0])
        #% end
        processes[process] = rank
        sources[os.pidfd_open(process)] = 0, rank, b""
        sources[output[0]] = 1, rank, b""
        sources[errors[0]] = 2, rank, b""
    #% if stdin
    # Writing blocks while a task does not read, which must not keep anything else from it: hence a thread.
    import threading

    todo, said = Pipe()
    threading.Thread(target=write, args=(writers, said), daemon=True).start()
    #% end
    #% if prepared
    # Here it tells the agents alone.
    signal.signal(15, lambda *_: deliver(processes, 15))
    signal.pthread_sigmask(1, (15,))
    #% end
    try:
        # When all have ended, what they wrote is still to be read; a daemon that left its session may hold the pipe.
        while ready := wait([
            link,
            #% if stdin
            todo,
            #% end
            *sources,
        ], None if processes else 0):
            for source in ready:
                if source == link:
                    message = link.recv()
                    #% if stdin
                    if type(message) is tuple:
                        todo.send(message)
                        continue
                    #% end
                    deliver(processes, message)
                    continue
                #% if stdin
                if source == todo:
                    link.send(todo.recv())
                    continue
                #% end
                stream, rank, text = sources.pop(source)
                if not stream:
                    os.close(source)
                    link.send((0, *ended(processes)))
                    continue
                data = os.read(source, 65536)
                text += data
                # Lines stay whole, as long as they are not too long.
                cut = text.rfind(b"\n") + 1
                if not data or len(text) - cut > 9999:
                    cut = len(text)
                #% if opt:unbuffered
                if chunks:
                    cut = len(text)
                #% end
                if cut:
                    link.send((stream, rank, text[:cut]))
                if data:
                    sources[source] = stream, rank, text[cut:]
                else:
                    os.close(source)
        for stream, rank, text in sources.values():
            if text:
                link.send((stream, rank, text))
        link.send(())
        # Until srun is gone: with something unread behind it a connection that is closed takes back what was said.
        while 1:
            link.recv()
    except (EOFError, OSError):
        # srun is gone: its tasks have 30 seconds to end.
        deliver(processes, 15)
        signal.signal(14, lambda *_: deliver(processes, 9))
        signal.alarm(30)
        while processes:
            ended(processes)
    #% if container
    if image_env is not None and not options.get("container-name"):
        subprocess.run(["docker", "rm", "-fv", f"flowc-{env['SLURM_JOB_ID']}.{env['SLURM_STEP_ID']}"], stdout=-3, stderr=-3)
    #% end
    #% if stdin
    # With the thread.
    os._exit(0)
    #% end


#% end
#% if stdin
def write(writers, said):
    """Hands standard input on to the tasks; says (3, 0, 0) for each message."""
    while 1:
        rank, data = said.recv()
        for number, descriptor in [*writers.items()]:
            view = memoryview(data if rank in (None, number) else b"")
            try:
                while view:
                    view = view[os.write(descriptor, view) :]
            except OSError:
                pass
            # The end, or the task reads no more.
            if view or not data:
                os.close(writers.pop(number))
        said.send((3, 0, 0))


#% end
#% if any_option
# Not here, since nothing would be done about them: bcast, container, prolog and epilog, container-save and the like.
# Letter or `-`, then `=` with a value, `?` maybe with one attached, `.` without, then the name.
OPTIONS = "@srun.always@"


#% end
#% if any_option|squeue|sacct|sinfo|scancel
def options(words):
    """Takes the options off the words, as getopt_long does; gives them by name."""
    found = {}
    while words and words[0][:1] == "-" != words[0]:
        word = words.pop(0)
        if word == "--":
            break
        try:
            long = word[1] == "-"
            name, given, value = word[2:].partition("=") if long else (word[1], word[2:], word[2:])
            hits = [entry for entry in OPTIONS.split() if (entry[2:].startswith(name) if long else entry[0] == name)]
            hits = [entry for entry in hits if entry[2:] == name] or hits
            (hit,) = hits
            if hit[1] == ".":
                if given:
                    # `-lN2` is `-l -N2`; `--label=2` is an error.
                    words["1" if long else 0 : 0] = ["-" + value]
                value = "1"
            elif hit[1] == "=" and not given:
                value = words.pop(0)
        except (ValueError, IndexError, TypeError):
            #% if picks
            if NAME != "srun":
                if hits:
                    die(f"option '{word}' is ambiguous, or its argument is wrong")
                die(f"unrecognized option '{word}'" if long else f"invalid option -- '{name}'")
            #% end
            die(f"unrecognized option '{word}'", 255)
        found[hit[2:]] = value
    return found


#% end
#% if srun
def srun():
    """Lays out the tasks of a step, starts them on their nodes and stays until they have ended."""
    #% if !any_option
    if WORDS and WORDS[0][:1] == "-":
        die(f"unrecognized option '{WORDS[0]}'", 255)
    #% end
    #% if any_option
    given = options(WORDS)

    def option(name, variable=""):
        return given.get(name) or ENV.get("SLURM_" + (variable or name.upper().replace("-", "_")))

    #% end
    #% if choose|opt:wait

    def number(name):
        value = option(name) or "0"
        if not value.isdecimal() or int(value) < (name in given):
            die(f'error: Invalid numeric value "{value}" for --{name}.')
        return int(value)

    #% end
    #% if opt:wait
    # What is wrong is said before a task runs.
    patience = number("wait")
    #% end
    job = ENV["SLURM_JOB_ID"]
    #% if stdin
    # Where standard input is closed, the next file opened would be taken for it.
    os.path.exists("/dev/fd/0") or os.open("/dev/null", 0)
    #% end
    #% if version
    if "version" in given:
        os.write(1, b"slurm-wlm 22.05.8\n")
        os._exit(0)
    #% end
    #% if jobid
    if given.get("jobid", job) != job:
        die(f"error: Unable to confirm allocation for job {given['jobid']}: Invalid job id specified")
    #% end
    #% if container
    image = given.setdefault("container-image", ENV.get("PYXIS_CONTAINER_IMAGE", ""))
    if image[:1] in ("/", ".") or image.endswith(".sqsh") or "@" in image.split("#")[0] and "#" in image:
        die(f"error: the container image {image} is no image of a registry that docker pulls: push it to one")
    #% end
    if not WORDS:
        die("fatal: No command given to execute.")
    #% if time
    limit = seconds(option("time", "TIMELIMIT") or "0")
    #% end

    # ---- nodes and tasks
    #% if choose
    # The machines of a job are alike.
    cpus = int(ENV["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
    #% end
    #% if agent
    words = open(STATE).read().split()
    names, addresses = words[::2], words[1::2]
    #% end
    #% if !agent
    names = [ENV["SLURM_JOB_NODELIST"]]
    #% end
    nodes = range(len(names))
    #% if opt:nodelist|opt:exclude
    def indices(name):
        text = given.get(name, "")
        try:
            return [
                #% if rsh
                names.index(word) if word in names else addresses.index(word)
                #% end
                #% if !rsh
                names.index(word)
                #% end
                for word in hosts(open(text).read() if "/" in text else text)
            ]
        except ValueError:
            die(f"error: Unable to create step for job {job}: Requested node configuration is not available")

    #% end
    #% if !choose
    # As the job was laid out, which takes no option.
    count = low = len(names)
    tasks = int(ENV.get("SLURM_NTASKS") or count * int(ENV.get("SLURM_NTASKS_PER_NODE", 1)))
    #% end
    #% if choose
    low = high = len(names)
    #% if opt:nodes
    first, _, second = (option("nodes", "NNODES") or "1").partition("-")
    if not (first + second).isdecimal():
        die(f'error: "{given["nodes"]}" is not a valid node count', 255)
    low, high = int(first), min(int(second or first), high)
    #% end
    tasks = number("ntasks")
    if 0 < tasks < low:
        say(f"Warning: can't run {tasks} processes on {low} nodes, setting nnodes to {tasks}")
        low = tasks
    #% if opt:nodes
    high = max(low, min(high, tasks or high))
    #% end
    #% if !opt:nodes
    high = low
    #% end
    #% if opt:relative
    skip = int(given.get("relative", 0))
    if skip and skip + low > len(names):
        die(f"error: --relative and --nodes option incompatible with count of allocated nodes ({skip}+{low}>{len(names)})")
    nodes = nodes[skip:]
    #% end
    #% if opt:exclude
    excluded = indices("exclude")
    nodes = [node for node in nodes if node not in excluded]
    #% end
    #% if opt:nodes|opt:relative|opt:exclude
    if low > len(nodes):
        die(f"error: Only allocated {len(nodes)} nodes asked for {low}")
    #% end
    #% if opt:nodelist
    wanted = indices("nodelist")
    nodes = sorted((wanted + [node for node in nodes if node not in wanted])[:high])
    #% end
    #% if !opt:nodelist
    nodes = nodes[:high]
    #% end
    #% end
    #% if opt:ntasks-per-node
    #% if opt:tasks-per-node
    given.setdefault("ntasks-per-node", given.get("tasks-per-node", ""))
    #% end
    each = number("ntasks-per-node") if option("ntasks-per-node") else 0
    if not tasks or tasks == each * len(nodes):
        tasks = tasks or each * len(nodes)
        if each:
            ENV["SLURM_NTASKS_PER_NODE"] = str(each)
    elif given.get("ntasks-per-node"):
        say(
            f"Warning: can't honor --ntasks-per-node set to {each} which doesn't match the requested tasks {tasks} "
            f"with the number of requested nodes {len(nodes)}. Ignoring --ntasks-per-node."
        )
    #% end
    #% if choose|opt:exact
    width = 1
    #% end
    #% if opt:cpus-per-task
    given.setdefault("cpus-per-task", ENV.get("SRUN_CPUS_PER_TASK", ""))
    if given["cpus-per-task"]:
        width = number("cpus-per-task")
        ENV["SLURM_CPUS_PER_TASK"] = str(width)
        tasks = tasks or cpus // width * len(nodes)
    #% end
    #% if choose
    count = len(nodes)
    tasks = tasks or count
    if tasks > cpus // width * count:
        #% if opt:overcommit
        if not option("overcommit"):
            die(f"error: Unable to create step for job {job}: More processors requested than permitted")
        #% end
        #% if !opt:overcommit
        die(f"error: Unable to create step for job {job}: More processors requested than permitted")
        #% end
    #% end

    # ---- layout: in turns; block then numbers node by node
    left = iter(range(tasks))
    ranks = [[next(left) for _ in range(place, tasks, count)] for place in range(count)]
    #% if opt:distribution
    spread = (option("distribution") or "").lower().split(",")[0]
    kind = spread.split(":")[0].split("=")[0]
    if kind not in ("", "block", "cyclic", "plane", "*"):
        die("error: Invalid --distribution specification", 255)
    if kind in ("cyclic", "plane"):
        size = int(spread[6:] or ENV.get("SLURM_DIST_PLANESIZE", 1)) if kind == "plane" else 1
        ranks = [[rank for rank in range(tasks) if rank // size % len(nodes) == place] for place in range(len(nodes))]
    #% end

    # ---- environment
    with open("/run/flowc.step." + job, "ab", 0) as steps:
        steps.write(b"%9d\n" % os.getpid())
        step = steps.tell() // 10 - 1
    env = dict(ENV)
    #% if export
    export = option("export", "EXPORT_ENV") or "ALL"
    items = re.findall(r"""(?:[^,'"]|'[^']*'|"[^"]*")+""", export)
    if "ALL" not in map(str.upper, items):
        env = {name: ENV[name] for name in ENV if name[:6] == "SLURM_" or name in items}
    for item in items:
        if item[0] in "'\"" and item[-1] == item[0]:
            item = item[1:-1]
        name, equal, value = item.partition("=")
        if name and equal:
            env[name] = value
    #% end
    #% if opt:job-name
    if "job-name" in given:
        env["SLURM_JOB_NAME"] = given["job-name"]
    #% end
    for value, keys in (
        (tasks, "NTASKS NPROCS STEP_NUM_TASKS"),
        ("block" if tasks > low else "cyclic", "DISTRIBUTION"),
        #% if choose
        (ENV["SLURM_JOB_NODELIST"] if count == len(names) else ",".join(names[node] for node in nodes), "STEP_NODELIST"),
        (short(map(len, ranks)), "TASKS_PER_NODE STEP_TASKS_PER_NODE"),
        #% end
        #% if !choose
        (ENV["SLURM_JOB_NODELIST"], "STEP_NODELIST"),
        # Evenly, or as the job was laid out.
        (
            ENV["SLURM_TASKS_PER_NODE"] if tasks % count else f"{tasks // count}(x{count})".replace("(x1)", ""),
            "TASKS_PER_NODE STEP_TASKS_PER_NODE",
        ),
        #% end
        (count, "NNODES STEP_NUM_NODES"),
        (step, "STEPID STEP_ID"),
        #% if agent
        (addresses[0], "LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),
        #% end
    ):
        for key in keys.split():
            env["SLURM_" + key] = str(value)
    #% if opt:distribution
    if spread:
        env["SLURM_DISTRIBUTION"] = spread.split("=")[0]
    #% end
    #% if umask
    mask = os.umask(0)
    os.umask(mask)
    env["SLURM_UMASK"] = "%04o" % mask
    #% end
    #% if step_gpus
    env = {key: env[key] for key in env if key not in ("CUDA_VISIBLE_DEVICES", "SLURM_GPUS_ON_NODE")}
    if ids := ",".join(ENV["SLURM_JOB_GPUS"].split(",")[: int(ENV["FLOWC_STEP_GPUS"])]):
        env.update(SLURM_GPUS_ON_NODE=ENV["FLOWC_STEP_GPUS"], CUDA_VISIBLE_DEVICES=ids, SLURM_STEP_GPUS=ids)
    #% end
    #% if gpu
    devices = ENV.get("SLURM_JOB_GPUS", "").split(",") if ENV.get("SLURM_JOB_GPUS") else []

    def amount(name, variable=""):
        """The GPUs in `gpu:h100:2`, `h100:2`, `2`; the last part may be a type."""
        return sum(
            int(word.split(":")[-1]) if word.split(":")[-1].isdecimal() else 1
            for word in (option(name, variable) or "").split(",")
            if word and (name != "gres" or word[:3] == "gpu")
        )

    per_task = amount("gpus-per-task")
    bind = ""
    #% if opt:gpu-bind|opt:ntasks-per-gpu
    bind = (option("gpu-bind") or "").replace("verbose,", "")
    if option("ntasks-per-gpu") and not bind:
        bind = "single:" + option("ntasks-per-gpu")
    #% end
    if per_task and not bind:
        bind = f"per_task:{per_task}"
    here = int(ENV.get("FLOWC_STEP_GPUS", len(devices)))
    #% if opt:gpus|opt:gpus-per-node|opt:gres
    here = (
        max([amount(name) for name in ("gpus-per-node", "gres") if name in given] or [0])
        or amount("gpus-per-node") or amount("gres") or -(-amount("gpus") // len(nodes)) or here
    )
    #% end
    if max(here, *(per_task * len(part) for part in ranks)) > len(devices):
        die(f"error: Unable to create step for job {job}: Invalid generic resource (gres) specification")

    def gpus(local, count):
        """The devices of the task with this number on its node."""
        mine = devices[: per_task * count or here]
        #% if !opt:gpu-bind
        #% if !opt:ntasks-per-gpu
        shown = [mine[place % len(mine)] for place in range(local * per_task, (local + 1) * per_task)] or mine
        #% end
        #% end
        #% if opt:gpu-bind|opt:ntasks-per-gpu
        kind, _, text = bind.partition(":")
        number = int(text) if text.isdecimal() else 1
        if kind == "single":
            shown = [mine[local // number % len(mine)]]
        elif kind == "per_task":
            shown = [mine[place % len(mine)] for place in range(local * number, (local + 1) * number)]
        elif kind == "map_gpu":
            turns = text.split(",")
            shown = [devices[int(turns[local % len(turns)], 0)]]
        elif kind == "mask_gpu":
            turns = text.split(",")
            mask = int(turns[local % len(turns)], 16)
            shown = [name for place, name in enumerate(devices) if mask >> place & 1]
        else:
            shown = mine
        #% end
        ids = ",".join(shown)
        return {
            "CUDA_VISIBLE_DEVICES": ids,
            "SLURM_STEP_GPUS": ids,
            "SLURM_GPUS_ON_NODE": str(len(mine)),
            **({"SLURMD_TRES_BIND": "gpu:" + bind} if bind else {}),
        }

    #% end
    #% if multi_prog
    programs = {}
    if "multi-prog" in given:
        import shlex

        try:
            config = open(WORDS[0])
        except OSError:
            die(f"error: Could not open multi_prog config file {WORDS[0]}")
        for line in config:
            part = shlex.split(line, comments=True)
            chosen = []
            for item in part[0].split(",") if part else ():
                low, _, high = item.partition("-")
                chosen += range(tasks) if item == "*" else range(int(low), int(high or low) + 1)
            for offset, rank in enumerate(chosen):
                words = [word.replace("%t", str(rank)).replace("%o", str(offset)) for word in part[1:]]
                programs.setdefault(rank, words + WORDS[1:])
    #% end
    where = os.getcwd()
    #% if opt:chdir
    where = os.path.join(where, option("chdir", "WORKING_DIR") or "")
    #% end

    # ---- what happens when a task ends
    codes = [0]
    #% if ending
    last = [9, 15]

    def stop(*_):
        """Asks the tasks to end; 30 seconds later they must."""
        if last:
            cast(last.pop())
            signal.alarm(30)

    def told(*_):
        last[:] = 9, 15
        stop()

    #% end
    def done(node, rank, code):
        if code:
            say(
                f"error: {names[node]}: task {rank}: "
                + (f"Exited with exit code {code}" if code > 0 else signal.strsignal(-code))
            )
            codes.append(code if code > 0 else 128 - code)
            #% if opt:kill-on-bad-exit
            if given.get("kill-on-bad-exit", ENV.get("SLURM_KILL_BAD_EXIT", "0")) != "0" and len(last) > 1:
                say(f"Terminating StepId={job}.{step}")
                stop()
            #% end
        #% if opt:wait
        if patience and len(last) > 1:
            last.pop()
            signal.alarm(patience)
        #% end

    def each_task(place):
        """Rank, program and environment of each task of a node."""
        own = ranks[place]
        return [
            (
                rank,
                #% if multi_prog
                programs.get(rank, WORDS),
                #% end
                #% if !multi_prog
                WORDS,
                #% end
                {
                    **env,
                    "SLURM_NODEID": str(place),
                    "SLURMD_NODENAME": names[nodes[place]],
                    "SLURM_GTIDS": ",".join(map(str, own)),
                    "SLURM_PROCID": str(rank),
                    "SLURM_LOCALID": str(local),
                    #% if opt:cpus-per-task|opt:exact
                    **({"SLURM_CPUS_ON_NODE": str(len(own) * width)} if given.get("cpus-per-task") or option("exact") else {}),
                    #% end
                    #% if gpu
                    **(gpus(local, len(own)) if here or per_task else {}),
                    #% end
                },
            )
            for local, rank in enumerate(own)
        ]

    #% if !pipes
    processes = {}

    def cast(number, *_):
        deliver(processes, number)

    #% end
    #% if pipes
    def cast(message, *_):
        for link in links:
            try:
                link.send(message)
            except OSError:
                pass

    #% if output
    files = {}
    # Two for each task may be more than the 1024 that a program usually may open.
    import resource

    resource.setrlimit(7, (resource.getrlimit(7)[1],) * 2)

    def target(stream, node, rank):
        """Where a stream of a task goes: a descriptor, or 0 when it is dropped."""
        name = 0
        #% if opt:error
        if stream == 2:
            name = option("error", "STDERRMODE")
        #% end
        name = name or option("output", "STDOUTMODE")
        if not name or name == "all":
            return stream
        if name.isdecimal() and int(name) < tasks:
            return stream if int(name) == rank else 0
        if name.lower() == "none":
            return 0
        values = {
            "t": rank, "n": nodes.index(node), "N": names[node].split(".")[0], "s": step, "j": job,
            "J": job + "." + str(step), "x": ENV.get("SLURM_JOB_NAME"), "A": ENV.get("SLURM_ARRAY_JOB_ID", job),
            "a": ENV.get("SLURM_ARRAY_TASK_ID", "4294967294"), "u": ENV.get("SLURM_JOB_USER"), "%": "%",
        }
        name = os.path.join(
            where,
            re.sub("%([0-9]*)(.)", lambda part: str(values.get(part[2], part[0])).zfill(min(10, int(part[1] or 0))), name),
        )
        if name not in files:
            try:
                mode = os.O_TRUNC
                #% if opt:open-mode
                if (option("open-mode") or "t")[0].lower() == "a":
                    mode = os.O_APPEND
                #% end
                files[name] = os.open(name, mode | os.O_WRONLY | os.O_CREAT, 0o666)
            except OSError as error:
                die(f"error: Could not open {(0, 'stdout', 'stderr')[stream]} file: {error.strerror}")
        return files[name]

    targets = {
        (stream, rank): target(stream, node, rank) for stream in (1, 2) for node, own in zip(nodes, ranks) for rank in own
    }
    #% end

    #% if stdin
    name = option("input", "STDINMODE") or "all"
    only = None
    source = 0
    if name.isdecimal() and int(name) < tasks:
        only = int(name)
    elif name.lower() == "none":
        source = os.open("/dev/null", 0)
    elif name != "all":
        try:
            source = os.open(os.path.join(where, name), 0)
        except OSError as error:
            die(f"error: Could not open stdin file: {error.strerror}")
    #% end

    #% if !agent
    links = {}
    #% end
    #% if agent
    # Signals end srun until all nodes are there.
    links = {dial(names[node], addresses[node]): node for node in nodes}
    #% end
    #% end
    # From now on signals are for the tasks, and wait until these have been started.
    signal.pthread_sigmask(0, HEARD)
    for number_ in HEARD:
        signal.signal(number_, cast)
    #% if ending
    signal.signal(14, stop)
    signal.signal(15, told)
    #% end
    #% if !pipes
    for rank, argv, task_env in each_task(0):
        processes[start(argv, task_env, where)] = rank
    #% end
    #% if pipes
    #% if !agent
    # What serves the tasks has no links: a signal for all that are called srun does nothing there.
    link, far = Pipe()
    if not os.fork():
        os.setsid()
        link.close()
        try:
            serve(far)
        finally:
            os._exit(0)
    far.close()
    links[link] = 0
    #% end
    for place, link in enumerate(links):
        #% if opt:unbuffered
        link.send(option("unbuffered", "UNBUFFEREDIO"))
        #% end
        #% if container
        link.send(given)
        #% end
        link.send((where, each_task(place)))
    #% end
    signal.pthread_sigmask(1, HEARD)
    #% if time
    signal.alarm(limit)
    #% end
    #% if !pipes
    while processes:
        done(0, *ended(processes))
    #% end
    #% if pipes
    #% if stdin
    # The nodes that have not yet handed on what was read last.
    unsaid = set()
    #% end
    while links:
        for link in wait([
            *links,
            #% if stdin
            *([] if unsaid else [source]),
            #% end
        ]):
            #% if stdin
            if link == source:
                try:
                    data = os.read(source, 8192)
                except OSError:
                    data = b""
                cast((only, data))
                # After the end nothing more is read.
                unsaid = {*links} if data else {0}
                continue
            #% end
            node = links[link]
            try:
                message = link.recv()
            except (EOFError, OSError) as error:
                # The other nodes see that srun is gone and end their tasks.
                die(f"error: Node failure on {names[node]}: {error or 'connection lost'}")
            #% if stdin
            if not message or message[0] > 2:
                unsaid.discard(link)
            #% end
            if not message:
                del links[link]
                continue
            stream, rank, data = message
            #% if stdin
            if stream > 2:
                continue
            #% end
            if not stream:
                done(node, rank, data)
                continue
            #% if label
            if option("label", "LABELIO"):
                prefix = b"%*d: " % (len(str(tasks - 1)), rank)
                data = b"".join(prefix + line + b"\n" for line in data.removesuffix(b"\n").split(b"\n"))
            #% end
            #% if output
            stream = targets[stream, rank]
            if not stream:
                continue
            #% end
            try:
                while data:
                    data = data[os.write(stream, data) :]
            except OSError as error:
                die(f"error: cannot write: {error.strerror}")
    #% end
    os._exit(max(codes))


#% end
#% if scontrol_job|squeue|sacct|sinfo
def duration(total):
    days, total = divmod(int(total), 86400)
    clock = f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
    return f"{days}-{clock}" if days else clock


def facts():
    """What is known about the job, under the names of sacct."""
    import time

    def stamp(value):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(int(value))) if value else "Unknown"

    get = ENV.get
    began, ends = int(get("SLURM_JOB_START_TIME", 0)), int(get("SLURM_JOB_END_TIME", 0))
    passed = int(time.time()) - began if began else 0
    cpus = 0
    for part in get("SLURM_JOB_CPUS_PER_NODE", "1").split(","):
        count, _, times = part.strip(")").partition("(x")
        cpus += int(count) * int(times or 1)
    job = ENV["SLURM_JOB_ID"]
    array = get("SLURM_ARRAY_TASK_ID")
    names = hosts(ENV["SLURM_JOB_NODELIST"])
    return {
        "jobid": get("SLURM_ARRAY_JOB_ID", job) + "_" + array if array else job,
        "jobidraw": job,
        "jobname": get("SLURM_JOB_NAME", ""),
        "user": get("SLURM_JOB_USER", "root"),
        "uid": get("SLURM_JOB_UID", "0"),
        "gid": get("SLURM_JOB_GID", "0"),
        "group": "root",
        "account": get("SLURM_JOB_ACCOUNT", "(null)"),
        "qos": get("SLURM_JOB_QOS", "(null)"),
        "partition": get("SLURM_JOB_PARTITION", "main"),
        "cluster": get("SLURM_CLUSTER_NAME", "flowc"),
        "state": "RUNNING",
        "exitcode": "0:0",
        "derivedexitcode": "0:0",
        "elapsed": duration(passed),
        "elapsedraw": str(passed),
        "timelimit": duration(ends - began) if ends else "UNLIMITED",
        "timelimitraw": str((ends - began) // 60) if ends else "UNLIMITED",
        "left": duration(ends - began - passed) if ends else "UNLIMITED",
        "submit": stamp(began),
        "start": stamp(began),
        "end": stamp(ends),
        "nodelist": ENV["SLURM_JOB_NODELIST"],
        "head": names[0],
        "nnodes": get("SLURM_JOB_NUM_NODES", str(len(names))),
        "allocnodes": str(len(names)),
        "ncpus": str(cpus),
        "alloccpus": str(cpus),
        "ntasks": get("SLURM_NTASKS", str(len(names))),
        "workdir": get("SLURM_SUBMIT_DIR", os.getcwd()),
        "command": get("FLOWC_COMMAND", "(null)"),
        "stdout": get("FLOWC_STDOUT", "(null)"),
        "stderr": get("FLOWC_STDERR", get("FLOWC_STDOUT", "(null)")),
        "restarts": get("SLURM_RESTART_COUNT", "0"),
        #% if no_requeue
        "requeue": "0",
        #% end
        #% if !no_requeue
        "requeue": "1",
        #% end
        "width": get("SLURM_CPUS_PER_TASK", "1"),
        "arrayjob": get("SLURM_ARRAY_JOB_ID", job),
        "arraytask": array or "N/A",
        "maxrss": "",
        "reqmem": get("SLURM_MEM_PER_NODE", "0") + "M",
    }


#% end
#% if requeue|no_requeue|scancel|scontrol_job
def own(ids):
    """Ends the program unless these are ids of this job or its steps."""
    job = ENV["SLURM_JOB_ID"]
    master = ENV.get("SLURM_ARRAY_JOB_ID", job) + "_" + ENV.get("SLURM_ARRAY_TASK_ID", "")
    for name in ids:
        if name.split(".")[0] not in (job, master):
            die(f"error: only the own job {job} is known here, not {name}")


#% end
#% if relay
def on_head():
    """Has it done by the head's agent, as a step of one task: what it is to end runs there."""
    head, address = open(STATE).read().split()[:2]
    if ENV["SLURMD_NODENAME"] != head:
        link = dial(head, address)
        #% if opt:unbuffered
        link.send(0)
        #% end
        #% if container
        link.send({})
        #% end
        link.send(("/", [(0, [NAME, *WORDS], {**ENV, "SLURMD_NODENAME": head})]))
        stream, _, data = link.recv()
        if stream:
            os.write(2, data)
        os._exit(data if not stream else 1)


#% end
#% if requeue|scancel
def end_job(word):
    """The startup script reads the word when the body has ended, for which it has 30 seconds. Where the file is there
    already the body has been told."""
    told = os.path.exists("/run/flowc.end")
    with open("/run/flowc.end", "w") as file:
        file.write(word)
    if told:
        return
    body = int(ENV["FLOWC_BODY"])
    signal.signal(15, signal.SIG_IGN)
    for number in 15, 18:
        os.killpg(body, number)
    if not os.fork():
        # Of the body's own process group, it ends with it.
        os.closerange(0, 3)
        signal.sigtimedwait((), 30)
        os.killpg(body, 9)


#% end
#% if scontrol
def scontrol():
    words = [word for word in WORDS if word not in ("-o", "--oneliner", "-d", "--details")]
    what = (words + ["", ""])[:2]
    if what == ["show", "hostnames"] or what == ["show", "hostname"]:
        print(*hosts(words[2] if len(words) > 2 else ENV["SLURM_NODELIST"]), sep="\n")
        return
    #% if show_hostlist
    if what[0] == "show" and what[1][:8] == "hostlist":
        names = hosts(words[2] if len(words) > 2 else ENV["SLURM_NODELIST"])
        if what[1] == "hostlistsorted":
            names.sort(key=lambda name: (name.rstrip("0123456789"), len(name), name))
        print(compress(names))
        return
    #% end
    #% if scontrol_job
    if what[0] == "show" and what[1][:3] == "job":
        own(words[2:])
        fact = facts()
        text = """JobId={jobidraw} JobName={jobname}
   UserId={user}({uid}) GroupId={group}({gid}) MCS_label=N/A
   Priority=1 Nice=0 Account={account} QOS={qos}
   JobState={state} Reason=None Dependency=(null)
   Requeue={requeue} Restarts={restarts} BatchFlag=1 Reboot=0 ExitCode={exitcode}
   RunTime={elapsed} TimeLimit={timelimit} TimeMin=N/A
   SubmitTime={submit} EligibleTime={start}
   StartTime={start} EndTime={end} Deadline=N/A
   Partition={partition}
   NodeList={nodelist}
   BatchHost={head}
   NumNodes={nnodes} NumCPUs={ncpus} NumTasks={ntasks} CPUs/Task={width} ReqB:S:C:T=0:0:*:*
   Command={command}
   WorkDir={workdir}
   StdErr={stderr}
   StdIn=/dev/null
   StdOut={stdout}
""".format(**fact)
        print(" ".join(text.split()) if "-o" in WORDS or "--oneliner" in WORDS else text)
        return
    if what[0] == "show" and what[1][:4] == "node":
        fact = facts()
        known = hosts(fact["nodelist"])
        for name in hosts(words[2]) if len(words) > 2 else known:
            if name not in known:
                die(f"Node {name} not found")
            print(
                f"NodeName={name} NodeAddr={name} NodeHostName={name} CPUAlloc={os.cpu_count()} "
                f"CPUTot={os.cpu_count()} Gres=gpu:{ENV.get('SLURM_GPUS_ON_NODE', 0)} State=ALLOCATED "
                f"Partitions={fact['partition']}"
            )
        return
    #% end
    #% if requeue|no_requeue
    if what[0] == "requeue":
        own(words[1:] or [""])
        #% if no_requeue
        os.write(2, f"Requested operation is presently disabled for job {words[1]}\n".encode())
        os._exit(1)
        #% end
        #% if requeue
        #% if relay
        on_head()
        #% end
        end_job("requeue")
        return
        #% end
    #% end
    die(f"error: there is no Slurm on this machine: `scontrol {' '.join(WORDS)}` cannot be done")


#% end
#% if squeue|sacct|sinfo|scancel
def asked(table):
    """The options by name, those of the program's variables too, and the other words. `table` is written as OPTIONS is."""
    global OPTIONS
    OPTIONS = table
    given = {}
    #% if picks
    given = {name[len(NAME) + 1 :].lower(): ENV[name] for name in ENV if name.startswith(NAME.upper() + "_")}
    #% end
    words, rest = WORDS[:], []
    while words:
        given.update(options(words))
        rest += words[:1]
        del words[:1]
    return given, rest


#% end
#% if squeue|sacct
def picked(given, fact):
    """Whether the options pick out the own job, which runs."""
    text = "jobs jobid jobidraw arrayjob"
    #% if picks
    text += ";states R RUNNING ALL;users user uid;names jobname;partitions partition;accounts account;qos qos;licenses;reservation"
    known = hosts(fact["nodelist"])
    for name in hosts(given.get("nodelist", "")):
        if name not in known:
            die("error: Invalid node name " + name)
    #% end
    for part in text.split(";"):
        name, *own = part.split()
        items = [item.split(".")[0] if name == "jobs" else item for item in given.get(name, "").split(",")]
        if name in given and not {*items, *(map(str.upper, items) if name == "states" else ())} & {fact.get(key, key) for key in own}:
            return False
    return True


#% end
#% if squeue|sinfo
def table(text, columns, header, rows):
    """Prints rows by a format of `%.18i` items."""
    def cell(part):
        name, title = columns.get(part[3], " ").split(" ")
        return fit(row.get(name, "N/A") if row else title, part[1], int(part[2] or 0))

    for row in ([] if header else [{}]) + rows:
        line = re.sub(r"%(\.?)(\d*)([a-zA-Z])", cell, text)
        print(line.rstrip() if text.endswith("R") else line)


#% end
#% if squeue|sacct|sinfo
def fit(text, right, width):
    return text if not width else (text.rjust(width) if right else text.ljust(width))[:width]


#% end
#% if squeue
def squeue():
    text = "@squeue.always@"
    #% if picks
    text += " @squeue.picks@"
    #% end
    given, rest = asked(text)
    given.setdefault("nodelist", given.get("nodes", ""))
    if "jobs" in given and rest:
        given["jobs"] = rest.pop(0)
    elif not given.get("jobs") and not {"--jobs=", "--job="} & {*WORDS}:
        # `-j` alone stands for all.
        given.pop("jobs", 0)
    if rest:
        die("error: Unrecognized option: " + rest[0])
    columns = {
        "i": "jobid JOBID", "A": "jobidraw JOBID", "F": "arrayjob ARRAY_JOB_ID", "K": "arraytask ARRAY_TASK_ID",
        "j": "jobname NAME", "T": "state STATE", "t": "short ST", "M": "elapsed TIME", "l": "timelimit TIME_LIMIT",
        "L": "left TIME_LEFT", "e": "end END_TIME", "S": "start START_TIME", "D": "nnodes NODES", "N": "nodelist NODELIST",
        "R": "nodelist NODELIST(REASON)", "u": "user USER", "U": "uid UID", "P": "partition PARTITION", "a": "account ACCOUNT",
        "C": "ncpus CPUS", "B": "head EXEC_HOST", "Z": "workdir WORK_DIR", "q": "qos QOS", "o": "command COMMAND",
        "V": "submit SUBMIT_TIME",
    }
    fact = {**facts(), "short": "R"}
    for name in "elapsed", "timelimit", "left":  # 0:05, 30:00, 1:30:00
        text = fact[name]
        while text[0] in "0:" and len(text) > 4:
            text = text[1:]
        fact[name] = text
    jobs = given.get("jobs", "").split("_")[0].split(".")[0]
    if jobs and "," not in jobs and jobs not in (fact["jobidraw"], fact["arrayjob"]):
        os.write(2, b"slurm_load_jobs error: Invalid job id specified\n")
        os._exit(1)
    form, bare = given.get("format", "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"), "noheader" in given
    #% if picks
    if "long" in given:
        import time

        bare or print(time.asctime())
        form = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"
    if "Format" in given:
        letters = {text.split()[1].replace("_", "").lower(): letter for letter, text in columns.items()}
        names = "jobarrayid i statecompact t numnodes D username u userid U numcpus C timeused M batchhost B reasonlist R".split()
        letters.update(zip(names[::2], names[1::2]))
        form = ""
        for item in given["Format"].split(","):
            name, _, width = item.partition(":")
            if name.lower() not in letters:
                die("error: Invalid job format specification: " + item)
            form += f"%{width or 20}{letters[name.lower()]}"
    #% end
    table(form, columns, bare, [fact] * picked(given, fact))


#% end
#% if sacct
def sacct():
    text = "@sacct.always@"
    #% if picks
    text += " @sacct.picks@"
    #% end
    given, _ = asked(text)
    #% if picks
    given.update({"users": given["uid"]} if "uid" in given else {})
    #% end
    bare, plain = "noheader" in given, "parsable" in given or "parsable2" in given
    fact = facts()
    names = given.get("format") or "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode"
    names = ("JobID,State,ExitCode" if "brief" in given else names).split(",")
    known = "JobID JobIDRaw JobName User UID GID Group Account QOS Partition Cluster State ExitCode DerivedExitCode Elapsed"
    known += " ElapsedRaw Timelimit TimelimitRaw Submit Start End NodeList NNodes AllocNodes NCPUS AllocCPUS NTasks WorkDir MaxRSS ReqMem"
    # What accounting measures or adds up is empty.
    known += " AveCPU AveRSS AveVMSize MaxVMSize TotalCPU CPUTime AllocTRES ReqTRES"
    known = {name.lower(): name for name in known.split()}
    rows = [[], []]
    for name in names:
        name, _, width = name.partition("%")
        if name.lower() not in known or not (width or "0").removeprefix("-").isdecimal():
            die(f'error: Invalid field requested: "{name}"')
        name = known[name.lower()]
        size = int(width or {"JobID": -12, "State": 10, "ExitCode": 8, "Start": 19, "End": 19, "Submit": 19, "NodeList": 15}.get(name, 10))
        for row, text in zip(rows, (name, fact.get(name.lower(), ""))):
            row.append(text if plain else fit(text, size > 0, abs(size)))
    lines = [rows[0], *([] if plain else [["-" * len(text) for text in rows[0]]])] * (not bare)
    lines += rows[1:] * picked(given, fact)
    mark = given.get("delimiter", "|") if plain else " "
    for line in lines:
        print(mark.join(line) + mark * ("parsable2" not in given))


#% end
#% if sinfo
def sinfo():
    text = "@sinfo.always@"
    #% if picks
    text += " @sinfo.picks@"
    #% end
    given, _ = asked(text)
    fact = facts()
    apart = "Node" in given
    own = names = hosts(fact["nodelist"])
    #% if picks
    if "nodes" in given:
        names = [name for name in own if name in hosts(given["nodes"])]
    states = given.get("states", "all").lower().split(",")
    found = {"alloc", "allocated", "all"} & {*states} and "dead" not in given
    if not found or fact["partition"] not in given.get("partition", fact["partition"]).split(","):
        names = []
    #% end
    row = {
        "partition": fact["partition"] + "*", "up": "up", "limit": "infinite", "nodes": str(len(names)), "state": "alloc",
        "long": "allocated", "names": fact["nodelist"] if names == own else ",".join(names), "cpus": str(os.cpu_count()), "gres": f"gpu:{ENV.get('SLURM_GPUS_ON_NODE', 0)}",
        "memory": str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20),
    }
    rows = [{**row, "names": name, "nodes": "1"} for name in names] if apart else [row] * bool(names)
    columns = {
        "P": "partition PARTITION", "R": "partition PARTITION", "a": "up AVAIL", "l": "limit TIMELIMIT", "D": "nodes NODES",
        "t": "state STATE", "T": "long STATE", "N": "names NODELIST", "n": "names HOSTNAMES", "c": "cpus CPUS", "G": "gres GRES",
        "m": "memory MEMORY",
    }
    form = "%N %.6D %.9P %6t" if apart else "%9P %.5a %.10l %.6D %.6t %N"
    table(given.get("format", form), columns, "noheader" in given, rows)


#% end
#% if scancel
def scancel():
    given, names = asked("@scancel.always@")
    number = 0
    if "signal" in given:
        text = given["signal"].upper().replace("SIG", "")
        number = int(text) if text.isdecimal() else getattr(signal, "SIG" + text, 0)
        if not 0 < number < 65:
            os.write(2, f"Unknown job signal: {given['signal']}\n".encode())
            os._exit(1)
    if not names:
        die("error: No job identification provided")
    own(names)
    #% if relay
    on_head()
    #% end
    for name in names:
        step = name.partition(".")[2]
        if not step and number in (0, 9):
            end_job("cancel")
            continue
        if "batch" in given or "full" in given:
            # The shell alone, or all that it started: srun hands it on to its tasks.
            (os.killpg if "full" in given else os.kill)(int(ENV["FLOWC_BODY"]), number or 15)
            continue
        try:
            pids = open("/run/flowc.step." + ENV["SLURM_JOB_ID"]).read().split()
        except OSError:
            pids = []
        if step.isdecimal() and int(step) >= len(pids):
            die(f"error: Kill job error on job id {name}: Invalid job id specified")
        for pid in [pids[int(step)]] if step.isdecimal() else pids:
            try:
                # The number may belong to another program by now.
                mark = f"SLURM_JOB_ID={ENV['SLURM_JOB_ID']}\0".encode()
                if mark in open(f"/proc/{pid}/environ", "rb").read() and b"srun" in open(f"/proc/{pid}/cmdline", "rb").read():
                    os.kill(int(pid), number or 15)
            except OSError:
                pass


#% end
#% if rsh
def agent_rsh():
    """`agent_rsh HOST COMMAND…` for MPI's launchers: one more task on that node, like ssh."""
    words = WORDS[:]
    while words and words[0][0] == "-":
        words.pop(0)
    os.execvp("srun", ["srun", "-N1", "-n1", "-O", "-w", words[0], "sh", "-c", " ".join(words[1:])])


#% end
#% if sbatch
def sbatch():
    die("error: there is no Slurm here that could take another job: compile and submit it with `flowc` instead")


salloc = sbatch


#% end
globals()[NAME]()
