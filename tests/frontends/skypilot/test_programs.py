"""Programs that SkyPilot installs on its machines, and tasks call as their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from flowc import driver
from flowc.inputs import Inputs
from flowc.scripts.delivery import PROFILE
from flowc.source import Source
from tests.frontends.skypilot.reading import checked, jobs, names

BASE = "resources: {accelerators: H100:8}\n"
RUN, SETUP = BASE + "run: |\n  ", BASE + "run: 'true'\nsetup: |\n  "
INSTALLED = [
    RUN + "uv run train.py\n",
    RUN + "cd a && uvx ruff check\n",
    SETUP + "uv venv --python 3.11\n  uv pip install torch\n",
    SETUP + "export PATH=$HOME/.local/bin:$PATH\n  uv sync\n",
    SETUP + "source /opt/env.sh\n  uv sync\n",
    SETUP + "sudo apt-get install -y git && uv sync\n",
    SETUP + "pip install -r uv-requirements.txt; uv sync\n",
    BASE + "setup: |\n  sudo apt-get install -y git\nrun: |\n  uv run train.py\n",
]
NOT = [
    RUN + "python train.py --env=uv\n",
    RUN + "pip install uv && uv run train.py\n",
    BASE + "setup: pip install uv\nrun: uv run train.py\n",
    SETUP + "curl -LsSf https://astral.sh/uv/install.sh | sh\n  uv venv\n",
]


@pytest.mark.parametrize("task", INSTALLED)
def test_uv_is_installed_where_a_task_only_calls_it(task: str) -> None:
    (job,) = jobs(task)
    first, _, rest = job["setup"].partition("\n")
    assert first.startswith("command -v uv ")
    assert job["programs"] == ["uv", "uvx"]
    assert rest == yaml.safe_load(task).get("setup", "")
    found = [each for each in checked(task).diagnostics if each.code.name in ("program-installed", "command-missing")]
    assert [each.code.name for each in found] == ["program-installed"]
    span = found[0].span
    assert span.source.text[span.start : span.end] in ("uv", "uvx")


@pytest.mark.parametrize("task", NOT)
def test_what_a_task_brings_is_left_to_it(task: str) -> None:
    (job,) = jobs(task)
    assert "command -v uv" not in (job["setup"] or "")
    assert "program-installed" not in names(task)


@pytest.mark.parametrize("fails", [False, True])
def test_the_setup_brings_it_once_or_ends(fails: bool, tmp_path: Path) -> None:
    (job,) = jobs(SETUP + "uv venv\n")
    program = (
        "exit 1"
        if fails
        else f"echo $* >>calls; printf '#!/bin/sh\\necho uv $*\\n' >{tmp_path}/uv; chmod 755 {tmp_path}/uv"
    )
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "python3").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    for _ in range(2):
        done = subprocess.run(
            ["/bin/bash", "-c", job["setup"]], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True
        )
        wanted = (1, "", "flowc: cannot bring program uv\n") if fails else (0, "uv venv\n", "")
        assert (done.returncode, done.stdout, done.stderr) == wanted
    if not fails:
        assert (tmp_path / "calls").read_text() == "-m pip install -q uv\n"


CALLS_CONDA = [
    RUN + "conda activate base\n",
    RUN + "source activate base\n",
    SETUP + "conda create -n llm python=3.10 -y\n  conda activate llm\n  pip install vllm\n",
    SETUP + 'eval "$(conda shell.bash hook)"\n  conda install -y gxx\n',
    BASE + "setup: pip install numpy\nrun: conda env list\n",
    RUN + "source $(conda info --base)/etc/profile.d/conda.sh\n",
    RUN + ". ~/miniconda3/etc/profile.d/conda.sh\n",
    RUN + "sudo apt install -y wget; conda activate base\n",
    RUN + "conda install -y conda=24\n",
    RUN + "source $HOME/miniconda3/bin/activate\n",
    RUN + "# bash Miniconda3.sh -b\n  conda install -y -c conda-forge gxx\n",
]
HAS_CONDA = [
    RUN + "python train.py --env conda\n",
    SETUP + "bash Miniconda3-latest-Linux-x86_64.sh -b\n  conda create -n llm -y\n",
    BASE + "setup: bash Miniforge3.sh -b\nrun: conda activate base\n",
    BASE + "setup: curl -L micro.mamba.pm/install.sh | bash\nrun: . ~/miniconda3/bin/activate\n",
    BASE + "setup: curl -o i.sh https://repo.anaconda.com/x && bash i.sh -b\nrun: conda activate base\n",
    RUN + "command -v conda >/dev/null && conda activate base\n",
]


@pytest.mark.parametrize("task", CALLS_CONDA)
def test_conda_is_installed_where_a_task_only_calls_it(task: str) -> None:
    (job,) = jobs(task)
    assert job["setup"].startswith("command -v conda >/dev/null || {\n")
    assert job["setup"].endswith("}\n" + yaml.safe_load(task).get("setup", ""))
    assert job["programs"] == ["conda", "mamba", "activate"]
    kinds = ("program-installed", "command-missing", "environment-missing")
    found = [each for each in checked(task).diagnostics if each.code.name in kinds]
    assert [each.code.name for each in found] == ["program-installed"]
    assert "conda-forge" in found[0].message


@pytest.mark.parametrize("task", HAS_CONDA)
def test_conda_of_the_task_is_left_alone(task: str) -> None:
    assert "miniforge" not in (jobs(task)[0]["setup"] or "")
    assert "program-installed" not in names(task)


CALLS_DOCKER = [
    RUN + "docker run --gpus all a/b python train.py\n",
    SETUP + "sudo docker pull a/b\n",
    BASE + "setup: curl -o docker-compose https://a.b/c\nrun: |\n  cd app && docker compose up\n",
]
LEAVES_DOCKER = [
    RUN + "echo docker run\n",
    RUN + "./docker run\n",
    SETUP + "curl -fsSL https://get.docker.com | sh\n  docker pull a/b\n",
    SETUP + "sudo apt-get install -y docker.io\n  docker pull a/b\n",
]


@pytest.mark.parametrize("task", CALLS_DOCKER)
def test_docker_is_there_where_a_task_calls_it(task: str) -> None:
    """As on the machines of other clouds: with it, what gives containers the GPUs."""
    (job,) = jobs(task)
    assert job["setup"].startswith("type -P docker nvidia-container-runtime-hook >/dev/null || timeout ")
    assert "add docker docker.io\n" in job["setup"]
    assert "program-installed" in names(task)
    assert subprocess.run(["/bin/bash", "-n"], input=job["setup"], text=True).returncode == 0


@pytest.mark.parametrize("task", LEAVES_DOCKER)
def test_docker_of_the_task_is_left_alone(task: str) -> None:
    assert "nvidia-container" not in (jobs(task)[0]["setup"] or "")


@pytest.mark.parametrize("image", [False, True])
def test_skypilots_scripts_for_ray_are_there(image: bool) -> None:
    head = BASE.replace("}", ", image_id: 'docker:a/b'}") if image else BASE
    task = head + "setup: echo one\nrun: |\n  ~/sky_templates/ray/start_cluster\n  python train.py\n"
    (job,) = jobs(task)
    assert "skypilot==0.14.1" in job["setup"]
    assert "command -v uv" in job["setup"]
    assert not {"cluster-path", "command-missing", "skypilot-variable-not-set"}.intersection(
        each.code.name for each in checked(task).diagnostics
    )
    (script,) = driver.compile(Source("a.yaml", task), Inputs(), emit="script", frontend="skypilot").artifacts
    assert "SKYPILOT_NODE_RANK=0" in script.text
    assert "SKYPILOT_NUM_GPUS_PER_NODE=8" in script.text


def test_both_are_installed() -> None:
    (job,) = jobs(SETUP + "conda create -n a -y\n  uv pip install x\n")
    assert job["programs"] == ["uv", "uvx", "conda", "mamba", "activate"]
    places = [job["setup"].index(f"command -v {name}") for name in ("conda", "uv")]
    assert max(places) < job["setup"].index("conda create -n a")


# What stands in for the installer, with the parts of conda that shells see.
INSTALLER = r"""
[ "$*" = "-b -p $HOME/miniconda3" ] || exit 9
echo installed >>$HOME/calls
mkdir -p ~/miniconda3/bin ~/miniconda3/envs ~/miniconda3/etc/profile.d
cat >~/miniconda3/etc/profile.d/conda.sh <<'E'
export CONDA_EXE=$HOME/miniconda3/bin/conda
[ -n "${CONDA_SHLVL+x}" ] || export CONDA_SHLVL=0 PATH=$HOME/miniconda3/condabin:$PATH
conda() {
    case $1 in
    activate) _conda_enter "${2-base}" ;;
    *) "$CONDA_EXE" "$@" ;;
    esac
}
_conda_enter() {
    local to=$HOME/miniconda3/envs/$1
    [ "$1" != base ] || to=$HOME/miniconda3
    [ -d "$to" ] || { echo "EnvironmentNameNotFound: $1" >&2; return 1; }
    PATH=${PATH#"${CONDA_PREFIX-}/bin:"}
    export CONDA_PREFIX=$to PATH=$to/bin:$PATH
}
E
cat >~/miniconda3/bin/conda <<'E'
#!/bin/bash
case $1 in
shell.bash) cat $HOME/miniconda3/etc/profile.d/conda.sh; echo 'conda activate base' ;;
init) printf '# >>> conda initialize >>>\neval "$($HOME/miniconda3/bin/conda shell.bash hook)"\n' >>$HOME/.bashrc ;;
create)
    mkdir -p $HOME/miniconda3/envs/$3/bin
    printf '#!/bin/sh\necho python of '$3'\n' >$HOME/miniconda3/envs/$3/bin/python
    chmod 755 $HOME/miniconda3/envs/$3/bin/python
    ;;
