"""The script as a whole: forms, sizes, determinism, names, environment, lint."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jobs import PLAN, unit
from kinds import KINDS
from local import install, run
from test_room import noise

from flowc.ahead.templates import FILTERS, TemplateError, compile_templates
from flowc.backends.cloud_init import BACKEND as CLOUD_INIT
from flowc.backends.script import BACKEND as SCRIPT
from flowc.diag.sink import Sink
from flowc.ir.job import Array, Layout, Resources, SourceInfo
from flowc.ir.unit import Unit
from flowc.scripts import build, job_id, parts, task_id
from flowc.scripts.slurm.environment import batch_variables
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
JOBS = {**KINDS, "noise": unit(noise(6600)), "large": unit(noise(9000))}


@pytest.mark.parametrize("name", some(JOBS, "everything", "everything-contained"))
def test_shellcheck_finds_nothing(name: str, program: Callable[[str, str], str], tmp_path: Path) -> None:
    startup = build(JOBS[name], index=None)
    plain, sent = tmp_path / "plain.sh", tmp_path / "sent.sh"
    plain.write_bytes(startup.plain.encode("utf-8", "surrogateescape"))
    sent.write_text(startup.sent)
    shellcheck = program("shellcheck", "shellcheck")
    done = subprocess.run([shellcheck, plain, sent], capture_output=True, check=False)
    assert done.stdout.decode("utf-8", "replace") == ""


def test_shellcheck_finds_nothing_in_programs(program: Callable[[str, str], str]) -> None:
    programs = sorted((ROOT / "templates" / "programs").glob("*.sh"))
    assert programs
    words = [program("shellcheck", "shellcheck"), "-s", "bash", "-e", "SC2154", *programs]
    assert subprocess.run(words, capture_output=True, text=True, check=False).stdout == ""


@pytest.mark.parametrize("name", JOBS)
def test_the_script_unpacks_to_what_was_packed(name: str, tmp_path: Path) -> None:
    startup = build(JOBS[name], index=None)
    assert startup.sent.isascii()
    assert startup.sent.startswith("#!/bin/bash\n")
    assert startup == build(JOBS[name], index=None)
    done = unpack(startup.sent, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "run").read_bytes() == startup.payload


def unpack(sent: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the stub alone, in a folder of ours."""
    moved = sent.replace("d=/var/lib/foundry/flowc", f"d={folder}").replace("exec bash $d/run", "echo unpacked")
    return subprocess.run(["bash", "-s"], input=moved.encode("ascii"), capture_output=True, check=False)


