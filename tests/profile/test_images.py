"""Images in files that a line of the profile names: Singularity's words, answered by the machine's docker."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from flowc.body.out_of_reach import images_of
from flowc.ir.profile import is_meant
from flowc.profile.images import names, program
from tests.profile.jobs import JOB, ids, job_of

LINES = "images: {'torch*.sif': 'nvcr.io/nvidia/pytorch:24.07-py3', /shared/tool.sqsh: 'alpine:3'}\n"

# Docker as far as the program asks: what it is told is written down, a container is a process.
DOCKER = """\
#!/bin/bash
printf '%s\\n' "$*" >>"$DOCKER_LOG"
case "$*" in
"image inspect -f {{range .Config.Entrypoint}}"*) printf '%s\\n' $ENTRY '' ;;
"image inspect -f {{range .Config.Cmd}}"*) printf '%s\\n' $CMD '' ;;
image\\ inspect*) [ "$HAS_IMAGE" ] ;;
run*) echo box ;;
"inspect -f {{.State.Pid}} box") echo 4711 ;;
"inspect -f {{range .Config.Env}}"*) printf 'PATH=/image/bin:/usr/bin:/bin\\nOWN=image\\nSAID=image\\n\\n' ;;
pull*) [ ! "$NO_PULL" ] ;;
esac
"""
NSENTER = """\
#!/bin/bash
[ "$1 $2 $3" = "-t 4711 -m" ] || exit 99
shift 3
exec "$@"
"""


class Machine:
    """A folder with the program and stand-ins for docker and nsenter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        bin = folder / "bin"
        bin.mkdir()
        texts = {
            "docker": DOCKER,
            "nsenter": NSENTER,
            "singularity": program("singularity"),
            "flowc-image": names([("torch*.sif", "torch:1"), ("/x/*", "x:2")]),
        }
        for name, text in texts.items():
            (bin / name).write_text(text)
            (bin / name).chmod(0o755)
        (bin / "apptainer").symlink_to("singularity")

    def run(self, *words: str, program: str = "singularity", **environ: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        env = {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "HOME": "/srv/me", "DOCKER_LOG": str(self.log)}
        return subprocess.run(
            [program, *words],
            env={**env, "HAS_IMAGE": "1", "SAID": "job", **environ},
            executable=str(self.folder / "bin" / program),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    @property
    def started(self) -> str:
        return next(line for line in self.log.read_text().splitlines() if line.startswith("run"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("images: {a.sif: ''}\n", "''"),
        ("images: {a.sif: 'b; rm'}\n", "'b; rm'"),
        ("images: {a.sif: library://x/y}\n", "library://x/y"),
        ("images: {'a b.sif': x}\n", "'a b.sif'"),
    ],
)
def test_mistake_is_told_at_its_place(told: Callable[..., driver.Result], text: str, place: str) -> None:
    result = told(text, JOB + "hostname\n")
    errors = [each for each in result.diagnostics if each.severity == "error"]
    assert [each.span.text for each in errors if each.span is not None] == [place]


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("singularity exec --nv torch_24.sif python x.py\n", True),
        ("SIF=$HOME/images/torch.sif\nsrun apptainer exec $SIF python x.py\n", True),
        ("bash -c 'singularity run /shared/tool.sqsh'\n", True),
        ("singularity exec other.sif x\n", False),
        ("ls torch.sif\n", False),
        ("singularity exec tool.sqsh x\n", False),
    ],
)
def test_a_job_takes_the_line_of_its_image(told: Callable[..., driver.Result], body: str, taken: bool) -> None:
    result = told(LINES, JOB + body, emit="mithril")
    assert ("FC804" in ids(result)) is (not taken and "exec" in body)
    found = job_of(told(LINES, JOB + body))
    assert ("singularity" in (found["setup"] or "")) is taken


def test_an_image_without_a_line_is_still_missing(told: Callable[..., driver.Result]) -> None:
    result = told(LINES, JOB + "singularity exec torch.sif x\nsingularity exec other.sif y\n", emit="mithril")
    assert "FC804" in ids(result)
    assert "image nvcr.io" in next(each.text for each in result.artifacts if each.name == "report.txt")


def test_it_fits_into_a_startup_script(told: Callable[..., driver.Result]) -> None:
    result = told(LINES, JOB + "srun singularity exec --nv torch.sif python x.py\n", emit="mithril")
    assert not result.failed


