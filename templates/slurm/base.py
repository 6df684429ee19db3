"""A small Slurm for one job on its own machines: srun, scontrol and friends, and the agent that runs tasks for srun.

One program, called under many names, each the name of a function. Lines between `#% if A|B` and `#% end` go only into
the startup scripts of jobs that may need one of these features (flowc/body/slurm_features.py);
`#% if !A` means without it. The words of OPTIONS are dropped in the same way, by `opt:NAME`.

What it reads: the SLURM_* variables of the batch step and, with several nodes, STATE: `NAME IP` of each node in the
order of ranks, written by the agent of the same machine.
"""
import os, signal, sys
#% if regex
import re
#% end
#% if account
import fcntl, select
#% end
#% if choose
import itertools
#% end
#% if agent|pmi
import socket
#% end
#% if agent
import hmac, time
#% end
#% if guarded
import select
#% end
#% if pipes
from multiprocessing.connection import Connection, Pipe, wait
#% end

#% if container
box = 0
#% end
ENV = os.environ
NAME = os.path.basename(sys.argv[0])
WORDS = sys.argv[1:]
#% if sets_gpus
# A step has the job's GPUs, whatever the script says of its own.
if "SLURM_JOB_GPUS" in ENV:
    ENV["CUDA_VISIBLE_DEVICES"] = ENV["SLURM_JOB_GPUS"]
#% end
#% if agent
STATE = "/var/lib/foundry/flowc/nodes"
# What only the machines of this job have: the text of their script.
SECRET = "/var/lib/foundry/flowc/run"
#% if guarded
# What somebody may bring over SSH: 64 characters, and a line break once all machines have them.
KEY = "/var/lib/foundry/flowc/key"
#% end
PORT = 6818
#% if prepared
# What became of the preparation of this machine: nothing yet, an empty line, or why it failed.
READY = "/run/flowc.ready"
#% end
#% end
#% if regain
def regain(process):
    """What the job's programs must know though somebody took it out of the environment: from those around this one."""
    while process > 1 and "SLURM_JOB_CPUS_PER_NODE" not in ENV:
        process = int(open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[1])
        try:
            text = os.fsdecode(open(f"/proc/{process}/environ", "rb").read())
        except OSError:
            return
        for entry in text.split("\0"):
            name, equal, value = entry.partition("=")
            if name.startswith(("SLURM_JOB", "SLURM_SUBMIT", "SLURM_TASKS", "SLURM_NODELIST", "SLURMD_", "FLOWC_")):
                ENV.setdefault(name, value)


regain(os.getpid())
#% end
#% if descriptors
# Of the script: its locks and pipes are not a task's.
opened = [os.set_inheritable(place, False) or place for place in range(3, 99) if os.path.exists(f"/dev/fd/{place}")]
#% end
#% if values
SIZE = r"\d+[kmgt]?b?"
#% end
#% if srun
# What srun hands on to its tasks.
HEARD = 1, 2, 3, 10, 12, 15, 18
#% if ignores
# Where CHLD is ignored nobody can wait for the end of a task.
signal.signal(17, 0)
#% end
#% end


def say(text):
    os.write(2, (NAME + ": " + text + "\n").encode())


def die(text, code=1):
    say(text)
    os._exit(code)

