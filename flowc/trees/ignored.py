"""What ignore files leave out, as git itself reads them: nested, with its patterns and its order of precedence."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

GIT_IGNORES, OWN_IGNORES = b".gitignore", b".flowcignore"
# What tells git of another repository than the one that it stands in.
_QUIET = ("GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0")
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


class NoGitError(Exception):
    """Git is not there, or does not answer: in one sentence."""


def of_repository(folder: bytes) -> set[bytes]:
    """Paths relative to a folder of a repository: what git ignores there. Ignored folders stand for all in them. What
    is in the index is not ignored. Raises NoGitError."""
    return _whole(_git(folder, "--exclude-standard"))


def of_files(folder: bytes, name: bytes) -> set[bytes]:
    """The same for a folder of any kind, and ignore files of that name in it."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="flowc-") as empty:
        run(folder, "init", "-q", "--bare", "--template=", empty)
        words = (f"--git-dir={empty}", "--work-tree=.")
        return _whole(_git(folder, f"--exclude-per-directory={os.fsdecode(name)}", before=words))


def is_inside(folder: bytes) -> bool:
    """Whether a folder is one of a repository's, and not ignored there."""
    try:
        if run(folder, "rev-parse", "--is-inside-work-tree").strip() != b"true":
            return False
        return not run(folder, "check-ignore", "--", ".", status=(0, 1))
    except NoGitError:
        return False


def run(
    folder: bytes, *words: str, status: Iterable[int] = (0,), settings: tuple[str, ...] = (), given: bytes = b""
) -> bytes:
    """What git says in a folder; `settings` are more variables of its environment, `given` is its input. Raises
    NoGitError for another exit status."""
    import subprocess

    before = ["env", *(word for name in _ELSEWHERE for word in ("-u", name)), "LC_ALL=C", *_QUIET, *settings]
    done = subprocess.run([*before, "git", *words], cwd=folder, input=given, capture_output=True, check=False)
    if done.returncode == 127:
        raise NoGitError("there is no git here, which reads ignore files: install git")
    if done.returncode not in status:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no word"]
        raise NoGitError(f"git {words[0]}: {said[0].removeprefix('fatal: ')[:300]}")
    return done.stdout


def _git(folder: bytes, how: str, *, before: tuple[str, ...] = ()) -> list[bytes]:
    listed = run(folder, *before, "ls-files", "-z", "--others", "--ignored", "--directory", how)
    return sorted(listed.split(b"\0")[:-1])


def _whole(listed: list[bytes]) -> set[bytes]:
    """Git also names folders in which all is ignored, file by file: such a one is there, and empty."""
    found = set()
    for index, path in enumerate(listed):
        following = listed[index + 1] if index + 1 < len(listed) else b""
        if not path.endswith(b"/"):
            found.add(path)
        elif not following.startswith(path):
            found.add(path[:-1])
    return found
