"""Ignore files of other programs, as they themselves read them."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from flowc.trees.walk import TreeError, scan
from tests.trees.test_trees import git, make, names

SKY = """\
# what rsync makes of it
*.log
x/y/a.tmp
;not this
!neg
build/***
cache/
/t
/only/here
sp\x20
!
[a-c]?z
**/deep/*.bin
[!q]w
back\\slash
"""


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs Debian's package rsync")
def test_skyignore_is_read_as_skypilot_has_rsync_read_it(tmp_path: Path) -> None:
    source, there = tmp_path / "source", tmp_path / "there"
    make(
        source,
        *("a.log", "x/1.log", "x/y/a.tmp", "z/x/y/a.tmp", "x/y/b.tmp", "y/a.tmp", "#c", ";not this", "!neg", "n/!neg"),
        *("build/f", "x/build/sub/f", "cache/f", "x/cache", "t", "x/t", "only/here", "x/only/here", "sp ", "sp", "!"),
        *("axz", "x/cyz", "dxz", "xz", "deep/1.bin", "x/deep/1.bin", "x/deep/n/1.bin", "qw", "ww", "back\\slash"),
        *("ignored.py", "x/.gitignore", "sub/a.txt", "sub/keep", "sub/n/a.txt", "a.txt", "repo/.git/x", "repo/r.log"),
    )
    (source / ".skyignore").write_text(SKY)
    (source / "sub/.skyignore").write_text("/a.txt\nn/*\n")
    (source / ".gitignore").write_text("ignored.py\nsub/\n")
    git(source, "init", "-q")
    (source / ".flowcignore").write_text("qw\n")
    subprocess.run(["rsync", "-a", "--filter=dir-merge,- .skyignore", f"{source}/", there], check=True)
    expected = {
        os.path.relpath(os.path.join(place, name), there)
        for place, _, files in os.walk(there)
        for name in files
        if ".git" not in place.split("/")
    }
    found = {os.fsdecode(path) for path, mode, *_ in scan(str(source), ".skyignore").entries if stat.S_ISREG(mode)}
    assert found == expected - {"qw"}  # and what flowc's own leaves out
    assert "ignored.py" in found
    # Nothing of this holds for others, nor where the folder has none.
    assert "ignored.py" not in names(source)
    (source / ".skyignore").unlink()
    assert scan(str(source), ".skyignore") == scan(str(source))


def test_ignore_files_need_git_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "env").symlink_to(str(shutil.which("env")))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a").write_text("a\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert [path for path, *_ in scan(str(tmp_path / "code")).entries if path] == [b"a"]
    (tmp_path / "code" / ".flowcignore").write_text("b\n")
    with pytest.raises(TreeError, match="is not known") as caught:
        scan(str(tmp_path / "code"))
    assert "install git" in (caught.value.help or "")
