"""Modules and programs that packages of conda bring: their own programs are found, and run in their environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from tests.profile.jobs import JOB, ids, job_of

CHANNELS = "channels: [conda-forge, bioconda]"
LINES = f"modules:\n  gatk: {{conda: gatk4=4.5, {CHANNELS}}}\n  snakemake*: {{conda: [snakemake, bioconda::seqtk]}}\n"
# Each package has one program of its own, and brings a Python and a Perl that are not to be seen.
MICROMAMBA = r"""#!/bin/bash
echo "$*" >>{log}
while [ $# -gt 0 ]; do
    case $1 in
    -r) root=$2; shift ;;
    -n) at=$root/envs/$2; mkdir -p $at/bin $at/conda-meta $at/etc/conda/activate.d; shift ;;
    -*) ;;
    create) ;;
    *)
        name=${1##*::}
        name=${name%%=*} part=
        if [ $name = snakemake ]; then
            echo '{"files": ["site-packages/x"]}' >$at/conda-meta/snakemake-8.0-0.json
            part=-minimal
        fi
        {
            echo '{'
            echo '    "files": ['
            echo "        \"bin/$name\","
            echo "        \"bin/.$name-post-link.sh\","
            echo "        \"share/bin/data\""
            echo '    ]'
            echo '}'
        } >$at/conda-meta/$name$part-1.0-h_1.json
        printf '#!/bin/bash\necho %s $GREETING "$@" $(perl)\n' $name >$at/bin/$name
        for other in perl python3; do
            echo "{\"files\": [\"bin/$other\"]}" >$at/conda-meta/$other-3.9-1.json
            printf '#!/bin/bash\necho its %s\n' $other >$at/bin/$other
        done
        chmod 755 $at/bin/*
        echo 'export GREETING=hello' >$at/etc/conda/activate.d/x.sh
        ;;
    esac
    shift
done
"""


class Machine:
    """One with folders of the test in the place of its own, and an archive that has a micromamba of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.log = folder, folder / "bin", folder / "log"
        self.bin.mkdir()
        (folder / "micromamba").write_text(MICROMAMBA.replace("{log}", str(self.log)))
        for name, text in {"curl": f'cp {folder}/micromamba "$2"', "sha256sum": "cat >/dev/null"}.items():
            (self.bin / name).write_text(f"#!/bin/bash\n{text}\n")
            (self.bin / name).chmod(0o755)

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        for place, here in (("/opt/micromamba", "mamba"), ("/usr/local/bin", "bin")):
            text = text.replace(place, f"{self.folder}/{here}")
        environ = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, env=environ)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("modules:\n  x: {conda: []}\n", "[]"),
        ("modules:\n  x: {conda: 'a; rm'}\n", "'a; rm'"),
        ("modules:\n  x: {apt: a, channels: bioconda}\n", "channels"),
        ("programs:\n  x: {conda: a, channels: 'https://me:secret@h/c'}\n", "'https://me:secret@h/c'"),
    ],
)
def test_mistake_is_told_at_its_place(told: Callable[..., driver.Result], text: str, place: str) -> None:
    result = told(text, JOB + "hostname\n")
    errors = [each for each in result.diagnostics if each.severity == "error"]
    assert [each.span.text for each in errors if each.span is not None] == [place]


def test_only_what_a_line_brings_is_no_longer_missing(told: Callable[..., driver.Result]) -> None:
    profile = LINES + "programs:\n  bwa: {conda: bwa}\n"
    result = told(profile, JOB + "module load gatk/4.5 snakemake8 trinity\n", emit="mithril")
    assert [each.lacks for each in result.diagnostics if each.code.id == "FC812"] == [(("module", "trinity"),)]
    result = told(profile, JOB + "bwa x\nsamtools y\n", emit="mithril")
    assert [each.lacks for each in result.diagnostics if each.code.id == "FC804"] == [(("program", "samtools"),)]
    for body, used in (
        ("module load gatk/4.5 snakemake8\n", [("modules.gatk", ["FC812"]), ("modules.snakemake*", ["FC812"])]),
        ("bwa x\n", [("programs.bwa", ["FC804"])]),
    ):
        found = job_of(told(profile, JOB + body, emit="plan"))["profile"]["used"]
        assert [(each["entry"], each["instead_of"]) for each in found] == used


def test_programs_of_the_packages_run_in_their_environment_and_hide_nothing(
    told: Callable[..., driver.Result], tmp_path: Path
) -> None:
    machine = Machine(tmp_path)
    setup = job_of(told(LINES, JOB + "module load gatk/4.5 snakemake/8\n"))["setup"]
    for _ in range(2):  # a machine that starts again
        done = machine.run(setup)
        assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(" --")[1] for line in machine.log.read_text().splitlines()[:2]] == [
        "override-channels -cconda-forge -cbioconda gatk4=4.5",
        "override-channels -cconda-forge snakemake bioconda::seqtk",
    ]
    found = {each.name for each in machine.bin.iterdir()} - {"curl", "sha256sum"}
    assert found == {"gatk4", "snakemake", "seqtk"}
    for name in ("gatk4", "snakemake", "seqtk"):
        assert machine.run(f"set -eu; {name} 'a b'").stdout == f"{name} hello a b its perl\n"
        assert machine.run(f"dash -c '{name} x | xargs -n1 {name}'").returncode == 0
    assert machine.run("type -P python3 perl; echo ${CONDA_PREFIX-none} ${GREETING-none}").stdout == (
        subprocess.run(["bash", "-c", "type -P python3 perl"], capture_output=True, text=True, check=True).stdout
        + "none none\n"
    )


def test_job_of_modules_and_environments_fetches_micromamba_once(
    told: Callable[..., driver.Result], tmp_path: Path
) -> None:
    machine = Machine(tmp_path)
    profile = LINES + "conda: {train: {packages: tool}}\nprograms: {bwa: {conda: bwa}, samtools: {conda: bwa}}\n"
    setup = job_of(told(profile, JOB + "module load gatk\nconda activate train\nbwa x\nsamtools y\n"))["setup"]
    assert setup.count("bwa-") == 1  # what brings the same does it once
    assert setup.index("gatk4") < setup.index("create -yq -r /opt/conda -n train")
    with_count = f"{machine.bin}/curl"
    Path(with_count).write_text(f'#!/bin/bash\necho fetched >>{tmp_path}/fetched\ncp {tmp_path}/micromamba "$2"\n')
    done = machine.run(setup.replace("/opt/conda", f"{tmp_path}/conda"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "fetched").read_text() == "fetched\n"


def test_what_fails_is_told_by_the_name_of_the_module(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "micromamba").write_text("#!/bin/bash\nexit 7\n")
    done = machine.run(job_of(told(LINES, JOB + "module load gatk\n"))["setup"])
    assert (done.returncode, done.stderr) == (1, "flowc: cannot bring module gatk\n")


def test_look_for_packages_of_ubuntu_is_not_repeated_for_conda(told: Callable[..., driver.Result]) -> None:
    profile = f"modules:\n  a: {{apt: a}}\n  b: {{apt: b, conda: c, {CHANNELS}, pip: d}}\n  e: {{apt: e}}\n"
    result = told(profile, JOB + "module load a b e\n")
    setup = job_of(result)["setup"]
    assert not ids(result) & {"FC812"}
    assert setup.count(" update || ") == 1
    order = [setup.index(f"{each} || ") for each in (" -y a", " -y b", "'conda-forge bioconda' c", " -q d", " -y e")]
    assert order == sorted(order)


def test_modules_that_bring_the_same_do_it_once(told: Callable[..., driver.Result]) -> None:
    profile = (
        "modules:\n  a: {conda: tool}\n  b/1: {conda: tool}\n  c: {shell: same}\n  d: {shell: same}\n  e: nothing\n"
    )
    result = told(profile, JOB + "module load a b/1 c d e\n", emit="plan")
    assert len(job_of(result)["profile"]["used"]) == 5
    setup = job_of(told(profile, JOB + "module load a b/1 c d e\n"))["setup"]
    assert (setup.count("conda-forge tool"), setup.count("bash -ec same")) == (1, 1)
