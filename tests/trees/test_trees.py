"""Folders on their way to machines: what is taken, what is left out, what a machine gets."""

from __future__ import annotations

import os
import random
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flowc.trees import walk
from flowc.trees.send import copy, send
from flowc.trees.walk import TreeError, scan

READY = "ready"


class Done(NamedTuple):
    status: int
    output: bytes
    said: str


class Box:
    """A machine: a folder, on which scripts are run as a provider would. `cut` is after how many bytes of what is given
    the connection is cut."""

    def __init__(self, folder: Path, *, waits: bool = True) -> None:
        self.place = folder / "place"
        self.marker = folder / "marker"
        self.ready = folder / READY
        self.cut: int | None = None
        self.owner: str | None = None
        self.given = 0
        if waits:
            self.ready.write_bytes(b"")

    def run(self, script: str, *words: str, given: bytes | Iterable[bytes] = b"", take: object = None) -> Done:
        pieces = [given] if isinstance(given, bytes) else given
        data = b"".join(pieces)
        self.given += len(data)
        if words[1] == "put" and self.cut is not None:
            data = data[: self.cut]
        words = tuple(str(self.ready) if word == "/run/flowc.trees" else word for word in words)
        done = subprocess.run(["sh", "-c", script, "sh", *words], input=data, capture_output=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr.decode())

    def get(self, source: Path) -> Any:
        return send(lambda: scan(str(source)), str(self.place), str(self.marker), self.run, owner=self.owner)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    folder = tmp_path / "box"
    folder.mkdir()
    return Box(folder)


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True, capture_output=True
    )


def make(folder: Path, *paths: str | bytes) -> None:
    for path in paths:
        whole = os.path.join(os.fsencode(folder), os.fsencode(path))
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "wb") as file:
            file.write(os.fsencode(path))


def names(source: Path) -> set[str]:
    return {os.fsdecode(path) for path, mode, *_ in scan(str(source)).entries if not stat.S_ISDIR(mode)}


