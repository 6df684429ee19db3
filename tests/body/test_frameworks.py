"""What programs call of Slurm that a text does not show: each row of the table, by a text as users write it."""

from __future__ import annotations

import re

import pytest

from flowc._compiled.slurm_commands import BEHIND
from flowc.body.commands import provided, submitted_by
from flowc.body.frameworks import behind, features_behind
from flowc.body.slurm_features import features
from flowc.ir.job import StopSignal, Time
from tests.scripts.jobs import unit

# The commands, then the features beside those that any call has.
CALLS = {
    "PYTHONPATH=. python tools/train.py cfg.py --launcher=slurm\n": "scontrol",
    "python - <<'E'\nfrom mmengine.dist import init_dist\ninit_dist('slurm', 'nccl')\nE\n": "scontrol",
    "python - <<'E'\nRunner.from_cfg(dict(launcher='slurm'))\nE\n": "scontrol",
    "deepspeed --hostfile h --launcher slurm train.py --deepspeed_config c.json\n": "srun scontrol",
    "deepspeed \\\n  --hostfile h \\\n  --launcher=slurm \\\n  train.py\n": "srun scontrol",
    "accelerate launch --use_deepspeed --deepspeed_multinode_launcher slurm train.py\n": "srun scontrol",
    'cat >c.yml <<E\n"launcher": "slurm"\nE\npython deepy.py train.py c.yml\n': "srun",
    "python -m submitit.core._submit logs\n": "scontrol requeue",
    "python - <<'E'\nimport lightning as L\nL.Trainer().fit(m)\nE\n": "scontrol requeue",
    "python - <<'E'\n    from pytorch_lightning import Trainer\nE\n": "scontrol requeue",
    "python - <<'E'\nfrom nemo.collections import llm\nE\n": "scontrol requeue",
    "fairseq-train data --distributed-port 12345\n": "scontrol",
    "fairseq-hydra-train --config-name x\n": "scontrol",
    "python - <<'E'\nfrom parsl.launchers import SrunLauncher\nE\n": "srun opt:label",
    "python - <<'E'\nwith SlurmJobExecutor() as exe:\n    exe.submit(f)\nE\n": "srun opt:oversubscribe stdin",
    "snakemake --executor slurm-jobstep --jobs 1 all\n": "srun opt:cpus-per-gpu stdin",
    "disBatch tasks.txt\n": "srun scontrol",
    "qcg-pm --file-path jobs.json\n": "srun scontrol scontrol_job fields spelled opt:version",
    "python - <<'E'\nfrom psij import Job\nJobSpec('x', launcher='srun')\nE\n": "srun stdin",
    "reframe -C settings.py -c tests -r\n": "srun opt:version opt:cpus-per-task opt:export",
    "python - <<'E'\nfrom pyina.launchers import SlurmPool\nE\n": "srun opt:ntasks opt:nodes",
    "python - <<'E'\nfrom simple_slurm import Slurm\nSlurm().squeue.update_squeue()\nE\n": "squeue columns",
    "python - <<'E'\nfrom simple_slurm import Slurm\nSlurm(ntasks=2).srun('x')\nE\n": "srun",
    "python -c 'import clusterscope'\n": "scontrol sinfo columns rare",
    "python - <<'E'\nimport ignite.distributed as idist\nE\n": "scontrol",
    "python - <<'E'\nimport torchrunx\nE\n": "scontrol",
    "Rscript -e 'parallelly::availableWorkers()'\n": "scontrol hostlist",
    'nodeset -f "@sj:$SLURM_JOB_ID"\n': "squeue sinfo hostlist",
    "julia -e 'using SlurmClusterManager; addprocs(SlurmManager())'\n": "srun",
}
NO_CALLS = [
    "deepspeed --hostfile h train.py\n",
    "deepspeed --launcher pdsh train.py; echo slurm\n",
    "python tools/train.py --launcher pytorch\n",
    "pip install lightning\npython train.py\n",
    "python - <<'E'\nimport lightning.fabric\nE\n",
    "python - <<'E'\nfrom parsl.launchers import SingleNodeLauncher\nE\n",
    "snakemake --executor local -j 8\n",
    "nextflow run main.nf -profile docker\nls slurm\n",
    "nextflow run main.nf -profile slurmless\n",
    "snakemake --cluster qsub -j 8\n",
    "ls disBatch_logs; cp -r x/disBatch y\n",
    "echo fairseq\n",
    "python train.py --logger lightning\n",
]
SUBMITS = {
    "snakemake --executor slurm --jobs 20\n": "snakemake --executor slurm",
    "snakemake \\\n  --jobs 20 --slurm all\n": "--jobs 20 --slurm",
    "snakemake -j 9 --cluster 'sbatch -c {threads}'\n": "snakemake -j 9 --cluster 'sbatch",
    'snakemake \\\n  --cluster "sbatch -n 1" all\n': '--cluster "sbatch',
    "nextflow run a.nf \\\n  -with-dag x.png \\\n  -profile apptainer,slurm -resume\n": "-profile apptainer,slurm",
    "nextflow run main.nf -process.executor slurm\n": "nextflow run main.nf -process.executor slurm",
    "toil-cwl-runner --batchSystem slurm w.cwl\n": "--batchSystem slurm",
    "torchx run --scheduler slurm dist.ddp -j 2x8\n": "torchx run --scheduler slurm",
    "hq alloc add slurm --time-limit 1h\n": "hq alloc add slurm",
    "python train.py -m hydra/launcher=submitit_slurm lr=1,2\n": "hydra/launcher=submitit_slurm",
    "python - <<'E'\nc = SLURMCluster(cores=4)\nE\n": "SLURMCluster",
    "python - <<'E'\np = SlurmProvider('main')\nE\n": "SlurmProvider",
    "python - <<'E'\nwith SlurmClusterExecutor() as e: pass\nE\n": "SlurmClusterExecutor",
    "python - <<'E'\nimport submitit\ne = AutoExecutor('l', cluster='slurm')\nE\n": "AutoExecutor('l', cluster='slurm",
    "python - <<'E'\ne = run.SlurmExecutor(account='a', tunnel=run.LocalTunnel('j'))\nE\n": (
        ".SlurmExecutor(account='a', tunnel=run.LocalTunnel"
    ),
    "python - <<'E'\nfrom simple_slurm import Slurm\nSlurm(array=3).sbatch('x')\nE\n": "Slurm(array=3).sbatch",
    "Rscript -e 'rslurm::slurm_apply(f, p)'\n": "slurm_apply",
    "./train.sh --cmd slurm.pl\n": "slurm.pl",
}


