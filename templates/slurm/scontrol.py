"""scontrol."""
#% if scontrol_job
def show_job(words):
    own(words[2:])
    fact = facts()
    text = """JobId={jobidraw} JobName={jobname}
   UserId={user}({uid}) GroupId={group}({gid}) MCS_label=N/A
   Priority=1 Nice=0 Account={account} QOS={qos}
   JobState={state} Reason=None Dependency=(null)
   Requeue={requeue} Restarts={restarts} BatchFlag=1 Reboot=0 ExitCode={exitcode}
   RunTime={elapsed} TimeLimit={timelimit} TimeMin=N/A
   SubmitTime={submit} EligibleTime={start}
   StartTime={start} EndTime={end} Deadline=N/A
   Partition={partition}
   NodeList={nodelist}
   BatchHost={head}
   NumNodes={nnodes} NumCPUs={ncpus} NumTasks={ntasks} CPUs/Task={width} ReqB:S:C:T=0:0:*:*
   Command={command}
   WorkDir={workdir}
   StdErr={stderr}
   StdIn=/dev/null
   StdOut={stdout}
""".format(**fact)
    print(" ".join(text.split()) if "-o" in WORDS or "--oneliner" in WORDS else text)


def show_nodes(words):
    fact = facts()
    known = hosts(fact["nodelist"])
    for name in hosts(words[2]) if len(words) > 2 else known:
        if name not in known:
            die(f"Node {name} not found")
        print(
            f"NodeName={name} NodeAddr={name} NodeHostName={name} CPUAlloc={os.cpu_count()} "
            f"CPUTot={os.cpu_count()} Gres=gpu:{ENV.get('SLURM_GPUS_ON_NODE', 0)} State=ALLOCATED "
            f"Partitions={fact['partition']}"
        )


#% end
#% if spelled
def spelled():
    """The words without options, the first two in full."""
    flags = "-a --all -d -dd -ddd --details --federation -F --future --hide --local -o --oneliner -Q --quiet --sibling -v --verbose"
    words = [word for word in WORDS if word not in flags.split()]
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
        if what[1] == "hostlistsorted":
            names.sort(key=lambda name: (name.rstrip("0123456789"), len(name), name))
        print(compress(names))
        return
    #% end
    #% if scontrol_job
    if what[0] == "show" and what[1][:3] == "job":
        show_job(words)
        return
    if what[0] == "show" and what[1][:4] == "node":
        show_nodes(words)
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
