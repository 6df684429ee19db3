"""scontrol."""
#% if scontrol_job
def show_job(words):
    fact = facts()
    #% if het_job
    fact = in_group(fact)
    #% end
    # No text of several lines: the function may be put in another's place, and these would move with it.
    text = (
        "JobId={jobidraw} "
        #% if fields
        "{array}"
        #% end
        "JobName={jobname}\n   UserId={user}({uid}) GroupId={group}({gid}) MCS_label=N/A\n"
        "   Priority=1 Nice=0 Account={account} QOS={qos}\n   JobState={state} Reason=None Dependency=(null)\n"
        "   Requeue={requeue} Restarts={restarts} BatchFlag=1 Reboot=0 ExitCode={exitcode}\n"
        #% if fields
        "{derived}"
        #% end
        "   RunTime={elapsed} TimeLimit={timelimit} TimeMin=N/A\n   SubmitTime={submit} EligibleTime={start}\n"
        #% if fields
        "   AccrueTime={start}\n"
        #% end
        "   StartTime={start} EndTime={end} Deadline=N/A\n"
        #% if fields
        "   SuspendTime=None SecsPreSuspend=0 LastSchedEval={start} Scheduler=Main\n"
        #% end
        "   Partition={partition}"
        #% if fields
        " AllocNode:Sid={submitter}:0\n   ReqNodeList=(null) ExcNodeList=(null)"
        #% end
        "\n   NodeList={nodelist}\n   BatchHost={head}\n"
        "   NumNodes={nnodes} NumCPUs={ncpus} NumTasks={ntasks} CPUs/Task={width} ReqB:S:C:T=0:0:*:*\n"
        #% if fields
        "   TRES={tres}\n   Socks/Node=* NtasksPerN:B:S:C={pernode}:0:*:* CoreSpec=*\n{shares}"
        "   MinCPUsNode={mincpus} MinMemory{memoryof}={minmemory} MinTmpDiskNode=0\n   Features=(null) DelayBoot=00:00:00\n"
        "   OverSubscribe=NO Contiguous=0 Licenses=(null) Network=(null)\n"
        #% end
        "   Command={command}\n   WorkDir={workdir}\n"
        #% if update
        "{said}"
        #% end
        "   StdErr={stderr}\n   StdIn=/dev/null\n   StdOut={stdout}\n"
        #% if fields
        "   Power=\n{asked}"
        #% end
    )
    #% if fields
    fact["shares"] = fact["derived"] = ""
    if any(word[:2] == "-d" or word[:4] == "--de" for word in WORDS):
        fact["derived"] = "   DerivedExitCode=0:0\n"
        fact["shares"] = f"   JOB_GRES=gpu:{fact['gpus']}\n" * (fact["gpus"] > 0)
        fact["shares"] += "     Nodes={nodelist} CPU_IDs=0-{idx} Mem=0 GRES={gres}\n".format(**fact)
    fact["asked"] = "".join(
        f"   TresPer{name}={fact['tresper' + name.lower()]}\n" for name in ("Job", "Node", "Task") if fact["tresper" + name.lower()] != "N/A"
    )
    #% end
    #% if update
    fact["said"] = "   Comment={comment} \n".format(**fact) if "comment" in changes() else ""
    #% end
    text = text.format(**fact)
    print(" ".join(text.split()) if "-o" in WORDS or "--oneliner" in WORDS else text)


def show_nodes(words):
    fact = facts()
    #% if node_fields
    sockets, cores, threads, load, free, memory = hardware()
    tres = f"cpu={os.cpu_count()},mem={gigabytes(memory)}"
    #% end
    known = hosts(fact["nodelist"])
    for name in hosts(words[2]) if len(words) > 2 else known:
        if name not in known:
            die(f"Node {name} not found")
        #% if node_fields
        text = (
            f"NodeName={name} Arch={os.uname()[4]} CoresPerSocket={cores} \n"
            f"   CPUAlloc={os.cpu_count()} CPUEfctv={os.cpu_count()} CPUTot={os.cpu_count()} CPULoad={load:.2f}\n"
            "   AvailableFeatures=(null)\n   ActiveFeatures=(null)\n"
            f"   Gres=gpu:{ENV.get('SLURM_GPUS_ON_NODE', 0)}\n   NodeAddr={name} NodeHostName={name} Version=22.05.8\n"
            f"   OS={' '.join(os.uname()[:4:2])} \n   RealMemory={memory} AllocMem=0 FreeMem={free} Sockets={sockets} Boards=1\n"
            f"   State=ALLOCATED ThreadsPerCore={threads} TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A\n"
            f"   Partitions={fact['partition']} \n   CfgTRES={tres},billing={os.cpu_count()}\n   AllocTRES={tres}\n"
        )
        print(" ".join(text.split()) if {"-o", "--oneliner"} & {*WORDS} else text)
        #% end
        #% if !node_fields
        print(
            f"NodeName={name} NodeAddr={name} NodeHostName={name} CPUAlloc={os.cpu_count()} "
            f"CPUTot={os.cpu_count()} Gres=gpu:{ENV.get('SLURM_GPUS_ON_NODE', 0)} State=ALLOCATED "
            f"Partitions={fact['partition']}"
        )
        #% end


