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
    # What names one node each has a row for each.
    apart = "Node" in given or re.search("%[.0-9]*[no]|nodehost|nodeaddr", given.get("format", "") + given.get("Format", ""))
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
        "partition": fact["partition"] + "*", "bare": fact["partition"], "up": "up", "limit": "infinite", "nodes": str(len(names)), "state": "alloc",
        "long": "allocated", "names": fact["nodelist"] if names == own else ",".join(names), "cpus": str(os.cpu_count()), "gres": f"gpu:{ENV.get('SLURM_GPUS_ON_NODE', 0)}",
        "memory": str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20),
    }
    columns = {
        "P": "partition PARTITION", "R": "bare PARTITION", "a": "up AVAIL", "l": "limit TIMELIMIT", "D": "nodes NODES",
        "t": "state STATE", "T": "long STATE", "N": "names NODELIST", "n": "names HOSTNAMES", "c": "cpus CPUS", "G": "gres GRES",
        "m": "memory MEMORY",
    }
    #% if columns
    letters = {}
    node_columns(columns, row, letters, len(names))
    #% end
    rows = [{**row, "names": name, "nodes": "1"} for name in names] if apart else [row] * bool(names)
    form = given.get("format") or ("%9N %.6D %.9P %6t" if "Node" in given else "%9P %.5a %.10l %.6D %.6t %N")
    #% if columns
    if "long" in given:
        import time

        "noheader" in given or print(time.asctime())
        form = "%9N %.6D %.9P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E" if "Node" in given else "%9P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N"
    elif "summarize" in given:
        form = "%9P %.5a %.10l %.16F %N"
    if "Format" in given:
        words = "available a cpus c cpusload O freemem e cpusstate C cores Y defaulttime L disk d features f featuresact b groups g gres G "
        words += "maxcpuspernode B memory m nodes D nodeaddr o nodeai A nodeaiot F nodehost n nodelist N oversubscribe h share h "
        words += "partition P partitionname R preemptmode M priorityjobfactor I prioritytier p reason E root r size s statecompact t "
        words += "statelong T sockets X socketcorethread z threads Z time l timestamp H user u userlong U version v weight w allocnodes S"
        letters.update(zip(words.split()[::2], words.split()[1::2]))
        form = long_form(given["Format"], letters)
    #% end
    table(form, columns, "noheader" in given, rows)


#% end
