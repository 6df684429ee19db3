"""What a cluster would have refused, beside the answers of a real slurmctld to `sbatch --test-only`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flowc
from flowc.inputs import Inputs
from flowc.profile.cluster.conf import read
from flowc.profile.cluster.nodes import cluster
from flowc.profile.cluster.written import written
from tests.profile.cluster.controller import RefusedError, missing
from tests.profile.cluster.requests import ANSWERS, answered, conf, requests

STORED = json.loads(ANSWERS.read_text())


def differing(text: str, answers: dict[str, str], folder: Path) -> list[tuple[str, str, list[str]]]:
    """Requests of which flowc says otherwise."""
    (folder / "slurm.conf").write_text(text)
    profile = folder / "profile.yaml"
    profile.write_text(written(cluster(read(str(folder / "slurm.conf")))))
    found = []
    for options, answer in answers.items():
        body = f"#!/bin/bash\n#SBATCH --comment=x {options}\nhostname\n"
        done = flowc.compile(body, Inputs(profile=str(profile)), path="job.sbatch", emit="ir")
        said = [each.message for each in done.diagnostics if each.code.id == "FC193" or each.severity == "error"]
        if bool(said) != bool(answer):
            found.append((options, answer, said))
    return found


@pytest.mark.parametrize("number", range(len(STORED)))
def test_what_was_refused_is_a_warning(number: int, tmp_path: Path) -> None:
    row = STORED[number]
    assert differing(row["conf"], row["answers"], tmp_path) == []
    assert {bool(answer) for answer in row["answers"].values()} == {True, False}


@pytest.mark.slow
@pytest.mark.skipif(missing(), reason="needs root and Debian's slurmctld")
def test_two_thousand_requests_to_forty_clusters(tmp_path: Path) -> None:
    wrong, asked = [], 0
    for seed in range(300, 340):
        text = conf(seed)
        words = [*dict.fromkeys(requests(text, seed, 55))]
        for attempt in range(3):  # its port may be taken
            try:
                answers = dict(zip(words, answered(text, words), strict=True))
                break
            except RefusedError:
                assert attempt < 2, text
        asked += len(answers)
        wrong += [(seed, *each) for each in differing(text, answers, tmp_path)]
    assert asked >= 2000
    assert wrong == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("-p nosuch", "there is no partition `nosuch`"),
        ("-C nosuch", "no node has the feature `nosuch`"),
        ("-p dgx -t 3-0", "`dgx` lets no job run longer than 2-00:00:00"),
        ("-p dgx -N 3", "`dgx` gives a job at most 2 nodes"),
        ("-p dgx --gres=gpu:9", "the nodes of `dgx` do not hold it"),
        ("-p dgx --gres=gpu:9 -w g1", None),  # nodes by name are not looked at
        ("-p dgx --gres=gpu:8 -C '[ib*2]'", None),
        ("-p off", "partition `off` takes no jobs"),
        ("--mem=200G", "the nodes of `cpu` do not hold it"),
        ("-p dgx --gres=gpu:h100:8 -N 2 -t 2-0", None),
        ("-p root", "partition `root` takes no jobs but those of root"),
        ("-p held", "partition `held` takes no jobs but those in a reservation"),
        ("-p held --reservation=r", None),
        ("-a 0-99", None),
        ("-a 1-100%5", "indices of an array are below 100 there"),
        ("-a 1-100:50", None),
        ("-L matlab:2", None),
        ("-L matlab:3", "it has 2 licenses `matlab`"),
        ("-L other", "it has no licenses `other`"),
        ("-L other@server:9", None),
        ("-p dgx -n 65 --gpus=1", None),  # GPUs of the whole job bound its nodes where it counts them itself
        ("-p dgx -N 1-2 -n 65 --gpus=1", "the nodes of `dgx` do not hold it"),
        ("-p pair -n 2 --gpus=1", "`pair` gives a job at least 2 nodes, with a GPU each"),
        ("-p off,cpu -c 4", None),  # what takes no jobs decides nothing
    ],
)
def test_reasons(options: str, why: str | None, tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text(
        "EnforcePartLimits=ALL\nNodeName=g[1-4] CPUs=64 RealMemory=500000 Gres=gpu:h100:8 Feature=ib\n"
        "NodeName=c[1-9] CPUs=16 RealMemory=64000\nPartitionName=dgx Nodes=g[1-4] MaxTime=2-0 MaxNodes=2\n"
        "PartitionName=cpu Nodes=c[1-9] Default=YES\nPartitionName=off Nodes=c1 State=INACTIVE MaxCPUsPerNode=2\n"
        "PartitionName=root Nodes=c1 RootOnly=YES\nPartitionName=held Nodes=c1 ReqResv=YES\nMaxArraySize=100\n"
        "Licenses=matlab*2\nPartitionName=pair Nodes=g[1-4] MinNodes=2\n"
    )
    profile = tmp_path / "profile.yaml"
    profile.write_text(written(cluster(read(str(tmp_path / "slurm.conf")))))
    body = f"#!/bin/bash\n#SBATCH {options}\nhostname\n"
    done = flowc.compile(body, Inputs(profile=str(profile)), path="job.sbatch", emit="ir")
    found = [each for each in done.diagnostics if each.code.id == "FC193"]
    assert [each.message.partition(": ")[2] for each in found] == ([] if why is None else [why])
    assert all(each.severity == "warning" for each in found)
