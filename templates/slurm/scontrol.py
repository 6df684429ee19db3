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
#% if scontrol
def scontrol():
    words = [word for word in WORDS if word not in ("-o", "--oneliner", "-d", "--details")]
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
