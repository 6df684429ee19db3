"""When a failed job starts again, and what that start finds."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from fakes import Machine
from test_prepared import task, wait_for_text

from flowc.ir.job import ExitRule, Mount, Retry
from flowc.scripts.restarts import action, delay_words, restart_section


def test_restarts_are_counted_and_scratch_is_emptied(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    text, env = "ls -A $S\n: >$S/left\nexit 5\n", (("S", "/mnt/flowc/0"),)
    scratch = (Mount(kind="scratch", source="s", target="/mnt/s"),)
    assert machine.run(task(text, env=env, mounts=scratch, retry=Retry(max_restarts=2, delay_ms=0))) == 5
    assert machine.output == "flowc: exit status 5; starts again after 0 seconds\n" * 2
    assert '"starts":3' in machine.status()
    assert '"restarts":2' in machine.status()


def test_scratch_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    text, env = "ls -A $S\n: >$S/left\nexit 5\n", (("S", "/mnt/flowc/0"),)
    scratch = (Mount(kind="scratch", source="s", target="/mnt/s"),)
    machine.run(task(text, env=env, mounts=scratch, retry=Retry(max_restarts=1, delay_ms=0, keep_scratch=True)))
    assert machine.output.splitlines()[-1] == "left"


def test_the_count_survives_a_reboot_and_preemption_does_not_count(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    text = f"echo on\n[ -e {tmp_path}/fail ] && exit 5\nsleep 300\n"
    job = task(text, retry=Retry(max_restarts=2, delay_ms=0))
    (tmp_path / "fail").touch()
    machine.install(job)
    (tmp_path / "status.json").write_text(
        '{"starts":2,"used_s":1,"state":"RUNNING","start":5,"restarts":1,"exit_code":null,"signal":null,"end":null}\n'
    )
    assert machine.run() == 5
    assert '"starts":4' in machine.status()
    assert '"restarts":2' in machine.status()
    (tmp_path / "fail").unlink()
    (tmp_path / "status.json").write_text("")
    process = machine.start()
    wait_for_text(tmp_path / "status.json", '"starts":1')
    wait_for_text(tmp_path / "log/job.log", "on\n")
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=600)
    assert '"state":"PENDING"' in machine.status()
    assert '"restarts":0' in machine.status()


RULES = (
    ExitRule(action="free", codes=(4,)),
    ExitRule(action="fail", codes=(3, 4)),
    ExitRule(action="count", codes=(5,)),
    ExitRule(action="fail", codes=(6,), negate=True),
)


@pytest.mark.parametrize(("code", "starts"), [(3, 1), (5, 3), (6, 3), (7, 1), (0, 1)])
def test_exit_codes_decide(tmp_path: Path, code: int, starts: int) -> None:
    machine = Machine(tmp_path)
    job = task(f"exit {code}\n", retry=Retry(max_restarts=2, delay_ms=0, exit_rules=RULES))
    assert machine.run(job) == code
    assert f'"starts":{starts},' in machine.status()


def test_free_restarts_are_not_counted(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    text = f"n=$(cat {tmp_path}/n || echo 0)\necho $((n + 1)) >{tmp_path}/n\n[ $n -ge 6 ] || exit 4\n"
    assert machine.run(task(text, retry=Retry(max_restarts=1, delay_ms=0, exit_rules=RULES))) == 0
    assert '"starts":7' in machine.status()
    assert '"restarts":0' in machine.status()


@given(
    st.lists(
        st.builds(
            ExitRule,
            action=st.sampled_from(["fail", "free", "count"]),
            codes=st.lists(st.integers(1, 255), min_size=1, max_size=5).map(tuple),
            negate=st.booleans(),
        ),
        max_size=4,
    ),
    st.integers(1, 255),
)
def test_the_cases_are_the_rules(rules: list[ExitRule], code: int) -> None:
    cases = restart_section(Retry(max_restarts=1, exit_rules=tuple(rules))).cases
    fits = [meaning for codes, meaning in cases if codes == "*" or str(code) in codes.split(" | ")]
    assert fits[0] == action(tuple(rules), code)
    assert [codes for codes, _ in cases].count("*") == 1


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        (Retry(max_restarts=3), ["5", "5"]),
        (Retry(max_restarts=4, delay_ms=10000, delay_factor="2", max_delay_ms=35000), ["10", "10", "20", "35"]),
        (Retry(max_restarts=2, delay_ms=500, delay_factor="1.5"), ["0.5", "0.5", "0.75"]),
        (Retry(max_restarts=9, delay_ms=0), ["0", "0"]),
        (Retry(max_restarts=1, max_delay_ms=1000), ["1", "1"]),
    ],
)
def test_delays(retry: Retry, delays: list[str]) -> None:
    assert delay_words(retry) == delays


@given(st.integers(0, 10**12), st.floats(0, 1e6), st.integers(1, 10**9))
def test_any_delay_is_a_number_that_sleep_takes(delay: int, factor: float, most: int) -> None:
    for word in delay_words(Retry(max_restarts=most, delay_ms=delay, delay_factor=f"{factor:f}")):
        assert word.replace(".", "", 1).isdigit()