@pytest.mark.parametrize("name", ["plain", "noise"])
def test_damage_is_noticed_before_anything_runs(name: str, tmp_path: Path) -> None:
    sent = build(JOBS[name], index=None).sent
    payload = max(sent.split("\n"), key=len)
    for place in range(20, len(payload) - 20, len(payload) // 9):
        other = "A" if payload[place] != "A" else "B"
        damaged = sent.replace(payload, payload[:place] + other + payload[place + 1 :])
        done = unpack(damaged, tmp_path)
        assert done.returncode != 0
        assert b"unpacked" not in done.stdout
        assert done.stderr
        assert not (tmp_path / "run").exists()


def test_without_python_the_harder_forms_fail_loudly(tmp_path: Path) -> None:
    startup = build(JOBS["noise"], index=None)
    assert startup.encoding == "zlib+base94"
    (tmp_path / "bin").mkdir()
    for name in ("mkdir", "mv"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    moved = startup.sent.replace("d=/var/lib/foundry/flowc", f"d={tmp_path}")
    done = subprocess.run(
        ["/bin/bash"], input=moved.encode(), env={"PATH": f"{tmp_path}/bin"}, capture_output=True, check=False
    )
    assert done.returncode == 127
    assert b"python3: command not found" in done.stderr


@pytest.mark.parametrize("name", JOBS)
def test_the_parts_add_up(name: str) -> None:
    startup = build(JOBS[name], index=None)
    assert sum(part.sent_bytes for part in parts(startup)) == len(startup.sent)
    plain = startup.plain.encode("utf-8", "surrogateescape")
    assert sum(part.plain_bytes for part in parts(startup)) == len(plain)


def test_only_the_sections_that_a_job_needs_are_sent() -> None:
    names = {name: [part.name for part in parts(build(job, index=None))] for name, job in JOBS.items()}
    assert "time_limit" in names["limit"]
    assert "time_limit" not in names["plain"]
    assert b"/etc/hosts" in build(JOBS["nodes"], index=None).payload
    assert b"/etc/hosts" not in build(JOBS["plain"], index=None).payload
    assert b"SLURM" not in build(JOBS["command"], index=None).payload


def test_the_templates_are_compiled_and_every_value_has_a_filter() -> None:
    text = compile_templates(ROOT)["templates.py"]
    assert (ROOT / "flowc/_compiled/templates.py").read_text().endswith(text)
    for path in (ROOT / "templates").glob("*.j2"):
        for value in path.read_text().split("{{")[1:]:
            assert value.partition("}}")[0].strip().rpartition("|")[2] in FILTERS, path


@pytest.mark.parametrize("template", ["{{ name }}", "{{ name|length }}", "{{ name|sh|length }}", "{{ 'x' }}"])
def test_a_template_that_shows_a_bare_value_is_refused(template: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="must end in one of the filters"):
        compile_templates(copy_of_templates(tmp_path, template))


def test_a_template_with_more_than_is_translated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="is not translated"):
        compile_templates(copy_of_templates(tmp_path, "{% macro m() %}{% endmacro %}"))


def copy_of_templates(folder: Path, body: str) -> Path:
    """The templates in another root, with this one in the place of the body's."""
    copytree(ROOT / "templates", folder / "templates")
    (folder / "templates" / "body.sh.j2").write_text(body)
    return folder


def test_job_ids_are_stable_and_tell_jobs_apart() -> None:
    job = unit().job
    assert job_id(job) == job_id(unit().job)
    others = [
        unit(name="b").job,
        unit(args=("1",)).job,
        unit(source=SourceInfo(frontend="slurm", path="", sha256="0" * 64)).job,
    ]
    ids = {job_id(each) for each in [job, *others]}
    assert len(ids) == 4
    assert all(0 < number < 1 << 31 for number in ids)


def test_array_tasks_have_ids_after_the_arrays_own() -> None:
    job = unit(array=Array(indices=(1, 5, 9), index_env="SLURM_ARRAY_TASK_ID")).job
    assert [task_id(job, index) - job_id(job) for index in (1, 5, 9)] == [1, 2, 3]
    found = dict(batch_variables(job, PLAN, 5, "/workspace"))
    wanted = {
        "JOB_ID": str(job_id(job)),
        "TASK_ID": "5",
        "TASK_COUNT": "3",
        "TASK_MIN": "1",
        "TASK_MAX": "9",
        "TASK_STEP": "4",
    }
    assert {name[12:]: value for name, value in found.items() if name.startswith("SLURM_ARRAY_")} == wanted
    assert found["SLURM_JOB_ID"] == str(job_id(job) + 2)
    assert f"slurm-{job_id(job)}_5.out".encode() in build(unit(array=job.array), index=5).payload


@pytest.mark.parametrize(
    ("job", "wanted"),
    [
        (unit(), {"SLURM_NNODES": "1", "SLURM_CPUS_ON_NODE": "1", "SLURM_TASKS_PER_NODE": "1", "SLURM_NTASKS": None}),
        (
            unit(layout=Layout(cpus_per_task=4)),
            {"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "4", "SLURM_NTASKS": None},
        ),
        (unit(layout=Layout(tasks=3)), {"SLURM_NTASKS": "3", "SLURM_NPROCS": "3", "SLURM_TASKS_PER_NODE": "3"}),
        (
            unit(plan=PLAN.replace(nodes=4), layout=Layout(tasks=10)),
            {"SLURM_TASKS_PER_NODE": "3(x2),2(x2)", "SLURM_JOB_CPUS_PER_NODE": "3(x4)"},
        ),
        (
            unit(resources=Resources(nodes=1, gpus_per_node=2), plan=PLAN.replace(gpus_visible=2)),
            {"SLURM_GPUS_ON_NODE": "2", "SLURM_JOB_GPUS": "0,1", "CUDA_VISIBLE_DEVICES": "0,1"},
        ),
        (
            unit(resources=Resources(nodes=1, exclusive=True)),
            {"SLURM_CPUS_ON_NODE": "192", "SLURM_TASKS_PER_NODE": "192", "FLOWC_STEP_GPUS": "0"},
        ),
        (
            unit(resources=Resources(nodes=1, exclusive=True, gpus_per_node=2)),
            {"SLURM_GPUS_ON_NODE": "8", "CUDA_VISIBLE_DEVICES": "0,1,2,3,4,5,6,7", "FLOWC_STEP_GPUS": "2"},
        ),
        (
            unit(resources=Resources(nodes=1, exclusive=True), layout=Layout(gpus_total=8)),
            {"SLURM_GPUS_ON_NODE": "8", "FLOWC_STEP_GPUS": None},
        ),
        (unit(resources=Resources(nodes=1, memory_bytes_per_node=1 << 34)), {"SLURM_MEM_PER_NODE": "16384"}),
        (unit(), {"CUDA_VISIBLE_DEVICES": None, "SLURM_MEM_PER_NODE": None, "SLURM_CPUS_PER_TASK": None}),
    ],
)
def test_variables_are_set_when_slurm_sets_them(job: Unit, wanted: dict[str, str | None]) -> None:
    found = dict(batch_variables(job.job, job.plan, None, "/workspace"))
    assert {name: found.get(name) for name in wanted} == wanted


def test_what_the_user_sets_wins(tmp_path: Path) -> None:
    planned = unit(
        "#!/bin/sh\necho $HOME $SLURM_PROCID\n", env=(("HOME", "/h"), ("SLURM_PROCID", "7")), workdir=str(tmp_path)
    )
    install(build(planned, index=None), tmp_path)
    run(tmp_path)
    assert next(tmp_path.glob("slurm-*.out")).read_text() == "/h 7\n"


def test_cloud_init_writes_the_payload(program: Callable[[str, str], str], tmp_path: Path) -> None:
    program("cloud-init", "cloud-init")
    startup = build(JOBS["hostile"], index=None)
    (artifact,) = CLOUD_INIT.emit([JOBS["hostile"]], Sink(), set())
    user_data = tmp_path / "user-data"
    user_data.write_text(artifact.text)
    done = subprocess.run(["cloud-init", "schema", "-c", user_data], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    reader = (
        "import sys, yaml\n"
        "from cloudinit.config.cc_write_files import canonicalize_extraction, extract_contents\n"
        "entry = yaml.safe_load(open(sys.argv[1]))['write_files'][0]\n"
        "sys.stdout.buffer.write(extract_contents(entry['content'], canonicalize_extraction(entry['encoding'])))\n"
    )
    done2 = subprocess.run(["/usr/bin/python3", "-c", reader, user_data], capture_output=True, check=True)
    assert done2.stdout == startup.payload


def test_the_script_target_tells_the_sizes() -> None:
    array = Array(indices=(2, 3))
    first, second = SCRIPT.emit([JOBS["limit"], unit(array=array)], Sink(), set())
    assert (first.name, second.name) == ("startup.plain.sh", "startup-1.plain.sh")
    assert first.text.startswith(build(JOBS["limit"], index=None).plain)
    assert f"{len(build(JOBS['limit'], index=None).sent)} of 10000 bytes" in first.text
    assert "index 2 of an array of 2" in second.text


def test_a_container_with_a_volume_and_ports_leaves_room() -> None:
    assert len(build(KINDS["container"], index=None).sent) <= 3000


def test_ports_cost_little_and_nothing_where_there_are_none() -> None:
    assert b"foundrypf" in build(KINDS["task"], index=None).payload
    assert b"foundrypf" not in build(KINDS["task"].replace(job=KINDS["task"].job.replace(ports=())), index=None).payload
