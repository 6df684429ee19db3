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
#% if sbatch
def sbatch():
    die("error: there is no Slurm here that could take another job: compile and submit it with `flowc` instead")


salloc = sbatch


#% end
