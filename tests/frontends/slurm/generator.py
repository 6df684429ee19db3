# ruff: noqa: E501 (tables of values read better in long lines)
"""Makes up batch scripts from the option table: every option, every form of value, quoting, prefixes, faults.

`case(random)` gives what the oracle takes: {"script", "args", "env"}. It draws from a `random.Random`, so a seed repeats a
run and hypothesis can shrink one. `version` is the release whose options are drawn.
"""

from __future__ import annotations

from random import Random
from typing import Any

from flowc._compiled.slurm_options import BSUB, ELSEWHERE, OPTIONS, PBS, REMOVED
from flowc.frontends.slurm.words.getopt import table_of

OLDEST = (22, 5)


NUMBERS = [
    "1",
    "2",
    "3",
    "4",
    "8",
    "16",
    "08",
    "+3",
    " 4",
    "0",
    "-1",
    "",
    "x",
    "1.5",
    "4x",
    "4294967297",
    "2147483648",
    "<n>",
    "1-2",
]
NAMES_TEXT = [
    "gpu",
    "a,b",
    "x y",
    "ünïcode",
    "<project>",
    "$HOME",
    "a#b",
    "=x",
    "-x",
    "",
    "a'b",
    'a"b',
    "a\\b",
    "none",
    "ALL",
    "{x}",
    "é ",
]
VALUES: dict[str, list[str]] = {
    "number": NUMBERS,
    "shape": NUMBERS,
    "core-spec": NUMBERS,
    "thread-spec": NUMBERS,
    "zero-one": ["0", "1", "2", "", "x", "65536"],
    "text": NAMES_TEXT,
    "wrap": ["hostname", "a b"],
    "file": ["x"],
    "path": ["x.log", "logs/%x-%j.out", "/tmp/x", "none", "NONE", "", "~/x", "$HOME/x", "a b", "./x", "{cwd}/x", "%A_%a.out"],
    "chdir": ["sub", "/tmp", "", "a/../b", "$HOME", "~"],
    "duration": [
        "5", "90", "1:30", "10:00", "1:02:03", "1-0", "1-12", "2-1:30", "1-25:61:61", "0", "0:0", "0:0:1", "-1", "-5", "5-", "-0",
        "INFINITE", "unlimited", "1h", "1.5", ":30", "1:", "1:2:3:4", "2-4-6", "+5", "", " 5", "5 ", "<time>", "HH:MM:SS", "100:00:00",
        "99999999999", "1-2:", "00:00:30", "24:00:00", "7-00:00:00", "1::2", "1-:2", "--5", "1-2:3:4:5", "4294967296", "35791395",
    ],
    "delay": ["5", "1:30", "1-2", "x", "", "unlimited", "-5", "0"],
    "size": [
        "4096", "4G", "8GB", "16000MB", "0", "1024", "1025", "1048576", "1500K", "1k", "2t", "2TB", "1.5G", "4GiB", "4P", "4 G", "-1", "0x10",
        "", "x", "+4", " 4", "4g", "4gb", "4b", "99999999999999999999", "<mem>", "9007199254740993", "4Gb", "4GBB", "18014398509481984G",
    ],
    "gres": [
        "gpu", "gpu:2", "gpu:a100", "gpu:a100:2", "gpu:1k", "gpu:1,lscratch:100", "gpu:0", "none", "NONE", "gpu:-1", "gpu:1.5", "gpu:h100*2",
        "gpu:a100:2,gpu:h100:1", "gpu:2,gpu:a100:1", "gpu:2,gpu:3", "gpu:", "gpu(2)", "gpu:1, x", "gpu=2", "gres/gpu:2", "gres:gpu:2", "mps:10",
        "shard:1,gpu:1", "", ",", "gpu:1,", ",gpu:1", "craynetwork:0", "nvme:1", "help", "list", "gpu:a:b:c", "gpu::2", "gpu:a100:x", "GPU:1",
        "gpu:k", "gpu:1kb", "gpu:1kib", "gpu: 2", "4", "gpu:<n>", "gpu:a100.1g", "tmp_space:5G", "gpu:18446744073709551616", "ü:1", "gpu:2,gpu:0",
        "[gpu]",
    ],
    "gpus": ["1", "2", "4", "8", "h100:8", "a100:2,h100:1", "2,a100:1", "gpu:4", "4:a100", "four", "0", "", "1,", ":2", "a100:", "a100:x", "-1", "<n>", "h100=2", "4,4"],
    "nodes": [
        "1", "2", "4", "8", "2-4", "4-2", "-4", "2-", "1k", "1K-2k", "1m", "0", "0-0", "2-0", "1.0", "", " 2", "2 ", "x", "1,3", "1-15:4", "+2", "2-+4",
        "1-1", "<nodes>", "2--3", "-", "1km", "4294967298", "1-x", "n1",
    ],
    "array": ["1-10", "0-15:4", "1-10%2", "[0-3]", "%3", "3-1", "1-", "a", "1,2,3", "", "<n>", "1-$N"],
    "dependency": ["afterok:123", "singleton", "afterok:1:2,afterany:3", "afterok:$JID", "", "0", "foo", "after:5+10"],
    "features": ["a", "a&b", "a|b", "[a|b]", "a*4", "!a", "(a|b)&c", "", "a,b", "<feature>"],
    "licences": ["a", "a:2", "a@b:3,c", "a;b", "a b", ""],
    "clusters": ["a", "a,b", "all", ""],
    "moment": [
        "2030-01-20", "2030-01-20T12:34", "2030-01-20T12:34:56", "2030-01-20-12:34", "2030-01-20 12:34", "2030-1-20", "01/20/30", "012030", "01.20.30-12:34",
        "uts1893456000", "uts5", "2030/01/02", "01/02/2030", "25:00", "", "x", "2030-02-31", "2030-13-01", "2030-01-32", "T2030-01-20T", "1893456000", "2030-01-20T12:34PM",
        "2030-01-20T13:00PM", "2030-01-20T12:00AM", "2030-01-20noon", "2030-01-20midnight", "2030-01-20T1:30", "1960-05-06", "2030-01-20T24:00", "2030-01-20T12:60", "1970-01-01",
    ],
    "export": ["ALL", "NONE", "NIL", "A,B=1", "ALL,A=1", "", "A='x,y',B", "none", "A=$B"],
    "hosts": ["n1", "n[1-4]", "n1,n2,n1", "n[001-003]", "a[1-2]b[3-4]", "n[3-1]", "n[1-3", "n1 n2", "", "a/b", "n[1,3,5-7]", "x", "n[1-2][1-2]", "n[1-3]-ib", "host-01", "n[a-b]", "n9,n10,n8", "[1-2]", "n[]", "n[1-2],", "b1,a2,a1"],
    "nodefile": ["x", "/nonexistent"],
    "export-file": ["nosuch", "/nonexistent"],
    "exclusive": ["user", "mcs", "exclusive", "oversubscribe", "USER", "topo", "x", ""],
    "extra-node-info": ["2", "2:8", "2:8:1", "*:4", "*", "2-4", "x", "1:2:3:4", "", ":", "2:", ":2", "-1", "1k", "0", "*:*:2", "2-", "2-x", "3-2"],
    "get-user-env": ["10", "10L", "S", "x", "", "-1", "5s", "0L"],
    "gpu-bind": ["closest", "none", "single:2", "per_task:1", "map_gpu:0,1", "mask_gpu:0x3,0x3", "verbose,closest", "foo", "", "map:0", "map_gpu:a", "c", "single:x", "map_gpu:0*2", "closest;gpu:none", "closest;nic:none"],
    "gpu-freq": ["medium", "450", "high,memory=low", "verbose", "low,verbose", "foo", "", "memory=900", "memory=verbose", "450x", "highm1", "medium;gpu:low"],
    "gres-flags": ["disable-binding", "enforce-binding", "Disable-Binding", "one-task-per-sharing", "x", "", "disable-binding,enforce-binding"],
    "hint": ["nomultithread", "multithread", "compute_bound", "memory_bound", "compute_bound,nomultithread", "help", "x", "", "memory_bound;multithread", "NoMultiThread", "multithread,1"],
    "id": ["0", "root"],
    "kill-on-invalid-dep": ["yes", "no", "YES", "x", ""],
    "mail-type": ["END", "BEGIN,END,FAIL", "ALL", "NONE", "all", "foo", "BEGIN,foo", "TIME_LIMIT_90,array_tasks", "END,NONE,FAIL", "", ",", "begin, end", "STAGE_OUT,invalid_depend,requeue"],
    "mem-bind": ["local", "none", "rank", "map_mem:0,1", "mask_mem:0x3,1", "verbose,local", "quiet", "prefer", "foo", "help", "", "map_mem:", "map_mem:0*2,1", "sort,local", "v,map_mem=1,2", "local,rank", "map_mem:x", "mask_mem:zz", "nosort", "p,q", "local,map_mem:0,1,verbose"],
    "acctg-freq": ["30", "task=10", "task=10,energy=5", "foo", "", "0", "network=3,filesystem=4", "task=x", "-1", "30s"],
    "cpu-freq": ["Low", "high", "Medium", "HighM1", "2000", "Low-High", "1000-2000", "2000-1000", "Low-High:OnDemand", "performance", "conservative", "userspace", "x", "", "0", "low-", "High:Performance", "2000x", "Low-2000:user", "powersave", "schedutil", "high-low", "lo-hi:pow"],
    "distribution": ["block", "cyclic", "arbitrary", "*", "*:*", "*:*:*", "block:cyclic", "cyclic:fcyclic:block", "plane=4", "plane", "plane=0", "pack", "nopack", "block,pack", "BLOCK:Block", "fcyclic", "block:", ":block", "x", "", ",pack", "block,x", "pack,nopack", "block:block:*", "block:*:*", "hostfile", "plane=4x", "block:cyclic:block:block", "block,"],
    "nice": ["5", "-5", "abc", "", "2147483645", "2147483646", "5x"],
    "no-kill": ["off", "no", "set", "x", "", "OFF"],
    "open-mode": ["append", "truncate", "a", "T", "x", "", "Apple"],
    "power": ["level", "x", "LEVEL,x", ""],
    "priority": ["5", "TOP", "top", "-1", "x", "4294967293", "4294967294", "2147483648", ""],
    "profile": ["all", "none", "task", "energy,task", "x", "Lustre,Network", "", "small"],
    "propagate": ["ALL", "NONE", "CPU", "CPU,STACK", "foo", "cpu", "RLIMIT_CORE", "", "CPU NPROC", "all"],
    "signal": ["USR1", "B:USR1@300", "SIGTERM@60", "10@30", "R:USR2", "RB:9", "BUSR1", "b:usr1@0", "@60", "USR1@", "USR1@1:00", "foo", "", "0", "64", "65536", "65537", "USR1@65536", "XCPU", "BR:10", "USR1 ", " USR1", "CHLD", "R", "SIG", "B:"],
    "tres-per-task": [
        "gres/gpu=1", "gres/gpu:a=2", "cpu=2", "gres/gpu=2,cpu=4", "gres:gpu:1", "gres/gpu:2", "gres/gpu:a:2", "gpu=1", "mem=1G", "node=1", "gres/gpu=0", "gres/gpu",
        "cpu", "cpu=0", "cpu:2", "license/x=1", "license/x:2", "bb/x=1", "energy=1", "billing=2", "gres/gpu:a=1,gres/gpu:b=2", "gres/gpu:b=1,gres/gpu:a=2", "gres/gpu=1k", "cpu=1k",
        "", ",", "cpu=2,", "x=1", "gres/x=1", "gres/gpu:a=2,cpu=1", "cpu=2,cpu=3", "gres/gpu=1,gres/gpu=2", "gres=gpu:1", "gres/gpu=x", "gres/gpu=1.5", "GRES/GPU=1", "CPU=1",
    ],
    "tres-bind": ["gres/gpu:closest", "gres/gpu:verbose,closest", "gres/gpu:map:0,1", "gres/gpu:mask:0x3", "gres/gpu:none", "gres/gpu:per_task:1", "gres/gpu:single:2", "gpu:closest", "", "gres/x:none", "gres/gpu:closest+gres/x:none", "x", "gres/gpu:c", "gres/gpu:map:a"],
    "mem-update": ["20@10", "20@1:00", "65536@1", "10@INFINITE", "20", "@5", "0@5", "20@", "x@5", "20@x", "20@0", "100@5", "200@-5", "20@1-0", "-1@5", "20@5x", "", "1@99999999"],
    "segment": ["1", "2", "4", "0", "65535", "65536", "x", "", "-1", "3"],
    "ports": ["", "0", "2", "x", "-1", "65536", "4294967296"],
    "requeue": ["expedite", "", "x", "EXPEDITE", "1", "expedite "],
    "switches": ["1", "2@10", "2@1:30", "1@x", "0", "x", "", "2@", "1@unlimited", "@5", "1@1-0"],
}  # fmt: skip


