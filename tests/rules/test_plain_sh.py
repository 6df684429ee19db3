"""What only bash understands in a script for `/bin/sh` is told; what dash reads as bash does is not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/sh\n#SBATCH --gpus-per-node=h100:8 --time=10\n"


def told(body: str, head: str = HEAD) -> list[str]:
    found = flowc.check(Source("job.sbatch", head + body), Inputs(flags=Flags(budget="99"))).diagnostics
    return [each.span.text for each in found if each.code.name == "bash-in-sh" and each.span is not None]


def said(shell: str, body: str, folder: Path) -> tuple[bytes, int]:
    done = subprocess.run([shell, "-c", body], capture_output=True, cwd=folder)
    return done.stdout, done.returncode


BASH = {
    "sleep 0.3 &> f; cat f; echo b &>> f; cat f; [ $(wc -l <f) = 1 ]\n": "&>",
    "[[ a = a ]] && echo y\n": "[[",
    "if [[ a = a ]]; then echo y; fi\n": "[[",
    "echo echo a > x; source ./x\n": "source",
    "cat <<<a\n": "<<<",
    "cat <(echo a)\n": "<(",
    "a=(1 2); echo ${a[1]}\n": "a=(",
    'x=abc; echo "${x//b/c}"\n': "${x//b",
    "x=abc; echo ${x:1}\n": "${x:1",
    "x=a; echo ${x^^}\n": "${x^",
    "i=1; ((i++)); echo $i\n": "((",
    "for i in {1..3}; do echo $i; done\n": "{1..3}",
    "set -euo pipefail\necho a\n": "set -euo pipefail",
    "[ a == a ] && echo y\n": "== ",
    "function f { echo a; }\nf\n": "function ",
    "let x=1+1; echo $x\n": "let",
}
BOTH = [
    "echo a >f 2>&1; cat f\n",
    "echo echo a > x; . ./x\n",
    "echo '[[ a ]]' \"&> f\" 'a=(1)'\n",
    "# [[ x ]] {1..3}\nawk 'BEGIN { a[1]=(2); if (a[1] == 2) print \"{1..2}\" }'\n",
    "x=$((1 + 2)); echo ${x:-1} ${x%a} ${x#b} ${x:+c}\n",
    "(echo a); ( (echo b) )\n",
    "bash -c 'a=(1 2); echo ${a[1]}'\n",
    "cat <<E\n[[ a ]] {1..3}\nE\n",
    "f() { echo a; }; f\n",
    "python3 -c 'print([1] == [1])'\n",
    "echo a & wait\n",
    "case a in a|b) echo x;; esac\n",
]


@pytest.mark.parametrize("body", BASH)
def test_told(body: str, tmp_path: Path) -> None:
    assert told(body) == [BASH[body]]
    assert told(body, HEAD.replace("/bin/sh", "/bin/bash")) == []
    if shutil.which("dash"):
        assert said("dash", body, tmp_path) != said("bash", body, tmp_path)


@pytest.mark.parametrize("body", BOTH)
def test_silent(body: str, tmp_path: Path) -> None:
    assert told(body) == []
    if shutil.which("dash"):
        assert said("dash", body, tmp_path) == said("bash", body, tmp_path)


def test_a_text_that_changes_its_shell_is_left_alone() -> None:
    assert told('[ -n "$BASH_VERSION" ] || exec bash "$0"\n[[ a ]] && echo b\n') == []
    assert told("[[ a ]]\n", HEAD.replace("/bin/sh", "/usr/bin/env sh")) == ["[["]