def test_names_of_images() -> None:
    text = 'SIF="a/b.sif" c.sqsh,d.img --bind /x:/y e.sif; srun --container-image=name ls'
    assert images_of(text) == ["a/b.sif", "c.sqsh", "d.img", "e.sif", "name"]
    assert is_meant("torch*.sif", "/x/torch-2.sif")
    assert is_meant("/x/*.sif", "/x/torch-2.sif")
    assert not is_meant("/x/a.sif", "a.sif")


@pytest.mark.parametrize(
    ("body", "code", "freed"),
    [
        ("srun --container-image=/shared/tool.sqsh ls\n", "FC818", True),
        ("IMAGE=/shared/tool.sqsh\nsrun --container-image=$IMAGE ls\n", "FC818", True),
        ("srun --container-image=/shared/other.sqsh ls\n", "FC818", False),
    ],
)
def test_images_of_steps(told: Callable[..., driver.Result], body: str, code: str, freed: bool) -> None:
    assert code in ids(told("{}\n", JOB + body, emit="mithril"))
    result = told(LINES, JOB + body, emit="mithril")
    assert (code not in ids(result)) is freed
    text = told(LINES, JOB + body, emit="script").artifacts[0].text
    assert ('/usr/local/bin/flowc-image "$FLOWC_IMAGE"' in text) is freed


def test_a_program_runs_in_the_image(machine: Machine) -> None:
    done = machine.run(
        "exec", "torch-2.sif", "sh", "-c", 'echo "$0 $1 $OWN $SAID $PATH $HOME"; pwd; exit 7', "a", "b c"
    )
    assert done.stdout == f"a b c image job /image/bin:/usr/bin:/bin /srv/me\n{machine.folder}\n"
    assert (done.stderr, done.returncode) == ("", 7)
    folder = machine.folder
    words = machine.started
    assert words.startswith("run -d --rm --privileged --label=flowc --network=host --pid=host --ipc=host ")
    assert f"-v {folder}:{folder} " in words
    assert "-v /tmp:/tmp " in words
    assert " --entrypoint=sh torch:1 -c while [ -e /proc/" in words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--bind", "/usr,/etc:/there:ro"], ["-v /usr:/usr", "-v /etc:/there:ro"]),
        (["-B/usr:/tmp"], ["-v /usr:/tmp"]),
        (["--mount", "type=bind,src=/usr,dst=/a,ro"], ["-v /usr:/a:ro"]),
        (["-H", "/usr:/srv/you"], ["-v /usr:/srv/you"]),
    ],
)
def test_folders_that_are_bound(machine: Machine, words: list[str], expected: list[str]) -> None:
    assert machine.run("exec", *words, "torch.sif", "true").returncode == 0
    found = machine.started
    assert all(f"{each} " in found for each in expected)
    assert found.count(":/tmp ") == 1


def test_folders_that_are_not(machine: Machine) -> None:
    assert machine.run("exec", "--contain", "torch.sif", "true").returncode == 0
    assert "-v" not in machine.started
    done = machine.run("exec", "-B", "/not/there", "torch.sif", "true")
    assert (done.returncode, done.stderr) == (255, "singularity: mount source /not/there doesn't exist\n")
    assert machine.run("exec", "torch.sif", "true", SINGULARITY_BIND="/usr:/x").returncode == 0
    assert "-v /usr:/x " in machine.started


@pytest.mark.parametrize(
    ("words", "environ", "shown"),
    [
        ([], {}, "image job "),
        (["--cleanenv"], {}, "image image "),
        (["--env", "SAID=me,MORE=x y"], {}, "image me x y"),
        (["-e"], {"APPTAINERENV_SAID": "him"}, "image him "),
        (["--env=SAID=me"], {"SINGULARITYENV_SAID": "him"}, "image me "),
    ],
)
def test_variables(machine: Machine, words: list[str], environ: dict[str, str], shown: str) -> None:
    done = machine.run("exec", *words, "torch.sif", "sh", "-c", 'echo "$OWN $SAID $MORE"', **environ)
    assert done.stdout == f"{shown}\n"


