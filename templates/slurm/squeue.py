"""squeue."""
#% if squeue
def squeue():
    text = "@squeue.always@"
    #% if picks
    text += " @squeue.picks@"
    #% end
    #% if rare
    text += " @squeue.rare@"
    #% end
    #% if het_job
    WORDS[:] = of_group(WORDS)
    #% end
    given, rest = asked(text)
    given.setdefault("nodelist", given.get("nodes", ""))
    if "jobs" in given and rest:
        given["jobs"] = rest.pop(0)
    elif not given.get("jobs") and not {"--jobs=", "--job="} & {*WORDS}:
        # `-j` alone stands for all.
        given.pop("jobs", 0)
    if rest:
        die("error: Unrecognized option: " + rest[0])
    columns = {
        "i": "jobid JOBID", "A": "jobidraw JOBID", "F": "arrayjob ARRAY_JOB_ID", "K": "arraytask ARRAY_TASK_ID",
        "j": "jobname NAME", "T": "state STATE", "t": "short ST", "M": "elapsed TIME", "l": "timelimit TIME_LIMIT",
        "L": "left TIME_LEFT", "e": "end END_TIME", "S": "start START_TIME", "D": "nnodes NODES", "N": "nodelist NODELIST",
        "R": "nodelist NODELIST(REASON)", "u": "user USER", "U": "uid UID", "P": "partition PARTITION", "a": "account ACCOUNT",
        "C": "ncpus CPUS", "B": "head EXEC_HOST", "Z": "workdir WORK_DIR", "q": "qos QOS", "o": "command COMMAND",
        "V": "submit SUBMIT_TIME",
    }
    fact = {**facts(), "short": "R"}
    #% if het_job
    fact = in_group(fact)
    given.update({"noheader": "1"} if ENV["FLOWC_HEADLESS"] else {})
    #% end
    names = {}
    #% if columns
    job_columns(columns, fact, names)
    #% end
    for name in "elapsed", "timelimit", "left":  # 0:05, 30:00, 1:30:00
        text = fact[name]
        while text[0] in "0:" and len(text) > 4:
            text = text[1:]
        fact[name] = text
    jobs = given.get("jobs", "").split("_")[0].split(".")[0]
    if jobs and "," not in jobs and jobs not in (fact["jobidraw"], fact["arrayjob"]):
        os.write(2, b"slurm_load_jobs error: Invalid job id specified\n")
        os._exit(1)
    form, bare = given.get("format", "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"), "noheader" in given
    #% if picks
    if "long" in given:
        import time

        bare or print(time.asctime())
        form = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"
    if "Format" in given:
        letters = {text.split()[1].replace("_", "").lower(): letter for letter, text in columns.items() if text[2:]}
        words = "jobarrayid i statecompact t numnodes D username u userid U numcpus C timeused M batchhost B reasonlist R".split()
        form = long_form(given["Format"], {**letters, **dict(zip(words[::2], words[1::2])), **names})
    #% end
    table(form, columns, bare, [fact] * picked(given, fact))


#% end
