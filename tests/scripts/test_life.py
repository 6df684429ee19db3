"""What reaches a running job: warnings, the provider's notice, requeue; how its end is told, the journal."""

from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jobs import unit
from local import PRELUDE, SHORT_TICK, TICK, run, start, status
from test_runner import wait_for

from flowc.ir.job import Io, Retry, Run, StopSignal, Time
from flowc.ir.unit import Unit
from flowc.scripts import build, life, size_table
from flowc.source import Derived, Source

# Other programs on this machine are not to be told anything.
STUBS = """\
pkill() { echo "$*" >>"${0%/*}/told"; }
"""
# Tells each USR1, and ends on TERM or after the file `go` is there.
LISTENS = """#!/bin/bash
trap 'echo warned' USR1
echo up
until [ -e go ]; do sleep 0.1; done
"""
BASH = Run(interpreter="/bin/bash")


def put(folder: Path, planned: Unit) -> None:
    """The runner as installed, with the places of the machine that it looks at below `folder`."""
    payload = build(planned, index=None).payload.replace(TICK, SHORT_TICK)
    for place in (b"/opt/mithril/", b"/run/flowc.", b"/run/systemd/"):
        payload = payload.replace(place, f"{folder}/".encode())
    (folder / "run").write_bytes(payload)
    (folder / "prelude").write_text(PRELUDE + STUBS)
    (folder / "status.json").write_text("")


def job(folder: Path, text: str, **fields: Any) -> None:
    put(folder, unit(text, workdir=str(folder), io=Io(stdout="out"), **fields))


def from_file(text: str, path: str = "dir/job.sbatch", **fields: Any) -> Unit:
    """A unit whose body is the whole source."""
    planned = unit(text, **fields)
    run_ = planned.job.run.replace(interpreter=text.partition("\n")[0].removeprefix("#!"))
    return planned.replace(source=Source(path, text), job=planned.job.replace(run=run_))


def looks(folder: Path) -> None:
    """Until the runner has looked at the time twice: each time it replaces the file of its state."""
    path = folder / "status.json"
    for _ in range(2):
        before = path.stat().st_mtime_ns
        limit = time.monotonic() + 600
        while path.stat().st_mtime_ns == before:
            assert time.monotonic() < limit, "the runner looks no more"
            time.sleep(0.05)


class TestWarnings:
    def test_the_shell_alone_hears_of_a_signal_for_it(self, tmp_path: Path) -> None:
        text = (
            "#!/bin/bash\ntrap 'echo shell; exit' USR1\n"
            "bash -c \"trap 'echo child' USR1; while :; do sleep 0.1; done\" &\nwait\nwait\n"
        )
        job(tmp_path, text, time=Time(limit_s=600, signal=StopSignal(name="USR1", before_s=599, to="shell")))
        run(tmp_path)
        assert (tmp_path / "out").read_text() == "shell\n"

    def test_a_start_after_the_time_of_the_warning_is_warned_once_it_hears(self, tmp_path: Path) -> None:
        job(tmp_path, LISTENS, time=Time(limit_s=600, signal=StopSignal(name="USR1", before_s=600, to="shell")))
        script = tmp_path / "run"
        script.write_bytes(script.read_bytes().replace(SHORT_TICK, TICK))
        process = start(tmp_path)
        wait_for(tmp_path / "out", "up\nwarned\n")
        (tmp_path / "go").touch()
        process.communicate(timeout=600)
        assert (tmp_path / "out").read_text() == "up\nwarned\n"
        assert status(tmp_path)["state"] == "COMPLETED"

    def test_a_signal_for_the_steps_reaches_srun_alone(self, tmp_path: Path) -> None:
        signal = StopSignal(name="USR1", before_s=599, to="steps")
        job(tmp_path, LISTENS, time=Time(limit_s=600, signal=signal))
        process = start(tmp_path)
        wait_for(tmp_path / "told", "-USR1 -x srun\n")
        (tmp_path / "go").touch()
        process.communicate(timeout=600)
        assert (tmp_path / "told").read_text() == "-USR1 -x srun\n"
        assert (tmp_path / "out").read_text() == "up\n"

    @pytest.mark.parametrize("limit", [None, 100_000])
    def test_each_notice_of_the_provider_is_told_once(self, tmp_path: Path, limit: int | None) -> None:
        notice = tmp_path / "MITHRIL_SIGNAL.yml"
        notice.write_text("instance_status: STATUS_RELOCATING\n")  # left from before the machine was moved
        job(tmp_path, LISTENS, time=Time(limit_s=limit, signal=StopSignal(name="USR1", before_s=60, to="shell")))
        process = start(tmp_path)
        wait_for(tmp_path / "out", "up")
        looks(tmp_path)
        assert (tmp_path / "out").read_text() == "up\n"
        for told in (1, 2):
            notice.write_text("instance_status: STATUS_PREEMPTING\n")
            wait_for(tmp_path / "out", "up\n" + "warned\n" * told)
            notice.write_text("instance_status: STATUS_PREEMPTING\nend_time: later\n")
            looks(tmp_path)
            notice.unlink()
            looks(tmp_path)
            assert (tmp_path / "out").read_text() == "up\n" + "warned\n" * told
        (tmp_path / "go").touch()
        process.communicate(timeout=600)
        assert status(tmp_path)["state"] == "COMPLETED"

    def test_without_a_signal_or_a_limit_nothing_is_polled(self) -> None:
        for signal, limit in ((None, None), (None, 60)):
            payload = build(unit(time=Time(limit_s=limit, signal=signal)), index=None).payload
            assert b"mithril" not in payload
            assert (TICK in payload) == (limit is not None)

    @pytest.mark.parametrize(("limit", "before", "at"), [(3600, 60, 3540), (3600, 61, 3539), (61, 7, 54), (60, 90, 0)])
    def test_a_warning_comes_to_the_second(self, limit: int, before: int, at: int) -> None:
        signal = StopSignal(name="USR1", before_s=before, to="shell")
        found = life.limits(unit(time=Time(limit_s=limit, signal=signal)).job)
        assert found.signal_at_s == at


