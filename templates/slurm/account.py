"""What the steps that run have of each node: CPUs and GPUs. A step waits until there is enough left for it."""
#% if account
def life(process):
    """When a process began, nothing of one that has ended: its number alone may be another's by now."""
    try:
        state, *more = open(f"/proc/{process}/stat").read().rpartition(")")[2].split()
        return "" if state == "Z" else more[18]
    except OSError:
        return ""


def take_share():
    """A line for each node of a step: process and beginning of its srun, node, CPUs, GPUs. Who is gone has nothing."""
    global nodes, held
    #% if numbered
    if ENV.get("SLURM_STEP_ID") == "-5":
        # The batch script is no step of its own.
        del ENV["SLURM_STEP_ID"]
    #% end
    # A step that one of its tasks starts is within it.
    try:
        outer = open("/run/flowc.step." + job).read().split()[int(ENV["SLURM_STEP_ID"])]
    except (LookupError, OSError, ValueError):
        outer = ""
    said = 0
    while 1:
        with open("/run/flowc.use." + job, "a+") as file:
            fcntl.flock(file, 2)
            file.seek(0)
            lines = [line for line in file if life(line.split()[0]) == line.split()[1]]
            held = find_share([line.split() for line in lines if line.split()[0] != outer])
            if len(held) == count:
                lines += [
                    f"{os.getpid()} {life(os.getpid())} {node} {0 if option('overlap') else cores} {','.join(held[node]) or '-'}\n"
                    for node in held
                ]
            file.truncate(0)
            file.writelines(lines)
        if len(held) == count:
            break
        if not said:
            said = 1
            say(f"Job {job} step creation temporarily disabled, retrying (Requested nodes are busy)")
        time.sleep(0.1)
    if said:
        say(f"Step created for job {job}")
    nodes = sorted(held)


def find_share(lines):
    """The GPUs on each node where there is enough left, of as many nodes as the step has; nodes without steps first."""
    global cores
    cores = cpus
    if option("exact") or "exclusive" in given:
        cores = min(cpus, len(ranks[0]) * width)
    held = {}
    for node in sorted(pool, key=lambda node: (node not in must, any(line[2] == str(node) for line in lines))):
        own = [] if option("overlap") else [line for line in lines if line[2] == str(node)]
        left = [name for name in devices if not any(name in line[4].split(",") for line in own)]
        if len(held) < count and cores + sum(int(line[3]) for line in own) <= cpus and len(left) >= share:
            held[node] = left[:share]
    return held


#% end
