"""Which nodes a step is on, how many tasks it has and which of them are where."""
#% if srun
#% if opt:nodelist|opt:exclude
def indices(name):
    text = given.get(name, "")
    try:
        return [
            names.index(word)
            #% if rsh
            if word in names else addresses.index(word)
            #% end
            for word in hosts(open(text).read() if "/" in text else text)
        ]
    except ValueError:
        die(f"error: Unable to create step for job {job}: Requested node configuration is not available")


#% end
def find_nodes():
    """Of the job, and of the step."""
    #% if account
    global pool, must, upper
    #% end
    global names, addresses, seats, nodes, cpus, count, low, tasks
    #% if choose
    # The machines of a job are alike.
    cpus = int(ENV["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
    #% end
    #% if agent
    words = open(STATE).read().split()
    names, addresses = words[::2], words[1::2]
    #% if het_job
    if whose >= 0:
        names, addresses = (each[firsts[whose] : firsts[whose + 1]] for each in (names, addresses))
    #% end
    #% end
    #% if !agent
    names = [ENV["SLURM_JOB_NODELIST"]]
    #% end
    nodes = range(len(names))
    #% if !choose
    # As the job was laid out, which takes no option.
    count = low = len(names)
    tasks = int(ENV.get("SLURM_NTASKS") or count * int(ENV.get("SLURM_NTASKS_PER_NODE", 1)))
    #% end
    #% if choose
    choose_nodes()
    #% end


#% if arbitrary
def read_seats(path):
    """The node of each rank where a file or a list says it; else nothing."""
    #% if account
    global pool, must, upper
    #% end
    global seats, nodes, low, tasks
    seats = []
    if path or (option("distribution") or "").startswith("arbitrary"):
        text = given.get("nodelist", "")
        path = path or text * ("/" in text)
        try:
            text = open(path).read() if path else text
        except OSError:
            die("error: Failure getting NodeNames from hostfile")
        for word in text.split():
            word, star, times = word.partition("*")
            seats += hosts(word) * int(times or 1)
        tasks = number("ntasks") or len(seats)
        if tasks > len(seats) or not {*seats} <= {*names}:
            die("error: Too few NodeNames in Slurm Hostfile" if path else f"error: You asked for {tasks} tasks but hostlist specified {len(seats)} nodes")
        seats = [names.index(word) for word in seats[:tasks]]
        nodes = sorted({*seats})
        low = len(nodes)
        #% if account
        pool = must = nodes
        upper = low
        #% end


#% end
#% if opt:nodes
def read_range(high):
    """The least and the most nodes, of so many."""
    first, dash, second = given.get("nodes", ENV.get("SLURM_NNODES") or "1").partition("-")
    # Without a least number there may be any; 0 is none.
    least, second = first or dash and "0", second if dash else first
    if not (least.isdecimal() and second.isdecimal()) or 0 < int(second) < int(least):
        die(f'error: "{given["nodes"]}" is not a valid node count', 255)
    most = min(int(second) or int(least) or high, max(int(least), high))
    return int(least) or most, most


#% end
#% if choose
def choose_nodes():
    #% if account
    global pool, must, upper
    #% end
    global seats, nodes, low, tasks
    low = high = len(names)
    #% if opt:nodes
    low, high = read_range(high)
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
    skip = number("relative")
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
    #% if account
    pool, must, upper = nodes, (), high
    #% end
    #% if opt:nodefile
    if "nodefile" in given:
        given["nodelist"] = os.path.join(".", given["nodefile"])
    #% end
    #% if opt:nodelist
    wanted = indices("nodelist")
    if "nodelist" in given and not wanted:
        die("error: Hostlist is empty!  Can not run job.")
    #% if opt:relative|opt:exclude
    if wanted and "relative" in given or not {*wanted} <= {*nodes}:
        die(f"error: Unable to create step for job {job}: Requested node configuration is not available")
    #% end
    #% if account
    pool, must = [*{*wanted, *nodes}], wanted
    #% end
    nodes = sorted((wanted + [node for node in nodes if node not in wanted])[:high])
    #% end
    #% if !opt:nodelist
    nodes = nodes[:high]
    #% end
    #% if arbitrary
    read_seats("" if "nodelist" in given else ENV.get("SLURM_HOSTFILE", ""))
    #% end


#% end
#% if opt:ntasks-per-node
def read_tasks_per_node():
    global tasks
    #% if opt:tasks-per-node
    if "tasks-per-node" in given:
        given.setdefault("ntasks-per-node", given["tasks-per-node"])
    #% end
    each = number("ntasks-per-node")
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
#% if choose
def count_tasks():
    """Against the CPUs of each task."""
    #% if account
    global exact
    #% end
    global width, tasks, count, cpus
    #% if opt:cpus-per-gpu
    width = number("cpus-per-gpu") * amount("gpus-per-task") or 1
    #% end
    #% if opt:cpus-per-task
    given.setdefault("cpus-per-task", ENV.get("SRUN_CPUS_PER_TASK") or None)
    if given["cpus-per-task"] is not None:
        width = number("cpus-per-task")
        ENV["SLURM_CPUS_PER_TASK"] = str(width)
        tasks = tasks or cpus // width * len(nodes)
    #% end
    #% if account
    exact = option("exact") or {"exclusive", "SLURM_EXCLUSIVE"} & {*given, *ENV}
    #% if opt:cpus-per-task
    exact = exact or given["cpus-per-task"] and not option("overcommit")
    #% end
    #% end
    count = len(nodes)
    tasks = tasks or count
    #% if opt:ntasks-per-gpu
    # A smaller number of tasks does not hold, be it on srun's own line.
    on_each = number("ntasks-per-gpu")
    tasks = max(tasks, on_each * (amount("gres") or amount("gpus-per-node") or amount("gpus") or len(ENV.get("SLURM_JOB_GPUS", "").split(","))))
    #% end
    # The machines are the job's as a whole, as on clusters that give whole nodes.
    #% if account
    if tasks > cpus // width * count:
        cpus = max(cpus, os.cpu_count())
    #% end
    if tasks > max(cpus, os.cpu_count()) // width * count:
        #% if opt:overcommit
        if not option("overcommit"):
            die(f"error: Unable to create step for job {job}: More processors requested than permitted")
        #% end
        #% if !opt:overcommit
        die(f"error: Unable to create step for job {job}: More processors requested than permitted")
        #% end
    #% if opt:overcommit
    #% if !account
    if option("overcommit"):
        # Each counts for one CPU, and what it asks for says nothing of the node's.
        width = 1
        given["cpus-per-task"] = None
    #% end
    #% end


#% end
def lay_out():
    """In turns; block then numbers node by node."""
    global ranks, spread
    left = iter(range(tasks))
    ranks = [[next(left) for _ in range(place, tasks, count)] for place in range(count)]
    #% if opt:distribution
    spread = (option("distribution") or "").lower().replace(":*", ":cyclic").replace("*", "block")
    spread = "block," * (spread in ("pack", "nopack")) + spread
    outer, comma, filling = spread.partition(",")
    kind, _, inner = outer.partition(":")
    kind, _, size = kind.partition("=")
    #% if arbitrary
    kind = kind.replace("arbitrary", "")
    #% end
    if kind not in ("", "block", "cyclic", "plane") or {*inner.split(":")} - {"", "block", "cyclic", "fcyclic"} or "" == given.get("distribution") or comma and (kind in ("", "plane") or filling not in ("pack", "nopack")):
        die("error: Invalid --distribution specification", 255)
    #% if plane
    size = size or ENV.get("SLURM_DIST_PLANESIZE", "")
    if kind == "plane" and not (size.isdecimal() and int(size)):
        die("error: Invalid plane size or size not specified", 255)
    #% end
    if kind in ("cyclic", "plane"):
        size = int(size or 1) if kind == "plane" else 1
        #% if plane
        if kind == "plane":
            ENV["SLURM_DIST_PLANESIZE"] = str(size)
        # Each node gets a task, be it out of its turn.
        ranks, rest = [[] for node in nodes], [*range(tasks)]
        while rest:
            for place, mine in enumerate(ranks):
                cut = min(size, len(rest) - sum(not each for each in ranks[place + 1 :]))
                mine += rest[:cut]
                del rest[:cut]
        #% end
        #% if !plane
        ranks = [[rank for rank in range(tasks) if rank // size % len(nodes) == place] for place in range(len(nodes))]
        #% end
    #% end
    #% if arbitrary
    if seats:
        ranks = [[rank for rank, node in enumerate(seats) if node == one] for one in nodes]
        spread = "arbitrary"
    #% end


#% end
