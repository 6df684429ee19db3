"""What flowc reads in a slurm.conf, beside a real slurmctld on the same file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flowc.profile.cluster.conf import ConfError, read
from flowc.profile.cluster.nodes import Cluster, cluster
from flowc.profile.cluster.ranges import hosts
from tests.profile.cluster.controller import call, head, missing, shown

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing(), reason="needs root and Debian's slurmctld")]

PLAIN = "NodeName=n[1-4] CPUs=8 RealMemory=1000\n"
WRITTEN = {
    "plain": PLAIN + "PartitionName=p Nodes=ALL Default=YES\n",
    "defaults-hold-behind": PLAIN
    + "PartitionName=early Nodes=n1\nPartitionName=DEFAULT MaxTime=1:00:00\nPartitionName=mid Nodes=n2\n"
    "PartitionName=DEFAULT DefaultTime=30\nPartitionName=late Nodes=n3\n",
    "defaults-of-nodes": "NodeName=DEFAULT CPUs=8 RealMemory=1000\nNodeName=n1 Feature=x\n"
    "NodeName=DEFAULT CPUs=16 Feature=y\nNodeName=n2\nNodeName=n3 RealMemory=5000 Feature=z,a\n"
    "PartitionName=p Nodes=n[1-3]\n",
    "times": PLAIN + "PartitionName=a Nodes=ALL MaxTime=1-0\nPartitionName=b Nodes=ALL MaxTime=90 DefaultTime=1:30\n"
    "PartitionName=c Nodes=ALL DefaultTime=INFINITE\nPartitionName=d Nodes=ALL MaxTime=90 DefaultTime=UNLIMITED\n"
    "PartitionName=e Nodes=ALL MaxTime=60 DefaultTime=100\n"
    "PartitionName=f Nodes=ALL MaxTime=2-12:30:15 DefaultTime=0:30\n",
    "a-time-that-is-none": PLAIN + "PartitionName=a Nodes=ALL MaxTime=1h\n",
    "continued": "NodeName=n1 CPUs=4 \\\n  RealMemory=2000 \\\n  Feature=a\nPartitionName=p \\\n Nodes=n1\n",
    "continued-by-a-comment": "NodeName=n1 CPUs=4 \\\n# RealMemory=2000 \\\nPartitionName=p Nodes=n1\n",
    "comments": "NodeName=n1 CPUs=4 Feature=a#b,c RealMemory=1000\n"
    "PartitionName=p Nodes=n1 # MaxTime=5\n#PartitionName=q\n",
    "case": "NODENAME=n1 cpus=4 REALMEMORY=77\npartitionname=P nodes=n1 MAXTIME=5\n",
    "twice-in-a-line": "NodeName=n1 CPUs=4 CPUs=6\nPartitionName=p Nodes=n1 MaxTime=5 MaxTime=7\n",
    "quotes": 'NodeName="n[1-2]" CPUs=4 Feature="a,b"\nPartitionName=p Nodes="n1,n2"\n',
    "ranges": "NodeName=n[01-03,5],m,r[1-2]c[1-2] CPUs=2\nPartitionName=p Nodes=n[02-03],r1c2,m\n",
    "sets": "NodeName=n[1-2] CPUs=2 Feature=g\nNodeName=n[3-4] CPUs=2\nNodeSet=gpus Feature=g\nNodeSet=some Nodes=n4\n"
    "PartitionName=p Nodes=gpus\nPartitionName=q Nodes=some,n1\n",
    "no-such-node": PLAIN + "PartitionName=p Nodes=n9\n",
    "partition-twice": PLAIN + "PartitionName=p Nodes=n1\nPartitionName=p Nodes=n2\n",
    "node-twice": PLAIN + "NodeName=n2 CPUs=1\nPartitionName=p Nodes=n1\n",
    "address-of-default": "NodeName=DEFAULT NodeAddr=x\n" + PLAIN + "PartitionName=p Nodes=n1\n",
    "two-defaults": PLAIN + "PartitionName=p Nodes=n1 Default=YES\nPartitionName=q Nodes=n2 Default=YES\n",
    "memory": "DefMemPerCPU=100\n" + PLAIN + "PartitionName=a Nodes=ALL\nPartitionName=b Nodes=ALL DefMemPerNode=4000\n"
    "PartitionName=c Nodes=ALL DefMemPerCPU=300\n"
    "PartitionName=d Nodes=ALL DefMemPerNode=5 DefMemPerCPU=7\nPartitionName=e Nodes=ALL DefMemPerNode=0\n"
    "PartitionName=f Nodes=ALL MaxMemPerNode=900\nPartitionName=g Nodes=ALL MaxMemPerCPU=90\n",
    "shapes": "NodeName=a Sockets=2 CoresPerSocket=8 ThreadsPerCore=2\n"
    "NodeName=b Boards=2 SocketsPerBoard=2 CoresPerSocket=4\n"
    "NodeName=c CPUs=64 Sockets=2 CoresPerSocket=32\nNodeName=d Procs=3\nPartitionName=p Nodes=ALL\n",
    "gpus": "NodeName=n1 CPUs=4 Gres=gpu:a100:8\nNodeName=n2 CPUs=4 Gres=gpu:4\n"
    "NodeName=n3 CPUs=4 Gres=gpu:a100:2,gpu:v100:6\n"
    "NodeName=n4 CPUs=4 Gres=gpu\nPartitionName=p Nodes=ALL\n",
    "limits": PLAIN
    + "PartitionName=p Nodes=ALL MinNodes=2 MaxNodes=3 OverSubscribe=EXCLUSIVE\nPartitionName=q Nodes=ALL State=DOWN\n"
    "PartitionName=r Nodes=ALL MaxNodes=UNLIMITED Shared=EXCLUSIVE\n",
    "no-partition": PLAIN,
    "no-key": PLAIN + "PartitionName=p Nodes=ALL stray\n",
}


def _seeded(seed: int) -> str:
    """A file of many lines, chosen at random: about all that the written ones have, mixed."""
    rng = random.Random(seed)
    lines = [rng.choice(["", "DefMemPerCPU=150\n", "DefMemPerNode=3000\n", "MaxMemPerNode=9000\n"])]
    names: list[str] = []
    for group in range(rng.randint(1, 4)):
        if rng.random() < 0.4:
            lines.append(f"NodeName=DEFAULT CPUs={rng.choice([2, 8, 64])} RealMemory={rng.choice([500, 64000])}\n")
        first, count = rng.randint(1, 9), rng.randint(1, 5)
        name = f"{'abcd'[group]}[{first:0{rng.randint(1, 3)}}-{first + count}]"
        keys = {
            "CPUs": str(rng.choice([1, 4, 32])),
            "RealMemory": str(rng.choice([1000, 128000])),
            "Feature": ",".join(rng.sample(["a100", "ib", "big", "new"], rng.randint(1, 3))),
            "Gres": rng.choice(["gpu:a100:4", "gpu:2", "gpu:v100:1,gpu:a100:1"]),
        }
        chosen = [f"{key}={keys[key]}" for key in rng.sample([*keys], rng.randint(0, 4))]
        lines.append(" ".join([f"NodeName={name}", *chosen]).replace(" ", rng.choice([" ", " \\\n  ", "\t"])) + "\n")
        names.append(name)
    lines.append("NodeSet=set Feature=a100\n")
    for index in range(rng.randint(1, 5)):
        if rng.random() < 0.3:
            lines.append(f"PartitionName=DEFAULT MaxTime={rng.choice(['60', '2-0', 'INFINITE'])} MinNodes=1\n")
        keys = {
            "MaxTime": rng.choice(["30", "1:00:00", "1-12", "UNLIMITED", "90:30"]),
            "DefaultTime": rng.choice(["10", "0:59", "2-00:00:00", "UNLIMITED"]),
            "MaxNodes": rng.choice(["1", "2", "UNLIMITED"]),
            "MinNodes": rng.choice(["0", "1", "2"]),
            "DefMemPerCPU": rng.choice(["0", "700"]),
            "DefMemPerNode": rng.choice(["0", "1700"]),
            "MaxMemPerCPU": "800",
            "OverSubscribe": rng.choice(["NO", "EXCLUSIVE", "FORCE:2", "YES"]),
            "Default": rng.choice(["YES", "NO"]),
            "State": rng.choice(["UP", "DRAIN"]),
        }
        chosen = [f"{key}={keys[key]}" for key in rng.sample([*keys], rng.randint(0, 6))]
        nodes = rng.choice(
            ["ALL", rng.choice(names), ",".join(names), "set" if "a100" in "".join(lines[:-1]) else "ALL"]
        )
        lines.append(" ".join([f"PartitionName=p{index}", f"Nodes={nodes}", *chosen]) + rng.choice(["\n", " # x\n"]))
    return "".join(lines)


CASES = {**WRITTEN, **{f"seed-{seed}": _seeded(seed) for seed in range(24)}}


def _read(path: Path) -> Cluster | None:
    try:
        return cluster(read(str(path)))
    except ConfError:
        return None


def _minutes(text: str) -> int | None:
    """`1-00:30:00` as scontrol shows it."""
    if text in ("UNLIMITED", "NONE"):
        return None
    days, _, clock = text.rpartition("-")
    hours, minutes, _ = map(int, clock.split(":"))
    return int(days or 0) * 1440 + hours * 60 + minutes


def _partition(fields: dict[str, str]) -> dict[str, object]:
    return {
        "nodes": set() if fields["Nodes"] == "(null)" else set(hosts(fields["Nodes"])),
        "default": fields["Default"] == "YES",
        "max_minutes": _minutes(fields["MaxTime"]),
        "default_minutes": _minutes(fields["DefaultTime"]),
        "min_nodes": int(fields["MinNodes"]),
        "max_nodes": None if fields["MaxNodes"] == "UNLIMITED" else int(fields["MaxNodes"]),
        "memory_per_node": _set(fields, "DefMemPerNode"),
        "memory_per_cpu": _set(fields, "DefMemPerCPU"),
        "max_memory_per_node": _set(fields, "MaxMemPerNode"),
        "max_memory_per_cpu": _set(fields, "MaxMemPerCPU"),
        "exclusive": fields["OverSubscribe"] == "EXCLUSIVE",
        "max_cpus_per_node": None if fields["MaxCPUsPerNode"] == "UNLIMITED" else int(fields["MaxCPUsPerNode"]),
        "state": fields["State"].lower(),
    }


def _with_common(fields: dict[str, str], whole: dict[str, str]) -> dict[str, str]:
    """What the whole cluster says of memory holds where a partition says nothing; scontrol shows it apart."""
    found = dict(fields)
    for kind in ("DefMem", "MaxMem"):
        keys = [f"{kind}PerNode", f"{kind}PerCPU"]
        if all(_set(fields, key) is None for key in keys):
            found |= {key: whole[key] for key in keys if key in whole}
    return found


def _set(fields: dict[str, str], key: str) -> int | None:
    return int(fields[key]) if fields.get(key, "UNLIMITED") not in ("UNLIMITED", "9223372036854775807") else None


def test_there_are_forty_and_more() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", CASES)
def test_partitions_and_nodes(name: str, tmp_path: Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text(head(tmp_path) + CASES[name])
    real, ours = shown(conf), _read(conf)
    assert (real is None) is (ours is None), (tmp_path / "log").read_text()[-1500:]
    if real is None or ours is None:
        return
    partitions, nodes, whole = real
    assert {each.name for each in ours.partitions} == {*partitions}
    for each in ours.partitions:
        expected = _partition(_with_common(partitions[each.name], whole))
        found = {key: value for key, value in vars(each).items() if key in expected}
        assert {**found, "nodes": set(each.nodes)} == expected, each.name
    assert {*ours.nodes} == {*nodes}
    for node_name, fields in nodes.items():
        node = ours.nodes[node_name]
        assert (node.cpus, node.memory_mb) == (int(fields["CPUTot"]), int(fields["RealMemory"])), node_name
        features = fields["AvailableFeatures"]
        assert list(node.features) == ([] if features == "(null)" else features.split(","))
        gpus = [f"gpu:{kind}:{count}" if kind else f"gpu:{count}" for kind, count in node.gpus]
        assert gpus == ([] if fields["Gres"] == "(null)" else [_counted(each) for each in fields["Gres"].split(",")])


def _counted(gres: str) -> str:
    return f"{gres}:1" if gres == "gpu" else gres


def test_files_that_are_included(tmp_path: Path) -> None:
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "all.conf").write_text("NodeName=n[1-2] CPUs=3\ninclude more.conf\n")
    (tmp_path / "nodes" / "more.conf").write_text("NodeName=m CPUs=5\n")
    conf = tmp_path / "slurm.conf"
    conf.write_text(head(tmp_path) + "Include nodes/all.conf\nPartitionName=p Nodes=ALL\n")
    real, ours = shown(conf), _read(conf)
    assert real is not None
    assert ours is not None
    assert {name: node.cpus for name, node in ours.nodes.items()} == {
        name: int(fields["CPUTot"]) for name, fields in real[1].items()
    }


@pytest.mark.parametrize("text", ["n[01-03,5],m", "n[9-11]", "r[1-2]c[1-2],x", "a-b[1-2]"])
def test_lists_of_hosts(text: str, tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text(head(tmp_path))
    environment = {"PATH": "/usr/bin:/bin", "SLURM_CONF": str(tmp_path / "slurm.conf")}
    assert hosts(text) == call(["scontrol", "show", "hostnames", text], environment).split()
