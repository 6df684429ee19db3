"""Environments of conda that a line of the profile makes: read, made once, and entered by all that scripts write."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from flowc.profile.environments import at, of_file, of_packages, packed
from tests.profile.jobs import JOB, ids, job_of

LINE = "conda: {train: {packages: [python=3.12, numpy], channels: [conda-forge, nvidia]}}\n"
AT = "conda: {/proj/me/env: {packages: numpy}, ~/env/: {packages: scipy}}\n"
FUNCTIONS = ("BASH_FUNC_conda%%", "BASH_FUNC_mamba%%")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("conda:\n  x: nothing\n", "nothing"),
        ("conda:\n  x: {channels: [a]}\n", "channels"),
        ("conda:\n  x: {packages: []}\n", "[]"),
        ("conda:\n  x: {packages: 'a; rm'}\n", "'a; rm'"),
        ("conda:\n  x: {packages: a, channels: 'https://me:secret@h/c'}\n", "'https://me:secret@h/c'"),
        ("conda:\n  'a/b': environment.yml\n", "'a/b'"),
        ("conda:\n  x: http://example.com/x.tar.gz\n", "http://example.com/x.tar.gz"),
        ("conda:\n  x: nowhere.yml\n", "nowhere.yml"),
    ],
)
def test_mistake_is_told_at_its_place(told: Callable[..., driver.Result], text: str, place: str) -> None:
    result = told(text, JOB + "hostname\n")
    errors = [each for each in result.diagnostics if each.severity == "error"]
    assert [each.span.text for each in errors if each.span is not None] == [place]


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("conda activate train\n", True),
        ("source activate train\n", True),
        ("mamba activate train\n", True),
        ("conda run -n train python x.py\n", True),
        ("mamba run -n train python x.py\n", True),
        ("srun -n 4 conda run -n train python x.py\n", True),
        ("srun bash -c 'conda activate train; python x.py'\n", True),
        ("module load anaconda3\nconda activate train\n", True),
        ("conda create -y -n train python\nconda activate train\n", False),
        ("conda activate other\n", False),
        ("# conda activate train\npython train.py\n", False),
    ],
)
def test_environment_is_made_where_a_text_enters_it(told: Callable[..., driver.Result], body: str, made: bool) -> None:
    found = job_of(told(LINE, JOB + body))
    assert found["environments"] == (["train"] if made else [])
    assert ("create -yq -r /opt/conda -n train" in (found["setup"] or "")) is made


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("conda activate train\npython x.py\n", []),
        ("source activate train\n", []),
        ("conda activate train\nconda activate other\n", ["other"]),
        ("mpirun ./x\nconda activate train\n", ["mpirun"]),
    ],
)
def test_only_the_environment_that_a_line_makes_is_no_longer_missing(
    told: Callable[..., driver.Result], body: str, said: list[str]
) -> None:
    result = told(LINE, JOB + body, emit="mithril")
    assert [name for each in result.diagnostics if each.code.id in ("FC804", "FC823") for _, name in each.lacks] == said


def test_conda_of_a_module_keeps_its_line(told: Callable[..., driver.Result]) -> None:
    profile = "modules: {anaconda3: {shell: by-module}}\nprograms: {conda: {shell: by-name}}\n" + LINE
    result = told(profile, JOB + "module load anaconda3\nconda activate train\n", emit="plan")
    assert not ids(result) & {"FC804", "FC812", "FC823"}
    assert [(each["entry"], each["instead_of"]) for each in job_of(result)["profile"]["used"]] == [
        ("conda.train", ["FC823"]),
        ("modules.anaconda3", ["FC812"]),
    ]
    setup = job_of(told(profile, JOB + "module load anaconda3\nconda activate train\n"))["setup"]
    assert setup.index("by-module") < setup.index("micromamba")
    assert "by-name" not in setup
    alone = job_of(told(profile, JOB + "conda activate train\n"))["setup"]
    assert "by-name" not in alone  # what makes the environment is conda


def test_file_is_found_beside_the_folder_of_the_profile(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    (tmp_path / "env.yml").write_text("name: t\ndependencies: [it's]\n")
    assert "env.yml" in job_of(told("conda: {train: env.yml}\n", JOB + "conda activate train\n"))["setup"]
    (tmp_path / "env.yml").write_text("name: t\ndependencies: [changed]\n")
    assert "changed" in job_of(told("conda: {train: env.yml}\n", JOB + "conda activate train\n"))["setup"]
    (tmp_path / ".flowc").mkdir()
    (tmp_path / ".flowc" / "p.yaml").write_text("conda: {train: env.yml}\n")
    found = job_of(told("", JOB + "conda activate train\n", f"--profile={tmp_path}/.flowc/p.yaml"))
    assert "changed" in found["setup"]


MICROMAMBA = """#!/bin/bash
echo "$@" >>{log}
[[ $1 = create ]] || exit 0
while [ $# -gt 0 ]; do
    case $1 in -r) root=$2 ;; -n) name=$2 ;; -f) file=$2 ;; esac
    shift
