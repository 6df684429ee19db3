"""Names of Slurm that only hand on or refuse."""
#% if rsh
def agent_rsh():
    """`agent_rsh HOST COMMAND…` for MPI's launchers: one more task on that node, like ssh."""
    words = WORDS[:]
    if words[0] == "-N":
        # A launcher that was told of it and takes srun all the same.
        os.execvp("srun", ["srun", *words])
    while words and words[0][0] == "-":
        words.pop(0)
    os.execvp("srun", ["srun", "--overlap", "-N1", "-n1", "-O", "-w", words[0], "sh", "-c", " ".join(words[1:])])


#% end
#% if ibrun_options
OPTIONS_OF_SITES = {
    "n": "n",
    "np": "n",
    "o": "o",
    #% if ibrun_rare
    "npernode": "npernode",
    "tpp": "tpp",
    #% end
}
#% end
#% if ibrun
def ibrun():
    """TACC's and SDSC's launcher of MPI: a step, with options of its own."""
    words, step = WORDS, ["srun"]
    #% if ibrun_options
    given = {"o": 0}
    while words and words[0][0] == "-":
        name, equal, value = words.pop(0).strip("-").partition("=")
        if name == "v":
            continue
        try:
            given[OPTIONS_OF_SITES[name]] = int(value or words.pop(0))
        except (KeyError, ValueError, IndexError):
            die(f"unrecognized option '-{name} {value}'")
    #% if ibrun_rare
    if "tpp" in given:
        ENV["OMP_NUM_THREADS"] = str(given["tpp"])
        step.append(f"-c{given['tpp']}")
    if "npernode" in given:
        step += [f"--ntasks-per-node={given['npernode']}", f"-n{given['npernode'] * int(ENV['SLURM_NNODES'])}"]
    #% end
    if "n" in given:
        # Several share the machines as their offsets say.
        each, count, first = int(ENV["SLURM_TASKS_PER_NODE"].split("(")[0]), given["n"], given["o"]
        step += [f"-n{count}", f"-r{first // each}", f"-N{-(-(first % each + count) // each)}", "--overlap"]
    #% end
    while words and words[0] in ("tacc_affinity", "task_affinity"):
        words.pop(0)
    os.execvp("srun", step + words)


#% end
#% if sbatch
def sbatch():
    die("error: there is no Slurm here that could take another job: compile and submit it with `flowc` instead")


salloc = sbatch


#% end
