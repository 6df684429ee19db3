"""What lines of a profile bring is judged once for all jobs, with the findings that it has in each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowc import driver, profile, rules
from flowc._compiled.profile_lines import MODULES, PROGRAMS
from flowc.body import commands
from flowc.body.paths.cluster import cluster_paths
from flowc.diag.sink import Sink
from flowc.inputs import Inputs
from flowc.rules import paths
from flowc.rules.texts import code
from flowc.rules.texts.brought import is_harmless
from flowc.rules.texts.code import lacking
from flowc.shell.steps import plain_words
from flowc.source import Source
from tests.profile.jobs import JOB, job_of

# Lines that people write, of which something is to be said, or which change what is said of others.
WRITTEN: dict[str, Any] = {
    "srun": {"shell": "srun hostname"},
    "loads": {"shell": "module load openmpi/4"},
    "path": {"shell": "cp /project/shared/a /usr/local/bin"},
    "home": {"shell": ". ~/setup/env.sh"},
    "sets": {"shell": "export DATA_ROOT=/data X=1"},
    "document": {"shell": "cat >/etc/a <<E\n#!/bin/bash\nx=1; echo $x\nE"},
    "code": {"shell": "./install.sh && python setup.py install"},
    "secret": {"shell": "curl -u me:hunter2hunter2 https://example.org"},
    "wheels": {"shell": "pip install --no-index torch"},
    "network": {"shell": "export NCCL_SOCKET_IFNAME=ib0"},
    "conda": {"shell": "conda activate mine"},
    "steps": {"shell": "echo one\ntimeout 1800 env DEBIAN_FRONTEND=noninteractive apt-get -qq update || exit"},
    "open": {"shell": "echo 'a"},
    "quoted": {"pip": ["a[b]==1.0", "token=abc12345xyz", "b>=1,<2"]},
    "named": {"apt": ["mpich", "cmake", "g++", "libx:amd64"], "conda": ["snakemake", "a=1.2"], "channels": ["a", "b"]},
    "openmpi": {"apt": ["openmpi-bin"]},
    "nothing": "nothing",
}
SCRIPT = """\
#!/bin/bash
#SBATCH -N 2 -t 5 --array=1-3
module load NAME zlib-of-tests
cd $DATA_ROOT/$X || exit
srun -n 2 python train.py ~/data/a /project/b $NCCL
mpirun ./a
"""
# Goes nowhere else, and fetches what a text within it runs.
FETCHES = """\
#!/bin/bash
#SBATCH -N 2 -t 5
module load NAME zlib-of-tests
FETCH
mkdir -p /scratch/mine && cp /scratch/mine/a /project/b .
bash -c './inner.sh; python train.py'
"""


@pytest.fixture
def lines(tmp_path: Path) -> profile.Profile:
    known = [row["brings"] for row in (*MODULES, *PROGRAMS) if row.get("brings") not in (None, "docker")]
    modules = {f"m{number}": _plain(each) for number, each in enumerate(known)} | WRITTEN
    modules["zlib-of-tests"] = {"apt": "zlib1g-dev"}
    path = tmp_path / "profile.yaml"
    path.write_text(json.dumps({"modules": modules, "programs": {"python": {"apt": "python3"}, "cmake": "nothing"}}))
    found = profile.load(str(path), Sink())
    assert found is not None
    return found


def _plain(brings: Any) -> Any:
    return brings if isinstance(brings, str) else {key: each for key, each in dict(brings).items() if each}


def test_plain_steps_call_what_a_scan_finds(lines: profile.Profile) -> None:
    plain = 0
    for text in {each.setup for each in lines.modules if each.setup}:
        names = tuple({*text.replace("'", " ").replace(";", " ").split(), "pip", "cmake", "python3", "bioconda"})
        words = plain_words(text)
        if words is not None:
            plain += 1
            assert words.intersection(names) == {each for each in names if commands._is_called(text, each)}, text
    assert plain > 20


@pytest.mark.parametrize(
    "script",
    [SCRIPT, FETCHES.replace("FETCH", ":"), FETCHES.replace("FETCH", "git clone https://example.org/a .")],
    ids=["goes", "runs", "fetches"],
)
def test_findings_are_those_of_a_judgement_in_the_job(
    lines: profile.Profile, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    def found() -> list[Any]:
        told = []
        for name in lines.modules.keys:
            source = Source.from_bytes("job.sbatch", script.replace("NAME", name).encode())
            result = driver.check(source, Inputs(profile=lines.path, cluster=lines))
            said = [(each.code.id, each.message, str(each.span)) for each in result.diagnostics]
            told.append((name, result.used, said))
        return told

    once = found()
    harmless = [each.entry.key for each in lines.modules if each.setup and is_harmless(each.setup)]
    assert len(harmless) > 50
    assert {*WRITTEN} & {*harmless} == {"sets", "document", "steps", "open", "named", "openmpi"}
    monkeypatch.setattr(rules, "_says_nothing", lambda brought: False)
    monkeypatch.setattr(paths, "cluster_paths", lambda job, brought: cluster_paths(job))
    monkeypatch.setattr(code, "lacking", lambda job, brought: lacking(job))
    assert found() == once


@pytest.mark.parametrize("order", [("tool", "tool/dev"), ("tool/dev", "tool")])
@pytest.mark.parametrize(
    ("name", "package"), [("tool/dev", "b"), ("tool/dev/2.0", "b"), ("tool/1.0", "a"), ("tool", "a")]
)
def test_nearest_line_brings_a_module(
    told: Callable[..., driver.Result], order: tuple[str, str], name: str, package: str
) -> None:
    packages = {"tool": "a", "tool/dev": "b"}
    profile = "modules:\n" + "".join(f"  {key}: {{apt: {packages[key]}}}\n" for key in order)
    setup = job_of(told(profile, JOB + f"module load {name}\n"))["setup"]
    assert f"install -y {package} " in setup
