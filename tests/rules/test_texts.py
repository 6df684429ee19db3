"""What is said of what the texts of a job count on, and of what nothing is said."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
NAMES = {
    *("code-not-brought", "variable-from-elsewhere", "secret-in-script", "network-of-cluster"),
    *("expands-early", "status-of-pipe", "prepared-on-one-machine", "index-not-read"),
    *("status-never-seen", "counting-ends", "wheels-of-cluster"),
}


def said(body: str, head: str = HEAD, flags: Flags | None = None) -> list[tuple[str, str]]:
    """Name of the code and the text that is marked."""
    found = flowc.compile(Source("job.sbatch", head + body), Inputs(flags=flags or Flags())).diagnostics
    return [(each.code.name, each.span.text) for each in found if each.code.name in NAMES and each.span]


@pytest.mark.parametrize(
    ("body", "file"),
    [
        ("python train.py --x 1\n", "train.py"),
        ("srun python3.11 -u src/train.py\n", "src/train.py"),
        ("srun torchrun --nproc_per_node 8 'run.py' conf.py\n", "run.py"),
        ("python -m torch.distributed.run --nnodes 1 main.py\n", "main.py"),
        ("source env.sh\nnvidia-smi\n", "env.sh"),
        ("./run --all\n", "./run"),
        ("bash -c 'cat x\nRscript model.R'\n", "model.R"),
        ("srun -n 4 ./wrf.exe\n", "./wrf.exe"),
        ("mpirun --bind-to=core -np 8 ./real.exe >log\n", "./real.exe"),
        ("srun --mpi=pmix -l ./a.out x\n", "./a.out"),
        ("nohup ./serve &\nwait\n", "./serve"),
        ("srun -N1 -n1 ./vector_addition\n", "./vector_addition"),
        ("nvprof -o prof_v2 ./main\n", "./main"),
        ("srun --account x sh $PWD/worker.sh\n", "worker.sh"),
        ('source "${SLURM_SUBMIT_DIR}/scripts/env.sh"\nnvidia-smi\n', "scripts/env.sh"),
        ("cd src\npython train.py\n", "src"),
        ("python a.py\ncd /opt/x\npython b.py\n", "a.py"),
        ("cd my/code && make\n", "my/code"),
    ],
)
def test_code_that_nothing_brings(body: str, file: str) -> None:
    assert said(body) == [("code-not-brought", file)]


@pytest.mark.parametrize(
    "body",
    [
        "git clone https://example.org/x .\npython train.py\n",
        "cd /opt/x\npython train.py\n",
        "cat >train.py <<'E'\nprint(1)\nE\npython train.py\n",
        "python -c 'import x' a.py.txt\n",
        "python -m pip list\n",
        "python $SLURM_JOB_NAME.py\n",
        "python /usr/share/x.py\n",
        "curl -O https://example.org/a.sh\nbash a.sh\n",
        "[ -f env.sh ] && source env.sh\n",
        "echo python train.py\n",
        "gcc -o prog -x c - <<<'int main(){}'\n./prog\n",
        "srun --container-image=python:3 python train.py\n",
        "# python train.py\nnvidia-smi\n",
        # What is looked for in PATH, which a module may have changed; options; what is built.
        "module load manta\nconfigManta.py --bam x\n",
        "export PATH=/opt/x/bin:$PATH\nrun_all.py --bam x\n",
        "srun --output ./log hostname\nsrun -D ./x hostname\n",
        "make prog\nsrun -n 2 ./prog\n",
        "mpirun -hostfile ./hosts hostname\n",
        "mkdir -p a/b && cd a/b && ls\ncd ..\n",
        "cd $SLURM_SUBMIT_DIR\ncd -\ncd .\ncd\n",
        "cp -r /opt/x run\ncd run/y\npython z.py\n",
        "git clone https://host/x\ncd x\n./y\n",
        "if [ -d src ]; then cd src; fi\n",
        "srun -n 1 gcc -o prog -x c - <<<'int main(){}'\nmpirun ./prog\n",
        "srun $(which singularity) exec --nv docker://x bash -c 'python train.py'\n",
        "singularity pull x.sif docker://a\nsrun --container-image=a ./x\nmpirun singularity exec x.sif ./y\n",
        "apptainer build img/x.sif docker://a\napptainer exec img/x.sif ./y\n",
        "apptainer exec docker://a git clone https://host/x\npython x/a.py\n",
    ],
)
def test_code_that_is_there_or_may_be(body: str) -> None:
    assert said(body) == []


@pytest.mark.parametrize(
    "call", ["singularity exec --nv", "srun -n 2 $(which singularity) exec -B /a/b:/c", "apptainer run"]
)
def test_an_image_beside_the_script_is_brought_by_nothing(call: str) -> None:
    assert said(f"{call} ./x.sif python train.py\n") == [("code-not-brought", "./x.sif")]
    assert said(f"{call} docker://x python train.py\n") == [("code-not-brought", "train.py")]
    assert said(f'{call} "img/x.sif" python train.py\n') == [("code-not-brought", "img/x.sif")]


def test_an_image_or_a_mount_may_have_the_code() -> None:
    for flags in (Flags(image="python:3"), Flags(mounts=("/workspace=s3://b/x",))):
        assert said("python train.py\n", flags=flags) == []
    assert said("python src/train.py\n", flags=Flags(mounts=("/workspace/src=s3://b/x",))) == []
    assert said("python proj/train.py\n", HEAD + "#SBATCH -D /root\n", Flags(mounts=("~/proj=s3://b/x",))) == []


@pytest.mark.parametrize(
    ("body", "mount"),
    [
        ("python train.py\n", "/data=s3://b/x"),
        ("python src2/train.py\n", "/workspace/src=s3://b/x"),
    ],
)
def test_a_mount_elsewhere_brings_no_code(body: str, mount: str) -> None:
    assert [name for name, _ in said(body, flags=Flags(mounts=(mount,)))] == ["code-not-brought"]


@pytest.mark.parametrize("folder", ["/scratch/me/project", "src", "~/project"])
def test_the_folder_of_a_job_that_nothing_brings_is_empty_too(folder: str) -> None:
    head = HEAD + f"#SBATCH -D {folder}\n"
    assert said("python train.py\n", head) == [("code-not-brought", "train.py")]
    target = folder.replace("src", "/workspace/src")
    assert said("python train.py\n", head, Flags(mounts=(f"{target}=s3://b/x",))) == []


KEY = "8f14e45fceea167a5a36dedd4bea2543aa01b9c7"


@pytest.mark.parametrize("body", [f"export WANDB_API_KEY={KEY}\nnvidia-smi\n", f"wandb login {KEY}\nnvidia-smi\n"])
def test_a_secret_in_the_script(body: str) -> None:
    assert said(body) == [("secret-in-script", KEY)]


@pytest.mark.parametrize(
    "body",
    [
        "export WANDB_API_KEY=$KEY_OF_MINE\nKEY_OF_MINE=\n",
        "export WANDB_API_KEY=your_key_here_123\n",
        "export WANDB_API_KEY=<key>\n",
        "export WANDB_API_KEY=xxxxxxxxxxxxxxxxxxxx\n",
        f"# export WANDB_API_KEY={KEY}\nnvidia-smi\n",
        "nvidia-smi --token_length 20000000\n",
    ],
)
def test_what_stands_for_a_secret(body: str) -> None:
    assert said(body) == []


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("export NCCL_SOCKET_IFNAME=ib0\nnvidia-smi\n", "NCCL_SOCKET_IFNAME=ib0"),
        ("UCX_NET_DEVICES='mlx5_0:1' nvidia-smi\n", "UCX_NET_DEVICES='mlx5_0:1"),
        ("srun --export=ALL,NCCL_IB_HCA=mlx5_2 nvidia-smi\n", "NCCL_IB_HCA=mlx5_2"),
    ],
)
def test_a_network_of_the_cluster(body: str, marked: str) -> None:
    assert said(body) == [("network-of-cluster", marked)]


@pytest.mark.parametrize("value", ["^lo,docker0", "lo", "$IFACE_OF"])
def test_a_network_that_any_machine_may_have(value: str) -> None:
    assert said(f"IFACE_OF=\nexport NCCL_SOCKET_IFNAME={value}\nnvidia-smi\n") == []


def test_cards_by_how_their_names_begin() -> None:
    """`mlx5` is no card: NCCL takes all whose names begin so."""
    assert said("export NCCL_IB_HCA=mlx5\nnvidia-smi\n") == []


def test_a_here_document_that_is_replaced_too_early() -> None:
    assert said("cat >a.sh <<E\n#!/bin/bash\nfor x in 1; do echo $x; done\nE\nbash a.sh\n")[0] == (
        "expands-early",
        "$x",
    )
    for body in (
        "cat >a.sh <<'E'\n#!/bin/bash\nfor x in 1; do echo $x; done\nE\nbash a.sh\n",
        "cat >a.sh <<E\n#!/bin/bash\nfor x in 1; do echo \\$x; done\nE\nbash a.sh\n",
        "x=1\ncat >a.sh <<E\n#!/bin/bash\nx=2 y=$x\nE\nbash a.sh\n",
    ):
        assert said(body) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("date\nnvidia-smi 2>&1 | tee log\n", True),
        ("date\nnvidia-smi 2>&1 | tee log\necho done\n", False),
        ("set -euo pipefail\nnvidia-smi 2>&1 | tee log\n", False),
        ("date || tee log\n", False),
        ("nvidia-smi | grep -q H100\n", False),
    ],
)
def test_the_status_of_a_pipe(body: str, told: bool) -> None:
    assert [name for name, _ in said(body)] == ["status-of-pipe"] * told


def test_an_image_may_set_variables() -> None:
    assert said("cd $DATA\n") == [("variable-from-elsewhere", "$DATA")]
    assert said("cd $DATA\n", flags=Flags(image="ubuntu:24.04")) == []


@pytest.mark.parametrize("text", ["wc $DATA --all\n", "srun -n 2 $DATA -- x\n"])
def test_a_word_with_dashes_behind_it_gets_no_value(text: str) -> None:
    assert said(text) == [("variable-from-elsewhere", "$DATA")]


TWO = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --nodes=2 --time=10\n"


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("git clone URL x\nsrun python x/train.py\n", "git clone"),
        ("git clone URL x && cd x\npip install -r r.txt\nsrun --gpus-per-task=1 torchrun train.py\n", "git clone"),
        ("pip install torch\nsrun python -m torch.distributed.run -m x\n", "pip install"),
        ("python3 -m venv e\nsrun bash run.sh\n", "python3 -m venv"),
    ],
)
def test_what_is_made_on_one_machine_of_several(body: str, marked: str) -> None:
    (found,) = [each for each in said(body, TWO) if each[0] == "prepared-on-one-machine"]
    assert found[1] == marked
    assert "prepared-on-one-machine" not in {name for name, _ in said(body)}


@pytest.mark.parametrize(
    "body",
    [
        "srun --ntasks-per-node=1 git clone URL x\nsrun python x/train.py\n",
        "srun bash -c 'pip install torch'\npip install x\nsrun python -m x\n",
        "git clone URL x\nsrun -N1 python x/train.py\n",
        "git clone URL x\nsrun --nodes=1 --ntasks 1 python x/train.py\n",
        "git clone URL x\nsrun hostname\n",
        "pip install x\nsrun --container-image=a/b python -m x\n",
        "git clone URL x\nsrun python /opt/train.py\n",
        "srun python -m x\ngit clone URL x\n",
    ],
)
def test_what_is_there_on_each_machine(body: str) -> None:
    assert "prepared-on-one-machine" not in {name for name, _ in said(body, TWO)}


def test_a_folder_that_machines_share() -> None:
    body = "git clone URL x\nsrun python x/train.py\n"
    assert "prepared-on-one-machine" not in {name for name, _ in said(body, TWO, Flags(mounts=("/x=s3://bucket",)))}


@pytest.mark.parametrize(
    ("array", "body", "told"),
    [
        ("1-3", "nvidia-smi\n", True),
        ("1-3%1", "nvidia-smi\n", False),
        ("7", "nvidia-smi\n", False),
        ("1-3", "echo $SLURM_ARRAY_TASK_ID\n", False),
        ("1-3", "python train.py\n", False),
        ("1-3", "./train\n", False),
        ("1-3", "srun matlab -nodisplay -r serial\n", False),
        ("1-3", "srun python -m nanotron.train\n", False),
    ],
)
def test_arrays_without_their_index(array: str, body: str, told: bool) -> None:
    head = HEAD.replace("--time", f"--array={array} --time")
    assert ("index-not-read" in {name for name, _ in said(body, head)}) is told


@pytest.mark.parametrize(
    "body",
    [
        "set -e\nnvidia-smi >x\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -euo pipefail\n\nnvidia-smi >x # all\n# so?\n\nif [[ $? == 0 ]]; then date; fi\n",
        "set -o errexit\nfound=$(nvidia-smi)\n[ $? -eq 0 ] && date\n",
        'set -x -e\nnvidia-smi\nrc=$?\ndate\nif [ "$rc" -ne 0 ]; then exit 3; fi\n',
        "set -e\nnvidia-smi; if test $? -gt 0; then exit 3; fi\n",
        "set -e\nnvidia-smi -q \\\n  -i 0\nif [ $? -ne 0 ]; then exit 3; fi\n",
    ],
)
def test_a_status_that_set_e_never_lets_be_seen(body: str) -> None:
    assert said(body) == [("status-never-seen", "$?")]
    assert said(body.replace("\n", "\ndate\n", 1), "#!/bin/bash -e\n" + HEAD[12:]) == [("status-never-seen", "$?")]


@pytest.mark.parametrize(
    "body",
    [
        "nvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -e\nset +e\nnvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\nset -e\n",
        "set -e\nset +o errexit\nnvidia-smi\nrc=$?\nif [ $rc -ne 0 ]; then exit 3; fi\n",
        "nvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\nset -e\n",
        "set -e\nnvidia-smi || true\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -e\nnvidia-smi &&\ndate\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -e\n! nvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -e\nnvidia-smi\nexit $?\n",
        'set -e\nnvidia-smi\necho "ended with $?"\n',
        "set -e\nnvidia-smi\nrc=$?\nexit $rc\n",
        "set -e\nif nvidia-smi; then\n  [ $? -eq 0 ] && date\nfi\n",
        "set -e\nlook() {\n  nvidia-smi\n  if [ $? -ne 0 ]; then return 1; fi\n}\nlook || date\n",
        "set -e\n(\nnvidia-smi\n) || status=1\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -e\nwhile [ -e x ]\ndo\ndate\ndone\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "set -e\nnvidia-smi &\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "(set -e)\nnvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "cat <<'X' >y\nset -e\nX\nnvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\n",
        "bash -c 'set -e; date'\nnvidia-smi\nif [ $? -ne 0 ]; then exit 3; fi\n",
    ],
)
def test_statuses_that_may_be_seen(body: str) -> None:
    assert said(body) == []


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("set -e\nn=0\n((n++))\n", "((n++))"),
        ("set -e\nn=0\nwhile [ $n -lt 3 ]; do\n  (( n++ ))\ndone\n", "(( n++ ))"),
        ("set -eu\nn=0;\nlet n++\n", "let n++"),
        ("set -e\nn=0\n((n++)) || true\n", None),
        ("set -e\nn=0\n((++n))\n", None),
        ("set -e\nn=1\n((n++))\n", None),
        ("set -e\nn=0\nn=5\n((n++))\n", None),
        ("n=0\n((n++))\n", None),
        ("set -e\nn=0\nfor ((i = 0; i < 3; i++)); do date; done\n", None),
        ("set -e\nset +e\nn=0\n((n++))\n", None),
        ("set -e\nn=0\ncat <<'X'\n((n++))\nX\n", None),
    ],
)
def test_counting_from_nothing(body: str, marked: str | None) -> None:
    assert said(body) == ([] if marked is None else [("counting-ends", marked)])


@pytest.mark.parametrize(
    ("body", "package"),
    [
        ("pip install --no-index --upgrade pip\npip install --no-index numpy\n", "`numpy`"),
        (
            "$TMPDIR/env/bin/pip3.11 install -q --no-index 'torch==2.1.0+computecanada'\n",
            "`torch==2.1.0+computecanada`",
        ),
        ("python -m pip install --no-index -r requirements.txt\n", "those of requirements.txt"),
        ("uv pip install --no-index --prefix x six\n", "`six`"),
        (
            "srun -N1 bash <<EOF\nvirtualenv --no-download e\n. e/bin/activate\npip install --no-index jax\nEOF\n",
            "`jax`",
        ),
        ("pip install --no-index --upgrade pip setuptools\n", None),
        ("pip install --no-index . ./wheels/x-1-py3-none-any.whl y-1-py3-none-any.whl -c limits.txt\n", None),
        ("pip install --no-index $PACKAGES\n", None),
        ("pip install --no-index --find-links wheels numpy\n", None),
        ("export PIP_FIND_LINKS=~/wheels\npip install --no-index numpy\n", None),
        ("pip install --no-index numpy || pip install numpy\n", None),
        ("# pip install --no-index numpy\necho pip install --no-index numpy\n", None),
        ("pip download --no-index numpy\n", None),
    ],
)
def test_wheels_of_the_cluster(body: str, package: str | None) -> None:
    found = flowc.compile(Source("job.sbatch", HEAD + body), Inputs()).diagnostics
    told = [each.message.partition("from finding ")[2].partition(": ")[0] for each in found if each.code.id == "FC857"]
    assert told == ([] if package is None else [package])


POD = """\
apiVersion: batch/v1
kind: Job
metadata: {name: x}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: img:1
        command: [bash, -c]
        args:
        - |
%s
        resources: {limits: {nvidia.com/gpu: 8}}
"""


@pytest.mark.parametrize(
    ("body", "code", "marked"),
    [
        (f"export WANDB_API_KEY={KEY}\npython train.py\n", "secret-in-script", KEY),
        ("export NCCL_SOCKET_IFNAME=ib0\npython train.py\n", "network-of-cluster", "NCCL_SOCKET_IFNAME=ib0"),
        ("set -e\npython train.py\nif [ $? -ne 0 ]; then exit 3; fi\n", "status-never-seen", "$?"),
        ("set -e\nn=0\n((n++))\n", "counting-ends", "((n++))"),
        ("date\npython train.py | tee log\n", "status-of-pipe", "python train.py | tee log"),
    ],
)
def test_the_text_of_a_pods_shell(body: str, code: str, marked: str) -> None:
    lines = "\n".join(" " * 10 + line for line in body.splitlines())
    found = flowc.compile(Source("job.yaml", POD % lines), Inputs()).diagnostics
    assert [(each.code.name, each.span and each.span.text) for each in found if each.code.name in NAMES] == [
        (code, marked)
    ]
