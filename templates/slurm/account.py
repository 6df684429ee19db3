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
    global room, unheld, want
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
    room = unheld = want = 0
    said = ""
    while 1:
        with open("/run/flowc.use." + job, "a+") as file:
            fcntl.flock(file, 2)
            file.seek(0)
            lines = [line for line in file if life(line.split()[0]) == line.split()[1]]
            find_share([line.split() for line in lines if line.split()[0] != outer])
            if held:
                lines += [
                    f"{os.getpid()} {life(os.getpid())} {node} "
                    + ("0 -\n" if option("overlap") else f"{cores} {','.join(mine) or '-'}\n")
                    for node, (cores, mine) in held.items()
                ]
            file.truncate(0)
            file.writelines(lines)
        if held:
            break
        say(f"Job {job} step creation {said or 'temporarily'} disabled, retrying (Requested nodes are busy)")
        said = "still"
        # Until one of them ends.
        try:
            watched = [os.pidfd_open(int(line.split()[0])) for line in lines]
        except OSError:
            continue
        select.select(watched, [], [])
        for each in watched:
            os.close(each)
    if said:
        say(f"Step created for job {job}")


def find_room(lines):
    """CPUs for tasks of this width that are left on each node where a task can be, and the GPUs that are left."""
    global room, unheld
    room, unheld = {}, {}
    for one in pool:
        theirs = [] if option("overlap") else [line for line in lines if line[2] == str(one)]
        used = sum(int(line[3]) for line in theirs)
        free = 0 if used and not exact else cpus - used
        unheld[one] = [name for name in devices if not any(name in line[4].split(",") for line in theirs)]
        if len(unheld[one]) < max(share, per_task, in_all if upper < 2 else in_all > 0):
            free = 0
        elif per_task:
            free = min(free, -(-len(unheld[one]) // per_task) * width)
        if free >= (width if want else 1):
            room[one] = free // width * width or free


def find_share(lines):
    """Fills `held`: CPUs and GPUs on each node that a step gets; nothing where it must wait. Nodes without steps come
    first."""
    global room, unheld, nodes, count, ranks, want, held
    held = {}
    want = width * tasks
    #% if opt:overcommit
    if option("overcommit"):
        want = 0
    #% end
    find_room(lines)
    if not {*must} <= {*room}:
        return
    picked = [*must]
    if len(must) > low:
        room, picked = {node: room[node] for node in must}, []

    def cpus_of(ones):
        return sum(room[node] for node in ones)

    fewest = max(low, -(-want // cpus))
    others = [node for node in room if node not in picked]
    idle = [node for node in others if not any(line[2] == str(node) for line in lines)]
    #% if opt:relative
    if "relative" in given:
        idle = []
    #% end
    for ones in idle, others:
        if len(picked) < fewest <= len(picked) + len(ones):
            more = min(max(upper, fewest) - len(picked), len(ones))
            goal = -(-max(0, want - cpus_of(picked)) // more)
            ones = picked + sorted(ones, key=lambda node: room[node] < goal and cpus - room[node])[:more]
            if cpus_of(ones) >= want:
                picked = ones
    for node in others:
        if cpus_of(picked) < want and len(picked) < upper and node not in picked:
            picked.append(node)
    if len(picked) < fewest or cpus_of(picked) < want or sum(len(unheld[node]) for node in picked) < in_all:
        return
    nodes = sorted(picked)
    count = len(nodes)
    share_out()


def share_out():
    """Tasks go in turns where there is room, then they are numbered node by node."""
    global ranks
    sizes = [0] * count
    for turn in range(tasks):
        inside = [seat for seat in range(count) if room[nodes[seat]] // width > turn] or range(count)
        for seat in inside[: tasks - sum(sizes)]:
            sizes[seat] += 1
    turns = [(turn, seat) for seat in range(count) for turn in range(sizes[seat])]
    #% if opt:distribution
    if spread[:6] == "cyclic":
        turns.sort()
    #% end
    #% if opt:distribution|het
    laid = ranks
    #% end
    ranks = [[rank for rank, turn in enumerate(turns) if turn[1] == seat] for seat in range(count)]
    #% if het
    if "fixed" in given:
        ranks = laid
    #% end
    #% if opt:distribution
    if spread[:1] in ("p", "a") and len(laid) == count:
        ranks = laid
    #% end
    owed = in_all
    for seat, which in enumerate(nodes):
        portion = share or per_task * len(ranks[seat]) or min(len(unheld[which]), owed - count + seat + 1) * (owed > 0)
        held[which] = len(ranks[seat]) * width * (want > 0) if exact else cpus, unheld[which][:portion]
        owed -= portion


#% end
