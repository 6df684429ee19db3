"""What becomes of options: every one of sbatch's is decided, and a decision `lowered` means that something reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowc._compiled.slurm_lowering import LOWERING
from flowc._compiled.slurm_options import OPTIONS
from flowc.diag.sink import Sink
from flowc.frontends.slurm import FRONTEND
from flowc.frontends.slurm.words import tokens
from flowc.frontends.slurm.words.getopt import read_options, table_of
from flowc.inputs import Inputs
from flowc.ir.job import Job
from flowc.ir.unit import Unit
from flowc.ir.verify import verify
from flowc.source import Source

# For each option that is lowered or approximated: directives without it, and the option itself.
SAMPLES = {
    "array": ("", "--array=1-4%2"),
    "begin": ("", "--begin=2030-01-20T12:00:00"),
    "chdir": ("", "--chdir=/data/run"),
    "container-image": ("", "--container-image=ubuntu"),
    "container-mounts": ("--container-image=ubuntu", "--container-mounts=/a:/b"),
    "container-readonly": ("--container-image=ubuntu", "--container-readonly"),
    "container-workdir": ("--container-image=ubuntu", "--container-workdir=/w"),
    "constraint": ("--gpus=1", "--constraint=skylake"),
    "cores-per-socket": ("-N1", "--cores-per-socket=8"),
    "cpus-per-gpu": ("--gpus=2", "--cpus-per-gpu=8"),
    "cpus-per-task": ("", "--cpus-per-task=8"),
    "deadline": ("", "--deadline=2030-01-20T12:00:00"),
    "dependency": ("", "--dependency=afterok:12"),
    "distribution": ("", "--distribution=cyclic"),
    "error": ("", "--error=e.txt"),
    "exclusive": ("", "--exclusive"),
    "export": ("", "--export=A=1"),
    "extra-node-info": ("", "--extra-node-info=2:8:1"),
    "gpus": ("", "--gpus=h100:8"),
    "gpus-per-node": ("", "--gpus-per-node=4"),
    "gpus-per-socket": ("--sockets-per-node=2", "--gpus-per-socket=2"),
    "gpu-bind": ("-n2 --gres=gpu:2", "--gpu-bind=single:1"),
    "gpus-per-task": ("-n2", "--gpus-per-task=1"),
    "gres": ("", "--gres=gpu:2"),
    "input": ("", "--input=in.txt"),
    "job-name": ("", "--job-name=train"),
    "kill-on-invalid-dep": ("", "--kill-on-invalid-dep=yes"),
    "mail-type": ("", "--mail-type=END"),
    "mail-user": ("", "--mail-user=a@example.org"),
    "mem": ("", "--mem=4G"),
    "mem-per-cpu": ("", "--mem-per-cpu=4G"),
    "mem-per-gpu": ("--gpus=1", "--mem-per-gpu=4G"),
    "mincpus": ("", "--mincpus=8"),
    "no-requeue": ("", "--no-requeue"),
    "nodes": ("", "--nodes=2"),
    "ntasks": ("", "--ntasks=4"),
    "ntasks-per-gpu": ("--gpus=2", "--ntasks-per-gpu=2"),
    "ntasks-per-node": ("", "--ntasks-per-node=4"),
    "ntasks-per-tres": ("--gpus=2", "--ntasks-per-tres=2"),
    "open-mode": ("", "--open-mode=append"),
    "output": ("", "--output=o.txt"),
    "overcommit": ("", "--overcommit"),
    "requeue": ("", "--requeue"),
    "signal": ("", "--signal=B:USR1@120"),
    "sockets-per-node": ("-N1", "--sockets-per-node=2"),
    "threads-per-core": ("-N1", "--threads-per-core=2"),
    "time": ("", "--time=10"),
    "time-min": ("", "--time-min=10"),
    "tmp": ("", "--tmp=10G"),
    "tres-per-task": ("-n2", "--tres-per-task=gres/gpu=1"),
}

# Lowered by what a rented machine is, or by the reading itself: no field of the job stands for them.
IN_EFFECT = {
    *("ignore-pbs", "reboot", "use-min-nodes", "wrap"),
    *("container-env", "container-remap-root", "container-writable"),
    *("no-container-entrypoint", "no-container-mount-home"),
}


def lowered(options: str) -> tuple[Unit, Sink]:
    source, sink = Source("job.sbatch", f"#!/bin/sh\n#SBATCH {options}\ntrue\n"), Sink()
    tree = FRONTEND.read(source, Inputs(), sink)
    assert not sink.failed, (options, [each.message for each in sink.diagnostics])
    return FRONTEND.lower(tree, Inputs(), sink)[0], sink


def meaning(job: Job) -> Job:
    """The job without where it came from, but with the variables that its format sets."""
    return job.replace(source=job.source.replace(sha256=""), outcome=(), run=job.run.replace(text=None))


def test_every_option_is_decided() -> None:
    assert LOWERING.keys() == OPTIONS.keys()


@pytest.mark.parametrize(
    "option", [name for name, row in LOWERING.items() if row["action"] in ("lowered", "approximated")]
)
def test_what_is_lowered_changes_the_job(option: str) -> None:
    if option in IN_EFFECT:
        assert option not in SAMPLES
        return
    before, given = SAMPLES[option]
    without, _ = lowered(before or "--comment=x")
    with_it, _ = lowered(f"{before} {given}")
    assert meaning(with_it.job) != meaning(without.job)
    assert [row.action for row in with_it.job.outcome if row.input == given] == [LOWERING[option]["action"]] or (
        option == "export"
    )


def test_fields_have_origins() -> None:
    for before, given in SAMPLES.values():
        unit, _ = lowered(f"{before} {given}")
        for path, span in unit.origins.items():
            assert span.source is unit.source, path
            assert span.text in f"{before} {given}", path


def test_an_ignored_option_is_reported_once_and_only_once() -> None:
    unit, sink = lowered("--partition=gpu --account=a --licenses=m:1 --gpus=h100:8 --time=5")
    assert [each.code.id for each in sink.diagnostics] == ["FC182", "FC180"]
    assert {row.input: row.code for row in unit.job.outcome} == {
        "--partition=gpu": "FC180",
        "--account=a": "FC180",
        "--licenses=m:1": "FC182",
        "--gpus=h100:8": None,
        "--time=5": None,
    }


def test_whatever_option_is_read_has_a_row() -> None:
    """In a directive and on sbatch's command line, the ones that sbatch drops there too."""
    lines = (Path(__file__).parents[1] / "directives.txt").read_text().splitlines()[1:]
    lines += [f"--{name}{value}" for name in OPTIONS for value in ("", "=1", "=x", "=now+1", "=gpu:1", "=low")]
    lines += ["--gpus=2 --ntasks-per-tres=1", "-N1 --gpus-per-socket=1 --sockets-per-node=1", "--mem-update=50@10"]
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for line in lines:
        words = tokens.split(Source("x", line), 0, len(line)).words
        names = [each.name for each in read_options(words, table_of((22, 5)))[0]]
        for written in (True, False):
            script = f"#!/bin/sh\n#SBATCH {line}\ntrue\n" if written else "#!/bin/sh\ntrue\n"
            inputs = Inputs() if written else Inputs(args=tuple(word.text for word in words))
            sink = Sink()
            tree = FRONTEND.read(Source("job.sbatch", script), inputs, sink)
            units = FRONTEND.lower(tree, inputs, sink) if tree is not None and not sink.broken else []
            if len(units) == 1 and (written or "wrap" not in names):
                assert len(units[0].job.outcome) == len(names), (line, units[0].job.outcome)
                told[written].update(names)
    drops = {name for name, row in OPTIONS.items() if row["command_line"]}
    exits = {name for name, row in OPTIONS.items() if row["kind"] == "exit"}
    # Files are not read, and 22.05 takes `--extra` for short of `--extra-node-info`.
    assert OPTIONS.keys() - told[True] == {"bbf", "export-file", "nodefile", "extra", "autocomplete"}
    assert drops - told[False] == exits - {"autocomplete"} | {"wrap"}


