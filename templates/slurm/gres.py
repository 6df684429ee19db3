"""GPUs: how many a step has on each node, and which of them a task sees."""
#% if gpu_forms
def repeated(turns):
    """`1*2,0` is `1,1,0`."""
    return [value for item in turns for value, _, times in [item.partition("*")] for _ in range(int(times or 1))]


#% end
#% if gpu
def amount(name, variable=""):
    """The GPUs in `gpu:h100:2`, `h100:2`, `2`; the last part may be a type."""
    return sum(
        int(word.split(":")[-1]) if word.split(":")[-1].isdecimal() else 1
        for word in (option(name, variable) or "").split(",")
        if word and (name != "gres" or "gpu" in word)
    )


def choose_gpus():
    #% if gpu_shares
    global share, in_all
    #% end
    global devices, per_task, bind, here
    devices = ENV.get("SLURM_JOB_GPUS", "").replace(",", " ").split()
    per_task = amount("gpus-per-task")
    bind = f"per_task:{per_task}" if per_task else ""
    #% if opt:gpu-bind|opt:ntasks-per-gpu
    if option("ntasks-per-gpu"):
        bind = "single:" + option("ntasks-per-gpu")
    bind = (option("gpu-bind") or "").replace("verbose,", "") or bind
    #% end
    here = int(ENV.get("FLOWC_STEP_GPUS", len(devices)))
    #% if gpu_shares
    share = amount("gres") or amount("gpus-per-node")
    in_all = amount("gpus")
    #% if no_gpus
    if not (share or in_all or per_task) and {"gres", "gpus", "gpus-per-node", "gpus-per-task"} & {name for name in given if given[name]}:
        # `--gres=none`, `--gpus=0`; `--gpus=` says nothing
        here = 0
        #% if step_gpus
        ENV["FLOWC_STEP_GPUS"] = "0"
        #% end
        for name in "CUDA_VISIBLE_DEVICES", "SLURM_GPUS_ON_NODE":
            ENV.pop(name, 0)
    #% end
    here = share or -(-in_all // len(nodes)) or here
    #% if account
    share = share or (not in_all and not per_task) * here
    #% end
    #% end
    #% if gpu_forms
    if not re.fullmatch(r"(?:|none|closest|(?:single|per_task|map(?:_gpu)?|mask(?:_gpu)?):.+)", bind):
        die(f"error: Invalid --gpu-bind argument: gpu:{bind}", 255)
    #% end
    if (
        max(here, *(per_task * len(part) for part in ranks)) > len(devices)
        #% if account
        or 0 < in_all < low
        #% end
    ):
        die(f"error: Unable to create step for job {job}: Invalid generic resource (gres) specification")
    #% if unbound
    #% if !reads_tres
    if bind == "none" and len(ranks[0]) > 1:
        # Nothing is bound: programs look for themselves.
        ENV.update(SLURMD_TRES_BIND="gpu:none")
        ENV.pop("CUDA_VISIBLE_DEVICES", 0)
        ENV["SLURM_GPUS_ON_NODE"] = str(per_task * len(ranks[0]) or here)
        #% if step_gpus
        ENV["FLOWC_STEP_GPUS"] = "-0"
        #% end
        here = per_task = 0
    #% end
    #% end


def gpus(local, count):
    """The devices of the task with this number on its node."""
    #% if account
    mine = devices
    #% end
    #% if !account
    #% if gpu_shares
    mine = devices[: share or per_task * count or here]
    #% end
    #% if !gpu_shares
    mine = devices[: per_task * count or here]
    #% end
    #% end
    #% if gpu_shares
    # A single task sees all of them; who comes too late has the first.
    shown = mine[local * per_task : (local + 1) * per_task] or mine[:1] if per_task and count > 1 else mine
    #% end
    #% if !gpu_shares
    shown = mine[local * per_task : (local + 1) * per_task] or mine
    #% end
    #% if opt:gpu-bind|opt:ntasks-per-gpu
    kind, _, text = bind.partition(":")
    number = int(text) if text.isdecimal() else 1
    turns = text.split(",")
    #% if gpu_forms
    turns = repeated(turns)
    #% end
    if count < 2:
        # Alone on its node a task is not bound.
        shown = mine
    elif kind == "single":
        shown = [mine[local // number % len(mine)]]
    elif kind == "per_task":
        shown = mine[local * number : (local + 1) * number] or mine[:1] if count > 1 else mine
    elif kind[:3] == "map":
        shown = [devices[int(turns[local % len(turns)], 0)]]
    elif kind[:4] == "mask":
        mask = int(turns[local % len(turns)], 16)
        shown = [name for place, name in enumerate(devices) if mask >> place & 1]
    else:
        shown = mine
    #% end
    #% if opt:accel-bind
    if "g" in given.get("accel-bind", ""):
        # Each task has those that are near, whatever else is asked for.
        shown = mine
    #% end
    ids = ",".join(shown)
    return {
        "CUDA_VISIBLE_DEVICES": ids,
        "SLURM_STEP_GPUS": ids,
        "SLURM_GPUS_ON_NODE": str(len(mine)),
        #% if reads_tres
        **({"SLURMD_TRES_BIND": "gres/gpu:" + bind} if bind else {}),
        #% end
        #% if !reads_tres
        **({"SLURMD_TRES_BIND": "gpu:" + bind} if bind and count > 1 else {}),
        #% end
    }


#% end