class TestEnds:
    @pytest.mark.parametrize(
        ("command", "state", "code", "number"),
        [
            ("exit 0", "COMPLETED", 0, 0),
            ("exit 7", "FAILED", 7, 0),
            ("exit 143", "FAILED", 143, 0),
            ("kill -TERM $$", "FAILED", 143, 15),
            ("exit 137", "FAILED", 137, 0),
            ("kill -KILL $$", "FAILED", 137, 9),
            ("exit 255", "FAILED", 255, 0),
        ],
    )
    @pytest.mark.parametrize("limit", [None, 600])
    def test_a_status_is_told_from_a_signal(
        self, tmp_path: Path, command: str, state: str, code: int, number: int, limit: int | None
    ) -> None:
        job(
            tmp_path,
            f"#!/bin/sh\nsleep 0.{random.Random(command).randrange(10)}\n{command}\n",
            time=Time(limit_s=limit),
        )
        assert run(tmp_path)[0] == code
        found = status(tmp_path)
        assert (found["state"], found["exit_code"], found["signal"]) == (state, code, number)

    def test_a_restart_after_an_exit_does_not_hide_a_signal(self, tmp_path: Path) -> None:
        text = "#!/bin/sh\n[ -e again ] && kill -KILL $$\n: >again\nexit 137\n"
        job(tmp_path, text, retry=Retry(max_restarts=1))
        run(tmp_path)
        assert (status(tmp_path)["signal"], status(tmp_path)["restarts"]) == (9, 1)


# As the small Slurm does it.
ASKS = "scontrol() { [ -e end ] && told=1; printf %s $1 >end; [ $told ] || kill -TERM -$FLOWC_BODY; }\n"