def names_of(version: tuple[int, ...]) -> list[str]:
    """The options that a release knows."""
    known = table_of(version).longs
    return [name for name in OPTIONS if name in known]


def case(random: Random, version: tuple[int, ...] = OLDEST) -> dict[str, Any]:
    """One made-up script with arguments and environment."""
    chance = random.random()
    if chance < 0.04:
        return {"script": odd_file(random, version), "args": [], "env": {}}
    if chance < 0.3:
        return request(random, version)
    made: dict[str, Any] = {"script": script(random, version), "args": [], "env": {}}
    if random.random() < 0.12:
        made["args"] = arguments(random, version)
    if random.random() < 0.12:
        made["env"] = environment(random, version)
    if random.random() < 0.02:
        made = {
            "script": None,
            "args": [*arguments(random, version), "--wrap=" + random.choice(["hostname", "a b", "#SBATCH -N3"])],
            "env": made["env"],
        }
    return made


def option(random: Random, version: tuple[int, ...] = OLDEST, *, faults: float = 0.06, calm: float = 0.0) -> list[str]:
    """The words of one option as a user would type them, before quoting. `calm`: how often a common value is taken."""
    name = random.choice(names_of(version))
    row = OPTIONS[name]
    arg = table_of(version).args[name]
    values = VALUES.get(row["kind"], NAMES_TEXT)
    value = random.choice(values[:3]) if random.random() < max(calm, 0.6) else random.choice(values)
    if random.random() < faults:
        return fault(random, name, value)
    written = name
    if row["aliases"] and random.random() < 0.3:
        written = row["aliases"][0]
    if random.random() < 0.1:
        written = written[: random.randint(2, len(written))]
    short = row["short"] if row["short"] and random.random() < 0.4 else None
    if arg == "none":
        return [f"-{short}" if short else f"--{written}"]
    if arg == "optional" and random.random() < 0.5:
        return [f"-{short}" if short else f"--{written}"]
    if short:
        joined = random.random() < 0.4 or arg == "optional"
        return [f"-{short}{value}"] if joined else [f"-{short}", value]
    return [f"--{written}={value}"] if random.random() < 0.75 or arg == "optional" else [f"--{written}", value]


