"""What the release that a job was written for reads otherwise than 22.05, turned into words that 22.05 reads alike."""
#% if srun
#% if released
def read_as_released():
    #% if inherits_cpus|reads_tres
    # `cpu=2,gres/gpu:h100=1`; up to 23.11 with `:` before the number.
    shares = [part.replace("=", ":").rpartition(":") for part in ENV.get("SLURM_TRES_PER_TASK", "").split(",")]
    #% end
    #% if inherits_cpus
    if "cpus-per-task" not in given:
        job_wide, share_wide = ENV.get("SLURM_CPUS_PER_TASK", ""), [share[2] for share in shares if share[0] == "cpu"]
        if "cpus-per-gpu" in given:
            job_wide, given["exact"] = "", "1"
        elif job_wide and share_wide and job_wide != share_wide[0]:
            die(
                "fatal: cpus-per-task set by two different environment variables "
                f"SLURM_CPUS_PER_TASK={job_wide} != SLURM_TRES_PER_TASK=cpu={share_wide[0]}"
            )
        elif share_wide and ENV.get("SLURM_CPUS_PER_GPU"):
            die("fatal: --cpus-per-task, --tres-per-task=cpu:#, and --cpus-per-gpu are mutually exclusive")
        else:
            job_wide = job_wide or "".join(share_wide)
        given["cpus-per-task"] = job_wide or None
        if job_wide:
            given["exact"] = "1"
    #% end
    #% if reads_tres
    if gpus_asked := sum(int(share[2]) for share in shares if share[0][:8] == "gres/gpu"):
        given.setdefault("gpus-per-task", str(gpus_asked))
    for part in ENV.get("SLURM_TRES_BIND", "").split("+"):
        if part[:9] == "gres/gpu:":
            given.setdefault("gpu-bind", part[9:])
    #% end
    #% if opt:external-launcher
    if "external-launcher" in given:
        # What it starts shares the nodes with the steps of its own.
        given.update(overlap="1", ntasks=given.get("ntasks") or ENV["SLURM_NNODES"])
    #% end
    #% if nodes_over_tasks
    if "nodes" in given and "ntasks" not in given and (on_each := option("ntasks-per-node")):
        given["ntasks"] = str(int(given["nodes"].split("-")[0]) * int(on_each))
    #% end
    #% if gres_or_node
    if given.get("gres", "")[:3] in ("gpu", "gre") and option("gpus-per-node"):
        die("fatal: --gpus-per-node and --gres=gpu are mutually exclusive.")
    #% end
    #% if gpus_over_node
    if "gpus" in given:
        given.setdefault("gpus-per-node", "0")
    #% end


#% end
#% end
