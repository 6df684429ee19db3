"""What is known about the job, for those that ask."""
#% if scontrol_job|squeue|sacct|sinfo
def duration(total):
    days, total = divmod(int(total), 86400)
    clock = f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
    return f"{days}-{clock}" if days else clock


def stamp(value):
    import time

    #% if time_format
    if value and "%" in ENV.get("SLURM_TIME_FORMAT", ""):
        return time.strftime(ENV["SLURM_TIME_FORMAT"], time.localtime(int(value)))
    #% end
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(int(value))) if value else "Unknown"


def count_cpus(get):
    cpus = 0
    for part in get("SLURM_JOB_CPUS_PER_NODE", "1").split(","):
        count, _, times = part.strip(")").partition("(x")
        cpus += int(count) * int(times or 1)
    return cpus


#% if columns|fields|node_fields
def gigabytes(number):
    """Memory as Slurm writes it."""
    return "0" if not number else f"{number}M" if number % 1024 else f"{number >> 10}G"


#% end
#% if columns|fields
def details(cpus, nodes):
    """What few ask for: counts for each node, memory, GPUs."""
    get = ENV.get
    each, width = get("SLURM_NTASKS_PER_NODE", "0"), int(get("SLURM_CPUS_PER_TASK", 1))
    node, cpu = int(get("SLURM_MEM_PER_NODE", 0)), int(get("SLURM_MEM_PER_CPU", 0))
    gpus = int(get("SLURM_GPUS_ON_NODE", 0))
    asked = {
        "Job": get("SLURM_GPUS"), "Task": get("SLURM_GPUS_PER_TASK"),
        "Node": get("SLURM_GPUS_PER_NODE") or (gpus if "SLURM_GPUS" not in ENV and "SLURM_GPUS_PER_TASK" not in ENV else 0),
    }
    memory = node * nodes or cpu * cpus
    return {
        "pernode": each, "mincpus": str(max(1, int(each)) * width), "minmemory": gigabytes(node or cpu),
        "memoryof": "CPU" if cpu else "Node", "gpus": gpus * nodes,
        "tres": f"cpu={cpus}," + f"mem={gigabytes(memory)}," * (memory > 0) + f"node={nodes},billing={cpus}" + f",gres/gpu={gpus * nodes}" * (gpus > 0),
        **{"tresper" + name.lower(): f"gres:gpu:{value}" if value else "N/A" for name, value in asked.items()},
        "idx": f"{cpus // nodes - 1}", "gres": f"gpu:{gpus}(IDX:0" * (gpus > 0) + f"-{gpus - 1}" * (gpus > 1) + ")" * (gpus > 0),
        "array": f"ArrayJobId={get('SLURM_ARRAY_JOB_ID')} ArrayTaskId={get('SLURM_ARRAY_TASK_ID')} " * ("SLURM_ARRAY_JOB_ID" in ENV),
        "submitter": get("SLURM_SUBMIT_HOST", "(null)"), "comment": "(null)",
    }


