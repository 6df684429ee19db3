"""Singularity's words on a real docker: images in files, by a line of the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowc.inputs import Inputs

pytestmark = pytest.mark.docker

SCRIPT = """\
#!/bin/bash
#SBATCH --gres=gpu:h100:8 --time=10
#SBATCH -o out
export SAID=job
cd /workspace
singularity exec tool.sif sh -c 'echo "$SAID $OWN $PATH"; pwd; echo made >file; [ -e /usr/bin/apt ] || echo other'
cat file
bind=/etc/hostname:/there
srun -n 2 singularity exec --bind $bind --env SAID=step tool.sif sh -c '[ -s /there ] && echo $SAID bound'
apptainer exec --pwd /tmp tool.sif sh -c 'pwd; exit 7'
echo $?
singularity run tool.sif a 'b c'
timeout -s TERM 2 singularity exec tool.sif sh -c 'trap "echo heard; exit 3" TERM; sleep 30 & wait'
echo $?
sleep 3
docker ps -q | wc -l
"""


STEP = """\
#!/bin/bash
#SBATCH --gres=gpu:h100:8 --time=10
#SBATCH -o out
srun --container-image=/x/tool.sqsh sh -c 'echo step $OWN'
"""


def test_steps_take_the_line_of_a_file(docker: Any, tmp_path: Path) -> None:
    docker.image("tool:test", "ENV OWN=image")
    profile = tmp_path / "profile.yaml"
    profile.write_text("images: {'*.sqsh': 'tool:test'}\n")
    docker.start(STEP, path="job.sbatch", inputs=Inputs(profile=str(profile)))
    found = docker.wait()
    assert (found["state"], docker.read("/workspace/out")) == ("COMPLETED", "step image\n"), docker.output()


def test_programs_run_in_the_image(docker: Any, tmp_path: Path) -> None:
    docker.image("tool:test", "ENV OWN=image", 'ENTRYPOINT ["echo", "entry"]')
    profile = tmp_path / "profile.yaml"
    profile.write_text("images: {tool.sif: 'tool:test', '*.sqsh': 'tool:test'}\n")
    docker.start(SCRIPT, path="job.sbatch", inputs=Inputs(profile=str(profile)))
    found = docker.wait()
    output = docker.read("/workspace/out")
    assert found["state"] == "COMPLETED", (found, output, docker.output())
    assert output.splitlines() == [
        *("job image /bin", "/workspace", "other", "made"),
        *("step bound", "step bound"),
        *("/tmp", "7"),
        "entry a b c",
        *("heard", "124"),
        "0",
    ]


ENROOT = """\
#!/bin/bash
#SBATCH --gres=gpu:h100:8 --time=10
#SBATCH -o out
export SAID=job
enroot import -o tool.sqsh dockerd://tool:test
enroot create -n tool tool.sqsh
enroot load -n bare docker://bare:test
enroot start tool.sqsh a 'b c'
srun -n 2 enroot start --rw -m /etc/hostname:/there -e GIVEN=mine bare sh -c '[ -s /there ]&&echo "$OWN$SAID $GIVEN"'
enroot start --rw bare sh -c 'echo kept >/made'
enroot start -m /usr:/other bare sh -c 'cat /made; [ -d /other/share ] && echo other; exit 7'
echo $?
enroot export -o bare.sqsh bare
enroot start bare.sqsh cat /made
enroot start bare sh -c 'sleep 20 & echo $! >/pid; wait' &
sleep 3
enroot exec $(enroot list -f | awk '/sleep/ {print $(NF - 1)}') sh -c 'cat /made; echo $OWN'
timeout -s TERM 2 enroot start bare.sqsh sh -c 'trap "echo heard; exit 3" TERM; sleep 30 & wait'
echo $?
enroot remove -f bare tool
enroot list
"""


def test_enroot_is_answered(docker: Any, tmp_path: Path) -> None:
    docker.image("tool:test", "ENV OWN=image", 'ENTRYPOINT ["echo", "entry"]')
    docker.image("bare:test", "ENV OWN=image")
    profile = tmp_path / "profile.yaml"
    profile.write_text("programs: {enroot: docker}\n")
    docker.start(ENROOT, path="job.sbatch", inputs=Inputs(profile=str(profile)))
    found = docker.wait()
    output = docker.read("/workspace/out")
    assert found["state"] == "COMPLETED", (found, output, docker.output())
    assert output.splitlines() == [
        "entry a b c",
        *("image mine", "image mine"),
        *("kept", "other", "7"),
        "kept",
        *("kept", "image"),
        *("heard", "124"),
    ]