def fault(random: Random, name: str, value: str) -> list[str]:
    """What people get wrong."""
    return random.choice([
        [f"-{name}={value}"], [f"--{name}", f"={value}"], [f"--{name}=", value], [f"--{name.replace('-', '_')}={value}"], [f"--{name.upper()}={value}"],
        [f"--{name[:-1] + 'z'}={value}"], [value], ["--"], ["-"], [":"], ["hetjob"], [f"--{random.choice(sorted({**REMOVED, **ELSEWHERE}))}={value}"], [f"--{name}"],
        [f"-{random.choice('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')}"], [f"-{random.choice('ACDJLMNpqt')}={value}"], ["-HO"], ["-OHk", "-N2"],
        ["--wrap=x"], ["--quiet"], ["--test-only"], ["--help"] if random.random() < 0.2 else ["--parsable"],
    ])  # fmt: skip


def quoted(random: Random, word: str) -> str:
    """The word as it might stand in a directive."""
    chance = random.random()
    if chance < 0.86:
        return word
    if chance < 0.9:
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if chance < 0.93:
        return "'" + word + "'"
    head, equals, tail = word.partition("=")
    if chance < 0.97 and equals:
        return f'{head}="{tail}"'
    return "".join("\\" + each if random.random() < 0.1 else each for each in word)


