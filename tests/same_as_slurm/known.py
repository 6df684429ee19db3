"""Differences between Slurm and flowc that are meant: (body, what, reason), the first two regular expressions.

By theme. What is not in this table is a bug; a row that nothing needs any more fails a test.
"""

from __future__ import annotations

import re

# Internal to a cluster: not compared at all.
INTERNAL = {
    "SLURM_CONF": "path of the cluster's own configuration",
    "SLURM_PRIO_PROCESS": "internal of slurmd",
    "SLURM_TOPOLOGY_ADDR": "switches of the cluster",
    "SLURM_TOPOLOGY_ADDR_PATTERN": "switches of the cluster",
    "SLURM_WORKING_CLUSTER": "address of the controller",
    "SLURM_NODE_ALIASES": "always `(null)`",
    "SLURM_STEP_LAUNCHER_PORT": "port of srun's own protocol",
    "SLURM_JOB_CPUS_PER_NODE_PACK_GROUP_0": "srun's own copy of a variable",
    "SLURMD_DEBUG": "internal of slurmd",
    "SLURM_UMASK": "how srun hands on the umask, which is compared itself",
}
# There on both sides, with a value of the run.
VARIES = {
    "SLURM_TASK_PID": "process id",
    "SLURM_SUBMIT_HOST": "host name",
    "SLURM_SRUN_COMM_HOST": "address",
    "SLURM_SRUN_COMM_PORT": "port",
    "SLURM_JOB_START_TIME": "time",
    "SLURM_JOB_END_TIME": "time",
    "SLURM_JOB_SLUID": "the controller's own number of the job",
}
# Names that are compared; the rest is the submitter's environment, which flowc does not copy.
COMPARED = re.compile(
    r"SLURM|HYDRA_|I_MPI_HYDRA_|(?:OMPI|PRTE)_MCA_plm_slurm|CUDA_|ROCR_|ZE_|GPU_DEVICE|(?:ENVIRONMENT|HOSTNAME|TMPDIR|HOME|USER|GREETING|OTHER|KEEP|EXTRA)$"
)
# A row: which bodies of the theme, which differences, why. Both patterns must match as a whole.
Row = tuple[str, str, str]
NEWER: Row = (".*", r"env \S+ SLURM_JOB_(START|END)_TIME extra", "Slurm 23.02 and newer set it")
PARTITION: Row = (".*", r"env \S+ SLURM_JOB_PARTITION missing", "a rented machine has no partition")
TOLD = (
    "Slurm kills a step whose srun gets TERM, HUP or QUIT; flowc's tasks hear it and end in order, as docs/machine.md "
    "promises"
)
KNOWN: dict[str, tuple[Row, ...]] = {
    "ends": (
        (
            "background-left|setsid-left",
            r"file late\.txt missing",
            "this cluster (proctrack/linuxproc) loses orphans; sites (proctrack/cgroup) and systemd kill them",
        ),
    ),
    "environment": (NEWER, PARTITION),
    "het": (
        NEWER,
        (".*", r"env \S+ SLURM_JOB_PARTITION\S* missing", PARTITION[2]),
        (".*", r"env \S+ SLURM_(\w+_PACK_GROUP_\d|PACK_SIZE) missing", "older names, brought where a text has them"),
        (".*", r"env \S+ SLURM_SRUN_COMM_(HOST|PORT) missing", "where a task would reach srun by Slurm's own protocol"),
        (
            "het-steps",
            "file slurm-JOBID.out differs",
            "Slurm kills a step over components at once; its tasks hear TERM first here, as those of any step do",
        ),
    ),
    "limits": (
        (
            "requeue-truncate",
            "file .* differs",
            "Slurm empties the output of a job that it starts again; flowc keeps what was said before",
        ),
        ("limit-srun-multi", "file .* differs", TOLD),
    ),
    "output": (
        (
            "stdin-missing",
            "tasks",
            "Slurm calls it death by signal 53, which no process has; flowc gives exit status 1",
        ),
        ("stdin-missing", "file .* extra", "flowc says in the job's output which file there is not"),
    ),
    "queries": (
        ("module-calls", "file .* differs", "the cluster here has no environment modules; flowc brings a `module`"),
        ("sbatch-inside", "file .* differs", "Slurm submits; flowc refuses loudly, a machine cannot rent others"),
        (
            "squeue-cpus",
            "file .* differs",
            "in a partition of whole nodes Slurm counts all CPUs of the node, flowc those that were asked for",
        ),
    ),
    "step-environment": (
        NEWER,
        PARTITION,
        (".*", r"env \S+ SLURM_SRUN_COMM_(HOST|PORT) missing", "where a task would reach srun by Slurm's own protocol"),
        (
            "srun-export",
            "file .* differs",
            "an environment without PATH: Slurm finds no program then, flowc those in /bin and /usr/bin",
        ),
        (
            "srun-shell-vars",
            "file .* differs",
            "Slurm starts programs by their full path, so that `$0` of a shell is /usr/bin/bash, not bash",
        ),
        (
            "srun-env-fewer",
            r"env \S+ SLURM_STEP_NODELIST differs",
            "a part of the nodes is listed with commas: the same nodes in more words",
        ),
        (
            "srun-env-(c|one)|exclusive-.*",
            r"env \S+ SLURM_LAUNCH_NODE_IPADDR missing",
            "where srun runs, on the one node of a job",
        ),
    ),
    "step-layout": (
        (
            "srun-nodes-of-tasks-shared",
            "file .* differs",
            "a cluster that gives the CPUs that were asked for refuses more tasks; one of whole nodes runs them",
        ),
    ),
    "strangers": (
        ("hangup-and-quit", "file .* differs", TOLD),
        (
            "interrupt-once",
            "file .* differs",
            "Slurm wants a second Ctrl-C within a second, as from a person; flowc's tasks hear the first",
        ),
    ),
    "words": (
        (
            "command-name",
            r"file command-name\.sbatch extra",
            "Slurm's script lies where it was submitted; flowc puts it there on the machine, for a script that asks",
        ),
    ),
    "steps": (("srun-term", "file .* differs", TOLD),),
}
