"""Which commands of a cluster a script would miss."""

from __future__ import annotations

import pytest

from flowc.startup.commands import missing_commands
from tests.startup.jobs import unit


def missed(body: str) -> list[str]:
    job = unit("#!/bin/bash\n" + body).job
    return sorted(missing_commands(job.replace(run=job.run.replace(interpreter="/bin/bash"))))


CALLS = {
    "srun ./a\n": ["srun"],
    "module load gcc\nX=1 srun a | tee b\n": ["module", "srun"],
    "for i in 1 2; do srun a; done\n": ["srun"],
    "x=$(squeue -u me)\n": ["squeue"],
    "if ! srun a; then exit 1; fi\n": ["srun"],
    "echo $((1<<N))\nsrun a\n": ["srun"],
    "command -v srun\nsrun a\n": ["srun"],
    "if command -v srun; then\n  srun a\nfi\nsrun b\n": ["srun"],
    "alias s=srun\nsrun a\n": ["srun"],
    "type module && module load x\nsrun a\n": ["srun"],
}
NO_CALLS = [
    "# srun ./a\n",
    "echo done # then srun\n",
    "cat > child.sh <<EOF\n#!/bin/bash\nsrun ./a\nEOF\nbash child.sh\n",
    "cat <<'END'\nsrun ./a\nEND\n",
    "bash -c 'cd x; srun ./a'\n",
    'srun() {\n  mpirun "$@"\n}\nsrun ./a\n',
    "function module { :; }\nmodule load gcc\n",
    "alias srun=mpirun\nsrun ./a\n",
    "command -v module >/dev/null && module load gcc\n",
    "type module &>/dev/null && { module purge; module load gcc; }\n",
    "which srun && srun ./a\n",
    "if hash srun 2>/dev/null; then\n  srun ./a\nelse\n  ./a\nfi\n",
    'if [ -n "$(command -v srun)" ]; then\n  srun ./a\nfi\n',
    "./srun.sh\nmy-srun x\nsrun_x=1\n",
]


@pytest.mark.parametrize("body", CALLS)
def test_call(body: str) -> None:
    assert missed(body) == CALLS[body]


@pytest.mark.parametrize("body", NO_CALLS)
def test_no_call(body: str) -> None:
    assert missed(body) == []