def directive(random: Random, version: tuple[int, ...] = OLDEST, *, calm: float = 0.0) -> str:
    count = 1 if random.random() < 0.85 else random.randint(0, 4)
    words = [
        quoted(random, word)
        for _ in range(count)
        for word in option(random, version, calm=calm, faults=0.03 if calm else 0.08)
    ]
    gap = random.choice([" ", " ", " ", " ", "  ", "\t", "", "\v"])
    line = "#SBATCH" + gap + random.choice([" ", " ", " ", "\t", "  "]).join(words)
    line += random.choice(["", "", "", "", "", " ", "  # a comment", " #x", "\t", "#y", " # it's <here>", '  ""'])
    if random.random() < 0.02:
        line = line.replace(
            "#SBATCH",
            random.choice(["# SBATCH", "##SBATCH", " #SBATCH", "#sbatch", "#SLURM", "#SBATCHES", "#SBATCH:"]),
            1,
        )
    return line


def script(random: Random, version: tuple[int, ...] = OLDEST) -> str:
    lines = [
        random.choice(
            ["#!/bin/bash", "#!/bin/bash", "#! /bin/bash -l", "#!/usr/bin/env python3", "#!/bin/csh", "#!/bin/sh"]
        )
    ]
    calm = random.choice([0.0, 0.97, 0.97])
    for _ in range(random.choice([1, 1, 2, 3, 5, 8])):
        lines.append(directive(random, version, calm=calm))
        if random.random() < 0.1:
            lines.append(random.choice(["", "# comment", "  ", "## comment é", "\t# x", "#", "#SBATCH"]))
        if random.random() < 0.04:
            lines.append(
                random.choice(
                    ["#SBATCH hetjob", "#SBATCH packjob", "#SBATCH HetJob -N2", "#SBATCH   hetjob", "#SBATCHhetjob"]
                )
            )
        if random.random() < 0.02:
            lines.append(random.choice(["set -e", "module load x", ":<<X", '"""', "export A=1"]))
    if random.random() < 0.07:
        lines.insert(random.randint(1, len(lines)), foreign(random))
    lines += random.choice(
        [["hostname"], [], ["echo $SLURM_NTASKS", "#SBATCH -N9"], ["cat <<E", "#SBATCH -N2", "E"], ["", "srun x"]]
    )
    return "\n".join(lines) + random.choice(["\n", "\n", "\n", "", "\n\n"])


