"""The commit that machines clone: what is checked out here, if it is all there is and they can have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowc.trees.commit import commit_here
from flowc.trees.walk import TreeError
from tests.trees.repositories import git, push, repository, serving, with_submodules


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as found:
        yield found


def test_what_is_committed_and_pushed(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder = repository(tmp_path / "code", served)
    (folder / "a.log").write_text("ignored\n")
    found = commit_here(str(folder / "sub"), token=False)
    assert found.url == f"{served[1]}/code.git"
    assert (found.commit, found.folder, found.submodules) == (git(folder, "rev-parse", "HEAD"), "sub", False)
    assert commit_here(str(folder), token=False).folder == ""


def test_what_differs_is_named(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder = repository(tmp_path / "code", served)
    (folder / "sub" / "train.py").write_text("print('changed')\n")
    (folder / "new\nname").write_text("")
    with pytest.raises(TreeError, match=r"sub/train\.py \(changed\), new\nname \(new\)") as caught:
        commit_here(str(folder), token=False)
    assert "--code ." in (caught.value.help or "")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a change")
    with pytest.raises(TreeError, match=r"not on origin yet: `\w+ a change`"):
        commit_here(str(folder), token=False)
    push(folder, served[0] / "code.git")
    assert commit_here(str(folder), token=False).commit == git(folder, "rev-parse", "HEAD")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(TreeError, match="nothing is committed yet"):
        commit_here(str(tmp_path), token=False)


def test_private_remotes_need_a_token(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder = repository(tmp_path / "code", served, "private.git")
    with pytest.raises(TreeError, match="nobody can without logging in") as caught:
        commit_here(str(folder), token=False)
    assert "--secret GIT_TOKEN" in (caught.value.help or "")
    assert commit_here(str(folder), token=True).url == f"{served[1]}/private.git"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("git@github.com:org/name.git", "https://github.com/org/name.git"),
        ("ssh://git@git.example.org:2222/org/name", "https://git.example.org/org/name"),
        ("https://me:hush@example.org/org/name.git", "https://example.org/org/name.git"),
        ("https://me:hu@sh@example.org/org/name.git", "https://example.org/org/name.git"),
        ("https://example.org:8443/name", "https://example.org:8443/name"),
    ],
)
def test_addresses_are_those_that_need_no_key_and_hold_none(
    tmp_path: Path, served: tuple[Path, str], address: str, url: str
) -> None:
    folder = repository(tmp_path / "code", served)
    git(folder, "remote", "set-url", "origin", address)
    assert commit_here(str(folder), token=True).url == url


def test_what_no_machine_can_have(tmp_path: Path, served: tuple[Path, str]) -> None:
    with pytest.raises(TreeError, match="not a git repository"):
        commit_here(str(tmp_path), token=False)
    folder = repository(tmp_path / "code", served)
    git(folder, "remote", "set-url", "origin", str(served[0] / "code.git"))
    with pytest.raises(TreeError, match="a path of this computer"):
        commit_here(str(folder), token=True)
    git(folder, "remote", "remove", "origin")
    with pytest.raises(TreeError, match="no remote"):
        commit_here(str(folder), token=True)


def test_submodules_come_if_machines_can_have_them(tmp_path: Path, served: tuple[Path, str]) -> None:
    outer = with_submodules(tmp_path, served)
    assert commit_here(str(outer), token=False).submodules
    middle = outer / "lib" / "middle"
    (middle / "sub" / "train.py").write_text("changed\n")
    with pytest.raises(TreeError, match=r"not what is committed: lib/middle \(changed\)"):
        commit_here(str(outer), token=False)
    git(middle, "commit", "-qam", "changed")
    git(outer, "commit", "-qam", "moved")
    push(outer, served[0] / "code.git")
    with pytest.raises(TreeError, match=f"submodule lib/middle is not pushed: {git(middle, 'rev-parse', 'HEAD')[:12]}"):
        commit_here(str(outer), token=False)
    git(middle, "push", "-q", str(served[0] / "middle.git"), "HEAD:refs/heads/side")
    git(middle, "update-ref", "refs/remotes/origin/side", "HEAD")
    assert commit_here(str(outer), token=False).submodules


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("git@elsewhere.example:org/x.git", "reached by SSH"),
        ("ssh://git@127.0.0.1:2222/x.git", "reached by SSH"),
        ("/srv/x.git", "a path of this computer"),
    ],
)
def test_submodules_that_no_machine_can_have(tmp_path: Path, served: tuple[Path, str], address: str, word: str) -> None:
    outer = with_submodules(tmp_path, served)
    git(outer, "config", "-f", ".gitmodules", "submodule.lib/middle.url", address)
    git(outer, "commit", "-qam", "elsewhere")
    push(outer, served[0] / "code.git")
    with pytest.raises(TreeError, match=f"the submodule lib/middle is {word}"):
        commit_here(str(outer), token=True)


def test_files_of_git_lfs_are_named(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder = repository(tmp_path / "code", served)
    (folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "attributes alone")
    push(folder, served[0] / "code.git")
    assert commit_here(str(folder), token=False).commit
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 5\n"
    (folder / "model.bin").write_text(pointer)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "model")
    push(folder, served[0] / "code.git")
    with pytest.raises(TreeError, match=r"no Git LFS, which keeps model\.bin") as caught:
        commit_here(str(folder), token=False)
    assert "--code ." in (caught.value.help or "")


@pytest.mark.parametrize("kind", ["worktree", "shallow", "detached"])
def test_however_it_is_checked_out(tmp_path: Path, served: tuple[Path, str], kind: str) -> None:
    folder = repository(tmp_path / "code", served)
    other = tmp_path / "other"
    if kind == "shallow":
        (folder / "more").write_text("more\n")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "second")
        push(folder, served[0] / "code.git")
        git(tmp_path, "clone", "-q", "--depth=1", f"file://{served[0]}/code.git", str(other))
        git(other, "remote", "set-url", "origin", f"{served[1]}/code.git")
    elif kind == "worktree":
        git(folder, "worktree", "add", "-q", "-b", "side", str(other))
    else:
        git(folder, "checkout", "-q", "--detach")
        other = folder
    found = commit_here(str(other / "sub"), token=False)
    assert (found.commit, found.folder) == (git(folder, "rev-parse", "HEAD"), "sub")
    (other / "sub" / "new.py").write_text("")
    with pytest.raises(TreeError, match=r"sub/new\.py \(new\)"):
        commit_here(str(other), token=False)
