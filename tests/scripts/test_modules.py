"""Environment modules: what a script loads, and the `module` that the emitted script gives to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jobs import unit
from local import install, run

from flowc.body.modules import lacking
from flowc.ir.job import Io, Run
from flowc.ir.unit import Unit
from flowc.scripts import build
from flowc.scripts.modules import modules
from flowc.source import Derived, Source


def bash(body: str, interpreter: str = "/bin/bash") -> Unit:
    text = f"#!{interpreter}\n{body}"
    return unit(text, run=Run(text=text, interpreter=interpreter))


def output(folder: Path, body: str, interpreter: str = "/bin/bash", **more: object) -> list[str]:
    """What a script prints; the machine's programs are those below `bin`, and bash's."""
    text = f"#!{interpreter}\n{body}"
    run_ = Run(text=text, interpreter=interpreter, workdir=str(folder), **more)  # type: ignore[arg-type]
    job = unit(text, run=run_, io=Io(stdout="out"))
    install(build(job, index=None), folder)
    status, errors = run(folder)
    assert (status, errors) == (0, b"")
    return (folder / "out").read_text().splitlines()


LACKING = {
    "module load gromacs/2023.1\n": ["gromacs/2023.1"],
    "module load gcc/11.3.0 python/3.11 cuda/12.2 StdEnv/2023\n": ["gcc/11.3.0"],
    "module add 'star' \"apps/picard\" 2>/dev/null\n": ["star", "apps/picard"],
    "module load devel/Python/3.11 # gcc\n": [],
    "ml purge\nml star -gcc\nml\nml load blast\nml avail\n": ["star", "blast"],
    "module swap gcc intel\n": ["intel"],
    "module unload star\nmodule purge; module use /x; module list\n": [],
    "module load $STAR\nmodule load {a,b}\n": [],
    "module load a \\\n  b\nmodule load a\n": ["a", "b"],
    "module --force purge && module -q load a || true\n": ["a"],
    "command -v module && module load a\n": [],
    "module() { :; }\nmodule load a\n": [],
    "module load a#b c # d\n": ["a#b", "c"],
    "module load a >log b 2>/dev/null\n": ["a", "b"],
    "module load a 2>&1 | grep b\n": ["a"],
    "module load \\\n  a \\\n  # b\n": ["a"],
    "# module load a\necho module load b\ncat <<E\nmodule load c\nE\n": [],
}


@pytest.mark.parametrize("body", LACKING)
def test_what_the_image_lacks(body: str) -> None:
    assert [each.name for each, _ in lacking(bash(body).job)] == LACKING[body]


FILES = {
    "source /etc/profile.d/modules.sh\n": True,
    "if [ -f /a ]; then :; else . /etc/profile.d/modules.sh; fi\n": True,
    "{ source '/etc/profile.d/lmod.sh'; }\n": True,
    "if ! source /usr/share/lmod/lmod/init/bash 2>/dev/null; then exit 1; fi\n": True,
    "case $1 in a) . /etc/profile.d/modules.sh ;; esac\n": True,
    "[ -r /etc/profile.d/modules.sh ] && \\\n  . /etc/profile.d/modules.sh\n": True,
    "# on some clusters; source /etc/profile.d/modules.sh\n": False,
    "true;# source /etc/profile.d/modules.sh\n": False,
    "echo 'a # b'; source /etc/profile.d/modules.sh\n": True,
    "cat > a.sh <<'END'\nsource /etc/profile.d/modules.sh\nEND\nbash a.sh\n": True,
    "bash -c 'if true; then\n. /etc/profile.d/modules.sh; fi'\n": True,
}


@pytest.mark.parametrize("body", FILES)
def test_files_that_a_text_sources_are_there(body: str) -> None:
    assert bool(modules(bash(body + "module load gcc\n")).module_files) is FILES[body]


def test_what_stands_in_comments_costs_no_room() -> None:
    body = "module load gcc\n"
    assert modules(bash(body + "# module load cuda openmpi; module purge\n")) == modules(bash(body))


def test_places_and_packages() -> None:
    job = bash("module load  gcc/11 star\n").job
    found = [(each.name, package) for each, package in lacking(job)]
    assert found == [("gcc/11", "build-essential"), ("star", None)]
    for each, _ in lacking(job):
        assert (job.run.text or "")[each.start : each.end] == each.name


def test_a_missing_module_is_told_once_with_its_line_and_ends_nothing(tmp_path: Path) -> None:
    body = """set -euo pipefail
module purge
module load Nothing/1.0 bash
module load Nothing/1.0
f() {
  module add b
}
f
echo "$LOADEDMODULES"
"""
    assert output(tmp_path, body) == [
        "flowc: job.sbatch:4: module Nothing/1.0 is not on this machine",
        "flowc: job.sbatch:7: module b is not on this machine",
        "Nothing/1.0:bash:b",
    ]


def test_the_list_of_modules_is_kept(tmp_path: Path) -> None:
    body = """set -eu
