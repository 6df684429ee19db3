"""What a finding advises, where it depends on the job."""

from __future__ import annotations

import pytest

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
SKY = "resources:\n  accelerators: H100:8\nfile_mounts:\n  /data: s3://<bucket>\nrun: nvidia-smi\n"


def helped(code: str, text: str, path: str = "job.sbatch") -> str | None:
    (found,) = [each for each in driver.check(Source(path, text), Inputs()).diagnostics if each.code.id == code]
    return found.help


@pytest.mark.parametrize(
    ("options", "named"),
    [("--constraint=gpu", "gpu"), ("-p gpu-long", "gpu-long"), ("-p cpu,gpu", None), ("--constraint=haswell", None)],
)
def test_nodes_whose_name_says_that_they_have_gpus(options: str, named: str | None) -> None:
    help = helped("FC607", f"#!/bin/bash\n#SBATCH --time=10 --ntasks=2 {options}\nhostname\n")
    if named is None:
        assert help is None
    else:
        assert help is not None
        assert help.startswith(f"`{named}` is a name of nodes with GPUs?")


@pytest.mark.parametrize(
    ("body", "named", "gpus"),
    [
        ("export GPUS_PER_NODE=4\nsrun a\n", "GPUS_PER_NODE=4", 4),
        ("N=8\ntorchrun --nproc_per_node=8 a.py\n", "--nproc_per_node=8", 8),
        ("python -m torch.distributed.run --nproc-per-node 2 a.py\n", "--nproc-per-node 2", 2),
        ("# torchrun\nCUDA_VISIBLE_DEVICES=0,1 python a.py\n", "CUDA_VISIBLE_DEVICES=0,1", 2),
        ("torchrun --nproc_per_node=$N a.py\n", "torchrun", 1),
        ("nvidia-smi\npython a.py\n", "nvidia-smi", 1),
        ("module load cuda/11.7 cudnn/8.9\npython a.py\n", "cudnn", 1),
        ("singularity exec --nv x.sif python a.py\n", "--nv", 1),
        ("python a.py # nvidia-smi\n#export GPUS_PER_NODE=4\n", None, 0),
        ("module load cuda\nmake CUDA=1\nexport CUDA_VISIBLE_DEVICES=\nnvidia-smix --nvx\n", None, 0),
    ],
)
def test_texts_that_use_gpus(body: str, named: str | None, gpus: int) -> None:
    help = helped("FC607", f"#!/bin/bash\n#SBATCH --time=10 --ntasks=2\n{body}")
    if named is None:
        assert help is None
    else:
        ask = f"`--gpus-per-node={gpus}`"
        assert help == f"the text has `{named}`: GPUs are meant? ask for them, or the job sees none: {ask}"


def test_a_whole_machine_has_as_many_gpus_as_it_is_asked_for() -> None:
    help = helped("FC607", "#!/bin/bash\n#SBATCH --time=10 --exclusive\nexport GPUS_PER_NODE=8\n./a\n")
    assert help == "the text has `GPUS_PER_NODE=8`: GPUs are meant? ask for them: `--gpus-per-node=8`"


@pytest.mark.parametrize(
    ("code", "body", "help"),
    [
        ("FC813", "python train.py\nsbatch next.sbatch\n", "`flowc submit FILE --after afterok:JOB`"),
        ("FC813", "python train.py\nsbatch $0\n", "it submits itself: one job may have all the time that it needs"),
        ("FC813", "sbatch --begin=now+1hour job.sbatch\n", "it submits itself"),
        ("FC813", 'a && sbatch -t 10 "${BASH_SOURCE[0]}"\n', "it submits itself"),
        ("FC813", "nextflow run main.nf -profile slurm\n", "`-process.executor local`"),
        ("FC843", "export NCCL_IB_HCA=mlx5_0\nnvidia-smi\n", "leave it out"),
        ("FC141", "./a $SLURM_ARRAY_TASK_ID\n", "give it here too: `-- --array=…`"),
        ("FC812", "module load gromacs/2024.4/gcc-13.2.0_cuda-12\n", "a line of a profile brings it"),
        ("FC812", "module load tensorflow/python3.6/1.5.0\n", "a line of a profile brings it"),
        (
            "FC812",
            "module load cmake vasp/6\n",
            "own in place of `cmake`; for the others a line of a",
        ),
        ("FC804", "aprun -n 4 ./a\n", "`srun` starts programs on the job's machines"),
        ("FC812", "module load compilers/gcc/12\n", "`apt-get install -y build-essential`"),
    ],
)
def test_what_is_advised(code: str, body: str, help: str) -> None:
    assert help in str(helped(code, HEAD + body))


