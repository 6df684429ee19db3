"""Whole commands, as somebody types them: `here` with the local provider alone, `there` with the loopback provider."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines.fleet import LocalMachines
from tests.machines.ordinary import as_ordinary_user, folder_of_the_user, left_of, python, until
from tests.mithril import document
from tests.mithril.server import Server
from tests.mithril.state import State
from tests.tasks.grid import SUDO, Logins

ROOT = Path(__file__).resolve().parents[2]
JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


# The bundle of flowc's own code that the last of these tests had, by the user that it belongs to. Every home has a
# cache folder of its own, in which it would otherwise be made anew: half a second for each.
BUNDLES = Path(tempfile.mkdtemp(prefix="flowc-test-bundles-"))
atexit.register(shutil.rmtree, BUNDLES, ignore_errors=True)


def warm(home: Path) -> None:
    """Puts the bundle into a home that has none."""
    cache = home / ".cache" / "flowc"
    if not home.exists() or cache.exists():
        return
    owner = home.stat()
    for bundle in (BUNDLES / str(owner.st_uid)).glob("*"):
        for folder in (cache.parent, cache):
            folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(folder, owner.st_uid, owner.st_gid)
        os.link(bundle, cache / bundle.name)


def keep_warm(home: Path) -> None:
    """Keeps the bundle that a command has left; flowc itself replaces such files and changes none."""
    for bundle in (home / ".cache" / "flowc").glob("modules-*[0-9a-f]"):
        kept = BUNDLES / str(home.stat().st_uid) / bundle.name
        if not kept.exists() or not kept.samefile(bundle):
            kept.parent.mkdir(exist_ok=True)
            kept.unlink(missing_ok=True)
            os.link(bundle, kept)


class Person:
    """Somebody with a home folder, who types commands in it."""

    def __init__(self, home: Path, program: str, options: dict[str, object], environ: dict[str, str]) -> None:
        self.home = home
        self.program = program
        self.options = options
        # Words that come before the program's.
        self.before: tuple[str, ...] = ()
        self.environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), **environ}
        # An engine of this computer is none of these tests' business.
        self.environ["DOCKER_HOST"] = "unix:///nonexistent"
        warm(home)

    def starts(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.before, self.program, "-B", "-m", "flowc", *words],
            cwd=self.home,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self.options,  # type: ignore[call-overload]
        )

    def types(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        process = self.starts(*words, **environ)
        out, err = process.communicate(timeout=900)
        keep_warm(self.home)
        assert "internal error" not in err, err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def runs(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another program, in the same place."""
        return subprocess.run(
            words,
            cwd=self.home,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            **self.options,  # type: ignore[call-overload]
        )

    def job(self, text: str, name: str = "job.sbatch", head: str = JOB) -> str:
        (self.home / name).write_text(head + text)
        return name


@pytest.fixture
def here() -> Iterator[Person]:
    program = python()
    for folder in folder_of_the_user():
        yield Person(Path(folder), program, as_ordinary_user(), {})


@pytest.fixture
def provider() -> Iterator[Server]:
    with Server(judge=document.JUDGE) as server:
        yield server


@pytest.fixture
def there(provider: Server, tmp_path: Path) -> Person:
    environ = {"MITHRIL_API_URL": provider.url, "MITHRIL_API_KEY": provider.key, "MITHRIL_PROJECT": "research"}
    return Person(tmp_path, sys.executable, {}, environ)


# What a container of these tests sees is its machine.
DOCKER = """#!/bin/bash
case $1 in
run)
    while [ "$1" != "--entrypoint" ]; do shift; done
    exec "$2" "${@:4}" ;;
esac
"""


class Cloud:
    """The loopback provider with machines behind its bids, its clock going some hundred times as fast as ours."""

    def __init__(self, server: Server, machines: LocalMachines, logins: Logins, person: Person) -> None:
        self.server = server
        self.state = server.state
        self.machines = machines
        self.logins = logins
        self.person = person

    def living(self) -> list[str]:
        """The names of bids that are still paid for."""
        return [bid.name for bid in self.state.bids.values() if bid.status != "Terminated"]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    program = python()
    for folder in folder_of_the_user():
        machines = LocalMachines(
            folder,
            python=program,
            options=as_ordinary_user(),
            programs={"docker": DOCKER, "nvidia-container-runtime-hook": "#!/bin/sh\n", "sudo": SUDO},
        )
        logins = Logins(tmp_path, machines, program)
        home = tmp_path / "home"
        home.mkdir()
        with Server(State(logins), speed=400, judge=document.JUDGE) as server:
            environ = {"MITHRIL_API_URL": server.url, "MITHRIL_API_KEY": server.key, "MITHRIL_PROJECT": "research"}
            person = Person(home, sys.executable, {}, environ)
            laptop = next(key for key in server.state.ssh_keys.values() if key.name == "laptop")
            laptop.public_key = " ".join(logins.key.with_suffix(".pub").read_text().split()[:2])
            person.environ["MITHRIL_SSH_KEYS"] = str(logins.key)
            yield Cloud(server, machines, logins, person)
        logins.close()
        machines.close()
        # A session of ssh hears a little later that its machine is off.
        until(lambda: not left_of(folder), "the end of all that ran on the machines")  # noqa: B023