RESOURCES = {
    "nodes": ["1", "2", "3", "4", "1-2", "2-4", "8-9"], "ntasks": ["1", "2", "4", "6", "8"], "ntasks-per-node": ["1", "2", "4"],
    "cpus-per-task": ["1", "4"], "gpus": ["1", "2", "4", "8", "a:4", "a:2,b:2"], "gpus-per-node": ["1", "2", "4", "a:2"],
    "gpus-per-task": ["1", "2", "a:1"], "gpus-per-socket": ["1", "2"], "gres": ["gpu:2", "gpu:a:2", "mps:2", "shard:1", "x:1,gpu:1", "none"],
    "cpus-per-gpu": ["2", "4"], "ntasks-per-gpu": ["1", "2"], "ntasks-per-tres": ["1", "2"], "ntasks-per-socket": ["1", "2"],
    "sockets-per-node": ["1", "2"], "cores-per-socket": ["2"], "threads-per-core": ["1", "2"], "extra-node-info": ["2", "2:4", "*:2:1"],
    "ntasks-per-core": ["1", "2"], "mem": ["1G", "0"], "mem-per-cpu": ["1G"], "mem-per-gpu": ["1G", "0"], "mincpus": ["2", "8"],
    "hint": ["nomultithread", "memory_bound", "compute_bound", "multithread"], "nodelist": ["n1", "n[1-3]", "n[1-4],m2", "b,a,c", "n[9-11]", "n2,n1,m[01-03]"],
    "distribution": ["plane=2", "plane=4", "arbitrary", "block"], "gpu-freq": ["low"], "clusters": ["c"], "exclusive": ["user"], "core-spec": ["1"],
    "thread-spec": ["2"], "begin": ["2030-01-01", "2031-01-01"], "deadline": ["2030-01-01", "2030-06-01"], "get-user-env": ["5"], "propagate": ["CPU", "x"],
    "tres-per-task": ["gres/gpu=1", "cpu=2", "gres/gpu:a=2", "gres/gpu=2,cpu=2", "gres/mps=5"], "segment": ["1", "2", "3"], "oversubscribe": [""], "spread-segments": [""],
    "gres-flags": ["one-task-per-sharing", "enforce-binding"], "tres-bind": ["gres/gpu:closest"],
}  # fmt: skip


