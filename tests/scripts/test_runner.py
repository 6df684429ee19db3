"""The runner, as emitted, on this machine: bodies, files, states, the time limit, starting again."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from jobs import unit
from local import at_its_limit, install, run, start, status

from flowc.ir.job import Io, Retry, Time
from flowc.scripts import build, identity, life


def wait_for(path: Path, text: str) -> None:
    for _ in range(1200):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} never had {text!r}: {path.read_text() if path.exists() else None!r}")


def job(folder: Path, text: str | bytes, **fields: object) -> None:
    fields.setdefault("io", Io(stdout="out"))
    install(build(unit(text, workdir=str(folder), **fields), index=None), folder)  # type: ignore[arg-type]


def test_a_finished_job_stays_finished(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\necho ran\n")
    assert run(tmp_path) == (0, b"")
    first = status(tmp_path)
    assert (first["state"], first["exit_code"], first["signal"], first["starts"]) == ("COMPLETED", 0, 0, 1)
    assert first["start"] <= first["end"]
    assert run(tmp_path) == (0, b"")
    assert status(tmp_path) == first
    assert (tmp_path / "out").read_text() == "ran\n"


def test_the_exit_status_is_kept(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\nfalse\nexit 3\n")
    assert run(tmp_path)[0] == 3
    assert (status(tmp_path)["state"], status(tmp_path)["exit_code"]) == ("FAILED", 3)


def test_a_job_that_must_not_be_requeued_fails_where_it_was_cut_short(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\necho ran\nsleep 60\n", retry=Retry(requeue=False))
    process = start(tmp_path)
    wait_for(tmp_path / "status.json", "RUNNING")
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=600)
    assert status(tmp_path)["state"] == "PENDING"
    assert run(tmp_path)[0] == 1
    assert (status(tmp_path)["state"], status(tmp_path)["starts"]) == ("NODE_FAIL", 1)
    assert run(tmp_path) == (0, b"")
    assert (tmp_path / "out").read_text() == "ran\n"


def test_death_by_a_signal_is_recorded(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\nkill -KILL $$\n")
    run(tmp_path)
    assert (status(tmp_path)["state"], status(tmp_path)["signal"]) == ("FAILED", 9)


def test_csh_runs_under_its_own_shell(tmp_path: Path, program: Callable[[str, str], str]) -> None:
    job(tmp_path, f"#!{program('csh', 'tcsh')} -f\necho $1:q | cat\n", args=("a 'b'",))
    assert run(tmp_path)[0] == 0
    assert (tmp_path / "out").read_text() == "a 'b'\n"


def test_a_missing_interpreter_fails_and_says_so(tmp_path: Path) -> None:
    job(tmp_path, "#!/no/such/shell\necho no\n")
    assert run(tmp_path)[0] == 127
    assert status(tmp_path)["state"] == "FAILED"
    assert "slurm_script" in (tmp_path / "out").read_text()


def test_background_processes_end_with_the_body(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\nsleep 300 &\necho $!\n")
    run(tmp_path)
    child = int((tmp_path / "out").read_text())
    for _ in range(600):
        if not os.path.exists(f"/proc/{child}") or ") Z" in Path(f"/proc/{child}/stat").read_text():
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the background process still runs")


def test_stdout_and_stderr_go_where_they_should(tmp_path: Path) -> None:
    names = Io(stdout="%x-%j.out", stderr="%x-%N.err", stdin="in.txt")
    (tmp_path / "in.txt").write_text("from a file\n")
    job(tmp_path, "#!/bin/sh\ncat\necho oops >&2\n", io=names, name="it's $(me)")
    run(tmp_path)
    host = os.uname().nodename.split(".")[0]
    number = identity.job_id(unit(name="it's $(me)").job)
    assert (tmp_path / f"it's $(me)-{number}.out").read_text() == "from a file\n"
    assert (tmp_path / f"it's $(me)-{host}.err").read_text() == "oops\n"


def test_what_follows_the_hosts_name_in_a_file_name_is_not_taken_for_a_part_of_it(tmp_path: Path) -> None:
    host = os.uname().nodename.split(".")[0]
    (tmp_path / f"{host}_in").write_text("from a file\n")
    job(tmp_path, "#!/bin/sh\ncat\necho oops >&2\n", io=Io(stdout="%N_%x", stderr="%Nerr", stdin="%N_in"), name="a")
    run(tmp_path)
    assert (tmp_path / f"{host}_a").read_text() == "from a file\n"
    assert (tmp_path / f"{host}err").read_text() == "oops\n"


def test_an_input_that_is_not_there_fails_the_job_and_its_output_says_so(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\necho ran\n", io=Io(stdout="out", stdin="absent.txt"))
    assert run(tmp_path)[0] == 1
    assert status(tmp_path)["state"] == "FAILED"
    assert f"{tmp_path}/absent.txt: No such file" in (tmp_path / "out").read_text()


def test_the_output_is_emptied_first_unless_it_is_appended_to(tmp_path: Path) -> None:
    for append, content in ((False, "new\n"), (True, "old\nnew\n")):
        (tmp_path / "out").write_text("old\n")
        job(tmp_path, "#!/bin/sh\necho new\n", io=Io(stdout="out", append=append))
        run(tmp_path)
        assert (tmp_path / "out").read_text() == content


def test_a_stopped_job_starts_again_and_appends(tmp_path: Path) -> None:
    job(tmp_path, '#!/bin/bash\necho "start ${SLURM_RESTART_COUNT-none}"\n[ -e go ] || sleep 300\n')
    process = start(tmp_path)
    wait_for(tmp_path / "out", "start none")
    wait_for(tmp_path / "status.json", "RUNNING")
    # As systemd does: the runner alone is told.
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=600)
    assert status(tmp_path)["state"] == "PENDING"
    (tmp_path / "go").touch()
    run(tmp_path)
    assert (status(tmp_path)["state"], status(tmp_path)["starts"]) == ("COMPLETED", 2)
    assert (tmp_path / "out").read_text() == "start none\nstart 1\n"


def body_of(runner: int) -> int:
    """The process group of the body: its keeper, the runner's first child, has no other child."""
    keeper, *_ = Path(f"/proc/{runner}/task/{runner}/children").read_text().split()
    return int(Path(f"/proc/{keeper}/task/{keeper}/children").read_text())


