"""The commit that is checked out here, and where machines can have it from."""

from __future__ import annotations

import os
import re

from flowc.listing import some_of
from flowc.record import Record
from flowc.trees.ignored import NoGitError, run
from flowc.trees.walk import TreeError

MOST_NAMED = 4
# How a repository is named where one logs in by SSH: `git@host:owner/name.git`, `ssh://git@host/owner/name.git`.
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)([^\s:]+)")
_URL = re.compile(r"(ssh|git\+ssh|https|http|git)://(?:[^/]*@)?([\w.-]+)(:[0-9]+)?/(\S+)")
# Nothing of the user's own: no credentials, no rewriting of addresses. Who is asked for a name has none.
_ANONYMOUS = (
    *("HOME=/nonexistent", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_ASKPASS=true"),
    *("GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0="),
)


class Commit(Record):
    """`url` is what machines clone, `commit` the full id, `folder` where in the repository we are (empty: at its root);
    `submodules`: it has some."""

    url: str
    commit: str
    folder: str
    submodules: bool


def commit_here(folder: str, *, token: bool) -> Commit:
    """The commit that is checked out in a folder, if it is all that is there and machines can have it. `token`: they
    get one that their git can show. Raises TreeError."""
    here = os.fsencode(folder)
    try:
        root = run(here, "rev-parse", "--show-toplevel").rstrip(b"\n")
    except NoGitError as error:
        raise TreeError(f"there is no commit to bring: {error}", "`--code DIR` brings a folder as it is") from None
    try:
        commit = run(here, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    except NoGitError:
        raise TreeError(
            "nothing is committed yet", "commit and push it, or `--code .` brings the folder as it is"
        ) from None
    try:
        _refuse_changes(root)
        remote, address = _remote(root)
        _refuse_unpushed(root, remote, commit)
        _refuse_large_files(root)
        url = _public(here, address, remote, token=token)
        _refuse_submodules(root, url, token=token)
    except NoGitError as error:
        raise TreeError(str(error)) from None
    below = os.path.relpath(os.path.realpath(here), os.path.realpath(root))
    return Commit(
        url=url,
        commit=commit,
        folder="" if below == b"." else os.fsdecode(below),
        submodules=os.path.exists(root + b"/.gitmodules"),
    )


def _refuse_changes(root: bytes) -> None:
    listed = run(root, "status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=none")
    words = {b"?": "new", b"D": "deleted", b"R": "renamed", b"U": "in conflict"}
    found = []
    entries = iter(listed.split(b"\0")[:-1])
    for entry in entries:
        kind = entry[:2].strip()[:1]
        found.append(f"{os.fsdecode(entry[3:])} ({words.get(kind, 'changed')})")
        if entry[:1] in (b"R", b"C"):
            next(entries, None)  # what it was called before
    if found:
        raise TreeError(
            f"what is here is not what is committed: {_shown(found)}",
            "commit and push it, or `--code .` brings the folder as it is",
        )


def _remote(root: bytes) -> tuple[str, str]:
    """Name and address of the remote that the branch belongs to, else of origin, else of the only one."""
    names = run(root, "remote").decode().split()
    branch = run(root, "symbolic-ref", "--quiet", "--short", "HEAD", status=(0, 1)).decode().strip()
    own = run(root, "config", "--get", f"branch.{branch}.remote", status=(0, 1)).decode().strip() if branch else ""
    name = own if own in names else "origin" if "origin" in names else names[0] if len(names) == 1 else None
    if name is None:
        what = f"several remotes, and none is the branch's own: {', '.join(names)}" if names else "no remote"
        raise TreeError(f"the repository has {what}", "`git push -u REMOTE` says it, or `--code .` brings the folder")
    return name, os.fsdecode(run(root, "remote", "get-url", name)).strip()


def _refuse_unpushed(root: bytes, remote: str, commit: str) -> None:
    """As far as is known here: a push or a fetch has told of the remote."""
    known = run(root, "for-each-ref", "--contains", commit, "--count=1", f"refs/remotes/{remote}/")
    if known.strip():
        return
    lines = run(root, "log", "--format=%h %s", f"--max-count={MOST_NAMED + 1}", "HEAD", "--not", f"--remotes={remote}")
    found = lines.decode("utf-8", "replace").splitlines()
    shown = ", ".join(f"`{line}`" for line in found[:MOST_NAMED]) + (", …" if len(found) > MOST_NAMED else "")
    raise TreeError(f"not on {remote} yet: {shown}", "git push, or `git fetch` where it is there by now")


def _refuse_large_files(root: bytes) -> None:
    """Those of Git LFS: a clone without it has a few lines in the place of each."""
    tracked = run(root, "ls-files", "-z")
    said = run(root, "check-attr", "-z", "--stdin", "filter", given=tracked).split(b"\0")
    found = [os.fsdecode(path) for path, value in zip(said[0::3], said[2::3], strict=False) if value == b"lfs"]
    if found:
        raise TreeError(
            f"machines have no Git LFS, which keeps {_shown(found)}", "`--code .` brings the folder as it is"
        )


def _shown(paths: list[str]) -> str:
    return some_of(paths, MOST_NAMED).encode("utf-8", "backslashreplace").decode()


def _refuse_submodules(root: bytes, url: str, *, token: bool) -> None:
    """Those that machines cannot have: their commits are to be pushed too, and can be read without a key."""
    for line in run(root, "submodule", "status", "--recursive").splitlines():
        commit, _, rest = line[1:].partition(b" ")
        path = rest.rpartition(b" (")[0] or rest
        if line[:1] != b"-":  # nothing of it is here
            known = run(root + b"/" + path, "for-each-ref", "--contains", commit.decode(), "--count=1", "refs/remotes/")
            if not known.strip():
                name = os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
                raise TreeError(
                    f"the commit of the submodule {name} is not pushed: {commit.decode()[:12]}",
                    f"`git -C {name} push`, or `--code .` brings the folder",
                )
    if not os.path.exists(root + b"/.gitmodules"):
        return
    host = url.partition("://")[2].partition("/")[0]
    listed = run(root, "config", "-z", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.url$", status=(0, 1))
    for entry in listed.split(b"\0")[:-1]:
        name, _, address = os.fsdecode(entry).partition("\n")
        name = name.removeprefix("submodule.").removesuffix(".url")
        if address.startswith(("./", "../")):
            address = _below(url, address)
        found = _public(root, address, f"the submodule {name}", token=token)
        read_so = address.startswith(("https://", "http://", "git://", f"git@{host}:", f"ssh://git@{host}/"))
        if not read_so:
            raise TreeError(
                f"the submodule {name} is reached by SSH, for which machines have no key",
                f"give it the address {found} in .gitmodules, or `--code .` brings the folder",
            )


def _below(url: str, address: str) -> str:
    """Where the address of a submodule leads, as git reads it: from that of its repository."""
    base = url.rstrip("/")
    while True:
        if address.startswith("./"):
            address = address[2:]
        elif address.startswith("../"):
            address, base = address[3:], base.rpartition("/")[0]
        else:
            return f"{base}/{address}"


def _public(here: bytes, address: str, remote: str, *, token: bool) -> str:
    """The address that machines are given."""
    match = _URL.fullmatch(address)
    if match:
        scheme, host, port, path = match.groups()
        plain = scheme in ("https", "http", "git")
        url = f"{scheme}://{host}{port or ''}/{path}" if plain else f"https://{host}/{path}"
    else:
        match = _SCP.fullmatch(address)
        if match is None or address.startswith((".", "/")):
            raise TreeError(
                f"{remote} is a path of this computer, which machines do not see", "`--code .` brings the folder"
            )
        url = f"https://{match[1]}/{match[2].lstrip('/')}"
    if token:
        return url
    try:
        run(here, "ls-remote", "--quiet", "--heads", url, settings=_ANONYMOUS)
    except NoGitError:
        raise TreeError(
            f"machines cannot read {url}: nobody can without logging in",
            "`--secret GIT_TOKEN` gives their git a token of yours, over SSH; or `--code .` brings the folder",
        ) from None
    return url