def test_tasks_beyond_what_a_project_has_room_for() -> None:
    help = helped("FC508", HEAD.replace("=10", "=10 --array=1-500") + "./a $SLURM_ARRAY_TASK_ID\n")
    assert help == "`%100` behind the indices of `--array` keeps to it"


def test_machines_that_nothing_uses() -> None:
    help = helped("FC806", HEAD.replace("=10", "=10 --nodes=2") + "bash run_all.sh\n")
    assert help == "`srun PROGRAM` starts it on all; if a script that this one calls does: `--with-commands srun`"


def test_activate_is_condas() -> None:
    found = driver.check(Source("j.sbatch", HEAD + "source activate env\n"), Inputs()).diagnostics
    assert [each.message for each in found if each.code.id == "FC804"] == [
        "the job calls `activate` of conda, which the machine does not have"
    ]


def test_a_path_that_was_never_filled_in() -> None:
    text = HEAD + "source /path/to/env/bin/activate\ncd /scratch/x/y\npython a.py --data /your/data/b --z /path/to/c\n"
    found = [each for each in driver.check(Source("j.sbatch", text), Inputs()).diagnostics if each.span]
    told = {(each.code.id, each.span.text, each.help) for each in found if each.span}
    assert {("FC136", "/path/to", None), ("FC136", "/your/data", None)} <= told
    (path,) = [each for each in found if each.code.id == "FC820"]
    assert path.message.endswith("file systems: `/scratch/x`")


def test_a_variable_in_place_of_a_count() -> None:
    help = helped("FC108", "#!/bin/bash\n#SBATCH --nodes=$NODES\nhostname\n")
    assert help == "`$NODES` is not expanded in a directive: `--fill NODES=VALUE` puts a value there"


@pytest.mark.parametrize("address", ["", "<mail>", "YOUR_EMAIL"])
def test_an_address_that_was_never_filled_in_is_no_address(address: str) -> None:
    source = Source("j.sbatch", HEAD + f"#SBATCH --mail-user={address}\nnvidia-smi\n")
    found = {each.code.id for each in driver.check(source, Inputs()).diagnostics}
    assert "FC803" not in found
    assert ("FC136" in found) is bool(address)


def test_a_script_for_sh_is_to_be_one_for_bash() -> None:
    text = HEAD.replace("bash", "sh") + "source env.sh\nnvidia-smi\n"
    assert helped("FC833", text) == "begin the script with `#!/bin/bash`"


def test_a_bucket_that_was_never_filled_in() -> None:
    assert helped("FC371", SKY, "task.yaml") == "`--fill 'bucket=VALUE'` puts a value there"


def test_a_password_within_a_url() -> None:
    text = HEAD + 'export DB="mongodb://reader:HXH7vExF7GvCeMWn@192.0.2.7/data"\nnvidia-smi\n'
    (found,) = [
        each for each in driver.check(Source("j.sbatch", text), Inputs()).diagnostics if each.code.id == "FC842"
    ]
    assert found.message == "the password of a URL stands in the script"


def test_what_another_launcher_needs() -> None:
    text = HEAD.replace("=10", "=10 --nodes=2") + "horovodrun -np 2 --hosts a,b python train.py\n"
    assert "`horovodrun` is not there, or reaches them by SSH" in str(helped("FC806", text))


@pytest.mark.parametrize(
    ("line", "code", "help"),
    [
        ('-R "rusage[mem=4GB]"', "FC104", "an option of LSF: write `#SBATCH --mem=…"),
        ("-N", "FC104", "an option of LSF: write `#SBATCH --mail-type=END`"),
        ("-nnodes 2", "FC108", "an option of LSF: write `#SBATCH --nodes=…`"),
        ("-oo logs/out", "FC103", "an option of LSF: write `#SBATCH --output=…`"),
        ("-K", "FC104", "an option of LSF that sbatch does not know"),
    ],
)
def test_options_of_lsf(line: str, code: str, help: str) -> None:
    assert str(helped(code, f"#!/bin/bash\n#BSUB {line}\nhostname\n")).startswith(help)


def test_gpus_that_pbs_names_otherwise() -> None:
    text = "#!/bin/bash\n#PBS -l select=1:ncpus=4:ngpus=2\nhostname\n"
    assert helped("FC155", text) == "sbatch passes over `ngpus=2`: write `#SBATCH --gpus-per-node=2`"
    text = "#!/bin/bash\n#PBS -l nodes=2:ncpus=4,mem=4gb\nhostname\n"
    expected = "sbatch takes `ncpus=4` behind `nodes=` for a node's name: write `#SBATCH --cpus-per-task=4`"
    assert helped("FC155", text) == expected


def test_a_conflict_that_git_left() -> None:
    text = "<<<<<<< HEAD\n#!/bin/bash\n#SBATCH --time=10\nhostname\n"
    assert "git left a conflict here" in str(helped("FC002", text))
