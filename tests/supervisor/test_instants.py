"""Instants that chance seldom meets, made: a stop just before the supervisor sleeps, a keeper that is killed, a disk
that is full at the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from jobs import unit
from local import SHORT_TICK, TICK, at_its_limit, install, run, start, status

from flowc.ir.job import Io, Retry, Time
from flowc.scripts import build

HERE = Path(__file__).parent
# More than the supervisor of such a job makes.
CALLS = 60
PATIENCE_S = 120


def job(folder: Path, text: str, limit: int | None = None) -> None:
    install(build(unit(text, workdir=str(folder), io=Io(stdout="out"), time=Time(limit_s=limit)), index=None), folder)


@pytest.fixture(scope="session")
def just_before(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str, str], str]) -> Path:
    library = tmp_path_factory.mktemp("library") / "just_before.so"
    command = [program("gcc", "gcc"), "-shared", "-fPIC", "-o", str(library), str(HERE / "just_before.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.mark.parametrize("limit", [None, pytest.param(600, marks=pytest.mark.slow)])
def test_a_stop_just_before_the_supervisor_sleeps_is_heard(
    tmp_path: Path, just_before: Path, limit: int | None
) -> None:
    """With the real tick, in jobs that end before it."""

    def one(number: int) -> tuple[str, bool] | None:
        folder = tmp_path / str(number)
        folder.mkdir()
        job(folder, "#!/bin/sh\nsleep 2\n: >done\n", limit)
        script = folder / "run"
        script.write_bytes(script.read_bytes().replace(SHORT_TICK, TICK))
        environment = {
            "PATH": "/usr/bin:/bin",
            "BASH_ENV": str(folder / "prelude"),
            "LD_PRELOAD": str(just_before),
            "TERM_AT": str(number),
            "TERM_MARK": str(folder / "told"),
            "TERM_UNLESS": str(folder / "done"),
        }
        command = ["/bin/sh", "-c", 'TERM_PID=$$ exec bash "$0" job', str(script)]
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True, timeout=PATIENCE_S)
        if not (folder / "told").exists():
            return None
        text = (folder / "status.json").read_text()
        return json.loads(text)["state"] if text else "never begun", (folder / "done").exists()

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(one, range(CALLS)))
    assert found[-1] is None
    assert set(found) == {None, ("never begun", False), ("PENDING", False)}


def keeper_of(body: int) -> int:
    return int(Path(f"/proc/{body}/stat").read_text().rpartition(")")[2].split()[1])


def gone(process: int) -> bool:
    return not Path(f"/proc/{process}").exists() or ") Z" in Path(f"/proc/{process}/stat").read_text()


def until(found: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize("text", ["", "trap '' TERM\n"])
@pytest.mark.parametrize("limit", [None, pytest.param(600, marks=pytest.mark.slow)])
def test_a_job_whose_keeper_is_killed_has_failed(tmp_path: Path, limit: int | None, text: str) -> None:
    job(tmp_path, f"#!/bin/bash\n{text}echo $$ >new_pid\nmv new_pid pid\nsleep 300\n", limit)
    process = start(tmp_path)
    until((tmp_path / "pid").exists)
    body = int((tmp_path / "pid").read_text())
    os.kill(keeper_of(body), signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    found = status(tmp_path)
    assert (found["state"], found["exit_code"], found["signal"]) == ("FAILED", 137, 0)
    until(lambda: gone(body))
    (tmp_path / "pid").unlink()
    run(tmp_path)
    assert status(tmp_path) == found
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize(("end", "code"), [("exit 3", 3), ("exit 0", 0)])
def test_an_end_is_told_as_a_whole(tmp_path: Path, end: str, code: int) -> None:
    """Past its limit the job looks at its own state, until the supervisor has written it twice."""
    looks = "for _ in 1 2 3 4 5 6 7 8 9; do sleep 0.1; cat status.json; done >seen"
    text = f"#!/bin/bash\ntrap '{looks}; {end}' TERM\n: >hears\nwhile :; do sleep 0.1; done\n"
    tmp_path = at_its_limit(tmp_path, lambda folder, limit: job(folder, text, limit), run)
    seen = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    assert {(each["state"], each["exit_code"], each["signal"], each["end"]) for each in seen} == {
        ("RUNNING", None, None, None)
    }
    found = status(tmp_path)
    assert (found["state"], found["exit_code"], found["signal"]) == ("TIMEOUT", code, 0)
    assert found["end"]


def test_what_was_to_end_when_the_power_was_cut_does_not_begin_again(tmp_path: Path) -> None:
    text = "#!/bin/bash\necho begin >>runs\ntrap 'echo told >>runs' TERM\n: >hears\nwhile :; do sleep 0.1; done\n"
    started: list[subprocess.Popen[bytes]] = []

    def ended(folder: Path) -> None:
        process = start(folder)
        until(
            lambda: (
                process.poll() is not None
                or "told" in ((folder / "runs").read_text() if (folder / "runs").exists() else "")
            )
        )
        started.append(process)

    tmp_path = at_its_limit(tmp_path, lambda folder, limit: job(folder, text, limit), ended)
    process = started[-1]
    body = int(subprocess.run(["pgrep", "-f", f"{tmp_path}/slurm_script"], stdout=subprocess.PIPE, check=True).stdout)
    for each in (process.pid, keeper_of(body), body):
        os.kill(each, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    assert status(tmp_path)["end"] is None
    run(tmp_path)
    found = status(tmp_path)
    assert (found["state"], found["exit_code"], found["signal"]) == ("TIMEOUT", 143, 15)
    assert found["end"]
    assert (tmp_path / "runs").read_text() == "begin\ntold\n"
    run(tmp_path)
    assert status(tmp_path) == found


# The machine's disk as a small one in memory, which the job fills. Its state at the end, after the next boot, and after
# one with room again.
FULL = """\
mount -t tmpfs -o size=256k none "$1/disk" && cd "$1" && cp run prelude status.json disk && cd disk || exit
for boot in 1 2 3; do
    [ $boot != 3 ] || rm fill
    BASH_ENV=prelude setsid -w bash "$PWD/run" job
    cat status.json >"$1/$boot"
