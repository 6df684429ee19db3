"""srun: what it was told, then what it does until the tasks of its step have ended."""
#% if srun
#% if any_option
def option(name, variable=""):
    return given.get(name) or ENV.get("SLURM_" + (variable or name.upper().replace("-", "_")))


#% end
#% if choose|opt:wait
def number(name):
    # What a variable that is not set gives is no number.
    value = given.get(name, option(name)) or "0"
    # Of all numbers only those of --wait and --relative may be 0.
    if not value.isdecimal() or int(value) < (name in given and name < "r"):
        die(f'error: Invalid numeric value "{value}" for --{name}.')
    return int(value)


#% end
#% if values
def check_values():
    """Of options that nothing is done about too."""
    for name, form, code in (
        ("mem", SIZE, 255),
        ("mem-per-cpu", SIZE, 255),
        ("mem-per-gpu", SIZE, 255),
        (
            "cpu-bind",
            r"(?!$)((q|quiet|v|verbose|no(ne)?|rank|rank_ldom|(socket|core|thread|ldom|board)s?)(,|$))*((map|mask)_(cpu|ldom):.+)?",
            1,
        ),
        ("mem-bind", r"((q|quiet|v|verbose|no(ne)?|rank|local|prefer|p|(no)?sort)(,|$))*((map|mask)_mem:.+)?", 255),
        ("hint", r"((compute_bound|memory_bound|(no)?multithread)(,|$))+", 1),
        ("open-mode", "[at].*", 255),
        ("exclusive", "(user|mcs)?", 255),
        #% if opt:signal
        (
            "signal",
            r"(0*[1-9]\d*|(sig)?(abrt|alrm|cont|hup|int|kill|quit|stop|term|tstp|ttin|ttou|urg|usr[12]|xcpu))(@[1-6]?\d{1,4})?",
            255,
        ),
        #% end
        ("kill-on-bad-exit", r"\d*", 1),
    ):
        if not re.fullmatch(form, given.get(name, ""), 2) and name in given:
            die(f"error: Invalid --{name} specification", code)


#% end
def read_words():
    """What is wrong is said before a task runs."""
    global given, patience, job, limit, mpi
    #% if !any_option
    if WORDS and WORDS[0][:1] == "-":
        die(f"unrecognized option '{WORDS[0]}'", 255)
    #% end
    #% if any_option
    #% if het
    read_components(WORDS)
    #% end
    #% if !het
    given = options(WORDS)
    #% end
    #% end
    #% if values
    check_values()
    #% end
    #% if opt:wait
    patience = number("wait")
    #% end
    job = ENV["SLURM_JOB_ID"]
    #% if stdin
    # Where standard input is closed, the next file opened would be taken for it.
    os.path.exists("/dev/fd/0") or os.open("/dev/null", 0)
    #% end
    #% if opt:version
    if "version" in given:
        os.write(1, b"slurm-wlm 22.05.8\n")
        os._exit(0)
    #% end
    #% if jobid
    if given.get("jobid", job) != job:
        die(f"error: Unable to confirm allocation for job {given['jobid']}: Invalid job id specified")
    #% end
    #% if container
    #% if pyxis
    for wish in "image", "mounts", "workdir", "name", "env":
        given.setdefault("container-" + wish, ENV.get("PYXIS_CONTAINER_" + wish.upper(), ""))
    if ENV.get("PYXIS_CONTAINER_MOUNT_HOME") in ("1", "true", "yes", "y") and "no-container-mount-home" not in given:
        given["container-mount-home"] = "1"
    #% end
    image = given.setdefault("container-image", "")
    #% if image_files
    # By a variable: what the shell is given needs no quotes.
    ENV["FLOWC_IMAGE"] = image
    image = os.popen('/usr/local/bin/flowc-image "$FLOWC_IMAGE"').read().strip() or image
    del ENV["FLOWC_IMAGE"]
    #% end
    if image[:1] in ("/", ".") or image.endswith(".sqsh"):
        die(f"error: the container image {image} is no image of a registry that docker pulls: push it to one")
    given["container-image"], given["login"] = credentials(image)
    #% end
    #% if mpi
    choose_mpi()
    #% end
    if not WORDS:
        die("fatal: No command given to execute.")
    #% if time
    limit = seconds(given.get("time", option("time", "TIMELIMIT") or "0"))
    #% end


