"""Profiles: read with their mistakes at their places, found upwards, and put into jobs whose own words win."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from flowc import driver
from flowc.cli.arguments import parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.commands.schema import document
from flowc.cli.inputs import gather
from flowc.diag.codes.slurm.lower import MODEL_IN_PARTITION
from flowc.settings import cluster_profile
from flowc.source import Source
from tests.profile.jobs import JOB, ids, job_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("partitons: {}\n", "partitons"),
        ("partitions:\n  a: {gpus: many}\n", "many"),
        ("defaults: {time: soon}\n", "soon"),
        ("defaults: {memory: 5 apples}\n", "5 apples"),
        ("modules:\n  x: somehow\n", "somehow"),
        ("modules:\n  'x;y': nothing\n", "'x;y'"),
        ("modules:\n  x: {apt: 'a; rm'}\n", "'a; rm'"),
        ("modules:\n  x: {apt: []}\n", "[]"),
        ("programs:\n  x: somehow\n", "somehow"),
        ("programs:\n  a/b: nothing\n", "a/b"),
        ("programs:\n  'x*': nothing\n", "'x*'"),
        ("paths:\n  data: ./x\n", "data"),
        ("paths:\n  /data: ftp://host/x\n", "ftp://host/x"),
        ("paths:\n  /data/../x: ./x\n", "./x"),
        ("variables: {A: $HOME}\n", "$HOME"),
        ("a: [\n", None),
        ("- x\n", None),
    ],
)
def test_mistake_is_told_at_its_place(told: Callable[..., driver.Result], text: str, place: str | None) -> None:
    result = told(text, JOB + "hostname\n")
    assert result.failed
    errors = [each for each in result.diagnostics if each.severity == "error"]
    spans = [each.span for each in errors if each.span is not None]
    assert len(spans) == len(errors) > 0
    assert all(span.source.path.endswith("profile.yaml") for span in spans)
    assert place is None or [span.text for span in spans] == [place]


def test_empty_profile_changes_nothing(told: Callable[..., driver.Result]) -> None:
    plain = driver.compile(
        Source("job.sbatch", JOB + "hostname\n"),
        gather(parse(COMPILE, ["job.sbatch"]), ["compile", "job.sbatch"], {}),
        emit="ir",
    )
    assert job_of(told("", JOB + "hostname\n")) == job_of(plain)


def test_password_of_a_source_is_not_shown(told: Callable[..., driver.Result]) -> None:
    result = told("paths:\n  /data: https://me:hunter22@host/x.git\n", JOB + "ls /data/x\n")
    assert result.failed
    assert "hunter22" not in " ".join(f"{each.message} {each.help}" for each in result.diagnostics)


def test_nearest_profile_upwards_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert cluster_profile(str(inner), str(tmp_path)) is None
    (tmp_path / ".flowc").mkdir()
    (tmp_path / ".flowc" / "profile.yaml").touch()
    assert cluster_profile(str(inner), str(tmp_path)) == str(tmp_path / ".flowc" / "profile.yaml")
    (inner / ".flowc").mkdir()
    (inner / ".flowc" / "profile.yaml").touch()
    assert cluster_profile(str(inner), str(tmp_path)) == str(inner / ".flowc" / "profile.yaml")


def test_changed_profile_is_read_anew(told: Callable[..., driver.Result]) -> None:
    first = job_of(told("variables: {A: x}\n", JOB + "echo $A\n"))
    assert job_of(told("variables: {A: yy}\n", JOB + "echo $A\n"))["env"] != first["env"]


NODES = """\
partitions:
  gpu1: {gpu: h100, memory: 100G}
  "gpu*": {gpu: a100, time: 30}
