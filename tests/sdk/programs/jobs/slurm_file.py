from pathlib import Path

from flowc import Flow

text = "#SBATCH --job-name=slurm-train\n#SBATCH --gres=gpu:8\n#SBATCH --mem=32G\n#SBATCH --time=24:00:00\n"
Path("job.sbatch").write_text(f"#!/bin/bash\n{text}echo $SLURM_JOB_NAME $SLURM_JOB_NUM_NODES\n")
task = Flow().run(Path("job.sbatch"), wait=True)
assert (task.status, task.logs()) == ("completed", "slurm-train 1\n"), task.logs()
