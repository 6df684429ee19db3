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
    groups = [its.get("het-group", its.get("pack-group")) for its, part in components]
    if {*groups} - {None, "0"} or sum(each == "0" for each in groups) > 1:
        die(f"error: Requested het-group offset exceeds highest hetjob index, or is asked for twice ({[*filter(None, groups)]})")
    for its, part in components:
        if not part and components[1:]:
            die("fatal: No command given to execute.")
    given = components[0][0]
    words[:] = parts[0]
    if components[1:]:
        given.setdefault("nodes", "1")


def lay_out_components(several):
    global given, nodes, ranks, tasks, count, programs, pool, must
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
    given = several[0][0]
    count = len(nodes)
    nodes, ranks = [*map(list, zip(*sorted(zip(nodes, ranks))))]
    #% if account
    pool = must = nodes
    #% end


#% end