class TestRequeue:
    def asks(self, folder: Path, text: str, **fields: Any) -> None:
        job(folder, f"#!/bin/bash\n: 'scontrol requeue 1' \n{ASKS}{text}", **fields)

    def test_the_job_starts_again_with_a_time_of_its_own(self, tmp_path: Path) -> None:
        text = "echo start ${SLURM_RESTART_COUNT-first}\n[ $SLURM_RESTART_COUNT ] || { scontrol requeue 1; sleep 9; }\n"
        self.asks(tmp_path, text, time=Time(limit_s=1000))
        (tmp_path / "status.json").write_text(
            '{"starts":,"used_s":990,"state":"PENDING","start":5,"exit_code":null,"signal":null,"end":null}\n'
        )
        assert run(tmp_path)[0] == 0
        found = status(tmp_path)
        assert (found["state"], found["starts"], found["start"]) == ("COMPLETED", 2, 5)
        assert found["used_s"] < 100
        assert (tmp_path / "out").read_text() == "start first\nstart 1\n"

    def test_a_job_that_cancels_itself_was_cancelled(self, tmp_path: Path) -> None:
        self.asks(tmp_path, "echo once\nscontrol cancel; sleep 9\n")
        run(tmp_path)
        assert (status(tmp_path)["state"], status(tmp_path)["signal"]) == ("CANCELLED", 15)
        run(tmp_path)
        assert (tmp_path / "out").read_text() == "once\n"

    def at_the_limit(self, folder: Path, text: str) -> None:
        """One second before it; the job starts again with as much time as it has."""
        again = '[ -z "$SLURM_RESTART_COUNT" ] || exit 0\n'
        self.asks(folder, f"echo start\n{again}{text}", time=Time(limit_s=1000))
        (folder / "status.json").write_text(
            '{"starts":,"used_s":999,"state":"PENDING","start":5,"exit_code":null,"signal":null,"end":null}\n'
        )
        run(folder)

    @pytest.mark.parametrize(("word", "end"), [("requeue", ("COMPLETED", 2)), ("cancel", ("CANCELLED", 1))])
    def test_what_is_asked_before_the_limit_goes_before_it(
        self, tmp_path: Path, word: str, end: tuple[str, int]
    ) -> None:
        wait = f"until grep -q used_s.:100[2-9] {tmp_path}/status.json; do command sleep 0.1; done"
        self.at_the_limit(tmp_path, f"trap '{wait}; exit 3' TERM\nscontrol {word} 1\nsleep 9\n")
        assert (status(tmp_path)["state"], status(tmp_path)["starts"]) == end

    def test_who_is_told_of_the_limit_may_ask_to_start_again(self, tmp_path: Path) -> None:
        self.at_the_limit(tmp_path, "trap 'echo told; scontrol requeue 1; exit 3' TERM\nsleep 60 & wait $!\n")
        assert (status(tmp_path)["state"], status(tmp_path)["starts"]) == ("COMPLETED", 2)
        assert (tmp_path / "out").read_text() == "start\ntold\nstart\n"

    def test_who_is_told_of_the_limit_and_cancels_has_reached_it(self, tmp_path: Path) -> None:
        self.at_the_limit(tmp_path, "trap 'scontrol cancel; exit 3' TERM\nsleep 60 & wait $!\n")
        assert (status(tmp_path)["state"], status(tmp_path)["exit_code"]) == ("TIMEOUT", 3)

    def test_what_was_asked_before_this_start_is_forgotten(self, tmp_path: Path) -> None:
        (tmp_path / "end").write_text("requeue")
        self.asks(tmp_path, "echo once\n")
        assert run(tmp_path)[0] == 0
        assert (tmp_path / "out").read_text() == "once\n"

    def test_a_job_that_must_not_be_requeued_is_not(self) -> None:
        text = "#!/bin/bash\nscontrol requeue $SLURM_JOB_ID\n"
        for requeue, there in ((None, True), (True, True), (False, False)):
            payload = build(unit(text, retry=Retry(requeue=requeue)), index=None).payload
            assert (b"requeue)" in payload) == there


# The job's own `logger` stands in for the machine's.
LOGGED = '#!/bin/bash\nlogger() { printf "%s\\n" "$*" >>lines; }\n'
BODY = """\
set -x
mkdir /tmp
cd $_ && cd "$OLDPWD"
false | true | sh -c 'exit 3'; echo ${PIPESTATUS[*]}
! true
if false; then :; fi
bash -c 'exit 4'; echo $?
cat <<END | grep none
two
lines
END
python3 - 'a
b' <<END
raise SystemExit(5)
END
env | grep -c BASH_E
set -u
(exit 9)
echo $?
set -eo pipefail
(exit 6) | cat
"""


