"""A step of several programs, `srun A : B`: each has nodes of its own, and the ranks go on from one to the next."""
#% if het
def read_components(words):
    """The options and the words of each program. What becomes of output and input the first one says."""
    global given, components
    parts = [[]]
    for word in words:
        if word == ":":
            parts.append([])
        else:
            parts[-1].append(word)
    components = [(options(part), part) for part in parts]
    #% if !het_job
    groups = [its.get("het-group", its.get("pack-group")) for its, part in components]
    if {*groups} - {None, "0"} or sum(each == "0" for each in groups) > 1:
        die(f"error: Requested het-group offset exceeds highest hetjob index, or is asked for twice ({[*filter(None, groups)]})")
    #% end
    for its, part in components:
        if not part and components[1:]:
            die("fatal: No command given to execute.")
    given = components[0][0]
    words[:] = parts[0]
    #% if !het_job
    if components[1:]:
        given.setdefault("nodes", "1")
    #% end


#% if !het_job
def lay_out_components(several):
    global given, nodes, ranks, tasks, count, low, programs, pool, must
    free, nodes, ranks, tasks, programs = [*range(len(names))], [], [], 0, {}
    for given, part in several:
        # As under Slurm the last one holds for all.
        if each := given.get("cpus-per-task"):
            ENV["SLURM_CPUS_PER_TASK"] = each
        size = int(given.get("nodes", "1").split("-")[0])
        total = number("ntasks") or size
        size = min(size, total)
        mine = indices("nodelist") if "nodelist" in given else free[:size]
        if size > len(mine) or not {*mine} <= {*free}:
            die(
                f"error: Allocation failure of {size} nodes: job size of {len(names)}, "
                f"already allocated {len(names) - len(free)} nodes to previous components."
            )
        free = [node for node in free if node not in mine]
        nodes += mine
        left = iter(range(tasks, tasks + total))
        ranks += [[next(left) for _ in range(place, total, len(mine))] for place in range(len(mine))]
        programs.update({rank: part for rank in range(tasks, tasks + total)})
        tasks += total
    given = {**several[0][0], "fixed": "1"}
    count = low = len(nodes)
    nodes, ranks = [*map(list, zip(*sorted(zip(nodes, ranks))))]
    #% if account
    pool = must = nodes
    #% end


#% end
#% if het_job
def load_group(place):
    """Has the variables say of the job what they say of one of optset components."""
    mark = f"_HET_GROUP_{place}"
    for name in [*ENV]:
        if name.endswith(mark):
            ENV[name[: -len(mark)].replace("FLOWC_SLURM", "SLURM")] = ENV[name]


def spell(some):
    """As Slurm writes names with numbers in a row."""
    stem = some[0].rstrip("0123456789")
    start = some[0][len(stem) :]
    row = [stem + str(int(start or 0) + place).zfill(len(start)) for place in range(len(some))]
    return f"{stem}[{start}-{some[-1][len(stem):]}]" if some[1:] and some == row else ",".join(some)


def choose_groups():
    """Which components each program is for, and where their nodes begin."""
    global firsts, chosen, named
    firsts, chosen, named = [0], {}, components[1:]
    while size := ENV.get(f"SLURM_JOB_NUM_NODES_HET_GROUP_{len(firsts) - 1}"):
        firsts.append(firsts[-1] + int(size))
    uppermost = len(firsts) - 2
    for place, (optset, part) in enumerate(components):
        wanted_groups = optset.get("het-group", optset.get("pack-group"))
        named = named or wanted_groups is not None
        wanted_groups = str(place) if wanted_groups is None else wanted_groups
        ranges = []
        for item in wanted_groups.strip("[]").split(","):
            bottom, hyphen, top = item.lstrip().partition("-")
            top = top if hyphen else bottom
            if not (bottom.isdecimal() and top.isdecimal()) or int(bottom) > int(top):
                say(f"error: _parse_single_range: Invalid range: `{item}'")
                die(f"error: Invalid --het-group value: {wanted_groups}")
            ranges.append((int(bottom), int(top)))
        utmost = max(top for _, top in ranges)
        if utmost > uppermost:
            if ranges == [(utmost, utmost)] and not components[1:]:
                die(f"error: Requested het-group offset exceeds highest hetjob index ({utmost} > {uppermost})")
            die(f"error: Attempt to run a job step with het group value of {utmost}, but the job allocation has maximum value of {uppermost}")
        for one_group in {each for bottom, top in ranges for each in range(bottom, top + 1)}:
            if one_group in chosen:
                die("fatal: Duplicate het groups in single srun not supported")
            chosen[one_group] = optset, part


def lay_out_groups():
    """Each component lays out optset tasks in a process of optset own, as if it were the job; this one goes on by what they say,
    and lays out some that nobody runs."""
    global whose, layouts, taker, given
    layouts = []
    for whose in sorted(chosen):
        link, taker = Pipe()
        process = os.fork()
        if not process:
            given, WORDS[:] = chosen[whose]
            if named or "SLURM_STEP_NODELIST" not in ENV:
                load_group(whose)
                ENV["SLURM_NNODES"] = ENV["SLURM_JOB_NUM_NODES"]
            ENV["SLURM_JOB_CPUS_PER_NODE"] = ENV[f"SLURM_JOB_CPUS_PER_NODE_HET_GROUP_{whose}"]
            ENV["SLURM_JOB_ID"] = job
            return
        taker.close()
        try:
            layouts.append(link.recv())
        except EOFError:
            # It has said what is wrong.
            os._exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
        os.waitpid(process, 0)
    ENV["SLURM_JOB_CPUS_PER_NODE"] = ENV[f"SLURM_JOB_CPUS_PER_NODE_HET_GROUP_{min(chosen)}"]
    whose = -1
    given = {name: str(firsts[-1]) for name in ("ntasks", "nodes")}