def request(random: Random, version: tuple[int, ...] = OLDEST) -> dict[str, Any]:
    """A script whose options depend on each other."""
    known = table_of(version).longs
    names = random.sample([name for name in sorted(RESOURCES) if name in known], random.randint(2, 7))
    if random.random() < 0.5:
        names = [
            name
            for name in names
            if "gpu" in name or "tres" in name or name in ("nodes", "ntasks", "ntasks-per-node", "gres", "nodelist")
        ]
    words = [f"--{name}={random.choice(RESOURCES[name])}".removesuffix("=") for name in names]
    made: dict[str, Any] = {"script": "", "args": [], "env": {}}
    for word in words:
        name = word[2:].partition("=")[0]
        chance = random.random()
        if chance < 0.08:
            made["args"].append(word)
        elif chance < 0.16 and OPTIONS[name]["variables"]:
            made["env"][OPTIONS[name]["variables"][0]] = word.partition("=")[2]
        else:
            made["script"] += f"#SBATCH {word}\n"
            if random.random() < 0.06:
                made["script"] += "#SBATCH hetjob\n"
    made["script"] = "#!/bin/bash\n" + made["script"] + "srun x\n"
    return made


def foreign(random: Random) -> str:
    """Lines of PBS or LSF."""
    lines = []
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.6:
            letter = random.choice([*PBS["letters"], *PBS["ignored"], "l", "l", "l", "m", "v", "W", "d", "x"])
            value = random.choice({
                "l": ["nodes=2:ppn=4", "walltime=1:00:00", "mem=4gb", "select=2:ncpus=8:mpiprocs=2", "nodes=a+b:ppn=2", "nodes=1:ppn=2:gpus=1,walltime=5", "file=2mb,cput=5", "naccelerators=2", "proc=x", "foo=1", "ncpus=4", "nodes=2+3:ppn=2", "pmem=2gb", "mem=", "nodes=3", "accelerator=TRUE", "nice=4", "select=1:ncpus=4"],
                "m": ["abe", "n", "e", "x"], "v": ["A,B=1", "C"], "W": ["depend=afterok:1", "umask=022", "umask=0x1ff", "umask=9", "x=y"], "p": ["5", "x"], "t": ["1-3"], "J": ["1-3"], "a": ["203001011200", "01/02/30", "2030-01-02"],
            }.get(letter, ["x", "y z", ""]))  # fmt: skip
            lines.append(f"#PBS -{letter}" + ("" if letter in "hIVz" else f" {value}"))
        else:
            letter = random.choice([*BSUB["letters"], "R"])
            value = random.choice(
                {"n": ["4", "2,4", "4,", "x"], "M": ["1000", "4G", "x"], "m": ["a b", "a"], "W": ["01:00", "5"]}.get(
                    letter, ["x", "'y z'"]
                )
            )
            lines.append(
                random.choice(
                    [
                        "#BSUB -cwd sub",
                        f"#BSUB -{letter}" + ("" if letter == "x" else f" {value}"),
                        f"#BSUB -{letter}" + ("" if letter == "x" else f" {value}"),
                    ]
                )
            )
    return "\n".join(lines)