def everything(folder: Path) -> dict[bytes, tuple[Any, ...]]:
    """Path to what is there: kind, mode and content."""
    found: dict[bytes, tuple[Any, ...]] = {}
    for top, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = os.path.join(top, name)
            status = os.lstat(path)
            below = os.path.relpath(path, os.fsencode(folder))
            if stat.S_ISLNK(status.st_mode):
                found[below] = ("link", os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                found[below] = ("folder", status.st_mode)
            else:
                found[below] = ("file", status.st_mode, status.st_mtime_ns, Path(os.fsdecode(path)).read_bytes())
    return found


@pytest.mark.parametrize("group", ["", ":{}"])
def test_all_belongs_to_whoever_uses_it_and_what_is_the_jobs_does_not(tmp_path: Path, box: Box, group: str) -> None:
    user, its = (1234, 1235) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    source = tmp_path / "source"
    make(source, "a.py", "sub/b.py", "out.log")
    os.symlink("/etc/passwd", source / "link")
    box.place.mkdir()
    (box.place / "out.log").write_text("the job's")
    box.ready.write_bytes(os.fsencode(box.place / "out.log"))
    box.owner = f"{user}{group.format(its)}"
    for _ in range(2):  # the second time all is there
        box.marker.unlink(missing_ok=True)
        assert box.get(source) is not None
        found = {name: os.lstat(box.place / name) for name in (".", "a.py", "sub", "sub/b.py", "link", "out.log")}
        assert {name for name, status in found.items() if status.st_uid == user} >= found.keys() - {"out.log"}
        assert found["a.py"].st_gid == (its if group else os.getegid())
        assert found["out.log"].st_uid == os.geteuid()
        assert os.stat("/etc/passwd").st_uid == 0


@pytest.mark.parametrize("kind", ["repository", "plain"])
def test_gitignore_is_read_as_git_reads_it(tmp_path: Path, kind: str) -> None:
    if kind == "repository":
        git(tmp_path, "init", "-q")
    make(tmp_path, "a.py", "b.log", "logs/c.log", "build/x/y", "deep/build/z", "keep/d.log", "keep/.gitignore")
    make(tmp_path, "sub/e.txt", "sub/only/f.o", "sub/secret", "odd/x y.tmp", "odd/new\nline.tmp", "odd/\xe4")
    (tmp_path / ".gitignore").write_text("*.log\n/build/\nsub/secret\n*.tmp\n*.o\n")
    (tmp_path / "keep" / ".gitignore").write_text("!d.log\n")
    assert names(tmp_path) == {
        *(".gitignore", "a.py", "deep/build/z", "keep/.gitignore", "keep/d.log", "sub/e.txt", "odd/\xe4")
    }
    # A folder in which all is ignored is not ignored itself: the job may write there.
    folders = {path for path, mode, *_ in scan(str(tmp_path)).entries if stat.S_ISDIR(mode)}
    assert {b"logs", b"sub/only", b"deep/build"} <= folders
    assert b"build" not in folders


PARTS = ("a", "b", "x.log", "y.tmp", "build", "sp ", "doc[1]", "#h", "!n", "foo")
PATTERNS = (
    *("*.log", "/a", "a/", "**/b", "a/**", "a/**/b", "!x.log", "!a/", "build/*", "!build/foo", "foo/", "\\#h", "\\!n"),
    *(
        "sp\\ ",
        "sp ",
        "doc[[]1]",
        "*",
        "!*/",
        "/foo/b",
        "b/",
        "**",
        "a/b",
        "!/a/b",
        "*.t?p",
        "x.*",
        " a",
        "a  ",
        "foo/**/",
    ),
)


@pytest.mark.parametrize("seed", range(15))
def test_git_itself_agrees_on_generated_folders(tmp_path: Path, seed: int) -> None:
    """With ignore files at any depth: as a folder of its own, then as a repository."""
    chance = random.Random(seed)
    folders = [tmp_path]
    for _ in range(8):
        folders.append(chance.choice(folders) / chance.choice(PARTS))
        folders[-1].mkdir(exist_ok=True)
    for _ in range(30):
        file = chance.choice(folders) / chance.choice(PARTS)
        if not file.exists():
            file.write_text("")
    for folder in (tmp_path, *chance.sample(folders, 3)):
        lines = chance.choices(PATTERNS, k=chance.randrange(1, 5))
        (folder / ".gitignore").write_text("\n".join(lines) + "\n")
    as_a_folder = names(tmp_path)
    git(tmp_path, "init", "-q")
    words = ("git", "ls-files", "-z", "--others", "--exclude-standard")
    listed = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert as_a_folder == names(tmp_path) == set(listed.split("\0")[:-1])


def test_git_itself_agrees_on_its_own_repository() -> None:
    root = Path(__file__).resolve().parents[2]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout
    there = {path for path in listed.split(b"\0") if path and os.path.lexists(os.path.join(os.fsencode(root), path))}
    assert {path for path, mode, *_ in scan(str(root)).entries if not stat.S_ISDIR(mode)} == there


def test_what_is_in_the_index_is_not_ignored(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    make(tmp_path, "data/kept.bin", "data/other.bin")
    (tmp_path / ".gitignore").write_text("data/\n")
    git(tmp_path, "add", "-f", "data/kept.bin")
    assert names(tmp_path) == {".gitignore", "data/kept.bin"}


def test_flowcignore_leaves_out_what_git_keeps(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    make(tmp_path, "a.py", "data/b.bin", "sub/c.csv", "sub/d.py")
    git(tmp_path, "add", ".")
    (tmp_path / ".flowcignore").write_text("data/\n")
    (tmp_path / "sub" / ".flowcignore").write_text("*.csv\n")
    assert names(tmp_path) == {".flowcignore", "a.py", "sub/.flowcignore", "sub/d.py"}
    (tmp_path / ".flowcignore").write_text("data/\n!.git\n")
    assert ".git/HEAD" in names(tmp_path)


def test_a_folder_of_a_repository_and_repositories_within(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    make(tmp_path, "sub/a.py", "sub/a.pyc", "sub/lib/b.py", "sub/lib/b.o", "out/c.py")
    (tmp_path / ".gitignore").write_text("*.pyc\nout/\n")
    git(tmp_path / "sub" / "lib", "init", "-q")
    (tmp_path / "sub" / "lib" / ".gitignore").write_text("*.o\n")
    assert names(tmp_path / "sub") == {"a.py", "lib/b.py", "lib/.gitignore"}
    assert names(tmp_path / "out") == {"c.py"}, "a folder that is named is meant, ignored or not"


def test_links_modes_and_odd_names_arrive_as_they_are(tmp_path: Path, box: Box) -> None:
    source = tmp_path / "source"
    make(source, b"new\nline", b"\xff\xfe.bin", "-dash", "with space", "deep/er/file", "empty/.x", "tab\there")
    os.unlink(source / "empty" / ".x")
    (source / "-dash").chmod(0o755)
    (source / "deep").chmod(0o555)
    (source / "inside").symlink_to("deep/er/file")
    (source / "nowhere").symlink_to("/no/such/place")
    (source / "large").write_bytes(os.urandom(3 << 20))
    tree = scan(str(source))
    assert tree.leading == (b"nowhere",)
    sent = box.get(source)
    (source / "deep").chmod(0o755)
    found, wanted = everything(box.place), everything(source)
    wanted[b"deep"] = found[b"deep"]
    assert found == wanted
    assert stat.S_IMODE(found[b"deep"][1]) == 0o755
    assert sent.files == 7
    assert box.marker.exists()


def test_only_what_changed_is_sent(tmp_path: Path, box: Box) -> None:
    source = tmp_path / "source"
    make(source, *(f"{number // 10}/{number}" for number in range(100)))
    assert box.get(source).files == 100
    box.marker.unlink()
    assert box.get(source).files == 0
    (source / "3" / "33").write_text("new")
    (source / "3" / "34").chmod(0o700)
    (box.place / "5" / "55").unlink()
    (box.place / "result").write_text("of the job")
    assert box.get(source).files == 2
    assert (box.place / "result").read_text() == "of the job"
    (box.place / "result").unlink()
    assert everything(box.place) == everything(source)


def test_nothing_is_sent_before_the_job_waits(tmp_path: Path) -> None:
    make(tmp_path / "source", "a")
    box = Box(tmp_path, waits=False)
    assert box.get(tmp_path / "source") is None
    assert not box.place.exists()


def test_what_the_job_itself_writes_stays(tmp_path: Path, box: Box) -> None:
    make(tmp_path / "source", "job.log", "a")
    box.place.mkdir()
    (box.place / "job.log").write_text("of this run")
    box.ready.write_bytes(os.fsencode(box.place / "job.log") + b"\0")
    box.get(tmp_path / "source")
    assert (box.place / "job.log").read_text() == "of this run"
    assert (box.place / "a").exists()


def test_a_connection_that_is_cut_goes_on_where_it_was(tmp_path: Path, box: Box) -> None:
    source = tmp_path / "source"
    make(source, "a", "c")
    (source / "b").write_bytes(os.urandom(20 << 20))
    box.cut = 12 << 20
    with pytest.raises(TreeError, match="the connection was cut"):
        box.get(source)
    assert not box.marker.exists()
    assert (box.place / "a").exists()
    assert not (box.place / "b").exists(), "half of a file is no file"
    box.cut = None
    sent = box.get(source)
    assert sent.files == 2
    assert sent.size < 9 << 20
    assert everything(box.place) == everything(source)


@pytest.mark.parametrize("cut", [0, 1, 30, 700])
def test_wherever_it_is_cut(tmp_path: Path, box: Box, cut: int) -> None:
    source = tmp_path / "source"
    make(source, *(f"{number}/x" for number in range(300)))
    box.cut = cut
    with pytest.raises(TreeError, match="cut"):
        box.get(source)
    assert not box.marker.exists()
    box.cut = None
    box.get(source)
    assert everything(box.place) == everything(source)


def test_files_that_vanish_or_change_meanwhile(tmp_path: Path, box: Box) -> None:
    source = tmp_path / "source"
    make(source, "a", "b", "c")
    tree = scan(str(source))
    (source / "a").unlink()
    (source / "b").write_text("another text")
    sent = send(lambda: tree, str(box.place), str(box.marker), box.run)
    assert sent is not None
    assert (sent.gone, sent.torn, sent.files) == ((b"a",), (), 2)
    assert everything(box.place) == everything(source)


def test_one_file_goes_to_its_own_place(tmp_path: Path, box: Box) -> None:
    make(tmp_path, "settings.json")
    box.get(tmp_path / "settings.json")
    assert box.place.read_text() == "settings.json"
    assert box.get(tmp_path / "settings.json").files == 0


def test_what_is_in_the_way_gives_way_but_for_results(tmp_path: Path, box: Box) -> None:
    source = tmp_path / "source"
    make(source, "folder/a", "file")
    (source / "link").symlink_to("file")
    outside = tmp_path / "outside"
    outside.mkdir()
    box.place.mkdir()
    (box.place / "folder").symlink_to(outside)
    (box.place / "link").mkdir()
    box.get(source)
    assert everything(box.place) == everything(source)
    assert list(outside.iterdir()) == [], "nothing is written through a link"
    (box.place / "file").unlink()
    make(box.place, "file/result")
    with pytest.raises(TreeError, match="not empty"):
        box.get(source)
    assert (box.place / "file" / "result").exists()


def test_a_full_disk_is_said(tmp_path: Path, box: Box) -> None:
    make(tmp_path / "source", "a")
    box.place.parent.chmod(0o755)
    box.place.write_text("a file where the folder is to be")
    with pytest.raises(TreeError, match="place"):
        box.get(tmp_path / "source")


def test_too_much_names_the_largest_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "src/a", *(f"data/{number}" for number in range(40)), *(f"venv/lib/{number}" for number in range(9)))
    monkeypatch.setattr(walk, "MOST_FILES", 30)
    with pytest.raises(TreeError, match=r"more than 30 files; the largest: .*data \(\d+ files\)") as caught:
        scan(str(tmp_path))
    assert ".flowcignore" in (caught.value.help or "")
    monkeypatch.setattr(walk, "MOST_FILES", 1000)
    monkeypatch.setattr(walk, "MOST_BYTES", 5000)
    (tmp_path / "data" / "big").write_bytes(bytes(9000))
    with pytest.raises(TreeError, match=r"more than 5 KiB; the largest: data \(9 KiB\)"):
        scan(str(tmp_path))


def test_what_cannot_be_sent_is_said(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="No such file"):
        scan(str(tmp_path / "none"))
    os.mkfifo(tmp_path / "pipe")
    make(tmp_path, "a")
    assert scan(str(tmp_path)).odd == (b"pipe",)
    with pytest.raises(TreeError, match="neither a file nor a folder"):
        scan(str(tmp_path / "pipe"))


def test_the_copy_on_this_computer_is_the_same(tmp_path: Path) -> None:
    source = tmp_path / "source"
    make(source, "a", "deep/er/b", b"\xff", "new\nline")
    (source / "link").symlink_to("a")
    (source / "a").chmod(0o755)
    copy(scan(str(source)), str(tmp_path / "copied"))
    assert everything(tmp_path / "copied") == everything(source)
    make(tmp_path, "one")
    copy(scan(str(tmp_path / "one")), str(tmp_path / "below" / "two"))
    assert (tmp_path / "below" / "two").read_text() == "one"


def test_the_digest_tells_trees_apart(tmp_path: Path) -> None:
    make(tmp_path, "a")
    first = scan(str(tmp_path)).digest
    assert scan(str(tmp_path)).digest == first
    make(tmp_path, "b")
    assert scan(str(tmp_path)).digest != first