def each_task(place):
    """Rank, program and environment of each task of a node."""
    own = ranks[place]
    #% if account
    global devices
    cores, devices = held[nodes[place]]
    #% end
    return [
        (
            rank,
            #% if multi_prog|het|input_each
            programs.get(rank, WORDS),
            #% end
            #% if !multi_prog
            #% if !het
            #% if !input_each
            WORDS,
            #% end
            #% end
            #% end
            {
                **env,
                "SLURM_NODEID": str(place),
                "SLURMD_NODENAME": names[nodes[place]],
                "SLURM_GTIDS": ",".join(map(str, own)),
                "SLURM_PROCID": str(rank),
                "SLURM_LOCALID": str(local),
                #% if het_job
                **settle(place, len(own)),
                #% end
                #% if pmi
                **({"PMI_RANK": str(rank)} if mpi == "pmi2" else {}),
                #% end
                #% if account
                **({"SLURM_CPUS_ON_NODE": str(cores or len(own))} if exact else {}),
                #% end
                #% if !account
                #% if opt:cpus-per-task|opt:exact|opt:exclusive
                **(
                    {"SLURM_CPUS_ON_NODE": str(len(own) * width)}
                    if given.get("cpus-per-task") or option("exact")
                    #% if opt:exclusive
                    or {"exclusive"} & {*given}
                    #% end
                    else {}
                ),
                #% end
                #% end
                #% if account
                **(gpus(local, len(own)) if devices and (here or per_task) else {}),
                #% end
                #% if !account
                #% if gpu
                **(gpus(local, len(own)) if here or per_task else {}),
                #% end
                #% end
            },
        )
        for local, rank in enumerate(own)
    ]


#% if !pipes
def start_here():
    global processes
    processes = {}
    for rank, words, task_env in each_task(0):
        processes[start(words, task_env, where)] = rank


#% end
#% if pipes
def connect():
    """To what starts tasks on each node."""
    global links
    #% if !agent
    links = {}
    #% end
    #% if agent
    # Signals end srun until all nodes are there.
    links = {dial(names[node], addresses[node]): node for node in nodes}
    #% end


def launch():
    """Tells each node its tasks."""
    #% if !agent
    # What serves the tasks has no links: a signal for all that are called srun does nothing there.
    link, far = Pipe()
    if not os.fork():
        os.setsid()
        link.close()
        #% if descriptors
        [*map(os.close, opened)]
        #% end
        try:
            serve(far)
        finally:
            # Also of a task that Python does not even try to start: none has an empty name.
            os._exit(1)
    far.close()
    links[link] = 0
    #% end
    for place, link in enumerate(links):
        #% if opt:unbuffered
        link.send(
            (option("unbuffered", "UNBUFFEREDIO") or "pty" in given)
            #% if output
            # Not where each task or node has a file of its own.
            and not re.search(r"%\d*[tnN]", option("output", "STDOUTMODE") or "")
            #% end
        )
        #% end
        #% if container
        link.send(given)
        #% end
        link.send((where, each_task(place)))
        #% if pmix
        step_nodes = [(names[node], own) for node, own in zip(nodes, ranks)]
        link.send((mpi, f"{job}.{step}", step_nodes, place) if mpi[:3] == "pmi" else None)
        #% end


#% end
def take_signals():
    """From now on signals are for the tasks, and wait until these have been started."""
    signal.pthread_sigmask(0, HEARD)
    for number_ in HEARD:
        signal.signal(number_, cast)
    #% if ending
    signal.signal(14, stop)
    signal.signal(15, told)
    #% end


if NAME == "srun":
    read_words()
    #% if released
    read_as_released()
    #% end
    #% if het_job
    choose_groups()
    lay_out_groups()
    #% end
    find_nodes()
    #% if opt:ntasks-per-node
    read_tasks_per_node()
    #% end
    #% if choose|opt:exact|opt:exclusive|account
    width = 1
    #% end
    #% if choose
    count_tasks()
    #% end
    lay_out()
    #% if multi_prog|het|input_each
    programs = {}
    #% end
    #% if het
    #% if !het_job
    if components[1:]:
        lay_out_components(components)
    #% end
    #% end
    #% if gpu
    choose_gpus()
    #% end
    #% if het_job
    join_groups()
    #% end
    #% if shared
    keeper = None
    if ENV.get("SLURMD_NODENAME", names[0]) == names[0]:
        join_steps()
    else:
        join_on_head()
    #% end
    #% if !shared
    #% if account
    take_share()
    #% end
    begin_step()
    #% end
    #% if export
    choose_variables()
    #% end
    describe_step()
    #% if multi_prog
    if "multi-prog" in given:
        read_multi_prog(WORDS[0])
    #% end
    where = os.getcwd()
    #% if opt:chdir
    where = os.path.join(where, option("chdir", "WORKING_DIR") or "")
    #% end
    #% if dotted
    #% if !container
    if WORDS[0][:1] == ".":
        WORDS[0] = os.path.join(where, WORDS[0])
    #% end
    #% end
    codes = [0]
    #% if ending
    last = [9, 15]
    #% end
    #% if output
    open_output()
    #% end
    #% if stdin
    open_input()
    #% end
    #% if pipes
    connect()
    #% end
    take_signals()
    #% if !pipes
    start_here()
    #% end
    #% if pipes
    launch()
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
    attend()
    #% end
    #% if pmix
    os._exit(aborted or max(codes))
    #% end
    #% if !pmix
    os._exit(max(codes))
    #% end
#% end
#% if read_in_part
# Who asks may read no more than the first line. The agents go on.
if NAME > "b":
    signal.signal(13, 0)
#% end
globals()[NAME]()
