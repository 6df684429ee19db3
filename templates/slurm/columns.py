"""Columns that few ask for; what Slurm has no letter for gets one of another alphabet."""
#% if columns
def add_columns(text, columns, row, names):
    """Fills them from `LETTER TITLE=VALUE` or `NAME TITLE=VALUE`, in which row stands by its names."""
    for place, line in enumerate(text.split("; ")):
        name, title, value = re.split("[ =]", line, 2)
        letter = name
        if len(name) > 1:
            letter = chr(224 + place)
            names[name] = letter
        columns[letter] = f"{letter} {title}"
        row[letter] = value.format(**row)


#% if squeue
def job_columns(columns, fact, names):
    add_columns(
        "b TRES_PER_NODE={trespernode}; c MIN_CPUS={mincpus}; d MIN_TMP_DISK=0; E DEPENDENCY=(null); f FEATURES=(null); "
        "g GROUP={group}; G GROUP={gid}; h OVER_SUBSCRIBE=NO; H SOCKETS_PER_NODE=*; I CORES_PER_SOCKET=*; "
        "J THREADS_PER_CORE=*; k COMMENT={comment}; m MIN_MEMORY={minmemory}; n REQ_NODES=; O CONTIGUOUS=0; p PRIORITY=0.00000000023283; "
        "Q PRIORITY=1; r REASON=None; s =; v RESERVATION=(null); w WCKEY=(null); W LICENSES=(null); x EXC_NODES=; "
        "X CORE_SPEC=N/A; y NICE=0; Y SCHEDNODES=(null); z S:C:T=*:*:*; numtasks TASKS={ntasks}; requeue REQUEUE={requeue}; "
        "restartcnt RESTART_COUNT={restarts}; tresalloc TRES_ALLOC={tres}; tresperjob TRES_PER_JOB={tresperjob}; "
        "trespertask TRES_PER_TASK={trespertask}; cpuspertask CPUS_PER_TASK={width}; stdout STDOUT={stdout}; "
        "stderr STDERR={stderr}; stdin STDIN=/dev/null; exitcode EXIT_CODE=0; derivedec DERIVED_EC=0; batchflag BATCH_FLAG=1; "
        "cluster CLUSTER={cluster}; eligibletime ELIGIBLE_TIME={start}; accruetime ACCRUE_TIME={start}; "
        "mintime TIME_MIN=0:00; deadline DEADLINE=N/A; maxcpus MAX_CPUS={ncpus}; maxnodes MAX_NODES={nnodes}; "
        "ntpernode NTASKS_PER_NODE={pernode}; reboot REBOOT=0; pendingtime PENDING_TIME=0; profile PROFILE=NotSet; "
        "allocnodes ALLOC_NODES={submitter}; network NETWORK=(null)",
        columns, fact, names,
    )
    pairs = "feature f gres b groupname g groupid G oversubscribe h shared h sockets H cores I threads J minmemory m priority p prioritylong Q "
    pairs += "sct z corespec X comment k schednodes Y tres " + names["tresalloc"]
    names.update(zip(pairs.split()[::2], pairs.split()[1::2]))


#% end
#% if sinfo
def node_columns(columns, row, names, nodes):
    sockets, cores, threads, load, free, _ = hardware()
    row.update({
        "free": free, "load": f"{load:.2f}", "total": os.cpu_count() * nodes, "count": nodes, "sockets": sockets,
        "cores": cores, "threads": threads,
    })
    add_columns(
        "A NODES(A/I)={count}/0; b ACTIVE_FEATURES=(null); B MAX_CPUS_PER_NODE=UNLIMITED; C CPUS(A/I/O/T)={total}/0/0/{total}; "
        "d TMP_DISK=0; e FREE_MEM={free}; E REASON=none; f AVAIL_FEATURES=(null); F NODES(A/I/O/T)={count}/0/0/{count}; "
        "g GROUPS=all; h OVERSUBSCRIBE=EXCLUSIVE; H TIMESTAMP=Unknown; I PRIO_JOB_FACTOR=1; L DEFAULTTIME=n/a; "
        "M PREEMPT_MODE=OFF; O CPU_LOAD={load}; p PRIO_TIER=1; r ROOT=no; s JOB_SIZE=1-infinite; "
        "S ALLOCNODES=all; u USER=Unknown; U USER=Unknown; v VERSION=22.05.8; V CLUSTER=N/A; w WEIGHT=1; X SOCKETS={sockets}; "
        "Y CORES={cores}; z S:C:T={sockets}:{cores}:{threads}; Z THREADS={threads}; gresused GRES_USED={gres}; "
        "allocmem ALLOCMEM=0; statecomplete STATECOMPLETE=allocated; comment COMMENT=(null); extra EXTRA=(null); port PORT=6818",
        columns, row, names,
    )
    columns["o"] = "names NODE_ADDR"


#% end
#% end
