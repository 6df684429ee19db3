"""The number of a step and the variables that its tasks have in common."""
#% if srun
def begin_step():
    """Each step has its line, by which scancel finds it."""
    global step, env
    with open("/run/flowc.step." + job, "ab", 0) as steps:
        steps.write(b"%9d\n" % os.getpid())
        step = steps.tell() // 10 - 1
    env = dict(ENV)


#% if shared
def join_steps():
    """What all steps of the job have in common, which is kept on the head."""
    #% if account
    take_share()
    #% end
    begin_step()


def for_share():
    """What the share and the number of a step follow from."""
    return (
        job,
        #% if account
        given, tasks, width, exact, low, upper, pool, must, cpus, nodes, count, ranks, share, in_all, per_task, devices,
        #% if opt:distribution
        spread,
        #% end
        #% end
    )


def of_share():
    """What came of it."""
    return (
        step,
        #% if account
        nodes, count, ranks, held,
        #% end
    )


def join_on_head():
    """An agent does it there in the name of this srun, for as long as this one lives."""
    global keeper, env, step
    #% if account
    global nodes, count, ranks, held
    #% end
    keeper = dial(names[0], addresses[0])
    #% if opt:unbuffered
    keeper.send(0)
    #% end
    #% if container
    keeper.send({})
    #% end
    keeper.send(("", (for_share(), dict(ENV))))
    try:
        while type(found := keeper.recv()) is not tuple:
            relay(found)
    except EOFError:
        os._exit(1)
    (
        step,
        #% if account
        nodes, count, ranks, held,
        #% end
    ) = found
    env = dict(ENV)


def relay(found):
    """What srun is to say, or a signal that scancel has for it."""
    if type(found) is str:
        say(found)
    else:
        os.kill(os.getpid(), found)


def heard(link):
    """Whether it is the head's agent."""
    if link == keeper:
        try:
            relay(link.recv())
        except (EOFError, OSError):
            die(f"error: Node failure on {names[0]}: connection lost")
    return link == keeper


def stand_in(link, found, variables):
    """The agent's side; ends with that srun."""
    global say, job
    #% if account
    global given, tasks, width, exact, low, upper, pool, must, cpus, nodes, count, ranks, share, in_all, per_task, devices
    #% if opt:distribution
    global spread
    #% end
    #% end
    (
        job,
        #% if account
        given, tasks, width, exact, low, upper, pool, must, cpus, nodes, count, ranks, share, in_all, per_task, devices,
        #% if opt:distribution
        spread,
        #% end
        #% end
    ) = found
    ENV.clear()
    ENV.update(variables)
    say = link.send
    for number_ in HEARD:
        signal.signal(number_, lambda number_, _: link.send(number_))
    join_steps()
    link.send(of_share())
    link.recv()


#% end
#% if export
def choose_variables():
    global env
    export = option("export", "EXPORT_ENV") or "ALL"
    #% if exports
    export = given.get("export") or ENV.get("SRUN_EXPORT_ENV") or export
    #% end
    #% if export_none
    # It ends the list.
    export = re.split("(?i)(?<![^,])none(?![^,])", export)[0]
    #% end
    items = re.findall(r"""(?:[^,'"]|'[^']*'|"[^"]*")+""", export)
    if "ALL" not in map(str.upper, items):
        env = {name: ENV[name] for name in ENV if name[:6] == "SLURM_" or name in items}
    for item in items:
        if item[0] in "'\"" and item[-1] == item[0]:
            item = item[1:-1]
        name, equal, value = item.partition("=")
        if name and equal:
            #% if exports
            # What is there already stays.
            env.setdefault(name, value)
            #% end
            #% if !exports
            env[name] = value
            #% end


#% end
#% if step_gpus
def give_share():
    """The GPUs of a job with the machine to itself: a step gets as many as were asked for."""
    global env
    #% if unbound
    # `-0`: there are some, and nothing is bound.
    dropped = ("CUDA_VISIBLE_DEVICES", "SLURM_GPUS_ON_NODE")[: 2 - (ENV["FLOWC_STEP_GPUS"] == "-0")]
    env = {key: env[key] for key in env if key not in dropped}
    #% end
    #% if !unbound
    env = {key: env[key] for key in env if key not in ("CUDA_VISIBLE_DEVICES", "SLURM_GPUS_ON_NODE")}
    #% end
    if ids := ",".join(ENV["SLURM_JOB_GPUS"].split(",")[: int(ENV["FLOWC_STEP_GPUS"])]):
        env.update(SLURM_GPUS_ON_NODE=ENV["FLOWC_STEP_GPUS"], CUDA_VISIBLE_DEVICES=ids, SLURM_STEP_GPUS=ids)


#% end
def describe_step():
    global env
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
        for name in keys.split():
            #% if opt:preserve-env
            if given.get("preserve-env") and name in ("NTASKS", "NPROCS", "NNODES"):
                continue
            #% end
            env["SLURM_" + name] = str(value)
    #% if het_job
    describe_groups()
    #% end
    #% if opt:distribution
    if spread:
        env["SLURM_DISTRIBUTION"] = spread.split("=")[0]
    #% end
    #% if pmi
    if mpi == "pmi2":
        env.update(PMI_SIZE=str(tasks), PMI_JOBID=f"{job}.{step}", SLURM_PMI2_PROC_MAPPING=map_ranks())
    #% end
    #% if no_pmi
    # MPICH and Intel MPI would take each rank for the only one: a descriptor that is none ends them where they begin.
    if unserved and tasks > 1:
        env["PMI_FD"] = "99999"
    #% end
    #% if knows_group
    env["SLURM_JOB_GROUP"] = "root"
    #% end
    #% if umask
    mask = os.umask(0)
    os.umask(mask)
    env["SLURM_UMASK"] = "%04o" % mask
    #% end
    #% if step_gpus
    give_share()
    #% end


#% end