def test_wrap_on_the_command_line_has_a_row_and_in_a_directive_a_warning() -> None:
    sink, inputs = Sink(), Inputs(args=("--wrap=hostname", "--quiet"))
    unit = FRONTEND.lower(FRONTEND.read(Source("<wrap>", ""), inputs, sink), inputs, sink)[0]
    assert [(row.input, row.action) for row in unit.job.outcome] == [("--wrap", "lowered"), ("--quiet", "ignored")]
    unit, sink = lowered("--wrap=hostname --quiet -vv")
    assert [(row.input, row.action, row.code) for row in unit.job.outcome] == [
        ("--wrap=hostname", "ignored", "FC191"),
        ("--quiet", "ignored", "FC180"),
        ("-vv", "ignored", None),
        ("-vv", "ignored", "FC180"),
    ]
    assert unit.job.run.text is not None
    assert unit.job.run.text.endswith("\ntrue\n")
    assert [each.code.id for each in sink.diagnostics] == ["FC191", "FC180"]


def test_what_sbatch_drops_of_another_system_has_a_row() -> None:
    source, sink = Source("job.sh", "#!/bin/sh\n#PBS -j oe\n#PBS -V\n#PBS -N x\ntrue\n"), Sink()
    unit = FRONTEND.lower(FRONTEND.read(source, Inputs(), sink), Inputs(), sink)[0]
    assert [(row.input, row.action, row.line) for row in unit.job.outcome] == [
        ("-j oe", "ignored", 2),
        ("-V", "ignored", 3),
        ("-N x", "lowered", 4),
    ]
    assert [each.message for each in sink.diagnostics] == [
        "written for PBS: sbatch takes `--job-name` of its `#PBS` lines",
        "no effect outside the cluster: `PBS -j`, `PBS -V`",
    ]


