"""Paths at which the tree of job files itself was: as `flowc profile init` finds them, as a profile brings them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowc.cli import main
from flowc.cli.commands.profile.places import own_places
from flowc.diag.sink import Sink
from flowc.profile import load

AT = "/proj/lab/me/code"
USER = "/home" + "/me"
HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("src/train.py", "src/test.py", "env.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def places(tree: Path, *texts: str) -> dict[str, tuple[str, int]]:
    names = []
    for number, text in enumerate(texts):
        names.append(f"{number}.sh")
        (tree / names[-1]).write_text(HEAD + text)
    found = own_places({name: ["/proj/lab"] for name in names}, ["."])
    return {path: (folder, len(files)) for path, (folder, files) in found.items()}


@pytest.mark.parametrize(
    "text",
    [
        f"cd {AT}\npython {AT}/src/train.py\n. {AT}/env.sh\n",
        f'export CODE="{AT}"\ncd $CODE/src\npython ${{CODE}}/src/train.py; python $CODE/src/test.py > {AT}/log.txt\n',
        f"python {AT}/src/train.py --output_dir={AT}/out\nmkdir -p {AT}/logs\n[ -f {AT}/.env ] || . {AT}/env.sh\n",
        f"# sh {AT}/gone.sh\nsh {AT}/env.sh; python {AT}/src/test.py\ncat /other/lab/x\n",
    ],
)
def test_what_scripts_read_there_is_in_the_tree(text: str, tree: Path) -> None:
    assert places(tree, text) == {AT: (str(tree), 1)}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("cd ~/git/model && python $HOME/git/model/src/train.py\n", "~/git/model"),
        (f"cd {USER}/model/src\npython train.py\n", f"{USER}/model"),
        ("cd $HOME/model\n", "~/model"),
        ("python ~/git/code/src/train.py; . ${HOME}/git/code/env.sh\n", "~/git/code"),
        ("cd ~/git/model && python ~/git/model/src/gone.py\n", None),
        ("cd ~/git/other && python ~/git/other/src/train.py\n", None),
    ],
)
def test_tree_in_a_home_folder(text: str, place: str | None, tree: Path) -> None:
    (tree / "model").mkdir()
    for name in ("src", "env.sh"):
        (tree / name).rename(tree / "model" / name)
    (tree / "0.sh").write_text(HEAD + text)
    found = own_places({"0.sh": ["~/git", "~/model", USER]}, ["model"])
    assert [*found] == ([place] if place else [])


@pytest.mark.parametrize(
    "text",
    [
        f"python {AT}/src/train.py\n",  # one name may be there by chance
        f"python {AT}/src/train.py {AT}/data/x; . {AT}/env.sh\n",
        f"python {AT}/src/train.py {AT}/in$1; . {AT}/env.sh\n",
        f"python {AT}/src/train.py {AT}/*.txt; . {AT}/env.sh\n",
        f"D={AT}/data\npython {AT}/src/train.py $D/x; . {AT}/env.sh\n",
        "cd /proj/lab; python src/train.py; . env.sh\n",
    ],
)
def test_what_is_not_all_in_the_tree_stays_missing(text: str, tree: Path) -> None:
    assert places(tree, text) == {}


def test_what_another_file_misses_there_counts(tree: Path) -> None:
    found = f"python {AT}/src/train.py\n. {AT}/env.sh\n"
    assert places(tree, found, f"cd {AT}\n") == {AT: (str(tree), 2)}
    assert places(tree, found, f"ls {AT}/data\n") == {}


def test_line_is_written_and_frees(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "jobs").mkdir()
    (tree / "jobs" / "a.sh").write_text(f"{HEAD}cd {AT}\npython {AT}/src/train.py\nsource {AT}/env.sh\n")
    (tree / "jobs" / "b.sh").write_text(f"{HEAD}cp /proj/lab/data/x .\n")
    assert main(["profile", "init", "."]) == 0
    assert b"of 2, 0 lack nothing, 1 with what is filled in" in capsysbinary.readouterr().out
    written: dict[str, Any] = yaml.safe_load(Path(".flowc/profile.yaml").read_text())
    assert written["paths"] == {AT: "."}
    assert "  # /proj: volume://NAME\n" in Path(".flowc/profile.yaml").read_text()
    main(["check", "--format=json", "jobs"])
    told = json.loads(capsysbinary.readouterr().out)["diagnostics"]
    assert [Path(each["path"]).name for each in told if each["code"] == "FC820"] == ["b.sh"]


@pytest.mark.parametrize(("source", "expected"), [(".", ""), ("./sub", "sub"), ("../x/y", "../x/y")])
def test_folders_are_seen_from_the_profile(source: str, expected: str, tree: Path) -> None:
    (tree / ".flowc").mkdir()
    (tree / ".flowc" / "profile.yaml").write_text(f"paths: {{/proj/a: {source}}}\n")
    (tree / "deep").mkdir()
    os.chdir(tree / "deep")
    loaded = load("../.flowc/profile.yaml", Sink())
    assert loaded is not None
    assert loaded.places[0].mount.source == os.path.normpath(tree / expected)


def test_tree_beside_which_something_is_missing_is_part_of_that(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Nothing can be mounted in a volume."""
    (tree / "a.sbatch").write_text(f"{HEAD}python {AT}/src/train.py {AT}/src/test.py\n")
    assert main(["profile", "init", "-o", "-", "."]) == 0
    assert yaml.safe_load(capsysbinary.readouterr().out)["paths"] == {AT: "."}
    (tree / "b.sbatch").write_text(f"{HEAD}python {AT}/src/train.py /proj/lab/data/x\n")
    assert main(["profile", "init", "-o", "-", "."]) == 0
    captured = capsysbinary.readouterr()
    assert b"the tree itself was at " in captured.out
    assert b"# /proj: volume://NAME\n" in captured.out
    assert b"of 2, 0 lack nothing\nfill in this line, and 2 of 2 lack nothing:" in captured.err
