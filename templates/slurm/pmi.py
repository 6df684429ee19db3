"""How MPI finds its ranks: what `--mpi` names, and PMI-1 and PMI-2 on a descriptor of each task, as Slurm's plugin pmi2
speaks them."""
#% if mpi
def choose_mpi():
    """What is not served is refused before a task runs: a library that finds nothing takes itself for the only rank."""
    #% if no_pmi
    global unserved
    unserved = option("mpi", "MPI_TYPE") in (None, "", "pmi2")
    #% end
    global mpi
    mpi = option("mpi", "MPI_TYPE") or (
        #% if pmi_always
        "pmi2"
        #% end
        #% if !pmi_always
        #% if pmix_always
        "pmix" if load_pmix("", ENV) else "none"
        #% end
        #% if !pmix_always
        "none"
        #% end
        #% end
    )
    #% if pmi_by_pmix
    if mpi == "pmi2":
        mpi = "pmix"
    #% end
    #% if pmi|pmix
    if mpi == "list":
        kinds = ["MPI plugin types are...", "none"]
        #% if pmi
        kinds.append("pmi2")
        #% end
        #% if pmix
        if load_pmix("", ENV):
            kinds.append("pmix")
        #% end
        os.write(1, "\n\t".join(kinds + [""]).removesuffix("\t").encode())
        os._exit(0)
    ENV.pop("SLURM_MPI_TYPE", 0)
    #% end
    #% if pmi
    if mpi == "pmi2":
        ENV["SLURM_MPI_TYPE"] = mpi
        return
    #% end
    #% if pmix
    if mpi[:4] == "pmix" and mpi[4:] in ("", *(f"_v{number}" for number in range(2, 7))):
        if not load_pmix(WORDS[0] if WORDS else "", ENV):
            die(NO_PMIX)
        ENV["SLURM_MPI_TYPE"] = mpi
        mpi = "pmix"
        return
    #% end
    if mpi not in ("none", "openmpi"):
        #% if pmi|pmix
        die(f"error: Invalid MPI type '{mpi}', --mpi=list for acceptable types")
        #% end
        #% if !pmi
        #% if !pmix
        die(f"error: Invalid MPI type '{mpi}': pmi2 comes with SLURM_MPI_TYPE=pmi2 in the job's text")
        #% end
        #% end


#% end
#% if pmi
def map_ranks():
    """Where the ranks are, in their order: `(vector,(first node,nodes,ranks on each),…)`."""
    found = [[0, 0, 0]]
    for _, place in sorted((rank, place) for place, own in enumerate(ranks) for rank in own):
        if found[-1][0] == place and found[-1][1]:
            found[-1][2] += 1
        else:
            found.append([place, 1, 1])
    for before, part in [*zip(found, found[1:])][::-1]:
        if before[0] + 1 == part[0] and before[2] == part[2]:
            before[1] += part[1]
            found.remove(part)
    return "(vector" + "".join(",(%d,%d,%d)" % (*part,) for part in found[1:]) + ")"


# What each node has put before a fence; ports by the names under which they are published.
gathered, ports = {}, {}


def coordinate(link, stream, client, data):
    """What one node cannot answer: the fence of all, names of ports, and the end of all."""
    if stream > 5:
        kind, name, port = data
        if "unp" in kind:
            port = ports.pop(name, "")
        else:
            port = ports.get(name, "") if "look" in kind else "" if name in ports else ports.setdefault(name, port)
        link.send([client, kind, port])
        return
    if stream > 4:
        say("Job step aborted: Waiting up to 32 seconds for job step to finish.")
        cast(9)
    else:
        gathered[link] = data
    if len(gathered) == count:
        cast({key: value for part in gathered.values() for key, value in part.items()})
        gathered.clear()


# On a node. Of each client: its rank, what it said and is not read yet, whether it speaks PMI-2, its environment.
clients = {}
# What all know, and the node; what is put since the last fence; who waits for it; who waits for what the node may know.
known, fresh, fenced, wanting = {}, {}, [], []


def reply(client, text, value=None):
    mark = ";" if clients[client][2] else " "
    text = "cmd=" + text.replace(" ", mark) + (mark + "value=" + value if value is not None else "")
    try:
        os.write(client, (f"{len(text) + 1:<6}{text};" if mark == ";" else text + "\n").encode())
    except OSError:
        pass


def tell(client, kind, key):
    value = known.get(key)
    found = f"{kind}-response rc=0 found=" + ("TRUE" if value else "FALSE")
    reply(client, found if clients[client][2] else f"get_result rc={int(not value)}", value)