esac
E
printf '#!/bin/sh\necho python of base\n' >~/miniconda3/bin/python
chmod 755 ~/miniconda3/bin/*
"""
UBUNTU = '# If not running interactively\n[ -z "$PS1" ] && return\ncase $- in *i*) ;; *) return ;; esac\n'


def _machine(folder: Path) -> dict[str, str]:
    """A home folder and a PATH with what stands in for the network."""
    programs = folder / "programs"
    programs.mkdir()
    (folder / ".bashrc").write_text(UBUNTU)
    (folder / "installer").write_text(INSTALLER)
    curl = f'[ "$1" = -fsSLo ] && [ ! -e {folder}/offline ] && cp {folder}/installer $2\n'
    hashed = 'read -r hash name; [ ${#hash} = 64 ] && [ -e "$name" ]\n'
    for name, text in (("curl", curl), ("sha256sum", hashed)):
        (programs / name).write_text(f"#!/bin/bash\n{text}")
        (programs / name).chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder)}


def _bash(text: str, folder: Path, env: dict[str, str]) -> tuple[int, str, str]:
    (folder / "text").write_text(text)
    done = subprocess.run(["/bin/bash", "text"], cwd=folder, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_setup_and_run_enter_environments_as_on_skypilots_machines(tmp_path: Path) -> None:
    """The base environment is active in both; what the setup makes the run enters, and so do scripts that it starts."""
    task = BASE + (
        "setup: |\n  python\n  conda activate llm\n  if [ $? -ne 0 ]; then\n    conda create -n llm -y\n"
        "    conda activate llm\n  fi\n  python\n"
        "run: |\n  python\n  conda activate llm\n  python\n  bash child.sh\n"
    )
    (job,) = jobs(task)
    env = _machine(tmp_path)
    (tmp_path / "child.sh").write_text("conda activate base && python\n")
    for second in (False, True):
        status, out, said = _bash(job["setup"], tmp_path, env)
        assert (status, out) == (0, "python of base\npython of llm\n")
        assert said == ("" if second else "EnvironmentNameNotFound: llm\n")
    assert (tmp_path / "calls").read_text() == "installed\n"
    assert (tmp_path / ".bashrc").read_text().count("conda initialize") == 1
    out = "python of base\npython of llm\npython of base\n"
    assert _bash(PROFILE + job["run"]["text"], tmp_path, env) == (0, out, "")


def test_what_cannot_be_fetched_ends_the_job(tmp_path: Path) -> None:
    (job,) = jobs(RUN + "conda env list\n")
    env = _machine(tmp_path)
    (tmp_path / "offline").touch()
    assert _bash(job["setup"], tmp_path, env) == (1, "", "flowc: cannot bring program conda\n")
    assert not (tmp_path / "miniconda3").exists()


@pytest.mark.parametrize(
    ("source", "sees"),
    [
        ("source ~/.bashrc", True),
        (". $HOME/.bashrc", True),
        ("true && source ${HOME}/.profile", True),
        ("# source ~/.bashrc", False),
        ("echo source ~/.bashrc", False),
    ],
)
def test_what_a_text_installs_is_seen_where_it_sources_bashrc(source: str, sees: bool, tmp_path: Path) -> None:
    """SkyPilot runs `bash -i`, for whose sake ~/.bashrc is read to its end."""
    task = SETUP + f"echo 'NEW=installed' >>~/.bashrc\n  {source}\n  echo \"$NEW\"\n"
    (job,) = jobs(task)
    env = _machine(tmp_path)
    (tmp_path / ".profile").write_text("[ ! -f ~/.bashrc ] || . ~/.bashrc\n")
    for _ in range(2):
        status, out, said = _bash(job["setup"], tmp_path, env)
        assert (status, out.split("\n")[-2], said) == (0, "installed" if sees else "", "")
    (run,) = jobs(RUN + f"{source}\n")
    assert bool(run["setup"]) is sees


def test_setup_and_run_see_what_an_image_has_in_bashrc() -> None:
    task = BASE.replace("}", ", image_id: 'docker:a/b'}") + "setup: echo one\nrun: echo two\n"
    script = driver.compile(Source("a.yaml", task), Inputs(), emit="script", frontend="skypilot").artifacts[0].text
    assert f"{PROFILE}echo one\n" in script
    assert f"{PROFILE}echo two\n" in script
