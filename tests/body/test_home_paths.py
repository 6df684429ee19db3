"""What a job's text reads in a home folder that is new."""

from __future__ import annotations

import pytest

from flowc.body.paths.home import home_paths
from flowc.ir.job import Mount
from tests.scripts.jobs import unit

FOUND = {
    "source ~/miniconda3/etc/profile.d/conda.sh\nconda activate x\n": ["~/miniconda3"],
    'source "$HOME/.venv/bin/activate"\n. ${HOME}/env.sh\n': ["$HOME/.venv", "${HOME}/env.sh"],
    "cd ~/project && python train.py\n": ["~/project"],
    "srun ~/bin/tool ~/out\npython -u $HOME/code/a.py\n": ["~/bin", "$HOME/code"],
    "cp -r ~/data $TMPDIR\nrsync -a $TMPDIR/x ~/results\ncd ~/results\n": ["~/data"],
    "if ! source ~/env.sh; then exit 1; fi\n": ["~/env.sh"],
    "srun bash ~/run.sh\necho $(~/bin/pick)\n": ["~/run.sh", "~/bin"],
    "export PATH=$HOME/anaconda3/bin:$PATH\nsource activate x\n": ["$HOME/anaconda3"],
    "singularity exec --nv -B ~/data:/data $HOME/img/a.sif python a.py ~/out\n": ["~/data", "$HOME/img"],
    "srun apptainer exec ~/a.sif python a.py\n": ["~/a.sif"],
    "apptainer pull ~/a.sif docker://a\napptainer exec ~/a.sif python a.py\n": [],
    # What a new home folder has, what is made, asked for or only told.
    "VENV=$HOME/v\npython3 -m venv $VENV\nsource $VENV/bin/activate\n": [],
    "export D=$HOME/x\n[ -d $D ] || git clone https://host/x $D\ncd $D\n": [],
    "C=$HOME/miniconda3\nbash inst.sh -b -p $C\nsource $C/bin/activate\n": [],
    "OUT=~/out\npython a.py --out $OUT\ncd $OUT\n": [],
    "D=$HOME/x\nD=/tmp\ncd $D\n": [],
    "export PATH=$HOME/.local/bin:$HOME/bin:$PATH\npython a.py\n": [],
    "export PATH=$PATH:$HOME/mc/bin\nconda -V || bash inst.sh -b -p ~/mc\nconda -V\n": [],
    "echo $HOME/a\nX=$HOME/a\n": [],
    "source ~/.bashrc\n. $HOME/.profile\ncd ~/.cache\n": [],
    "git clone https://host/project.git ~/project\ncd ~/project\n": [],
    "cd\ngit clone https://host/project\ncd ~/other\n": [],
    "cd $HOME\n~/x\n": [],
    "mkdir -p ~/out\ncd ~/out\n": [],
    "python3 -m venv ~/v && source ~/v/bin/activate\n": [],
    "curl -LsSf https://astral.sh/uv/install.sh | sh\nsource $HOME/.cargo/env\nsource ~/.local/bin/env\n": [],
    "bash Miniconda3.sh -b -p $HOME/miniconda3\nsource ~/miniconda3/bin/activate\n": [],
    "if [ -f ~/env.sh ]; then source ~/env.sh; fi\n[[ -d ~/x ]] && cd ~/x\n": [],
    "echo cd ~/project\ncat <<EOF\nsource ~/env.sh\nEOF\n# cd ~/project\n": [],
    "python a.py --out ~/results\nls > ~/list\ncd ~/results\nsource ~/list\n": [],
    "export OUT=$HOME/out HF_HOME=~/hf\npython a.py\n": [],
    "export HOME=/tmp/x\ncd ~/project\n": [],
    "cd ~other/project; cd ~/$NAME; ls $HOMEWORK/x\n": [],
    "docker run -v ~/data:/data app\n": [],
}


# Where a variable names it.
BY_VARIABLES = {
    "VENV=$HOME/envs/a\nsource $VENV/bin/activate\n": {"~/envs": "$VENV/bin/activate"},
    'J="$HOME/julia"\nP=${HOME}/dev/x\n"$J" $P/run.jl\n': {"~/julia": '"$J"', "~/dev": "$P/run.jl"},
    "ROOT=~/proj\nexport CODE=$ROOT/code\ncd ${CODE}/src\n": {"~/proj": "${CODE}/src"},
}


@pytest.mark.parametrize("text", BY_VARIABLES)
def test_what_a_variable_names(text: str) -> None:
    job = unit(f"#!/bin/bash\n{text}").job
    found = home_paths(job)
    assert {name: (job.run.text or "")[slice(*place)] for name, place in found.items()} == BY_VARIABLES[text]


def test_a_word_goes_on_behind_quotes() -> None:
    text = 'cp "$HOME"/data/x ${HOME}"/more/y" .\nmkdir "$HOME"/out\ncd $HOME/out\n'
    assert [*home_paths(unit(f"#!/bin/bash\n{text}").job)] == ["~/data", "~/more"]


@pytest.mark.parametrize("text", FOUND)
def test_what_a_new_home_folder_lacks(text: str) -> None:
    job = unit(f"#!/bin/bash\n{text}").job
    found = home_paths(job)
    assert [(job.run.text or "")[slice(*place)] for place in found.values()] == FOUND[text]
    assert list(found) == [path.replace("$HOME", "~").replace("${HOME}", "~") for path in FOUND[text]]


def test_what_the_job_mounts_or_prepares_is_there() -> None:
    text = "#!/bin/bash\ncd ~/data/x\n. ~/env.sh\n"
    mount = Mount(kind="bucket", source="s3://b/me", target="~/data")
    assert list(home_paths(unit(text, mounts=(mount,)).job)) == ["~/env.sh"]
    assert list(home_paths(unit(text, mounts=(mount.replace(target="/root/data"),)).job)) == ["~/env.sh"]
    assert not home_paths(unit(text, setup="aws s3 sync s3://b/y ~/data\ntouch ~/env.sh\n").job)
    assert not home_paths(unit(text, image="a").job)
    assert not home_paths(unit(text, env=(("HOME", "/workspace"),)).job)
    job = unit(text).job
    assert not home_paths(job.replace(run=job.run.replace(interpreter="/usr/bin/perl")))