def test_a_replaced_option_is_in_the_outcome() -> None:
    unit, _ = lowered("--time=5 --time=6")
    assert [(row.input, row.action) for row in unit.job.outcome] == [
        ("--time=5", "ignored"),
        ("--time=6", "lowered"),
    ]
    assert unit.job.time.limit_s == 360


def test_exported_names_come_from_the_environment_and_nothing_else_does() -> None:
    source = Source("job.sbatch", "#!/bin/sh\n#SBATCH --export=A,B=2\ntrue\n")
    inputs, sink = Inputs(environ=(("A", "x y"), ("C", "secret"))), Sink()
    unit = FRONTEND.lower(FRONTEND.read(source, inputs, sink), inputs, sink)[0]
    assert unit.job.env == (("A", "x y"), ("B", "2"))
    assert unit.job.env_policy == "listed"


def test_components_of_a_het_job_become_jobs() -> None:
    text = "#!/bin/sh\n#SBATCH -J both --gpus=h100:8\n#SBATCH hetjob\n#SBATCH -N2 --gpus-per-node=a100:4\ntrue\n"
    source, sink = Source("job.sbatch", text), Sink()
    units = FRONTEND.lower(FRONTEND.read(source, Inputs(), sink), Inputs(), sink)
    assert [unit.job.name for unit in units] == ["both-het0", "both-het1"]
    assert units[0].job.run.text == text
    assert units[1].job.run.text is not None
    assert "sleep" in units[1].job.run.text
    assert "FC189" in [each.code.id for each in sink.diagnostics]


def test_file_names_keep_patterns_and_stay_relative() -> None:
    unit, _ = lowered("-o logs/%x-%j.out -e /var/log/%A_%a.err -i none")
    io = unit.job.io
    assert (io.stdout, io.stderr, io.stdin) == ("logs/%x-%j.out", "/var/log/%A_%a.err", "/dev/null")


def test_memory_of_zero_asks_for_nothing_in_particular() -> None:
    unit, _ = lowered("--mem=0")
    assert unit.job.resources.memory_bytes_per_node is None
    assert unit.job.outcome[0].action == "lowered"


