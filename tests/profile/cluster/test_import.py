"""`flowc profile import`: a slurm.conf as a profile, and what jobs make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flowc
from flowc.cli import main
from flowc.inputs import Inputs
from flowc.profile.cluster.conf import ConfError, read
from flowc.profile.cluster.nodes import cluster
from flowc.profile.cluster.ranges import hosts, minutes

CONF = """\
ClusterName=x
DefMemPerCPU=300
NodeName=g[01-04] CPUs=64 Gres=gpu:h100:8 Feature=ib,fast
NodeName=v[1-2] CPUs=32 Gres=gpu:4 Feature=old
NodeName=c[1-9] CPUs=16 Feature=ib
PartitionName=DEFAULT DefaultTime=30
PartitionName=dgx Nodes=g[01-04] MaxTime=2-0 MaxNodes=2 DefMemPerNode=100000 OverSubscribe=EXCLUSIVE
PartitionName=old Nodes=v[1-2]
PartitionName=cpu Nodes=c[1-9] Default=YES MaxTime=1:00:00 DefaultTime=NONE
"""
WRITTEN = """\
partitions:
  # 4 nodes
  # at most 2-00:00:00
  # 1 to 2 nodes a job
  dgx: {gpu: h100, gpus: 8, memory: 100000M, time: 00:30:00}
  # 2 nodes
  # a job that asks for no memory gets 300 MB a CPU: `--mem-per-cpu=300`
  old: {gpu: v100, time: 00:30:00}
  # 9 nodes, the default
  # at most 01:00:00
  # a job that asks for no memory gets 300 MB a CPU: `--mem-per-cpu=300`
  cpu: {time: 01:00:00}
constraints:
  ib: {gpu: h100}
  fast: {gpu: h100}
  old: {gpu: v100}
defaults: {time: 01:00:00}
cluster:
  enforce: "no"
  indices: 1001
  licenses: {}
  limits:
    "dgx": {time: "2-00:00:00", max_nodes: 2, memory_per_node: 100000, exclusive: true}
    "old": {memory_per_cpu: 300}
    "cpu": {time: "01:00:00", default: true, memory_per_cpu: 300}
  machines:
    - {count: 4, cpus: 64, memory: 1, gpus: {"h100": 8}, features: ["fast", "ib"], partitions: ["dgx"]}
    - {count: 2, cpus: 32, memory: 1, gpus: {"v100": 4}, features: ["old"], partitions: ["old"]}
    - {count: 9, cpus: 16, memory: 1, features: ["ib"], partitions: ["cpu"]}
"""
GRES = "NodeName=v[1-2] Name=gpu Type=v100 File=/dev/nvidia[0-3]\nName=nvme Count=1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("slurm.conf").write_text(CONF.replace("DefaultTime=NONE", "DefaultTime=UNLIMITED"))
    Path("gres.conf").write_text(GRES)
    return tmp_path


def test_a_profile_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "import", "slurm.conf", "gres.conf", "-o", "-"]) == 0
    assert capsys.readouterr().out == WRITTEN


def test_jobs_mean_what_they_meant_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "import", "slurm.conf", "gres.conf"]) == 0
    for options, model, limit in (
        ("-p dgx --gres=gpu:2", "h100", 1800),
        ("-p dgx -t 5", "h100", 300),
        ("-C fast --gpus=1", "h100", 3600),
    ):
        text = f"#!/bin/bash\n#SBATCH {options}\nhostname\n"
        found = flowc.compile(text, Inputs(profile=".flowc/profile.yaml"), path="job.sbatch", emit="ir")
        job = json.loads(found.artifacts[0].text)["jobs"][0]
        assert (job["resources"]["gpu_model"], job["time"]["limit_s"]) == (model, limit)


def test_what_is_there_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text("modules: {gcc: nothing}  # mine\n")
    assert main(["profile", "import", "slurm.conf", "-o", "mine.yaml"]) == 0
    assert Path("mine.yaml").read_text().startswith("modules: {gcc: nothing}  # mine\n\npartitions:\n")
    assert main(["profile", "import", "slurm.conf", "-o", "mine.yaml"]) == 1
    assert "it has `partitions` already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("conf", "status", "said"),
    [
        ("NodeName=n1\nPartitionName=p Nodes=n2\n", 1, "bad.conf:2: there is no node `n2`"),
        ("NodeName=n1\nPartitionName=p Nodes=n1 MaxTime=1h\n", 1, "bad.conf:2: maxtime: `1h` is no time"),
        ("NodeName=n[3-1]\n", 1, "bad.conf:1: `3-1` in `n[3-1]` is no range"),
        ("NodeName=n1 x\n", 1, "bad.conf:1: expected KEY=VALUE, found `x`"),
        ("NodeName=n1\n", 4, "bad.conf: it has no partition"),
        ("include none.conf\n", 4, "none.conf: no such file or directory"),
        ("include bad.conf\n", 1, "bad.conf:1: files are included too deep"),
    ],
)
def test_mistakes_are_told(folder: Path, capsys: pytest.CaptureFixture[str], conf: str, status: int, said: str) -> None:
    Path("bad.conf").write_text(conf)
    assert main(["profile", "import", "bad.conf", "-o", "-"]) == status
    assert f"flowc: error: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["profile"], ["profile", "other"], ["profile", "import"]])
def test_words_that_are_missing(folder: Path, words: list[str]) -> None:
    assert main(words) in ((0, 2) if words == ["profile"] else (2,))


def test_lines_and_values(folder: Path) -> None:
    Path("x.conf").write_text('NodeName=a \\\n CPUs=2 # no\\\nFeature="b,c" x=a\\#b\n')
    assert [each.values for each in read("x.conf")] == [{"nodename": "a", "cpus": "2"}, {"feature": "b,c", "x": "a#b"}]
    assert hosts("n[08-11],r[1-2]x[3,5],m") == ["n08", "n09", "n10", "n11", "r1x3", "r1x5", "r2x3", "r2x5", "m"]
    assert [minutes(each) for each in ("90", "1:30", "0:30", "1:00:00", "1-0", "2-12:30:15", "INFINITE")] == [
        *(90, 2, 1, 60, 1440, 3631, None)
    ]
    for bad in ("n[1-99999]", "n[a]", "n[1", "n]"):
        with pytest.raises(ValueError, match="n"):
            hosts(bad)


def test_a_partition_is_there_once(folder: Path) -> None:
    Path("x.conf").write_text("NodeName=a\nPartitionName=p Nodes=a\nPartitionName=p Nodes=a\n")
    with pytest.raises(ConfError, match="twice"):
        cluster(read("x.conf"))