def join_groups():
    """The layouts of the components behind one another."""
    global given, nodes, ranks, tasks, count, low, cpus, programs, gpus_of, devices, per_task, bind, here, share, in_all
    #% if account
    global pool, must, upper, width, exact
    #% end
    #% if opt:distribution
    global spread
    #% end
    mine = [
        cpus, low, tasks, ranks, [node + firsts[whose] for node in nodes], (devices, per_task, bind, here, share, in_all),
        #% if account
        (width, exact, upper, [node + firsts[whose] for node in pool], [node + firsts[whose] for node in must]),
        #% end
        #% if opt:distribution
        spread,
        #% end
    ]
    if whose >= 0:
        taker.send(mine)
        os._exit(0)
    given = components[0][0]
    cpus, low, tasks, ranks, nodes, gpus_of = 0, 0, 0, [], [], []
    for one_group, part in zip(sorted(chosen), layouts):
        optset, words = chosen[one_group]
        if each := optset.get("cpus-per-task"):
            ENV["SLURM_CPUS_PER_TASK"] = each
        each = ENV.get(f"SLURM_NTASKS_PER_NODE_HET_GROUP_{one_group}")
        if named and each and part[2] == int(each) * len(part[4]):
            ENV["SLURM_NTASKS_PER_NODE"] = each
        cpus = max(cpus, part[0])
        low += part[1]
        programs.update({tasks + rank: words for rank in range(part[2])})
        ranks += [[tasks + rank for rank in own] for own in part[3]]
        tasks += part[2]
        nodes += part[4]
        gpus_of += [part[5]] * len(part[4])
    count = len(nodes)
    devices, per_task, bind, here, share, in_all = layouts[0][5]
    #% if account
    width, exact, upper, pool, must = layouts[0][6]
    #% end
    #% if opt:distribution
    spread = layouts[0][-1]
    #% end
    if layouts[1:]:
        low = count
        #% if account
        given, pool, must = {**given, "fixed": "1"}, nodes, nodes
        devices, per_task, share, in_all = [], 0, 0, 0
        #% end


def cpus_of_group(node):
    """Those that the component of this node has on each of its own."""
    return ENV[f"SLURM_JOB_CPUS_PER_NODE_HET_GROUP_{sum(node >= opening for opening in firsts[1:])}"].split("(")[0]


def settle(place, count):
    """What tasks on this node have otherwise than by the variables of component 0, and their GPUs."""
    global devices, per_task, bind, here, share
    if layouts[1:]:
        devices, per_task, bind, here, share, _ = gpus_of[place]
        devices = devices[: share or per_task * count or here]
    found = {"SLURM_CPUS_ON_NODE": cpus_of_group(nodes[place])} if named else {}
    if "CUDA_VISIBLE_DEVICES" in env:
        found["CUDA_VISIBLE_DEVICES"] = ""
    return found


def describe_groups():
    """To tasks of a step that names components the nodes of the step are all that there are."""
    env["SLURM_STEP_NODELIST"] = spell([names[node] for node in nodes])
    if named:
        widths = [cpus_of_group(node) for node in nodes]
        env.update(
            SLURM_JOB_NODELIST=env["SLURM_STEP_NODELIST"],
            SLURM_NODELIST=env["SLURM_STEP_NODELIST"],
            SLURM_JOB_NUM_NODES=str(count),
            SLURM_JOB_CPUS_PER_NODE=short(widths) if layouts[1:] else ENV["SLURM_JOB_CPUS_PER_NODE"],
        )


def list_groups(names):
    """A line for each component of the job."""
    for size in map(int, WORDS[1:]):
        print(spell(names[:size]))
        del names[:size]


#% if scontrol_job|squeue
def in_group(fact):
    """What is known of a job, said as of the component that it is."""
    ids = [ENV[name] for name in ENV if name[:23] == "SLURM_JOB_ID_HET_GROUP_"]
    nth = int(fact["jobidraw"]) - int(min(ids, key=int))
    if NAME == "squeue":
        return {**fact, "jobid": f"{min(ids, key=int)}+{nth}"}
    return {
        **fact,
        "jobidraw": f"{fact['jobidraw']} HetJobId={min(ids, key=int)} HetJobOffset={nth}",
        "jobname": f"{fact['jobname']}\n   HetJobIdSet={min(ids, key=int)}-{max(ids, key=int)}",
    }


def of_group(words):
    """Goes on for each component that the words name, be it by the number of the whole job, one after the other; gives
    the words with optset own number."""
    ids = []
    while number := ENV.get(f"SLURM_JOB_ID_HET_GROUP_{len(ids)}"):
        ids.append(number)
    numbers = r"(?<![\d.])(\d+)(?:\+(\d+))?(?!\w)"
    meant = re.findall(numbers, " ".join(words))
    meant = [(number, "" if NAME == "squeue" else part) for number, part in meant if number in ids]
    in_turn = [
        number for place, number in enumerate(ids)
        if not meant or (number, "") in meant or (ids[0], "") in meant or (ids[0], str(place)) in meant
    ]
    for number in in_turn:
        process = os.fork()
        if not process:
            load_group(ids.index(number))
            ENV["FLOWC_HEADLESS"] = "1" * (number != in_turn[0])
            return [re.sub(numbers, lambda pick: number if pick[1] in ids else pick[0], word) for word in words]
        if status := os.waitpid(process, 0)[1]:
            os._exit(os.waitstatus_to_exitcode(status))
    os._exit(0)


#% end
#% end
#% end
