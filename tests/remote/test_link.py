"""The connection to a machine, and what is done over it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowc.remote.link import Link
from flowc.remote.ssh import ChangedHostKeyError, UnreachableError
from tests.machines.ordinary import until
from tests.remote.server import Sshd, children, command_of, kill, new_key

ROOT = Path(__file__).resolve().parents[2]


def test_all_goes_over_one_connection(sshd: Sshd, link: Link, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)))
    assert link.read(str(tmp_path / "file"), offset=250) == bytes(range(250, 256))
    assert link.read(str(tmp_path / "file"), offset=256) == b""
    assert link.read(str(tmp_path / "none")) is None
    done = link.run('cat; echo "$2" >&2; exit 3', "one", "two words", given=b"in")
    assert (done.status, done.output, done.said) == (3, b"in", "two words\n")
    assert len(sshd.connections()) == 1


def test_a_file_is_there_as_a_whole_and_for_root_alone(link: Link, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "secrets"
    data = b"it's\0" * 300_000
    link.write(str(path), data)
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_already_stays_as_it_is(link: Link, tmp_path: Path) -> None:
    """It may be one that is being started."""
    path = tmp_path / "script"
    link.write(str(path), b"true\n")
    path.chmod(0o700)
    link.write(str(path), b"true\n")
    assert path.stat().st_mode & 0o777 == 0o700
    link.write(str(path), b"false\n")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"false\n", 0o600)
    assert os.listdir(tmp_path).count("script.new") == 0


@pytest.mark.parametrize(("script", "status"), [("exit 255", 255), ("kill -9 $$", 137), ("kill $$", 143)])
def test_how_a_script_ends_is_told_apart_from_a_cut(link: Link, script: str, status: int) -> None:
    assert link.run(script).status == status


def test_input_is_a_file_or_comes_in_pieces(link: Link, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    with (tmp_path / "file").open("rb") as file:
        assert link.run("wc -c", given=file).output.strip() == b"3000000"
    assert link.run("wc -c", given=(b"y" * 1000 for _ in range(2000))).output.strip() == b"2000000"


def test_output_is_taken_as_it_comes(link: Link) -> None:
    taken: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for line in (b"0\n", b"1\n", b"2\n"):
            yield line
            # The next one is not sent before this one has come back.
            until(lambda: b"".join(taken)[-2:] == line, "an echo")  # noqa: B023

    assert link.run("cat", given=pieces(), take=taken.append).output == b""
    assert b"".join(taken) == b"0\n1\n2\n"


def test_what_goes_wrong_here_ends_the_script_there(link: Link, tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        link.run(f"echo $$ >{tmp_path}/pid; exec sleep 1000", given=pieces())
    until(lambda: not running(tmp_path / "pid"), "the end of the script")


def test_a_cut_connection_is_made_again(sshd: Sshd, link: Link, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    assert link.read(str(tmp_path / "file")) == b"here"
    sshd.cut()
    assert link.read(str(tmp_path / "file")) == b"here"
    sshd.cut()
    assert link.run("echo again").output == b"again\n"


def test_a_cut_in_the_middle_is_told_and_ends_the_script(sshd: Sshd, link: Link, tmp_path: Path) -> None:
    script = f"echo $$ >{tmp_path}/pid; echo begun; exec sleep 1000"
    with pytest.raises(UnreachableError, match=r"cut|closed|Broken|reset"):
        link.run(script, take=lambda data: sshd.cut())
    until(lambda: not running(tmp_path / "pid"), "the end of the script")


def test_a_file_whose_connection_is_cut_is_not_there(sshd: Sshd, link: Link, tmp_path: Path) -> None:
    """What has come of it ends as a whole file would."""
    path, half = tmp_path / "secrets", tmp_path / "secrets.new"
    link.write(str(path), b"before")

    def cut() -> None:
        until(lambda: half.exists() and half.stat().st_size, "the begin of the file")
        sshd.cut()

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(UnreachableError):
        link.write(str(path), b"y" * 300_000_000)
    cutter.join()
    until(lambda: not sshd.connections(), "the end of the connection")
    assert path.read_bytes() == b"before"


def test_nothing_is_left_behind(sshd: Sshd, link: Link, tmp_path: Path) -> None:
    link.run("true")
    socket = Path(link.shell()[link.shell().index("ControlMaster=no") + 2].split('"')[1])
    assert socket.exists()
    link.close()
    assert not socket.exists()
    until(lambda: not sshd.connections(), "the end of the connection")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_script_does_not_outlive_whoever_runs_it(sshd: Sshd, link: Link, tmp_path: Path, how: int) -> None:
    program = f"""