@pytest.mark.parametrize("text", CALLS)
def test_what_is_called_unseen(text: str) -> None:
    commands, found = behind(text), features_behind(text)
    assert {*commands, *found} == {*CALLS[text].split()}
    job = unit("#!/bin/bash\n" + text).job
    assert commands <= provided(job)
    assert {*commands, *found} <= features(job, 2)


@pytest.mark.parametrize("text", NO_CALLS)
def test_what_only_looks_like_it(text: str) -> None:
    assert behind(text) == set()


@pytest.mark.parametrize("text", SUBMITS)
def test_what_submits_jobs(text: str) -> None:
    job = unit("#!/bin/bash\n" + text).job
    found = submitted_by(job)
    assert found is not None
    assert (job.run.text or "")[found[0] : found[1]] == SUBMITS[text]
    assert "sbatch" in features(job, 1), "what it calls refuses loudly"


def test_a_comment_submits_nothing() -> None:
    assert submitted_by(unit("#!/bin/bash\n# was: snakemake --executor slurm\nsnakemake -j 4\n").job) is None
    text = "# snakemake --executor slurm\nsnakemake --slurm all\n"
    found = submitted_by(unit("#!/bin/bash\n" + text).job)
    assert found is not None
    assert found[0] == len("#!/bin/bash\n# snakemake --executor slurm\n")


def test_every_row_has_its_text() -> None:
    texts = [*CALLS, *SUBMITS]
    for row in BEHIND:
        assert any(re.search(row["words"], text) for text in texts), row
        assert all(any(sign in text for sign in row["signs"]) for text in texts if re.search(row["words"], text)), row


@pytest.mark.parametrize(
    ("to", "text", "wanted"),
    [
        ("steps", "srun python train.py\n", True),
        ("shell", "srun python train.py\n", False),
        ("steps", "srun ./a\n", False),
    ],
)
def test_python_that_hears_a_signal_may_ask_for_a_new_run(to: str, text: str, wanted: bool) -> None:
    job = unit("#!/bin/bash\n" + text, time=Time(limit_s=600, signal=StopSignal(name="USR1", before_s=60, to=to))).job
    assert ("requeue" in features(job, 1)) == wanted
    assert "requeue" not in features(job, 1, guess=False)