@pytest.mark.parametrize(
    ("options", "model", "per_node", "total"),
    [
        ("--gres=gpu:h100:8", "h100", 8, None),
        ("--gres=gpu:2,lscratch:100", None, 2, None),
        ("--gpus=a100:4", "a100", None, 4),
        ("--gpus-per-node=4 --gres=gpu:2", None, 4, None),
        ("-n4 --gpus-per-task=2", None, None, 8),
        ("--gpus=h100:8 --tres-per-task=gres/gpu:h100=1", "h100", None, 8),
        ("--gres=shard:4", None, 1, None),
        ("--gres=gpu:0", None, None, None),
        ("--gres=none", None, None, None),
    ],
)
def test_gpus(options: str, model: str | None, per_node: int | None, total: int | None) -> None:
    unit, _ = lowered(options)
    resources, layout = unit.job.resources, unit.job.layout
    assert (resources.gpu_model, resources.gpus_per_node, layout.gpus_total) == (model, per_node, total)
    verify(unit, after="lowering")


def test_two_gpu_models_on_a_node_are_refused() -> None:
    _, sink = lowered("--gres=gpu:a100:2,gpu:h100:1")
    assert "FC184" in [each.code.id for each in sink.diagnostics]


@pytest.mark.parametrize("options", ["--gres=", "--gres=,gpu:1"])
def test_what_only_the_controller_refuses_is_an_error(options: str) -> None:
    source, sink = Source("job.sbatch", f"#!/bin/sh\n#SBATCH {options}\ntrue\n"), Sink()
    tree = FRONTEND.read(source, Inputs(), sink)
    assert not sink.failed
    assert FRONTEND.lower(tree, Inputs(), sink) == []
    assert [each.code.name for each in sink.diagnostics] == ["controller-refuses"]


@pytest.mark.parametrize("options", ["--array=", "--gpus=", "--gpus-per-node="])
def test_an_empty_value_asks_for_nothing(options: str) -> None:
    unit, _ = lowered(options)
    assert unit.job.array is None
    assert not unit.job.resources.gpus_per_node


@pytest.mark.parametrize(
    ("option", "text", "action"),
    [
        ("--signal=USR1@60", "python a.py", "ignored"),
        ("--signal=USR1@60", "# srun python a.py\ntrue", "ignored"),
        ("--signal=USR1@60", "srun python a.py", "lowered"),
        ("--signal=USR1@60", 'echo "run #1" && srun python a.py', "lowered"),
        ("--signal=USR1@60", "python a.py # not by srun", "ignored"),
        ("--signal=B:USR1@60", "python a.py", "lowered"),
        ("--time=60", "trap 'scontrol requeue $SLURM_JOB_ID' USR1", "approximated"),
        ("--time=60", "echo 'a # b'; scontrol requeue $SLURM_JOB_ID", "approximated"),
        ("--time=60", "echo 'a # b\nc'; scontrol requeue $SLURM_JOB_ID", "approximated"),
        ("--signal=USR1@60", "echo 'a # b'; srun ./a", "lowered"),
        ("--signal=USR1@60", "true;# srun ./a", "ignored"),
        ("--signal=USR1@60", "echo $SLURM_SRUN_COMM_HOST my.srun run-srun.sh", "ignored"),
        ("--time=60", 'echo "run # 1"; scontrol requeue $SLURM_JOB_ID', "approximated"),
        ("--time=60", "true ;# scontrol requeue $SLURM_JOB_ID", "lowered"),
        ("--time=60", "scontrol show job", "lowered"),
    ],
)
def test_what_the_text_calls_decides_what_an_option_becomes(option: str, text: str, action: str) -> None:
    source, sink = Source("job.sbatch", f"#!/bin/sh\n#SBATCH {option}\n{text}\n"), Sink()
    unit = FRONTEND.lower(FRONTEND.read(source, Inputs(), sink), Inputs(), sink)[0]
    assert [row.action for row in unit.job.outcome] == [action]
    assert len(sink.diagnostics) == (action != "lowered")


@pytest.mark.parametrize(("spec", "at_once"), [("1-10%3", 3), ("1-10%10", None), ("0-0%10", None), ("1-10", None)])
def test_a_limit_of_an_array_that_limits_nothing_is_none(spec: str, at_once: int | None) -> None:
    array = lowered(f"--array={spec}")[0].job.array
    assert array is not None
    assert array.max_concurrent == at_once
