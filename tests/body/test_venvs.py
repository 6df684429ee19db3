"""Virtual environments of Python in a job's text: which it enters that nothing has made."""

from __future__ import annotations

import pytest

from flowc.body.venvs import missing_venvs, used_venvs
from flowc.ir.job import Job, Mount, Run, SourceInfo


def job_of(text: str, setup: str | None = None, **fields: object) -> Job:
    source = SourceInfo(frontend="slurm", path="x", sha256="")
    run = Run(kind="script", interpreter="/bin/bash", text=text)
    return Job(name="x", source=source, run=run, setup=setup).replace(**fields)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("source ~/venvs/train/bin/activate\n", ["~/venvs/train"]),
        ('. "$HOME/env/bin/activate"\n. ${HOME}/.envs/x/bin/activate\n', ["~/env", "~/.envs/x"]),
        ("source venv/bin/activate && python x.py\n", ["venv"]),
        ("source ./venv/bin/activate\nsource ../env/bin/activate\n", ["venv", "../env"]),
        (
            "source $SLURM_SUBMIT_DIR/.venv/bin/activate\n. `pwd`/a/bin/activate\n. $(pwd)/b/bin/activate\n",
            [".venv", "a", "b"],
        ),
        ("source /proj/me/env/bin/activate\n", ["/proj/me/env"]),
        # Where the text is by then.
        ("cd ..\nsource env/bin/activate\n", ["../env"]),
        ("cd /proj/me\nsource env/bin/activate\n", ["/proj/me/env"]),
        ("cd /proj/me\ncd $SLURM_SUBMIT_DIR\nsource env/bin/activate\n", ["env"]),
        ("cd $WHERE\nsource env/bin/activate\nsource /proj/e/bin/activate\n", ["/proj/e"]),
        ("(cd /proj/me && source env/bin/activate)\nsource b/bin/activate\n", ["/proj/me/env", "b"]),
        # By variables.
        ("ROOT=~/.virtualenvs\nNAME=train\nsource $ROOT/$NAME/bin/activate\n", ["~/.virtualenvs/train"]),
        ('export ROOT="$PWD/envs"\ncd /proj\nsource ${ROOT}/x/bin/activate\n', ["envs/x"]),
        ("source $SOMEWHERE/bin/activate\nsource /home/$USER/env/bin/activate\n", []),
        ("V=$(mktemp -d)\nsource $V/bin/activate\n", []),
        # What the text makes.
        ("python3 -m venv env\nsource env/bin/activate\n", []),
        ("virtualenv --no-download $SLURM_TMPDIR/env\nsource $SLURM_TMPDIR/env/bin/activate\n", []),
        ("python -m venv ~/venvs/train --clear\nsource ~/venvs/train/bin/activate\n", []),
        ("source env/bin/activate\npython3 -m venv env\n", ["env"]),
        ("[ -d env ] || python3 -m venv env\nsource env/bin/activate\n", []),
        ("cp -r ~/env .\nsource env/bin/activate\n", []),
        ("tar xf env.tgz\nsource env/bin/activate\n", []),
        ("git clone https://example.com/x .\nsource env/bin/activate\n", []),
        ("uv sync\nsource .venv/bin/activate\n", []),
        ("bash setup.sh\nsource env/bin/activate\n", []),
        ("source ./modules.sh\nsource env/bin/activate\n", []),
        ("source /etc/profile.d/modules.sh\nsource ~/.bashrc\nsource env/bin/activate\n", ["env"]),
        ("echo python3 -m venv env\nsource env/bin/activate\n", ["env"]),
        # What is none.
        ("source ~/anaconda3/bin/activate\nsource ~/env/bin/activate train\nsource activate x\n", []),
        ("# source env/bin/activate\necho source env/bin/activate\n", []),
        ("source /usr/local/env/bin/activate\nsource /opt/env/bin/activate\n", ["/opt/env"]),
    ],
)
def test_environments_that_a_text_enters(text: str, paths: list[str]) -> None:
    found = missing_venvs(job_of(text))
    assert [*found] == paths
    assert all(text[slice(*place)].strip("\"'").endswith("/bin/activate") for place in found.values())


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, True),
        ({"setup": "python3 -m venv /proj/env\n"}, False),
        ({"setup": "apt-get install -y python3-venv\n"}, True),
        ({"setup": "git clone https://example.com/x\n"}, False),
        ({"mounts": (Mount(kind="git", source="https://example.com/x", target="/proj"),)}, False),
        ({"mounts": (Mount(kind="scratch", source="x", target="/proj"),)}, True),
        ({"venvs": ("/proj/env",)}, False),
        ({"image": "ubuntu"}, False),
        ({"env": (("PROJ", "/proj"),)}, True),
    ],
)
def test_what_brings_one(fields: dict[str, object], missing: bool) -> None:
    text = "source $PROJ/env/bin/activate\n" if "env" in fields else "source /proj/env/bin/activate\n"
    assert [*missing_venvs(job_of(text, **fields))] == (["/proj/env"] if missing else [])


def test_texts_within_are_read() -> None:
    text = "srun bash -c 'source ~/env/bin/activate; python x.py'\nsource b/bin/activate\n"
    assert used_venvs(job_of(text)) == ({"~/env", "b"}, set())


def test_programs_of_one_are_called_by_their_paths() -> None:
    text = "E=~/env\npython3 -m venv made\nmade/bin/pip list\nsrun $E/bin/python x.py\nb/bin/python y.py\n"
    assert used_venvs(job_of(text)) == (set(), {"~/env", "b"})
