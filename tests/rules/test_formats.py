"""What a job lacks is judged alike in all formats, for all targets, in what prepares it and in what it runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

import flowc
from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.source import Source

FLAGS = Flags()
SKY = "name: a\nnum_nodes: {nodes}\nresources: {{accelerators: H100:8{more}}}\n{setup}run: |\n{run}"
TASK = "name: a\ninstance_type: 8xh100\nnum_instances: {nodes}\nmax_run_time_hours: 1\ncommand: |\n{run}"


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def sky(run: str, setup: str = "", nodes: int = 1, more: str = "") -> Source:
    prepares = f"setup: |\n{indented(setup)}" if setup else ""
    return Source("a.yaml", SKY.format(nodes=nodes, more=more, setup=prepares, run=indented(run)))


def said(source: Source, emit: str = "mithril") -> list[tuple[str, str]]:
    result = flowc.compile(source, Inputs(flags=FLAGS), emit=emit)
    return [
        (each.code.id, each.span.text if each.span else "")
        for each in result.diagnostics
        if each.code.id in ("FC804", "FC812", "FC817", "FC819", "FC820")
    ]


@pytest.mark.parametrize("emit", ["mithril", "script", "cloud-init"])
def test_all_targets_tell_the_same(emit: str) -> None:
    batch = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nconda activate x\ncd /scratch/me/x\nsrun --bcast=a b\n"
    found = [("FC804", "conda"), ("FC819", "--bcast"), ("FC820", "/scratch/me")]
    assert sorted(said(Source("a.sbatch", batch), emit)) == found


SKYPILOT: list[tuple[Source, list[tuple[str, str]]]] = [
    (sky("Rscript a.R\n"), [("FC804", "Rscript")]),
    (sky("Rscript a.R\n", "pip install a\n"), [("FC804", "Rscript")]),
    (sky("Rscript a.R\n", "Rscript b.R\n"), [("FC804", "Rscript"), ("FC804", "Rscript")]),
    (sky("conda activate x\n", "conda create -n x\n"), []),
    (sky("conda activate x\n", "wget https://h/Miniconda3-latest.sh\nbash Mini*.sh -b\n"), []),
    (sky("conda activate x\ncd /scratch/me\n", more=", image_id: 'docker:a'"), []),
    (sky("mpirun -np 8 ./a\n", "pip install mpi4py\n"), [("FC804", "mpirun")]),
    (sky("mpirun -np 8 ./a\n", "sudo apt-get install -y openmpi-bin\n"), []),
    (sky("ls /data/x/y\n", "cp /scratch/me/x .\n"), [("FC820", "/scratch/me"), ("FC820", "/data/x")]),
    (sky("ls /data/x/y\n", "mkdir -p /data/x\n"), []),
    (sky("for i in $SKYPILOT_NODE_IPS; do ssh $i ls; done\n"), []),
    (sky("for i in $SKYPILOT_NODE_IPS; do ssh $i ls; done\n", nodes=2), [("FC817", "ssh")]),
    (sky("deepspeed --hostfile h train.py\n", nodes=2), [("FC817", "deepspeed")]),
    (sky("deepspeed --no_ssh --hostfile h train.py\n", nodes=2), []),
    (sky("deepspeed train.py\n", nodes=2), []),
    (sky("srun a\n"), [("FC804", "srun")]),
    (sky("rclone copy a b\n"), [("FC804", "rclone")]),
    (sky("rclone copy a b\n", "sudo apt install -y rclone\n"), []),
]


@pytest.mark.parametrize(("source", "found"), SKYPILOT)
def test_skypilot(source: Source, found: list[tuple[str, str]]) -> None:
    assert said(source) == found


def test_a_task_in_yaml() -> None:
    run = indented("conda activate x\ncd /scratch/me/x\n")
    assert said(Source("a.yaml", TASK.format(nodes=1, run=run))) == [("FC804", "conda"), ("FC820", "/scratch/me")]


def test_advice_is_of_the_format() -> None:
    def helps(source: Source) -> list[str | None]:
        result = flowc.compile(source, Inputs(flags=FLAGS))
        return [each.help for each in result.diagnostics if each.code.id == "FC817"]

    (help,) = helps(sky("for i in $SKYPILOT_NODE_IPS; do ssh $i ls; done\n", nodes=2))
    assert "each machine" in (help or "")


@pytest.mark.parametrize(
    "guard",
    [
        '[ -z "$PS1" ] && return\n',
        "case $- in\n    *i*) ;;\n      *) return;;\nesac\n",
        "[[ $- != *i* ]] && return\n",
        'if [[ "$-" != *i* ]]; then return; fi\n',
        "",
    ],
)
def test_what_setup_appends_to_the_profile_is_seen(guard: str, tmp_path: Path) -> None:
    """As SkyPilot's interactive shell sees it, which passes the guards of such files; lines keep their numbers."""
    from flowc.scripts.delivery import body_text
    from tests.scripts.jobs import unit

    (tmp_path / ".bashrc").write_text(guard + "export PATH=/own/bin:$PATH\nfn() { echo fn; }\n")
    text = '# first\necho "$PATH"; fn; echo $LINENO\n'
    fields: dict[str, Any] = {"frontend": "skypilot", "setup": "true\n"}
    for home, expected in (
        (tmp_path, ["/own/bin:/usr/bin:/bin", "fn", "3"]),
        (tmp_path / "none", ["/usr/bin:/bin", "3"]),
    ):
        job = unit(text, **fields).job
        made = body_text(job.replace(run=job.run.replace(kind="shell", interpreter="/bin/bash")))
        assert made is not None
        (tmp_path / "body").write_text(made)
        environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            ["/bin/bash", str(tmp_path / "body")], capture_output=True, text=True, env=environment, check=False
        )
        assert done.stdout.split() == expected


SKY_V100 = "resources: {accelerators: V100:4}\nnum_nodes: 2\nrun: |\n  python train.py\n"
POD_T4 = """\
apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {cloud.google.com/gke-accelerator: nvidia-tesla-t4}
      containers:
      - name: a
        image: busybox
        command: [sh, -c, "export API_KEY=831cb57f73367e89b34e0e6cfdb9e2d143987fcd; run"]
        resources: {limits: {nvidia.com/gpu: 1}}
"""


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("job.sbatch", "#!/bin/bash\n#SBATCH --gpus=v100:4 -N2 -t 10\nmodule load vasp\npython a.py\n", "FC812"),
        ("task.yaml", SKY_V100, "FC840"),
        ("job.yaml", POD_T4, "FC842"),
    ],
)
def test_a_check_tells_of_the_text_where_no_machine_was_found(path: str, text: str, code: str) -> None:
    codes = {each.code.id for each in driver.check(Source(path, text), Inputs()).diagnostics}
    assert {"FC605", code} <= codes
