"""What the backend says about programs that a job calls, and about a text that comes over SSH."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

NONE = Flags(budget="99")
HEAD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=10\n"


def compiled(body: str, flags: Flags = NONE, first: str = HEAD) -> Any:
    return flowc.compile(Source("job.sbatch", first + body), Inputs(flags=flags, submitted=True))


def said(body: str, flags: Flags = NONE, first: str = HEAD) -> list[tuple[str, int | None, str]]:
    """Code, line and text of what was marked, without what is said of prices, and of files and variables that the
    bodies of these tests take for granted (test_texts.py)."""
    result = compiled(body, flags, first)
    return [
        (each.code.name, each.span.line if each.span else None, each.span.text if each.span else "")
        for each in result.diagnostics
        if each.code.name not in ("code-not-brought", "variable-from-elsewhere")
    ]


def test_each_line_that_loads_what_is_missing_is_marked() -> None:
    body = "module load star cuda gromacs\nmodule load python\nml blast\npython a.py\n"
    assert said(body) == [
        ("module-missing", 3, "star cuda gromacs"),
        ("module-missing", 5, "blast"),
    ]


def test_the_help_names_the_packages() -> None:
    (found,) = compiled("module load gcc/11 OpenMPI/4\nmake\n").diagnostics
    assert found.message == "the machine has nothing in place of module `gcc/11`, `OpenMPI/4`"
    assert "apt-get install -y build-essential openmpi-bin libopenmpi-dev" in (found.help or "")


def test_commands_by_what_becomes_of_them() -> None:
    body = "srun a\nsbatch next\napptainer run x\nsalloc\n"
    assert said(body) == [("command-missing", 5, "apptainer"), ("command-refused", 4, "sbatch")]


@pytest.mark.parametrize(
    ("body", "flags", "expected"),
    [
        ("python a.py\n", NONE, ["nodes-not-joined"]),
        ("srun python a.py\n", NONE, []),
        ("bash all.sh\n", Flags(budget="99", with_commands=("srun",)), []),
    ],
)
def test_several_nodes(body: str, flags: Flags, expected: list[str]) -> None:
    first = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10\n"
    assert [name for name, _, _ in said(body, flags, first)] == expected


ON_TWO = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10\n"
HOSTS = "for n in $(scontrol show hostnames); do\n"
BY_SSH = {
    HOSTS + "  ssh $n hostname\ndone\nsrun a\n": ["ssh"],
    HOSTS + '  ssh -o StrictHostKeyChecking=no -n root@"$n" "nvidia-smi" &\ndone\nsrun a\n': ["ssh"],
    HOSTS + "  scp -r data ${n}:/tmp/ && ssh ${n} ls\ndone\nsrun a\n": ["ssh"],
    HOSTS + "  scp data $n:/tmp\ndone\nsrun a\n": ["scp"],
    HOSTS + "  echo ssh $n\n  # ssh $n\ndone\nssh me@login.host ls\nsrun a\n": [],
    "ssh $LOGIN ls\nsrun a\n": [],
    HOSTS + '  echo $n\ndone\nssh $mailhost "mail -s done me"\nscp out ${LOGIN_NODE}:/tmp\nsrun a\n': [],
}


@pytest.mark.parametrize("body", BY_SSH)
def test_ssh_between_machines_of_a_job(body: str) -> None:
    found = [(name, text) for name, _, text in said(body, NONE, ON_TWO)]
    assert found == [("ssh-between-nodes", name) for name in BY_SSH[body]]
    assert said(body) == []


IMAGES = {
    "srun --container-image=/scratch/a.sqsh x\n": "/scratch/a.sqsh",
    'I="$HOME/a.sqsh"\nsrun --container-image "$I" x\n': "$I",
    "srun -N1 \\\n  --container-image=${D}/a.sqsh x\n": "${D}/a.sqsh",
    "srun --container-image=ubuntu x\n": "",
    "# --container-image=/a.sqsh\nI=nvcr.io#nvidia/cuda\nsrun --container-image=$I --container-image=$J x\n": "",
    "I=ubuntu\n[ -n $A ] || I=/a.sqsh\nsrun --container-image=$I x\n": "",
}


@pytest.mark.parametrize("body", IMAGES)
def test_an_image_that_is_a_file(body: str) -> None:
    found = [(name, text) for name, _, text in said(body)]
    assert found == ([("image-in-file", IMAGES[body])] if IMAGES[body] else [])


def test_commands_that_are_asked_for_are_brought() -> None:
    flags = Flags(with_commands=("srun,module", "squeue"))
    plain = next(each.text for each in compiled("./a\n", flags).artifacts if each.name == "startup.plain.sh")
    assert "\nmodule() {\n" in plain
    assert "the small Slurm: one program, called under several names" in plain
    for name in ("srun", "squeue"):
        assert name in plain.partition("the small Slurm")[2]
    assert [name for name, _, _ in said("./a\n", Flags(with_commands=("srun,xyz",)))] == ["flag-value"]


def test_a_text_over_ssh_is_an_artifact_of_its_own() -> None:
    body = "echo \udcff\n"
    result = compiled(body, Flags(body="ssh"))
    artifacts = {each.name: each.text for each in result.artifacts}
    document = json.loads(artifacts["request.json"])
    data = artifacts["body"].encode("utf-8", "surrogateescape")
    assert data == (HEAD + body).encode("utf-8", "surrogateescape")
    (entry,) = document["deliver"]
    assert (entry["to"], entry["file"], entry["bytes"]) == ([document["requests"][0]["id"]], "body", len(data))
    assert entry["path"] == "/var/lib/foundry/flowc/slurm_script"
    assert entry["sha256"] in artifacts["startup.plain.sh"]
    assert [each.code.name for each in result.diagnostics] == ["body-awaited"]


def test_what_does_not_fit_is_told_by_parts_and_fits_over_ssh() -> None:
    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=30000))
    body = f"srun hostname {text}\n"
    (found,) = compiled(body).diagnostics
    assert found.code.name == "startup-script-too-large"
    assert "submit" not in (found.help or "")
    assert "--body ssh" in (found.help or "")
    assert "tools " in (found.help or "")
    assert not compiled(body, Flags(body="ssh")).failed


def test_in_a_container_the_way_back_to_slurm_is_told() -> None:
    image = "nvcr.io/nvidia/pytorch:24.05-py3"
    first = HEAD.replace("--time", "--nodes=2 --time")
    helps = {
        each.code.name: each.help or ""
        for each in compiled("srun python a.py\n", Flags(budget="99", image=image), first).diagnostics
    }
    for name in ("command-missing", "nodes-not-joined"):
        assert f"leave out `--image` and write `srun --container-image={image} COMMAND`" in helps[name]
    other = compiled("sreport a\n", Flags(budget="99", image=image)).diagnostics
    assert [each.help for each in other if each.code.name == "command-missing"] == [None]
    assert not compiled("apptainer run a\nconda activate b\n", Flags(budget="99", image=image)).diagnostics
    advised = f"srun --container-image={image} python a.py\n"
    assert said(advised, Flags(budget="99"), first) == []