ml python/3.10 git
ml
module swap git bash/5
ml -python sed
module is-loaded bash sed && echo both
module is-loaded git || echo no git
module unload bash
echo "$LOADEDMODULES"
module list
module avail 2>&1 | wc -c
module reset
module is-loaded sed || echo "none:$LOADEDMODULES"
"""
    assert output(tmp_path, body) == [
        "Currently Loaded Modules: python/3.10:git",
        "both",
        "no git",
        "sed",
        "Currently Loaded Modules: sed",
        "0",
        "none:",
    ]


def test_other_scripts_of_bash_have_it_and_say_their_own_lines(tmp_path: Path) -> None:
    (tmp_path / "other.sh").write_text("\n\nmodule load x\n")
    assert output(tmp_path, "module list\n. ./other.sh\nbash other.sh\nIFS=,\nmodule load a,b\n") == [
        "Currently Loaded Modules: ",
        "flowc: other.sh:3: module x is not on this machine",
        "flowc: job.sbatch:6: module a,b is not on this machine",
    ]


@pytest.mark.parametrize("name", ["dash", "tcsh", "python3"])
def test_shells_that_take_no_functions_have_a_program(
    tmp_path: Path, name: str, program: Callable[[str, str], str]
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ml").symlink_to("module")
    body = "module load a bash\nml b\n"
    if name == "python3":
        body = f"import os\nfor line in {body.splitlines()}: os.system(line)\n"
    words = f"{program(name, name)} -f" if name == "tcsh" else program(name, name)
    found = output(tmp_path, body, words, commands=("ml",) if name == "python3" else ())
    assert found == ["flowc: module a is not on this machine", "flowc: module b is not on this machine"]


def test_a_name_for_what_the_machine_has_is_quiet(tmp_path: Path) -> None:
    tool = tmp_path / "programs"
    tool.mkdir()
    (tool / "conda").write_text("")
    (tool / "conda").chmod(0o755)
    body = f"PATH=$PATH:{tool}\nmodule load devel/Miniforge3/24 PYTHON/3 shared slurm/22\necho end\n"
    assert output(tmp_path, body) == ["end"]


def test_only_what_the_text_uses_is_there() -> None:
    small = modules(bash("module load gcc\n"))
    assert [program for _, program in small.module_rows] == ["gcc"]
    assert not any(getattr(small, f"module_{name}") for name in ("unloads", "asks", "lists", "purges", "options"))
    for whole in (bash("module load $X\n"), bash("module $WHAT gcc\nmodule load a\n")):
        assert len(modules(whole).module_rows) > 5
        assert all(getattr(modules(whole), f"module_{name}") for name in ("unloads", "asks", "lists", "purges"))
    assert not modules(bash("import module\n")).module


def test_files_that_start_modules_elsewhere_are_there() -> None:
    body = "source /etc/profile.d/modules.sh\n. /usr/share/lmod/lmod/init/bash\nsource /etc/profile\nmodule load gcc\n"
    found = modules(bash(body)).module_files
    assert found == ("/etc/profile.d/modules.sh", "/usr/share/lmod/lmod/init/bash")
    assert "install -D /dev/null /etc/profile.d/modules.sh\n" in build(unit("#!/bin/bash\n" + body), index=None).plain


def test_a_hostile_source_name_stays_quoted(tmp_path: Path) -> None:
    text = "#!/bin/bash\nmodule load nothing\n"
    job = unit(text, io=Io(stdout="out"), run=Run(text=text, interpreter="/bin/bash", workdir=str(tmp_path)))
    name = "a'$(touch x)`touch y`\"; b"
    install(build(job.replace(source=Source(name, text)), index=None), tmp_path)
    assert run(tmp_path)[0] == 0
    assert (tmp_path / "out").read_text() == f"flowc: {name}:2: module nothing is not on this machine\n"
    assert not {"x", "y"} & {*os.listdir(tmp_path)}


def test_a_text_within_a_file_is_told_by_the_file_s_lines(tmp_path: Path) -> None:
    text = "module load nothing\ntrue\n"
    source = Source("job.yaml", "a: b\ncommand: |\n" + text)
    job = unit("", frontend="task-yaml", io=Io(stdout=f"{tmp_path}/out"), run=Run(kind="shell", text=text))
    start = source.text.index(text)
    job = job.replace(source=source, text=Derived.of(source, start, len(source.text)))
    job = job.replace(job=job.job.replace(run=job.job.run.replace(workdir=str(tmp_path))))
    install(build(job, index=None), tmp_path)
    assert run(tmp_path)[0] == 0
    assert (tmp_path / "out").read_text() == "flowc: job.yaml:3: module nothing is not on this machine\n"
