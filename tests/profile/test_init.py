"""`flowc profile init`: the profile that a tree of job files needs, and how it is added to."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowc._compiled.profile_lines import MODULES, OPEN, OPEN_PROGRAMS, PROGRAMS, SCRATCH, VARIABLES
from flowc._compiled.slurm_commands import ABSENT, BROUGHT, MISSING
from flowc.cli import main
from flowc.cli.checking.checker import PARALLEL_FROM
from flowc.profile.needs import Line, key_of, lines, needs_of
from flowc.profile.writing import UnreadableFormError, with_lines

HOME = "/home"
HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
TEXTS = {
    "free": "nvidia-smi\n",
    "known": "module load gcc/12.2.0 openmpi/4.1\nmpirun ./x\n",
    "open": "module load gcc/12.2.0 house/1.0\n./x\n",
    "project": "cp /project/a/x .\n",
    "project2": "module load gcc\ncp /project/b/y .\n",
    "scratch": "cp /scratch/me/x .\n",
    "variable": "mkdir -p $SCRATCH/run\ncp $SCRATCH/run/x .\n",
    "conda": "module load anaconda3\nsource activate train\npython x.py\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "jobs").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "jobs" / f"{name}.sbatch").write_text(HEAD + text)
    return tmp_path


def init(capsysbinary: pytest.CaptureFixture[bytes], *args: str, status: int = 0) -> str:
    assert main(["profile", "init", *args]) == status
    captured = capsysbinary.readouterr()
    return (captured.out + captured.err).decode()


def findings(capsysbinary: pytest.CaptureFixture[bytes]) -> dict[str, set[str]]:
    main(["check", "--format=json", "jobs"])
    found: dict[str, set[str]] = {}
    for each in json.loads(capsysbinary.readouterr().out)["diagnostics"]:
        found.setdefault(Path(each["path"]).stem, set()).add(each["code"])
    return found


def profile() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(".flowc/profile.yaml").read_text())
    return found


def test_what_is_known_is_filled_in_and_the_rest_is_open(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    told = init(capsysbinary, "jobs")
    assert told.startswith("wrote .flowc/profile.yaml\n8 job files; of 8, 1 lack nothing, 3 with what is filled in\n")
    found = profile()
    assert found["modules"]["gcc"] == {"apt": ["build-essential", "gfortran"]}
    assert {*found["modules"]} == {"gcc", "openmpi", "anaconda3"}
    assert found["paths"] == {"/scratch": "scratch"}
    assert found["variables"] == {"SCRATCH": "/scratch"}
    text = Path(".flowc/profile.yaml").read_text()
    assert "  # /project: volume://NAME\n" in text
    assert "  # house: {apt: PACKAGE}\n" in text
    assert "3 files load it (12.2.0)" in text


def test_check_loses_what_became_untrue_and_nothing_else(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = findings(capsysbinary)
    init(capsysbinary, "jobs")
    after = findings(capsysbinary)
    gone = {name: codes - after.get(name, set()) for name, codes in before.items()}
    assert {name: codes for name, codes in gone.items() if codes} == {
        "known": {"FC812"},
        "project2": {"FC812"},
        "variable": {"FC162"},
        "conda": {"FC812"},
    }
    assert "FC820" in after["scratch"]  # an empty folder holds nothing
    assert "FC812" in after["open"]  # for the module that nobody knows
    assert "FC823" in after["conda"]


def test_open_lines_free_as_many_as_it_says(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    told = init(capsysbinary, "jobs")
    assert re.findall(r"(\d+)\. (\S+) +(\d+) more", told) == [
        ("1", "paths./project", "2"),
        ("2", "conda.train", "1"),
        ("3", "modules.house", "1"),
        ("4", "paths./scratch", "1"),
    ]
    assert "fill in these 4 lines, and 8 of 8 lack nothing:" in told
    path = Path(".flowc/profile.yaml")
    text = path.read_text().replace("# /project: volume://NAME", "/project: volume://p")
    text = text.replace("# house: {apt: PACKAGE}", "house: {apt: hello}").replace(
        "/scratch: scratch", "/scratch: s3://b"
    )
    text = text.replace("# train: environment.yml", "train: {packages: python}")
    path.write_text(text)
    main(["check", "--summary", "--format=json", "jobs"])
    assert json.loads(capsysbinary.readouterr().out)["free"] == 8


def test_environment_whose_file_is_in_the_tree_is_filled_in(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / "jobs" / "env").mkdir()
    file = tree / "jobs" / "env" / "environment.yml"
    file.write_text("name: train\nchannels: [conda-forge]\ndependencies: [python]\n")
    (tree / "jobs" / "env" / "conda-other.yaml").write_text("name: other\ndependencies: [python]\n")
    told = init(capsysbinary, "jobs")
    assert profile()["conda"] == {"train": "jobs/env/environment.yml"}
    assert "8 job files; of 8, 1 lack nothing, 4 with what is filled in\n" in told
    assert sorted(os.listdir(tree)) == [".flowc", "jobs"]
    assert "FC823" not in findings(capsysbinary).get("conda", ())
    init(capsysbinary, "-o", "deep/er/p.yaml", "jobs")
    assert yaml.safe_load(Path("deep/er/p.yaml").read_text())["conda"] == {"train": "../../jobs/env/environment.yml"}
    (tree / "jobs" / "env2.yml").write_text("name: train\ndependencies: [numpy]\n")
    Path(".flowc/profile.yaml").unlink()
    init(capsysbinary, "jobs")
    assert "# train: environment.yml" in Path(".flowc/profile.yaml").read_text()


def test_profile_that_is_there_keeps_what_it_says(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    init(capsysbinary, "jobs")
    path = Path(".flowc/profile.yaml")
    own = path.read_text().replace("  # /project: volume://NAME", "  /project: volume://mine   # where it is now")
    own = own.replace("modules:\n", "# my own words\nmodules:\n    # deep\n") + "\nqos:\n  now: {priority: high}\n"
    path.write_text(own)
    assert init(capsysbinary, "jobs").startswith("nothing to add to .flowc/profile.yaml\n")
    assert path.read_text() == own
    (tree / "jobs" / "new.sbatch").write_text(HEAD + "module load cmake/3.20 odd/7\ncp /archive/a/b .\n")
    assert init(capsysbinary, "jobs").startswith("added to .flowc/profile.yaml\n")
    text = path.read_text()
    lines = text.splitlines()
    kept = iter(lines)
    assert all(line in kept for line in own.splitlines())
    assert profile()["modules"]["cmake"] == {"apt": "cmake"}
    assert profile()["qos"] == {"now": {"priority": "high"}}
    assert "  # odd: {apt: PACKAGE}" in lines
    assert lines.index("  # odd: {apt: PACKAGE}") < lines.index("paths:") < lines.index("  # /archive: volume://NAME")
    assert init(capsysbinary, "jobs").startswith("nothing to add")


def test_written_anywhere_else(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    init(capsysbinary, "-o", "deep/er/p.yaml", "jobs")
    written = Path("deep/er/p.yaml").read_text()
    assert init(capsysbinary, "-o", "-", "jobs").startswith(written)
    assert not Path(".flowc").exists()


def test_cores_change_nothing(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for number in range(PARALLEL_FROM):
        (tree / "jobs" / f"more-{number}.sbatch").write_text(HEAD + "module load house\n")
    told = init(capsysbinary, "jobs")
    assert f"  1. modules.house {PARALLEL_FROM + 1:>33} more" in told


@pytest.mark.parametrize("text", ["nvidia-smi\n", "module load cuda/12 python/3.12\n"])
def test_nothing_missing(tree: Path, text: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "one").mkdir()
    (tree / "one" / "a.sbatch").write_text(HEAD + text)
    assert init(capsysbinary, "one") == "no profile is needed\n1 job file; of 1, 1 lack nothing\n"
    assert not Path(".flowc").exists()


def test_no_job_files(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "none").mkdir()
    assert "no job files found below `none`" in init(capsysbinary, "none")


@pytest.mark.parametrize("args", [["init"], ["initt", "jobs"], ["init", "--what", "jobs"]], ids=" ".join)
def test_wrong_usage(tree: Path, args: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["profile", *args]) == 2
    assert capsysbinary.readouterr().err.startswith(b"flowc: error: ")


@pytest.mark.parametrize(
    "text", ["modules: [a]\n", "modules: {house: nothing}\n", "modules: {}\n", "paths:\n  /a: scratch\n...\n"]
)
def test_profile_to_which_nothing_can_be_added(
    tree: Path, text: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    Path(".flowc").mkdir()
    Path(".flowc/profile.yaml").write_text(text)
    assert ".flowc/profile.yaml" in init(capsysbinary, "jobs", status=1)
    assert Path(".flowc/profile.yaml").read_text() == text


def test_place_that_cannot_be_written(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert "cannot write `jobs/free.sbatch/p.yaml`" in init(
        capsysbinary, "-o", "jobs/free.sbatch/p.yaml", "jobs", status=4
    )


def known_line(row: dict[str, Any], number: int) -> Line:
    key = "enroot" if row["brings"] == "docker" else f"name{number}"
    return Line(section="modules", key=key, brings=row["brings"], says=row["says"], files=1)


def test_every_known_line_is_one_that_a_profile_takes(tree: Path) -> None:
    """They are written, and read as profiles are."""
    from flowc import profile as profiles
    from flowc.diag.sink import Sink

    written = [known_line(row, number) for number, row in enumerate(MODULES)]
    written += [known_line(row, number).replace(section="programs") for number, row in enumerate(PROGRAMS)]
    written += [Line(section="variables", key=name, brings=value, files=1) for name, value in VARIABLES.items()]
    written += [Line(section="paths", key=folder, brings="scratch", files=1) for folder in {*VARIABLES.values()}]
    Path("p.yaml").write_text(with_lines("", written, {}))
    sink = Sink()
    found = profiles.load("p.yaml", sink)
    assert [each.message for each in sink.diagnostics] == []
    assert found is not None
    assert (len(found.modules), len(found.programs)) == (len(MODULES), len(PROGRAMS))
    assert all(each.setup or each.by_docker for each in found.programs)
    for each, row in zip(found.modules, MODULES, strict=True):
        assert (each.setup == "") is (row["brings"] == "nothing")


def test_text_of_known_lines_is_bash(tmp_path: Path) -> None:
    for row in (*MODULES, *PROGRAMS):
        if not isinstance(row["brings"], str) and row["brings"]["shell"]:
            done = subprocess.run(["bash", "-nc", row["brings"]["shell"]], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), row["parts"]


def test_every_row_of_the_table_is_reached() -> None:
    """None stands behind another one that takes all its names."""
    for row in (*PROGRAMS, *OPEN_PROGRAMS):
        for glob in row["parts"]:
            line = lines([[("program", glob.replace("*", "x"))]])[0]
            assert (line.brings, line.says) == (row.get("brings"), row["says"]), glob
    for row in (*MODULES, *OPEN):
        for glob in row["parts"]:
            name = (
                glob.replace("[0-9]", "1")
                .replace("[!2]", "3")
                .replace("[abr]", "a")
                .replace("[._-]", "-")
                .replace("*", "")
            )
            line = lines([[("module", name)]])[0]
            assert (line.brings, line.says) == (row.get("brings"), row["says"]), name


def test_programs_that_are_missing_have_a_row_each() -> None:
    """What a finding says to be missing is filled in, or said to be open for a reason."""
    names = {*MISSING, *ABSENT, *(name for row in BROUGHT for name in row["commands"])} - {"activate"}
    for name in names:
        line = lines([[("program", name)]])[0]
        assert (line.section, line.key) == ("programs", name)
        assert line.says, name
        assert (line.brings is None) == any(name in row["parts"] for row in OPEN_PROGRAMS), name


def test_missing_programs_are_filled_in(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    bodies = {
        "r": "Rscript a.R\nsrun samtools sort x.bam\n",
        "conda": "conda info\nmamba list\n",
        "env": "source activate train\n",
        "matlab": "matlab -batch x\n",
    }
    (tree / "more").mkdir()
    for name, text in bodies.items():
        (tree / "more" / f"{name}.sbatch").write_text(HEAD + text)
    (tree / "more" / "julia.sbatch").write_text(HEAD.replace("/bin/bash", "/usr/bin/env julia") + "println(1)\n")
    (tree / "more" / "path.sbatch").write_text(HEAD.replace("/bin/bash", "/opt/julia") + "println(1)\n")
    told = init(capsysbinary, "more")
    assert "6 job files; of 6, 0 lack nothing, 3 with what is filled in\n" in told
    assert re.findall(r"(\d+)\. (\S+) +(\d+) more", told) == [
        ("1", "conda.train", "1"),
        ("2", "programs.matlab", "1"),
    ]
    assert "what no line brings: programs (1)" in told
    assert {*profile()["programs"]} == {"Rscript", "samtools", "conda", "mamba", "julia"}
    text = Path(".flowc/profile.yaml").read_text()
    assert "# 1 file calls it; 2. frees 1 more, with those before it; needs a licence" in text
    main(["check", "--summary", "--format=json", "more"])
    assert json.loads(capsysbinary.readouterr().out)["free"] == 3


def test_program_that_comes_with_a_missing_module_has_no_line_of_its_own() -> None:
    found = lines([[("module", "singularity/3.8"), ("program", "singularity")]])
    assert [line.name for line in found] == ["modules.singularity"]


def test_folders_of_variables_are_scratch_or_of_their_own() -> None:
    assert all(value.startswith("/") and value.count("/") == 1 for value in VARIABLES.values())
    assert all(glob.startswith("/") for glob in SCRATCH)


@pytest.mark.parametrize(
    ("name", "brings"),
    [
        ("GCC/12.3.0", {"build-essential", "gfortran"}),
        ("compiler/gcc/7.5", {"build-essential", "gfortran"}),
        ("cray-hdf5-parallel/1.12", {"hdf5-tools", "libhdf5-dev", "libhdf5-mpich-dev"}),
        ("2023", "nothing"),
        ("house/gcc", None),
        ("mpi/mpich-x86_64", {"mpich", "libmpich-dev"}),
        ("mpi", {"openmpi-bin", "libopenmpi-dev"}),
        ("matlab/R2024a", None),
        ("PrgEnv-intel/8", None),
        ("mpt/2.23", {"mpich", "libmpich-dev"}),
    ],
)
def test_what_a_module_is_known_as(name: str, brings: object) -> None:
    line = lines([[("module", name)]])[0]
    found = line.brings if line.brings is None or isinstance(line.brings, str) else {*line.brings["apt"]}
    assert found == brings


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("module", "gcc/12", ("modules", "gcc")),
        ("module", "<name>", None),
        ("path", "/project/$USER", ("paths", "/project")),
        ("path", HOME + "/$USER", None),
        ("path", HOME + "/me", ("paths", HOME + "/me")),
        ("path", "~/tools", ("paths", "~/tools")),
        ("program", "conda", ("programs", "conda")),
        ("program", "srun", None),
        ("program", "/opt/julia/bin/julia", None),
        ("environment", "x", ("conda", "x")),
        ("environment", "a/b", None),
    ],
)
def test_line_that_would_bring_it(kind: str, name: str, key: tuple[str, str] | None) -> None:
    assert key_of(kind, name) == key


def test_file_that_lacks_what_no_line_brings_is_never_free() -> None:
    assert needs_of([("module", "gcc"), ("program", "srun")]) is None
    singularity = needs_of([("module", "singularity/3"), ("program", "singularity")])
    assert singularity == frozenset({("modules", "singularity")})
    assert needs_of([("partition", "dgx")]) == frozenset()


@pytest.mark.parametrize("text", ["modules: {a: nothing}\n", "modules: {}\npaths:\n  /a: scratch\n"])
def test_section_in_one_line_is_not_guessed_at(text: str) -> None:
    with pytest.raises(UnreadableFormError):
        with_lines(text, [Line(section="modules", key="b", brings="nothing")], {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("modules:\n    a: nothing\n", "modules:\n    a: nothing\n    # 0\n    b: nothing\n"),
        ("modules:\n", "modules:\n  # 0\n  b: nothing\n"),
        ("modules:", "modules:\n  # 0\n  b: nothing\n"),
        (
            "modules:\n  a: nothing\n\n# next\nqos: {}\n",
            "modules:\n  a: nothing\n  # 0\n  b: nothing\n\n# next\nqos: {}\n",
        ),
        ("modules:\n  a: nothing", "modules:\n  a: nothing\n  # 0\n  b: nothing\n"),
        ("qos: {}\n", "qos: {}\n\nmodules:\n  # 0\n  b: nothing\n"),
        ("modules:\n  # b: {apt: x}\n", "modules:\n  # b: {apt: x}\n"),
        ("modules:\n  'b': {apt: x}\n", "modules:\n  'b': {apt: x}\n"),
    ],
)
def test_line_is_put_at_the_end_of_its_section(text: str, expected: str) -> None:
    line = Line(section="modules", key="b", brings="nothing", files=1)
    found = with_lines(text, [line], {})
    assert re.sub(r"# 1 file loads it; frees 0", "# 0", found) == expected


def test_conda_of_a_line_is_found_by_scripts(tmp_path: Path) -> None:
    """Its text with an installer that only makes the programs."""
    text = next(row["brings"]["shell"] for row in MODULES if "miniforge*" in row["parts"])
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "curl").write_text(
        '#!/bin/bash\ncat >"$2" <<"E"\nmkdir -p "${@: -1}/bin"; touch "${@: -1}/bin/conda"\nE\n'
    )
    (bin_folder / "curl").chmod(0o755)
    here = text.replace("/opt/conda", f"{tmp_path}/conda").replace("/usr/local/bin", str(bin_folder))
    here = here.replace("/tmp/miniforge.sh", f"{tmp_path}/miniforge.sh")
    environ = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-ec", here], check=True, env=environ)
    assert (bin_folder / "conda").resolve() == tmp_path / "conda" / "bin" / "conda"
    assert (bin_folder / "activate").is_symlink()