done
cp runs "$1"
"""


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("exit 0", ("COMPLETED", 0, 0)),
        ("exit 3", ("FAILED", 3, 0)),
        ("exit 143", ("FAILED", 143, 0)),
        ("kill -KILL $$", ("FAILED", 137, 9)),
    ],
)
@pytest.mark.parametrize("limit", [None, pytest.param(600, marks=pytest.mark.slow)])
def test_a_full_disk_loses_no_state(
    tmp_path: Path, program: Callable[[str, str], str], limit: int | None, end: str, told: tuple[str, int, int]
) -> None:
    (tmp_path / "disk").mkdir()
    job(tmp_path, f"#!/bin/sh\ncd {tmp_path}/disk\necho begin >>runs\ncat /dev/zero >fill\nsleep 1\n{end}\n", limit)
    (tmp_path / "run").write_bytes((tmp_path / "run").read_bytes().replace(str(tmp_path / "out").encode(), b"out"))
    command = [program("unshare", "util-linux"), "-rm", "sh", "-c", FULL, "sh", str(tmp_path)]
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    ends = [json.loads((tmp_path / boot).read_text()) for boot in "123"]
    assert ends[0] == ends[1] == ends[2]
    assert (ends[0]["state"], ends[0]["exit_code"], ends[0]["signal"]) == told
    assert (tmp_path / "runs").read_text() == "begin\n"


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    """Also while the job runs."""
    job(tmp_path, "#!/bin/sh\nln -s /dev/full new\nsleep 1\ncat status.json >seen\nexit 3\n", 600)
    run(tmp_path)
    assert json.loads((tmp_path / "seen").read_text())["state"] == "RUNNING"
    assert (status(tmp_path)["state"], status(tmp_path)["exit_code"]) == ("FAILED", 3)


def test_a_shorter_state_is_whole_where_only_writing_over_is_possible(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\ncat status.json >seen\nexit 3\n")
    (tmp_path / "new").symlink_to("/dev/full")
    (tmp_path / "status.json").write_text(
        '{"starts":1,"used_s":1,"state":"PENDING","start":5,"exit_code":143,"signal":15,"end":1764331234}\n'
    )
    run(tmp_path)
    assert json.loads((tmp_path / "seen").read_text())["state"] == "RUNNING"
    assert (status(tmp_path)["state"], status(tmp_path)["exit_code"]) == ("FAILED", 3)


def test_an_output_that_cannot_be_written_is_no_death_by_a_signal(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    job(tmp_path, "#!/bin/sh\nexit 3\n")
    run(tmp_path)
    found = status(tmp_path)
    assert (found["state"], found["exit_code"], found["signal"]) == ("FAILED", 1, 0)


@pytest.mark.parametrize("name", ["INT", "PIPE", "HUP", "QUIT", "USR1", "SEGV", "RTMIN"])
def test_any_signal_is_told_from_an_exit(tmp_path: Path, name: str) -> None:
    number = getattr(signal, f"SIG{name}").value
    for text, told in ((f"kill -{number} $$", number), (f"exit {128 + number}", 0)):
        job(tmp_path, f"#!/bin/sh\nulimit -c 0\n{text}\n")
        run(tmp_path)
        found = status(tmp_path)
        assert (found["exit_code"], found["signal"]) == (128 + number, told)


@pytest.mark.slow
def test_a_stop_beside_a_failure_that_restarts_ends_right(tmp_path: Path) -> None:
    """The stop comes within 20 ms of one of the job's three ends."""

    def one(number: int) -> object:
        folder = tmp_path / str(number)
        folder.mkdir()
        chance = random.Random(number)
        limit, trap = chance.choice((None, 600)), chance.choice(("", "trap 'exit 9' TERM"))
        text = f"#!/bin/bash\necho begin >>runs\n{trap}\nsleep 0.2 & wait $!\nexit 3\n"
        fields: dict[str, Any] = {"time": Time(limit_s=limit), "retry": Retry(max_restarts=2)}
        install(build(unit(text, workdir=str(folder), io=Io(stdout="out"), **fields), index=None), folder)

        def runs() -> int:
            return (folder / "runs").read_text().count("begin") if (folder / "runs").exists() else 0

        process, wanted = start(folder), chance.randint(1, 3)
        until(lambda: runs() >= wanted or process.poll() is not None)
        time.sleep(0.2 + chance.uniform(-0.02, 0.02))
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        first, before = status(folder), runs()
        run(folder)
        second = status(folder)
        if first["state"] == "FAILED":
            whole = (first["exit_code"], first["signal"], first["restarts"], before) == (3, 0, 2, 3)
            return whole and (second, runs()) == (first, before)
        ends = {(None, None), (143, 15), *([(9, 0), (3, 0)] if trap else [])}
        stopped = first["state"] == "PENDING" and (first["exit_code"], first["signal"]) in ends
        return stopped and second["state"] == "FAILED" and runs() > before

    with ThreadPoolExecutor(12) as pool:
        assert [number for number, right in enumerate(pool.map(one, range(60))) if not right] == []


def test_a_stop_holds_for_the_attempts_to_come(tmp_path: Path) -> None:
    """The one that it comes to ignores it, and fails by itself."""
    text = "#!/bin/bash\ntrap '' TERM\necho begin >>runs\nsleep 1\nexit 3\n"
    planned = unit(text, workdir=str(tmp_path), io=Io(stdout="out"), retry=Retry(max_restarts=2))
    install(build(planned, index=None), tmp_path)
    process = start(tmp_path)
    until((tmp_path / "runs").exists)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert (status(tmp_path)["state"], status(tmp_path)["restarts"]) == ("PENDING", 1)
    run(tmp_path)
    assert (status(tmp_path)["state"], status(tmp_path)["restarts"]) == ("FAILED", 2)