constraints: {big: {memory: 200G}}
qos: {now: {priority: high}}
accounts: {p1: {project: research}}
defaults: {time: 2-00:00:00, gpus: 4, cpus: 8}
"""


@pytest.mark.parametrize(
    ("options", "path", "value"),
    [
        ("-p gpu1 --gres=gpu:8", "resources.gpu_model", "h100"),
        ("-p gpu2 --gres=gpu:8", "resources.gpu_model", "a100"),
        ("-p gpu2,gpu1 --gres=gpu:8", "resources.gpu_model", "a100"),
        ("-p cpu --gres=gpu:8", "resources.gpu_model", None),
        ("-p gpu1 --gres=gpu:a100:8", "resources.gpu_model", "a100"),
        ("-p gpu1 -C a100 --gres=gpu:8", "resources.gpu_model", None),
        ("-p gpu1 --gres=gpu:8", "resources.memory_bytes_per_node", 100 << 30),
        ("-p gpu1 -C big --gres=gpu:8", "resources.memory_bytes_per_node", 200 << 30),
        ("-p gpu1 --mem=1G --gres=gpu:8", "resources.memory_bytes_per_node", 1 << 30),
        ("-p gpu1 --mem-per-cpu=1G --gres=gpu:8", "resources.memory_bytes_per_node", None),
        ("-p gpu2", "time.limit_s", 1800),
        ("-p gpu2 -t 5", "time.limit_s", 300),
        ("-p gpu1", "time.limit_s", 2 * 86400),
        ("-p gpu2 -t UNLIMITED", "time.limit_s", None),
        ("-p gpu1", "resources.gpus_per_node", 4),
        ("--gres=gpu:1", "resources.gpus_per_node", 1),
        ("-p x", "resources.cpus_per_node", 8),
        ("-q now", "pricing.priority", "high"),
        ("-A p1", "identity.project", "research"),
    ],
)
def test_line_speaks_where_the_job_does_not(
    told: Callable[..., driver.Result], options: str, path: str, value: object
) -> None:
    found = job_of(told(NODES, f"#!/bin/bash\n#SBATCH {options}\nhostname\n"))
    section, _, field = path.partition(".")
    assert found[section][field] == value


def test_flag_wins_over_a_line(told: Callable[..., driver.Result]) -> None:
    script = "#!/bin/bash\n#SBATCH -p gpu1 -A p1 --gres=gpu:8\nhostname\n"
    found = job_of(told(NODES, script, "--time=7", "--project=mine", "--instance-type=8xa100"))
    assert (found["time"]["limit_s"], found["identity"]["project"]) == (420, "mine")
    assert not told(NODES, script, "--instance-type=8xa100", emit="mithril").failed


def test_partition_called_after_a_gpu_is_no_riddle_where_a_line_says_it(told: Callable[..., driver.Result]) -> None:
    script = "#!/bin/bash\n#SBATCH -p h100 --gres=gpu:8 -t 5\nhostname\n"
    assert MODEL_IN_PARTITION.id in ids(told("", script))
    assert MODEL_IN_PARTITION.id not in ids(told("partitions: {h100: {gpu: h100}}\n", script))


MODULES = """\
modules:
  "*": nothing
  lib: {shell: "echo lib"}
  gromacs: {apt: gromacs, pip: "numpy<2"}
