"""`flowc watch`: it ends bids with their jobs, and what outlives its limit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.machines.ordinary import until
from tests.tasks.conftest import Cloud, Person


def test_it_ends_bids_with_their_jobs_and_places_what_waits(cloud: Cloud) -> None:
    head = "#!/bin/bash\n#SBATCH --array=0-2%1 --gpus=h100:8 --time=10 --job-name=sweep\n"
    watching = cloud.person.starts("watch", "--every", "1")
    try:
        until(lambda: "`flowc watch` runs" in cloud.person.types("doctor", "--offline").stdout, "the watcher")
        job = cloud.person.job("echo $SLURM_ARRAY_TASK_ID\n", head=head)
        done = cloud.person.types("submit", job)
        assert done.returncode == 0, done.stderr
        assert "`flowc watch` ends the bill with the job" in done.stderr.splitlines()[-1]
        second = cloud.person.types("watch", "--once")
        assert (second.returncode, "runs already" in second.stderr) == (2, True)
        for number in range(3):
            assert watching.stderr is not None
            said = watching.stderr.readline()
            assert said.startswith(f"flowc: sweep-{number}-"), said
            assert said.endswith(": completed, exit status 0; nothing more is paid\n")
        assert (len(cloud.state.bids), cloud.living()) == (3, [])
    finally:
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate()
    assert (watching.returncode, out, err) == (130, "", "")
    assert sorted(cloud.person.types("logs", "sweep").stdout.split()[1::2]) == ["0", "1", "2"]


@pytest.mark.slow
def test_a_job_that_outlives_its_limit_is_ended(cloud: Cloud) -> None:
    """The process on its machine that should end it stands still."""
    stopped = "echo begun; sleep 6; kill -STOP $PPID $(ps -o ppid= $PPID); sleep infinity\n"
    job = cloud.person.job(stopped, head="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=0:10\n")
    (name,) = cloud.person.types("submit", job).stdout.split()
    watching = cloud.person.starts("watch", "--every", "1", "--grace", "3")
    try:
        assert watching.stderr is not None
        assert "its time limit was up, and its machine did not end it" in watching.stderr.readline()
        assert cloud.living() == []
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate()
    assert cloud.person.types("wait", name).returncode == 1
    assert cloud.person.types("logs", name).stdout == "begun\n"


def test_what_is_kept_is_left_alone(cloud: Cloud) -> None:
    (name,) = cloud.person.types("submit", cloud.person.job("exit 4\n"), "--keep").stdout.split()
    until(lambda: "its bid stays" in cloud.person.types("watch", "--once").stderr, "the end of the job")
    assert cloud.living() == [name]
    cloud.person.types("cancel", name)


def test_a_provider_that_is_away_is_asked_again(there: Person) -> None:
    there.types("submit", there.job("true\n"))
    done = there.types("watch", "--once", MITHRIL_API_URL="http://127.0.0.1:1", FLOW_TIMEOUT="1")
    assert done.returncode == 0
    assert "asks again" in done.stderr


def test_without_a_folder_to_keep_things_in(there: Person) -> None:
    (there.home / "file").write_text("")
    done = there.types("watch", "--once", XDG_STATE_HOME=str(there.home / "file"))
    assert done.returncode == 4
    assert "XDG_STATE_HOME" in done.stderr


def test_the_service_is_one_that_systemd_takes(there: Person) -> None:
    """Its `systemctl` notes what it was asked for."""
    programs = there.home / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text('#!/bin/sh\necho "$*" >>"$HOME/asked"\n')
    (programs / "systemctl").chmod(0o755)
    there.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    refused = there.types("watch", "--install")
    assert (refused.returncode, "a service has not your environment" in refused.stderr) == (2, True)
    key = there.environ.pop("MITHRIL_API_KEY")
    config = there.home / ".flow" / "config.yaml"
    config.parent.mkdir()
    config.write_text(f"api_key: {key}\n")
    config.chmod(0o600)
    there.environ["XDG_STATE_HOME"] = str(there.home / '100% "state"$X')
    done = there.types("watch", "--install")
    assert done.returncode == 0, done.stderr
    asked = (there.home / "asked").read_text().splitlines()
    assert asked[-2:] == ["--user enable flowc-watch.service", "--user restart flowc-watch.service"]
    unit = there.home / ".config" / "systemd" / "user" / "flowc-watch.service"
    assert key not in unit.read_text()
    _verify(unit)
    assert there.types("watch", "--uninstall").returncode == 0
    assert not unit.exists()
    assert "no such service" in there.types("watch", "--uninstall").stderr


def _verify(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs the Debian package systemd")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(unit.parent), "XDG_RUNTIME_DIR": str(unit.parent)},
    )
    # Of the units of this machine it may say something too.
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_without_systemd_the_way_by_cron_is_told(there: Person) -> None:
    config = there.home / ".flow" / "config.yaml"
    config.parent.mkdir()
    config.write_text(f"api_key: {there.environ.pop('MITHRIL_API_KEY')}\n")
    config.chmod(0o600)
    done = there.types("watch", "--install", PATH=str(there.home))
    assert done.returncode == 2
    assert "cron" in done.stderr


@pytest.mark.parametrize("words", [["now"], ["--once", "--install"], ["--every", "0"]])
def test_wrong_usage(there: Person, words: list[str]) -> None:
    assert there.types("watch", *words).returncode == 2


def test_a_clock_that_is_set_is_no_time_that_a_job_has_had(there: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine cannot be asked meanwhile."""
    import time
    from types import SimpleNamespace

    from flowc.cli.setup import watching
    from flowc.submit.overdue import Seen
    from flowc.submit.watch import save

    now, ahead = time.time(), [0.0]
    monkeypatch.setattr(
        watching, "time", SimpleNamespace(time=lambda: now + ahead[0], clock_gettime=lambda _: 100.0, CLOCK_BOOTTIME=7)
    )
    folder = there.home / "state"
    folder.mkdir()
    save(str(folder), {"job": Seen(used_s=5.0, at=now)})
    world = SimpleNamespace(folder=str(folder), journal=SimpleNamespace(bids=lambda: []))
    looks = watching._Watching(world, grace_s=300.0)  # type: ignore[arg-type]
    for hours in (5, -3):
        ahead[0] += hours * 3600
        before = looks._seen
        looks._catch_up()
        assert abs(looks._seen["job"].at - before["job"].at - hours * 3600) < 0.01
    ahead[0] += 30
    looks._catch_up()
    assert abs(looks._seen["job"].at - now - 2 * 3600) < 0.01
