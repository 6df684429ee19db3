"""The commit that machines clone: what is checked out here, if it is all there is and they can have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowc.trees.commit import commit_here
from flowc.trees.walk import TreeError
from tests.trees.repositories import git, push, repository, serving


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