"""


def test_module_is_brought_by_the_line_of_its_name(told: Callable[..., driver.Result]) -> None:
    found = job_of(told(MODULES, JOB + "module load gromacs/2023 other\n"))
    assert "install -y gromacs" in found["setup"]
    assert "'numpy<2'" in found["setup"]
    assert "echo lib" not in found["setup"]
    assert found["modules"] == ["*", "gromacs"]


def test_only_the_module_that_a_line_brings_is_no_longer_missing(told: Callable[..., driver.Result]) -> None:
    script = JOB + "module load gromacs/2023\nmodule load nobody/1\n"
    result = told("modules: {gromacs: {apt: gromacs}}\n", script, emit="mithril")
    assert [each.message for each in result.diagnostics if each.code.id == "FC812"] == [
        "the machine has nothing in place of module `nobody/1`"
    ]


@pytest.mark.parametrize(("name", "said"), [("gromacs/2023", False), ("nobody/1", True)])
def test_module_function_is_silent_about_what_was_brought(
    told: Callable[..., driver.Result], name: str, said: bool
) -> None:
    script = JOB + "module load gromacs/2023 nobody/1\n"
    plain = next(
        each.text
        for each in told("modules: {gromacs: nothing}\n", script, emit="mithril").artifacts
        if each.name == "startup.plain.sh"
    )
    begin = plain.index("module() {")
    function = plain[begin : plain.index("\n}\n", begin) + 3]
    done = subprocess.run(["bash", "-c", f"{function}module load {name}"], capture_output=True, text=True, check=True)
    assert bool(done.stderr) is said


def test_setup_ends_with_the_step_that_fails(told: Callable[..., driver.Result]) -> None:
    setup = job_of(told("modules: {lib: {shell: 'false\n\n      echo late'}}\n", JOB + "module load lib\n"))["setup"]
    done = subprocess.run(["bash", "-c", setup], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "flowc: cannot bring module lib\n"


@pytest.mark.parametrize(
    ("script", "targets"),
    [
        ("ls /data/x\n", ["/data"]),
        ("ls /data\n", ["/data"]),
        ("ls /database/x /my/data/x data/x\n", []),
        ("ls $WORK/x\n", ["/store"]),
        ("#SBATCH -o /data/%j.out\nhostname\n", ["/data"]),
    ],
)
def test_path_is_mounted_where_a_job_names_it(
    told: Callable[..., driver.Result], script: str, targets: list[str]
) -> None:
    profile = "paths: {/data: s3://b/x, /store: volume://w}\n" + (
        "variables: {WORK: /store}\n" if "WORK" in script else ""
    )
    found = job_of(told(profile, JOB + script))
    assert [each["target"] for each in found["mounts"]] == targets


@pytest.mark.parametrize(
    ("script", "mounted"),
    [
        ("hostname\n", False),
        ("echo $WORKER\n", False),
        ("ls $WORK\n", True),
        ("ls ${WORK%/}/x\n", True),
        ("python -c 'import os; print(os.environ[\"WORK\"])'\n", True),
        ("#SBATCH --export=OUT=/store/me\nhostname\n", True),
    ],
)
def test_a_variable_of_the_profile_mounts_for_those_who_read_it(
    told: Callable[..., driver.Result], script: str, mounted: bool
) -> None:
    found = job_of(told("paths: {/store: volume://w}\nvariables: {WORK: /store}\n", JOB + script))
    assert [each["target"] for each in found["mounts"]] == ["/store"] * mounted


@pytest.mark.parametrize("name", ["HF_HOME", "TMPDIR", "PYTHONPATH", "PIP_CACHE_DIR", "NLTK_DATA", "PATH"])
def test_what_programs_read_by_themselves_is_mounted(told: Callable[..., driver.Result], name: str) -> None:
    found = job_of(told(f"paths: {{/store: volume://w}}\nvariables: {{{name}: /store/x}}\n", JOB + "hostname\n"))
    assert [each["target"] for each in found["mounts"]] == ["/store"]


def test_mount_elsewhere_does_not_stand_for_a_name_that_begins_alike(told: Callable[..., driver.Result]) -> None:
    result = told("paths: {/data: s3://b/x}\n", JOB + "ls /data/x /data2/y/z\n", emit="mithril")
    assert [each.message for each in result.diagnostics if each.code.id == "FC820"] == [
        "the machine has nothing of the cluster's file systems: `/data2/y`"
    ]


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        (". ~/tools/env.sh\n", ""),
        (". $HOME/tools/env.sh\n", ""),
        ("python ${HOME}/tools/a.py\n", ""),
        ("cd $HOME/git/mine/src && . $HOME/git/mine/env.sh\n", ""),
        ("cd ~/git && . ~/git/mine/env.sh\n", ""),
        ("cd ~/git\n", "`~/git`"),
        ("cd $HOME/git/mine\n. ~/git/other/env.sh\n", "`~/git`"),
        ("cp /proj/code/a /proj/code2/b .\n", "`/proj/code2`"),
    ],
)
def test_line_brings_what_is_below_it_and_nothing_beside_it(
    told: Callable[..., driver.Result], script: str, missing: str
) -> None:
    profile = "paths: {~/tools: s3://b/t, ~/git/mine: s3://b/g, /proj/code: s3://b/c}\n"
    found = told(profile, JOB + script, emit="mithril")
    assert not found.failed
    said = [each.message for each in found.diagnostics if each.code.id == "FC820"]
    assert said == ([f"the machine has nothing of the cluster's file systems: {missing}"] if missing else [])


@pytest.mark.parametrize(
    ("script", "targets"),
    [
        ("cp /proj/code/a .\n", ["/proj/code"]),
        ("cp /proj/data/a .\n", ["/proj"]),
        ("cp /proj/code2/a .\n", ["/proj"]),
        ("#SBATCH -o /proj/code/x.log\ncp /proj/code/a ~/lib/b .\n", ["/proj/code", "~/lib"]),
    ],
)
def test_nearest_line_above_a_path_is_taken(
    told: Callable[..., driver.Result], script: str, targets: list[str]
) -> None:
    profile = "paths: {/proj: s3://b/p, /proj/code: s3://b/c, ~/lib: s3://b/l, ~/lib/x: s3://b/x}\n"
    assert [each["target"] for each in job_of(told(profile, JOB + script))["mounts"]] == targets


def test_what_is_read_in_an_empty_folder_is_still_missing(told: Callable[..., driver.Result]) -> None:
    script = JOB + "mkdir -p /scratch/me\ncp /scratch/me/a /scratch/other/b .\n"
    bucket = told("paths: {/scratch: s3://b/x}\n", script, emit="mithril")
    empty = told("paths: {/scratch: scratch}\n", script, emit="mithril")
    assert "FC820" not in ids(bucket)
    assert [each.message for each in empty.diagnostics if each.code.id == "FC820"] == [
        "the machine has nothing of the cluster's file systems: `/scratch/other`"
    ]


def test_job_in_an_image_has_its_own_modules_and_paths(told: Callable[..., driver.Result]) -> None:
    found = job_of(
        told(MODULES + "paths: {/data: s3://b/x}\n", JOB + "module load lib\nls /data/x\n", "--image=ubuntu:24.04")
    )
    assert (found["setup"], found["mounts"], found["modules"]) == (None, [], [])


def test_own_variable_wins(told: Callable[..., driver.Result]) -> None:
    found = job_of(told("variables: {A: x, B: y}\n", JOB + "#SBATCH --export=A=own\necho $A\n"))
    assert found["env"] == [["B", "y"], ["A", "own"]]


def test_secret_among_the_variables_is_told(told: Callable[..., driver.Result]) -> None:
    assert "FC451" in ids(told("variables: {API_TOKEN: abc}\n", JOB + "hostname\n"))


def test_plan_tells_each_line_and_what_it_is_instead_of(told: Callable[..., driver.Result]) -> None:
    result = told("modules:\n  gromacs: nothing\n  r: nothing\n", JOB + "module load gromacs\n", emit="plan")
    assert job_of(result)["profile"]["used"] == [
        {"entry": "modules.gromacs", "line": 2, "brings": "module gromacs", "instead_of": ["FC812"]}
    ]


def test_schema_takes_what_flowc_takes() -> None:
    schema = document("profile")
    jsonschema.Draft202012Validator.check_schema(schema)
    text = (ROOT / "docs" / "profile.md").read_text()
    shown = text.split("```yaml\n")[1].split("```")[0]
    for each in (shown, (ROOT / "corpus" / "slurm" / "profile" / "profile.yaml").read_text(), NODES, MODULES):
        jsonschema.validate(yaml.safe_load(each), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"partitions": {"a": {"gpus": "many"}}}, schema)


def test_profile_of_the_manual_is_read(told: Callable[..., driver.Result]) -> None:
    shown = (ROOT / "docs" / "profile.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert not told(shown, JOB + "hostname\n").failed


@pytest.mark.parametrize(
    ("line", "use", "code"), [("SCRATCH: /x", "cd $SCRATCH", "FC162"), ("OTHER: x", "echo $OTHER", None)]
)
def test_variable_that_a_line_sets_is_no_longer_missing(
    told: Callable[..., driver.Result], line: str, use: str, code: str | None
) -> None:
    assert code is None or code in ids(told("", JOB + use + "\n"))
    result = told(f"variables: {{{line}}}\n", JOB + use + "\n", emit="plan")
    assert code not in ids(result)
    assert [each["instead_of"] for each in job_of(result)["profile"]["used"]] == [[code] if code else []]


SCRATCH = "paths: {/scratch: scratch}\nvariables: {SCRATCH: /scratch}\n"


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        ("cp $SCRATCH/a/x .\n", "/scratch/a"),
        ('python x.py --data="${SCRATCH}/a"\n', "/scratch/a"),
        ("DATA=$SCRATCH/a\npython x.py $DATA\n", "/scratch/a"),
        ("cd $SCRATCH\n", None),
        ("mkdir -p $SCRATCH/a\ncp $SCRATCH/a/x .\n", None),
        ("cp x $SCRATCH\npython x.py $SCRATCH/x\n", None),
        ("cp x $SCRATCH\npython x.py $SCRATCH/y\n", "/scratch/y"),
        ("mkdir -p $SCRATCH\npython x.py /scratch/y\n", "/scratch/y"),
        ("OUT=$SCRATCH/out\nmkdir -p $OUT\npython x.py $SCRATCH/out/y\n", None),
        ("echo $SCRATCH/a\n", None),
        ("SCRATCHED=1\npython x.py $SCRATCHED/a\n", None),
    ],
)
def test_what_is_read_below_a_variable_of_the_profile_is_missing_too(
    told: Callable[..., driver.Result], script: str, missing: str | None
) -> None:
    found = [each for each in told(SCRATCH, JOB + script, emit="mithril").diagnostics if each.code.id == "FC820"]
    assert [name for each in found for _, name in each.lacks] == ([missing] if missing else [])


@pytest.mark.parametrize("name", ["singularity", "apptainer"])
def test_containers_are_there_where_a_line_brings_their_module(told: Callable[..., driver.Result], name: str) -> None:
    script = JOB + f"module load {name}/3.8\nsingularity exec x.sif true\n"
    line = f"modules: {{{name}: {{shell: apt-get install -y apptainer}}}}\n"
    assert "FC804" in ids(told("", script, emit="mithril"))
    assert "FC804" not in ids(told(line, script, emit="mithril"))
    assert "FC804" in ids(told("modules: {gcc: nothing}\n", script.replace(f"{name}/3.8", "gcc"), emit="mithril"))