done
[ -z "$file" ] || cat "$file" >>{log}
mkdir -p "$root/envs/$name/bin" "$root/envs/$name/etc/conda/activate.d"
printf '#!/bin/bash\\necho %s "$GREETING" "$@"\\n' "$name" >"$root/envs/$name/bin/tool"
chmod +x "$root/envs/$name/bin/tool"
echo 'export GREETING=hello' >"$root/envs/$name/etc/conda/activate.d/x.sh"
"""


class Machine:
    """One with a folder in the place of /opt/conda, and an archive that has a micromamba of ours."""

    def __init__(self, folder: Path, *, hash_fits: bool = True) -> None:
        self.folder, self.log = folder, folder / "log"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (folder / "micromamba").write_text(MICROMAMBA.replace("{log}", str(self.log)))
        programs = {"curl": f'[[ $1 = -fsSLo ]] && cp {folder}/micromamba "$2" || cat {folder}/packed.tar.gz'}
        if hash_fits:
            programs["sha256sum"] = "cat >/dev/null"
        for name, text in programs.items():
            (self.bin / name).write_text(f"#!/bin/bash\n{text}\n")
            (self.bin / name).chmod(0o755)

    def run(self, text: str, env: list[list[str]] = []) -> subprocess.CompletedProcess[str]:  # noqa: B006
        environ = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        environ.pop("CONDA_PREFIX", None)
        environ.update((name, self.here(value)) for name, value in env)
        return subprocess.run(
            ["bash", "-c", self.here(text)], capture_output=True, text=True, check=False, env=environ, cwd=self.folder
        )

    def here(self, text: str) -> str:
        for place, here in (("/opt/conda", "conda"), ("/opt/micromamba", "mamba"), ("/usr/local/bin", "bin")):
            text = text.replace(place, f"{self.folder}/{here}")
        return text


def functions(result: driver.Result) -> list[list[str]]:
    """Those that the startup script puts into the job's environment."""
    plain = next(each.text for each in result.artifacts if each.name == "startup.plain.sh")
    line = [each.strip().removesuffix("\\").strip() for each in plain.splitlines() if "BASH_FUNC_conda%%" in each]
    more = [each.strip().removesuffix("\\").strip() for each in plain.splitlines() if "BASH_FUNC_mamba%%" in each]
    out = subprocess.run(
        ["bash", "-c", f"env -i {line[0]} {more[0]} python3 -c 'import json,os;print(json.dumps(dict(os.environ)))'"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return [[name, value] for name, value in json.loads(out.stdout).items() if name in FUNCTIONS]


@pytest.mark.parametrize(
    "body",
    [
        "conda activate train; tool x",
        "mamba activate train; tool x",
        "source activate train; tool x",
        "conda run -n train tool x",
        "conda run --no-capture-output --name=train tool x",
        "mamba run -n train tool x",
        'eval "$(conda shell.bash hook)"; conda activate train && tool x',
        'source "$(conda info --base)/etc/profile.d/conda.sh"; conda activate train; tool x',
        "bash -c 'conda activate train; tool x'",
        "conda activate train; bash -c 'tool x'",
        "set -eu; conda activate train; tool x",
        "conda activate other; conda activate train; tool x",
        "conda activate /opt/conda/envs/train; tool x",
        "conda init bash; conda activate train; tool x",
    ],
)
def test_what_scripts_write_enters_it(told: Callable[..., driver.Result], tmp_path: Path, body: str) -> None:
    profile = "conda:\n  train: {packages: python}\n  other: {packages: python}\n"
    script = JOB + "conda activate other\n" + body + "\nconda activate train\n"
    machine = Machine(tmp_path)
    setup = machine.run(job_of(told(profile, script))["setup"])
    assert (setup.returncode, setup.stderr) == (0, "")
    done = machine.run(body, functions(told(profile, script, emit="mithril")))
    assert (done.stdout, done.stderr) == ("train hello x\n", "")


def test_environment_is_left_as_it_was_entered(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(job_of(told(LINE, JOB + "conda activate train\n"))["setup"])
    given = functions(told(LINE, JOB + "conda activate train\n", emit="mithril"))
    body = 'before=$PATH; conda activate train; conda deactivate; [ "$PATH" = "$before" ] && echo ${CONDA_PREFIX-none}'
    assert machine.run(body, given).stdout == "none\n"
    missing = machine.run("conda activate nobody && tool", given)
    assert missing.stderr == "EnvironmentNameNotFound: Could not find conda environment: nobody\n"
    assert missing.returncode == 1


def test_plain_shell_enters_and_leaves_it_too(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(job_of(told(LINE, JOB + "conda activate train\n"))["setup"])
    body = (
        ". /opt/conda/etc/profile.d/conda.sh; before=$PATH; conda activate train; tool x; conda deactivate;"
        ' [ "$PATH" = "$before" ] && echo ${CONDA_PREFIX-none}; conda activate; echo $CONDA_DEFAULT_ENV'
    )
    done = machine.run(f"dash -euc '{body}'")
    assert (done.stdout, done.stderr) == ("train hello x\nnone\nbase\n", "")


def test_setup_runs_again_and_fails_with_one_line(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    setup = job_of(told(LINE, JOB + "conda activate train\n"))["setup"]
    for _ in range(2):
        assert machine.run(setup).returncode == 0
    assert machine.log.read_text().splitlines()[0] == machine.here(
        "create -yq -r /opt/conda -n train --override-channels -c conda-forge -c nvidia python=3.12 numpy"
    )
    (machine.folder / "mamba" / "micromamba").write_text("#!/bin/bash\nexit 7\n")
    failed = machine.run(setup)
    assert (failed.returncode, failed.stderr) == (1, "flowc: cannot bring conda environment train\n")


def test_micromamba_of_another_hash_is_not_run(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    machine = Machine(tmp_path, hash_fits=False)
    done = machine.run(job_of(told(LINE, JOB + "conda activate train\n"))["setup"])
    assert done.returncode == 1
    assert done.stderr.endswith("flowc: cannot bring conda\n")
    assert not machine.log.exists()


def test_file_and_packed_environment(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "conda").mkdir()
    (tmp_path / "mamba").mkdir()
    (tmp_path / "mamba" / "micromamba").write_text(MICROMAMBA.replace("{log}", str(machine.log)))
    (tmp_path / "mamba" / "micromamba").chmod(0o755)
    text = 'name: x\ndependencies: [it\'s, $HOME, "q"]\n'
    assert machine.run(of_file("train", "my env.yml", text)).returncode == 0
    assert machine.log.read_text().endswith(text)
    (tmp_path / "bin2").mkdir()
    (tmp_path / "bin2" / "conda-unpack").write_text("#!/bin/bash\ntouch unpacked\n")
    (tmp_path / "bin2" / "conda-unpack").chmod(0o755)
    subprocess.run(["tar", "-czf", "packed.tar.gz", "--transform=s/bin2/bin/", "bin2"], cwd=tmp_path, check=True)
    assert machine.run(packed("old", "https://example.com/old.tar.gz")).returncode == 0
    assert (tmp_path / "conda" / "envs" / "old" / "bin" / "conda-unpack").exists()
    assert (tmp_path / "unpacked").exists()
    assert "'b>2'" in of_packages("a", ["b>2"], ["c"])


@pytest.mark.parametrize("name", ["conda", "conda/2023-10-04", "conda3", "devel/conda", "bioconda"])
def test_environment_is_missing_from_a_conda_that_the_line_of_any_module_brings(
    told: Callable[..., driver.Result], name: str
) -> None:
    body = f"module load {name}\nconda activate train\npython x.py\n"
    for profile in ("", f"modules: {{'{name}': {{shell: by-module}}}}\n"):
        lacks = [each for found in told(profile, JOB + body, emit="mithril").diagnostics for each in found.lacks]
        assert ("environment", "train") in lacks


@pytest.mark.parametrize(
    ("profile", "body", "said"),
    [
        ("", "source ~/miniconda3/bin/activate train\n", [("environment", "train")]),
        ("", "source ~/miniconda3/bin/activate train\ncp ~/data/x .\n", [("environment", "train"), ("path", "~/data")]),
        (
            "",
            "source ~/miniconda3/bin/activate train\ncp ~/miniconda3/x .\n",
            [("path", "~/miniconda3"), ("environment", "train")],
        ),
        (
            "",
            "source ~/miniconda3/bin/activate\nconda activate train\n",
            [("environment", "train"), ("path", "~/miniconda3")],
        ),
        (LINE, "source ~/miniconda3/bin/activate train\n", []),
        ("", "source activate /proj/me/env\n", [("environment", "/proj/me/env")]),
        (AT, "source activate /proj/me/env\nconda activate $HOME/env\n", []),
        (AT, "/proj/me/env/bin/python x.py\n", []),
        (AT, "conda activate /proj/me/env\ncp /proj/me/x ~/y .\n", [("path", "/proj/me"), ("path", "~/y")]),
        (AT, "conda activate /proj/me/env\nconda activate /proj/me/b\n", [("environment", "/proj/me/b")]),
        (LINE, "/proj/me/conda/envs/train/bin/python x.py\n", []),
        (LINE, "/proj/me/conda/envs/train/bin/python x.py\ncat /proj/me/x\n", [("path", "/proj/me")]),
        (LINE, "source ~/miniconda3/bin/activate train\nconda activate b\n", [("environment", "b")]),
    ],
)
def test_conda_is_there_where_the_text_looks_for_it(
    told: Callable[..., driver.Result], profile: str, body: str, said: list[tuple[str, str]]
) -> None:
    found = {lack for each in told(profile, JOB + body, emit="mithril").diagnostics for lack in each.lacks}
    assert sorted(found) == sorted(said)


def test_environment_is_made_at_its_path(told: Callable[..., driver.Result], tmp_path: Path) -> None:
    (tmp_path / "env.yml").write_text("name: t\n")
    made = "conda: {/proj/me/env: {packages: numpy}, ~/lab/env: env.yml, /proj/p: 'https://example.com/p.tgz'}\n"
    body = "source activate /proj/me/env\nconda activate ~/lab/env\nconda activate /proj/p\n"
    found = job_of(told(made, JOB + body))
    assert found["environments"] == ["/proj/me/env", "~/lab/env", "/proj/p"]
    setup = found["setup"]
    assert "create -yq -r /opt/conda -p /proj/me/env --override-channels -c conda-forge numpy'" in setup
    assert (
        'cd\n/opt/micromamba/micromamba create -yq -r /opt/conda -p "$PWD"/lab/env -f /opt/conda/lab-env-env.yml\''
        in setup
    )
    assert "mkdir -p /proj/p\ncurl" in setup


def test_conda_is_found_in_folders_of_before(tmp_path: Path) -> None:
    """In those that are not there: what is mounted stays."""
    home, other, kept = tmp_path / "home", tmp_path / "proj" / "me" / "conda", tmp_path / "kept"
    home.mkdir()
    kept.mkdir()
    root = tmp_path / "opt"
    (root / "etc" / "profile.d").mkdir(parents=True)
    (root / "etc" / "profile.d" / "conda.sh").write_text("echo found\n")
    step = at(["~/lab/miniconda3", str(other), str(kept)]).replace("ln -s /opt/conda", f"ln -s {root}")
    script = f"{step}\n{step}\nsource ~/lab/miniconda3/etc/profile.d/conda.sh\nsource {other}/etc/profile.d/conda.sh\n"
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    run = subprocess.run(["bash", "-ec", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.returncode) == ("found\nfound\n", 0), run.stderr
    assert not kept.is_symlink()