def arguments(random: Random, version: tuple[int, ...] = OLDEST) -> list[str]:
    words: list[str] = []
    for _ in range(random.randint(1, 3)):
        made = option(random, version, faults=0.01, calm=0.9)
        if made not in (["--quiet"], ["-Q"]):  # the oracle itself says --verbose
            words += made
        if random.random() < 0.1:
            words.append(":")
    return words


def environment(random: Random, version: tuple[int, ...] = OLDEST) -> dict[str, str]:
    made = {}
    for _ in range(random.randint(1, 3)):
        name = random.choice([each for each in names_of(version) if OPTIONS[each]["variables"]])
        row = OPTIONS[name]
        values = (
            ["", "1", "yes", "no", "0", "true", "YES", "-1", "5x"]
            if table_of(version).args[name] == "none"
            else VALUES.get(row["kind"], NAMES_TEXT)
        )
        value = random.choice(values[:3]) if random.random() < 0.6 else random.choice(values)
        if name != "verbose":
            made[random.choice(row["variables"])] = value
    if random.random() < 0.1:
        made[random.choice(["SBATCH_REQ_SWITCH", "SBATCH_WAIT4SWITCH"])] = random.choice(["1", "2", "10", "x", "0"])
    if random.random() < 0.05:
        made["SLURM_DIST_PLANESIZE"] = random.choice(["4", "", "x"])
    return made


def odd_file(random: Random, version: tuple[int, ...] = OLDEST) -> str:
    """Files that are hardly scripts."""
    return random.choice([
        "", "\n", " \t\n", "#!", "#!/bin/sh", "#!/bin/sh\n#SBATCH -N2", "\n#!/bin/sh\n", "\ufeff#!/bin/sh\n#SBATCH -N2\n", "#SBATCH -N2\n", "#!/bin/sh\r\n#SBATCH -N2\r\n",
        "#!/bin/sh\n#SBATCH -N2\r -n4\n", "#!/bin/sh\necho x\r\n", "#!/bin/sh\n#SBATCH -N2\n\0", "#!/bin/sh\n" + directive(random, version).replace(" ", "\u00a0"), "#!/bin/sh\n" + directive(random, version) + "\r" + directive(random, version),
        "#!/bin/sh\n#SBATCH" + "".join(random.choice(" \t\"'\\#:=-NnJx1hetjob") for _ in range(random.randint(1, 30))) + "\n",
        "#!/bin/sh\n#SBATCH -J " + "".join(random.choice("ab\"'\\# \u00e9") for _ in range(random.randint(1, 12))) + "\n",
    ])  # fmt: skip