#% end
#% if pmi|pmix
def listen(client, link):
    """Reads what a client says; false where it says no more."""
    #% if pmix
    if client == calling:
        link.send((7, 0, calling.recv()))
        return 1
    #% end
    #% if pmi
    state = clients[client]
    try:
        data = os.read(client, 65536)
    except OSError:
        data = b""
    state[1] += data
    while data:
        text, two = state[1:3]
        # A command of many lines is one that is refused.
        last = b"endcmd\n" if text[:5] == b"mcmd=" else b"\n"
        size = int(text[:6] or 0) + 6 if two else text.find(last) + 1 and text.find(last) + len(last)
        if not size or size > len(text):
            break
        state[1] = text[size:]
        words = text[6 * two : size].decode().strip("\n;").split(";" if two else " ")
        if not handle(client, link, dict(word.partition("=")[::2] for word in words)):
            return
    return data
    #% end


#% end
#% if pmi
def handle(client, link, pairs):
    """Answers one message; false where nothing may follow it."""
    rank, _, two, env = clients[client]
    kind, key, value = pairs.get("cmd", "spawn"), pairs.get("key"), pairs.get("value")
    size, name = env["SLURM_NTASKS"], env["PMI_JOBID"]
    answers = {
        "fullinit": f"rank={rank} size={size} appnum=-1 pmi-version=2 pmi-subversion=0 debugged=FALSE pmiverbose=FALSE",
        "job-getid": "jobid=" + name,
        "get_maxes": "kvsname_max=256 keylen_max=64 vallen_max=1024",
        "get_universe_size": "size=" + size,
        "get_appnum": "appnum=-1",
        "get_my_kvsname": "kvsname=" + name,
        "put": "", "kvs-put": "", "info-putnodeattr": "", "finalize": "",
    }
    if kind == "init":
        state = clients[client]
        two = int(pairs.get("pmi_version") == "2")
        reply(client, f"response_to_init rc=0 pmi_version={1 + two} pmi_subversion={1 - two}")
        state[2] = two
    elif kind in answers:
        if "put" in kind:
            (known if kind[0] == "i" else fresh)[key] = value
        end = "-response" if two else "_result" if kind == "put" else "_ack" if kind == "finalize" else ""
        reply(client, (kind.removeprefix("get_") + end + " rc=0 " + answers[kind]).strip())
        for entry in wanting[:]:
            if entry[2] in known:
                wanting.remove(entry)
                tell(*entry)
        return kind != "finalize"
    elif pairs.get("wait") == "TRUE" and key not in known:
        wanting.append((client, kind, key))
    elif key and "get" in kind:
        tell(client, kind, key)
    elif kind in ("barrier_in", "kvs-fence"):
        fenced.append(client)
        if len(fenced) == len(env["SLURM_GTIDS"].split(",")):
            link.send((4, 0, {**fresh}))
            fresh.clear()
    elif "publish" in kind or "lookup" in kind:
        link.send((6, client, (kind, pairs.get("service") or pairs.get("name"), pairs.get("port"))))
    elif kind == "abort":
        link.send((5, 0, 0))
    else:
        link.send((2, rank, f"slurmstepd-{env['SLURMD_NODENAME']}: error: mpi/pmi2: {kind} is not served here\n".encode()))
        reply(client, kind + ("-response" if two else "_result") + " rc=1 errmsg=not_served")
    return 1


def pair(rank, env):
    """Two ends of a connection, for the server and for a task."""
    mine, theirs = (each.detach() for each in socket.socketpair())
    os.set_inheritable(theirs, True)
    env["PMI_FD"] = str(theirs)
    known.update(PMI_process_mapping=env.pop("SLURM_PMI2_PROC_MAPPING"), universeSize=env["SLURM_NTASKS"])
    clients[mine] = [rank, b"", 0, env]
    return mine, theirs


def tell_port(client, kind, port):
    """What srun knows of a name."""
    shown = "look" in kind and port or None
    if clients[client][2]:
        reply(client, f"{kind}-response rc={int(not port)}", shown)
    else:
        found = "ok" if port else "fail"
        reply(client, kind.replace("name", "result info=" + found) + (" port=" + shown if shown else ""))


#% end
#% if pmi|pmix
def told_by_srun(message):
    """From srun: of a port, or what all nodes had put when the last had come so far."""
    #% if pmix
    if type(message) is list and type(message[0]) is str:
        told_pmix(*message)
        return
    #% end
    #% if pmi
    if type(message) is list:
        tell_port(*message)
        return
    known.update(message)
    for client in fenced:
        reply(client, ("kvs-fence-response" if clients[client][2] else "barrier_out") + " rc=0")
    fenced.clear()
    #% end


#% end
