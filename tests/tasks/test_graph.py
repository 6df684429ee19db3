"""Jobs that wait for each other, as somebody types them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from flowc.cli.tasks.tree import Tree
from flowc.submit.journal import OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from tests.machines.ordinary import until
from tests.providers.local.conftest import requests
from tests.tasks.conftest import Person

LOCAL = ("--provider", "local")
GO = "until [ -e /workspace/go ]; do sleep 0.05; done\n"


def job(here: Person, name: str, text: str, *options: str) -> str:
    head = f"#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --job-name={name}\n"
    return here.job(text, f"{name}.sbatch", head + "".join(f"#SBATCH {each}\n" for each in options))


def without_nonces(text: str) -> str:
    return re.sub(r"-[a-z][a-z0-9]{7}\b", "", text)


def on_a_terminal(person: Person, columns: int, *words: str) -> str:
    """What a command shows on a terminal that is so wide."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, columns))
    command = [person.program, "-B", "-m", "flowc", *words]
    environ = {**person.environ, "NO_COLOR": "1"}
    with subprocess.Popen(
        command,
        cwd=person.home,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=its,
        **person.options,  # type: ignore[call-overload]
    ) as process:
        os.close(its)
        text = b""
        with suppress(OSError):  # as the end of a terminal is told
            while part := os.read(ours, 65536):
                text += part
        assert process.wait() == 0
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("everything", [False, True])
def test_the_tree_of_a_provider_is_its_own(tmp_path: Path, everything: bool) -> None:
    journal = Journal(str(tmp_path))
    for provider in ("mithril", "local"):
        document = requests("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\ntrue\n")
        submission = Submission(
            key=provider,
            content=provider,
            name="job",
            provider=provider,
            nonce=f"nonce{provider[:3]}",
            created_at=1.0,
            state=OPEN,
            keep=False,
            document=document,
            resolved={},
        )
        journal.begin(submission, steps_of(document, submission.nonce), again=False)

    def names(*providers: str) -> list[str]:
        tree = Tree(journal, [], providers=providers, everything=everything)
        return [each["name"] for each in tree.document()]

    assert names("local") == ["job-sbatch-nonceloc"]
    assert names("mithril") == ["job-sbatch-noncemit"]
    assert names("mithril", "local") == ["job-sbatch-noncemit", "job-sbatch-nonceloc"]


def test_after_waits_for_the_other_source(here: Person) -> None:
    files = [job(here, "prepare", "sleep 1; echo first\n"), job(here, "train", "echo second\n")]
    done = here.types("submit", *files, "--after", "afterok:prepare", *LOCAL, "--follow")
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()] == ["first", "second"], done.stderr
    assert done.returncode == 0
    again = here.types("submit", job(here, "eval", "echo third\n"), "--after", "afterok:train", *LOCAL, "--follow")
    assert (again.returncode, again.stdout) == (0, "third\n"), again.stderr


def test_who_waits_looks_after_what_it_waits_for(here: Person) -> None:
    """Nobody looks at the first submission but who waits for the second."""
    here.types("submit", job(here, "prepare", GO), *LOCAL)
    (name,) = here.types("submit", job(here, "train", "exit 4\n"), "--after", "afterany:prepare", *LOCAL).stdout.split()
    assert "waits for afterany:prepare" in here.types("status", name).stdout
    goes = here.types("ssh", "prepare", "--", "touch", "/workspace/go")
    assert goes.returncode == 0, goes.stderr
    waits = here.types("wait", name)
    assert waits.returncode == 4, waits.stderr


def test_status_says_what_is_waited_for_and_who_places_it(here: Person) -> None:
    here.types("submit", job(here, "prepare", "sleep 300\n"), *LOCAL)
    (name,) = here.types("submit", job(here, "train", "exit 4\n"), "--after", "afterany:prepare", *LOCAL).stdout.split()
    status = here.types("status", name)
    told = re.sub(r"[0-9]{4}-.{11}", "DATE", without_nonces(status.stdout)).replace("(placed)", "(running)")
    assert told.splitlines() == [
        "train: waits for afterany:prepare (running)",
        "  submitted DATE; nothing is paid for it",
        "  nobody places it by himself: `flowc wait` does when its turn has come, `flowc watch` while it runs, and "
        "`flowc list` and `flowc status` when they find that it has come",
    ]
    (waiting,) = json.loads(here.types("status", name, "--format", "json").stdout)["graph"]
    assert (waiting["name"], waiting["state"], waiting["after"][0]["turn"]) == (name, "pending", "later")
    assert "train" in without_nonces(here.types("cancel", "prepare").stderr)
    assert here.types("wait", name).returncode == 4


