from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from flowc.cli.commands import all_commands
from flowc.cli.completion import bash, fish, zsh
from flowc.cli.table import Command
from flowc.diag.codes.table import all_codes
from flowc.driver import completed

Maker = Callable[[tuple[Command, ...], Mapping[str, tuple[str, ...]]], str]
Program = Callable[[str, str], str]

KNOWN = {**completed(), "codes": tuple(word for code in all_codes() for word in (code.id, code.name))}

# Words of a command line, the last one unfinished, and what a shell should offer for it.
CASES = [
    (("c",), {"compile", "check", "cancel", "catalog", "completion"}),
    (("compile", "--emit", "p"), {"plan"}),
    (("compile", "--em"), {"--emit"}),
    (("check", "--format", "s"), {"sarif"}),
    (("check", "jo"), {"job.sbatch"}),
    (("completion", "z"), {"zsh"}),
    (("schema", "t"), {"task"}),
    (("check", "--from", "k"), {"k8s"}),
    (("compile", "--moun"), {"--mount"}),
    (("compile", "--output", "fo"), {"folder"}),
    (("submit", "--priority", "h"), {"high"}),
    (("compile", "-i", "8xh1"), {"8xh100"}),
    (("compile", "--instance-type", "1xa"), {"1xa100"}),
    (("submit", "--region", "us-central2"), {"us-central2-a", "us-central2-b"}),
    (("check", "--select", "FC82"), {"FC820", "FC821", "FC822", "FC823"}),
    (("check", "--ignore", "FC820,cluster-pa"), {"FC820,cluster-path"}),
    (("explain", "cluster-pa"), {"cluster-path"}),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "job.sbatch").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_bash_completes(place: Path, words: tuple[str, ...], offered: set[str]) -> None:
    line = " ".join(f"'{word}'" for word in ("flowc", *words))
    made = bash(all_commands(), KNOWN)
    script = f'{made}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _flowc; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script], cwd=place, capture_output=True, text=True, check=True)
    assert {word.rstrip("/") for word in done.stdout.split()} == offered
    assert done.stderr == ""


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_fish_completes(place: Path, program: Program, words: tuple[str, ...], offered: set[str]) -> None:
    script = f'{fish(all_commands(), KNOWN)}\ncomplete -C "flowc {" ".join(words)}"'
    done = subprocess.run(
        [program("fish", "fish"), "--no-config", "-c", script],
        cwd=place,
        env={"HOME": str(place), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split("\t")[0].rstrip("/") for line in done.stdout.splitlines()} == offered


def test_zsh_takes_the_script_and_knows_the_command(place: Path, program: Program) -> None:
    script = f"autoload -U compinit; compinit -D -u\n{zsh(all_commands(), KNOWN)}\nprint $_comps[flowc]"
    done = subprocess.run(
        [program("zsh", "zsh"), "-f", "-c", script], cwd=place, capture_output=True, text=True, check=True
    )
    assert done.stdout == "_flowc\n"
    assert done.stderr == ""


@pytest.mark.parametrize("shell", [bash, zsh, fish])
def test_every_option_is_offered(shell: Maker) -> None:
    text = shell(all_commands(), KNOWN)
    for command in all_commands():
        for option in command.options:
            assert option.name.lstrip("-") in text
