"""sinfo."""
#% if sinfo
def sinfo():
    text = "@sinfo.always@"
    #% if picks
    text += " @sinfo.picks@"
    #% end
    #% if rare
    text += " @sinfo.rare@"
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