class TestJournal:
    def body(self, folder: Path, text: str, path: str = "dir/job.sbatch", **fields: Any) -> None:
        put(folder, from_file(text, path, workdir=str(folder), io=Io(stdout="out"), **fields))

    def test_failing_commands_are_named_by_their_lines(self, tmp_path: Path) -> None:
        self.body(tmp_path, LOGGED + BODY, "it's a\nname.sh")
        assert run(tmp_path)[0] == 6
        place = r"-tflowc -- it's a\nname.sh"
        assert (tmp_path / "lines").read_text().splitlines() == [
            f"{place}:4: exit status 1: mkdir /tmp",
            f"{place}:6: exit status 3: sh -c 'exit 3'",
            f"{place}:9: exit status 4: bash -c 'exit 4'",
            f"{place}:10: exit status 1: grep none",
            f"{place}:14: exit status 5: python3 - 'a",
            f"{place}:18: exit status 1: grep -c BASH_E",
            f"{place}:20: exit status 9: ( exit 9 )",
            f"{place}:23: exit status 6: cat",
        ]

    def test_the_script_does_not_notice(self, tmp_path: Path) -> None:
        said = []
        for name in ("with", "without"):
            folder = tmp_path / name
            folder.mkdir()
            text = LOGGED + BODY if name == "with" else LOGGED + BODY + "# BASH_ENV is ours\n"
            self.body(folder, text)
            code, _ = run(folder)
            # What both ends of a pipe do is traced in any order.
            said.append((code, sorted((folder / "out").read_text().replace(name, "").splitlines())))
            assert (folder / "lines").exists() == (name == "with")
        assert said[0] == said[1]

    def test_a_loop_does_not_flood_it(self, tmp_path: Path) -> None:
        self.body(tmp_path, LOGGED + "for i in {1..100}; do (exit 3); done\nexit 5\n")
        assert run(tmp_path)[0] == 5
        assert len((tmp_path / "lines").read_text().splitlines()) == 20

    def test_after_a_setup_and_secrets_it_is_there_too(self, tmp_path: Path) -> None:
        self.body(tmp_path, LOGGED + "false\n", setup="false; env >env\n")
        assert run(tmp_path)[0] == 1
        assert (tmp_path / "lines").read_text() == "-tflowc -- dir/job.sbatch:3: exit status 1: false\n"
        assert "BASH_ENV" not in (tmp_path / "env").read_text()

    def test_text_from_yaml_has_the_lines_of_its_file(self, tmp_path: Path) -> None:
        text = 'logger() { echo "$*" >>lines; }\ntrue\nfalse\nexit 0\n'
        head = "name: x\nrun: |\n"
        source = Source("task.yaml", head + "".join(f"  {line}\n" for line in text.splitlines()))
        lines = [
            Derived.of(source, match.start(1), match.end(1)) for match in re.finditer("(?m)^  (.*\n)", source.text)
        ]
        planned = unit(
            frontend="task-yaml",
            run=Run(kind="shell", text=text, workdir=str(tmp_path)),
            io=Io(stdout=str(tmp_path / "out")),
        )
        put(tmp_path, planned.replace(source=source, text=Derived.joined(*lines)))
        run(tmp_path)
        assert (tmp_path / "lines").read_text() == "-tflowc -- task.yaml:5: exit status 1: false\n"

    @pytest.mark.parametrize(
        ("interpreter", "there"),
        [
            ("/bin/bash", True),
            ("/usr/bin/env bash", True),
            ("/bin/bash -l", True),
            ("/bin/bash -eu", True),
            ("/bin/bash -x", False),
            ("/bin/bash -p", False),
            ("/bin/sh", False),
            ("/usr/bin/python3", False),
            ("/opt/bash", False),
        ],
    )
    def test_other_interpreters_are_left_alone(self, interpreter: str, there: bool) -> None:
        payload = build(from_file(f"#!{interpreter}\ntrue\n"), index=None).payload
        assert (b"BASH_ENV" in payload) == there

    def test_it_gives_way_to_the_script(self) -> None:
        draw = random.Random(1)
        values = [value for value in range(32, 127) if value != 10]
        text = "#!/bin/bash\n" + bytes(draw.choices(values, k=8000)).decode()
        small, large = (build(from_file(text[:size] + "\n"), index=None) for size in (2000, 8000))
        assert (b"BASH_ENV" in small.payload, small.left_out) == (True, None)
        assert (b"BASH_ENV" in large.payload, large.fits) == (False, True)
        assert "left out for want of room: lines in the machine's journal" in size_table(large)
        assert "left out" not in size_table(small)