def test_a_graph_with_one_failure_is_shown_as_it_goes(here: Person) -> None:
    files = [
        job(here, "join", "true\n", "--dependency=afterok:left:prepare"),
        job(here, "clean", GO, "--dependency=afternotok:left"),
        job(here, "left", "exit 3\n", "--dependency=afterok:prepare"),
        job(here, "prepare", "sleep 1\n"),
    ]
    submitted = here.types("submit", *files, *LOCAL)
    assert submitted.stderr.splitlines()[-1] == (
        "flowc: nothing is paid: the job runs on this computer. 3 of 4 bids wait until others have ended: nobody "
        "places them by himself: `flowc wait` does when their turn has come, `flowc watch` while it runs, and "
        "`flowc list` and `flowc status` when they find that it has come"
    )

    def tree(**environ: str) -> str:
        return without_nonces(here.types("list", "--tree", *LOCAL, **environ).stdout)

    until(lambda: "clean  running" in tree(), "the last one to run")
    shown = tree().splitlines()
    assert shown[:2] == ["prepare  completed", "`- left  failed"]
    assert "   |- join  can never start: afterok:left (failed) (DependencyNeverSatisfied)" in shown
    assert tree(LC_ALL="C.UTF-8").splitlines()[1] == "└─ left  failed"
    assert "\x1b[1;31mfailed\x1b[0m" in tree(FORCE_COLOR="1")
    narrow = on_a_terminal(here, 40, "list", "--tree", *LOCAL)
    assert max(map(len, narrow.splitlines())) <= 40
    narrow = without_nonces(narrow)
    assert "never start: afterok:left (failed) (DependencyNeverSatisfied)" in " ".join(narrow.replace("|", "").split())
    found = json.loads(here.types("list", "--tree", "--format", "json", *LOCAL).stdout)
    assert [without_nonces(each["name"]) for each in found["tasks"]] == ["clean"]
    (join,) = [each for each in found["graph"] if each["name"].startswith("join")]
    assert (join["state"], [each["turn"] for each in join["after"]]) == ("can never start", ["never", "now"])
    waits = here.types("wait", "join")
    assert (waits.returncode, "can never start" in waits.stderr) == (125, True)
    here.types("cancel", "clean")
    assert here.types("list", "--tree", *LOCAL).stdout == ""


def test_what_is_cancelled_in_vain_frees_those_behind_it(here: Person) -> None:
    here.types("submit", job(here, "bad", "false\n"), *LOCAL, "--wait")
    second = job(here, "second", "true\n", "--dependency=afterok:bad")
    third = job(here, "third", "echo third\n", "--dependency=afterany:second")
    done = here.types("submit", second, third, *LOCAL, "--wait")
    assert done.returncode == 125
    said = without_nonces(done.stderr)
    assert "second: can never start as things are: afterok:bad (failed) (DependencyNeverSatisfied)\n" in said
    assert "third: can never start as things are: afterany:second (can never start)\n" in said
    cancelled = here.types("cancel", "second")
    assert "third" in cancelled.stderr
    assert "has its turn now" in cancelled.stderr
    assert here.types("wait", "third").returncode == 0


def test_kill_on_invalid_dep_frees_them_by_itself(here: Person) -> None:
    files = [
        job(here, "bad", "false\n"),
        job(here, "second", "true\n", "--dependency=afterok:bad --kill-on-invalid-dep=yes"),
        job(here, "third", "echo third\n", "--dependency=afterany:second"),
    ]
    done = here.types("submit", *files, *LOCAL, "--follow")
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()] == ["third"], done.stderr
    assert "second" in done.stderr
    assert "is not placed: afterok:bad" in without_nonces(done.stderr)


def test_what_there_is_not_is_refused_before_anything_is_made(here: Person) -> None:
    ring = [job(here, "a", "true\n", "--dependency=afterok:b"), job(here, "b", "true\n", "--dependency=afterok:a")]
    for files, said in (
        (ring, "none of these jobs can ever start: a waits for b waits for a"),
        ([job(here, "x", "true\n", "--dependency=afterok:4711")], "one of another cluster is not known here"),
        ([job(here, "y", "true\n", "--dependency=afterok:y")], "y waits for itself"),
        ([job(here, "z", "true\n"), "--after", "afterok:nobody"], "`nobody`, which is no job of yours"),
    ):
        for more in ((), ("--dry-run", "--offline")):
            done = here.types("submit", *files, *LOCAL, *more)
            assert (done.returncode, done.stdout) == (2, ""), done.stderr
            assert said in done.stderr
    assert here.types("list", "--all", *LOCAL).stdout == ""