def test_a_power_cut_loses_neither_the_time_used_nor_the_job(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/sh\necho up\n[ -e go ] || sleep 300\n", time=Time(limit_s=600))
    process = start(tmp_path)
    wait_for(tmp_path / "status.json", '"used_s":2')
    body = body_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)  # first, or it would see the body end
    process.wait()
    os.killpg(body, signal.SIGKILL)
    process.communicate(timeout=600)
    (tmp_path / "go").touch()
    run(tmp_path)
    found = status(tmp_path)
    assert (found["state"], found["starts"]) == ("COMPLETED", 2)
    assert found["used_s"] >= 2


def test_the_time_limit_counts_all_starts(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/bash\necho on\nsleep 300\n", time=Time(limit_s=1000))
    (tmp_path / "status.json").write_text(
        '{"starts":3,"used_s":999,"state":"RUNNING","start":5,"exit_code":null,"signal":null,"end":null}\n'
    )
    assert run(tmp_path)[0] == 143
    found = status(tmp_path)
    assert (found["state"], found["starts"], found["start"], found["signal"]) == ("TIMEOUT", 4, 5, 15)
    assert found["used_s"] >= 1000
    run(tmp_path)
    assert status(tmp_path) == found


def test_what_ignores_the_limit_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "GRACE_S", 2)
    text = "#!/bin/bash\ntrap 'echo told' TERM\n: >hears\nwhile :; do sleep 0.1; done\n"
    tmp_path = at_its_limit(tmp_path, lambda folder, limit: job(folder, text, time=Time(limit_s=limit)), run)
    assert (status(tmp_path)["state"], status(tmp_path)["signal"]) == ("TIMEOUT", 9)
    assert (tmp_path / "out").read_text().count("told") == 1


def test_an_interrupt_can_be_caught(tmp_path: Path) -> None:
    job(tmp_path, "#!/bin/bash\ntrap 'echo int' INT\nkill -INT $$\n")
    run(tmp_path)
    assert (tmp_path / "out").read_text() == "int\n"


BODIES = st.one_of(
    st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"")),
    st.lists(st.sampled_from([b"E", b"E0", b"E1", b"", b"'E'", b"\\", b"$x `y` $(z)"]), max_size=6).map(b"\n".join),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass").replace(b"\0", b"")),
)
TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=BODIES, name=TEXTS, args=st.lists(TEXTS, max_size=3), value=TEXTS, workdir=TEXTS)
def test_what_the_user_wrote_arrives_as_inert_text(
    tmp_path: Path, body: bytes, name: str, args: list[str], value: str, workdir: str
) -> None:
    planned = unit(
        body,
        name=name,
        args=tuple(args),
        workdir="/" + workdir,
        env=(("-x.y", value), ("V", value)),
        io=Io(stdout="/dev/null", stderr="/dev/fd/2", stdin="/dev/stdin"),
    )
    startup = build(planned, index=None)
    assert startup.sent.isascii()
    install(startup, tmp_path, show=True)
    for path in (tmp_path / "slurm_script", tmp_path / "told"):
        path.unlink(missing_ok=True)
    assert run(tmp_path) == (0, b"")
    assert (tmp_path / "slurm_script").read_bytes() == body
    told = (tmp_path / "told").read_bytes().decode().split("\0")[:-1]
    assert told[:3] == ["-i", "-C", "/" + workdir]
    assert f"SLURM_JOB_NAME={name}" in told
    command = told.index(f"{tmp_path}/slurm_script")
    assert told[command - 2 : command] == [f"-x.y={value}", f"V={value}"]
    assert told[command + 1 :] == args