#% end
#% if spelled
def spelled():
    """The words without options, the first two in full."""
    flags = "-a --all -d -dd -ddd --details --federation -F --future --hide --local -o --oneliner -Q --quiet --sibling -v --verbose"
    words = [word for word in WORDS if word not in flags.split() and (word[:2] != "--" or " " + word not in " " + flags)]
    if words[:1] in (["-V"], ["--version"], ["version"]):
        os.write(1, b"slurm-wlm 22.05.8\n")
        os._exit(0)
    if words[:1] in (["-h"], ["--help"], ["help"]):
        os.write(1, b"Usage: scontrol [OPTIONS...] show hostnames|hostlist|job|node [NAME]\n")
        os._exit(0)
    if words and len(words[0]) > 2 and "show".startswith(words[0].lower()):
        words[0] = "show"
        if len(words) > 1:
            name, equal, value = words[1].partition("=")
            words[1:2] = [name.lower(), value] if equal else [name.lower()]
            for full, least in ("hostlistsorted", 9), ("hostlist", 5), ("hostnames", 5), ("jobs", 1), ("nodes", 1):
                if full.startswith(words[1]) and len(words[1]) >= least:
                    words[1] = full
        if not 1 < len(words) < 4:
            os.write(2, f"too {'many' if words[1:] else 'few'} arguments for keyword:show\n".encode())
            os._exit(1)
    return words


#% end
#% if update
def update(words):
    """What the job says of itself is kept for who asks; it changes nothing else."""
    if words[:1] in (["job"], ["jobid"]) and words[1:]:
        words[:2] = ["jobid=" + words[1]]
    if not words:
        os.write(2, b"too few arguments for update keyword\n")
        os._exit(1)
    said, ids = changes(), []
    for word in words:
        key, equal, value = word.partition("=")
        name = key.lower()
        if name in ("job", "jobid"):
            ids += value.split(",")
        elif name in ("name", "jobname", "comment") and equal:
            said["comment" if name[0] == "c" else "jobname"] = " ".join(value.split("\n"))
        else:
            die(f"error: there is no Slurm on this machine: `scontrol update {word}` cannot be done")
    if not ids or len(ids) == len(words):
        die("No changes specified" if ids else "error: no job is named")
    own(ids)
    #% if relay
    on_head()
    #% end
    with open(CHANGES, "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in said.items()))


#% end
#% if write_script
def write_script(name):
    text = open("/var/lib/foundry/flowc/slurm_script", "rb").read()
    if name == "-":
        os.write(1, text)
        return
    try:
        with open(name, "wb") as file:
            file.write(text)
    except OSError as error:
        # Slurm calls that no failure.
        die(f"error: failed to open file `{name}`: {error.strerror}", 0)
    print(f"batch script for job {WORDS[2]} written to {name}")


#% end
#% if scontrol
def scontrol():
    words = [word for word in WORDS if word not in ("-o", "--oneliner", "-d", "--details")]
    #% if spelled
    words = spelled()
    #% end
    what = (words + ["", ""])[:2]
    if what == ["show", "hostnames"] or what == ["show", "hostname"]:
        print(*hosts(words[2] if len(words) > 2 else ENV["SLURM_NODELIST"]), sep="\n")
        return
    #% if show_hostlist
    if what[0] == "show" and what[1][:8] == "hostlist":
        names = hosts(words[2] if len(words) > 2 else ENV["SLURM_NODELIST"])
        if "".join(names)[:1] == "/":
            names = hosts(open(words[2]).read())
        if what[1] == "hostlistsorted":
            names.sort(key=lambda name: (name.rstrip("0123456789"), len(name), name))
        print(compress(names))
        return
    #% end
    #% if scontrol_job
    if what[0] == "show" and what[1][:3] == "job":
        #% if het_job
        words[2:] = of_group(words[2:])
        #% end
        own(words[2:])
        show_job(words)
        return
    if what[0] == "show" and what[1][:4] == "node":
        show_nodes(words)
        return
    #% end
    #% if write_script
    if what == ["write", "batch_script"]:
        own(words[2:3])
        write_script(*words[3:] or [f"slurm-{words[2]}.sh"])
        return
    #% end
    #% if update
    if what[0] == "update":
        update(words[1:])
        return
    #% end
    #% if requeue|no_requeue
    if what[0] == "requeue":
        own(words[1:] or [""])
        #% if no_requeue
        os.write(2, f"Requested operation is presently disabled for job {words[1]}\n".encode())
        os._exit(1)
        #% end
        #% if requeue
        #% if relay
        on_head()
        #% end
        end_job("requeue")
        return
        #% end
    #% end
    die(f"error: there is no Slurm on this machine: `scontrol {' '.join(WORDS)}` cannot be done")


#% end