import sys
from flowc.remote.link import Link
from flowc.remote.ssh import place_of
place = place_of({sshd.address!r}, {str(tmp_path / "hosts/other")!r}, identities=({str(sshd.key)!r},))
link = Link(place, environ={{"PATH": {os.environ["PATH"]!r}, "HOME": {str(tmp_path)!r}}})
link.run("echo $$ >{tmp_path}/pid; echo begun; exec sleep 1000", take=lambda data: print(data.decode(), flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        until(lambda: running(tmp_path / "pid"), "the script")
        process.send_signal(how)
        process.communicate(timeout=600)
    until(lambda: not running(tmp_path / "pid"), "the end of the script")
    until(lambda: not sshd.connections(), "the end of the connection")


def test_a_machine_that_stops_answering_is_another_connection(
    sshd: Sshd, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowc.remote.master.CALL_S", 1)
    link.run("true")
    serving = [each for pid in sshd.connections() for each in [pid, *children(pid)] if b"sshd" in command_of(each)]
    for pid in serving:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert not link.alive()
    finally:
        for pid in serving:
            kill(pid, signal.SIGCONT)
    assert link.run("echo back").output == b"back\n"


def test_another_host_key_is_an_error_and_another_machine_is_none(
    sshd: Sshd, links: Callable[..., Link], tmp_path: Path
) -> None:
    assert links(sshd).run("true").status == 0
    new_key(sshd.folder / "other")
    sshd.cut()
    sshd.stop()
    sshd.start("other")
    with pytest.raises(ChangedHostKeyError, match=r"host key has changed.*hosts/bid_1"):
        links(sshd).run("true")
    # The task has got another machine, behind the same address.
    assert links(sshd, name="inst_2").run("true").status == 0


def test_a_key_that_is_not_taken_is_told_and_nothing_is_asked(
    sshd: Sshd, links: Callable[..., Link], tmp_path: Path
) -> None:
    stranger = new_key(tmp_path / "stranger")
    with pytest.raises(UnreachableError, match="does not take your SSH key"):
        links(sshd, key=str(stranger)).run("true")
    locked = new_key(tmp_path / "locked", "a passphrase")
    (sshd.folder / "authorized_keys").write_text((tmp_path / "locked.pub").read_text())
    with pytest.raises(UnreachableError, match="ssh-add"):
        links(sshd, key=str(locked)).run("true")


def test_without_a_way_to_share_each_call_is_a_connection(
    sshd: Sshd, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowc.remote.sockets.new_socket", lambda runtime: None)
    assert link.run("cat", given=b"x").output == b"x"
    assert link.read("/etc/passwd")


def test_a_server_that_allows_one_session_is_enough(tmp_path: Path, links: Callable[..., Link]) -> None:
    server = Sshd(tmp_path / "narrow", more="MaxSessions 1\n")
    try:
        assert links(server).run("cat", given=b"x").output == b"x"
    finally:
        server.close()


def test_whoever_may_not_become_root_is_told(sshd: Sshd, link: Link) -> None:
    (sshd.folder / "bin" / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    with pytest.raises(UnreachableError, match="may not become root"):
        link.run("true")


def test_without_ssh_it_is_told(link: Link, environ: dict[str, str], tmp_path: Path) -> None:
    environ["PATH"] = str(tmp_path)
    with pytest.raises(UnreachableError, match="install openssh-client"):
        link.run("true")


def running(pid: Path) -> bool:
    text = pid.read_text().strip() if pid.exists() else ""
    return bool(text) and b"sleep" in command_of(int(text))