def test_run_and_shell(machine: Machine) -> None:
    assert machine.run("run", "torch.sif", ENTRY="echo", CMD="last").stdout == "last\n"
    assert machine.run("run", "torch.sif", "a", "b c", ENTRY="echo", CMD="last").stdout == "a b c\n"
    assert machine.run("run", "torch.sif", "echo", "a", CMD="last").stdout == "a\n"
    assert machine.run("run", "torch.sif").returncode == 255
    done = machine.run("shell", "--shell", "/bin/echo", "torch.sif", "-c", "x")
    assert done.stdout == "-c x\n"


def test_where_it_runs(machine: Machine) -> None:
    assert machine.run("exec", "--pwd", "/usr", "torch.sif", "pwd").stdout == "/usr\n"


def test_images(machine: Machine) -> None:
    assert machine.run("exec", "/any/where/torch.sif", "true").returncode == 0
    assert machine.run("exec", "docker://debian:12", "true").returncode == 0
    assert " debian:12 -c" in machine.started
    done = machine.run("exec", "other.sif", "true", program="apptainer")
    assert (done.returncode, done.stderr) == (255, "apptainer: no line of the profile says what `other.sif` is\n")
    (machine.folder / "real.sif").write_bytes(b"#!/usr/bin/env run-singularity\n\0\0SIF_MAGIC")
    assert machine.run("exec", "real.sif", "true").returncode == 255
    assert machine.run("pull", "mine.sif", "docker://debian:12").returncode == 0
    assert machine.run("exec", "mine.sif", "true").returncode == 0
    assert " debian:12 -c" in machine.started
    assert machine.run("pull", "docker://a/debian:12").returncode == 0
    assert (machine.folder / "debian_12.sif").read_text() == "docker://a/debian:12\n"
    assert (
        machine.run("exec", "torch.sif", "true", HAS_IMAGE="", NO_PULL="1").stderr
        == "singularity: cannot pull torch:1\n"
    )


@pytest.mark.parametrize(
    "words", [["build", "x.sif", "x.def"], ["exec", "--overlay", "x", "torch.sif", "true"], ["exec"]]
)
def test_what_is_not_answered_says_so(machine: Machine, words: list[str]) -> None:
    done = machine.run(*words)
    assert done.returncode == 255
    assert done.stderr.startswith("singularity: ")


@pytest.mark.parametrize("call", ["singularity exec --nv", "srun singularity exec"])
@pytest.mark.parametrize("image", ["torch-2.sif", "/shared/me/torch-2.sif", "$HOME/img/torch-2.sif"])
def test_a_file_that_a_line_stands_for_is_not_missing(
    told: Callable[..., driver.Result], call: str, image: str
) -> None:
    for profile, missing in ((LINES, False), ("programs: {singularity: {apt: apptainer}}\n", True)):
        result = told(profile, f"{JOB}{call} {image} nvidia-smi\n", emit="mithril")
        assert bool(ids(result) & {"FC820", "FC840"}) is missing


APPTAINER = "modules:\n  singularity:\n    shell: |\n      apt-get install -y apptainer\n"


@pytest.mark.parametrize(
    "module", [APPTAINER, "modules: {singularity: nothing}\n", "modules: {singularity: {apt: x}}\n"]
)
@pytest.mark.parametrize("call", ["singularity exec --nv", "srun singularity exec"])
def test_docker_answers_for_images_of_lines_though_a_module_brings_the_program(
    told: Callable[..., driver.Result], module: str, call: str
) -> None:
    body = f"module load singularity/3.8\n{call} torch-2.sif nvidia-smi\n"
    result = told(LINES + module, JOB + body)
    found = job_of(result)
    assert found["image_files"] == [["torch*.sif", "nvcr.io/nvidia/pytorch:24.07-py3"]]
    assert "cat >/usr/local/bin/singularity" in found["setup"]
    assert not ids(told(LINES + module, JOB + body, emit="mithril")) & {"FC804", "FC812", "FC820", "FC840"}
    # The program itself is for files of which no line says what they are.
    both = job_of(told(LINES + module, f"{JOB}{body}{call} other.sif nvidia-smi\n"))
    assert ("cat >/usr/local/bin/singularity" in both["setup"]) is ("nothing" in module)


def test_module_for_which_nothing_is_brought_brings_no_program(told: Callable[..., driver.Result]) -> None:
    body = "module load singularity\nsingularity exec docker://alpine true\n"
    for line, missing in (("nothing", True), ("{apt: x}", False)):
        assert ("FC804" in ids(told(f"modules: {{singularity: {line}}}\n", JOB + body, emit="mithril"))) is missing