#% end
#% if node_fields|columns
def hardware():
    """Of this machine, as all machines of a job are alike: sockets, cores of each, threads of each core, load, memory."""
    kinds = {}
    for line in open("/proc/cpuinfo"):
        kinds.setdefault(line.split("\t")[0].strip(), {*()}).add(line.split(":")[-1].strip())
    sockets = len(kinds.get("physical id", "1"))
    threads = int([*kinds.get("siblings", "1")][0]) // int([*kinds.get("cpu cores", "1")][0]) or 1
    page = os.sysconf("SC_PAGE_SIZE")
    free, memory = page * os.sysconf("SC_AVPHYS_PAGES") >> 20, page * os.sysconf("SC_PHYS_PAGES") >> 20
    return sockets, max(1, os.cpu_count() // sockets // threads), threads, os.getloadavg()[0], free, memory


#% end
#% if update
CHANGES = "/run/flowc.changes"


def changes():
    """What `scontrol update` has said of the job."""
    return dict(line[:-1].split("=", 1) for line in open(CHANGES)) if os.path.exists(CHANGES) else {}


#% end
#% if scontrol_job|columns
def submitted(get):
    """Files of the job, and what it was submitted with."""
    return {
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
    }


#% end
def facts():
    """What is known about the job, under the names of sacct."""
    import time

    get = ENV.get
    began, ends = int(get("SLURM_JOB_START_TIME", 0)), int(get("SLURM_JOB_END_TIME", 0))
    passed = int(time.time()) - began if began else 0
    cpus = count_cpus(get)
    job = ENV["SLURM_JOB_ID"]
    array = get("SLURM_ARRAY_TASK_ID")
    names = hosts(ENV["SLURM_JOB_NODELIST"])
    return {
        "jobid": get("SLURM_ARRAY_JOB_ID", job) + "_" + array if array else job, "jobidraw": job,
        "jobname": get("SLURM_JOB_NAME", ""),
        "user": get("SLURM_JOB_USER", "root"), "uid": get("SLURM_JOB_UID", "0"),
        "account": get("SLURM_JOB_ACCOUNT", "(null)"),
        "qos": get("SLURM_JOB_QOS", "(null)"),
        "partition": get("SLURM_JOB_PARTITION", "main"),
        "state": "RUNNING",
        "elapsed": duration(passed),
        "timelimit": duration(ends - began) if ends else "UNLIMITED",
        "submit": stamp(began), "start": stamp(began), "end": stamp(ends),
        "nodelist": ENV["SLURM_JOB_NODELIST"], "head": names[0],
        "nnodes": get("SLURM_JOB_NUM_NODES", str(len(names))),
        "ncpus": str(cpus),
        "workdir": get("SLURM_SUBMIT_DIR", os.getcwd()),
        "arrayjob": get("SLURM_ARRAY_JOB_ID", job),
        #% if squeue
        "left": duration(ends - began - passed) if ends else "UNLIMITED",
        "arraytask": array or "N/A",
        #% end
        #% if squeue|scontrol_job
        "command": get("FLOWC_COMMAND", "(null)"),
        #% end
        #% if sacct|scontrol_job|columns
        "gid": get("SLURM_JOB_GID", "0"),
        "group": "root", "exitcode": "0:0",
        "ntasks": get("SLURM_NTASKS", str(len(names))),
        #% end
        #% if scontrol_job
        #% end
        #% if scontrol_job|columns
        **submitted(get),
        #% end
        #% if columns|fields
        **details(cpus, len(names)),
        #% end
        #% if sacct|columns
        "cluster": get("SLURM_CLUSTER_NAME", "flowc"),
        "derivedexitcode": "0:0",
        "elapsedraw": str(passed),
        "timelimitraw": str((ends - began) // 60) if ends else "UNLIMITED",
        "allocnodes": str(len(names)), "alloccpus": str(cpus),
        "reqmem": get("SLURM_MEM_PER_NODE", "0") + "M",
        #% end
        #% if update
        **changes(),
        #% end
    }


#% end
#% if squeue|sacct|sinfo|scancel|sbcast
def asked(table):
    """The options by name, those of the program's variables too, and the other words. `table` is written as OPTIONS is."""
    global OPTIONS
    OPTIONS = table
    given = {}
    #% if picks
    given = {name[len(NAME) + 1 :].lower(): ENV[name] for name in ENV if name.startswith(NAME.upper() + "_")}
    #% end
    #% if by_variable
    for name in ENV:
        # SQUEUE_ACCOUNT is short for `accounts`, SQUEUE_FORMAT2 is `Format`.
        if name.startswith(NAME.upper() + "_"):
            word = name[len(NAME) + 1 :].lower().replace("format2", "Format")
            given.update({entry[2:]: ENV[name] for entry in table.split() if entry[2:].startswith(word)})
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
    #% if columns
    text = re.sub("%+", "%", text).rstrip("%")
    #% end
    def cell(part):
        name, title = columns.get(part[3], " ").split(" ")
        return fit(row.get(name, "N/A") if row else title, part[1], int(part[2] or 0))

    for row in ([] if header else [{}]) + rows:
        print(re.sub(r"%(\.?)(\d*)([^\W\d_])", cell, text))


#% end
#% if picks
def long_form(text, letters):
    """The format of names such as `name:10,state`, in letters."""
    form = ""
    for item in text.split(","):
        name, colon, rest = item.partition(":")
        name = re.sub("[-_]", "", name.lower())
        if name not in letters:
            die("error: Invalid job format specification: " + item)
        dot, width, more = re.match(r"(\.?)(\d*)(.*)", rest if colon else "20").groups()
        form += "%" + dot + width + letters[name] + more
    return form


#% end
#% if squeue|sacct|sinfo
def fit(text, right, width):
    return text if not width else (text.rjust(width) if right else text.ljust(width))[:width]


#% end
